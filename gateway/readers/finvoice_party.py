"""Parties of a Finvoice in the terms of EN 16931: BG-4, BG-7, BG-10, BG-11, BG-13."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from gateway.en16931 import Address, Contact, Identifier, Party
from gateway.readers.finvoice_paths import FINVOICE

_OVT = re.compile(r"0037\d{8}.{0,5}")  # the Finnish OVT code: ISO 6523 ICD 0037, business number, department
_OVT_SCHEME = "0216"  # what the EAS list calls it
_MOST_LINES = 3


def identifier_of(node: Any, path: str) -> Identifier | None:
    """The identifier at `path` with its SchemeID, or IdentifierType where it has none."""
    hit = FINVOICE.node(node, path)
    value = FINVOICE.value(node, path)
    if hit is None or not value:
        return None
    scheme = (hit.get("SchemeID") or hit.get("IdentifierType") or "").strip()
    return Identifier(value=value, scheme=scheme or None)


def party_of(root: Any, role: str) -> Party:
    """The party whose elements start with `role` (Seller, Buyer, Delivery); empty when there is none."""
    details = f"{role}PartyDetails"
    node = FINVOICE.node(root, details)
    party = Party() if node is None else _party(node, role)
    information = "SellerInformationDetails"
    if role == "Seller":
        party = msgspec.structs.replace(
            party,
            tax_id=FINVOICE.value(root, f"{information}/SellerTaxRegistrationText"),
            legal_form=FINVOICE.text(root, f"{information}/SellerAdditionalLegalInfo"),
        )
    contact = Contact(
        name=FINVOICE.value(root, f"{role}ContactPersonName"),
        phone=FINVOICE.value(root, f"{role}CommunicationDetails/{role}PhoneNumberIdentifier")
        or (FINVOICE.value(root, f"{information}/SellerPhoneNumber") if role == "Seller" else None),
        email=FINVOICE.value(root, f"{role}CommunicationDetails/{role}EmailaddressIdentifier")
        or (FINVOICE.value(root, f"{information}/SellerCommonEmailaddressIdentifier") if role == "Seller" else None),
    )
    return msgspec.structs.replace(party, contact=contact if contact != Contact() else None)


def any_party_of(root: Any, code: str) -> Party | None:
    """The party with the UNTDID 3035 `code`: PE, the payee; LC, who declares the VAT. None when there is none."""
    node = FINVOICE.node(root, f"AnyPartyDetails[AnyPartyText/@AnyPartyCode = '{code}']")
    return None if node is None else _party(node, "AnyParty")


def with_endpoints(root: Any, seller: Party, buyer: Party) -> dict[str, Any]:
    """BG-4 and BG-7 with their electronic addresses (BT-34, BT-49), and the numbers that each gave the other."""
    frame = "MessageTransmissionDetails"
    sender = identifier_of(root, f"{frame}/MessageSenderDetails/FromIdentifier")
    receiver = identifier_of(root, f"{frame}/MessageReceiverDetails/ToIdentifier")
    return {
        "seller": msgspec.structs.replace(
            seller,
            endpoint=_endpoint(root, "Seller", sender),
            account_id=FINVOICE.value(root, "InvoiceDetails/BuyersSellerIdentifier"),
        ),
        "buyer": msgspec.structs.replace(
            buyer,
            endpoint=_endpoint(root, "Buyer", receiver),
            account_id=FINVOICE.value(root, "InvoiceDetails/SellersBuyerIdentifier"),
        ),
    }


def _endpoint(root: Any, role: str, framed: Identifier | None) -> Identifier | None:
    unit = FINVOICE.value(root, f"{role}OrganisationUnitNumber")
    found = framed or (Identifier(value=unit) if unit else None)
    if found and not found.scheme and _OVT.fullmatch(found.value):
        return msgspec.structs.replace(found, scheme=_OVT_SCHEME)
    return found


def _party(node: Any, role: str) -> Party:
    names = FINVOICE.values(node, f"{role}OrganisationName")  # a long name takes several elements
    code = f"{role}Code"
    return Party(
        name=" ".join(names) or None,
        trading_name=FINVOICE.value(node, f"{role}OrganisationTradingName"),
        identifiers=tuple(identifier for hit in FINVOICE.nodes(node, code) if (identifier := identifier_of(hit, "."))),
        legal_id=identifier_of(node, f"{role}PartyIdentifier | {role}Identifier"),
        vat_id=FINVOICE.value(node, f"{role}OrganisationTaxCode"),
        address=_address(FINVOICE.node(node, f"{role}PostalAddressDetails"), role),
    )


def _address(node: Any, role: str) -> Address | None:
    if node is None:
        return None
    lines = FINVOICE.values(node, f"{role}StreetName")
    boxes = f"{role}PostOfficeBoxIdentifier | {role}PostofficeBoxIdentifier"
    lines += [box for box in FINVOICE.values(node, boxes) if box not in lines]
    lines = [*lines[: _MOST_LINES - 1], " ".join(lines[_MOST_LINES - 1 :])] if len(lines) > _MOST_LINES else lines
    line1, line2, line3 = (*lines, None, None, None)[:3]
    address = Address(
        line1=line1,
        line2=line2,
        line3=line3,
        city=FINVOICE.value(node, f"{role}TownName"),
        post_code=FINVOICE.value(node, f"{role}PostCodeIdentifier"),
        subdivision=FINVOICE.value(node, f"{role}CountrySubdivision"),
        country=FINVOICE.value(node, "CountryCode"),
    )
    return address if address != Address() else None
