"""OIOUBL: what is read otherwise than UBL, and what cannot be written."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import formats
from gateway.en16931 import Address, AllowanceCharge, Identifier, Invoice, PaymentMeans
from gateway.errors import Unconvertible
from gateway.formats import is_already
from gateway.formats.oioubl import oioubl_2
from gateway.model import ReadDocument
from gateway.readers import read
from gateway.readers.oioubl import code_of
from tests import invoices

GOLDEN = Path(__file__).parent.parent / "golden/reader-65-oioubl-whole/in.xml"
OPTIONS = formats.Options(language="en", now=invoices.NOW)
CVR = Identifier(value="DK10000009", scheme="0184")
DANISH: dict[str, Any] = {
    "buyer_reference": "7778",
    "seller": msgspec.structs.replace(invoices.SELLER, endpoint=CVR, legal_id=CVR),
    "buyer": msgspec.structs.replace(invoices.BUYER, endpoint=Identifier(value="5798000416604", scheme="0088")),
}


def given(**terms: Any) -> Invoice:
    return invoices.invoice(**(DANISH | terms))


def written(content: Invoice) -> tuple[Invoice, str, tuple[str, ...]]:
    made = oioubl_2.write(invoices.read(content), invoices.SOURCE, OPTIONS)
    again = read("", "", (), made.content)[0].invoice
    assert again is not None
    return again, made.content.decode(), made.notes


def edited(*replacements: tuple[str, str]) -> ReadDocument:
    text = GOLDEN.read_text("utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return read("", "", (), text.encode())[0]


def test_categories_are_words_and_zero_with_a_reason_is_exempt() -> None:
    codes = [code_of("StandardRated"), code_of("ReverseCharge"), code_of("ZeroRated"), code_of("ZeroRated", "x")]
    assert codes == ["S", "AE", "Z", "E"]
    assert (code_of("S"), code_of(None)) == ("S", None)


def test_other_ubl_is_left_as_it_is() -> None:
    document = edited(("OIOUBL-2.02", "urn:cen.eu:en16931:2017"))
    assert document.invoice is not None
    assert document.invoice.order == "n/a"
    assert document.invoice.totals.without_vat == D("350.13")


def test_a_total_that_holds_no_rounding_stays() -> None:
    document = edited((">1450.75</cbc:TaxInclusiveAmount>", ">1450.63</cbc:TaxInclusiveAmount>"))
    assert document.invoice is not None
    assert document.invoice.totals.with_vat == D("1450.63")


@pytest.mark.parametrize(
    ("term", "terms"),
    [
        ("BT-10", {"buyer_reference": None}),
        ("BT-49", {"buyer": msgspec.structs.replace(invoices.BUYER, endpoint=Identifier(value="a@b.example"))}),
        ("BT-34", {"seller": invoices.SELLER}),
        ("BT-31", {"seller": msgspec.structs.replace(DANISH["seller"], legal_id=None)}),
        ("BT-3", {"type_code": "384"}),
    ],
)
def test_what_does_not_fit_is_held(term: str, terms: dict[str, Any]) -> None:
    with pytest.raises(Unconvertible) as caught:
        written(given(**terms))
    assert caught.value.term == term


def test_the_total_of_taxes_and_the_rounding_stand_where_oioubl_has_them() -> None:
    totals = msgspec.structs.replace(invoices.invoice().totals, rounding=D("0.50"), payable=D("125.50"))
    again, xml, _ = written(given(totals=totals))
    assert '<cbc:TaxExclusiveAmount currencyID="EUR">25.00<' in xml
    assert '<cbc:TaxInclusiveAmount currencyID="EUR">125.50<' in xml
    assert (again.totals, again.buyer_reference, again.order) == (totals, "7778", None)


def test_the_vat_of_a_line_is_rounded_to_the_cent_and_that_is_said() -> None:
    _, xml, notes = written(given(lines=(invoices.line(1, amount=D("33.33")), invoices.line(2, amount=D("66.67")))))
    assert '<cbc:TaxAmount currencyID="EUR">8.33<' in xml
    assert any("rounded to the cent" in note for note in notes)
    assert not any("rounded" in note for note in written(given())[2])


def test_percentages_are_factors_and_come_back() -> None:
    entry = AllowanceCharge(is_charge=False, amount=D(10), base=D(100), percent=D(10), reason="Rabat")
    again, xml, _ = written(given(lines=(invoices.line(1, price=D(110), allowances_charges=(entry,)),)))
    assert "<cbc:MultiplierFactorNumeric>0.1<" in xml
    assert again.lines[0].allowances_charges == (entry,)


@pytest.mark.parametrize(
    ("means", "code", "channel"),
    [
        (PaymentMeans(code="93", reference="71#123456789012347", account="80808080"), "93", "DK:FIK"),
        (PaymentMeans(code="50", reference="01#", account="80808080"), "50", "DK:GIRO"),
        (PaymentMeans(code="31", reference="R", account="DK5000400440116243", bic="NDEADKKK"), "31", "IBAN"),
        (PaymentMeans(code="42", reference="R", account="1234567890", bic="1234"), "42", "DK:BANK"),
        (PaymentMeans(code="97"), "97", "DK:NEMKONTO"),
        (PaymentMeans(code="1", reference="R"), "1", None),
    ],
)
def test_every_kind_of_payment_has_its_channel_and_comes_back(
    means: PaymentMeans, code: str, channel: str | None
) -> None:
    again, xml, notes = written(given(payment=(means,)))
    assert again.payment == (means,)
    assert f"<cbc:PaymentMeansCode>{code}<" in xml
    assert (f">{channel}</cbc:PaymentChannelCode>" in xml) is (channel is not None)
    assert not any("BT-81" in note for note in notes)


def test_a_due_date_without_payment_means_is_carried_and_said() -> None:
    again, _, notes = written(given(payment=()))
    assert again.due_date == given().due_date
    assert any("an undefined one carries it" in note for note in notes)


def test_a_third_line_of_an_address_stands_with_the_second() -> None:
    address = Address(line1="a", line2="b", line3="c", city="Aarhus", post_code="8000", country="DK")
    again, _, _ = written(given(buyer=msgspec.structs.replace(DANISH["buyer"], address=address)))
    assert again.buyer.address is not None
    assert (again.buyer.address.line2, again.buyer.address.line3) == ("b, c", None)


def test_oioubl_goes_as_it_came() -> None:
    assert is_already(edited(), b"", "oioubl")
    assert not is_already(edited(("OIOUBL-2.02", "urn:cen.eu:en16931:2017")), b"", "oioubl")
