"""ebInterface 6.1 (AUSTRIAPRO), written from the terms of an invoice."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.en16931 import Invoice, Party
from gateway.formats.demands import Profile, Stated, en16931
from gateway.formats.national import NationalFormat


def _demands(invoice: Invoice) -> Iterator[Stated]:
    """What the schema demands beyond EN 16931: city and post code of both parties."""
    yield from zip(("BT-37", "BT-38"), _city_code(invoice.seller), strict=True)
    yield from zip(("BT-52", "BT-53"), _city_code(invoice.buyer), strict=True)


def _city_code(party: Party) -> tuple[str | None, str | None]:
    return (party.address.city, party.address.post_code) if party.address else (None, None)


class EbInterfaceFormat(NationalFormat):
    """ebInterface as a format of the table."""

    name = "ebinterface"
    label = "ebInterface 6.1"
    read = "ebInterface 3.0 to 6.1"
    checked = "our goldens against the ebInterface 6.1 schema"
    profile = Profile(name="ebInterface 6.1", specification="", demands=(en16931, _demands))
    versions = ("6.1",)

    def content(self, invoice: Invoice, lost: list[str]) -> bytes:
        """The bytes of the invoice as ebInterface."""
        from gateway.formats.ebinterface_invoice import written  # lxml, which only workers need

        return written(invoice, lost)


ebinterface_6 = EbInterfaceFormat()
