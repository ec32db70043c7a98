"""Lines of a Facturae in the terms of EN 16931 (BG-25 to BG-32), and discounts and charges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.en16931 import AllowanceCharge, Line, Period
from gateway.readers.facturae_codes import TAXES, UNITS, category_of
from gateway.readers.facturae_party import FACTURAE


def lines_of(invoice: Any, notes: list[str]) -> tuple[Line, ...]:
    """All lines of an Invoice, in their order."""
    nodes = FACTURAE.nodes(invoice, "Items/InvoiceLine")
    return tuple(_line(node, place, notes) for place, node in enumerate(nodes, 1))


def _line(node: Any, place: int, notes: list[str]) -> Line:
    taxes = FACTURAE.nodes(node, "TaxesOutputs/Tax")
    taxes = [tax for tax in taxes if FACTURAE.value(tax, "TaxTypeCode") in TAXES]
    if len(taxes) > 1:
        notes.append("A line has several taxes; EN 16931 has a place for one, the first.")
    rate = FACTURAE.decimal(taxes[0], "TaxRate") if taxes else None
    kind = FACTURAE.value(taxes[0], "TaxTypeCode") if taxes else None
    unit = FACTURAE.value(node, "UnitOfMeasure")
    if unit and unit not in UNITS:
        notes.append(f"The unit {unit!r} is none of UN/ECE Recommendation 20.")
    return Line(
        id=_number(FACTURAE.decimal(node, "SequenceNumber")) or str(place),
        note=FACTURAE.text(node, "AdditionalLineItemInformation"),
        name=FACTURAE.text(node, "ItemDescription"),
        seller_item_id=FACTURAE.value(node, "ArticleCode"),
        quantity=FACTURAE.decimal(node, "Quantity"),
        unit=UNITS.get(unit or ""),
        price=FACTURAE.decimal(node, "UnitPriceWithoutTax"),
        amount=FACTURAE.decimal(node, "GrossAmount"),
        vat_category=category_of(kind, rate, event_of(node)),
        vat_rate=rate,
        period=period_of(FACTURAE.node(node, "LineItemPeriod")),
        allowances_charges=allowances_charges_of(node, "DiscountsAndRebates/Discount", "Charges/Charge"),
    )


def event_of(line: Any) -> str | None:
    """Why a line has no tax: SpecialTaxableEventCode."""
    return FACTURAE.value(line, "SpecialTaxableEvent/SpecialTaxableEventCode")


def allowances_charges_of(node: Any, discounts: str, charges: str) -> tuple[AllowanceCharge, ...]:
    """Discounts and charges at two paths; one without an amount says nothing. They name no tax."""
    return tuple(
        AllowanceCharge(
            is_charge=is_charge,
            amount=amount,
            percent=FACTURAE.decimal(entry, "DiscountRate | ChargeRate"),
            reason=FACTURAE.text(entry, "DiscountReason | ChargeReason"),
        )
        for is_charge, path in ((False, discounts), (True, charges))
        for entry in FACTURAE.nodes(node, path)
        if (amount := FACTURAE.decimal(entry, "DiscountAmount | ChargeAmount")) is not None
    )


def period_of(node: Any) -> Period | None:
    """PeriodDates."""
    if node is None:
        return None
    start, end = FACTURAE.date(node, "StartDate"), FACTURAE.date(node, "EndDate")
    return Period(start=start, end=end) if start or end else None


def _number(value: Decimal | None) -> str | None:
    """SequenceNumber is an xsd:double: 1.0 is 1."""
    return None if value is None else f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
