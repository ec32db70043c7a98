"""What is in a file: bytes in, business documents out.

`read` recognises by the bytes, never by name or media type. The readers stand in `gateway.readers.table`, which is
imported at the first call: they need lxml and pdfium, which belong into worker processes and not into the daemon.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.errors import Unreadable
from gateway.model import Pattern, ReadDocument

if TYPE_CHECKING:
    from gateway.readers.item import Item

EMPTY = b" \t\r\n\0\x0b\x0c\xef\xbb\xbf\xff\xfe"  # white space, NUL, byte order marks


def read(
    name: str, media_type: str, patterns: Sequence[Pattern], data: bytes, *, whole: bool = True
) -> list[ReadDocument]:
    """The documents in `data`, at least one.

    `name` and `media_type` are what the sender called it; they are shown, never trusted. `patterns` say where text
    PDFs of this source have their fields. Without `whole` the routing fields are read and `invoice` stays None.
    Unreadable when there is no document: its cause is empty, encrypted, doctype, malformed-xml, too-deep, too-large,
    encoding, not-a-document, several-documents, pdf-damaged, page-too-large, too-many-pages or unknown-type.
    """
    from gateway.readers.table import READERS

    item = _item(name, media_type, patterns, data, whole)
    reader = next(reader for reader in READERS if reader.sniff(item))
    return reader.read(item)


def _item(name: str, media_type: str, patterns: Sequence[Pattern], data: bytes, whole: bool) -> Item:
    """The thing to read: the file itself, or the payload of an XML envelope."""
    from gateway.readers.envelope import unwrap
    from gateway.readers.item import Item
    from gateway.readers.xml import looks_like_xml, parse_xml

    if not data.strip(EMPTY):
        raise Unreadable("empty", "The file is empty.")
    file = Item(name=name, media_type=media_type, patterns=tuple(patterns), data=data, whole=whole)
    return unwrap(file, parse_xml(data)) if looks_like_xml(data) else file
