"""`gateway.formats.epc`: the payment code's text, line by line, and when there is none."""

from decimal import Decimal as D

import msgspec
import pytest

from gateway.en16931 import PaymentMeans, Totals
from gateway.formats import epc
from tests.invoices import MEANS, invoice


def paying(amount="125", **terms):
    return invoice(totals=Totals(payable=D(amount)), payment=(msgspec.structs.replace(MEANS, **terms),))


def test_the_lines_are_those_of_the_guideline():
    assert epc.payload(paying()).split("\n") == [
        "BCD", "002", "1", "SCT", "XXXXSESS", "Nordvik Skog AB", "SE4950000000012340009876", "EUR125.00", "", "",
        "2026-1042",
    ]  # fmt: skip


def test_a_creditor_reference_stands_in_its_own_line():
    assert epc.payload(paying(reference="RF18 5390 0754 7034")).split("\n")[9:] == ["RF18539007547034"]
    assert epc.payload(paying(reference="RF19539007547034")).split("\n")[9:] == ["", "RF19539007547034"]


def test_without_a_reference_the_number_of_the_invoice_is_the_text():
    assert epc.payload(paying(reference=None)).endswith("\n\n\nF-1042")


@pytest.mark.parametrize(
    "content",
    [
        paying("0"),
        paying("-5"),
        paying("1.005"),
        paying("1000000000"),
        paying(account="5050-1055"),
        paying(account="SE4950000000012340009877"),
        paying(code="59"),
        msgspec.structs.replace(paying(), currency="SEK"),
        invoice(totals=Totals()),
    ],
)
def test_what_is_no_transfer_in_euro_has_no_code(content):
    assert epc.payload(content) is None


@pytest.mark.parametrize(
    ("others", "has_code"),
    [
        ((), True),
        ((msgspec.structs.replace(MEANS, account="SE49 5000 0000 0123 4000 9876", bic=None),), True),  # the same one
        ((msgspec.structs.replace(MEANS, code="30", account="5050-1055"),), True),  # which no code can hold
        ((msgspec.structs.replace(MEANS, account="DE75512108001245126199"),), False),
        ((PaymentMeans(code="59", mandate="M-1"),), False),
        ((PaymentMeans(code="48", card="4711"),), False),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_where_there_is_a_choice_there_is_no_code(others, has_code, turned):
    payment = (*others, MEANS) if turned else (MEANS, *others)
    assert (epc.payload(invoice(payment=payment)) is not None) is has_code


def test_line_breaks_in_a_name_cannot_shift_the_lines():
    assert epc.payload(paying(account_name="A\nSE00\r\nB")).split("\n")[5] == "A SE00 B"


def test_the_code_is_a_square_with_a_quiet_zone():
    drawn = epc.svg(epc.payload(paying()))
    assert 'viewBox="0 0 49 49"' in drawn
    assert drawn.count("M4 ") > 3
    assert "M3 " not in drawn
