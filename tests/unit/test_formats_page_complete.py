"""The page shows every term of the model that an invoice has; what it does not show has its reason here."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import typing
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import en16931, formats, readers
from gateway.formats import page
from gateway.formats.glyphs import BREAK
from gateway.model import Attachment
from tests import invoices, pdf_text
from tests.invoices import NOW, read

GOLDEN = Path(__file__).parent.parent / "golden"
# Terms that the page does not show as they are, and why.
NOT_SHOWN = {
    "type_code": "the title says it in words",
    "process": "a name for machines (BT-23)",
    "specification": "a name for machines (BT-24)",
    "extensions": "no terms; the attached original has them",
    "tax_point_code": "in words, see below",
    "payment.code": "in words, or as it is where there are none, see below",
    "lines.vat_category": "its code, where it says more than the rate, see below",
    "allowances_charges.vat_category": "the same",
    "lines.allowances_charges.vat_category": "a line has one VAT category (BT-151)",
    "lines.allowances_charges.vat_rate": "a line has one VAT rate (BT-152)",
    "lines.allowances_charges.reason_code": "the reason says it in words",
    "allowances_charges.reason_code": "the reason says it in words",
    "seller.legal_id.scheme": "the register's code; the country says which it is",
    "buyer.legal_id.scheme": "the same",
    "payee.legal_id.scheme": "the same",
    "tax_representative.legal_id.scheme": "the same",
    "deliver_to.legal_id.scheme": "the same",
    "seller.legal_id.version": "versions are of item classes only (BT-158-2)",
    "buyer.legal_id.version": "the same",
    "payee.legal_id.version": "the same",
    "tax_representative.legal_id.version": "the same",
    "deliver_to.legal_id.version": "the same",
    "buyer.legal_form": "no term of EN 16931",
    "accounting_currency": "its code stands beside the amount (BT-111)",
    "lines.price_base_quantity": "with its unit, see below",
}
CODES = {"type_code": "380", "currency": "EUR", "accounting_currency": "SEK", "country": "ZZ", "origin": "ZZ"}
PARTS = {"preceding": ("size", "content", "description", "uri", "file_name", "media_type")}
PARTS["supporting"] = ("size", "content", "media_type", "date")


def fill(kind: Any, path: str, numbers: Iterator[int], stated: dict[str, object]) -> Any:
    """A value of the type `kind` in which every leaf is different; `stated` gets them by path."""
    if isinstance(kind, type) and issubclass(kind, en16931.Term):
        hints = typing.get_type_hints(kind)
        return kind(**{name: fill(hint, f"{path}.{name}".strip("."), numbers, stated) for name, hint in hints.items()})
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is tuple and arguments[-1] is Ellipsis:
        return (fill(arguments[0], path, numbers, stated),)
    if typing.get_origin(kind) is tuple:
        return tuple(fill(each, path, numbers, stated) for each in arguments)
    if arguments:  # X | None
        return fill(arguments[0], path, numbers, stated)
    number, name = next(numbers), path.rpartition(".")[2]
    made: object = CODES.get(name) or f"Q{number}"
    if kind is Decimal:
        made = Decimal(f"{number}.75")
    elif kind is dt.date:
        made = dt.date(2000 + number % 97, 1 + number % 12, 1 + number % 28)
    elif kind in (int, bytes, bool):
        made = kind() if kind is not bool else True
    stated[path] = made
    return made


def whole() -> tuple[en16931.Invoice, dict[str, object]]:
    stated: dict[str, object] = {}
    return fill(en16931.Invoice, "", itertools.count(1001), stated), stated


def texts(data: Any) -> Iterator[str]:
    """All that the template gets, without what it may break words at."""
    if isinstance(data, dict):
        yield from itertools.chain.from_iterable(map(texts, data.values()))
    elif isinstance(data, list):
        yield from itertools.chain.from_iterable(map(texts, data))
    else:
        yield str(data).replace(BREAK, "")


def shown(invoice: en16931.Invoice) -> str:
    options = formats.Options(language="en", now=NOW)
    return "\n".join(texts(page.compose(read(invoice), invoice, options)))


def as_written(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:,}"
    return f"{value.day} {value:%b %Y}" if isinstance(value, dt.date) else str(value)


def visible(stated: dict[str, object]) -> dict[str, object]:
    """What of `stated` a page can show."""
    return {
        path: value
        for path, value in stated.items()
        if path.rpartition(".")[2] not in PARTS.get(path.partition(".")[0], ()) and not isinstance(value, bool | int)
    }


def test_every_term_of_the_model_is_shown_or_has_a_reason() -> None:
    invoice, stated = whole()
    text = shown(invoice)
    expected = visible(stated)
    missing = {path for path, value in expected.items() if as_written(value) not in text}
    assert missing - set(NOT_SHOWN) == set()
    assert len(expected) > 200


def test_every_term_can_be_read_on_the_page() -> None:
    """In the text of the PDF, that is: the template places all that it gets."""
    invoice, stated = whole()
    pdf = invoices.pdf(invoice)
    text = re.sub(r"\s+", "", "".join(pdf_text.pages(pdf)))
    gone = {path for path, value in visible(stated).items() if re.sub(r"\s", "", as_written(value)) not in text}
    assert gone - set(NOT_SHOWN) == set()


def test_every_exception_is_one() -> None:
    """A term that is shown by now has no place in the list."""
    invoice, stated = whole()
    text = shown(invoice)
    coded = {"accounting_currency", "tax_point_code", "lines.price_base_quantity", "extensions"}
    assert {path for path in NOT_SHOWN if path in stated and as_written(stated[path]) in text} <= coded
    assert {path for path in NOT_SHOWN if not any(f"{known}.".startswith(f"{path}.") for known in stated)} == set()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("tax_point_code", "35", "the delivery date"),
        ("tax_point_code", "432", "the payment date"),
        ("tax_point_code", "9999", "9999"),
        ("payment", (en16931.PaymentMeans(code="58"),), "SEPA credit transfer"),
        ("payment", (en16931.PaymentMeans(code="ZZZ"),), "ZZZ"),
        ("vat", (en16931.VatBreakdown(category="K"),), "Intra-Community supply"),
        ("vat", (en16931.VatBreakdown(category="E", exemption_code="VATEX-EU-79-C"),), "Exempt: VATEX-EU-79-C"),
        (
            "allowances_charges",
            (en16931.AllowanceCharge(is_charge=False, amount=Decimal(3), reason_code="95"),),
            "Discount [95]",
        ),
        ("notes", (en16931.Note(subject="REG", text="F-skatt"),), "Regulatory information: F-skatt"),
        ("notes", (en16931.Note(subject="XYZ", text="F-skatt"),), "XYZ · F-skatt"),
        ("lines", (en16931.Line(id="1", price_base_quantity=Decimal(100), unit="KGM"),), "per 100 kg"),
        ("lines", (en16931.Line(id="1", vat_category="AE"),), "\nAE\n"),
        (
            "allowances_charges",
            (en16931.AllowanceCharge(is_charge=True, amount=Decimal(3), vat_category="AE"),),
            "\nAE\n",
        ),
        ("lines", (en16931.Line(id="1", price=Decimal(2), gross_price=Decimal(3)),), "List price 3.00"),
        (
            "lines",
            (en16931.Line(id="1", standard_item_id=en16931.Identifier(value="17", scheme="0160")),),
            "GTIN 17",
        ),
        (
            "lines",
            (en16931.Line(id="1", classifications=(en16931.Identifier(value="9", scheme="STI", version="2"),)),),
            "Class STI:2:9",
        ),
    ],
)
def test_codes_are_words_where_there_are_some(field: str, value: Any, words: str) -> None:
    assert words in shown(msgspec.structs.replace(en16931.Invoice(), **{field: value}))


@pytest.mark.parametrize(("type_code", "says"), [("380", True), ("381", False)])
def test_a_credit_note_asks_nobody_to_pay(type_code: str, says: bool) -> None:
    text = pdf_text.pages(invoices.pdf(invoices.invoice(type_code=type_code)))[0]
    assert "20 Dec 2026" in text
    assert ("Pay by" in text, "Scan to pay" in text) == (says, says)


def test_an_account_stands_in_one_line_beside_the_longest_label() -> None:
    data = (GOLDEN / "reader-96-reminder-whole/in.xml").read_bytes()
    options = formats.Options(language="de", now=NOW)
    (document,) = readers.read("r.xml", "", (), data)
    made = formats.convert(document, Attachment(name="r.xml", media_type="", content=data), "pdf", options)
    assert "SE35 5000 0000 0549 1000 0003" in pdf_text.pages(made.content)[0]
