"""What Factur-X BASIC has no place for: EN 16931 without references, contacts and item details."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from gateway.en16931 import Invoice, Party, Term
from gateway.errors import Unconvertible

T = TypeVar("T", bound=Term)

_DOCUMENT = {  # what people call the terms, with their numbers
    "project": "the project (BT-11)",
    "sales_order": "the seller's order (BT-14)",
    "receiving_advice": "the receiving advice (BT-15)",
    "tender": "the tender (BT-17)",
    "invoiced_object": "the invoiced object (BT-18)",
    "tax_point_date": "the tax point date (BT-7)",
    "supporting": "supporting documents (BG-24)",
}
_PAYMENT = {
    "text": "the text of the payment means (BT-82)",
    "account_name": "the name of the account (BT-85)",
    "bic": "the BIC (BT-86)",
    "card": "the card (BT-87)",
    "card_holder": "the holder of the card (BT-88)",
}
_LINE = {
    "description": "item descriptions (BT-154)",
    "seller_item_id": "the seller's item numbers (BT-155)",
    "buyer_item_id": "the buyer's item numbers (BT-156)",
    "object_id": "objects of lines (BT-128)",
    "order_line": "order lines (BT-132)",
    "accounting_reference": "accounting references of lines (BT-133)",
    "classifications": "item classes (BT-158)",
    "origin": "countries of origin (BT-159)",
    "attributes": "item attributes (BG-32)",
}
_PARTY = {"contact": "contact", "legal_form": "legal information"}


def reduced(invoice: Invoice, lost: list[str]) -> Invoice:
    """`invoice` without what BASIC cannot hold; each term that is left out is named in `lost` once.

    Unconvertible where the totals would not add up without it (BT-114).
    """
    if invoice.totals.rounding:
        raise Unconvertible("BT-114", "Factur-X (BASIC) has no place for the rounding amount (BT-114).")
    gone: dict[str, None] = {}
    kept = _without(invoice, _DOCUMENT, gone)
    kept = msgspec.structs.replace(
        kept,
        totals=msgspec.structs.replace(invoice.totals, rounding=None),
        seller=_party(invoice.seller, "seller", gone),
        buyer=_party(invoice.buyer, "buyer", gone),
        payment=tuple(_without(means, _PAYMENT, gone) for means in invoice.payment),
        lines=tuple(_without(line, _LINE, gone) for line in invoice.lines),
    )
    if gone:
        lost.append(f"Factur-X BASIC has no place for {', '.join(gone)}.")
    return kept


def _party(party: Party, whose: str, gone: dict[str, None]) -> Party:
    return _without(party, {field: f"the {whose}'s {words}" for field, words in _PARTY.items()}, gone)


def _without(term: T, fields: dict[str, str], gone: dict[str, None]) -> T:
    """`term` with the defaults of `fields`; the names of those that said something go to `gone`."""
    defaults = dict(
        zip(term.__struct_fields__[-len(term.__struct_defaults__) :], term.__struct_defaults__, strict=True)
    )
    said = {field: name for field, name in fields.items() if getattr(term, field) != defaults[field]}
    gone.update(dict.fromkeys(said.values()))
    changes: dict[str, Any] = {field: defaults[field] for field in said}
    return msgspec.structs.replace(term, **changes)
