"""Parties of an ebInterface document in the terms of EN 16931: BG-4, BG-7, BG-13."""

from __future__ import annotations

import re
from typing import Any

from gateway.en16931 import Address, Contact, Identifier, Party
from gateway.readers.derived import three_lines
from gateway.readers.ebinterface_paths import (
    EBINTERFACE,
    NO_VAT_NUMBER,
    REGISTRATIONS,
    TAX_NUMBERS,
    country_of,
    scheme_of,
)

_ICD = re.compile(r"\d{4}")


def party_of(node: Any) -> Party:
    """The Biller, the InvoiceRecipient or the place of Delivery in `node`; empty when there is none."""
    if node is None:
        return Party()
    vat_id = EBINTERFACE.value(node, "VATIdentificationNumber")
    further = _further(node)
    return Party(
        name=EBINTERFACE.value(node, "Address/Name"),
        trading_name=EBINTERFACE.value(node, "Address/TradingName"),
        identifiers=(*_address_identifiers(node), *further["others"]),
        legal_id=further["registration"],
        vat_id=None if vat_id and NO_VAT_NUMBER.fullmatch(vat_id) else vat_id,
        tax_id=further["tax"],
        account_id=EBINTERFACE.value(node, "BillersInvoiceRecipientID | InvoiceRecipientsBillerID"),
        address=_address(EBINTERFACE.node(node, "Address")),
        contact=_contact(node),
    )


def _address_identifiers(node: Any) -> list[Identifier]:
    return [
        Identifier(value=value, scheme=scheme_of(hit.get("AddressIdentifierType")))
        for hit in EBINTERFACE.nodes(node, "Address/AddressIdentifier")
        if (value := EBINTERFACE.value(hit, "."))
    ]


def _further(node: Any) -> dict[str, Any]:
    """What FurtherIdentification says: the first number of the companies' register, of the tax office, and the rest."""
    found: dict[str, Any] = {"registration": None, "tax": None, "others": []}
    for hit in EBINTERFACE.nodes(node, "FurtherIdentification"):
        value, kind = EBINTERFACE.value(hit, "."), hit.get("IdentificationType") or ""
        if not value:
            continue
        if found["registration"] is None and (kind in REGISTRATIONS or _ICD.fullmatch(kind)):
            found["registration"] = Identifier(value=value, scheme=None if kind in REGISTRATIONS else kind)
        elif found["tax"] is None and kind in TAX_NUMBERS:
            found["tax"] = value
        else:
            found["others"].append(Identifier(value=value, scheme=kind or None))
    return found


def _address(node: Any) -> Address | None:
    if node is None:
        return None
    lines = (EBINTERFACE.text(node, "Street") or "").splitlines()
    box = EBINTERFACE.value(node, "POBox")
    address = Address(
        **three_lines([*lines, *([f"Postfach {box}" if box.isdigit() else box] if box else [])]),
        city=EBINTERFACE.value(node, "Town"),
        post_code=EBINTERFACE.value(node, "ZIP"),
        country=country_of(node),
    )
    return address if address != Address() else None


def _contact(node: Any) -> Contact | None:
    """Since 4.3 an element of its own; before, a name in the address. Telephone and e-mail may stand in either."""
    contact = Contact(
        name=EBINTERFACE.value(node, "Contact/Name | Address/Contact"),
        phone=EBINTERFACE.value(node, "Contact/Phone") or EBINTERFACE.value(node, "Address/Phone"),
        email=EBINTERFACE.value(node, "Contact/Email") or EBINTERFACE.value(node, "Address/Email"),
    )
    return contact if contact != Contact() else None
