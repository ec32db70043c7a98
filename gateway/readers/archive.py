"""ZIP files that are one document by a standard: ISDOC with attachments (.isdocx), ASiC containers (ETSI EN 319 162).

Any other archive is left alone. Sizes that the archive states are not believed: unpacking stops at the limit.
"""

from __future__ import annotations

import dataclasses
import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from gateway.errors import Unreadable
from gateway.readers.item import File, Item
from gateway.readers.limits import MAX_DOCUMENTS, MAX_TOTAL
from gateway.readers.xml import looks_like_xml, parse_xml
from gateway.readers.xpath import Paths

NOTE = "It came in a signed container (ASiC); the signature was not checked."

_MANIFEST = Paths({"m": "http://isdoc.cz/namespace/2013/manifest"})
_MAX_MANIFEST = 100_000  # bytes
_DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, RuntimeError, NotImplementedError)
_STARTS = (b"%PDF-", b"PK\x03\x04", b"\x30\x80", b"\x30\x82", b"\x30\x83", b"UNA", b"UNB", b"EDI_DC40")


class Archive:
    """`asic` or `isdocx`; the files beside the document belong to it."""

    name: Final = "zip"

    def open(self, item: Item) -> list[Item] | None:
        """The documents, with the files that belong to them."""
        if item.root is not None or not item.data.startswith(b"PK\x03\x04"):
            return None
        try:
            with zipfile.ZipFile(io.BytesIO(item.data)) as opened:
                return _open(item, opened)
        except _DAMAGES as error:
            sentence = f"The archive is damaged: {' '.join(str(error).split())[:200].rstrip('.')}."
            raise Unreadable("archive-damaged", sentence) from None


ARCHIVE = Archive()


def _open(item: Item, opened: zipfile.ZipFile) -> list[Item] | None:
    entries = [entry for entry in opened.infolist() if not entry.is_dir()]
    names = {entry.filename for entry in entries}
    main = None
    if "manifest.xml" in names:
        main = _main_of(opened.open("manifest.xml").read(_MAX_MANIFEST))
    if main is None and not _is_asic(opened, names):
        return None
    if len(entries) > MAX_DOCUMENTS:
        raise Unreadable("too-large", f"The archive holds more than {MAX_DOCUMENTS} files.")
    if main is not None and main not in names:
        raise Unreadable("archive-damaged", f"The archive names {main[:100]} as its document and does not hold it.")
    files = _files(opened, entries)
    if main is not None:
        return [_item(item, main, files[main], [file for name, file in files.items() if name != main])]
    notes = (*item.notes, NOTE)
    return [dataclasses.replace(each, notes=notes) for each in _documents(item, list(files.values()))]


def _main_of(manifest: bytes) -> str | None:
    """The file that an ISDOCX manifest calls the document; None when it is no such manifest."""
    try:
        root = parse_xml(manifest)
    except Unreadable:
        return None
    return _MANIFEST.value(root, "/m:manifest/m:maindocument/@filename")


def _is_asic(opened: zipfile.ZipFile, names: set[str]) -> bool:
    if "mimetype" in names:
        return opened.open("mimetype").read(100).startswith(b"application/vnd.etsi.asic")
    inside = [name.casefold() for name in names if name.startswith("META-INF/")]
    return any("asicmanifest" in name or "signature" in name for name in inside)


def _files(opened: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo]) -> dict[str, File]:
    """The files that are content, by their names inside; no more bytes than the limit."""
    files: dict[str, File] = {}
    left = MAX_TOTAL
    for entry in entries:
        if entry.filename in ("mimetype", "manifest.xml") or entry.filename.startswith("META-INF/"):
            continue
        if entry.flag_bits & 1:
            raise Unreadable("encrypted", "The archive opens with a password only.")
        with opened.open(entry) as stream:
            data = stream.read(left + 1)
        left -= len(data)
        if left < 0:
            sentence = f"What the archive holds unpacks to more than {MAX_TOTAL // 1_000_000} million bytes."
            raise Unreadable("too-large", sentence)
        files[entry.filename] = File(name=PurePath(entry.filename.replace("\\", "/")).name[:150], data=data)
    if not files:
        raise Unreadable("not-a-document", "The archive holds no document.")
    return files


def _documents(item: Item, files: list[File]) -> list[Item]:
    """Of one structured document all other files are extras; else a PDF is one of the document with its base name, and
    whatever is left is a document of its own."""
    structured = [file for file in files if looks_like_xml(file.data) or file.data.startswith(_STARTS[1:])]
    if len(structured) == 1:
        return [_item(item, structured[0].name, structured[0], [file for file in files if file is not structured[0]])]
    taken: set[int] = set()
    documents = []
    for file in structured:
        pages = [
            each for each in files if each not in structured and PurePath(each.name).stem == PurePath(file.name).stem
        ]
        taken |= {id(each) for each in (file, *pages)}
        documents.append(_item(item, file.name, file, pages))
    return documents + [_item(item, file.name, file, []) for file in files if id(file) not in taken]


def _item(item: Item, name: str, file: File, extras: Sequence[File]) -> Item:
    return dataclasses.replace(
        item,
        data=file.data,
        name=file.name,
        root=None,
        path=f"{item.path}{name[:150]}:",
        extras=tuple(extras),
        cut=False,
    )
