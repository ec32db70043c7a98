"""EDIFACT INVOIC D.96A, written from the terms of an invoice."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import PurePath

from gateway.en16931 import Invoice, Party
from gateway.formats.contract import Options
from gateway.formats.demands import Profile, Stated, en16931, invoice_for
from gateway.formats.unplaced import unplaced
from gateway.model import Attachment, ReadDocument

RELEASE = "D.96A"


def _demands(invoice: Invoice) -> Iterator[Stated]:
    """What the syntax demands beyond EN 16931: something that identifies sender and receiver of the interchange."""
    yield "BT-46", partner(invoice.buyer)


def partner(party: Party) -> str | None:
    """What identifies a party in UNB: a GS1 number, else what it is registered or known under."""
    gln = next((each.value for each in party.identifiers if each.scheme == "0088"), None)
    legal = party.legal_id.value if party.legal_id else None
    first = party.identifiers[0].value if party.identifiers else None
    endpoint = party.endpoint.value if party.endpoint else None
    return gln or party.vat_id or legal or party.account_id or first or party.tax_id or endpoint


PROFILE = Profile(name="EDIFACT INVOIC D.96A", specification="", demands=(en16931, _demands))


@dataclasses.dataclass(frozen=True, kw_only=True)
class EdifactFormat:
    """INVOIC D.96A as a format of the table."""

    name: str = "edifact-d96a"
    label: str = "EDIFACT INVOIC D.96A"
    media_type: str = "application/EDIFACT"  # RFC 1767
    read: str = "INVOIC D.93A, D.96A, D.01B and D.14B"
    written: str = "from invoices in any format that is read whole"
    checked: str = "our goldens, taken apart by another library"

    def accepts(self, document: ReadDocument) -> bool:
        """Whether it came as INVOIC D.96A, with whatever association."""
        return document.format == "edifact" and (document.profile or "").split(" ")[0] == RELEASE

    def write(self, document: ReadDocument, source: Attachment, options: Options) -> Attachment:
        """The invoice as an interchange of one message; Unconvertible with the term that is missing or does not fit."""
        from gateway.formats import edifact_invoice

        invoice = invoice_for(PROFILE, document)
        lost = unplaced(invoice)
        content = edifact_invoice.written(invoice, options.now, lost)
        stem = PurePath(source.name).stem or "invoice"
        return Attachment(
            name=f"{stem}.edi", media_type=self.media_type, content=content, notes=tuple(dict.fromkeys(lost))
        )


edifact_d96a = EdifactFormat()
