"""FatturaPA and Facturae: what is read otherwise than written, what stays open, and that they are passed on only."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path

import pytest

from gateway import formats
from gateway.en16931 import Invoice, Line
from gateway.errors import Unconvertible
from gateway.formats import is_already
from gateway.formats.passedon import facturae, fatturapa
from gateway.model import Attachment, ReadDocument
from gateway.readers import facturae_codes, fatturapa_codes, read
from tests import invoices

GOLDEN = Path(__file__).parent.parent / "golden"
OPTIONS = formats.Options(language="en", now=invoices.NOW)
SOURCE = Attachment(name="x.xml", media_type="application/xml", content=b"<x/>")


def edited(number: int, **replacements: str) -> list[ReadDocument]:
    """The documents of a golden case with other words in it."""
    text = next(GOLDEN.glob(f"reader-{number}-*/in.xml")).read_bytes().decode("iso-8859-1")
    for old, new in replacements.items():
        assert old in text, old
        text = text.replace(old, new)
    return read("", "", (), text.encode("iso-8859-1"))


def content(document: ReadDocument) -> Invoice:
    assert document.invoice is not None
    return document.invoice


def first_line(number: int, **replacements: str) -> Line:
    return content(edited(number, **replacements)[0]).lines[0]


# --- FatturaPA ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "subtype"),
    [("TD01", "invoice"), ("TD03", "prepayment"), ("TD04", "credit_note"), ("TD05", "debit_note"), ("TD24", "invoice"),
     ("TD17", "self_billed"), ("TD28", "self_billed")],
)  # fmt: skip
def test_the_kind_of_an_italian_document(code: str, subtype: str) -> None:
    (document,) = edited(55, **{"<TipoDocumento>TD01": f"<TipoDocumento>{code}"})
    assert (document.type, document.subtype) == ("invoice", subtype)


def test_an_unknown_kind_is_noted_and_its_code_left_open() -> None:
    (document,) = edited(55, **{"<TipoDocumento>TD01": "<TipoDocumento>TD99"})
    assert "TipoDocumento 'TD99' is none that we know." in document.notes
    assert content(document).type_code is None


@pytest.mark.parametrize(
    ("nature", "category"),
    [("N1", None), ("N2", "O"), ("N2.1", "O"), ("N3", None), ("N3.1", "G"), ("N3.2", "K"), ("N3.5", None),
     ("N4", "E"), ("N5", None), ("N6", "AE"), ("N6.9", "AE"), ("N7", None), (None, None)],
)  # fmt: skip
def test_a_nature_is_a_category_where_both_say_the_same(nature: str | None, category: str | None) -> None:
    assert fatturapa_codes.category_of(nature) == category


def test_what_stays_open_holds_a_conversion_under_its_term() -> None:
    (document,) = edited(55)
    with pytest.raises(Unconvertible) as caught:
        formats.convert(document, SOURCE, "en16931-ubl", OPTIONS)
    assert caught.value.term == "BT-118"


def test_discounts_of_a_line_change_its_price_one_after_the_other() -> None:
    once = "<ScontoMaggiorazione><Tipo>SC</Tipo><Percentuale>10.00</Percentuale></ScontoMaggiorazione>"
    twice = once + "<ScontoMaggiorazione><Tipo>SC</Tipo><Importo>5.00</Importo></ScontoMaggiorazione>"
    line = first_line(55, **{once: twice})
    assert (line.gross_price, line.price_discount, line.price) == (D(100), D(15), D(85))


@pytest.mark.parametrize(
    ("word", "unit"), [("ore", "HUR"), ("NR.", "C62"), ("pz", "C62"), ("ml", None), ("KG", "KGM"), ("mq", "MTK")]
)
def test_italian_units(word: str, unit: str | None) -> None:
    line = first_line(55, **{"<UnitaMisura>ore": f"<UnitaMisura>{word}"})
    assert line.unit == unit


def test_a_recipient_without_a_code_has_none() -> None:
    for document in edited(56):
        assert document.customer_numbers == ("BNCLRD80A01H501U",)
        assert document.emails == ("l.bianchi@pec.example",)


def test_a_total_that_is_stated_counts() -> None:
    stated = "</Numero><ImportoTotaleDocumento>1286.80</ImportoTotaleDocumento>"
    place = "<Causale>Progetto"
    (document,) = edited(55, **{place: f"{stated.removeprefix('</Numero>')}{place}"})
    assert document.payable == "1286.80"
    assert content(document).totals.with_vat == D("1286.80")


def test_a_simplified_line_without_its_tax_has_no_net_amount() -> None:
    (document,) = edited(57, **{"<Imposta>10.00</Imposta><Aliquota>": "<Aliquota>"})
    assert content(document).lines[0].amount is None
    assert content(document).totals.with_vat == D("115.00")
    assert content(document).vat == ()
    assert any("no net amount that is exact" in note for note in document.notes)


# --- Facturae ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "subtype"),
    [
        ("<InvoiceClass>OR", "<InvoiceClass>OO", "invoice"),
        ("<InvoiceClass>OR", "<InvoiceClass>CR", "corrective"),
        ("<InvoiceDocumentType>FC", "<InvoiceDocumentType>AF", "self_billed"),
    ],
)
def test_the_kind_of_a_spanish_document(old: str, new: str, subtype: str) -> None:
    (document,) = edited(58, **{old: new})
    assert (document.type, document.subtype) == ("invoice", subtype)


@pytest.mark.parametrize(
    ("tax", "rate", "event", "category"),
    [("01", D(21), None, "S"), ("01", D(0), "01", "E"), ("01", D(0), "02", "O"), ("01", D(0), None, None),
     ("02", D(4), None, "M"), ("03", D(7), None, "L"), ("04", D(15), None, None)],
)  # fmt: skip
def test_spanish_taxes(tax: str, rate: D, event: str | None, category: str | None) -> None:
    assert facturae_codes.category_of(tax, rate, event) == category


def test_countries_are_all_of_iso_3166() -> None:
    assert len(facturae_codes.COUNTRIES) == len(set(facturae_codes.COUNTRIES.values())) == 249
    chosen = {facturae_codes.COUNTRIES[code] for code in ("ESP", "DEU", "AUT", "CHE", "GBR", "SWE", "POL", "UKR")}
    assert chosen == {"ES", "DE", "AT", "CH", "GB", "SE", "PL", "UA"}


def test_a_spanish_number_is_a_tax_number_and_one_of_another_country_a_vat_number() -> None:
    first, second = (content(document) for document in edited(59))
    assert (first.seller.tax_id, first.seller.vat_id) == ("42000000A", None)
    assert (second.buyer.vat_id, second.buyer.legal_id) == ("DE123456789", None)


def test_a_reason_for_no_tax_that_only_some_lines_have_is_not_the_breakdowns() -> None:
    (document,) = edited(58, **{"<SpecialTaxableEventCode>01": "<SpecialTaxableEventCode>99"})
    assert [vat.category for vat in content(document).vat] == ["S", None]


def test_a_batch_gives_files_that_say_nothing_of_each_other() -> None:
    from gateway.readers import divide

    parts = divide("lote.xml", next(GOLDEN.glob("reader-59-*/in.xml")).read_bytes())
    assert len(parts) == 2
    assert b"queso" not in (parts[0].data or b"")
    assert b"vino" not in (parts[1].data or b"")


# --- passed on ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "entry"), [(55, fatturapa), (58, facturae)])
def test_they_go_as_they_came_and_are_not_derived(number: int, entry: formats.Format) -> None:
    data = next(GOLDEN.glob(f"reader-{number}-*/in.xml")).read_bytes()
    source = Attachment(name="x.xml", media_type="application/xml", content=data)
    (document,) = read("x.xml", "", (), data)
    assert is_already(document, data, entry.name)
    assert formats.convert(document, source, entry.name, OPTIONS) is source
    with pytest.raises(Unconvertible, match="passed on and not derived") as caught:
        formats.convert(invoices.read(invoices.invoice()), SOURCE, entry.name, OPTIONS)
    assert caught.value.term == "format"
    assert "not derived" in next(row["write"] for row in formats.choosable() if row["name"] == entry.name)


@pytest.mark.parametrize("number", [50, 52, 55, 57, 58])
def test_each_of_these_formats_is_rendered(number: int) -> None:
    data = next(GOLDEN.glob(f"reader-{number}-*/in.*")).read_bytes()
    (document,) = read("", "", (), data)
    made = formats.convert(document, Attachment(name="x", media_type="", content=data), "pdf", OPTIONS)
    assert made.content.startswith(b"%PDF-")
