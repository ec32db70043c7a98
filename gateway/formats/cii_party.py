"""Parties in a Cross Industry Invoice: BG-4, BG-7, BG-10, BG-11, BG-13."""

from __future__ import annotations

from gateway.en16931 import Address, Contact, Identifier, Invoice, Party
from gateway.formats.demands import scheme_of
from gateway.formats.ubl_party import buyer_identifier
from gateway.formats.xmlout import Node


def write_seller(agreement: Node, seller: Party, lost: list[str]) -> None:
    """BG-4."""
    party = agreement.open("ram:SellerTradeParty")
    _identifiers(party, seller.identifiers)
    party.put("ram:Name", seller.name)
    party.put("ram:Description", seller.legal_form)
    _organization(party, seller)
    _contact(party.open("ram:DefinedTradeContact"), seller.contact)
    _address(party.open("ram:PostalTradeAddress"), seller.address)
    _endpoint(party, seller, "seller's", "BT-34", lost)
    party.put("ram:SpecifiedTaxRegistration/ram:ID", seller.tax_id, schemeID="FC")
    party.put("ram:SpecifiedTaxRegistration/ram:ID", seller.vat_id, schemeID="VA")


def write_buyer(agreement: Node, buyer: Party, lost: list[str]) -> None:
    """BG-7."""
    party = agreement.open("ram:BuyerTradeParty")
    identifier = buyer_identifier(buyer, lost)
    _identifiers(party, (identifier,) if identifier else ())
    party.put("ram:Name", buyer.name)
    _organization(party, buyer)
    _contact(party.open("ram:DefinedTradeContact"), buyer.contact)
    _address(party.open("ram:PostalTradeAddress"), buyer.address)
    _endpoint(party, buyer, "buyer's", "BT-49", lost)
    party.put("ram:SpecifiedTaxRegistration/ram:ID", buyer.vat_id, schemeID="VA")


def write_representative(agreement: Node, invoice: Invoice) -> None:
    """BG-11."""
    representative = invoice.tax_representative
    if representative is None:
        return
    party = agreement.open("ram:SellerTaxRepresentativeTradeParty")
    party.put("ram:Name", representative.name)
    _address(party.open("ram:PostalTradeAddress"), representative.address)
    party.put("ram:SpecifiedTaxRegistration/ram:ID", representative.vat_id, schemeID="VA")


def write_deliver_to(delivery: Node, invoice: Invoice) -> None:
    """BG-13."""
    place = invoice.deliver_to
    if place is None:
        return
    party = delivery.open("ram:ShipToTradeParty")
    _identifiers(party, place.identifiers[:1])
    party.put("ram:Name", place.name)
    _address(party.open("ram:PostalTradeAddress"), place.address)


def write_payee(settlement: Node, invoice: Invoice) -> None:
    """BG-10."""
    payee = invoice.payee
    if payee is None:
        return
    party = settlement.open("ram:PayeeTradeParty")
    _identifiers(party, payee.identifiers[:1])
    party.put("ram:Name", payee.name)
    if payee.legal_id:
        party.put("ram:SpecifiedLegalOrganization/ram:ID", payee.legal_id.value, schemeID=payee.legal_id.scheme)


def _identifiers(party: Node, identifiers: tuple[Identifier, ...]) -> None:
    """Those without a scheme, then those with one, as the schema orders them."""
    for identifier in identifiers:
        if not identifier.scheme:
            party.put("ram:ID", identifier.value)
    for identifier in identifiers:
        if identifier.scheme:
            party.put("ram:GlobalID", identifier.value, schemeID=identifier.scheme)


def _organization(party: Node, of: Party) -> None:
    organization = party.open("ram:SpecifiedLegalOrganization")
    if of.legal_id:
        organization.put("ram:ID", of.legal_id.value, schemeID=of.legal_id.scheme)
    organization.put("ram:TradingBusinessName", of.trading_name)


def _contact(node: Node, contact: Contact | None) -> None:
    if contact is None:
        return
    node.put("ram:PersonName", contact.name)
    node.put("ram:TelephoneUniversalCommunication/ram:CompleteNumber", contact.phone)
    node.put("ram:EmailURIUniversalCommunication/ram:URIID", contact.email)


def _address(node: Node, address: Address | None) -> None:
    if address is None:
        return
    node.put("ram:PostcodeCode", address.post_code)
    node.put("ram:LineOne", address.line1)
    node.put("ram:LineTwo", address.line2)
    node.put("ram:LineThree", address.line3)
    node.put("ram:CityName", address.city)
    node.put("ram:CountryID", address.country)
    node.put("ram:CountrySubDivisionName", address.subdivision)


def _endpoint(party: Node, of: Party, whose: str, term: str, lost: list[str]) -> None:
    if of.endpoint is None:
        return
    scheme = scheme_of(of)
    if scheme is None:
        lost.append(f"The {whose} electronic address {of.endpoint.value} ({term}) has no scheme and was left out.")
    else:
        party.put("ram:URIUniversalCommunication/ram:URIID", of.endpoint.value, schemeID=scheme)
