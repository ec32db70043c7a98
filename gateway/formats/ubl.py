"""UBL: a document that came as UBL leaves as the same bytes; nothing is rewritten into it."""

from __future__ import annotations

from typing import Final

from gateway.errors import Unconvertible
from gateway.formats.contract import Options
from gateway.model import Attachment, ReadDocument

name: Final = "ubl"
label: Final = "UBL 2 XML"
media_type: Final = "application/xml"
read: Final = "UBL 2.x invoices and credit notes"
written: Final = "as it came, from UBL"
checked: Final = "the bytes are the original's"


def accepts(document: ReadDocument) -> bool:
    """Whether it came as UBL, in whatever profile."""
    return document.format == name


def write(document: ReadDocument, source: Attachment, options: Options) -> Attachment:
    """Raises Unconvertible: only what came as UBL can leave as UBL."""
    raise Unconvertible("format", f"A document that came as {document.format.upper()} cannot be sent as UBL.")
