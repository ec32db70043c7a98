"""Parties in ebInterface 6.1: BG-4, BG-7, BG-13."""

from __future__ import annotations

import msgspec

from gateway.en16931 import Address, Contact, Identifier, Invoice, Party
from gateway.formats.fitting import Fitting
from gateway.formats.xmlout import Node

NO_VAT_NUMBER = "00000000"  # what AUSTRIAPRO has stand where a party has none, since the schema wants something
_KINDS = {"0088": "GLN", "0060": "DUNS", None: "ProprietaryAddressID"}  # ISO 6523 to AddressIdentifierType
_LONGEST_AREA = 20
_REGISTRATION, _TAX_NUMBER = "FN", "Steuernummer"


def write_biller(root: Node, invoice: Invoice, fit: Fitting) -> None:
    """BG-4, with the order that the seller knows (BT-14)."""
    seller = invoice.seller
    node = root.open("Biller")
    _party(node, seller, invoice.sales_order, fit)
    node.put("InvoiceRecipientsBillerID", seller.account_id)
    fit.leave("the electronic address of the seller (BT-34)", seller.endpoint and seller.endpoint.value)
    fit.leave("the legal form of the seller (BT-33)", seller.legal_form)


def write_recipient(root: Node, invoice: Invoice, fit: Fitting) -> None:
    """BG-7, with its order (BT-13), BT-19, and the number that the seller gave it: the identifier without a scheme."""
    buyer = invoice.buyer
    own = next((each for each in buyer.identifiers if each.scheme is None), None)
    number = buyer.account_id or (own.value if own else None)
    others = tuple(each for each in buyer.identifiers if each.scheme or each.value != number)
    node = root.open("InvoiceRecipient")
    _party(node, msgspec.structs.replace(buyer, identifiers=others), invoice.order, fit)
    node.put("BillersInvoiceRecipientID", number)
    node.put("AccountingArea", fit.code("BT-19", invoice.accounting_reference, _LONGEST_AREA))
    fit.leave("the electronic address of the buyer (BT-49)", buyer.endpoint and buyer.endpoint.value)


def write_delivery(root: Node, invoice: Invoice, fit: Fitting) -> None:
    """BT-16, BT-72 or BG-14, and BG-13: without a date there is no delivery, without a whole address no place."""
    delivery = root.open("Delivery")
    place, period = invoice.deliver_to, invoice.period
    whole = period if period and period.start and period.end else None
    if invoice.delivery_date or whole:
        delivery.put("DeliveryID", invoice.despatch_advice)
    else:
        fit.leave("BT-16 without a date of delivery", invoice.despatch_advice)
    if invoice.delivery_date:
        delivery.put("Date", invoice.delivery_date)
        fit.leave("BG-14 beside a date of delivery", period and f"{period.start} to {period.end}")
    elif whole:
        span = delivery.open("Period")
        span.put("FromDate", whole.start)
        span.put("ToDate", whole.end)
    elif period:
        fit.leave("half a period (BG-14)", period.start or period.end)
    if place is None:
        return
    address = place.address
    if (invoice.delivery_date or whole) and address and place.name and address.city and address.post_code:
        _address(delivery.open("Address"), place, None, fit)
    else:
        fit.leave("BG-13 without date, name, city and post code", place.name or (address and address.city) or "it")


def _party(node: Node, party: Party, order: str | None, fit: Fitting) -> None:
    node.put("VATIdentificationNumber", party.vat_id or NO_VAT_NUMBER)
    if party.legal_id:
        node.put(
            "FurtherIdentification", party.legal_id.value, IdentificationType=party.legal_id.scheme or _REGISTRATION
        )
    node.put("FurtherIdentification", party.tax_id, IdentificationType=_TAX_NUMBER)
    for identifier in party.identifiers:
        if identifier.scheme not in _KINDS:
            fit.leave(f"identifiers of the scheme {identifier.scheme}", identifier.value)
    node.put("OrderReference/OrderID", order)
    contact = party.contact or Contact()
    _address(node.open("Address"), party, None if contact.name else contact, fit)
    if contact.name:
        said = node.open("Contact")
        said.put("Name", contact.name)
        said.put("Phone", contact.phone)
        said.put("Email", contact.email)


def _address(node: Node, party: Party, nameless: Contact | None, fit: Fitting) -> None:
    """The name and the address; telephone and e-mail of a contact without a name stand here."""
    address = party.address or Address()
    for identifier in party.identifiers:
        if identifier.scheme in _KINDS:
            _identifier(node, identifier)
    node.put("Name", party.name)
    node.put("TradingName", party.trading_name)
    node.put("Street", "\n".join(line for line in (address.line1, address.line2, address.line3) if line))
    node.put("Town", address.city)
    node.put("ZIP", address.post_code)
    country = node.open("Country", keep=True)
    country.element.text = address.country
    if address.country:
        country.element.set("CountryCode", address.country)
    if nameless:
        node.put("Phone", nameless.phone)
        node.put("Email", nameless.email)
    fit.leave("parts of countries", address.subdivision)


def _identifier(node: Node, identifier: Identifier) -> None:
    node.put("AddressIdentifier", identifier.value, AddressIdentifierType=_KINDS[identifier.scheme])
