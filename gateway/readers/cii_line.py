"""Lines of a Cross Industry Invoice in the terms of EN 16931 (BG-25 to BG-32)."""

from __future__ import annotations

from typing import Any

from gateway.en16931 import AllowanceCharge, Identifier, Line, Period
from gateway.readers.cii_party import identifier_of
from gateway.readers.cii_paths import Dialect

# Lines of Factur-X EXTENDED that repeat what others say (BT-X-8); with an unknown status a line counts.
_STATUS = "ram:AssociatedDocumentLineDocument/ram:LineStatusReasonCode"
_NOT_COUNTED = ("GROUP", "INFORMATION")

_TAX_RATE = "ram:RateApplicablePercent | ram:ApplicablePercent"


def lines_of(dialect: Dialect, root: Any, notes: list[str]) -> tuple[Line, ...]:
    """All lines that count, in the order of the document; what does not is noted."""
    items = dialect.xpath.nodes(root, f"{dialect.transaction}/ram:IncludedSupplyChainTradeLineItem")
    counted = [item for item in items if dialect.xpath.value(item, _STATUS) not in _NOT_COUNTED]
    if len(counted) < len(items):
        notes.append(
            f"{len(items) - len(counted)} lines are groups or information (Factur-X EXTENDED), which the totals do not "
            "count; EN 16931 has no place for them, and they are left out of the content."
        )
    return tuple(_line(dialect, item) for item in counted)


def _line(dialect: Dialect, node: Any) -> Line:
    xpath = dialect.xpath
    agreement, delivery, settlement = (f"{dialect.line_part}{part}" for part in ("Agreement", "Delivery", "Settlement"))
    paid = xpath.node(node, settlement)
    objects = xpath.nodes(
        node, f"{settlement}/ram:AdditionalReferencedDocument[ram:TypeCode = '130']/ram:IssuerAssignedID"
    )
    return Line(
        id=xpath.value(node, "ram:AssociatedDocumentLineDocument/ram:LineID") or "",
        note=xpath.text(node, "ram:AssociatedDocumentLineDocument/ram:IncludedNote/ram:Content"),
        quantity=xpath.decimal(node, f"{delivery}/ram:BilledQuantity"),
        unit=xpath.value(node, f"{delivery}/ram:BilledQuantity/@unitCode"),
        order_line=xpath.value(node, f"{agreement}/ram:BuyerOrderReferencedDocument/ram:LineID"),
        amount=xpath.decimal(node, f"{settlement}/{dialect.line_summation}/ram:LineTotalAmount"),
        vat_category=xpath.value(node, f"{settlement}/ram:ApplicableTradeTax/ram:CategoryCode"),
        vat_rate=xpath.decimal(node, f"{settlement}/ram:ApplicableTradeTax/*[{_self(_TAX_RATE)}]"),
        period=period_of(dialect, paid),
        object_id=identifier_of(objects[0], xpath.value(objects[0], "../ram:ReferenceTypeCode")) if objects else None,
        accounting_reference=xpath.value(node, f"{settlement}/ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID"),
        allowances_charges=allowances_charges_of(dialect, paid),
        **_price(dialect, xpath.node(node, agreement)),
        **_product(dialect, xpath.node(node, "ram:SpecifiedTradeProduct")),
    )


def _self(names: str) -> str:
    return " or ".join(f"self::{name}" for name in names.split(" | "))


def _price(dialect: Dialect, agreement: Any) -> dict[str, Any]:
    """BG-29."""
    if agreement is None:
        return {}
    xpath = dialect.xpath
    net, gross = "ram:NetPriceProductTradePrice", "ram:GrossPriceProductTradePrice"
    discount = f"{gross}/ram:AppliedTradeAllowanceCharge[not(ram:ChargeIndicator/udt:Indicator = 'true')]"
    return {
        "price": xpath.decimal(agreement, f"{net}/ram:ChargeAmount"),
        "price_base_quantity": xpath.decimal(agreement, f"{net}/ram:BasisQuantity")
        or xpath.decimal(agreement, f"{gross}/ram:BasisQuantity"),
        "price_discount": xpath.decimal(agreement, f"{discount}/ram:ActualAmount"),
        "gross_price": xpath.decimal(agreement, f"{gross}/ram:ChargeAmount"),
    }


def _product(dialect: Dialect, product: Any) -> dict[str, Any]:
    """BG-31 and BG-32."""
    if product is None:
        return {}
    xpath = dialect.xpath
    standard = xpath.nodes(product, "ram:GlobalID")
    return {
        "name": xpath.text(product, "ram:Name"),
        "description": xpath.text(product, "ram:Description"),
        "seller_item_id": xpath.value(product, "ram:SellerAssignedID"),
        "buyer_item_id": xpath.value(product, "ram:BuyerAssignedID"),
        "standard_item_id": identifier_of(standard[0]) if standard else None,
        "classifications": tuple(
            Identifier(value=value, scheme=code.get("listID"), version=code.get("listVersionID"))
            for code in xpath.nodes(product, "ram:DesignatedProductClassification/ram:ClassCode")
            if (value := xpath.value(code, "."))
        ),
        "origin": xpath.value(product, "ram:OriginTradeCountry/ram:ID"),
        "attributes": tuple(
            (name, xpath.text(node, "ram:Value") or "")
            for node in xpath.nodes(product, "ram:ApplicableProductCharacteristic")
            if (name := xpath.text(node, "ram:Description"))
        ),
    }


def allowances_charges_of(dialect: Dialect, settlement: Any) -> tuple[AllowanceCharge, ...]:
    """The allowances and charges of a settlement (BG-20, BG-21, BG-27, BG-28); one without an amount says nothing.

    ZUGFeRD and Factur-X EXTENDED write freight as SpecifiedLogisticsServiceCharge, which the totals count as a charge.
    """
    if settlement is None:
        return ()
    xpath = dialect.xpath
    stated = tuple(
        AllowanceCharge(
            is_charge=xpath.value(child, "ram:ChargeIndicator/udt:Indicator") in ("true", "1"),
            amount=amount,
            base=xpath.decimal(child, "ram:BasisAmount"),
            percent=xpath.decimal(child, "ram:CalculationPercent"),
            vat_category=xpath.value(child, "ram:CategoryTradeTax/ram:CategoryCode"),
            vat_rate=xpath.decimal(child, f"ram:CategoryTradeTax/*[{_self(_TAX_RATE)}]"),
            reason=xpath.text(child, "ram:Reason"),
            reason_code=xpath.value(child, "ram:ReasonCode"),
        )
        for child in xpath.nodes(settlement, "ram:SpecifiedTradeAllowanceCharge")
        if (amount := xpath.decimal(child, "ram:ActualAmount")) is not None
    )
    services = tuple(
        AllowanceCharge(
            is_charge=True,
            amount=amount,
            vat_category=xpath.value(child, "ram:AppliedTradeTax/ram:CategoryCode"),
            vat_rate=xpath.decimal(child, f"ram:AppliedTradeTax/*[{_self(_TAX_RATE)}]"),
            reason=xpath.text(child, "ram:Description"),
        )
        for child in xpath.nodes(settlement, "ram:SpecifiedLogisticsServiceCharge")
        if (amount := xpath.decimal(child, "ram:AppliedAmount")) is not None
    )
    return stated + services


def period_of(dialect: Dialect, settlement: Any) -> Period | None:
    """The BillingSpecifiedPeriod of a settlement (BG-14, BG-26)."""
    if settlement is None:
        return None
    start = dialect.date(settlement, "ram:BillingSpecifiedPeriod/ram:StartDateTime")
    end = dialect.date(settlement, "ram:BillingSpecifiedPeriod/ram:EndDateTime")
    return Period(start=start, end=end) if start or end else None
