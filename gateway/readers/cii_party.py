"""Parties of a Cross Industry Invoice in the terms of EN 16931: BG-4, BG-7, BG-10, BG-11, BG-13."""

from __future__ import annotations

from typing import Any

from gateway.en16931 import Address, Contact, Identifier, Party
from gateway.readers.cii_paths import Dialect


def identifier_of(node: Any, scheme: str | None = None) -> Identifier | None:
    """The identifier in an element with its schemeID, or with `scheme` where it has none."""
    value = " ".join((node.text or "").split())
    found = (node.get("schemeID") or scheme or "").strip()
    return Identifier(value=value, scheme=found or None) if 0 < len(value) <= 300 else None


def party_of(dialect: Dialect, root: Any, path: str) -> Party | None:
    """The party at `path`; None when there is none."""
    node = dialect.xpath.node(root, path)
    if node is None:
        return None
    xpath = dialect.xpath
    organization = "ram:SpecifiedLegalOrganization"
    party = Party(
        name=xpath.value(node, "ram:Name"),
        trading_name=xpath.value(node, f"{organization}/ram:TradingBusinessName"),
        identifiers=(*_identifiers(dialect, node, "ram:ID"), *_identifiers(dialect, node, "ram:GlobalID")),
        legal_id=_identifier(dialect, node, f"{organization}/ram:ID"),
        vat_id=xpath.value(node, "ram:SpecifiedTaxRegistration/ram:ID[@schemeID = 'VA']"),
        tax_id=xpath.value(node, "ram:SpecifiedTaxRegistration/ram:ID[@schemeID = 'FC']"),
        legal_form=xpath.text(node, "ram:Description"),
        endpoint=_identifier(dialect, node, "ram:URIUniversalCommunication/ram:URIID"),
        address=_address(dialect, xpath.node(node, "ram:PostalTradeAddress")),
        contact=_contact(dialect, xpath.node(node, "ram:DefinedTradeContact")),
    )
    return party if party != Party() else None


def _identifiers(dialect: Dialect, node: Any, path: str) -> tuple[Identifier, ...]:
    found = (identifier_of(hit) for hit in dialect.xpath.nodes(node, path))
    return tuple(identifier for identifier in found if identifier)


def _identifier(dialect: Dialect, node: Any, path: str) -> Identifier | None:
    found = _identifiers(dialect, node, path)
    return found[0] if found else None


def _address(dialect: Dialect, node: Any) -> Address | None:
    if node is None:
        return None
    xpath = dialect.xpath
    address = Address(
        line1=xpath.value(node, "ram:LineOne"),
        line2=xpath.value(node, "ram:LineTwo"),
        line3=xpath.value(node, "ram:LineThree"),
        city=xpath.value(node, "ram:CityName"),
        post_code=xpath.value(node, "ram:PostcodeCode"),
        subdivision=xpath.value(node, "ram:CountrySubDivisionName"),
        country=xpath.value(node, "ram:CountryID"),
    )
    return address if address != Address() else None


def _contact(dialect: Dialect, node: Any) -> Contact | None:
    if node is None:
        return None
    xpath = dialect.xpath
    contact = Contact(
        name=xpath.value(node, "ram:PersonName") or xpath.value(node, "ram:DepartmentName"),
        phone=xpath.value(node, "ram:TelephoneUniversalCommunication/ram:CompleteNumber"),
        email=xpath.value(node, "ram:EmailURIUniversalCommunication/ram:URIID"),
    )
    return contact if contact != Contact() else None
