"""Lines in a Cross Industry Invoice (BG-25 to BG-32), and what they share with the document."""

from __future__ import annotations

import datetime as dt

from gateway.en16931 import AllowanceCharge, Invoice, Line, Period
from gateway.formats.demands import cents
from gateway.formats.xmlout import Node

DATE = "102"  # UNTDID 2379: CCYYMMDD


def write_lines(transaction: Node, invoice: Invoice, lost: list[str]) -> None:
    """All lines, in their order."""
    for line in invoice.lines:
        node = transaction.open("ram:IncludedSupplyChainTradeLineItem")
        document = node.open("ram:AssociatedDocumentLineDocument")
        document.put("ram:LineID", line.id)
        document.put("ram:IncludedNote/ram:Content", line.note)
        _product(node.open("ram:SpecifiedTradeProduct"), line)
        _agreement(node.open("ram:SpecifiedLineTradeAgreement"), line, lost)
        node.put("ram:SpecifiedLineTradeDelivery/ram:BilledQuantity", line.quantity, unitCode=line.unit)
        _settlement(node.open("ram:SpecifiedLineTradeSettlement"), line)


def _product(product: Node, line: Line) -> None:
    if line.standard_item_id:
        product.put("ram:GlobalID", line.standard_item_id.value, schemeID=line.standard_item_id.scheme)
    product.put("ram:SellerAssignedID", line.seller_item_id)
    product.put("ram:BuyerAssignedID", line.buyer_item_id)
    product.put("ram:Name", line.name)
    product.put("ram:Description", line.description)
    for name, value in line.attributes:
        attribute = product.open("ram:ApplicableProductCharacteristic")
        attribute.put("ram:Description", name)
        attribute.put("ram:Value", value or "-")  # BT-161 must be something
    for classification in line.classifications:
        path = "ram:DesignatedProductClassification/ram:ClassCode"
        product.put(path, classification.value, listID=classification.scheme, listVersionID=classification.version)
    product.put("ram:OriginTradeCountry/ram:ID", line.origin)


def _agreement(agreement: Node, line: Line, lost: list[str]) -> None:
    agreement.put("ram:BuyerOrderReferencedDocument/ram:LineID", line.order_line)
    if line.gross_price is not None:
        gross = agreement.open("ram:GrossPriceProductTradePrice")
        gross.put("ram:ChargeAmount", line.gross_price)
        gross.put("ram:BasisQuantity", line.price_base_quantity, unitCode=line.unit)
        if line.price_discount is not None:
            discount = gross.open("ram:AppliedTradeAllowanceCharge")
            discount.put("ram:ChargeIndicator/udt:Indicator", "false")
            discount.put("ram:ActualAmount", line.price_discount)
    elif line.price_discount:
        lost.append(f"The discount (BT-147) of line {line.id} has no place without a gross price (BT-148).")
    net = agreement.open("ram:NetPriceProductTradePrice")
    net.put("ram:ChargeAmount", line.price)
    net.put("ram:BasisQuantity", line.price_base_quantity, unitCode=line.unit)


def _settlement(settlement: Node, line: Line) -> None:
    tax = settlement.open("ram:ApplicableTradeTax")
    tax.put("ram:TypeCode", "VAT")
    tax.put("ram:CategoryCode", line.vat_category)
    tax.put("ram:RateApplicablePercent", line.vat_rate)
    write_period(settlement, line.period)
    for entry in line.allowances_charges:
        allowance_charge(settlement, entry)
    settlement.put("ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount", cents(line.amount))
    if line.object_id:
        reference = settlement.open("ram:AdditionalReferencedDocument")
        reference.put("ram:IssuerAssignedID", line.object_id.value)
        reference.put("ram:TypeCode", "130")
        reference.put("ram:ReferenceTypeCode", line.object_id.scheme)
    settlement.put("ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID", line.accounting_reference)


def allowance_charge(settlement: Node, entry: AllowanceCharge) -> None:
    """One of BG-20, BG-21, BG-27, BG-28."""
    node = settlement.open("ram:SpecifiedTradeAllowanceCharge")
    node.put("ram:ChargeIndicator/udt:Indicator", "true" if entry.is_charge else "false")
    node.put("ram:CalculationPercent", entry.percent)
    node.put("ram:BasisAmount", cents(entry.base))
    node.put("ram:ActualAmount", cents(entry.amount))
    node.put("ram:ReasonCode", entry.reason_code)
    node.put("ram:Reason", entry.reason)
    if entry.vat_category:
        tax = node.open("ram:CategoryTradeTax")
        tax.put("ram:TypeCode", "VAT")
        tax.put("ram:CategoryCode", entry.vat_category)
        tax.put("ram:RateApplicablePercent", entry.vat_rate)


def write_period(settlement: Node, period: Period | None) -> None:
    """BG-14 or BG-26."""
    if period:
        node = settlement.open("ram:BillingSpecifiedPeriod")
        put_date(node, "ram:StartDateTime/udt:DateTimeString", period.start)
        put_date(node, "ram:EndDateTime/udt:DateTimeString", period.end)


def put_date(node: Node, path: str, date: dt.date | None) -> None:
    """A date in format 102."""
    if date:
        node.put(path, f"{date.year:04}{date.month:02}{date.day:02}", format=DATE)
