"""Finvoice 3.0 (Finance Finland), written from the terms of an invoice."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import PurePath

from gateway.en16931 import Invoice, Party
from gateway.formats.contract import Options
from gateway.formats.demands import Profile, Stated, en16931, invoice_for
from gateway.formats.unplaced import unplaced
from gateway.model import Attachment, ReadDocument

VERSION = "3.0"


def _demands(invoice: Invoice) -> Iterator[Stated]:
    """What the schema demands beyond EN 16931: the payment order (EPI) and whole postal addresses."""
    yield "BT-9", invoice.due_date
    yield "BT-84", next((means.account for means in invoice.payment if means.account), None)
    for party, terms in ((invoice.seller, ("BT-35", "BT-37", "BT-38")), (invoice.buyer, ("BT-50", "BT-52", "BT-53"))):
        yield from zip(terms, _street_city_code(party), strict=True)


def _street_city_code(party: Party) -> tuple[str | None, str | None, str | None]:
    address = party.address
    if address is None:
        return None, None, None
    return address.line1 or address.line2 or address.line3, address.city, address.post_code


PROFILE = Profile(name="Finvoice 3.0", specification="", demands=(en16931, _demands))


@dataclasses.dataclass(frozen=True, kw_only=True)
class FinvoiceFormat:
    """Finvoice as a format of the table."""

    name: str = "finvoice"
    label: str = "Finvoice 3.0"
    media_type: str = "application/xml"
    read: str = "Finvoice 1.3 to 3.0"
    written: str = "from invoices in any format that is read whole"
    checked: str = "our goldens against the Finvoice 3.0 schema"

    def accepts(self, document: ReadDocument) -> bool:
        """Whether it came as Finvoice 3.0; earlier versions are written anew."""
        return document.format == "finvoice" and document.profile == VERSION

    def write(self, document: ReadDocument, source: Attachment, options: Options) -> Attachment:
        """The invoice as Finvoice; Unconvertible with the term that is missing or does not fit."""
        from gateway.formats import finvoice_invoice  # lxml, which only workers need

        invoice = invoice_for(PROFILE, document)
        lost = unplaced(invoice)
        content = finvoice_invoice.written(invoice, lost)
        stem = PurePath(source.name).stem or "invoice"
        return Attachment(
            name=f"{stem}.xml", media_type=self.media_type, content=content, notes=tuple(dict.fromkeys(lost))
        )


finvoice_3 = FinvoiceFormat()
