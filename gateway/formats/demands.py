"""What a profile demands before anything is written: every mandatory term, and amounts that it can hold as written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from decimal import Decimal

from gateway.doctypes.invoice import INVOICE
from gateway.en16931 import AllowanceCharge, Invoice, Line, Party
from gateway.errors import Unconvertible
from gateway.formats.terms import NAMES, place
from gateway.model import ReadDocument

Stated = tuple[str, object]  # a term, and what the invoice says of it; None or empty when it says nothing
Demand = Callable[[Invoice], Iterator[Stated]]

_MOST_DECIMALS = 2  # of amounts: EN 16931-1 §6.5.2, rules BR-DEC-*
_UNTAXED = "O"  # the VAT category without a rate
# ISO 6523 codes of the words that UBL had for schemes before EN 16931 (Peppol BIS 2, EHF 2, OIOUBL)
ICD = {
    "GLN": "0088", "DUNS": "0060", "SE:ORGNR": "0007", "NO:ORGNR": "0192", "DK:CVR": "0184", "DK:SE": "0198",
    "DK:P": "0096", "FI:OVT": "0037", "FR:SIRET": "0009", "FR:SIRENE": "0002", "NL:KVK": "0106", "NL:OINO": "0190",
    "BE:CBE": "0208", "DE:LWID": "0204",
}  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile:
    """A specification that invoices are written to."""

    name: str  # what people call it, for sentences
    specification: str  # BT-24
    process: str | None = None  # BT-23 where the profile knows one only
    accepted: tuple[str, ...] = ()  # starts of other specifications that fulfil this one
    demands: tuple[Demand, ...]
    types: frozenset[str] | None = None  # UNTDID 1001; None: every invoice and credit note
    one_note: bool = False
    paired: bool = False  # an allowance has a base amount and a percentage, or neither: PEPPOL-EN16931-R041, R042
    is_xrechnung: bool = False


def is_held_by(profile: Profile, specification: str | None) -> bool:
    """Whether an invoice that names `specification` (BT-24) is one of `profile` as it is."""
    named = "".join((specification or "").split())
    return named == profile.specification or named.startswith(profile.accepted or ("\0",))


def invoice_for(profile: Profile, document: ReadDocument) -> Invoice:
    """The content of `document` that `profile` can hold; Unconvertible with the term that is missing or impossible."""
    invoice = stated_for(profile, document)
    _refuse_long_amounts(profile, invoice)
    _refuse_wrong_sums(profile, invoice)
    return invoice


def stated_for(profile: Profile, document: ReadDocument) -> Invoice:
    """The same, with amounts of any length and whatever they add up to."""
    invoice = document.invoice
    if invoice is None:
        raise Unconvertible(
            "type", f"Only invoices and credit notes can be written as {profile.name}; {_other(document)}."
        )
    for demand in profile.demands:
        for term, value in demand(invoice):
            if value in (None, ""):
                where = place(term, document)
                words = f"{NAMES[term].words} ({term})"
                if term == "BT-9" and not invoice.payment_terms:
                    words = f"payment terms (BT-20) or the {words}"  # BR-CO-25
                raise Unconvertible(term, f"{profile.name} needs the {words}; none is at {where}.")
    if profile.types is not None and invoice.type_code not in profile.types:
        raise Unconvertible("BT-3", f"{profile.name} has no document of the type {invoice.type_code} (BT-3).")
    return invoice


def _other(document: ReadDocument) -> str:
    """What a document without the content of an invoice is."""
    if document.format == "pdf":
        return "this is a PDF without an invoice inside"
    if document.type == INVOICE.name:
        return f"of this one ({document.format}) no more is read than what it is routed and shown by"
    return f"this is {document.type.replace('_', ' ')}"


def cents(amount: Decimal | None) -> Decimal | None:
    """`amount` with at most two decimals: zeros beyond are left out, nothing is rounded."""
    if amount is None or -int(amount.as_tuple().exponent) <= _MOST_DECIMALS:
        return amount
    return amount.quantize(Decimal("0.01"))


def _refuse_long_amounts(profile: Profile, invoice: Invoice) -> None:
    for term, amount in _amounts(invoice):
        if amount is not None and amount != round(amount, _MOST_DECIMALS):
            sentence = (
                f"{profile.name} holds amounts with {_MOST_DECIMALS} decimals; the {NAMES[term].words} ({term}) is"
            )
            raise Unconvertible(term, f"{sentence} {amount:f}.")


def _refuse_wrong_sums(profile: Profile, invoice: Invoice) -> None:
    """Every reader adds up (rules BR-CO-10 to BR-CO-16); what does not is refused there, so it is held here."""
    for rule, term, stated, parts in _sums(invoice):
        total = sum(parts, Decimal(0))
        if stated is not None and stated != total:
            words = f"the {NAMES[term].words} ({term}) is {stated:f}, and what it is made of gives {total:f}"
            raise Unconvertible(rule, f"{profile.name} needs sums that add up ({rule}); {words}.")


def _sums(invoice: Invoice) -> Iterator[tuple[str, str, Decimal | None, list[Decimal]]]:
    """Rule, term, amount stated, and the amounts that it is the sum of."""
    totals, zero = invoice.totals, Decimal(0)
    allowances = [entry.amount for entry in invoice.allowances_charges if not entry.is_charge]
    charges = [entry.amount for entry in invoice.allowances_charges if entry.is_charge]
    net = [totals.lines or zero, -(totals.allowances or zero), totals.charges or zero]
    due = [totals.with_vat or zero, -(totals.paid or zero), totals.rounding or zero]
    yield "BR-CO-10", "BT-106", totals.lines, [line.amount or zero for line in invoice.lines]
    yield "BR-CO-11", "BT-107", totals.allowances or (zero if allowances else None), allowances
    yield "BR-CO-12", "BT-108", totals.charges or (zero if charges else None), charges
    yield "BR-CO-13", "BT-109", totals.without_vat, net
    yield "BR-CO-14", "BT-110", totals.vat, [vat.amount or zero for vat in invoice.vat]
    yield "BR-CO-15", "BT-112", totals.with_vat, [totals.without_vat or zero, totals.vat or zero]
    yield "BR-CO-16", "BT-115", totals.payable, due


def _amounts(invoice: Invoice) -> Iterator[tuple[str, Decimal | None]]:
    totals = invoice.totals
    yield from (
        ("BT-106", totals.lines),
        ("BT-107", totals.allowances),
        ("BT-108", totals.charges),
        ("BT-109", totals.without_vat),
        ("BT-110", totals.vat),
        ("BT-111", totals.vat_accounting_currency),
        ("BT-112", totals.with_vat),
        ("BT-113", totals.paid),
        ("BT-114", totals.rounding),
        ("BT-115", totals.payable),
    )
    for vat in invoice.vat:
        yield from (("BT-116", vat.taxable), ("BT-117", vat.amount))
    for entry in invoice.allowances_charges:
        yield from (("BT-92", entry.amount), ("BT-92", entry.base))
    for line in invoice.lines:
        yield "BT-131", line.amount
        for entry in line.allowances_charges:
            yield from (("BT-136", entry.amount), ("BT-136", entry.base))


# --- what EN 16931-1 demands of every invoice --------------------------------------------------------------


def en16931(invoice: Invoice) -> Iterator[Stated]:
    """The mandatory terms (cardinality 1) and the rules that make others mandatory."""
    seller, buyer, totals = invoice.seller, invoice.buyer, invoice.totals
    yield from (
        ("BT-1", invoice.number),
        ("BT-2", invoice.issue_date),
        ("BT-3", invoice.type_code),
        ("BT-5", invoice.currency),
        ("BT-27", seller.name),
        ("BT-40", _country(seller)),
        ("BT-31", seller.vat_id or seller.tax_id or seller.legal_id or seller.identifiers or None),  # BR-CO-26, BR-S-02
        ("BT-44", buyer.name),
        ("BT-55", _country(buyer)),
        ("BT-106", totals.lines),
        ("BT-109", totals.without_vat),
        ("BT-110", totals.vat),
        ("BT-112", totals.with_vat),
        ("BT-115", totals.payable),
        ("BG-23", invoice.vat or None),
    )
    if totals.payable is not None and totals.payable > 0:
        yield "BT-9", invoice.due_date or invoice.payment_terms  # BR-CO-25
    for vat in invoice.vat:
        yield from (("BT-116", vat.taxable), ("BT-117", vat.amount), ("BT-118", vat.category))
        yield "BT-119", "0" if vat.category == _UNTAXED else vat.rate  # BR-48
    for entry in invoice.allowances_charges:
        yield from (("BT-95", entry.vat_category), ("BT-97", _reason(entry)))  # BR-32, BR-33, BR-37, BR-38
    yield from (("BT-81", means.code) for means in invoice.payment if means.account or means.card)
    yield "BG-25", invoice.lines or None  # BR-16
    for line in invoice.lines:
        yield from _line(line)


def _line(line: Line) -> Iterator[Stated]:
    yield from (
        ("BT-126", line.id),
        ("BT-129", line.quantity),
        ("BT-130", line.unit),
        ("BT-131", line.amount),
        ("BT-146", line.price),
        ("BT-151", line.vat_category),
        ("BT-153", line.name),
    )
    yield from (("BT-139", _reason(entry)) for entry in line.allowances_charges)  # BR-42, BR-44


def _country(party: Party) -> str | None:
    return party.address.country if party.address else None


def _reason(entry: AllowanceCharge) -> str | None:
    return entry.reason or entry.reason_code


# --- what profiles demand in addition ----------------------------------------------------------------------


def peppol(invoice: Invoice) -> Iterator[Stated]:
    """Peppol BIS Billing 3.0: rules PEPPOL-EN16931-R003, R010 and R020."""
    yield "BT-10", invoice.buyer_reference or invoice.order or invoice.sales_order
    for term, party in (("BT-34", invoice.seller), ("BT-49", invoice.buyer)):
        yield term, _endpoint(party) if (scheme_of(party) or "").isdigit() else None  # CL008: no e-mail addresses


def xrechnung(invoice: Invoice) -> Iterator[Stated]:
    """XRechnung 3.0: rules BR-DE-1 to BR-DE-9, BR-DE-14, BR-DE-15, and the electronic addresses."""
    contact, seller, buyer = invoice.seller.contact, invoice.seller.address, invoice.buyer.address
    yield "BT-10", invoice.buyer_reference
    yield from (
        ("BT-41", contact and contact.name),
        ("BT-42", contact and contact.phone),
        ("BT-43", contact and contact.email),
    )
    yield from (("BT-37", seller and seller.city), ("BT-38", seller and seller.post_code))
    yield from (("BT-52", buyer and buyer.city), ("BT-53", buyer and buyer.post_code))
    yield "BT-81", next((means.code for means in invoice.payment if means.code), None)
    yield from (("BT-119", vat.rate) for vat in invoice.vat)  # BR-DE-14: of category O as well
    yield from (("BT-34", _endpoint(invoice.seller)), ("BT-49", _endpoint(invoice.buyer)))


def _endpoint(party: Party) -> str | None:
    return party.endpoint.value if party.endpoint and scheme_of(party) else None


def scheme_of(party: Party) -> str | None:
    """The scheme of a party's electronic address (EAS); one with an @ and without a scheme is an e-mail address."""
    if party.endpoint is None:
        return None
    scheme = party.endpoint.scheme
    return ICD.get((scheme or "").upper(), scheme) or ("EM" if "@" in party.endpoint.value else None)
