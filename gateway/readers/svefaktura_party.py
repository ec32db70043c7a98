"""Parties of a Svefaktura 1.0 in the terms of EN 16931: BG-4, BG-7, BG-10."""

from __future__ import annotations

import re
from typing import Any

from gateway.en16931 import Address, Contact, Identifier, Party
from gateway.readers.derived import three_lines
from gateway.readers.svefaktura_paths import SVEFAKTURA, identifiers_of

_SWEDISH = re.compile(r"\d{6}-?\d{4}", re.ASCII)
_SWEDISH_SCHEME = "0007"  # ISO 6523: Swedish organisation numbers


def party_of(root: Any, path: str) -> Party:
    """The party at `path`; empty when there is none.

    The tax scheme SWT carries the registration (BT-30) and what is said about tax on earnings (F-skatt), which Swedish
    invoices state as BT-32.
    """
    party = SVEFAKTURA.node(root, f"{path}/cac:Party")
    if party is None:
        return Party()
    swt = SVEFAKTURA.node(party, "cac:PartyTaxScheme[cac:TaxScheme/cac:ID = 'SWT']")
    registration = None if swt is None else SVEFAKTURA.value(swt, "cac:CompanyID")
    return Party(
        name=" ".join(SVEFAKTURA.values(party, "cac:PartyName/cbc:Name")) or None,
        identifiers=identifiers_of(party, "cac:PartyIdentification/cac:ID"),
        legal_id=_registered(registration) if registration else None,
        vat_id=SVEFAKTURA.value(party, "cac:PartyTaxScheme[cac:TaxScheme/cac:ID = 'VAT']/cac:CompanyID"),
        tax_id=None if swt is None else SVEFAKTURA.value(swt, "cbc:ExemptionReason"),
        address=address_of(SVEFAKTURA.node(party, "cac:Address")),
        contact=_contact(root, f"{path}/cac:Party/cac:Contact") or _contact(root, f"{path}/cac:AccountsContact"),
    )


def payee_of(root: Any) -> Party | None:
    """BG-10, of which there is a name only."""
    names = SVEFAKTURA.values(root, "cac:PaymentMeans/cac:PayeePartyName/cbc:Name")
    return Party(name=names[0]) if names else None


def _registered(number: str) -> Identifier:
    return Identifier(value=number, scheme=_SWEDISH_SCHEME if _SWEDISH.fullmatch(number) else None)


def address_of(node: Any) -> Address | None:
    """Street, box, department and free lines become the three lines that there are."""
    if node is None:
        return None
    lines = [
        text
        for name in ("cbc:StreetName", "cbc:Postbox", "cbc:Department", "cac:AddressLine/cbc:Line")
        for text in SVEFAKTURA.values(node, name)
    ]
    address = Address(
        **three_lines(lines),
        city=SVEFAKTURA.value(node, "cbc:CityName"),
        post_code=SVEFAKTURA.value(node, "cbc:PostalZone"),
        country=SVEFAKTURA.value(node, "cac:Country/cac:IdentificationCode"),
    )
    return address if address != Address() else None


def _contact(root: Any, path: str) -> Contact | None:
    contact = Contact(
        name=SVEFAKTURA.value(root, f"{path}/cbc:Name"),
        phone=SVEFAKTURA.value(root, f"{path}/cbc:Telephone"),
        email=SVEFAKTURA.value(root, f"{path}/cbc:ElectronicMail"),
    )
    return contact if contact != Contact() else None
