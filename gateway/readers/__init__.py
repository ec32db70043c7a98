"""What is in a file: bytes in, business documents out.

`read` recognises by the bytes, never by name or media type. The readers stand in `gateway.readers.table`, which is
imported at the first call: they need lxml and pdfium, which belong into worker processes and not into the daemon.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from gateway.errors import Unreadable
from gateway.model import Pattern, ReadDocument

if TYPE_CHECKING:
    from gateway.readers.item import Item
    from gateway.readers.unwrapping import Part

EMPTY = b" \t\r\n\0\x0b\x0c\xef\xbb\xbf\xff\xfe"  # white space, NUL, byte order marks


def read(
    name: str, media_type: str, patterns: Sequence[Pattern], data: bytes, *, whole: bool = True
) -> list[ReadDocument]:
    """The documents in `data`, at least one; wrappers are opened on the way to them.

    `name` and `media_type` are what the sender called it; they are shown, never trusted. `patterns` say where text
    PDFs of this source have their fields. Without `whole` the routing fields are read and `invoice` stays None.
    Unreadable when there is no document: its cause is empty, encrypted, doctype, malformed-xml, too-deep, too-large,
    encoding, not-a-document, pdf-damaged, page-too-large, too-many-pages or unknown-type. One of several that cannot
    be read is a document of the format `other` whose note says why.
    """
    items = _items(_item(name, media_type, patterns, data, whole))
    return _read(items[0]) if len(items) == 1 else [document for item in items for document in _one_of_several(item)]


def divide(name: str, data: bytes) -> list[Part]:
    """The documents of the file `data` when it holds more than one, or one with other files beside it; else none.

    Unreadable when it cannot be opened; reading it then says the same.
    """
    from gateway.readers import unwrapping

    return unwrapping.divide(name, data) if data.strip(EMPTY) else []


def payload(name: str, data: bytes) -> tuple[str, bytes]:
    """Name and bytes of the one document in `data`, out of its wrappers."""
    from gateway.readers import unwrapping

    (item,) = _items(_item(name, "", (), data, False))
    return item.name, unwrapping.standalone(item)


def _item(name: str, media_type: str, patterns: Sequence[Pattern], data: bytes, whole: bool) -> Item:
    from gateway.readers.item import Item

    return Item(name=name, media_type=media_type, patterns=tuple(patterns), data=data, whole=whole)


def _items(file: Item) -> list[Item]:
    from gateway.readers.unwrapping import unwrap

    if not file.data.strip(EMPTY):
        raise Unreadable("empty", "The file is empty.")
    return unwrap(file)


def _read(item: Item) -> list[ReadDocument]:
    from gateway.readers.table import READERS

    if item.trouble:
        raise item.trouble
    reader = next(reader for reader in READERS if reader.sniff(item))
    return [
        msgspec.structs.replace(document, wrapped=item.wrapped, notes=(*item.notes, *document.notes))
        for document in reader.read(item)
    ]


def _one_of_several(item: Item) -> list[ReadDocument]:
    try:
        return _read(item)
    except Unreadable as error:
        return [ReadDocument(format="other", wrapped=item.wrapped, notes=(f"Cannot be read: {error.sentence}",))]
