"""The CII reader: where each routing field stands, what is odd and noted, and the dialects."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from pathlib import Path

import pytest

from gateway.en16931 import AllowanceCharge, Invoice, PaymentMeans
from gateway.model import ReadDocument
from gateway.readers import read

GOLDEN = Path(__file__).parent.parent / "golden"
WHOLE = (GOLDEN / "reader-40-cii-whole/in.xml").read_text("utf-8")
ZUGFERD = (GOLDEN / "reader-41-zugferd-1/in.xml").read_text("utf-8")


def reading(*changes: tuple[str, str], text: str = WHOLE) -> ReadDocument:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return read("", "", (), text.encode())[0]


def content(*changes: tuple[str, str], text: str = WHOLE) -> Invoice:
    invoice = reading(*changes, text=text).invoice
    assert invoice is not None
    return invoice


def test_every_term_of_the_model_is_filled() -> None:
    """But for BT-7 (BT-8 excludes it), BT-87 (a card), and the UBL-only account; those have their tests below."""
    invoice = content()
    assert {name for name in Invoice.__struct_fields__ if not getattr(invoice, name)} == {
        "tax_point_date",
        "extensions",
    }
    means = invoice.payment[0]
    assert {name for name in PaymentMeans.__struct_fields__ if getattr(means, name) is None} == {
        "card",
        "card_holder",
        "card_network",
    }
    assert all(getattr(invoice.totals, name) is not None for name in invoice.totals.__struct_fields__)
    assert {name for name in invoice.seller.__struct_fields__ if not getattr(invoice.seller, name)} == {"account_id"}
    line = invoice.lines[0]
    assert all(getattr(line, name) for name in line.__struct_fields__)


def test_tax_point_and_card() -> None:
    point = "<ram:TaxPointDate><udt:DateString format='102'>20260228</udt:DateString></ram:TaxPointDate>"
    inside = "<ram:ID>1234</ram:ID><ram:CardholderName>A. B.</ram:CardholderName>"
    card = f"<ram:ApplicableTradeSettlementFinancialCard>{inside}</ram:ApplicableTradeSettlementFinancialCard>"
    invoice = content(
        ("<ram:DueDateTypeCode>5</ram:DueDateTypeCode>", point),
        ("<ram:Information>SEPA-Lastschrift</ram:Information>", card),
    )
    assert invoice.tax_point_date == dt.date(2026, 2, 28)
    assert (invoice.payment[0].card, invoice.payment[0].card_holder) == ("1234", "A. B.")


def test_a_national_account_stands_where_an_iban_would() -> None:
    changed = ("<ram:IBANID>DE02500105170137075030</ram:IBANID>", "<ram:ProprietaryID>5050-1055</ram:ProprietaryID>")
    assert content(changed).payment[0].account == "5050-1055"


def test_without_payment_means_the_reference_is_kept() -> None:
    start, end = (
        WHOLE.index("<ram:SpecifiedTradeSettlementPaymentMeans>"),
        WHOLE.index("<ram:ApplicableTradeTax><ram:Calc"),
    )
    invoice = content((WHOLE[start:end], ""))
    assert [means.reference for means in invoice.payment] == ["C-2026/0815-REF"]


def test_the_sellers_own_address_is_never_the_customers() -> None:
    document = reading(("einkauf@oeztuerk.example", "mailto:Buero@oeztuerk.example, no address"))
    assert document.emails == ("eingang@oeztuerk.example", "Buero@oeztuerk.example")
    assert [note for note in document.notes if "own address" in note]
    assert [note for note in document.notes if "no e-mail address" in note]


def test_an_endpoint_that_is_no_mailbox_is_no_address() -> None:
    document = reading(
        ('<ram:URIID schemeID="EM">eingang@oeztuerk.example', '<ram:URIID schemeID="0088">4000002000006')
    )
    assert document.emails == ("einkauf@oeztuerk.example",)


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("20260302", dt.date(2026, 3, 2)),
        ("202603021530", dt.date(2026, 3, 2)),
        ("2026-03-02", dt.date(2026, 3, 2)),
        ("2026-03-02T00:00:00", dt.date(2026, 3, 2)),
        ("20260231", None),
        ("02.03.2026", None),
    ],
)
def test_dates(written: str, read_as: dt.date | None) -> None:
    document = reading(("20260302", written))
    assert document.issue_date == read_as
    assert document.invoice is not None
    assert document.invoice.issue_date == read_as
    assert bool([note for note in document.notes if "no date" in note]) is (read_as is None)


def test_what_is_no_number_is_noted_and_left_out() -> None:
    document = reading(("<ram:DuePayableAmount>22.00", "<ram:DuePayableAmount>22,00"))
    assert document.payable == "22,00"
    assert document.invoice is not None
    assert document.invoice.totals.payable is None
    assert "DuePayableAmount is '22,00', which is no number." in document.notes


@pytest.mark.parametrize(("code", "subtype"), [("381", "credit_note"), ("384", "corrective"), ("9999", "invoice")])
def test_subtypes(code: str, subtype: str) -> None:
    document = reading(("<ram:TypeCode>380<", f"<ram:TypeCode>{code}<"))
    assert (document.type, document.subtype) == ("invoice", subtype)
    assert bool([note for note in document.notes if "UNTDID 1001" in note]) is (code == "9999")


def test_the_language_of_an_extended_invoice() -> None:
    document = reading(
        ("<ram:TypeCode>380</ram:TypeCode>", "<ram:TypeCode>380</ram:TypeCode><ram:LanguageID>de</ram:LanguageID>")
    )
    assert document.language == "de"


@pytest.mark.parametrize(("status", "count"), [("DETAIL", 2), ("GROUP", 1), ("INFORMATION", 1), ("OTHER", 2)])
def test_lines_that_only_group_others_do_not_count(status: str, count: int) -> None:
    said = f"<ram:LineID>2</ram:LineID><ram:LineStatusReasonCode>{status}</ram:LineStatusReasonCode>"
    document = reading(("<ram:LineID>2</ram:LineID>", said))
    assert document.invoice is not None
    assert len(document.invoice.lines) == count
    assert bool([note for note in document.notes if note.startswith("1 lines are groups")]) is (count == 1)


def test_zugferd_1_freight_is_a_charge() -> None:
    (charge,) = content(text=ZUGFERD).allowances_charges
    assert charge == AllowanceCharge(
        is_charge=True, amount=D("5.00"), vat_category="S", vat_rate=D("19.00"), reason="Versandkosten"
    )


def test_a_subject_as_ubl_writes_it() -> None:
    assert content((">AAI<", ">#AAI#<")).notes[0].subject == "AAI"


def test_comments_inside_values_do_not_hide_them() -> None:
    assert reading(("<ram:ID>C-2026/0815", "<ram:ID><!-- the number -->C-2026/0815")).number == "C-2026/0815"
