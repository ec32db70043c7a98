"""Values as Finvoice 3.0 holds them: decimal commas, bounded decimals, dates as CCYYMMDD."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from gateway.errors import Unconvertible
from gateway.formats.terms import NAMES
from gateway.formats.xmlout import Node

NAME = "Finvoice 3.0"
AMOUNT_DECIMALS = 5  # monetaryAmount and unitAmountType of the schema: none or two to five
PERCENT_DECIMALS = 3
UNTDID = re.compile(r"[A-Z0-9]{1,3}")  # codes of the UN/EDIFACT directory, as the schema bounds them
COUNTRY = re.compile(r"[A-Z]{2}")
VATEX = re.compile(r"[A-Za-z0-9\-]{1,20}")
_UNIT = re.compile(r"[A-Z0-9]{2,3}")
_MOST_DIGITS = 15
_LONGEST_QUANTITY = 14


def comma(value: Decimal) -> str:
    """`value` as written, with a decimal comma."""
    return format(value, "f").replace(".", ",")


def amount(value: Decimal, term: str, decimals: int = AMOUNT_DECIMALS) -> str:
    """An amount with two decimals at least; zeros beyond what fits are left out, nothing is rounded."""
    fitted = _fitted(value, term, decimals)
    if -int(fitted.as_tuple().exponent) < 2:
        fitted = fitted.quantize(Decimal("0.01"))
    return comma(fitted)


def percent(value: Decimal, term: str) -> str:
    """A rate between 0 and 999 with at most three decimals."""
    if not 0 <= value < 1000:
        raise Unconvertible(term, f"{NAME} holds rates from 0 to 999 %; {term} is {value:f}.")
    return comma(_fitted(value, term, PERCENT_DECIMALS))


def put_amount(node: Node, path: str, value: Decimal | None, currency: str | None, term: str) -> None:
    """An amount with its currency."""
    if value is not None:
        node.put(path, amount(value, term), AmountCurrencyIdentifier=currency)


def put_percent(node: Node, path: str, value: Decimal | None, term: str) -> None:
    """A rate."""
    if value is not None:
        node.put(path, percent(value, term))


def put_quantity(node: Node, path: str, value: Decimal | None, unit: str | None, term: str) -> None:
    """A quantity with the code of its unit (UN/ECE Recommendation 20)."""
    if value is None:
        return
    text = comma(value)
    if len(text) > _LONGEST_QUANTITY:
        raise Unconvertible(term, f"{NAME} holds {_LONGEST_QUANTITY} characters of a quantity ({term}); it is {text}.")
    if unit and not _UNIT.fullmatch(unit):
        raise Unconvertible("BT-130", f"{NAME} holds units of UN/ECE Recommendation 20 (BT-130); {unit} is none.")
    node.put(path, text, QuantityUnitCodeUN=unit)


def put_date(node: Node, path: str, date: dt.date | None) -> None:
    """A date, CCYYMMDD."""
    if date:
        node.put(path, f"{date.year:04}{date.month:02}{date.day:02}", Format="CCYYMMDD")


def _fitted(value: Decimal, term: str, decimals: int) -> Decimal:
    whole, _, fraction = format(abs(value), "f").partition(".")
    if len(fraction.rstrip("0")) > decimals or len(whole) > _MOST_DIGITS:
        words = NAMES[term].words if term in NAMES else "value"
        raise Unconvertible(term, f"{NAME} holds {decimals} decimals; the {words} ({term}) is {value:f}.")
    return value if len(fraction) <= decimals else value.quantize(Decimal(1).scaleb(-decimals))
