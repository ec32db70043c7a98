"""`gateway.formats`: original bytes where nothing has to change, a rendered page where it can, a sentence else."""

import pytest

from gateway import formats, resources
from gateway.errors import Refused, Unconvertible
from gateway.model import Attachment, ReadDocument
from tests.invoices import NOW, SOURCE, invoice, read

OPTIONS = formats.Options(language="en", now=NOW)
NAMES = ["pdf", "original", "ubl", "peppol", "en16931-ubl", "en16931-cii", "xrechnung-ubl", "xrechnung-cii"]
NAMES += ["facturx", "facturx-basic", "facturx-extended", "facturx-xrechnung", "finvoice", "edifact-d96a"]
NAMES += ["svefaktura", "ebinterface", "isdoc", "oioubl", "csv", "fatturapa", "facturae"]
SCAN = Attachment(name="scan.pdf", media_type="application/pdf", content=b"%PDF-1.4 any")


def test_the_sources_own_format_gives_the_original_bytes():
    assert formats.convert(read(invoice()), SOURCE, "ubl", OPTIONS) is SOURCE


@pytest.mark.parametrize("kind", ["pdf", "other"])
def test_a_pdf_passes_unchanged(kind):
    assert formats.convert(ReadDocument(format=kind), SCAN, "pdf", OPTIONS) is SCAN


def test_a_structured_document_that_came_inside_a_pdf_stays_that_pdf():
    assert formats.convert(read(invoice()), SCAN, "pdf", OPTIONS) is SCAN


def test_an_invoice_becomes_a_pdf_of_the_same_name():
    made = formats.convert(read(invoice()), SOURCE, "pdf", OPTIONS)
    assert (made.name, made.media_type) == ("F-1042.pdf", "application/pdf")
    assert made.content.startswith(b"%PDF-1.")


def test_xml_that_is_no_invoice_cannot_become_a_pdf():
    order = ReadDocument(format="ubl", type="order")
    with pytest.raises(Unconvertible, match="order") as refusal:
        formats.convert(order, SOURCE, "pdf", OPTIONS)
    assert refusal.value.term == "type"


def test_a_pdf_cannot_become_ubl():
    with pytest.raises(Unconvertible, match="PDF") as refusal:
        formats.convert(ReadDocument(format="pdf"), SCAN, "ubl", OPTIONS)
    assert refusal.value.term == "format"


def test_an_unknown_format_is_refused_with_the_known_names():
    with pytest.raises(Refused, match="'docx'; there are pdf, original, ubl") as refusal:
        formats.convert(read(invoice()), SOURCE, "docx", OPTIONS)
    assert refusal.value.field == "format"


def test_every_format_tells_what_it_reads_writes_and_how_that_is_checked():
    rows = formats.choosable()
    assert [row["name"] for row in rows] == NAMES
    assert all(all(row[key] for key in ("label", "media_type", "read", "write", "checked")) for row in rows)


def test_every_format_stands_in_the_documentation():
    page = (resources.PACKAGE.parent / "docs" / "formats.md").read_text()
    assert all(f"\n| `{entry.name}` |" in page for entry in formats.FORMATS)
