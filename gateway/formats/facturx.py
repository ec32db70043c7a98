"""Factur-X 1.0 (ZUGFeRD 2): our rendered page as PDF/A-3b with the invoice as CII inside, and what XMP says of it."""

from __future__ import annotations

import dataclasses
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.formats import cii_profiles, facturx_basic, ownpage
from gateway.formats.contract import Options
from gateway.formats.demands import Profile, en16931, invoice_for, is_held_by
from gateway.formats.pdf import attached, set_page
from gateway.formats.settled import settled
from gateway.formats.ubl_profiles import CIUS
from gateway.formats.unplaced import unplaced
from gateway.model import Attachment, ReadDocument

if TYPE_CHECKING:
    from pikepdf import Pdf

_EXTENDED = "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended"
_VERSION = "1.0"  # of the data model, Factur-X 1.0 §6.2.2

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_EXTENSION = "http://www.aiim.org/pdfa/ns/extension/"
_SCHEMA = "http://www.aiim.org/pdfa/ns/schema#"
_PROPERTY = "http://www.aiim.org/pdfa/ns/property#"
_FX = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PROPERTIES = {  # of the extension schema, Factur-X 1.0 §6.2.3
    "DocumentFileName": "The name of the embedded XML document",
    "DocumentType": "The type of the hybrid document in capital letters, e.g. INVOICE or ORDER",
    "Version": "The actual version of the standard applying to the embedded XML document",
    "ConformanceLevel": "The conformance level of the embedded XML document",
}

EN16931 = dataclasses.replace(
    cii_profiles.EN16931,
    name="Factur-X (EN 16931)",
    accepted=(CIUS, _EXTENDED),
)
BASIC = Profile(name="Factur-X (BASIC)", specification=f"{CIUS}urn:factur-x.eu:1p0:basic", demands=(en16931,))
EXTENDED = Profile(name="Factur-X (EXTENDED)", specification=_EXTENDED, demands=(en16931,))


@dataclasses.dataclass(frozen=True, kw_only=True)
class FacturxFormat:
    """One profile as a format of the table."""

    name: str
    label: str
    profile: Profile
    level: str  # fx:ConformanceLevel
    file_name: str = "factur-x.xml"
    media_type: str = "application/pdf"
    read: str = "PDFs with CII inside: Factur-X, ZUGFeRD 1.0 and 2"
    written: str = "from invoices in any format that is read whole"
    checked: str = "our goldens against schema and EN 16931 rules; PDF/A-3b, XMP and attachment"

    def accepts(self, document: ReadDocument) -> bool:
        """Whether it came as such a PDF."""
        return document.format == "facturx" and is_held_by(self.profile, document.profile)

    def write(self, document: ReadDocument, source: Attachment, options: Options) -> Attachment:
        """The page with the invoice inside; Unconvertible with the term that the profile misses."""
        from gateway.formats import cii_invoice  # lxml, which only workers need

        invoice = invoice_for(self.profile, document)
        lost = unplaced(invoice)
        placed = settled(invoice, self.profile, lost)
        if self.profile is BASIC:
            placed = facturx_basic.reduced(placed, lost)
        content = cii_invoice.written(placed, self.profile, lost)
        inside = Attachment(name=self.file_name, media_type="text/xml", content=content)
        own, why = ownpage.sound(options.page, options.now) if options.page else (None, "")
        if own is not None:
            lost.append("Its page is the sender's own PDF, made PDF/A-3b.")
        elif why:
            lost.append(f"The sender's own PDF goes beside it, since it cannot become PDF/A-3b: {why}.")
        page = own or set_page(document, invoice, options)
        written = attached(page, inside, options.now, "/Alternative", self._describe)
        stem = PurePath(source.name).stem or "invoice"
        made = Attachment(name=f"{stem}.pdf", media_type=self.media_type, content=written, notes=tuple(lost))
        return msgspec.structs.replace(made, has_own_page=own is not None)

    def _describe(self, pdf: Pdf) -> None:
        """Say in the XMP what is inside: the extension schema in the one bag there is, and its four properties."""
        from lxml import etree

        # A second pdfaExtension:schemas or rdf:RDF would be invalid XMP (ISO 16684-1 §7.4).
        xmp = etree.fromstring(pdf.Root.Metadata.read_bytes())
        values = {
            "DocumentFileName": self.file_name,
            "DocumentType": "INVOICE",
            "Version": _VERSION,
            "ConformanceLevel": self.level,
        }
        (rdf,) = xmp.iterfind(f".//{{{_RDF}}}RDF")
        bags = list(xmp.iterfind(f".//{{{_EXTENSION}}}schemas/{{{_RDF}}}Bag"))
        if not bags:  # a page of the sender's own
            spaces = {"pdfaExtension": _EXTENSION, "pdfaSchema": _SCHEMA, "pdfaProperty": _PROPERTY}
            holder: Any = etree.SubElement(rdf, f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""}, spaces)
            bags = [etree.SubElement(etree.SubElement(holder, f"{{{_EXTENSION}}}schemas"), f"{{{_RDF}}}Bag")]
        bags[0].append(_schema())
        about: Any = etree.SubElement(rdf, f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""}, {"fx": _FX})
        for name, value in values.items():
            etree.SubElement(about, f"{{{_FX}}}{name}").text = value
        pdf.Root.Metadata.write(etree.tostring(xmp.getroottree(), encoding="UTF-8"))


def _schema() -> Any:
    """The description of the fx properties that PDF/A wants (ISO 19005-3 §6.6.2.3.3)."""
    from lxml import etree

    resource = {f"{{{_RDF}}}parseType": "Resource"}
    entry: Any = etree.Element(f"{{{_RDF}}}li", resource)
    etree.SubElement(entry, f"{{{_SCHEMA}}}schema").text = "Factur-X PDFA Extension Schema"
    etree.SubElement(entry, f"{{{_SCHEMA}}}namespaceURI").text = _FX
    etree.SubElement(entry, f"{{{_SCHEMA}}}prefix").text = "fx"
    sequence: Any = etree.SubElement(etree.SubElement(entry, f"{{{_SCHEMA}}}property"), f"{{{_RDF}}}Seq")
    for name, description in _PROPERTIES.items():
        item: Any = etree.SubElement(sequence, f"{{{_RDF}}}li", resource)
        etree.SubElement(item, f"{{{_PROPERTY}}}name").text = name
        etree.SubElement(item, f"{{{_PROPERTY}}}valueType").text = "Text"
        etree.SubElement(item, f"{{{_PROPERTY}}}category").text = "external"
        etree.SubElement(item, f"{{{_PROPERTY}}}description").text = description
    return entry


facturx_en16931 = FacturxFormat(
    name="facturx", label="Factur-X / ZUGFeRD (EN 16931)", profile=EN16931, level="EN 16931"
)
facturx_basic_pdf = FacturxFormat(
    name="facturx-basic", label="Factur-X / ZUGFeRD (BASIC)", profile=BASIC, level="BASIC"
)
facturx_extended = FacturxFormat(
    name="facturx-extended", label="Factur-X / ZUGFeRD (EXTENDED)", profile=EXTENDED, level="EXTENDED"
)
facturx_xrechnung = FacturxFormat(
    name="facturx-xrechnung",
    label="Factur-X / ZUGFeRD (XRECHNUNG)",
    profile=cii_profiles.XRECHNUNG,
    level="XRECHNUNG",
    file_name="xrechnung.xml",
)
