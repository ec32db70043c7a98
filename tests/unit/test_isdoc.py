"""ISDOC: what is read otherwise than written, and what cannot be written."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import formats
from gateway.en16931 import Address, AllowanceCharge, Identifier, Invoice, PaymentMeans, Totals, VatBreakdown
from gateway.errors import Unconvertible
from gateway.formats import is_already
from gateway.formats.isdoc import isdoc_6
from gateway.model import ReadDocument
from gateway.readers import read
from tests import invoices

GOLDEN = Path(__file__).parent.parent / "golden"
WHOLE = GOLDEN / "reader-63-isdoc-whole/in.xml"
CREDIT = GOLDEN / "reader-64-isdoc-credit-note/in.xml"
OPTIONS = formats.Options(language="en", now=invoices.NOW)


def written(content: Invoice) -> tuple[Invoice, str, tuple[str, ...]]:
    made = isdoc_6.write(invoices.read(content), invoices.SOURCE, OPTIONS)
    assert made.name == "F-1042.isdoc"
    again = read("", "", (), made.content)[0].invoice
    assert again is not None
    return again, made.content.decode(), made.notes


def edited(path: Path, *replacements: tuple[str, str]) -> ReadDocument:
    text = path.read_text("utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return read("", "", (), text.encode())[0]


@pytest.mark.parametrize(("kind", "subtype"), [("3", "debit_note"), ("5", "prepayment"), ("7", "invoice")])
def test_the_kind_of_document_is_a_code(kind: str, subtype: str) -> None:
    assert edited(WHOLE, ("<DocumentType>1", f"<DocumentType>{kind}")).subtype == subtype


def test_an_unknown_kind_is_an_invoice_with_a_note() -> None:
    document = edited(WHOLE, ("<DocumentType>1", "<DocumentType>9"))
    assert any("'9', which ISDOC does not know" in note for note in document.notes)


def test_a_file_without_namespace_is_an_isdoc_when_it_has_what_every_isdoc_has() -> None:
    assert edited(WHOLE, (' xmlns="http://isdoc.cz/namespace/2013"', "")).number == "FV-77/2026"


@pytest.mark.parametrize("sign", ["-", ""])
def test_deposits_are_paid_with_and_without_a_minus_sign(sign: str) -> None:
    document = edited(WHOLE, (">-10.00<", f">{sign}10.00<"), (">-250.00<", f">{sign}250.00<"))
    assert document.invoice is not None
    assert document.invoice.totals.paid == D("34.20")


def test_a_credit_note_reads_without_minus_signs() -> None:
    content = edited(CREDIT).invoice
    assert content is not None
    entry = AllowanceCharge(is_charge=False, amount=D(20), base=D(200))
    assert (content.lines[0].quantity, content.lines[0].allowances_charges) == (D(2), (entry,))


def test_a_credit_note_is_written_with_minus_signs_and_comes_back() -> None:
    totals = msgspec.structs.replace(invoices.invoice().totals, paid=D(25), payable=D("100.00"))
    content = invoices.invoice(type_code="381", totals=totals)
    again, xml, _ = written(content)
    assert "<TaxInclusiveAmount>-125.00</TaxInclusiveAmount>" in xml
    assert "<PaidDepositsAmount>25</PaidDepositsAmount>" in xml
    assert (again.totals, again.lines[0].quantity, again.lines[0].price) == (content.totals, D(1), D(100))


def test_tax_is_counted_to_the_last_decimal() -> None:
    line = invoices.line(1, price=D("33.333"), amount=D("33.33"), quantity=D(1), vat_rate=D("10.5"))
    _, xml, _ = written(invoices.invoice(lines=(line,), **_totals(D("33.33"))))
    assert "<LineExtensionTaxAmount>3.499650</LineExtensionTaxAmount>" in xml.replace("3.49965<", "3.499650<")
    assert "<UnitPriceTaxInclusive>36.832965</UnitPriceTaxInclusive>" in xml


def _totals(net: D) -> dict[str, Any]:
    vat = VatBreakdown(category="S", rate=D("10.5"), taxable=net, amount=D("3.50"))
    total = net + D("3.50")
    return {"vat": (vat,), "totals": Totals(lines=net, without_vat=net, vat=D("3.50"), with_vat=total, payable=total)}


@pytest.mark.parametrize(
    ("term", "terms"),
    [
        ("BT-9", {"due_date": None, "payment_terms": "soon"}),
        ("BT-149", {"lines": (invoices.line(1, price_base_quantity=D(3)),)}),
        ("BT-81", {"payment": (PaymentMeans(code="57"),)}),
        ("BT-126", {"lines": (msgspec.structs.replace(invoices.line(1), id="x" * 37),)}),
        (
            "BT-126",
            {
                "lines": (invoices.line(1, amount=D(50)), invoices.line(1, amount=D(50))),
            },
        ),
    ],
)
def test_what_does_not_fit_is_held(term: str, terms: dict[str, Any]) -> None:
    with pytest.raises(Unconvertible) as caught:
        written(invoices.invoice(**terms))
    assert caught.value.term == term


def test_a_price_of_several_is_that_of_one_where_it_divides() -> None:
    again, _, _ = written(invoices.invoice(lines=(invoices.line(1, price_base_quantity=D(8)),)))
    assert (again.lines[0].price, again.lines[0].price_base_quantity) == (D("12.5"), None)


def test_allowances_of_the_document_are_lines_and_the_sums_stay() -> None:
    entry = AllowanceCharge(is_charge=False, amount=D(10), reason="Sleva", vat_category="S", vat_rate=D(25))
    totals = Totals(lines=D(110), allowances=D(10), without_vat=D(100), vat=D(25), with_vat=D(125), payable=D(125))
    content = invoices.invoice(lines=(invoices.line(1, amount=D(110)),), allowances_charges=(entry,), totals=totals)
    again, _, notes = written(content)
    assert [(line.id, line.amount, line.name) for line in again.lines][1:] == [("allowance-1", D(-10), "Sleva")]
    assert (again.totals.lines, again.totals.with_vat) == (D(100), D(125))
    assert any("one is the line allowance-1" in note for note in notes)


def test_a_czech_account_has_its_parts_from_the_iban() -> None:
    means = msgspec.structs.replace(invoices.MEANS, account="CZ65 0800 0000 1920 0014 5399", reference="772026")
    again, xml, _ = written(invoices.invoice(payment=(means, msgspec.structs.replace(means, account="19-5/0100"))))
    assert "<ID>19-2000145399</ID>" in xml
    assert "<BankCode>0800</BankCode>" in xml
    assert [each.account for each in again.payment] == ["CZ6508000000192000145399", "19-5/0100"]
    assert again.payment[0].reference == "772026"


def test_reverse_charge_and_what_is_outside_come_back_and_others_are_named() -> None:
    def through(category: str) -> tuple[str | None, tuple[str, ...]]:
        vat = VatBreakdown(category=category, rate=D(0), taxable=D(100), amount=D(0), exemption_reason="x")
        totals = Totals(lines=D(100), without_vat=D(100), vat=D(0), with_vat=D(100), payable=D(100))
        line = invoices.line(1, vat_category=category, vat_rate=D(0))
        again, _, notes = written(invoices.invoice(vat=(vat,), totals=totals, lines=(line,)))
        return again.vat[0].category, notes

    assert through("AE")[0] == "AE"
    assert through("O")[0] == "O"
    category, notes = through("K")
    assert category is None
    assert any("(BT-118); K was left out" in note for note in notes)


def test_the_customer_number_has_its_place_and_the_same_invoice_the_same_identity() -> None:
    own = (Identifier(value="77"), Identifier(value="8590000000007", scheme="0088"), Identifier(value="9", scheme="x"))
    address = Address(line1="a", line2="b", city="Brno", post_code="6", country="CZ", subdivision="JM")
    buyer = msgspec.structs.replace(invoices.BUYER, account_id=None, identifiers=own, address=address)
    again, xml, notes = written(invoices.invoice(buyer=buyer))
    assert (again.buyer.account_id, again.buyer.identifiers) == ("77", own[1:2])
    assert "<UserID>77</UserID>" in xml
    assert sum("of the buyer" in note for note in notes) == 3
    assert xml == written(invoices.invoice(buyer=buyer))[1]


def test_6_goes_as_it_came_and_earlier_versions_are_written_anew() -> None:
    assert is_already(edited(WHOLE), b"", "isdoc")
    assert not is_already(edited(CREDIT), b"", "isdoc")
