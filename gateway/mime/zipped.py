"""Files in a ZIP archive, within limits: how many, how large, how much larger than they were (APPNOTE.TXT 6.3).

What an archive says of itself is looked at before anything is unpacked, and while it is unpacked nothing is believed.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from gateway import mimeheader
from gateway.mime.values import Fault, Limits

_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_NESTED = re.compile(r"\.(zip|jar|7z|rar|gz|tgz|bz2|xz|tar|lzh|arj|cab)", re.IGNORECASE)
_LITTER = re.compile(r"(?:^|/)(?:__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_UTF8_NAME = 0x800  # general purpose bit 11
_ENCRYPTED = 0x1 | 0x40  # bits 0 and 6
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENTRY = b"PK\x01\x02"  # begins each entry of the directory
_CROWD = 5000  # entries of a directory that is not even read: a million of them would take ten seconds
_SMALL = 1 << 20  # bytes: what unpacks to less is no bomb, whatever its ratio
_PIECE = 1 << 16
_OFFICE = ("[Content_Types].xml", "mimetype")  # what Office (ECMA-376) and OpenDocument begin with


class Budget:
    """What the archives of one mail may still unpack."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.entries, self.unpacked = limits.entries, limits.unpacked


class Entry(NamedTuple):
    """A file of the archive. `path` is as it is called there, made harmless; a litter file has no data."""

    path: str
    name: str
    data: bytes
    litter: bool = False


class Refusal(Exception):
    """The archive is not opened."""

    def __init__(self, cause: str, why: str) -> None:
        super().__init__(why)
        self.cause = cause


def is_zip(data: bytes) -> bool:
    """Whether it is an archive of files, and not one of the many formats that are archives inside."""
    return data.startswith(_MAGIC) and not data.startswith(tuple(name.encode() for name in _OFFICE), 30)


def unpack(name: str, data: bytes, budget: Budget, charsets: Sequence[str]) -> list[Entry] | Fault:
    """All files of the archive `data` called `name`, or why it is not opened: then none of them is taken."""
    try:
        if data.count(_ENTRY) > _CROWD:
            raise _too_many(budget)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return list(_entries(archive, budget, charsets))
    except Refusal as refusal:
        return Fault(cause=refusal.cause, sentence=f"The archive {name} is not opened: {refusal}.")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        return Fault(cause="zip-damaged", sentence=f"The archive {name} is damaged.")


def _entries(archive: zipfile.ZipFile, budget: Budget, charsets: Sequence[str]) -> Iterator[Entry]:
    files = [info for info in archive.infolist() if not info.is_dir()]
    names = {info.filename for info in files}
    if any(mark in names for mark in _OFFICE):
        raise Refusal("not-a-document", "it is an Office file and no archive of documents")
    _look_over(files, budget)
    budget.entries -= len(files)
    if not files:
        raise Refusal("empty", "there is no file in it")
    for info in files:
        path = _path(info, charsets)
        if _LITTER.search(path):
            yield Entry(path, path.rpartition("/")[2], b"", litter=True)
            continue
        yield Entry(path, mimeheader.file_name(path) or "file", _read(archive, info, budget))


def _too_many(budget: Budget) -> Refusal:
    return Refusal("too-large", f"archives of one mail may hold {budget.limits.entries} files, and these are more")


def _look_over(files: Sequence[zipfile.ZipInfo], budget: Budget) -> None:
    """Refuse by what the archive says of itself."""
    if len(files) > budget.entries:
        raise _too_many(budget)
    for info in files:
        shown = mimeheader.file_name(info.filename) or "a file"
        if info.flag_bits & _ENCRYPTED:
            raise Refusal("encrypted", f"{shown} in it is encrypted, and we have no password for it")
        if info.compress_type not in _METHODS:
            raise Refusal("zip-method", f"{shown} in it is packed by a method that only newer programs know")
        if _NESTED.fullmatch(PurePosixPath(shown).suffix):
            raise Refusal("too-deep", f"{shown} in it is an archive too, and archives in archives are not opened")
        ratio = budget.limits.ratio
        if info.file_size > _SMALL and info.file_size > ratio * max(info.compress_size, 1):
            raise Refusal("too-large", f"{shown} in it would grow more than {ratio} times")
    if sum(info.file_size for info in files) > budget.unpacked:
        raise Refusal("too-large", f"unpacked it is larger than {budget.limits.unpacked >> 20} MiB")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> bytes:
    """The bytes of a file, never more than is left."""
    out: list[bytes] = []
    with archive.open(info) as file:
        while piece := file.read(_PIECE):
            budget.unpacked -= len(piece)
            if budget.unpacked < 0:
                raise Refusal("too-large", "unpacked it is larger than it says")
            out.append(piece)
    data = b"".join(out)
    if data.startswith(_MAGIC) and is_zip(data):
        shown = mimeheader.file_name(info.filename) or "a file"
        raise Refusal("too-deep", f"{shown} in it is an archive too, and archives in archives are not opened")
    return data


def _path(info: zipfile.ZipInfo, charsets: Sequence[str]) -> str:
    """The file's path in the archive: bytes of an old archive are text of the source's charsets (APPNOTE D.1)."""
    path = info.filename
    if not info.flag_bits & _UTF8_NAME:
        path = mimeheader.decode(path.encode("cp437", "replace"), charsets)
    return mimeheader.without_controls(path.replace("\\", "/"))[-300:]
