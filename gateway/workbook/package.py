"""The zip around an .xlsx (ISO/IEC 29500-2), and what every other file is called when it is refused.

Nothing is unpacked before the whole directory has been looked at: how many parts, how large, how tightly packed.
"""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from gateway.errors import Refused
from gateway.workbook.model import FILE_LIMIT
from gateway.workbook.pull import elements

UNPACKED_LIMIT = 200 << 20  # bytes
RATIO_LIMIT = 200  # unpacked to packed; Excel's own sheets stay below 60
PART_LIMIT = 1000  # files in the zip
_SMALL = 1 << 20  # bytes; what unpacks to less is no bomb however tight it is

# What zipfile raises for a zip that is damaged or lies.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    NotImplementedError,
    EOFError,
    OSError,
    RuntimeError,
    OverflowError,
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # MS-CFB §2.2
_ENTRY = b"PK\x01\x02"  # a record of a zip's directory (APPNOTE 4.3.12)
_SAVE_AS = "save it as .xlsx (Excel workbook)"
_TAKE_OUT = "take the list out of it, or save it as .xlsx"


def refuse(sentence: str) -> Refused:
    """The error of a file that is no list at all."""
    return Refused(sentence, "file")


def is_package(blob: bytes) -> bool:
    """Whether the file is a zip, as .xlsx is. Refused, by name, for the files people take for a list."""
    if not blob:
        raise refuse("The file is empty.")
    if len(blob) > FILE_LIMIT:
        raise refuse(f"The file has {len(blob) >> 20} MiB; {FILE_LIMIT >> 20} MiB are the most that is read.")
    if blob.startswith(b"PK\x03\x04"):
        return True
    if blob.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in blob:
            raise refuse("The workbook is encrypted: remove its password (File, Info, Protect) and save it again.")
        raise refuse(f"This is an old .xls workbook: {_SAVE_AS}.")
    head = blob[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"%pdf-"):
        raise refuse("This is a PDF, not a list: save the list itself as .xlsx or .csv.")
    if head.startswith((b"<html", b"<!doctype", b"<table")):
        raise refuse(f"This is a web page, whatever its name says: open it in Excel and {_SAVE_AS}.")
    if head.startswith(b"<?xml"):
        raise refuse(f"This is an XML file: open it in Excel and {_SAVE_AS}.")
    return False


class Package:
    """The parts of an .xlsx, found by name or by relationship."""

    def __init__(self, blob: bytes) -> None:
        """Refused when the zip is damaged, hides something, or would unpack beyond the limits."""
        if blob.count(_ENTRY) > PART_LIMIT:
            raise refuse(f"The workbook has more than {PART_LIMIT} parts.")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(blob))
        except DAMAGED as error:
            raise refuse(
                "The workbook is damaged, or did not come whole: its zip cannot be opened. Save or fetch it again."
            ) from error
        self._parts: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            self._add(info)
        unpacked = sum(info.file_size for info in self._parts.values())
        if unpacked > UNPACKED_LIMIT:
            raise refuse(
                f"The workbook unpacks to {unpacked >> 20} MiB; {UNPACKED_LIMIT >> 20} MiB are the most that is read."
            )
        self._refuse_others()

    def _add(self, info: zipfile.ZipInfo) -> None:
        name = info.filename.replace("\\", "/")
        key = name.lower()  # part names are equal whatever their case (ISO/IEC 29500-2 §6.2.2.3)
        if info.flag_bits & 1:
            raise refuse("The workbook is encrypted: save it again without a password.")
        if key in self._parts:
            raise refuse(f"The workbook has two parts called {name!r}.")
        if name.startswith("/") or ".." in name.split("/"):
            raise refuse("The workbook has a part outside of itself.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refuse("The workbook is packed in a way that no spreadsheet program uses.")
        if info.file_size > _SMALL and info.file_size > RATIO_LIMIT * max(info.compress_size, 1):
            raise refuse(f"The workbook is packed more than {RATIO_LIMIT} times over: it is a zip bomb.")
        self._parts[key] = info

    def _refuse_others(self) -> None:
        if "xl/workbook.bin" in self._parts:
            raise refuse(f"This is an .xlsb workbook: {_SAVE_AS}.")
        if "[content_types].xml" in self._parts:
            return
        if "mimetype" in self._parts or "content.xml" in self._parts:
            raise refuse(f"This is an OpenDocument file (.ods): {_SAVE_AS}.")
        raise refuse(f"This is a zip, but no Excel workbook: {_TAKE_OUT}.")

    def has(self, name: str) -> bool:
        """Whether there is such a part."""
        return name.lower() in self._parts

    def name_of(self, name: str) -> str:
        """The part's name as the zip writes it."""
        return self._parts[name.lower()].filename

    def open(self, name: str) -> IO[bytes]:
        """The part's bytes, unpacked as they are read; the zip's own word on their number bounds them."""
        info = self._parts.get(name.lower())
        if info is None:
            raise refuse(f"The workbook is damaged: its part {name!r} is missing.")
        try:
            return _Part(self._zip.open(info))  # type: ignore[return-value]
        except DAMAGED as error:
            raise refuse(f"The workbook is damaged: {name!r} cannot be unpacked.") from error

    def relations(self, source: str) -> dict[str, tuple[str, str, bool]]:
        """What the part `source` points to: id -> (kind, target, external). The empty name is the package."""
        folder, _, name = source.rpartition("/")
        part = f"{folder}/_rels/{name}.rels".lstrip("/")
        if not self.has(part):
            return {}
        return dict(self._relations(part, folder))

    def _relations(self, part: str, folder: str) -> Iterator[tuple[str, tuple[str, str, bool]]]:
        with self.open(part) as file:
            for element in elements(file, "Relationship"):
                kind = element.get("Type", "").rpartition("/")[2]
                target = element.get("Target", "")
                external = element.get("TargetMode") == "External"
                if not external:
                    target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
                yield element.get("Id", ""), (kind, target, external)


class _Part(io.RawIOBase):
    """A part as it unpacks; what zip and zlib raise becomes one of ours."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner

    def read(self, size: int = -1) -> bytes:
        try:
            return self._inner.read(size)
        except DAMAGED as error:
            raise refuse("The workbook is damaged: a part cannot be unpacked.") from error
