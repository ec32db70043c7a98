"""FatturaPA 1.2 (Agenzia delle Entrate): ordinary and simplified invoices whole, in the terms of EN 16931.

Of several bodies in a file each has become a file of its own before (`gateway.readers.batches`).
"""

from __future__ import annotations

import re
from decimal import Decimal

from lxml import etree

from gateway import doctypes
from gateway.doctypes.invoice import INVOICE
from gateway.model import Found, ReadDocument
from gateway.readers import fatturapa_simplified
from gateway.readers.fatturapa_codes import TYPES
from gateway.readers.fatturapa_invoice import BODY, invoice_of
from gateway.readers.fatturapa_party import FATTURAPA
from gateway.readers.header import Header, Places
from gateway.readers.item import Item

_ROOT = re.compile(r"\{[^}]*/(?:fatture|fatturapa)/v1\.\d(?:\.\d)?\}FatturaElettronica(?:Semplificata)?")
_HEADER = "FatturaElettronicaHeader"
_DOCUMENT = f"{BODY}/DatiGenerali/DatiGeneraliDocumento"
_SELLER, _BUYER = f"{_HEADER}/CedentePrestatore", f"{_HEADER}/CessionarioCommittente"
_PAYMENT = f"{BODY}/DatiPagamento/DettaglioPagamento"
# A name is one of a firm, or of a person in two elements; simplified invoices have both directly below the party.
_NAMED = "*[self::Denominazione or self::Nome]"

PLACES = Places(
    profile=("@versione", f"{_HEADER}/DatiTrasmissione/FormatoTrasmissione"),
    number=(f"{_DOCUMENT}/Numero",),
    issue_date=(f"{_DOCUMENT}/Data",),
    due_date=(f"{_PAYMENT}/DataScadenzaPagamento",),
    customer_numbers=(
        f"{_BUYER}//IdFiscaleIVA/IdCodice",
        f"{_BUYER}//CodiceFiscale",
        f"{_HEADER}/DatiTrasmissione/CodiceDestinatario[translate(., '0X', '') != '']",
    ),
    emails=(f"{_HEADER}/DatiTrasmissione/PECDestinatario",),
    own_emails=(f"{_SELLER}/Contatti/Email", f"{_HEADER}/DatiTrasmissione/ContattiTrasmittente/Email"),
    seller=(f"{_SELLER}/{_NAMED}", f"{_SELLER}/DatiAnagrafici/Anagrafica/{_NAMED}"),
    buyer=(f"{_BUYER}/AltriDatiIdentificativi/{_NAMED}", f"{_BUYER}/DatiAnagrafici/Anagrafica/{_NAMED}"),
    currency=(f"{_DOCUMENT}/Divisa",),
    payable=(f"{_DOCUMENT}/ImportoTotaleDocumento",),
)


class FatturaPaReader:
    """Invoices whose root is a FatturaElettronica."""

    name = "fatturapa"

    def sniff(self, item: Item) -> bool:
        """By the root's qualified name; the namespace of 1.0 and 1.1 had another host."""
        return item.root is not None and _ROOT.fullmatch(item.root.tag) is not None

    def read(self, item: Item) -> list[ReadDocument]:
        """One document: the header fields with their evidence, and the invoice."""
        is_simplified = etree.QName(item.root).localname.endswith("Semplificata")
        header = Header(item, FATTURAPA, PLACES)
        said = header.first("type_code", (f"{_DOCUMENT}/TipoDocumento",))
        code = TYPES.get(said or "")
        if said and not code:
            header.notes.append(f"TipoDocumento {said!r} is none that we know.")
        fields = header.fields()
        for field, path in (("seller", _SELLER), ("buyer", _BUYER)):
            fields[field] = _whole_name(item, path) or fields[field]
        if not fields["payable"]:
            fields |= _sum_to_pay(header, fields["evidence"], is_simplified)
        build = fatturapa_simplified.invoice_of if is_simplified else invoice_of
        invoice = build(item.root, header.notes) if item.whole else None
        return [
            ReadDocument(
                format="fatturapa",
                type=INVOICE.name,
                subtype=doctypes.invoice_subtype(code or "380") or "invoice",
                invoice=invoice,
                notes=tuple(dict.fromkeys(header.notes)),
                **fields,
            )
        ]


def _whole_name(item: Item, path: str) -> str | None:
    """The name of a person, in two elements."""
    parts = [FATTURAPA.value(item.root, f"{path}//{name}") for name in ("Nome", "Cognome")]
    return " ".join(part for part in parts if part) or None


def _sum_to_pay(header: Header, evidence: tuple[Found, ...], is_simplified: bool) -> dict[str, object]:
    """ImportoTotaleDocumento may be left out: what the payments, or in simplified invoices the lines, add up to."""
    path = f"{BODY}/DatiBeniServizi/Importo" if is_simplified else f"{_PAYMENT}/ImportoPagamento"
    amounts = [FATTURAPA.decimal(node, ".") for node in FATTURAPA.nodes(header.root, path)]
    stated = [amount for amount in amounts if amount is not None]
    if not stated or len(stated) < len(amounts):
        return {}
    total = f"{sum(stated, Decimal(0)):f}"
    place = f"{header.item.path}/{path}"
    return {"payable": total, "evidence": (*evidence, Found(field="payable", value=total, where=place))}
