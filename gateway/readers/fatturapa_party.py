"""Parties of a FatturaPA in the terms of EN 16931."""

from __future__ import annotations

from typing import Any

from gateway.en16931 import Address, Contact, Identifier, Party
from gateway.readers.xpath import Paths

FATTURAPA = Paths({})

_FISCAL_CODE = "0210"  # EAS and ICD: Codice Fiscale
_PUBLIC_OFFICE = "0201"  # EAS: Codice Univoco Unità Organizzativa of the IPA register
_PUBLIC = "FPA12"  # FormatoTrasmissione of invoices to public offices, whose codes have six characters
_TRANSMISSION = "FatturaElettronicaHeader/DatiTrasmissione"


def seller_of(root: Any, path: str) -> Party:
    """BG-4: the VAT number, the fiscal code as tax number, the entry in the register of companies."""
    node = FATTURAPA.node(root, path)
    if node is None:
        return Party()
    contact = Contact(phone=FATTURAPA.value(node, "Contatti/Telefono"), email=FATTURAPA.value(node, "Contatti/Email"))
    register = [FATTURAPA.value(node, f"IscrizioneREA/{name}") for name in ("Ufficio", "NumeroREA")]
    return Party(
        name=name_of(node),
        vat_id=vat_id_of(node),
        tax_id=FATTURAPA.value(node, "DatiAnagrafici/CodiceFiscale | CodiceFiscale"),
        legal_id=Identifier(value=" ".join(part for part in register if part)) if any(register) else None,
        address=address_of(FATTURAPA.node(node, "Sede")),
        contact=contact if contact != Contact() else None,
    )


def buyer_of(root: Any, path: str) -> Party:
    """BG-7: the fiscal code as identifier; the electronic address is the office's code or the certified e-mail."""
    node = FATTURAPA.node(root, path)
    if node is None:
        return Party()
    fiscal = FATTURAPA.value(node, ".//CodiceFiscale")
    return Party(
        name=name_of(node),
        vat_id=vat_id_of(node),
        identifiers=(Identifier(value=fiscal, scheme=_FISCAL_CODE),) if fiscal else (),
        endpoint=_endpoint(root),
        address=address_of(FATTURAPA.node(node, "Sede | AltriDatiIdentificativi/Sede")),
    )


def representative_of(root: Any, path: str) -> Party | None:
    """BG-11."""
    node = FATTURAPA.node(root, path)
    return None if node is None else Party(name=name_of(node), vat_id=vat_id_of(node))


def name_of(node: Any) -> str | None:
    """The name of a firm, or of a person in two elements."""
    firm = FATTURAPA.value(node, ".//Denominazione")
    parts = [FATTURAPA.value(node, f".//{name}") for name in ("Nome", "Cognome")]
    return firm or " ".join(part for part in parts if part) or None


def vat_id_of(node: Any) -> str | None:
    """The VAT number: country and number, which stand apart."""
    identity = FATTURAPA.node(node, "DatiAnagrafici/IdFiscaleIVA | IdFiscaleIVA | IdentificativiFiscali/IdFiscaleIVA")
    if identity is None:
        return None
    country, number = FATTURAPA.value(identity, "IdPaese"), FATTURAPA.value(identity, "IdCodice")
    return f"{country or ''}{number}" if number else None


def address_of(node: Any) -> Address | None:
    """Sede, IndirizzoResa: street and number stand apart."""
    if node is None:
        return None
    street = [FATTURAPA.value(node, name) for name in ("Indirizzo", "NumeroCivico")]
    return Address(
        line1=" ".join(part for part in street if part) or None,
        city=FATTURAPA.value(node, "Comune"),
        post_code=FATTURAPA.value(node, "CAP"),
        subdivision=FATTURAPA.value(node, "Provincia"),
        country=FATTURAPA.value(node, "Nazione"),
    )


def _endpoint(root: Any) -> Identifier | None:
    """BT-49. A recipient without a code has seven zeros, one abroad seven X."""
    code = FATTURAPA.value(root, f"{_TRANSMISSION}/CodiceDestinatario")
    if FATTURAPA.value(root, f"{_TRANSMISSION}/FormatoTrasmissione") == _PUBLIC and code:
        return Identifier(value=code, scheme=_PUBLIC_OFFICE)
    mail = FATTURAPA.value(root, f"{_TRANSMISSION}/PECDestinatario")
    return Identifier(value=mail, scheme="EM") if mail else None
