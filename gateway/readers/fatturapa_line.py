"""Lines of an ordinary FatturaPA in the terms of EN 16931 (BG-25 to BG-32)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.en16931 import Identifier, Line, Period
from gateway.readers.fatturapa_codes import category_of
from gateway.readers.fatturapa_party import FATTURAPA
from gateway.readers.stated import STANDARD
from gateway.readers.units import ITALIAN, unit_of

_BODY = "FatturaElettronicaBody"
_ORDERS = f"{_BODY}/DatiGenerali/DatiOrdineAcquisto"
_DISCOUNT = "SC"
_GTIN_TYPES, _GTIN = ("ean", "ean13", "gtin", "upc"), "0160"  # CodiceTipo is free text; ISO 6523 ICD
_ONE = "C62"
_AMBIGUOUS = "ml"  # metres and millilitres


def lines_of(root: Any, notes: list[str]) -> tuple[Line, ...]:
    """All lines, in the order of the document."""
    orders = _order_lines(root)
    return tuple(
        _line(node, orders, notes) for node in FATTURAPA.nodes(root, f"{_BODY}/DatiBeniServizi/DettaglioLinee")
    )


def _line(node: Any, orders: dict[str, str], notes: list[str]) -> Line:
    number = FATTURAPA.value(node, "NumeroLinea") or ""
    rate, nature = FATTURAPA.decimal(node, "AliquotaIVA"), FATTURAPA.value(node, "Natura")
    start, end = FATTURAPA.date(node, "DataInizioPeriodo"), FATTURAPA.date(node, "DataFinePeriodo")
    return Line(
        id=number,
        name=FATTURAPA.text(node, "Descrizione"),
        **_codes(node),
        **_quantity(node, notes),
        **_price(node),
        amount=FATTURAPA.decimal(node, "PrezzoTotale"),
        vat_category=STANDARD if rate and not nature else category_of(nature),
        vat_rate=rate,
        period=Period(start=start, end=end) if start or end else None,
        order_line=orders.get(number),
        accounting_reference=FATTURAPA.value(node, "RiferimentoAmministrazione"),
    )


def _quantity(node: Any, notes: list[str]) -> dict[str, Any]:
    """BT-129 and BT-130; a line without a quantity is one piece (Specifiche tecniche, check 00423)."""
    quantity, word = FATTURAPA.decimal(node, "Quantita"), FATTURAPA.value(node, "UnitaMisura")
    unit = None if word and word.casefold() == _AMBIGUOUS else unit_of(word, ITALIAN)
    if quantity is None:
        notes.append("Lines without a quantity are one of what they name.")
        return {"quantity": Decimal(1), "unit": unit or _ONE}
    if word and not unit:
        notes.append(f"The unit {word!r} is none of UN/ECE Recommendation 20 that we know.")
    return {"quantity": quantity, "unit": unit}


def _price(node: Any) -> dict[str, Any]:
    """BG-29: discounts and surcharges of a line change its price, one after the other."""
    stated = FATTURAPA.decimal(node, "PrezzoUnitario")
    changes = FATTURAPA.nodes(node, "ScontoMaggiorazione")
    if stated is None or not changes:
        return {"price": stated}
    price = stated
    for change in changes:
        amount, percent = FATTURAPA.decimal(change, "Importo"), FATTURAPA.decimal(change, "Percentuale")
        step = amount if amount is not None else price * (percent or Decimal(0)) / 100
        price = price - step if FATTURAPA.value(change, "Tipo") == _DISCOUNT else price + step
    if price > stated:
        return {"price": price}
    return {"price": price, "gross_price": stated, "price_discount": stated - price}


def _codes(node: Any) -> dict[str, Any]:
    """BT-155, BT-157, and what else identifies or describes the item (BG-32)."""
    seller, standard = None, None
    attributes: list[tuple[str, str]] = []
    for code in FATTURAPA.nodes(node, "CodiceArticolo"):
        kind, value = FATTURAPA.value(code, "CodiceTipo") or "", FATTURAPA.value(code, "CodiceValore")
        if not value:
            continue
        if kind.casefold() in _GTIN_TYPES and standard is None:
            standard = Identifier(value=value, scheme=_GTIN)
        elif seller is None:
            seller = value
        else:
            attributes.append((kind, value))
    for data in FATTURAPA.nodes(node, "AltriDatiGestionali"):
        texts = [FATTURAPA.value(data, f"Riferimento{name}") for name in ("Testo", "Numero", "Data")]
        attributes.append((FATTURAPA.value(data, "TipoDato") or "", " ".join(text for text in texts if text)))
    return {
        "seller_item_id": seller,
        "standard_item_id": standard,
        "attributes": tuple((name, value) for name, value in attributes if name),
    }


def _order_lines(root: Any) -> dict[str, str]:
    """BT-132 by the number of the line."""
    return {
        line: item
        for order in FATTURAPA.nodes(root, _ORDERS)
        if (item := FATTURAPA.value(order, "NumItem"))
        for line in FATTURAPA.values(order, "RiferimentoNumeroLinea")
    }
