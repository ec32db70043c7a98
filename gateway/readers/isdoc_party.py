"""Parties of an ISDOC in the terms of EN 16931: BG-4, BG-7, BG-13."""

from __future__ import annotations

from typing import Any

from gateway.en16931 import Address, Contact, Identifier, Party
from gateway.readers.isdoc_paths import BUSINESS, GLN, ISDOC

_NOTHING = ("0", "-")  # what programs write where there is no number


def party_of(root: Any, path: str) -> Party:
    """The party at `path`; empty when there is none."""
    node = ISDOC.node(root, f"{path}/Party")
    if node is None:
        return Party()
    business = _number(node, "PartyIdentification/ID")
    catalogue = _number(node, "PartyIdentification/CatalogFirmIdentification")
    return Party(
        name=ISDOC.value(node, "PartyName/Name"),
        identifiers=(Identifier(value=catalogue, scheme=GLN),) if catalogue else (),
        legal_id=Identifier(value=business, scheme=_scheme(business)) if business else None,
        vat_id=ISDOC.value(node, "PartyTaxScheme[TaxScheme = 'VAT']/CompanyID"),
        tax_id=ISDOC.value(node, "PartyTaxScheme[TaxScheme = 'TIN']/CompanyID"),
        legal_form=_register(node),
        account_id=_number(node, "PartyIdentification/UserID"),
        address=_address(ISDOC.node(node, "PostalAddress")),
        contact=_contact(ISDOC.node(node, "Contact")),
    )


def _number(node: Any, path: str) -> str | None:
    value = ISDOC.value(node, path)
    return None if value in _NOTHING else value


def _scheme(number: str) -> str | None:
    """Czech business numbers have eight digits."""
    return BUSINESS if len(number) == 8 and number.isdigit() else None


def _register(node: Any) -> str | None:
    """BT-33: the entry in the register, in whatever parts it is given."""
    parts = ISDOC.values(node, "RegisterIdentification/*[not(self::RegisterDate)]")
    return ", ".join(parts) or None


def _address(node: Any) -> Address | None:
    if node is None:
        return None
    street = [ISDOC.value(node, "StreetName"), ISDOC.value(node, "BuildingNumber")]
    address = Address(
        line1=" ".join(part for part in street if part) or None,
        city=ISDOC.value(node, "CityName"),
        post_code=ISDOC.value(node, "PostalZone"),
        country=ISDOC.value(node, "Country/IdentificationCode"),
    )
    return address if address != Address() else None


def _contact(node: Any) -> Contact | None:
    if node is None:
        return None
    contact = Contact(
        name=ISDOC.value(node, "Name"),
        phone=ISDOC.value(node, "Telephone"),
        email=ISDOC.value(node, "ElectronicMail"),
    )
    return contact if contact != Contact() else None
