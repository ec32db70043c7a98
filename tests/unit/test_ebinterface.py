"""ebInterface: what is read otherwise than written, and what cannot be written."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import formats
from gateway.en16931 import Address, AllowanceCharge, Identifier, Invoice, Note, PaymentMeans, Period, VatBreakdown
from gateway.errors import Unconvertible
from gateway.formats import is_already
from gateway.formats.ebinterface import ebinterface_6
from gateway.model import ReadDocument
from gateway.readers import read
from tests import invoices

GOLDEN = Path(__file__).parent.parent / "golden"
OLD = GOLDEN / "reader-62-ebinterface-old-credit-memo/in.xml"
NEW = GOLDEN / "reader-61-ebinterface-whole/in.xml"
OPTIONS = formats.Options(language="en", now=invoices.NOW)


def written(content: Invoice) -> tuple[Invoice, str, tuple[str, ...]]:
    made = ebinterface_6.write(invoices.read(content), invoices.SOURCE, OPTIONS)
    again = read("", "", (), made.content)[0].invoice
    assert again is not None
    return again, made.content.decode(), made.notes


def edited(path: Path, *replacements: tuple[str, str]) -> ReadDocument:
    text = path.read_text("utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return read("", "", (), text.encode())[0]


@pytest.mark.parametrize(
    ("kind", "code", "subtype"),
    [
        ("SelfBilling", "389", "self_billed"),
        ("InvoiceForAdvancePayment", "386", "prepayment"),
        ("SubsequentDebit", "383", "debit_note"),
        ("FinalSettlement", "380", "invoice"),
    ],
)
def test_the_kind_of_document_is_a_code(kind: str, code: str, subtype: str) -> None:
    document = edited(OLD, ("CreditMemo", kind))
    assert document.invoice is not None
    assert (document.invoice.type_code, document.subtype) == (code, subtype)


def test_an_unknown_kind_is_an_invoice_with_a_note() -> None:
    document = edited(OLD, ("CreditMemo", "Gutschrift"))
    assert document.subtype == "invoice"
    assert any("'Gutschrift', which is none" in note for note in document.notes)


def test_what_cannot_be_read_is_noted() -> None:
    assert any("TaxedAmount is '95,00'" in note for note in edited(OLD, (">95.00<", ">95,00<")).notes)


def test_an_exemption_is_category_e_and_a_lower_rate_is_s() -> None:
    old = "<eb:TaxedAmount>20.00</eb:TaxedAmount><eb:TaxRate>10.00</eb:TaxRate><eb:Amount>2.00</eb:Amount>"
    new = "<eb:TaxedAmount>20.00</eb:TaxedAmount><eb:TaxExemption>§ 6</eb:TaxExemption>"
    exempt = edited(OLD, (old, new))
    assert exempt.invoice is not None
    assert exempt.invoice.vat[1] == VatBreakdown(category="E", taxable=D("20.00"), amount=D(0), exemption_reason="§ 6")
    lower = edited(NEW, ('TaxCategoryCode="S"', 'TaxCategoryCode="AA"'))
    assert lower.invoice is not None
    assert lower.invoice.vat[0].category == "S"


def test_a_party_without_a_vat_number_has_eight_zeros() -> None:
    again, xml, _ = written(invoices.invoice())
    assert "<VATIdentificationNumber>00000000</VATIdentificationNumber>" in xml
    assert again.buyer.vat_id is None


def test_the_customer_number_is_the_sellers_own() -> None:
    own = Identifier(value="77"), Identifier(value="4000002000006", scheme="0088")
    buyer = msgspec.structs.replace(invoices.BUYER, account_id=None, identifiers=own)
    again, _, _ = written(invoices.invoice(buyer=buyer))
    assert (again.buyer.account_id, again.buyer.identifiers) == ("77", own[1:])


@pytest.mark.parametrize(
    ("term", "terms"),
    [
        ("BT-146", {"lines": (invoices.line(1, price=D("0.00001")),)}),
        ("BT-129", {"lines": (invoices.line(1, quantity=D("0.00001")),)}),
        ("BT-152", {"lines": (invoices.line(1, vat_rate=D("5.555")),)}),
        ("BT-53", {"buyer": msgspec.structs.replace(invoices.BUYER, address=Address(city="Wien", country="AT"))}),
        ("BT-37", {"seller": msgspec.structs.replace(invoices.SELLER, address=Address(post_code="1", country="AT"))}),
    ],
)
def test_what_does_not_fit_is_held(term: str, terms: dict[str, Any]) -> None:
    with pytest.raises(Unconvertible) as caught:
        written(invoices.invoice(**terms))
    assert caught.value.term == term


def test_zeros_beyond_what_fits_are_left_out() -> None:
    again, _, _ = written(invoices.invoice(lines=(invoices.line(1, price=D("100.00000000")),)))
    assert again.lines[0].price == D(100)


def test_an_allowance_without_a_base_has_the_sum_before_it() -> None:
    entry = AllowanceCharge(is_charge=False, amount=D(5), reason="x", vat_category="S", vat_rate=D(25))
    line = invoices.line(1, price=D(105), allowances_charges=(entry,))
    again, _, notes = written(invoices.invoice(lines=(line,)))
    assert again.lines[0].allowances_charges[0].base == D(105)
    assert any("needs a base" in note for note in notes)


def test_what_has_no_element_comes_back_from_under_a_key() -> None:
    line = invoices.line(1, note="n", origin="AT", order_line="4", attributes=(("Farbe", "rot"),))
    line = msgspec.structs.replace(line, id="A/1", object_id=Identifier(value="O"), accounting_reference="K")
    content = invoices.invoice(buyer_reference="B", project="P", contract="C", tender="T", lines=(line,))
    again, _, _ = written(content)
    assert again.lines == content.lines
    assert (again.buyer_reference, again.project, again.contract, again.tender) == ("B", "P", "C", "T")


def test_one_method_of_payment_is_chosen_and_the_others_named() -> None:
    debit = PaymentMeans(code="59", mandate="M-1", creditor="CR", debited_account="AT1", reference="R")
    again, _, notes = written(invoices.invoice(payment=(debit, invoices.MEANS)))
    assert [means.mandate for means in again.payment] == ["M-1"]
    assert any("a further payment means (BG-16); SE49" in note for note in notes)
    assert any("(BT-83) beside a direct debit; R" in note for note in notes)
    card = PaymentMeans(code="48", card="4111", card_holder="E S", account="AT1")
    again, _, notes = written(invoices.invoice(payment=(card,)))
    assert (again.payment[0].card, again.payment[0].card_holder) == ("4111", "E S")
    assert any("beside a card (BT-84)" in note for note in notes)
    assert written(invoices.invoice(payment=(PaymentMeans(code="10", text="bar"),)))[0].payment[0].text == "bar"


def test_a_period_takes_the_place_of_a_date_of_delivery() -> None:
    period = Period(start=invoices.NOW.date(), end=invoices.NOW.date())
    assert written(invoices.invoice(period=period))[0].period == period
    _, _, notes = written(invoices.invoice(period=period, delivery_date=period.start))
    assert any("the invoicing period (BG-14) beside a date of delivery" in note for note in notes)
    _, _, notes = written(invoices.invoice(period=msgspec.structs.replace(period, end=None), despatch_advice="D"))
    assert sum("half a period" in note or "(BT-16) without a date" in note for note in notes) == 2


def test_texts_stand_one_after_the_other() -> None:
    again, _, notes = written(invoices.invoice(notes=(Note(text="a"), Note(text="b", subject="AAI"))))
    assert again.notes == (Note(text="a\nb"),)
    assert any("BT-21" in note for note in notes)
    assert any("the 2 stand in it" in note for note in notes)


def test_6_1_goes_as_it_came_and_earlier_versions_are_written_anew() -> None:
    assert is_already(edited(NEW), b"", "ebinterface")
    assert not is_already(edited(OLD), b"", "ebinterface")
