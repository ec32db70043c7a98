"""OIOUBL 2.1, the Danish UBL, written as UBL is and then put into Danish terms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from gateway.en16931 import Invoice, Party
from gateway.formats.contract import Options
from gateway.formats.demands import Profile, Stated, en16931, invoice_for
from gateway.formats.unplaced import unplaced
from gateway.model import Attachment, ReadDocument

NAME = "OIOUBL 2.1"
# ISO 6523 to the words that OIOUBL has: central business register, VAT register, production units, GS1, DUNS
SCHEMES = {"0184": "DK:CVR", "0198": "DK:SE", "0096": "DK:P", "0088": "GLN", "0060": "DUNS"}


def _demands(invoice: Invoice) -> Iterator[Stated]:
    """What OIOUBL demands beyond EN 16931: addresses in its schemes, the seller's registration, buyer's reference."""
    for term, party in (("BT-34", invoice.seller), ("BT-49", invoice.buyer)):
        yield term, _address(party)
    yield "BT-31", invoice.seller.legal_id and invoice.seller.legal_id.value
    yield "BT-10", invoice.buyer_reference


def _address(party: Party) -> str | None:
    endpoint = party.endpoint
    return endpoint.value if endpoint and endpoint.scheme in SCHEMES else None


PROFILE = Profile(
    name=NAME,
    specification="OIOUBL-2.1",
    process="urn:www.nesubl.eu:profiles:profile5:ver2.0",  # basic billing
    demands=(en16931, _demands),
    types=frozenset({"380", "381", "393"}),
)


class OioublFormat:
    """OIOUBL as a format of the table."""

    name = "oioubl"
    label = NAME
    media_type = "application/xml"
    read = "OIOUBL 2.x"
    written = "from invoices in any format that is read whole"
    checked = "our goldens against the UBL 2.1 schema"

    def accepts(self, document: ReadDocument) -> bool:
        """Whether it came as OIOUBL 2: who reads 2.1 reads 2.0."""
        return document.format == "ubl" and (document.profile or "").startswith("OIOUBL-2.")

    def write(self, document: ReadDocument, source: Attachment, options: Options) -> Attachment:
        """The invoice as OIOUBL; Unconvertible with the term that is missing."""
        from gateway.formats import oioubl_invoice  # lxml, which only workers need

        invoice = invoice_for(PROFILE, document)
        lost = unplaced(invoice)
        content = oioubl_invoice.written(invoice, lost)
        stem = PurePath(source.name).stem or "invoice"
        return Attachment(
            name=f"{stem}.xml", media_type=self.media_type, content=content, notes=tuple(dict.fromkeys(lost))
        )


oioubl_2 = OioublFormat()
