"""Parties in UBL: BG-4, BG-7, BG-10, BG-11, BG-13."""

from __future__ import annotations

from gateway.en16931 import Address, Contact, Identifier, Invoice, Party
from gateway.formats.demands import scheme_of
from gateway.formats.xmlout import Node


def write_seller(root: Node, invoice: Invoice, lost: list[str]) -> None:
    """BG-4 with BT-90, unless the payee has that."""
    party = root.open("cac:AccountingSupplierParty/cac:Party")
    seller = invoice.seller
    _endpoint(party, seller, "seller's", "BT-34", lost)
    for identifier in seller.identifiers:
        _identifier(party, "cac:PartyIdentification/cbc:ID", identifier)
    if invoice.payee is None:
        party.put("cac:PartyIdentification/cbc:ID", _creditor(invoice), schemeID="SEPA")
    party.put("cac:PartyName/cbc:Name", seller.trading_name)
    _address(party.open("cac:PostalAddress"), seller.address)
    _tax_scheme(party, seller.vat_id, "VAT")
    _tax_scheme(party, seller.tax_id, "FC")  # any word but VAT: EN 16931 UBL binding of BT-32
    entity = party.open("cac:PartyLegalEntity")
    entity.put("cbc:RegistrationName", seller.name)
    _identifier(entity, "cbc:CompanyID", seller.legal_id)
    entity.put("cbc:CompanyLegalForm", seller.legal_form)
    _contact(party.open("cac:Contact"), seller.contact)


def write_buyer(root: Node, invoice: Invoice, lost: list[str]) -> None:
    """BG-7."""
    party = root.open("cac:AccountingCustomerParty/cac:Party")
    buyer = invoice.buyer
    _endpoint(party, buyer, "buyer's", "BT-49", lost)
    _identifier(party, "cac:PartyIdentification/cbc:ID", buyer_identifier(buyer, lost))
    party.put("cac:PartyName/cbc:Name", buyer.trading_name)
    _address(party.open("cac:PostalAddress"), buyer.address)
    _tax_scheme(party, buyer.vat_id, "VAT")
    entity = party.open("cac:PartyLegalEntity")
    entity.put("cbc:RegistrationName", buyer.name)
    _identifier(entity, "cbc:CompanyID", buyer.legal_id)
    _contact(party.open("cac:Contact"), buyer.contact)


def buyer_identifier(buyer: Party, lost: list[str]) -> Identifier | None:
    """BT-46, of which there is one: the number that the seller gave, else the first that is stated."""
    known = [*([Identifier(value=buyer.account_id)] if buyer.account_id else []), *buyer.identifiers]
    unique = list({identifier.value: identifier for identifier in reversed(known)}.values())[::-1]
    for identifier in unique[1:]:
        lost.append(f"The buyer's identifier {identifier.value} (BT-46) has no place beside {unique[0].value}.")
    return unique[0] if unique else None


def write_payee(root: Node, invoice: Invoice) -> None:
    """BG-10."""
    payee = invoice.payee
    if payee is None:
        return
    party = root.open("cac:PayeeParty")
    for identifier in payee.identifiers[:1]:
        _identifier(party, "cac:PartyIdentification/cbc:ID", identifier)
    party.put("cac:PartyIdentification/cbc:ID", _creditor(invoice), schemeID="SEPA")
    party.put("cac:PartyName/cbc:Name", payee.name)
    _identifier(party, "cac:PartyLegalEntity/cbc:CompanyID", payee.legal_id)


def write_representative(root: Node, invoice: Invoice) -> None:
    """BG-11."""
    representative = invoice.tax_representative
    if representative is None:
        return
    party = root.open("cac:TaxRepresentativeParty")
    party.put("cac:PartyName/cbc:Name", representative.name)
    _address(party.open("cac:PostalAddress"), representative.address)
    _tax_scheme(party, representative.vat_id, "VAT")


def write_deliver_to(root: Node, invoice: Invoice) -> None:
    """BG-13 and BT-72."""
    delivery = root.open("cac:Delivery")
    delivery.put("cbc:ActualDeliveryDate", invoice.delivery_date)
    place = invoice.deliver_to
    if place is None:
        return
    location = delivery.open("cac:DeliveryLocation")
    for identifier in place.identifiers[:1]:
        _identifier(location, "cbc:ID", identifier)
    _address(location.open("cac:Address"), place.address)
    delivery.put("cac:DeliveryParty/cac:PartyName/cbc:Name", place.name)


def _creditor(invoice: Invoice) -> str | None:
    return next((means.creditor for means in invoice.payment if means.creditor), None)


def _endpoint(party: Node, of: Party, whose: str, term: str, lost: list[str]) -> None:
    if of.endpoint is None:
        return
    scheme = scheme_of(of)
    if scheme is None:
        lost.append(f"The {whose} electronic address {of.endpoint.value} ({term}) has no scheme and was left out.")
    else:
        party.put("cbc:EndpointID", of.endpoint.value, schemeID=scheme)


def _identifier(node: Node, path: str, identifier: Identifier | None) -> None:
    if identifier:
        node.put(path, identifier.value, schemeID=identifier.scheme)


def _tax_scheme(party: Node, number: str | None, scheme: str) -> None:
    if number:
        node = party.open("cac:PartyTaxScheme")
        node.put("cbc:CompanyID", number)
        node.put("cac:TaxScheme/cbc:ID", scheme)


def _address(node: Node, address: Address | None) -> None:
    if address is None:
        return
    node.put("cbc:StreetName", address.line1)
    node.put("cbc:AdditionalStreetName", address.line2)
    node.put("cbc:CityName", address.city)
    node.put("cbc:PostalZone", address.post_code)
    node.put("cbc:CountrySubentity", address.subdivision)
    node.put("cac:AddressLine/cbc:Line", address.line3)
    node.put("cac:Country/cbc:IdentificationCode", address.country)


def _contact(node: Node, contact: Contact | None) -> None:
    if contact is None:
        return
    node.put("cbc:Name", contact.name)
    node.put("cbc:Telephone", contact.phone)
    node.put("cbc:ElectronicMail", contact.email)
