"""ISDOC 6.0.2 (Czechia), written from the terms of an invoice."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.en16931 import Invoice
from gateway.formats.demands import Profile, Stated, en16931
from gateway.formats.national import NationalFormat
from gateway.model import ReadDocument


def _demands(invoice: Invoice) -> Iterator[Stated]:
    """What the schema demands beyond EN 16931: a due date where there is an account."""
    if any(means.account for means in invoice.payment):
        yield "BT-9", invoice.due_date


class IsdocFormat(NationalFormat):
    """ISDOC as a format of the table."""

    name = "isdoc"
    label = "ISDOC 6"
    suffix = "isdoc"
    read = "ISDOC 5 and 6"
    checked = "our goldens against the ISDOC 6.0.2 schema"
    profile = Profile(name="ISDOC 6", specification="", demands=(en16931, _demands))
    versions = ()

    def accepts(self, document: ReadDocument) -> bool:
        """Whether it came as ISDOC 6, of which later versions read what earlier ones wrote."""
        return document.format == self.name and (document.profile or "").startswith("6.")

    def content(self, invoice: Invoice, lost: list[str]) -> bytes:
        """The bytes of the invoice as ISDOC."""
        from gateway.formats.isdoc_invoice import written  # lxml, which only workers need

        return written(invoice, lost)


isdoc_6 = IsdocFormat()
