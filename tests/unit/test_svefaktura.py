"""Svefaktura: what is read otherwise than written, and what cannot be written."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import formats
from gateway.en16931 import AllowanceCharge, Invoice, Totals, VatBreakdown
from gateway.errors import Unconvertible
from gateway.formats import is_already
from gateway.formats.svefaktura import svefaktura_1
from gateway.model import ReadDocument
from gateway.readers import read
from gateway.readers.derived import percent_of, three_lines
from gateway.readers.units import CZECH, GERMAN, SWEDISH, unit_of
from tests import invoices

GOLDEN = Path(__file__).parent.parent / "golden/reader-60-svefaktura-whole/in.xml"
OPTIONS = formats.Options(language="en", now=invoices.NOW)
TOTALS = invoices.invoice().totals


def given(**terms: Any) -> Invoice:
    return invoices.invoice(**({"buyer_reference": "Ref 1"} | terms))


def written(content: Invoice) -> tuple[Invoice, str, tuple[str, ...]]:
    made = svefaktura_1.write(invoices.read(content), invoices.SOURCE, OPTIONS)
    again = read("", "", (), made.content)[0].invoice
    assert again is not None
    return again, made.content.decode(), made.notes


def edited(old: str, new: str) -> ReadDocument:
    text = GOLDEN.read_text("iso-8859-1")
    assert old in text
    return read("", "", (), text.replace(old, new).encode("iso-8859-1"))[0]


def test_what_is_to_be_paid_is_the_total_and_the_rounding_is_in_it() -> None:
    totals = msgspec.structs.replace(TOTALS, rounding=D("-0.40"), payable=D("124.60"))
    again, xml, _ = written(given(totals=totals))
    assert '<cbc:TaxInclusiveTotalAmount amountCurrencyID="EUR">124.60<' in xml
    assert again.totals == totals


def test_tax_on_earnings_stands_with_the_swedish_registration() -> None:
    seller = msgspec.structs.replace(invoices.SELLER, tax_id="Godkänd för F-skatt")
    again, _, notes = written(given(seller=seller))
    assert (again.seller.tax_id, again.seller.legal_id, notes) == ("Godkänd för F-skatt", seller.legal_id, ANY_MEANS)
    german = msgspec.structs.replace(seller.address, country="DE")
    again, _, notes = written(given(seller=msgspec.structs.replace(seller, address=german)))
    assert (again.seller.tax_id, again.seller.legal_id) == (None, None)
    assert any("outside Sweden (BT-30" in note for note in notes)


ANY_MEANS = (
    "Svefaktura 1.0 has no place for codes of payment means (BT-81); 58 was left out.",
    "Svefaktura 1.0 has no place for the payment account name (BT-85); Nordvik Skog AB was left out.",
)


def test_a_bankgiro_is_named_by_its_institution() -> None:
    means = msgspec.structs.replace(invoices.MEANS, account="5805-6201", bic="SE:BANKGIRO")
    assert written(given(payment=(means,)))[0].payment[0].bic == "BGABSESS"


def test_reverse_charge_is_exempt_with_its_reason() -> None:
    vat = VatBreakdown(category="AE", rate=D(0), taxable=D("100.00"), amount=D(0), exemption_reason="Reverse charge")
    terms: dict[str, Any] = {
        "vat": (vat,),
        "lines": (invoices.line(1, vat_category="AE", vat_rate=D(0)),),
        "totals": Totals(lines=D(100), without_vat=D(100), vat=D(0), with_vat=D(100), payable=D(100)),
    }
    again, _, notes = written(given(**terms))
    assert (again.vat[0].category, again.vat[0].exemption_reason) == ("E", "Reverse charge")
    assert any("(BT-118); AE was left out" in note for note in notes)
    with pytest.raises(Unconvertible) as caught:
        written(given(**(terms | {"vat": (msgspec.structs.replace(vat, exemption_reason=None),)})))
    assert caught.value.term == "BT-120"


@pytest.mark.parametrize(
    ("term", "terms"),
    [
        ("BT-10", {"buyer_reference": None}),
        ("BT-3", {"type_code": "384"}),
        ("BT-113", {"totals": msgspec.structs.replace(TOTALS, paid=D(25), payable=D("100.00"))}),
        ("BT-120", {"lines": (invoices.line(1, vat_category="G", vat_rate=D(0)),)}),
        ("BT-119", {"lines": (invoices.line(1, vat_category="L", vat_rate=D(7)),)}),
    ],
)
def test_what_does_not_fit_is_held(term: str, terms: dict[str, Any]) -> None:
    with pytest.raises(Unconvertible) as caught:
        written(given(**terms))
    assert caught.value.term == term


def test_a_line_holds_one_allowance_and_names_the_others() -> None:
    entries = (AllowanceCharge(is_charge=False, amount=D(2)), AllowanceCharge(is_charge=True, amount=D(2)))
    entries = tuple(msgspec.structs.replace(entry, reason="x") for entry in entries)
    again, _, notes = written(given(lines=(invoices.line(1, allowances_charges=entries),)))
    assert [entry.amount for entry in again.lines[0].allowances_charges] == [D(2)]
    assert any("(charge); 2 was left out" in note for note in notes)


def test_lines_that_name_several_orders_leave_the_document_without_one() -> None:
    document = edited(
        "<cac:Item>\n      <cbc:Description>Kurs",
        "<cac:OrderLineReference><cac:OrderReference><cac:BuyersID>PO-9</cac:BuyersID></cac:OrderReference>"
        "</cac:OrderLineReference><cac:Item>\n      <cbc:Description>Kurs",
    )
    assert document.invoice is not None
    assert document.invoice.order is None
    assert any("2 orders (PO-881, PO-9)" in note for note in document.notes)


def test_what_cannot_be_read_is_noted() -> None:
    document = edited(">1029.90<", ">1 029,90<")
    assert any("TaxableAmount is '1 029,90', which is no number" in note for note in document.notes)
    assert any("'999' is no invoice code" in note for note in edited(">380<", ">999<").notes)


def test_words_of_units_are_those_of_the_language() -> None:
    assert (unit_of("dag", SWEDISH), unit_of("dag", GERMAN), unit_of("ks", CZECH)) == ("DAY", "DG", "C62")
    assert (unit_of("KGM", GERMAN), unit_of("Kiste", GERMAN), unit_of(None, CZECH)) == ("KGM", None, None)


def test_a_factor_is_a_share_or_a_percentage_whichever_gives_the_amount() -> None:
    assert percent_of(D("0.1"), D(50), D(5)) == D(10)
    assert percent_of(D(10), D(50), D(5)) == D(10)
    assert percent_of(D(3), D(50), D(5)) is None
    assert three_lines(["a", "b", "c", "d"]) == {"line1": "a", "line2": "b", "line3": "c d"}
    assert three_lines([]) == {"line1": None, "line2": None, "line3": None}


def test_a_svefaktura_goes_as_it_came() -> None:
    assert is_already(read("", "", (), GOLDEN.read_bytes())[0], b"", "svefaktura")
