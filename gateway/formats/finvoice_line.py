"""Rows in a Finvoice (BG-25 to BG-32), and what their allowances share with the document's."""

from __future__ import annotations

from gateway.en16931 import AllowanceCharge, Identifier, Invoice, Line
from gateway.formats.finvoice_party import identifier
from gateway.formats.finvoice_values import COUNTRY, UNTDID, comma, put_amount, put_date, put_percent, put_quantity
from gateway.formats.fitting import Fitting, wrapped
from gateway.formats.xmlout import Node

_CODE, _NAME, _TEXT, _SHORT = 70, 100, 512, 35


def write_rows(root: Node, invoice: Invoice, fit: Fitting) -> None:
    """All lines, in their order."""
    for line in invoice.lines:
        row = root.open("InvoiceRow")
        _article(row, line, fit)
        put_quantity(row, "InvoicedQuantity", line.quantity, line.unit, "BT-129")
        if line.period:
            put_date(row, "StartDate", line.period.start)
            put_date(row, "EndDate", line.period.end)
        _price(row, line, invoice.currency, fit)
        row.put("RowOrderPositionIdentifier", fit.code("BT-132", line.order_line, _SHORT))
        row.put("RowPositionIdentifier", fit.code("BT-126", line.id, _SHORT))
        row.put("RowDeliveryDetails/RowCustomsInfo/CNOriginCountryCode", fit.coded("BT-159", line.origin, COUNTRY))
        row.put("RowAccountDimensionText", fit.code("BT-133", line.accounting_reference, _SHORT))
        for piece in wrapped(line.note, _TEXT):
            row.put("RowFreeText", piece)
        _adjustments(row, line, invoice.currency, fit)
        put_percent(row, "RowVatRatePercent", line.vat_rate, "BT-152")
        row.put("RowVatCode", line.vat_category)
        put_amount(row, "RowVatExcludedAmount", line.amount, invoice.currency, "BT-131")


def _article(row: Node, line: Line, fit: Fitting) -> None:
    if line.object_id:
        put_object(row, line.object_id, "BT-128", fit)
    row.put("ArticleIdentifier", fit.code("BT-155", line.seller_item_id, _CODE))
    for group in line.classifications:
        value = fit.code("BT-158", group.value, _CODE)
        scheme = fit.coded("the scheme of BT-158", group.scheme, UNTDID)
        row.put(
            "ArticleGroupIdentifier", value, SchemeID=scheme, SchemeVersion=fit.code("BT-158", group.version, _SHORT)
        )
    row.put("ArticleName", fit.text("BT-153", line.name, _NAME))
    row.put("ArticleDescription", fit.text("BT-154", line.description, _TEXT))
    row.put("BuyerArticleIdentifier", fit.code("BT-156", line.buyer_item_id, _CODE))
    identifier(row, "EanCode", line.standard_item_id, "BT-157", fit, _SHORT)
    for name, value in line.attributes:
        node = row.open("RowDefinitionDetails")
        node.put("RowDefinitionHeaderText", fit.text("BT-160", name, _CODE))
        node.put("RowDefinitionValue", fit.text("BT-161", value, _CODE))


def put_object(node: Node, of: Identifier, term: str, fit: Fitting) -> None:
    """BT-18 or BT-128; the scheme is a code of UNTDID 1153, three characters at most."""
    scheme = fit.coded(f"the scheme of {term}", of.scheme, UNTDID)
    node.put("InvoicedObjectID", fit.code(term, of.value, _CODE), SchemeID=scheme)


def _price(row: Node, line: Line, currency: str | None, fit: Fitting) -> None:
    """BG-29: the gross price with the net one beside it, or the net price alone."""
    if line.gross_price is None:
        put_amount(row, "UnitPriceAmount", line.price, currency, "BT-146")
        if line.price_discount:
            fit.leave("a discount without a gross price (BT-147)", comma(line.price_discount))
    else:
        put_amount(row, "UnitPriceAmount", line.gross_price, currency, "BT-148")
        put_amount(row, "UnitPriceDiscountAmount", line.price_discount, currency, "BT-147")
        put_amount(row, "UnitPriceNetAmount", line.price, currency, "BT-146")
    put_quantity(row, "UnitPriceBaseQuantity", line.price_base_quantity, line.unit, "BT-149")


def _adjustments(row: Node, line: Line, currency: str | None, fit: Fitting) -> None:
    """BG-27, the first in the row itself, and BG-28."""
    allowances = [entry for entry in line.allowances_charges if not entry.is_charge]
    for number, entry in enumerate(allowances):
        node = row if number == 0 else row.open("RowProgressiveDiscountDetails")
        put_percent(node, "RowDiscountPercent", entry.percent, "BT-138")
        put_amount(node, "RowDiscountAmount", entry.amount, currency, "BT-136")
        put_amount(node, "RowDiscountBaseAmount", entry.base, currency, "BT-137")
        node.put("RowDiscountTypeCode", fit.coded("BT-140", entry.reason_code, UNTDID))
        node.put("RowDiscountTypeText", fit.text("BT-139", entry.reason, _SHORT))
    for entry in line.allowances_charges:
        if entry.is_charge:
            _charge(row.open("RowChargeDetails"), entry, currency, fit)


def _charge(node: Node, entry: AllowanceCharge, currency: str | None, fit: Fitting) -> None:
    node.put("ReasonText", fit.text("BT-144", entry.reason, 70))
    adjustment(node, entry, currency, fit)


def adjustment(node: Node, entry: AllowanceCharge, currency: str | None, fit: Fitting) -> None:
    """What follows the text of an allowance or a charge."""
    node.put("ReasonCode", fit.coded("BT-98, BT-105", entry.reason_code, UNTDID))
    put_percent(node, "Percent", entry.percent, "BT-94")
    put_amount(node, "Amount", entry.amount, currency, "BT-92")
    put_amount(node, "BaseAmount", entry.base, currency, "BT-93")
