"""The UBL formats that are written from the terms of an invoice: EN 16931, Peppol BIS Billing 3.0, XRechnung 3.0."""

from __future__ import annotations

import dataclasses
from pathlib import PurePath

import msgspec

from gateway.en16931 import Invoice
from gateway.errors import Unconvertible
from gateway.formats import peppol_national
from gateway.formats.contract import Options
from gateway.formats.demands import Profile, en16931, invoice_for, is_held_by, peppol, xrechnung
from gateway.formats.settled import settled
from gateway.formats.unplaced import unplaced
from gateway.model import Attachment, ReadDocument

_PEPPOL_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
# Peppol BIS Billing 3.0, code lists UNCL1001-inv and UNCL1001-cn
_INVOICES = "71 80 82 84 102 218 219 326 331 380 382 383 384 386 388 393 395 553 575 623 780 817 870 875 876 877"
_CREDIT_NOTES = "81 83 381 396 532"

# A specification that says `compliant` restricts EN 16931 and adds nothing: its invoices are also EN 16931 invoices.
CIUS = "urn:cen.eu:en16931:2017#compliant#"

EN16931 = Profile(name="EN 16931 (UBL)", specification="urn:cen.eu:en16931:2017", accepted=(CIUS,), demands=(en16931,))
PEPPOL = Profile(
    name="Peppol BIS Billing 3.0",
    specification="urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
    process=_PEPPOL_PROCESS,
    demands=(en16931, peppol),
    types=frozenset(f"{_INVOICES} {_CREDIT_NOTES}".split()),
    one_note=True,
    paired=True,
)
XRECHNUNG = Profile(
    name="XRechnung 3.0",
    specification="urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
    process=_PEPPOL_PROCESS,
    demands=(en16931, xrechnung),
    paired=True,
    is_xrechnung=True,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class UblFormat:
    """One profile as a format of the table."""

    name: str
    label: str
    checked: str
    profile: Profile
    media_type: str = "application/xml"
    read: str = "UBL 2.x invoices and credit notes"
    written: str = "from invoices in any format that is read whole"

    def accepts(self, document: ReadDocument) -> bool:
        """Whether it came as UBL of this profile."""
        return document.format == "ubl" and is_held_by(self.profile, document.profile)

    def write(self, document: ReadDocument, source: Attachment, options: Options) -> Attachment:
        """The invoice as UBL; Unconvertible with the term that the profile misses."""
        from gateway.formats import ubl_invoice  # lxml, which only workers need

        invoice = invoice_for(self.profile, document)
        lost = unplaced(invoice)
        invoice = settled(invoice, self.profile, lost)
        if self.profile is PEPPOL:
            invoice = _of_its_country(invoice, lost)
        content = ubl_invoice.written(invoice, self.profile, lost)
        stem = PurePath(source.name).stem or "invoice"
        return Attachment(name=f"{stem}.xml", media_type=self.media_type, content=content, notes=tuple(lost))


def _of_its_country(invoice: Invoice, lost: list[str]) -> Invoice:
    """As the Peppol rules of the seller's country want it; Unconvertible with the first that it breaks."""
    invoice = msgspec.structs.replace(invoice, seller=peppol_national.settled(invoice.seller, lost))
    for rule, wanted in peppol_national.broken(invoice):
        raise Unconvertible(rule, f"{PEPPOL.name} needs {wanted} ({rule}).")
    return invoice


_CHECKED = "our goldens against the UBL 2.1 schema and the EN 16931 rules"

en16931_ubl = UblFormat(name="en16931-ubl", label="EN 16931 (UBL)", checked=_CHECKED, profile=EN16931)
peppol_bis = UblFormat(
    name="peppol", label="Peppol BIS Billing 3", checked=f"{_CHECKED}, and those of Peppol", profile=PEPPOL
)
xrechnung_ubl = UblFormat(
    name="xrechnung-ubl", label="XRechnung 3.0 (UBL)", checked=f"{_CHECKED}, and those of XRechnung", profile=XRECHNUNG
)
