"""Parties in a Svefaktura 1.0: BG-4, BG-7, and addresses."""

from __future__ import annotations

from gateway.en16931 import Address, Contact, Identifier, Party
from gateway.formats.fitting import Fitting
from gateway.formats.xmlout import Node

NAME = "Svefaktura 1.0"
_SWEDEN = "SE"
_AGENCIES = {"0088": "9", "0060": "16"}  # ISO 6523 to UNTDID 3055: GLN, DUNS


def write_seller(root: Node, seller: Party, fit: Fitting) -> None:
    """BG-4. The tax scheme SWT carries the registration and what is said about tax on earnings (F-skatt, BT-32)."""
    _party(root.open("cac:SellerParty/cac:Party"), seller, fit, seller.identifiers)
    fit.leave("the electronic address of the seller (BT-34)", seller.endpoint and seller.endpoint.value)
    fit.leave("the legal form of the seller (BT-33)", seller.legal_form)


def write_buyer(root: Node, buyer: Party, fit: Fitting) -> None:
    """BG-7; the number that the seller gave the buyer is the first identifier."""
    given = (Identifier(value=buyer.account_id),) if buyer.account_id else ()
    others = tuple(each for each in buyer.identifiers if each.value != buyer.account_id)
    _party(root.open("cac:BuyerParty/cac:Party"), buyer, fit, (*given, *others))
    fit.leave("the electronic address of the buyer (BT-49)", buyer.endpoint and buyer.endpoint.value)


def _party(node: Node, party: Party, fit: Fitting, identifiers: tuple[Identifier, ...]) -> None:
    for identifier in identifiers:
        agency = _AGENCIES.get(identifier.scheme or "")
        node.put(
            "cac:PartyIdentification/cac:ID",
            identifier.value,
            identificationSchemeID=None if agency else identifier.scheme,
            identificationSchemeAgencyID=agency,
        )
    node.put("cac:PartyName/cbc:Name", party.name)
    fit.leave("trading names", party.trading_name)
    address = node.open("cac:Address", keep=True)
    if party.address:
        write_address(address, party.address, fit)
    if party.vat_id:
        vat = node.open("cac:PartyTaxScheme")
        vat.put("cac:CompanyID", party.vat_id)
        vat.put("cac:TaxScheme/cac:ID", "VAT")
    is_swedish = party.address is not None and party.address.country == _SWEDEN
    if party.legal_id and is_swedish:
        swt = node.open("cac:PartyTaxScheme")
        swt.put("cac:CompanyID", party.legal_id.value)
        swt.put("cbc:ExemptionReason", party.tax_id)
        swt.put("cac:TaxScheme/cac:ID", "SWT")
    else:
        fit.leave("a registration outside Sweden (BT-30, BT-47)", party.legal_id and party.legal_id.value)
        fit.leave("a tax number outside Sweden (BT-32)", party.tax_id)
    _contact(node.open("cac:Contact"), party.contact)


def write_address(node: Node, address: Address, fit: Fitting) -> None:
    """BG-5, BG-8 or BG-15."""
    first, *others = [line for line in (address.line1, address.line2, address.line3) if line] or [""]
    node.put("cbc:StreetName", first)
    node.put("cbc:CityName", address.city)
    node.put("cbc:PostalZone", address.post_code)
    more = node.open("cac:AddressLine")
    for line in others:
        more.put("cbc:Line", line)
    node.put("cac:Country/cac:IdentificationCode", address.country)
    fit.leave("parts of countries", address.subdivision)


def _contact(node: Node, contact: Contact | None) -> None:
    if contact:
        node.put("cbc:Name", contact.name)
        node.put("cbc:Telephone", contact.phone)
        node.put("cbc:ElectronicMail", contact.email)
