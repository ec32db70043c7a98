"""What sources say that the code lists and cardinalities of EN 16931 have no room for, settled before it is written.

Other formats state several ways to pay, words for schemes, and codes of their own; the rules of EN 16931 refuse them in
UBL and in CII alike. What is left out is named, and nothing is put in its place but the code of a scheme that is known
by a word.
"""

from __future__ import annotations

import re

import msgspec

from gateway.en16931 import AllowanceCharge, Identifier, Invoice, Line, Party, PaymentMeans
from gateway.formats.demands import ICD, Profile

_ICD_CODE = re.compile(r"0\d{3}", re.ASCII)  # ISO 6523 ICD: rules BR-CL-10 and BR-CL-11
# UNTDID 5189 and 7161 as EN 16931 takes them: rules BR-CL-19 and BR-CL-20. The second has some 180 codes of this shape.
_ALLOWANCES = frozenset(map(str, (41, 42, 60, *range(62, 69), 70, 71, 88, 95, 100, 102, 103, 104, 105)))
_CHARGE = re.compile(r"[A-Z][A-Z0-9]{1,2}", re.ASCII)

# What of a payment means goes with which code (UNTDID 4461): credit transfers, cards, direct debits.
_GROUPS = {
    "an account (BG-17)": ("account", "account_name", "bic"),
    "a card (BG-18)": ("card", "card_holder", "card_network"),
    "a mandate (BG-19)": ("mandate", "creditor", "debited_account"),
}
_GROUP_OF = dict.fromkeys(("30", "58"), "an account (BG-17)") | dict.fromkeys(("48", "54", "55"), "a card (BG-18)")
_GROUP_OF["59"] = "a mandate (BG-19)"

_replace = msgspec.structs.replace


def settled(invoice: Invoice, profile: Profile, lost: list[str]) -> Invoice:
    """`invoice` as the rules of `profile` allow it; what was left out goes to `lost`, a sentence each."""

    def allowed(entries: tuple[AllowanceCharge, ...]) -> tuple[AllowanceCharge, ...]:
        coded = (_reason(entry, lost) for entry in entries)
        return tuple(_paired(entry, lost) if profile.paired else entry for entry in coded)

    return _replace(
        invoice,
        seller=_party(invoice.seller, lost),
        buyer=_party(invoice.buyer, lost),
        payee=_party(invoice.payee, lost) if invoice.payee else None,
        deliver_to=_party(invoice.deliver_to, lost) if invoice.deliver_to else None,
        payment=tuple(
            _of_its_code(means, lost) if _is_german(invoice, profile) else means
            for means in _payment(invoice.payment, lost)
        ),
        accounting_currency=_accounting_currency(invoice, lost),
        allowances_charges=allowed(invoice.allowances_charges),
        payment_terms=_skonto(invoice.payment_terms) if profile.is_xrechnung else invoice.payment_terms,
        lines=tuple(
            _replace(line, allowances_charges=allowed(line.allowances_charges)) if line.allowances_charges else line
            for line in (_priced(line, lost) if profile.paired else line for line in invoice.lines)
        ),
    )


def _party(party: Party, lost: list[str]) -> Party:
    endpoint = party.endpoint
    return _replace(
        party,
        identifiers=tuple(_coded(each, lost) for each in party.identifiers),
        legal_id=_coded(party.legal_id, lost) if party.legal_id else None,
        endpoint=_known(endpoint, lost) if endpoint else None,
    )


def _coded(identifier: Identifier, lost: list[str]) -> Identifier:
    """`identifier` with the code of its scheme, or without a scheme where it has none."""
    known = _known(identifier, lost)
    if not known.scheme or _ICD_CODE.fullmatch(known.scheme):
        return known
    lost.append(f"The scheme {known.scheme} of the identifier {known.value} is not in ISO 6523 and was left out.")
    return _replace(known, scheme=None)


def _known(identifier: Identifier, lost: list[str]) -> Identifier:
    code = ICD.get((identifier.scheme or "").upper())
    if code is None:
        return identifier
    lost.append(f"The scheme {identifier.scheme} of {identifier.value} is written as its code, {code}.")
    return _replace(identifier, scheme=code)


def _payment(payment: tuple[PaymentMeans, ...], lost: list[str]) -> tuple[PaymentMeans, ...]:
    """Of the ways to pay there is one (BT-81 to BT-83), with as many accounts (BG-17) as are stated for it."""
    coded = [each for each in payment if each.code]
    if len(coded) < 2:
        return payment
    first = next((each for each in coded if each.account), coded[0])
    kept = []
    for each in payment:
        if each.code and each.code != first.code:
            where = each.account or each.card or each.text or "no account"
            lost.append(f"Payment means {each.code} ({where}) has no place beside {first.code} (BT-81).")
            continue
        kept.append(_like(each, first, lost) if each.code else each)
    return tuple(kept)


def _like(means: PaymentMeans, first: PaymentMeans, lost: list[str]) -> PaymentMeans:
    """`means` without a text, which stands once, and without another reference (rules UBL-SR-46 and UBL-SR-44)."""
    if means is first:
        return means
    changed: dict[str, None] = {}
    for field, term in (("reference", "BT-83"), ("text", "BT-82")):
        value, other = getattr(means, field), getattr(first, field)
        if value and (value != other or field == "text"):
            changed[field] = None
        if value and value != other:
            lost.append(f"“{value}” ({term}) has no place beside “{other or 'none'}” of the other payment means.")
    return _replace(means, **changed) if changed else means


def _is_german(invoice: Invoice, profile: Profile) -> bool:
    """Whether the German rules of payment hold: in XRechnung, and in Peppol where the seller is in Germany."""
    address = invoice.seller.address
    return profile.is_xrechnung or (profile.paired and address is not None and address.country == "DE")


def _of_its_code(means: PaymentMeans, lost: list[str]) -> PaymentMeans:
    """`means` with the group that goes with its code alone: account (BG-17), card (BG-18) or mandate (BG-19), by the
    rules BR-DE-23 to BR-DE-25 and DE-R-023 to DE-R-025."""
    kept = _GROUP_OF.get(means.code or "")
    changed: dict[str, None] = {}
    for group, fields in _GROUPS.items() if kept else ():
        stated = [field for field in fields if getattr(means, field)]
        if group != kept and stated:
            changed |= dict.fromkeys(stated)
            said = ", ".join(str(getattr(means, field)) for field in stated)
            lost.append(f"Payment means {means.code} has no place for {group}; {said} was left out.")
    return _replace(means, **changed) if changed else means


def _accounting_currency(invoice: Invoice, lost: list[str]) -> str | None:
    """BT-6, which says nothing without the amount in it (rule BR-53)."""
    currency = invoice.accounting_currency
    if currency and invoice.totals.vat_accounting_currency is None:
        lost.append(f"The VAT accounting currency {currency} (BT-6) has no amount (BT-111) and was left out.")
        return None
    return currency


def _reason(entry: AllowanceCharge, lost: list[str]) -> AllowanceCharge:
    """`entry` without a code that is of no list; where there is no text, the code is the text."""
    code = entry.reason_code
    if not code or (_CHARGE.fullmatch(code) if entry.is_charge else code in _ALLOWANCES):
        return entry
    kind, term = ("charge", "BT-105") if entry.is_charge else ("allowance", "BT-98")
    told = "was left out" if entry.reason else "stands as its text"
    lost.append(f"The reason {code} of the {kind} of {entry.amount:f} is no code of EN 16931 ({term}) and {told}.")
    return _replace(entry, reason=entry.reason or code, reason_code=None)


def _paired(entry: AllowanceCharge, lost: list[str]) -> AllowanceCharge:
    """`entry` without a base amount or a percentage that stands alone (rules PEPPOL-EN16931-R041 and R042)."""
    if (entry.base is None) == (entry.percent is None):
        return entry
    kind = "charge" if entry.is_charge else "allowance"
    what = f"base amount {entry.base:f}" if entry.base is not None else f"percentage {entry.percent:f}"
    lost.append(f"The {what} of the {kind} of {entry.amount:f} was left out: it stands with both or with neither.")
    return _replace(entry, base=None, percent=None)


def _priced(line: Line, lost: list[str]) -> Line:
    """`line` without a gross price that is not the price and its discount (rule PEPPOL-EN16931-R046)."""
    gross = line.gross_price
    if gross is None or line.price is None or gross - (line.price_discount or 0) == line.price:
        return line
    lost.append(
        f"The gross price {gross:f} (BT-148) of line {line.id} was left out: with the discount it is not the price."
    )
    return _replace(line, gross_price=None, price_discount=None)


def _skonto(text: str | None) -> str | None:
    """Terms of payment (BT-20) of which a line `#SKONTO#…#` ends as rule BR-DE-18 wants it, with a line break."""
    return f"{text}\n" if text and text.splitlines()[-1].lstrip().startswith("#") else text
