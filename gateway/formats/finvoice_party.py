"""Parties in a Finvoice: BG-4, BG-7, BG-10, BG-11, BG-13."""

from __future__ import annotations

import re

from gateway.en16931 import Address, Identifier, Invoice, Party
from gateway.formats.finvoice_values import COUNTRY
from gateway.formats.fitting import Fitting, wrapped
from gateway.formats.xmlout import Node

_NAME, _SHORT_NAME, _LINE, _CODE = 70, 35, 35, 70
_MOST_LINES = 3
_ICD = re.compile(r"\d{4}")
_OVT = re.compile(r"0037\d{8}.{0,5}")
_OVT_SCHEMES = ("0037", "0216", None)  # of the EAS list; an OVT code says by itself what it is
_MOST_OF_A_TYPE = 20
# AnyPartyCode: UNTDID 3035
PAYEE, TAX_REPRESENTATIVE = ("PE", "Payee"), ("LC", "Tax representative")


def write_seller(root: Node, seller: Party, fit: Fitting) -> None:
    """BG-4, but for what stands in SellerInformationDetails."""
    _details(root.open("SellerPartyDetails"), "Seller", seller, fit, _NAME)
    _endpoint(root, "Seller", seller, "BT-34", fit)
    _contact(root, "Seller", seller, fit, ("BT-41", "BT-42", "BT-43"))


def write_buyer(root: Node, buyer: Party, fit: Fitting) -> None:
    """BG-7; the number that the seller gave the buyer stands in the header."""
    _details(root.open("BuyerPartyDetails"), "Buyer", buyer, fit, _NAME)
    _endpoint(root, "Buyer", buyer, "BT-49", fit)
    _contact(root, "Buyer", buyer, fit, ("BT-56", "BT-57", "BT-58"))


def write_deliver_to(root: Node, invoice: Invoice, fit: Fitting) -> None:
    """BG-13, which Finvoice takes with a whole address only."""
    place = invoice.deliver_to
    if place is None:
        return
    address = place.address
    if address is None or not (_streets(address) and address.city and address.post_code and place.name):
        fit.leave("BG-13 without name, street, city and post code", place.name or (address and address.city) or "it")
        return
    _details(root.open("DeliveryPartyDetails"), "Delivery", place, fit, _SHORT_NAME)


def write_others(root: Node, invoice: Invoice, fit: Fitting) -> None:
    """BG-10 and BG-11."""
    for party, (code, text) in ((invoice.payee, PAYEE), (invoice.tax_representative, TAX_REPRESENTATIVE)):
        if party is not None and party.name:
            node = root.open("AnyPartyDetails")
            node.put("AnyPartyText", text, AnyPartyCode=code)
            _details(node, "AnyParty", party, fit, _SHORT_NAME)


def identifier(node: Node, path: str, of: Identifier | None, term: str, fit: Fitting, limit: int = _CODE) -> None:
    """An identifier with the code of its scheme (ISO 6523); another scheme goes as a type where there is room."""
    if of is None or (value := fit.code(term, of.value, limit)) is None:
        return
    scheme = of.scheme or ""
    if _ICD.fullmatch(scheme) or not scheme:
        node.put(path, value, SchemeID=scheme or None)
    elif limit == _CODE and len(scheme) <= _MOST_OF_A_TYPE:
        node.put(path, value, IdentifierType=scheme)
    else:
        node.put(path, value)
        fit.leave(f"the scheme of {term}", scheme)


def _details(node: Node, role: str, party: Party, fit: Fitting, longest: int) -> None:
    """The parts that all parties share, in the order of the schema."""
    registered = "AnyPartyIdentifier" if role == "AnyParty" else f"{role}PartyIdentifier"
    identifier(node, registered, party.legal_id, "the registration of a party", fit, 35)
    names = wrapped(party.name, longest)
    if role == "AnyParty" and len(names) > 2:
        fit.leave("so long a name", " ".join(names[2:]))
        del names[2:]
    for name in names:
        node.put(f"{role}OrganisationName", name)
    if role in ("Seller", "Buyer"):
        node.put(f"{role}OrganisationTradingName", fit.text("the trading name", party.trading_name, _NAME))
    node.put(f"{role}OrganisationTaxCode", fit.code("the VAT number", party.vat_id, 35))
    kept = party.identifiers if role == "Seller" else party.identifiers[:1]
    for each in kept:
        identifier(node, f"{role}Code", each, "an identifier", fit)
    if role == "Buyer":
        for each in party.identifiers[1:]:
            fit.leave("a second identifier of the buyer (BT-46)", each.value)
    _address(node.open(f"{role}PostalAddressDetails"), role, party.address, fit)


def _streets(address: Address) -> list[str]:
    return [piece for line in (address.line1, address.line2, address.line3) for piece in wrapped(line, _LINE)]


def _address(node: Node, role: str, address: Address | None, fit: Fitting) -> None:
    """Street, city and post code, or nothing: the schema knows no address without one of them."""
    if address is None:
        return
    streets = _streets(address)
    if not (streets and address.city and address.post_code):
        fit.leave("an address without street, city and post code", address.city or address.country or streets)
        return
    if len(streets) > _MOST_LINES:
        fit.leave("so long an address", " ".join(streets[_MOST_LINES:]))
    for street in streets[:_MOST_LINES]:
        node.put(f"{role}StreetName", street)
    node.put(f"{role}TownName", fit.text("the city", address.city, _LINE))
    node.put(f"{role}PostCodeIdentifier", fit.code("the post code", address.post_code, _LINE))
    node.put(f"{role}CountrySubdivision", fit.text("the subdivision", address.subdivision, _LINE))
    node.put("CountryCode", fit.coded("a country", address.country, COUNTRY))


def _endpoint(root: Node, role: str, party: Party, term: str, fit: Fitting) -> None:
    """BT-34 and BT-49: outside the frame of the banks' network there is room for OVT codes only."""
    endpoint = party.endpoint
    if endpoint is None:
        return
    if _OVT.fullmatch(endpoint.value) and endpoint.scheme in _OVT_SCHEMES:
        root.put(f"{role}OrganisationUnitNumber", endpoint.value)
    else:
        fit.leave(f"electronic addresses other than OVT codes ({term})", endpoint.value)


def _contact(root: Node, role: str, party: Party, fit: Fitting, terms: tuple[str, str, str]) -> None:
    contact = party.contact
    if contact is None:
        return
    root.put(f"{role}ContactPersonName", fit.text(terms[0], contact.name, 70))
    node = root.open(f"{role}CommunicationDetails")
    node.put(f"{role}PhoneNumberIdentifier", fit.code(terms[1], contact.phone, 35))
    node.put(f"{role}EmailaddressIdentifier", fit.code(terms[2], contact.email, 70))
