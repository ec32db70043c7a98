"""The CII formats that are written from the terms of an invoice: EN 16931 and XRechnung 3.0."""

from __future__ import annotations

import dataclasses
from pathlib import PurePath

from gateway.formats import ubl_profiles
from gateway.formats.contract import Options
from gateway.formats.demands import Profile, invoice_for, is_held_by
from gateway.formats.settled import settled
from gateway.formats.unplaced import unplaced
from gateway.model import Attachment, ReadDocument

EN16931 = dataclasses.replace(ubl_profiles.EN16931, name="EN 16931 (CII)")
XRECHNUNG = ubl_profiles.XRECHNUNG


@dataclasses.dataclass(frozen=True, kw_only=True)
class CiiFormat:
    """One profile as a format of the table."""

    name: str
    label: str
    checked: str
    profile: Profile
    media_type: str = "application/xml"
    read: str = "UN/CEFACT CII D16B and D22B, ZUGFeRD 1.0"
    written: str = "from invoices in any format that is read whole"

    def accepts(self, document: ReadDocument) -> bool:
        """Whether it came as CII of this profile."""
        return document.format == "cii" and is_held_by(self.profile, document.profile)

    def write(self, document: ReadDocument, source: Attachment, options: Options) -> Attachment:
        """The invoice as CII; Unconvertible with the term that the profile misses."""
        from gateway.formats import cii_invoice  # lxml, which only workers need

        invoice = invoice_for(self.profile, document)
        lost = unplaced(invoice)
        invoice = settled(invoice, self.profile, lost)
        content = cii_invoice.written(invoice, self.profile, lost)
        stem = PurePath(source.name).stem or "invoice"
        return Attachment(name=f"{stem}.xml", media_type=self.media_type, content=content, notes=tuple(lost))


_CHECKED = "our goldens against the schema and the EN 16931 rules"

en16931_cii = CiiFormat(name="en16931-cii", label="EN 16931 (CII)", checked=_CHECKED, profile=EN16931)
xrechnung_cii = CiiFormat(
    name="xrechnung-cii", label="XRechnung 3.0 (CII)", checked=f"{_CHECKED}, and those of XRechnung", profile=XRECHNUNG
)
