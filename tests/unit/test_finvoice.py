"""Finvoice: what is read otherwise than written, and what cannot be written."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import formats
from gateway.en16931 import Address, Invoice, Note, Totals
from gateway.errors import Unconvertible, Unreadable
from gateway.formats import is_already
from gateway.formats.finvoice import finvoice_3
from gateway.model import Attachment, ReadDocument
from gateway.readers import read
from gateway.readers.finvoice_paths import date_in, decimal_in, unit_of
from tests import invoices

GOLDEN = Path(__file__).parent.parent / "golden"
SOURCE = Attachment(name="F-1.xml", media_type="application/xml", content=b"<x/>")
OPTIONS = formats.Options(language="en", now=invoices.NOW)
ADDRESS = Address(line1="Hamngatan 1", city="Vasa", post_code="65100", country="FI")


def written(content: Invoice) -> tuple[Invoice, tuple[str, ...]]:
    made = finvoice_3.write(invoices.read(content), SOURCE, OPTIONS)
    again = read("", "", (), made.content)[0].invoice
    assert again is not None
    return again, made.notes


def refused(**terms: Any) -> Unconvertible:
    with pytest.raises(Unconvertible) as caught:
        written(invoices.invoice(**terms))
    return caught.value


def edited(**replacements: str) -> ReadDocument:
    """The old credit note with other words in it."""
    text = (GOLDEN / "reader-51-finvoice-credit-note/in.xml").read_text("utf-8")
    for old, new in replacements.items():
        assert old in text
        text = text.replace(old, new)
    return read("", "", (), text.encode())[0]


def test_values_are_read_as_finvoice_writes_them() -> None:
    assert date_in("20260229") is None
    assert date_in("20260228") == date_in("2026-02-28") == dt.date(2026, 2, 28)
    assert (decimal_in("1234,50"), decimal_in("1.5"), decimal_in("1.234,5"), decimal_in("")) == (
        D("1234.50"),
        D("1.5"),
        None,
        None,
    )
    assert (unit_of("MTR", "m"), unit_of(None, "KPL"), unit_of(None, "C62"), unit_of(None, "LTK")) == (
        "MTR",
        "C62",
        "C62",
        None,
    )


def test_what_is_transferred_is_the_amount_and_an_order_is_no_invoice() -> None:
    document = edited()
    assert (document.payable, document.subtype, document.customer_numbers) == ("-17.10", "credit_note", ("7654321-0",))
    assert any("read without" in note for note in document.notes)
    with pytest.raises(Unreadable, match="ORD01"):
        edited(INV02="ORD01")


def test_what_cannot_be_read_is_noted() -> None:
    document = edited(**{">20160331</InvoiceDate>": ">20160231</InvoiceDate>", ">1,25<": ">1,2,5<"})
    assert document.issue_date is None
    assert any("'20160231', which is no date" in note for note in document.notes)
    assert any("UnitPriceAmount is '1,2,5'" in note for note in document.notes)
    assert any("'laatikko' is none of" in note for note in document.notes)
    assert any("10.0 % states no amount" in note for note in document.notes)


@pytest.mark.parametrize(
    ("term", "terms"),
    [
        ("BT-9", {"due_date": None, "payment_terms": "soon"}),
        ("BT-84", {"payment": ()}),
        ("BT-1", {"number": "F" * 21}),
        (
            "BT-38",
            {
                "seller": msgspec.structs.replace(
                    invoices.SELLER, address=msgspec.structs.replace(ADDRESS, post_code=None)
                )
            },
        ),
        (
            "BT-50",
            {"buyer": msgspec.structs.replace(invoices.BUYER, address=msgspec.structs.replace(ADDRESS, line1=None))},
        ),
        ("BT-146", {"lines": (invoices.line(1, price=D("0.000001")),)}),
        ("BT-129", {"lines": (invoices.line(1, quantity=D("1234567.12345678")),)}),
        ("BT-130", {"lines": (invoices.line(1, unit="piece"),)}),
        ("BT-119", {"vat": (msgspec.structs.replace(invoices.invoice().vat[0], rate=D("-1")),)}),
    ],
)
def test_what_does_not_fit_is_held(term: str, terms: dict[str, Any]) -> None:
    assert refused(**terms).term == term


def test_the_place_of_a_missing_term_is_that_of_the_source() -> None:
    document = read("", "", (), (GOLDEN / "reader-51-finvoice-credit-note/in.xml").read_bytes())[0]
    with pytest.raises(Unconvertible, match="at /Finvoice/BuyerPartyDetails/BuyerPostalAddressDetails/CountryCode"):
        finvoice_3.write(document, SOURCE, OPTIONS)


@pytest.mark.parametrize("reference", ["1232", "RF18539007547034", "2026-1042", "invoice 2026/1042"])
def test_every_kind_of_payment_reference_arrives(reference: str) -> None:
    means = msgspec.structs.replace(invoices.MEANS, reference=reference)
    again, _ = written(invoices.invoice(payment=(means,)))
    assert again.payment[0].reference == reference


def test_long_texts_are_spread_or_named() -> None:
    terms = "word " * 60
    again, notes = written(invoices.invoice(payment_terms=terms, notes=(Note(text="text " * 150),)))
    assert " ".join(note.text for note in again.notes).split() == [*["text"] * 150, *["word"] * 60]
    assert any("BT-20" in note for note in notes)
    again, notes = written(invoices.invoice(lines=(invoices.line(1, name="n" * 101),)))
    assert again.lines[0].name == "n" * 100
    assert any("cut off: “n”" in note for note in notes)


def test_a_credit_note_has_minus_signs_and_reads_without() -> None:
    content = invoices.invoice(type_code="381")
    made = finvoice_3.write(invoices.read(content), SOURCE, OPTIONS)
    assert b"<InvoiceTypeCode>INV02" in made.content
    assert b">-125,00</InvoiceTotalVatIncludedAmount>" in made.content
    assert b">100,00</UnitPriceAmount>" in made.content
    again = read("", "", (), made.content)[0].invoice
    assert again is not None
    assert (again.totals, again.lines[0].quantity) == (content.totals, D(1))


def test_amounts_keep_their_decimals() -> None:
    again, _ = written(invoices.invoice(lines=(invoices.line(1, price=D("100.00000000")),)))
    assert again.lines[0].price == D(100)
    assert again.totals == Totals(
        lines=D("100.00"), without_vat=D("100.00"), vat=D("25.00"), with_vat=D("125.00"), payable=D("125.00")
    )


def test_finvoice_3_goes_as_it_came_and_earlier_versions_are_written_anew() -> None:
    new, old = (read("", "", (), next(GOLDEN.glob(f"reader-5{number}-*/in.xml")).read_bytes())[0] for number in (0, 1))
    assert is_already(new, b"", "finvoice")
    assert not is_already(old, b"", "finvoice")
