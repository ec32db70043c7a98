"""Rows of a Finvoice in the terms of EN 16931 (BG-25 to BG-32)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.en16931 import AllowanceCharge, Identifier, Line, Period
from gateway.readers.finvoice_party import identifier_of
from gateway.readers.finvoice_paths import FINVOICE, unit_of
from gateway.readers.stated import vat_category_of

_QUANTITIES = ("InvoicedQuantity", "DeliveredQuantity", "OrderedQuantity")  # what was invoiced counts first
_SUBSTANCE = ("RowVatExcludedAmount", "RowAmount", "UnitPriceAmount", "UnitPriceNetAmount", *_QUANTITIES)


def rows_of(root: Any) -> list[tuple[Any, str]]:
    """The rows with what the names of their elements start with: rows that are made of sub-rows give these (`Sub`)."""
    rows: list[tuple[Any, str]] = []
    for row in FINVOICE.nodes(root, "InvoiceRow"):
        parts = FINVOICE.nodes(row, "SubInvoiceRow")
        is_whole = bool(FINVOICE.values(row, "RowVatExcludedAmount"))
        rows += [(row, "")] if is_whole or not parts else [(part, "Sub") for part in parts]
    return rows


def is_text_row(row: Any, prefix: str) -> bool:
    """Whether a row only says something: no amount, price or quantity."""
    return not any(FINVOICE.values(row, f"{prefix}{name}") for name in _SUBSTANCE)


def lines_of(root: Any, notes: list[str]) -> tuple[Line, ...]:
    """All rows that are lines, in the order of the document."""
    rows = [(row, prefix) for row, prefix in rows_of(root) if not is_text_row(row, prefix)]
    return tuple(_line(row, prefix, number, notes) for number, (row, prefix) in enumerate(rows, 1))


def text_of(node: Any, path: str, between: str) -> str | None:
    """The texts at `path`, one text cut into several elements."""
    texts = [FINVOICE.text(hit, ".") for hit in FINVOICE.nodes(node, path)]
    return between.join(text for text in texts if text) or None


def _line(row: Any, prefix: str, number: int, notes: list[str]) -> Line:
    def at(name: str) -> str:
        return f"{prefix}{name}"

    texts = text_of(row, at("RowFreeText"), "\n")
    name = FINVOICE.text(row, at("ArticleName"))
    quantity, unit = _quantity(row, prefix, notes)
    rate = FINVOICE.decimal(row, at("RowVatRatePercent"))
    start, end = FINVOICE.date(row, at("StartDate")), FINVOICE.date(row, at("EndDate"))
    return Line(
        id=FINVOICE.value(row, at("RowPositionIdentifier")) or str(number),
        name=name or texts,
        note=texts if name else None,
        description=FINVOICE.text(row, at("ArticleDescription")),
        seller_item_id=FINVOICE.value(row, at("ArticleIdentifier")),
        buyer_item_id=FINVOICE.value(row, at("BuyerArticleIdentifier")),
        standard_item_id=identifier_of(row, at("EanCode")),
        quantity=quantity,
        unit=unit,
        **_price(row, prefix),
        amount=FINVOICE.decimal(row, at("RowVatExcludedAmount")),
        vat_category=vat_category_of(FINVOICE.value(row, at("RowVatCode")), rate, notes),
        vat_rate=rate,
        period=Period(start=start, end=end) if start or end else None,
        order_line=FINVOICE.value(row, at("RowOrderPositionIdentifier")),
        object_id=identifier_of(row, at("InvoicedObjectID")),
        classifications=tuple(
            Identifier(value=value, scheme=group.get("SchemeID"), version=group.get("SchemeVersion"))
            for group in FINVOICE.nodes(row, at("ArticleGroupIdentifier"))
            if (value := FINVOICE.value(group, "."))
        ),
        origin=FINVOICE.value(row, f"{at('RowDeliveryDetails')}/{at('RowCustomsInfo')}/CNOriginCountryCode"),
        accounting_reference=FINVOICE.value(row, f"{at('RowAccountDimensionText')} | {at('RowProposedAccountText')}"),
        allowances_charges=(*_discounts(row, prefix, notes), *_charges(row, prefix)),
        attributes=tuple(
            (header, FINVOICE.text(node, at("RowDefinitionValue")) or "")
            for node in FINVOICE.nodes(row, at("RowDefinitionDetails"))
            if (header := FINVOICE.text(node, at("RowDefinitionHeaderText")))
        ),
    )


def _quantity(row: Any, prefix: str, notes: list[str]) -> tuple[Decimal | None, str | None]:
    """BT-129 and BT-130; a word that is no unit of UN/ECE Recommendation 20 is noted."""
    for name in _QUANTITIES:
        node = FINVOICE.node(row, f"{prefix}{name}")
        if node is not None and (quantity := FINVOICE.decimal(node, ".")) is not None:
            word = (node.get("QuantityUnitCode") or "").strip()
            unit = unit_of(node.get("QuantityUnitCodeUN"), word)
            if word and not unit:
                notes.append(f"The unit {word[:40]!r} is none of UN/ECE Recommendation 20 that we know.")
            return quantity, unit
    return None, None


def _price(row: Any, prefix: str) -> dict[str, Decimal | None]:
    """BG-29: with a net price beside it, the unit price is the gross one (3.0)."""
    stated = FINVOICE.decimal(row, f"{prefix}UnitPriceAmount")
    net = FINVOICE.decimal(row, f"{prefix}UnitPriceNetAmount")
    return {
        "price": stated if net is None else net,
        "gross_price": None if net is None else stated,
        "price_discount": FINVOICE.decimal(row, f"{prefix}UnitPriceDiscountAmount"),
        "price_base_quantity": FINVOICE.decimal(row, f"{prefix}UnitPriceBaseQuantity"),
    }


def _discounts(row: Any, prefix: str, notes: list[str]) -> list[AllowanceCharge]:
    """BG-27: the row's own discount, then the progressive ones."""
    found = []
    for node in [row, *FINVOICE.nodes(row, f"{prefix}RowProgressiveDiscountDetails")]:
        amount = FINVOICE.decimal(node, f"{prefix}RowDiscountAmount")
        percent = FINVOICE.decimal(node, f"{prefix}RowDiscountPercent")
        if amount is not None:
            found.append(
                AllowanceCharge(
                    is_charge=False,
                    amount=amount,
                    base=FINVOICE.decimal(node, f"{prefix}RowDiscountBaseAmount"),
                    percent=percent,
                    reason=FINVOICE.text(node, f"{prefix}RowDiscountTypeText"),
                    reason_code=FINVOICE.value(node, f"{prefix}RowDiscountTypeCode"),
                )
            )
        elif percent:
            notes.append(f"A discount of {percent:f} % states no amount; it is left out of the content.")
    return found


def _charges(row: Any, prefix: str) -> list[AllowanceCharge]:
    """BG-28."""
    return [
        AllowanceCharge(
            is_charge=True,
            amount=amount,
            base=FINVOICE.decimal(node, "BaseAmount"),
            percent=FINVOICE.decimal(node, "Percent"),
            reason=FINVOICE.text(node, "ReasonText"),
            reason_code=FINVOICE.value(node, "ReasonCode"),
        )
        for node in FINVOICE.nodes(row, f"{prefix}RowChargeDetails")
        if (amount := FINVOICE.decimal(node, "Amount")) is not None
    ]
