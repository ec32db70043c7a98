"""Parties of a Facturae in the terms of EN 16931: BG-4 and BG-7."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.en16931 import Address, Contact, Identifier, Party
from gateway.readers.facturae_codes import COUNTRIES
from gateway.readers.xpath import Paths

FACTURAE = Paths({})

_ALPHA_2 = frozenset(COUNTRIES.values())
_REGISTRATION = ("RegisterOfCompaniesLocation", "Book", "Volume", "Folio", "Section", "Sheet")


def name_of(node: Any) -> str | None:
    """The name of a firm, or of a person in three elements."""
    if node is None:
        return None
    parts = [FACTURAE.value(node, f"Individual/{name}") for name in ("Name", "FirstSurname", "SecondSurname")]
    return FACTURAE.value(node, "LegalEntity/CorporateName") or " ".join(part for part in parts if part) or None


def seller_of(root: Any) -> Party:
    """BG-4: a number of another country is a VAT number, a Spanish one (NIF) a tax number."""
    node = FACTURAE.node(root, "Parties/SellerParty")
    if node is None:
        return Party()
    number, is_vat = _number(node)
    data = [FACTURAE.value(node, f"LegalEntity/RegistrationData/{name}") for name in _REGISTRATION]
    return msgspec.structs.replace(
        _party(node),
        vat_id=number if is_vat else None,
        tax_id=None if is_vat else number,
        legal_form=" ".join(part for part in data if part) or None,
    )


def buyer_of(root: Any) -> Party:
    """BG-7: a Spanish number is the buyer's registration, since EN 16931 has no place for a tax number there."""
    node = FACTURAE.node(root, "Parties/BuyerParty")
    if node is None:
        return Party()
    number, is_vat = _number(node)
    return msgspec.structs.replace(
        _party(node),
        vat_id=number if is_vat else None,
        legal_id=Identifier(value=number) if number and not is_vat else None,
    )


def _number(node: Any) -> tuple[str | None, bool]:
    """The tax number, and whether it starts with a country as VAT numbers do."""
    number = FACTURAE.value(node, "TaxIdentification/TaxIdentificationNumber")
    return number, (number or "")[:2] in _ALPHA_2


def _party(node: Any) -> Party:
    return Party(
        name=name_of(node),
        trading_name=FACTURAE.value(node, "LegalEntity/TradeName"),
        identifiers=_identifiers(node),
        address=_address(node),
        contact=_contact(node),
    )


def _identifiers(node: Any) -> tuple[Identifier, ...]:
    value = FACTURAE.value(node, "PartyIdentification")
    return (Identifier(value=value),) if value else ()


def _address(node: Any) -> Address | None:
    """In Spain with a post code, elsewhere with post code and town in one."""
    spain, overseas = FACTURAE.node(node, "*/AddressInSpain"), FACTURAE.node(node, "*/OverseasAddress")
    place = spain if spain is not None else overseas
    if place is None:
        return None
    country = FACTURAE.value(place, "CountryCode")
    return Address(
        line1=FACTURAE.value(place, "Address"),
        city=FACTURAE.value(place, "Town | PostCodeAndTown"),
        post_code=FACTURAE.value(place, "PostCode"),
        subdivision=FACTURAE.value(place, "Province"),
        country=COUNTRIES.get(country or ""),
    )


def _contact(node: Any) -> Contact | None:
    details = "*/ContactDetails"
    contact = Contact(
        name=FACTURAE.value(node, f"{details}/ContactPersons"),
        phone=FACTURAE.value(node, f"{details}/Telephone"),
        email=FACTURAE.value(node, f"{details}/ElectronicMail"),
    )
    return contact if contact != Contact() else None
