"""Lines of a UBL Invoice or CreditNote in the terms of EN 16931 (BG-25 to BG-32)."""

from __future__ import annotations

from typing import Any

from gateway.en16931 import AllowanceCharge, Identifier, Line, Period
from gateway.readers.ubl_party import identifier_of
from gateway.readers.ubl_paths import UBL

_LIST_ID = "cac:CommodityClassification/cbc:ItemClassificationCode"


def lines_of(root: Any) -> tuple[Line, ...]:
    """All lines, in the order of the document."""
    return tuple(map(_line, UBL.nodes(root, "cac:InvoiceLine | cac:CreditNoteLine")))


def _line(node: Any) -> Line:
    quantity = "cbc:InvoicedQuantity | cbc:CreditedQuantity"
    objects = UBL.nodes(node, "cac:DocumentReference[cbc:DocumentTypeCode = '130' or not(cbc:DocumentTypeCode)]/cbc:ID")
    return Line(
        id=UBL.value(node, "cbc:ID") or "",
        note=UBL.text(node, "cbc:Note"),
        quantity=UBL.decimal(node, quantity),
        unit=UBL.value(node, "(cbc:InvoicedQuantity | cbc:CreditedQuantity)/@unitCode"),
        amount=UBL.decimal(node, "cbc:LineExtensionAmount"),
        period=period_of(node),
        order_line=UBL.value(node, "cac:OrderLineReference/cbc:LineID"),
        object_id=identifier_of(objects[0]) if objects else None,
        accounting_reference=UBL.value(node, "cbc:AccountingCost"),
        allowances_charges=allowances_charges_of(node),
        **_item(UBL.node(node, "cac:Item")),
        **_price(UBL.node(node, "cac:Price")),
    )


def _item(item: Any) -> dict[str, Any]:
    """BG-30, BG-31 and BG-32."""
    if item is None:
        return {}
    standard = UBL.nodes(item, "cac:StandardItemIdentification/cbc:ID")
    tax = "cac:ClassifiedTaxCategory | cac:TaxCategory"
    return {
        "name": UBL.text(item, "cbc:Name"),
        "description": UBL.text(item, "cbc:Description"),
        "seller_item_id": UBL.value(item, "cac:SellersItemIdentification/cbc:ID"),
        "buyer_item_id": UBL.value(item, "cac:BuyersItemIdentification/cbc:ID"),
        "standard_item_id": identifier_of(standard[0]) if standard else None,
        "classifications": tuple(
            Identifier(value=value, scheme=code.get("listID"), version=code.get("listVersionID"))
            for code in UBL.nodes(item, _LIST_ID)
            if (value := UBL.value(code, "."))
        ),
        "origin": UBL.value(item, "cac:OriginCountry/cbc:IdentificationCode"),
        "vat_category": UBL.value(item, f"({tax})/cbc:ID"),
        "vat_rate": UBL.decimal(item, f"({tax})/cbc:Percent"),
        "attributes": tuple(
            (name, UBL.text(node, "cbc:Value") or "")
            for node in UBL.nodes(item, "cac:AdditionalItemProperty")
            if (name := UBL.text(node, "cbc:Name"))
        ),
    }


def _price(price: Any) -> dict[str, Any]:
    """BG-29."""
    if price is None:
        return {}
    return {
        "price": UBL.decimal(price, "cbc:PriceAmount"),
        "price_base_quantity": UBL.decimal(price, "cbc:BaseQuantity"),
        "price_discount": UBL.decimal(price, "cac:AllowanceCharge/cbc:Amount"),
        "gross_price": UBL.decimal(price, "cac:AllowanceCharge/cbc:BaseAmount"),
    }


def allowances_charges_of(node: Any) -> tuple[AllowanceCharge, ...]:
    """The cac:AllowanceCharge elements of a document or a line; one without an amount says nothing."""
    return tuple(
        AllowanceCharge(
            is_charge=UBL.value(child, "cbc:ChargeIndicator") in ("true", "1"),
            amount=amount,
            base=UBL.decimal(child, "cbc:BaseAmount"),
            percent=UBL.decimal(child, "cbc:MultiplierFactorNumeric"),
            vat_category=UBL.value(child, "cac:TaxCategory/cbc:ID"),
            vat_rate=UBL.decimal(child, "cac:TaxCategory/cbc:Percent"),
            reason=UBL.text(child, "cbc:AllowanceChargeReason"),
            reason_code=UBL.value(child, "cbc:AllowanceChargeReasonCode"),
        )
        for child in UBL.nodes(node, "cac:AllowanceCharge")
        if (amount := UBL.decimal(child, "cbc:Amount")) is not None
    )


def period_of(node: Any) -> Period | None:
    """The cac:InvoicePeriod of a document or a line."""
    start = UBL.date(node, "cac:InvoicePeriod/cbc:StartDate")
    end = UBL.date(node, "cac:InvoicePeriod/cbc:EndDate")
    return Period(start=start, end=end) if start or end else None
