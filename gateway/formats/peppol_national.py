"""What Peppol BIS Billing 3.0 asks of sellers in Sweden, Norway and Denmark beyond its own rules: the fatal rules that
an invoice of ours can break. No package carries them in a form that could be run on the way out, so they stand here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from gateway.en16931 import Identifier, Invoice, Party

Broken = tuple[str, str]  # the rule's id, and what it wants in words, with what there is instead

_F_SKATT = "Godkänd för F-skatt"
_RATES = {Decimal(25), Decimal(12), Decimal(6)}
_CVR = "0184"  # ISO 6523 ICD of Danish company numbers
_TEN_DIGITS = re.compile(r"\d{10}", re.ASCII)
_replace = msgspec.structs.replace


def settled(seller: Party, lost: list[str]) -> Party:
    """A Swedish seller as the rules want it where that is notation only; what changes or goes is named in `lost`."""
    legal = seller.legal_id
    if _country(seller) != "SE" or legal is None:
        return seller
    written = legal.value.replace("-", "").replace(" ", "")
    if written != legal.value and _TEN_DIGITS.fullmatch(written):
        lost.append(
            f"The seller's organisation number (BT-30) {legal.value} is written {written}, as SE-R-003 wants it."
        )
        seller = _replace(seller, legal_id=Identifier(value=written, scheme=legal.scheme))
    if seller.tax_id and seller.tax_id.casefold() != _F_SKATT.casefold():
        lost.append(f"The seller's tax number {seller.tax_id} (BT-32) was left out: SE-R-005 takes “{_F_SKATT}” only.")
        seller = _replace(seller, tax_id=None)
    return seller


def broken(invoice: Invoice) -> Iterator[Broken]:
    """The rules that `invoice` breaks, by the country of its seller."""
    country = _country(invoice.seller)
    if country == "SE":
        yield from _sweden(invoice)
    if (invoice.seller.vat_id or "")[:2] == "NO":
        yield from _norway(invoice.seller.vat_id or "")
    if country == "DK":
        yield from _denmark(invoice, is_domestic=_country(invoice.buyer) == "DK")


def _sweden(invoice: Invoice) -> Iterator[Broken]:
    vat, legal = invoice.seller.vat_id or "", invoice.seller.legal_id
    if vat[:2] == "SE" and not re.fullmatch(r"SE\d{12}", vat, re.ASCII):
        yield "SE-R-001", f"a Swedish VAT number of SE and twelve digits (BT-31); it is {vat}"
    if legal and not _TEN_DIGITS.fullmatch(legal.value):
        yield "SE-R-004", f"a Swedish organisation number of ten digits (BT-30); it is {legal.value}"
    elif legal and not _luhn(legal.value):
        yield "SE-R-013", f"an organisation number whose last digit checks the others (BT-30); it is {legal.value}"
    if vat[:2] == "SE":
        for rate in _standard_rates(invoice):
            if rate not in _RATES:
                yield "SE-R-006", f"Swedish VAT of 25, 12 or 6 % where it is of category S (BT-119); it is {rate:f} %"


def _norway(vat: str) -> Iterator[Broken]:
    digits = vat[2:11]
    if not re.fullmatch(r"NO\d{9}MVA", vat, re.ASCII) or not _mod11(digits):
        yield "NO-R-001", f"a Norwegian VAT number of NO, a valid organisation number and MVA (BT-31); it is {vat}"


def _denmark(invoice: Invoice, *, is_domestic: bool) -> Iterator[Broken]:
    seller, buyer = invoice.seller, invoice.buyer
    if seller.legal_id is None:
        yield "DK-R-002", "the CVR number of a Danish seller (BT-30); there is none"
    elif seller.legal_id.scheme != _CVR:
        yield "DK-R-014", f"the scheme {_CVR} for the seller's registration (BT-30); it is {seller.legal_id.scheme}"
    if not is_domestic:
        return
    for term, party in (("BT-29", seller), ("BT-46", buyer)):
        for identifier in party.identifiers:
            if not identifier.scheme:
                yield (
                    "DK-R-013",
                    f"a scheme for each identifier between Danish parties ({term}); {identifier.value} has none",
                )
    if buyer.legal_id and buyer.legal_id.scheme != _CVR:
        yield "DK-R-017", f"the scheme {_CVR} for a Danish buyer's registration (BT-47); it is {buyer.legal_id.scheme}"


def _standard_rates(invoice: Invoice) -> Iterator[Decimal]:
    groups = (*invoice.vat,)
    lines = ((line.vat_category, line.vat_rate) for line in invoice.lines)
    for category, rate in (*((vat.category, vat.rate) for vat in groups), *lines):
        if category == "S" and rate is not None:
            yield rate


def _country(party: Party) -> str | None:
    return party.address.country if party.address else None


def _luhn(number: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    digits = [int(digit) for digit in reversed(number)]
    return sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


def _mod11(number: str) -> bool:
    """The check of Norwegian organisation numbers: weights 3 2 7 6 5 4 3 2, modulus 11."""
    rest = -sum(int(digit) * weight for digit, weight in zip(number, (3, 2, 7, 6, 5, 4, 3, 2), strict=False)) % 11
    return rest == int(number[8])
