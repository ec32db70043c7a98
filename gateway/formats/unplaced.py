"""What sources say of parties beyond the terms of EN 16931: it has no place in what is written, and is named."""

from __future__ import annotations

from gateway.en16931 import Invoice, Party

_WORDS = {
    "trading_name": "trading name",
    "legal_id": "registration",
    "vat_id": "VAT number",
    "tax_id": "tax number",
    "legal_form": "legal information",
    "endpoint": "electronic address",
    "address": "address",
    "contact": "contact",
    "account_id": "customer number",
}
# Which of those each party has in EN 16931-1, beside its name and identifiers.
_SELLER = frozenset(_WORDS) - {"account_id"}
_BUYER = frozenset({"trading_name", "legal_id", "vat_id", "endpoint", "address", "contact", "account_id"})
_PAYEE = frozenset({"legal_id"})
_REPRESENTATIVE = frozenset({"vat_id", "address"})
_DELIVER_TO = frozenset({"address"})


def unplaced(invoice: Invoice) -> list[str]:
    """A sentence for each party of which more is said than EN 16931 holds. The buyer's identifiers are the writers'."""
    parties = (
        ("seller", invoice.seller, _SELLER),
        ("buyer", invoice.buyer, _BUYER),
        ("payee", invoice.payee, _PAYEE),
        ("seller's tax representative", invoice.tax_representative, _REPRESENTATIVE),
        ("place of delivery", invoice.deliver_to, _DELIVER_TO),
    )
    return [
        f"EN 16931 has no place for more of the {words}: {', '.join(more)}."
        for words, party, held in parties
        if party is not None and (more := _more(party, held, has_several=words in ("seller", "buyer")))
    ]


def _more(party: Party, held: frozenset[str], *, has_several: bool) -> list[str]:
    more = [name for field, name in _WORDS.items() if field not in held and getattr(party, field)]
    if not has_several and len(party.identifiers) > 1:
        more.append("further identifiers")
    return more
