"""Lines in UBL (BG-25 to BG-32), and what they share with the document: periods, allowances and charges."""

from __future__ import annotations

from gateway.en16931 import AllowanceCharge, Identifier, Invoice, Line, Period
from gateway.formats.demands import cents
from gateway.formats.xmlout import Node


def write_lines(root: Node, invoice: Invoice, is_credit_note: bool, lost: list[str]) -> None:
    """All lines, in their order."""
    for line in invoice.lines:
        node = root.open("cac:CreditNoteLine" if is_credit_note else "cac:InvoiceLine")
        node.put("cbc:ID", line.id)
        node.put("cbc:Note", line.note)
        quantity = "cbc:CreditedQuantity" if is_credit_note else "cbc:InvoicedQuantity"
        node.put(quantity, line.quantity, unitCode=line.unit)
        node.put("cbc:LineExtensionAmount", cents(line.amount), currencyID=invoice.currency)
        node.put("cbc:AccountingCost", line.accounting_reference)
        period(node, line.period)
        node.put("cac:OrderLineReference/cbc:LineID", line.order_line)
        if line.object_id:
            reference = node.open("cac:DocumentReference")
            reference.put("cbc:ID", line.object_id.value, schemeID=line.object_id.scheme)
            reference.put("cbc:DocumentTypeCode", "130")
        for entry in line.allowances_charges:
            allowance_charge(node, entry, invoice.currency)
        _item(node.open("cac:Item"), line)
        _price(node.open("cac:Price"), line, invoice.currency, lost)


def _item(item: Node, line: Line) -> None:
    item.put("cbc:Description", line.description)
    item.put("cbc:Name", line.name)
    item.put("cac:BuyersItemIdentification/cbc:ID", line.buyer_item_id)
    item.put("cac:SellersItemIdentification/cbc:ID", line.seller_item_id)
    _identifier(item, "cac:StandardItemIdentification/cbc:ID", line.standard_item_id)
    item.put("cac:OriginCountry/cbc:IdentificationCode", line.origin)
    for classification in line.classifications:
        path = "cac:CommodityClassification/cbc:ItemClassificationCode"
        item.put(path, classification.value, listID=classification.scheme, listVersionID=classification.version)
    category = item.open("cac:ClassifiedTaxCategory")
    category.put("cbc:ID", line.vat_category)
    category.put("cbc:Percent", line.vat_rate)
    category.put("cac:TaxScheme/cbc:ID", "VAT")
    for name, value in line.attributes:
        attribute = item.open("cac:AdditionalItemProperty")
        attribute.put("cbc:Name", name)
        attribute.put("cbc:Value", value or "-")  # BT-161 must be something


def _price(price: Node, line: Line, currency: str | None, lost: list[str]) -> None:
    price.put("cbc:PriceAmount", line.price, currencyID=currency)
    price.put("cbc:BaseQuantity", line.price_base_quantity, unitCode=line.unit)
    if line.price_discount is not None:
        discount = price.open("cac:AllowanceCharge")
        discount.put("cbc:ChargeIndicator", "false")
        discount.put("cbc:Amount", line.price_discount, currencyID=currency)
        discount.put("cbc:BaseAmount", line.gross_price, currencyID=currency)
    elif line.gross_price is not None and line.gross_price != line.price:
        lost.append(f"The gross price (BT-148) of line {line.id} has no place without a discount (BT-147).")


def _identifier(node: Node, path: str, identifier: Identifier | None) -> None:
    if identifier:
        node.put(path, identifier.value, schemeID=identifier.scheme)


def allowance_charge(parent: Node, entry: AllowanceCharge, currency: str | None) -> None:
    """One of BG-20, BG-21, BG-27, BG-28."""
    node = parent.open("cac:AllowanceCharge")
    node.put("cbc:ChargeIndicator", "true" if entry.is_charge else "false")
    node.put("cbc:AllowanceChargeReasonCode", entry.reason_code)
    node.put("cbc:AllowanceChargeReason", entry.reason)
    node.put("cbc:MultiplierFactorNumeric", entry.percent)
    node.put("cbc:Amount", cents(entry.amount), currencyID=currency)
    node.put("cbc:BaseAmount", cents(entry.base), currencyID=currency)
    if entry.vat_category:
        category = node.open("cac:TaxCategory")
        category.put("cbc:ID", entry.vat_category)
        category.put("cbc:Percent", entry.vat_rate)
        category.put("cac:TaxScheme/cbc:ID", "VAT")


def period(parent: Node, of: Period | None, code: str | None = None) -> None:
    """BG-14 with BT-8, or BG-26."""
    node = parent.open("cac:InvoicePeriod")
    if of:
        node.put("cbc:StartDate", of.start)
        node.put("cbc:EndDate", of.end)
    node.put("cbc:DescriptionCode", code)
