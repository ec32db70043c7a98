"""The vocabulary of ebInterface 3.0 to 6.1 (AUSTRIAPRO), read without namespaces: codes, countries, identifiers."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from gateway.readers.xpath import Paths

SPACE = "http://www.ebinterface.at/schema/"
VERSION = re.compile(rf"\{{{re.escape(SPACE)}(\d)p(\d+)/\}}Invoice")
EBINTERFACE = Paths({})

# DocumentType (enumeration of the schemas) to UNTDID 1001
TYPES = {
    "Invoice": "380",
    "CreditMemo": "381",
    "SelfBilling": "389",
    "InvoiceForAdvancePayment": "386",
    "InvoiceForPartialDelivery": "326",
    "FinalSettlement": "380",
    "SubsequentCredit": "381",
    "SubsequentDebit": "383",
}
NO_VAT_NUMBER = re.compile(r"0{8,}")  # what stands where a party has none, since the schemas want something

# AddressIdentifierType to ISO 6523
_SCHEMES = {"GLN": "0088", "DUNS": "0060"}
REGISTRATIONS = frozenset({"FN", "FBNR", "FB", "Firmenbuchnummer"})  # IdentificationType of the companies' register
TAX_NUMBERS = frozenset({"Steuernummer", "StNr", "StNr."})
# Before 5.0 the country is a text; how Austrian senders write the countries next to them. ISO 3166-1.
_COUNTRIES = {
    "österreich": "AT", "oesterreich": "AT", "austria": "AT", "deutschland": "DE", "germany": "DE", "schweiz": "CH",
    "liechtenstein": "LI", "italien": "IT", "ungarn": "HU", "slowenien": "SI", "slowakei": "SK", "tschechien": "CZ",
}  # fmt: skip
_LOWER = "AA"  # UNTDID 5305: lower rate, which EN 16931 counts as S


def scheme_of(kind: str | None) -> str | None:
    """The ISO 6523 code of an identifier's type; other types stay as they are, and the sender's own has none."""
    return None if kind in (None, "", "ProprietaryAddressID") else _SCHEMES.get(kind or "", kind)


def country_of(address: Any) -> str | None:
    """ISO 3166-1 by the attribute, or by the text when that is a code or a country we know."""
    code = EBINTERFACE.value(address, "Country/@CountryCode")
    text = EBINTERFACE.value(address, "Country") or ""
    return code or _COUNTRIES.get(text.casefold()) or (text if re.fullmatch(r"[A-Z]{2}", text) else None)


def rate_of(node: Any) -> Decimal | None:
    """The VAT rate in whatever element the version has for it."""
    return EBINTERFACE.decimal(node, "TaxItem/TaxPercent | TaxPercent | VATRate | TaxRate")


def category_of(node: Any) -> tuple[str | None, str | None]:
    """UNTDID 5305 and the reason for no VAT: codes since 5.0, before that an exemption or a rate."""
    code = EBINTERFACE.value(node, "(TaxItem/TaxPercent | TaxPercent)/@TaxCategoryCode")
    exemption = EBINTERFACE.text(node, "TaxExemption")
    if code:
        return ("S" if code == _LOWER else code), EBINTERFACE.text(node, "TaxItem/Comment | self::TaxItem/Comment")
    return ("E" if exemption else None), exemption
