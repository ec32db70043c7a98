"""Parties in an INVOIC message: NAD with FII, RFF and CTA."""

from __future__ import annotations

from gateway.en16931 import Address, Identifier, Invoice, Party, PaymentMeans
from gateway.formats.edifactout import Interchange, Latin
from gateway.formats.fitting import wrapped

_PART, _MOST_NAMES, _MOST_STREETS = 35, 5, 4  # C080 3036, C059 3042
_POST_CODE, _SUBDIVISION = 9, 9
_GS1, _GLN = "9", "0088"  # UNTDID 3055, and what ISO 6523 calls its numbers
_MOST_ACCOUNTS = 5
_NAMES = {"SE": "BT-27", "BY": "BT-44", "PE": "BT-59", "DP": "BT-70"}


def write_parties(out: Interchange, invoice: Invoice, fit: Latin) -> None:
    """BG-4, BG-7, BG-10, BG-13; D.96A has no code for who declares the VAT (BG-11)."""
    _party(out, "SE", invoice.seller, fit)
    _accounts(out, invoice.payment, fit)
    _references(out, invoice.seller, fit)
    _contacts(out, invoice.seller, "BT-34", ("BT-41", "BT-42", "BT-43"), fit)
    _party(out, "BY", invoice.buyer, fit)
    _references(out, invoice.buyer, fit)
    _reference(out, "IT", "the customer number", _customer_number(invoice.buyer), fit)
    _contacts(out, invoice.buyer, "BT-49", ("BT-56", "BT-57", "BT-58"), fit)
    if invoice.payee:
        _party(out, "PE", invoice.payee, fit)
        _references(out, invoice.payee, fit)
    if invoice.deliver_to:
        _party(out, "DP", invoice.deliver_to, fit)
    if invoice.tax_representative:
        fit.leave("the seller's tax representative (BG-11)", invoice.tax_representative.name)


def _party(out: Interchange, role: str, party: Party, fit: Latin) -> None:
    term = _NAMES[role]
    if role in ("SE", "BY"):
        fit.needed(term, party.name, _PART * _MOST_NAMES)
    names = wrapped(fit.text(term, party.name, _PART * _MOST_NAMES), _PART)
    if len(names) > _MOST_NAMES:
        fit.leave(f"so long a name ({term})", " ".join(names[_MOST_NAMES:]))
    fit.leave("a trading name (BT-28, BT-45)", party.trading_name)
    address = party.address or Address()
    out.put(
        "NAD",
        role,
        _identifier(party, role, fit),
        None,
        tuple(names[:_MOST_NAMES]),
        tuple(_streets(address, fit)),
        fit.text("the city", address.city, _PART),
        fit.code("the subdivision of a country", address.subdivision, _SUBDIVISION),
        fit.code("the post code", address.post_code, _POST_CODE),
        address.country,
    )


def _chosen(party: Party) -> Identifier | None:
    """The identifier that NAD holds: a GS1 number before others."""
    identifiers = party.identifiers
    return next((each for each in identifiers if each.scheme == _GLN), identifiers[0] if identifiers else None)


def _customer_number(buyer: Party) -> str | None:
    """The number that the seller gave the buyer: as such, or as an identifier without scheme beside a GS1 number."""
    others = [each.value for each in buyer.identifiers if not each.scheme and each is not _chosen(buyer)]
    return buyer.account_id or (others[0] if others else None)


def _identifier(party: Party, role: str, fit: Latin) -> tuple[str | None, ...] | None:
    """C082."""
    chosen = _chosen(party)
    elsewhere = _customer_number(party) if role == "BY" else None
    for each in party.identifiers:
        if each is not chosen and each.value != elsewhere:
            fit.leave("a further identifier of a party", each.value)
    if chosen is None or (value := fit.code("an identifier of a party", chosen.value, _PART)) is None:
        return None
    if chosen.scheme and chosen.scheme != _GLN:
        fit.leave("the scheme of an identifier", chosen.scheme)
    return (value, None, _GS1) if chosen.scheme == _GLN else (value,)


def _streets(address: Address, fit: Latin) -> list[str]:
    """C059: three lines as they are where they fit, else cut at blanks."""
    lines = [fit.latin("an address line", line) for line in (address.line1, address.line2, address.line3)]
    streets = [piece for line in lines for piece in wrapped(line, _PART)]
    if len(streets) > _MOST_STREETS:
        fit.leave("so long an address", " ".join(streets[_MOST_STREETS:]))
    return streets[:_MOST_STREETS]


def _accounts(out: Interchange, payment: tuple[PaymentMeans, ...], fit: Latin) -> None:
    """FII: the accounts to pay to (BT-84 to BT-86)."""
    paid = [means for means in payment if means.account]
    for means in paid[:_MOST_ACCOUNTS]:
        names = wrapped(fit.text("BT-85", means.account_name, 2 * _PART), _PART)
        fit.leave("so long a name of an account (BT-85)", " ".join(names[2:]))
        bic = fit.code("BT-86", means.bic, 11)
        bank = (bic, "25", "5") if bic else None  # UNTDID 1131 bank identification, 3055 ISO
        out.put("FII", "RB", (fit.code("BT-84", "".join((means.account or "").split()), _PART), *names[:2]), bank)
    for means in paid[_MOST_ACCOUNTS:]:
        fit.leave("a further account (BT-84)", means.account)


def _references(out: Interchange, party: Party, fit: Latin) -> None:
    """RFF: registration, VAT number, tax number."""
    if party.legal_id:
        _reference(out, "XA", "the registration of a party", party.legal_id.value, fit)
        fit.leave("the scheme of a registration", party.legal_id.scheme)
    _reference(out, "VA", "the VAT number", party.vat_id, fit)
    _reference(out, "AHP", "the tax number", party.tax_id, fit)


def _reference(out: Interchange, code: str, term: str, value: str | None, fit: Latin) -> None:
    if kept := fit.code(term, value, _PART):
        out.put("RFF", (code, kept))


def _contacts(out: Interchange, party: Party, endpoint: str, terms: tuple[str, str, str], fit: Latin) -> None:
    """CTA and COM: an e-mail address as electronic address stands by itself, then the person."""
    contact = party.contact
    if party.endpoint and party.endpoint.scheme == "EM" and contact and (contact.name or contact.email):
        out.put("CTA", "IC")
        out.put("COM", (fit.code(endpoint, party.endpoint.value, 512), "EM"))
    elif party.endpoint:
        fit.leave(f"this electronic address ({endpoint})", party.endpoint.value)
    if contact is None:
        return
    out.put("CTA", "SU", (None, fit.text(terms[0], contact.name, _PART)))
    if contact.phone and (phone := fit.code(terms[1], contact.phone, 512)):
        out.put("COM", (phone, "TE"))
    if contact.email and (email := fit.code(terms[2], contact.email, 512)):
        out.put("COM", (email, "EM"))
