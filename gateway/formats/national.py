"""What the national XML formats share as entries of the table."""

from __future__ import annotations

import abc
from pathlib import PurePath

from gateway.en16931 import Invoice
from gateway.formats.contract import Options
from gateway.formats.demands import Profile, invoice_for
from gateway.formats.unplaced import unplaced
from gateway.model import Attachment, ReadDocument


class NationalFormat(abc.ABC):
    """A national format: written from the terms of EN 16931 by `content`."""

    name: str
    label: str
    read: str
    checked: str
    profile: Profile
    versions: tuple[str, ...]  # as the readers call them; a document in one of these goes as it came
    media_type = "application/xml"
    suffix = "xml"
    written = "from invoices in any format that is read whole"

    def accepts(self, document: ReadDocument) -> bool:
        """Whether it came in this format, in the version that is written; others are written anew."""
        return document.format == self.name and document.profile in self.versions

    def write(self, document: ReadDocument, source: Attachment, options: Options) -> Attachment:
        """The invoice in this format; Unconvertible with the term that is missing or does not fit."""
        invoice = invoice_for(self.profile, document)
        lost = unplaced(invoice)
        content = self.content(invoice, lost)
        stem = PurePath(source.name).stem or "invoice"
        return Attachment(
            name=f"{stem}.{self.suffix}",
            media_type=self.media_type,
            content=content,
            notes=tuple(dict.fromkeys(lost)),
        )

    @abc.abstractmethod
    def content(self, invoice: Invoice, lost: list[str]) -> bytes:
        """The bytes; what has no place is left out, and a sentence about it goes to `lost`."""
