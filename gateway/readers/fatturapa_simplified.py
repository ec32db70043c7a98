"""A simplified FatturaPA (FSM10) in the terms of EN 16931-1: amounts with tax, and no more than a receipt says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.en16931 import Invoice, Line, Reference, Totals, VatBreakdown
from gateway.readers.fatturapa_codes import TYPES, category_of
from gateway.readers.fatturapa_party import FATTURAPA, buyer_of, representative_of, seller_of
from gateway.readers.stated import STANDARD

_HEADER = "FatturaElettronicaHeader"
_GENERAL = "FatturaElettronicaBody/DatiGenerali"
_DOCUMENT = f"{_GENERAL}/DatiGeneraliDocumento"
_LINES = "FatturaElettronicaBody/DatiBeniServizi"


def invoice_of(root: Any, notes: list[str]) -> Invoice:
    """The content of `root`; where only a rate is stated, what is taxed cannot be told without rounding."""
    nodes = FATTURAPA.nodes(root, _LINES)
    lines = tuple(_line(node, place) for place, node in enumerate(nodes, 1))
    paid = [FATTURAPA.decimal(node, "Importo") for node in nodes]
    total = sum((amount for amount in paid if amount is not None), Decimal(0)) if paid and None not in paid else None
    vat = _vat(nodes)
    if vat is None:
        notes.append("Lines that state a rate and no tax have no net amount that is exact; it is left out.")
    taxed = [entry.taxable for entry in vat or () if entry.taxable is not None]
    taxes = [entry.amount for entry in vat or () if entry.amount is not None]
    code = FATTURAPA.value(root, f"{_DOCUMENT}/TipoDocumento")
    corrected = FATTURAPA.value(root, f"{_GENERAL}/DatiFatturaRettificata/NumeroFR")
    date = FATTURAPA.date(root, f"{_GENERAL}/DatiFatturaRettificata/DataFR")
    return Invoice(
        number=FATTURAPA.value(root, f"{_DOCUMENT}/Numero"),
        issue_date=FATTURAPA.date(root, f"{_DOCUMENT}/Data"),
        type_code=TYPES.get(code or ""),
        currency=FATTURAPA.value(root, f"{_DOCUMENT}/Divisa"),
        preceding=(Reference(id=corrected, date=date),) if corrected else (),
        seller=seller_of(root, f"{_HEADER}/CedentePrestatore"),
        buyer=buyer_of(root, f"{_HEADER}/CessionarioCommittente"),
        tax_representative=representative_of(root, f"{_HEADER}/CedentePrestatore/RappresentanteFiscale"),
        totals=Totals(
            lines=sum(taxed, Decimal(0)) if taxed else None,
            without_vat=sum(taxed, Decimal(0)) if taxed else None,
            vat=sum(taxes, Decimal(0)) if taxes else None,
            with_vat=total,
            payable=total,
        ),
        vat=vat or (),
        lines=lines,
        extensions=tuple(
            (path, value)
            for path in (f"{_HEADER}/CedentePrestatore/RegimeFiscale", f"{_DOCUMENT}/BolloVirtuale")
            for value in FATTURAPA.values(root, path)
        ),
    )


def _line(node: Any, place: int) -> Line:
    rate, nature = FATTURAPA.decimal(node, "DatiIVA/Aliquota"), FATTURAPA.value(node, "Natura")
    return Line(
        id=str(place),
        name=FATTURAPA.text(node, "Descrizione"),
        amount=_net(node),
        vat_category=category_of(nature) if nature else (STANDARD if rate or _tax(node) else None),
        vat_rate=rate,
    )


def _tax(node: Any) -> Decimal | None:
    return FATTURAPA.decimal(node, "DatiIVA/Imposta")


def _net(node: Any) -> Decimal | None:
    """Without the tax, where it is stated; where there is none, the whole."""
    amount, tax = FATTURAPA.decimal(node, "Importo"), _tax(node)
    if amount is None or (tax is None and FATTURAPA.decimal(node, "DatiIVA/Aliquota")):
        return None
    return amount - (tax or Decimal(0))


def _vat(nodes: list[Any]) -> tuple[VatBreakdown, ...] | None:
    """BG-23 by rate and nature; None when a net amount is not known."""
    groups: dict[tuple[Decimal | None, str | None], list[Any]] = {}
    for node in nodes:
        key = (FATTURAPA.decimal(node, "DatiIVA/Aliquota"), FATTURAPA.value(node, "Natura"))
        groups.setdefault(key, []).append(node)
    found = []
    for (rate, nature), members in groups.items():
        nets = [net for node in members if (net := _net(node)) is not None]
        if len(nets) < len(members):
            return None
        taxes = [_tax(node) or Decimal(0) for node in members]
        law = FATTURAPA.text(members[0], "RiferimentoNormativo")
        found.append(
            VatBreakdown(
                category=category_of(nature) if nature else (STANDARD if any(taxes) else None),
                rate=rate,
                taxable=sum(nets, Decimal(0)),
                amount=sum(taxes, Decimal(0)),
                exemption_reason=" ".join(part for part in (nature, law) if part) if nature else None,
            )
        )
    return tuple(found)
