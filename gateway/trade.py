"""What documents around an invoice say: orders and answers to them, delivery notes, reminders, statements, catalogues.

A model to be shown, not to be converted: everything stands as it was written, in the order a clerk looks for it. Labels
are keys of `gateway/formats/labels_trade`. Parties are those of EN 16931.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from gateway.en16931 import Party, Term


class Fact(Term, frozen=True, kw_only=True):
    """A labelled value of the head; of text, dates, amount the first that is there counts."""

    label: str
    text: str | None = None
    dates: tuple[dt.date, ...] = ()  # one day, or the two ends of a period
    amount: Decimal | None = None
    unit: str | None = None  # of the amount: a unit code (UN/ECE Recommendation 20)
    code: str | None = None  # section of the labels in which `text` is a key, such as the answer to an order


class Role(Term, frozen=True, kw_only=True):
    """A party and what it is here."""

    label: str
    party: Party


class Sum(Term, frozen=True, kw_only=True):
    """An amount at the end; of several `payable` stands out."""

    label: str
    amount: Decimal
    payable: bool = False


class TradeLine(Term, frozen=True, kw_only=True):
    """A line; a column is shown where any line has a value for it."""

    id: str = ""
    name: str | None = None
    description: str | None = None
    notes: tuple[str, ...] = ()
    seller_item_id: str | None = None
    buyer_item_id: str | None = None
    standard_item_id: str | None = None
    status: str | None = None  # code of what becomes of the line: UNCL 1229 in Peppol
    reference: str | None = None  # the line or document that it answers, fulfils or claims
    date: dt.date | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    outstanding: Decimal | None = None  # quantity still to come
    price: Decimal | None = None
    debit: Decimal | None = None
    credit: Decimal | None = None
    amount: Decimal | None = None


class Trade(Term, frozen=True, kw_only=True):
    """A document of trade."""

    number: str | None = None
    issue_date: dt.date | None = None
    currency: str | None = None
    sender: Party = Party()
    addressee: Party = Party()
    others: tuple[Role, ...] = ()
    facts: tuple[Fact, ...] = ()
    lines: tuple[TradeLine, ...] = ()
    sums: tuple[Sum, ...] = ()
    notes: tuple[str, ...] = ()
