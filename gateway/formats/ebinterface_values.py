"""Values as ebInterface 6.1 holds them: bounded decimals; and what has no element of its own."""

from __future__ import annotations

from decimal import Decimal

from gateway.errors import Unconvertible
from gateway.formats.terms import NAMES
from gateway.formats.xmlout import Node

NAME = "ebInterface 6.1"
_QUANTITY_DECIMALS, _RATE_DECIMALS = 4, 2  # Decimal4Type, Decimal2Type of the schema


def fitted(value: Decimal | None, term: str, decimals: int) -> Decimal | None:
    """`value` with no more decimals than fit: zeros beyond are left out, nothing is rounded."""
    if value is None or -int(value.as_tuple().exponent) <= decimals:
        return value
    shorter = round(value, decimals)
    if shorter != value:
        words = f"the {NAMES[term].words} ({term})" if term in NAMES else term
        raise Unconvertible(term, f"{NAME} holds {decimals} decimals; {words} is {value:f}.")
    return shorter


def quantity(value: Decimal | None, term: str) -> Decimal | None:
    """A quantity or a unit price."""
    return fitted(value, term, _QUANTITY_DECIMALS)


def rate(value: Decimal | None, term: str) -> Decimal:
    """A rate, which must be stated: a category that has none has the rate 0."""
    return fitted(value, term, _RATE_DECIMALS) or Decimal(0)


def percentage(value: Decimal | None, term: str) -> Decimal | None:
    """A percentage of an allowance or a charge."""
    return fitted(value, term, _RATE_DECIMALS)


def put_more(node: Node, key: str, value: str | None) -> None:
    """What has no element of its own, under a key."""
    node.put("AdditionalInformation", value, Key=key)
