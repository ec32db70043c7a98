"""Lines in ebInterface 6.1 (BG-25 to BG-32), reductions and surcharges."""

from __future__ import annotations

import re
from decimal import Decimal

from gateway.en16931 import AllowanceCharge, Invoice, Line
from gateway.formats.demands import cents
from gateway.formats.ebinterface_values import NAME, percentage, put_more, quantity, rate
from gateway.formats.fitting import Fitting
from gateway.formats.xmlout import Node

_POSITION = re.compile(r"[1-9]\d{0,17}", re.ASCII)
_GTINS = frozenset({"0160", "0088", None})
_REASONS = {False: "UNCL5189", True: "UNCL7161"}  # the code lists of reasons, as EN 16931 names them


def write_lines(root: Node, invoice: Invoice, fit: Fitting) -> None:
    """All lines, in their order, in one list."""
    items = root.open("Details/ItemList")
    for line in invoice.lines:
        _line(items.open("ListLineItem"), line, invoice, fit)


def _line(node: Node, line: Line, invoice: Invoice, fit: Fitting) -> None:
    is_number = _POSITION.fullmatch(line.id) is not None
    node.put("PositionNumber", line.id if is_number else None)
    node.put("Description", line.name)
    node.put("Description", line.description)
    _articles(node, line, fit)
    node.put("Quantity", quantity(line.quantity, "BT-129"), Unit=line.unit)
    base = quantity(line.price_base_quantity, "BT-149")
    node.put("UnitPrice", quantity(line.price, "BT-146"), BaseQuantity=None if base is None else format(base, "f"))
    _adjustments(node, line, fit)
    if line.period and line.period.start and line.period.end:
        period = node.open("Delivery/Period")
        period.put("FromDate", line.period.start)
        period.put("ToDate", line.period.end)
    elif line.period:
        fit.leave("half a period (BG-26)", line.period.start or line.period.end)
    if line.order_line and invoice.order:
        order = node.open("InvoiceRecipientsOrderReference")
        order.put("OrderID", invoice.order)
        order.put("OrderPositionNumber", line.order_line)
    for group in line.classifications:
        node.put("Classification", group.value, ClassificationSchema=group.scheme)
        fit.leave("the version of a classification (BT-158-2)", group.version)
    _information(node, line, None if is_number else line.id, None if invoice.order else line.order_line)
    tax = node.open("TaxItem")
    tax.put("TaxableAmount", cents(line.amount))
    tax.put("TaxPercent", rate(line.vat_rate, "BT-152"), TaxCategoryCode=line.vat_category)
    node.put("LineItemAmount", cents(line.amount))
    fit.leave("BT-147", line.price_discount or None)
    fit.leave("BT-148", line.gross_price if line.gross_price != line.price else None)


def _articles(node: Node, line: Line, fit: Fitting) -> None:
    standard = line.standard_item_id
    if standard and standard.scheme in _GTINS:
        node.put("ArticleNumber", standard.value, ArticleNumberType="GTIN")
    elif standard:
        fit.leave(f"item numbers of the scheme {standard.scheme} (BT-157)", standard.value)
    node.put("ArticleNumber", line.buyer_item_id, ArticleNumberType="InvoiceRecipientsArticleNumber")
    node.put("ArticleNumber", line.seller_item_id, ArticleNumberType="BillersArticleNumber")


def _information(node: Node, line: Line, line_id: str | None, order_line: str | None) -> None:
    """What has no element: under the keys that our reader knows, and the item's attributes under their names."""
    for key, value in (
        ("LineID", line_id),
        ("Note", line.note),
        ("OrderLine", order_line),
        ("InvoicedObject", line.object_id.value if line.object_id else None),
        ("CountryOfOrigin", line.origin),
        ("AccountingReference", line.accounting_reference),
        *line.attributes,
    ):
        put_more(node, key, value)


def _adjustments(node: Node, line: Line, fit: Fitting) -> None:
    """BG-27 and BG-28; what they are taken from is the amount before them, which the line's amount gives exactly."""
    before = line.amount or Decimal(0)
    for entry in line.allowances_charges:
        before += -entry.amount if entry.is_charge else entry.amount
    details = node.open("ReductionAndSurchargeListLineItemDetails")
    for entry in line.allowances_charges:
        kind = "SurchargeListLineItem" if entry.is_charge else "ReductionListLineItem"
        write_entry(details.open(kind), entry, before, fit)


def write_entry(node: Node, entry: AllowanceCharge, otherwise: Decimal | None, fit: Fitting) -> None:
    """One allowance or charge, but for its VAT. The schema wants a base: `otherwise` where none is stated."""
    if entry.base is None:
        fit.lost.append(f"{NAME} needs a base of each allowance and charge; where none is stated, the sum before it.")
    node.put("BaseAmount", cents(otherwise if entry.base is None else entry.base))
    node.put("Percentage", percentage(entry.percent, "the percentage of an allowance or a charge"))
    node.put("Amount", cents(entry.amount))
    node.put("Comment", entry.reason)
    node.put("Classification", entry.reason_code, ClassificationSchema=_REASONS[entry.is_charge])
