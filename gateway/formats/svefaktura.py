"""Svefaktura 1.0 (SFTI Basic Invoice), written from the terms of an invoice."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.en16931 import Invoice
from gateway.formats.demands import Profile, Stated, en16931
from gateway.formats.national import NationalFormat


def _demands(invoice: Invoice) -> Iterator[Stated]:
    """What the schema demands beyond EN 16931: the buyer's reference."""
    yield "BT-10", invoice.buyer_reference


PROFILE = Profile(
    name="Svefaktura 1.0",
    specification="",
    demands=(en16931, _demands),
    types=frozenset({"380", "381"}),
)


class SvefakturaFormat(NationalFormat):
    """Svefaktura as a format of the table."""

    name = "svefaktura"
    label = "Svefaktura 1.0"
    read = "Svefaktura 1.0 (SFTI Basic Invoice)"
    checked = "our goldens against the order and number of elements of the SFTI schema"
    profile = PROFILE
    versions = ("1.0",)

    def content(self, invoice: Invoice, lost: list[str]) -> bytes:
        """The bytes of the invoice as Svefaktura."""
        from gateway.formats.svefaktura_invoice import written  # lxml, which only workers need

        return written(invoice, lost)


svefaktura_1 = SvefakturaFormat()
