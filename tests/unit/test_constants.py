"""Constants of recipients: what a row may say, and that it never beats the document."""

from __future__ import annotations

import msgspec
import pytest

from gateway.constants import TERMS, check_constants, completed, hint
from gateway.en16931 import Address, Identifier, Invoice, Party
from gateway.errors import Refused
from tests.invoices import invoice

ALL = {
    "BT-10": "L-1",
    "BT-11": "P",
    "BT-12": "C",
    "BT-13": "O",
    "BT-19": "K",
    "BT-47": "0007:5560000001",
    "BT-48": "DE1",
    "BT-49": "0204:991-1",
    "BT-52": "Bonn",
    "BT-53": "53113",
    "BT-55": "DE",
}
LONG = ("BT-10=a\x00b", "BT-10=" + "x" * 201)
GIVEN = tuple(f"{name}={value}" for name, value in ALL.items())


def test_constants_come_as_text_or_list_and_are_put_in_order() -> None:
    assert check_constants(" bt-49 = 0204:991-1 ;\nBT-10=L-1;") == ("BT-10=L-1", "BT-49=0204:991-1")
    assert check_constants(["BT-10=L-1", "BT-13=a=b"]) == ("BT-10=L-1", "BT-13=a=b")
    assert check_constants(None) == check_constants("") == ()
    assert check_constants("; ".join(GIVEN)) == GIVEN
    assert set(ALL) == set(TERMS)


@pytest.mark.parametrize(
    "wrong",
    ["BT-1=5", "BT-10", "BT-10=", "=x", "BT-49=991-1", "BT-55=Germany", "BT-10=1; BT-10=2", 7, [7], *LONG],
)
def test_what_is_no_constant_is_refused(wrong: object) -> None:
    with pytest.raises(Refused) as refused:
        check_constants(wrong)
    assert refused.value.field == "constants"


def test_an_empty_invoice_takes_them_all() -> None:
    made, used = completed(Invoice(), GIVEN)
    assert (made.buyer_reference, made.project, made.contract, made.order) == ("L-1", "P", "C", "O")
    assert made.accounting_reference == "K"
    assert made.buyer == Party(
        legal_id=Identifier(value="5560000001", scheme="0007"),
        vat_id="DE1",
        endpoint=Identifier(value="991-1", scheme="0204"),
        address=Address(city="Bonn", post_code="53113", country="DE"),
    )
    assert [sentence.split(")")[0].rpartition("(")[2] for sentence in used] == list(ALL)


def test_what_the_document_says_stands() -> None:
    own, _ = completed(invoice(), GIVEN)
    again, used = completed(own, [f"{name}={value}9" for name, value in ALL.items()])
    assert again is own
    assert used == ()
    said = invoice(buyer=msgspec.structs.replace(invoice().buyer, endpoint=Identifier(value="a@b.example")))
    assert completed(said, ["BT-49=0204:991-1"]) == (said, ())


def test_a_hint_is_given_where_a_constant_helps() -> None:
    assert hint("BT-49") == " The recipient's row can give it: constant BT-49=0204:04011000-12345-34."
    assert hint("BT-106") == hint("BR-CO-10") == ""
