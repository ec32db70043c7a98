"""Documents around invoices: who they are for, what their pages say, and what becomes of others that look like them."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path

import pikepdf
import pytest
from pikepdf import AttachedFileSpec, Pdf

from gateway import doctypes, formats
from gateway.errors import Unconvertible, Unreadable
from gateway.formats import trade as page
from gateway.formats.contract import Options
from gateway.formats.words import LANGUAGES
from gateway.model import Attachment, ReadDocument
from gateway.readers import read
from gateway.trade import Trade
from tests.e2e.documents import invoice
from tests.invoices import NOW

GOLDEN = Path(__file__).parent.parent / "golden"


def golden(name: str) -> bytes:
    (file,) = GOLDEN.glob(f"reader-{name}-*/in.*")
    return file.read_bytes()


def one(data: bytes) -> ReadDocument:
    (document,) = read("in.xml", "", (), data)
    return document


def trade(name: str) -> Trade:
    found = one(golden(name)).trade
    assert found is not None
    return found


def refused(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        one(data)
    return caught.value.cause


# --- what is read ---


def test_the_content_is_read_only_where_it_is_wanted() -> None:
    for name in ("90", "110", "112", "114"):
        (document,) = read("", "", (), golden(name), whole=False)
        assert document.trade is None
        assert document.invoice is None
        assert document.number


def test_lines_keep_what_was_written() -> None:
    first, second = trade("92").lines
    assert (second.quantity, second.outstanding, second.price, second.unit) == (
        Decimal(30),
        Decimal(10),
        Decimal("155.00"),
        "H87",
    )
    assert (second.status, second.date, second.notes) == ("3", dt.date(2026, 3, 27), ("Ten from the next batch",))
    assert (first.seller_item_id, first.buyer_item_id, first.standard_item_id) == (
        "T-600-W",
        "LIN-01",
        "07340000000017",
    )
    assert first.amount is None


def test_a_document_without_parties_and_lines_is_read_all_the_same() -> None:
    space = "urn:oasis:names:specification:ubl:schema:xsd:"
    for root in ("Order", "DespatchAdvice", "Reminder", "ApplicationResponse", "UtilityStatement"):
        document = one(f"<{root} xmlns='{space}{root}-2'/>".encode())
        assert document.trade == Trade()
        made = formats.convert(document, Attachment(name="a.xml", media_type="", content=b"<a/>"), "pdf", OPTIONS)
        assert made.content.startswith(b"%PDF-")


def test_an_order_agreement_is_told_by_its_specification() -> None:
    assert one(golden("93")).subtype == "agreement"
    assert one(golden("92")).subtype is None
    assert doctypes.label("order_response", "de", "agreement") == "Bestellvereinbarung"


def test_types_by_code() -> None:
    found = doctypes.by_code("231")
    assert found is not None
    assert (found[0].name, found[1]) == ("order_response", None)
    found = doctypes.by_code("230")
    assert found is not None
    assert (found[0].name, found[1]) == ("order", "change")
    assert doctypes.by_code("380") is not None
    assert doctypes.by_code("9999") is None


# --- Order-X ---


def test_an_order_x_with_an_odd_code_is_an_order() -> None:
    document = one(golden("110").replace(b"<ram:TypeCode>220<", b"<ram:TypeCode>380<"))
    assert (document.type, document.subtype) == ("order", None)
    assert document.notes == ("ram:TypeCode '380' is no order of UNTDID 1001.",)
    assert one(golden("110").replace(b"<ram:TypeCode>220<", b"<ram:TypeCode>230<")).subtype == "change"


def test_order_x_of_another_version_of_the_entities() -> None:
    document = one(golden("110").replace(b":128", b":100"))
    assert (document.number, document.customer_numbers[0]) == ("PO-X-7", "FRS-12")
    assert document.trade is not None
    assert len(document.trade.lines) == 1


def inside(page_: bytes, name: str, content: bytes) -> bytes:
    with Pdf.open(io.BytesIO(page_)) as pdf:
        pdf.attachments[name] = AttachedFileSpec(pdf, content, filename=name)
        written = io.BytesIO()
        pdf.save(written)
    return written.getvalue()


BLANK = io.BytesIO()
with pikepdf.new() as _pdf:
    _pdf.add_blank_page()
    _pdf.save(BLANK)


def test_a_pdf_with_an_order_inside_is_that_order() -> None:
    document = one(inside(BLANK.getvalue(), "order-x.xml", golden("110")))
    assert (document.format, document.type, document.number) == ("pdf", "order", "PO-X-7")
    assert document.evidence[0].where.startswith("order-x.xml:/SCRDMCCBDACIOMessageStructure/")
    idoc = one(inside(BLANK.getvalue(), "idoc.xml", golden("114")))
    assert (idoc.format, idoc.number) == ("pdf", "0090000123")


def test_an_invoice_inside_counts_before_an_order() -> None:
    both = inside(inside(BLANK.getvalue(), "a.xml", golden("90")), "b.xml", invoice("F-1"))
    document = one(both)
    assert (document.type, document.number) == ("invoice", "F-1")


def test_an_order_inside_an_invoice_does_not_make_it_an_order() -> None:
    invoice_page = GOLDEN / "reader-21-pdf-german-table/in.pdf"
    before = one(invoice_page.read_bytes())
    after = one(inside(invoice_page.read_bytes(), "order.xml", golden("90")))
    assert before.type == "invoice"
    assert (after.type, after.number) == ("invoice", before.number)


# --- cXML and IDoc ---


def test_cxml_of_another_request_is_of_no_type() -> None:
    assert refused(b"<cXML><Request><OrderRequest/></Request></cXML>") == "unknown-type"


def test_cxml_that_takes_an_invoice_back_says_so() -> None:
    document = one(golden("112").replace(b'operation="new"', b'operation="delete"'))
    assert document.notes == ("It takes back an invoice (operation 'delete').",)


def test_idocs_of_other_kinds_are_held() -> None:
    assert refused(b"EDI_DC40  800000") == "unknown-type"
    assert refused(golden("114").replace(b">INVOIC<", b">ORDERS<")) == "unknown-type"


def test_numbers_of_sap() -> None:
    from gateway.readers.idoc import date_in, decimal_in

    assert decimal_in("12.50-") == Decimal("-12.50")
    assert decimal_in(" 12.50 ") == Decimal("12.50")
    assert decimal_in("-") is None
    assert (date_in("20260302"), date_in("00000000"), date_in(None)) == (dt.date(2026, 3, 2), None, None)


# --- what is shown ---

OPTIONS = Options(language="en", now=NOW)


def test_the_words_are_there_in_every_language() -> None:
    english = page.labels("en")
    for language in LANGUAGES:
        said = page.labels(language)
        assert {section: set(words) for section, words in said.items()} == {
            section: set(words) for section, words in english.items()
        }


def test_a_code_without_a_word_is_shown_as_it_is() -> None:
    document = one(golden("92").replace(b"<cbc:OrderResponseCode>CA<", b"<cbc:OrderResponseCode>XY<"))
    assert document.trade is not None
    data = page.compose(document, document.trade, OPTIONS)
    assert ["Answer", "XY"] in data["meta"]


def test_what_is_no_invoice_has_no_invoice_format() -> None:
    source = Attachment(name="in.xml", media_type="application/xml", content=golden("112"))
    for target in ("peppol", "en16931-cii"):
        with pytest.raises(Unconvertible):
            formats.convert(one(source.content), source, target, OPTIONS)
    for target, name in (("ubl", "90"), ("original", "112"), ("original", "114")):
        data = golden(name)
        same = Attachment(name="in.xml", media_type="application/xml", content=data)
        assert formats.convert(one(data), same, target, OPTIONS) is same


def test_sixty_lines_take_pages_with_their_heads() -> None:
    line = b"  <cac:OrderLine>" + golden("90").partition(b"<cac:OrderLine>")[2].partition(b"</cac:OrderLine>")[0]
    data = golden("90").replace(b"</Order>", (line + b"</cac:OrderLine>") * 60 + b"</Order>")
    source = Attachment(name="in.xml", media_type="application/xml", content=data)
    from tests import pdf_text

    pages = pdf_text.pages(formats.convert(one(data), source, "pdf", OPTIONS).content)
    assert len(pages) >= 3
    assert all(
        "Description" in text and f"Page {place} of {len(pages)}" in text for place, text in enumerate(pages[:-1], 1)
    )
