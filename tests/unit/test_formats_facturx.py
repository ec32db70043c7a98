"""Factur-X: PDF/A-3b with the invoice inside and its name in the XMP, as readers of others find it."""

from __future__ import annotations

import io
from decimal import Decimal as D
from typing import Any

import facturx
import msgspec
import pytest
from lxml import etree
from pikepdf import Pdf, pdfa

from gateway import formats
from gateway.en16931 import Invoice
from gateway.errors import Unconvertible
from gateway.model import Attachment, ReadDocument
from gateway.readers import read as read_file
from tests import pdf_text
from tests.invoices import GERMAN, NOW, SELLER, SOURCE, invoice, line, read

OPTIONS = formats.Options(language="de", now=NOW)
LEVELS = [
    ("facturx", "factur-x.xml", "EN 16931"),
    ("facturx-basic", "factur-x.xml", "BASIC"),
    ("facturx-extended", "factur-x.xml", "EXTENDED"),
    ("facturx-xrechnung", "xrechnung.xml", "XRECHNUNG"),
]
# `pikepdf.pdfa` has a list of what it allows; not on it: extension schemas, and the page count that typst writes.
NOT_ON_ITS_LIST = "6.6.2.3.1-1"
ROUNDED = msgspec.structs.replace(invoice().totals, rounding=D("0.01"), payable=D("125.01"))
NOT_CHECKED = {"6.2.11.4.2-2", "6.6.2.3.1-2"}
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def made(target: str = "facturx", **terms: Any) -> Attachment:
    return formats.convert(read(invoice(**(GERMAN | terms))), SOURCE, target, OPTIONS)


def inside(attachment: Attachment) -> Invoice:
    content = read_file("", "", (), attachment.content)[0].invoice
    assert content is not None
    return content


@pytest.mark.parametrize(("target", "name", "level"), LEVELS)
def test_another_reader_finds_the_invoice_and_its_level(target: str, name: str, level: str) -> None:
    attachment = made(target)
    assert (attachment.name, attachment.media_type) == ("F-1042.pdf", "application/pdf")
    found, xml = facturx.get_xml_from_pdf(attachment.content, check_xsd=True)
    assert found == name
    assert read_file("", "", (), xml)[0].number == "F-1042"
    assert formats.is_already(read_file("", "", (), attachment.content)[0], attachment.content, target)


@pytest.mark.parametrize(("target", "name", "level"), LEVELS)
def test_the_xmp_says_what_is_inside_once(target: str, name: str, level: str) -> None:
    with Pdf.open(io.BytesIO(made(target).content)) as pdf:
        raw = pdf.Root.Metadata.read_bytes()
        with pdf.open_metadata() as metadata:
            prefix = "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}"
            said = {key: metadata[prefix + key] for key in ("DocumentType", "DocumentFileName", "Version")}
            assert said == {"DocumentType": "INVOICE", "DocumentFileName": name, "Version": "1.0"}
            assert metadata[prefix + "ConformanceLevel"] == level
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")
    xmp = etree.fromstring(raw)
    assert raw.startswith(b"<?xpacket begin=")
    assert raw.rstrip().endswith(b'<?xpacket end="w"?>')
    assert len(list(xmp.iter(f"{_RDF}RDF"))) == 1
    (schemas,) = xmp.iter("{http://www.aiim.org/pdfa/ns/extension/}schemas")
    names = [each.text for each in schemas.iter("{http://www.aiim.org/pdfa/ns/schema#}prefix")]
    assert names == ["xmpMM", "pdf", "fx"]


@pytest.mark.parametrize("target", [target for target, _, _ in LEVELS])
def test_it_is_pdf_a_3b(target: str) -> None:
    with Pdf.open(io.BytesIO(made(target).content)) as pdf:
        report = pdfa.check(pdf, "3b")
    assert [each for each in report.violations if NOT_ON_ITS_LIST not in str(each)] == []
    assert [each for each in report.unsupported if not any(rule in str(each) for rule in NOT_CHECKED)] == []


def test_the_file_inside_is_associated_with_the_document() -> None:
    with Pdf.open(io.BytesIO(made().content)) as pdf:
        ((name, attached),) = pdf.attachments.items()
        assert name == "factur-x.xml"
        assert attached.obj.AFRelationship == "/Alternative"
        assert attached.obj.EF.F.Subtype == "/text/xml"
        assert pdf.Root.AF[0].objgen == attached.obj.objgen


def test_the_page_shows_the_invoice_in_the_readers_language() -> None:
    shown = " ".join(pdf_text.pages(made().content)).replace("\u00a0", " ")
    assert "F-1042" in shown
    assert "125,00" in shown
    assert "Rechnung" in shown


def test_the_same_values_give_the_same_bytes() -> None:
    assert made().content == made().content


@pytest.mark.parametrize(
    ("target", "term", "terms"),
    [
        ("facturx", "BT-5", {"currency": None}),
        ("facturx-basic", "BT-5", {"currency": None}),
        ("facturx-xrechnung", "BT-10", {"buyer_reference": None}),
        ("facturx-basic", "BT-114", {"totals": ROUNDED}),
    ],
)
def test_a_missing_term_is_not_made_up(target: str, term: str, terms: dict[str, Any]) -> None:
    with pytest.raises(Unconvertible) as refusal:
        made(target, **terms)
    assert refusal.value.term == term


def test_what_basic_has_no_place_for_is_named_once() -> None:
    lines = (line(1, description="Long", seller_item_id="S-1"), line(2, description="Longer", amount=D(0)))
    attachment = made("facturx-basic", project="P-1", lines=lines)
    assert attachment.notes == (
        "Factur-X BASIC has no place for the project (BT-11), the seller's contact, the name of the account (BT-85), "
        "the BIC (BT-86), item descriptions (BT-154), the seller's item numbers (BT-155).",
    )
    assert inside(attachment).project is None
    assert inside(made(project="P-1")).project == "P-1"


@pytest.mark.parametrize(
    ("profile", "already"),
    [
        ("urn:cen.eu:en16931:2017", {"facturx"}),
        ("urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic", {"facturx", "facturx-basic"}),
        ("urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended", {"facturx", "facturx-extended"}),
        ("urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0", {"facturx", "facturx-xrechnung"}),
        ("urn:factur-x.eu:1p0:minimum", set()),
        ("urn:ferd:CrossIndustryDocument:invoice:1p0:comfort", set()),
    ],
)
def test_a_hybrid_pdf_of_the_profile_goes_as_it_came(profile: str, already: set[str]) -> None:
    document = ReadDocument(format="facturx", profile=profile)
    found = {entry.name for entry in formats.FORMATS if formats.is_already(document, b"%PDF-1.7", entry.name)}
    assert found == {"pdf", "original"} | already


def test_sellers_without_a_contact_have_no_empty_one() -> None:
    attachment = made(seller=msgspec.structs.replace(SELLER, contact=None))
    assert inside(attachment).seller.contact is None
