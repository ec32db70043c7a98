"""Parties of a UBL document in the terms of EN 16931: BG-4, BG-7, BG-10, BG-11, BG-13."""

from __future__ import annotations

import datetime as dt
from typing import Any

from gateway.en16931 import Address, Contact, Identifier, Party
from gateway.readers.ubl_paths import UBL

_VAT = ("VAT", "63")  # cac:TaxScheme/cbc:ID: UNTDID 5153, and the Danish code list of OIOUBL


def identifier_of(node: Any) -> Identifier | None:
    """The identifier in an element with its schemeID."""
    value = UBL.value(node, ".")
    return Identifier(value=value, scheme=(node.get("schemeID") or "").strip() or None) if value else None


def party_of(root: Any, path: str) -> Party:
    """The party at `path`, which either is a party or holds one as cac:Party; empty when there is none."""
    holder = UBL.node(root, path)
    if holder is None:
        return Party()
    party = UBL.node(holder, "cac:Party")
    party = holder if party is None else party
    legal_name = UBL.value(party, "cac:PartyLegalEntity/cbc:RegistrationName")
    trading_name = UBL.value(party, "cac:PartyName/cbc:Name")
    return Party(
        name=legal_name or trading_name,
        trading_name=trading_name if legal_name else None,
        identifiers=_identifiers(party, "cac:PartyIdentification/cbc:ID[not(@schemeID = 'SEPA')]"),
        legal_id=_identifier(party, "cac:PartyLegalEntity/cbc:CompanyID"),
        vat_id=_tax_number(party, is_vat=True),
        tax_id=_tax_number(party, is_vat=False),
        legal_form=UBL.text(party, "cac:PartyLegalEntity/cbc:CompanyLegalForm"),
        endpoint=_identifier(party, "cbc:EndpointID"),
        account_id=UBL.value(holder, "cbc:SupplierAssignedAccountID | cbc:CustomerAssignedAccountID"),
        address=address_of(UBL.node(party, "cac:PostalAddress")),
        contact=_contact(UBL.node(party, "cac:Contact")),
    )


def _identifier(node: Any, path: str) -> Identifier | None:
    found = _identifiers(node, path)
    return found[0] if found else None


def _identifiers(node: Any, path: str) -> tuple[Identifier, ...]:
    found = (identifier_of(hit) for hit in UBL.nodes(node, path))
    return tuple(identifier for identifier in found if identifier)


def _tax_number(party: Any, *, is_vat: bool) -> str | None:
    for scheme in UBL.nodes(party, "cac:PartyTaxScheme"):
        number = UBL.value(scheme, "cbc:CompanyID")
        if number and ((UBL.value(scheme, "cac:TaxScheme/cbc:ID") or "VAT").upper() in _VAT) is is_vat:
            return number
    return None


def address_of(node: Any) -> Address | None:
    """A postal address; UBL 2.0 writes the house number apart from the street."""
    if node is None:
        return None
    street = [UBL.value(node, "cbc:StreetName"), UBL.value(node, "cbc:BuildingNumber")]
    address = Address(
        line1=" ".join(part for part in street if part) or None,
        line2=UBL.value(node, "cbc:AdditionalStreetName"),
        line3=UBL.value(node, "cac:AddressLine/cbc:Line"),
        city=UBL.value(node, "cbc:CityName"),
        post_code=UBL.value(node, "cbc:PostalZone"),
        subdivision=UBL.value(node, "cbc:CountrySubentity"),
        country=UBL.value(node, "cac:Country/cbc:IdentificationCode"),
    )
    return address if address != Address() else None


def _contact(node: Any) -> Contact | None:
    if node is None:
        return None
    contact = Contact(
        name=UBL.value(node, "cbc:Name"),
        phone=UBL.value(node, "cbc:Telephone"),
        email=UBL.value(node, "cbc:ElectronicMail"),
    )
    return contact if contact != Contact() else None


def delivery_of(root: Any) -> tuple[Party | None, dt.date | None]:
    """The deliver-to party (BG-13), None when nothing is said of it, and the delivery date (BT-72)."""
    delivery = UBL.node(root, "cac:Delivery")
    if delivery is None:
        return None, None
    party = Party(
        name=UBL.value(delivery, "cac:DeliveryParty/cac:PartyName/cbc:Name"),
        identifiers=_identifiers(delivery, "cac:DeliveryLocation/cbc:ID"),
        address=address_of(UBL.node(delivery, "cac:DeliveryLocation/cac:Address")),
    )
    return party if party != Party() else None, UBL.date(delivery, "cbc:ActualDeliveryDate")
