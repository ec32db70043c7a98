"""What no other reader takes: says what it seems to be, and that it cannot be read."""

from __future__ import annotations

from lxml import etree

from gateway.errors import Unreadable
from gateway.model import ReadDocument
from gateway.readers.item import Item

# First bytes of files that are often handed in by mistake, with what people call them.
KNOWN = (
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"PK\x03\x04", "a ZIP archive or an Office file"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"{\\rtf", "an RTF text"),
    (b"%!PS", "a PostScript file"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
)


class OtherReader:
    """The last of the table: takes everything, reads nothing."""

    name = "other"

    def sniff(self, item: Item) -> bool:
        """Always yes."""
        return True

    def read(self, item: Item) -> list[ReadDocument]:
        """Unreadable: `unknown-type` for XML, else `not-a-document`."""
        if item.root is not None:
            root = etree.QName(item.root)
            space = f" of namespace {root.namespace[:120]}" if root.namespace else " without namespace"
            raise Unreadable("unknown-type", f"XML with the root {root.localname[:80]}{space} is no type that we read.")
        kind = next((kind for magic, kind in KNOWN if item.data.startswith(magic)), "neither XML nor PDF")
        raise Unreadable("not-a-document", f"The file is {kind}.")
