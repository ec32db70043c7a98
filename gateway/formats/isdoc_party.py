"""Parties in ISDOC 6: BG-4, BG-7, BG-13. The schema wants every part of an address; one that is not stated is empty."""

from __future__ import annotations

from gateway.en16931 import Address, Contact, Identifier, Party
from gateway.formats.fitting import Fitting
from gateway.formats.xmlout import Node

NAME = "ISDOC 6"
_GLN, _BUSINESS = "0088", "0154"  # ISO 6523: GLN, Czech business number


def write_party(root: Node, path: str, party: Party, fit: Fitting, whose: str) -> None:
    """One party, all its parts in the order of the schema."""
    node = root.open(f"{path}/Party")
    identification = node.open("PartyIdentification")
    own = next((each for each in party.identifiers if each.scheme is None), None)
    catalogue = next((each for each in party.identifiers if each.scheme == _GLN), None)
    number = party.account_id or (own.value if own else None)
    identification.put("UserID", number)
    identification.put("CatalogFirmIdentification", catalogue.value if catalogue else None)
    _must(identification, "ID", party.legal_id.value if party.legal_id else None)
    if party.legal_id and party.legal_id.scheme != _BUSINESS:
        fit.leave(f"the scheme of the registration of {whose}", party.legal_id.scheme)
    _leave_identifiers(party, number, catalogue, whose, fit)
    _must(node.open("PartyName"), "Name", party.name)
    fit.leave(f"the trading name of {whose}", party.trading_name)
    _address(node.open("PostalAddress"), party.address or Address(), whose, fit)
    for scheme, company in (("VAT", party.vat_id), ("TIN", party.tax_id)):
        if company:
            tax = node.open("PartyTaxScheme")
            tax.put("CompanyID", company)
            tax.put("TaxScheme", scheme)
    node.put("RegisterIdentification/Preformatted", party.legal_form)
    contact = party.contact or Contact()
    said = node.open("Contact")
    said.put("Name", contact.name)
    said.put("Telephone", contact.phone)
    said.put("ElectronicMail", contact.email)
    fit.leave(f"the electronic address of {whose}", party.endpoint and party.endpoint.value)


def _leave_identifiers(
    party: Party, number: str | None, catalogue: Identifier | None, whose: str, fit: Fitting
) -> None:
    for identifier in party.identifiers:
        if identifier is not catalogue and identifier.value != number:
            fit.leave(f"a further identifier of {whose}", identifier.value)


def _must(node: Node, path: str, value: str | None) -> None:
    """An element that the schema wants; empty where nothing is stated."""
    node.open(path, keep=True).element.text = value or None


def _address(node: Node, address: Address, whose: str, fit: Fitting) -> None:
    """The number of a house stands with the street: EN 16931 does not part them."""
    lines = [line for line in (address.line1, address.line2, address.line3) if line]
    _must(node, "StreetName", ", ".join(lines))
    if len(lines) > 1:
        fit.lost.append(f"{NAME} holds one line of an address; the {len(lines)} of {whose} stand in it.")
    _must(node, "BuildingNumber", None)
    _must(node, "CityName", address.city)
    _must(node, "PostalZone", address.post_code)
    country = node.open("Country")
    _must(country, "IdentificationCode", address.country)
    _must(country, "Name", None)
    fit.leave(f"the part of the country of {whose}", address.subdivision)
