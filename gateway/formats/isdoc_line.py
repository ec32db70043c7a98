"""Lines in ISDOC 6 (BG-25 to BG-31); allowances and charges of the document are lines of their own."""

from __future__ import annotations

from decimal import Decimal, Inexact, localcontext

from gateway.en16931 import AllowanceCharge, Invoice, Line
from gateway.errors import Unconvertible
from gateway.formats.fitting import Fitting
from gateway.formats.isdoc_party import NAME
from gateway.formats.xmlout import Node

_LONGEST_ID = 36
_FROM_NET = "0"  # VATCalculationMethod: the tax is counted from the amount without it
_OUTSIDE = "O"  # UNTDID 5305
_KNOWN = frozenset({"S", "O"})
ORDER, DELIVERY = "order", "delivery"  # what lines refer to their documents by
_HUNDRED = Decimal(100)


def write_lines(root: Node, invoice: Invoice, fit: Fitting) -> None:
    """All lines, in their order, then the document's allowances and charges."""
    seen: set[str] = set()
    for number in (line.id for line in invoice.lines):
        if number in seen:
            words = f"{number} is there twice"
            raise Unconvertible("BT-126", f"{NAME} needs lines that differ in their identifier (BT-126); {words}.")
        seen.add(number)
    lines = root.open("InvoiceLines")
    for line in invoice.lines:
        _line(lines.open("InvoiceLine"), line, invoice, fit)
    for place, entry in enumerate(invoice.allowances_charges, 1):
        kind = "charge" if entry.is_charge else "allowance"
        fit.lost.append(f"{NAME} has no allowances and charges of a document; one is the line {kind}-{place}.")
        _entry(lines.open("InvoiceLine"), f"{kind}-{place}", entry, fit)


def _line(node: Node, line: Line, invoice: Invoice, fit: Fitting) -> None:
    node.put("ID", fit.needed("BT-126", line.id, _LONGEST_ID))
    if line.order_line and (invoice.order or invoice.sales_order):
        reference = node.open("OrderReference")
        reference.element.set("ref", ORDER)
        reference.put("LineID", line.order_line)
    else:
        fit.leave("BT-132 without an order", line.order_line)
    node.put("InvoicedQuantity", line.quantity, unitCode=line.unit)
    amount = line.amount or Decimal(0)
    _amounts(node, amount, line.vat_rate, _before_discount(line, amount, fit))
    _prices(node, _unit_price(line), line.vat_rate)
    _category(node, line.vat_category, line.vat_rate, fit)
    if line.description:
        fit.lost.append(
            f"{NAME} has no place for the item description (BT-154) beside the name; it stands in the note of the line."
        )
    node.put("Note", "\n".join(filter(None, (line.description, line.note))))
    item = node.open("Item")
    item.put("Description", line.name)
    item.put("CatalogueItemIdentification/ID", line.standard_item_id.value if line.standard_item_id else None)
    item.put("SellersItemIdentification/ID", line.seller_item_id)
    item.put("BuyersItemIdentification/ID", line.buyer_item_id)
    _without_place(line, fit)


def _entry(node: Node, number: str, entry: AllowanceCharge, fit: Fitting) -> None:
    """An allowance or a charge of the document as a line of one piece."""
    amount = entry.amount if entry.is_charge else entry.amount.copy_negate()
    node.put("ID", number)
    node.put("InvoicedQuantity", Decimal(1))
    _amounts(node, amount, entry.vat_rate, None)
    _prices(node, amount, entry.vat_rate)
    _category(node, entry.vat_category, entry.vat_rate, fit)
    node.put("Item/Description", entry.reason or entry.reason_code)
    fit.leave("the percentage of an allowance or a charge", entry.percent)
    fit.leave("the code of a reason (BT-98, BT-105)", entry.reason_code if entry.reason else None)


def _amounts(node: Node, amount: Decimal, rate: Decimal | None, before: Decimal | None) -> None:
    """The amount, and with its tax as the rate gives it, to the last decimal: nothing is rounded."""
    tax = amount * (rate or 0) / _HUNDRED
    node.put("LineExtensionAmount", amount)
    node.put("LineExtensionAmountBeforeDiscount", before)
    node.put("LineExtensionAmountTaxInclusive", amount + tax)
    node.put("LineExtensionTaxAmount", tax)


def _prices(node: Node, price: Decimal, rate: Decimal | None) -> None:
    node.put("UnitPrice", price)
    node.put("UnitPriceTaxInclusive", price + price * (rate or 0) / _HUNDRED)


def _unit_price(line: Line) -> Decimal:
    """BT-146 for one unit; a price per several that does not divide without a rest is held."""
    price, base = line.price or Decimal(0), line.price_base_quantity
    if not base or base == 1:
        return price
    with localcontext() as context:
        context.traps[Inexact] = True
        try:
            return price / base
        except Inexact as error:
            words = f"{price:f} per {base:f} (BT-149) is no exact price of one"
            raise Unconvertible("BT-149", f"{NAME} holds prices per unit; {words}.") from error


def _before_discount(line: Line, amount: Decimal, fit: Fitting) -> Decimal | None:
    """BG-27 and BG-28 as the difference that they make together."""
    if not line.allowances_charges:
        return None
    before = amount
    for entry in line.allowances_charges:
        before += -entry.amount if entry.is_charge else entry.amount
        fit.leave("the reason at a line (BT-139, BT-144)", entry.reason or entry.reason_code)
        fit.leave("the percentage at a line (BT-138, BT-143)", entry.percent)
    if len(line.allowances_charges) > 1:
        fit.lost.append(f"{NAME} holds one discount of a line; those of line {line.id} stand there as their sum.")
    return before


def _category(node: Node, code: str | None, rate: Decimal | None, fit: Fitting) -> None:
    if code not in _KNOWN:
        fit.leave("VAT categories without a rate other than O (BT-151)", code)
    category = node.open("ClassifiedTaxCategory")
    category.put("Percent", rate or Decimal(0))
    category.put("VATCalculationMethod", _FROM_NET)
    category.put("VATApplicable", "false" if code == _OUTSIDE else "true")


def _without_place(line: Line, fit: Fitting) -> None:
    standard, period = line.standard_item_id, line.period
    for term, said in (
        ("the scheme of BT-157", standard.scheme if standard and standard.scheme not in ("0160", "0088") else None),
        ("BT-128", line.object_id and line.object_id.value),
        ("BT-133", line.accounting_reference),
        ("BG-26", period and f"{period.start} to {period.end}"),
        ("BT-147", line.price_discount or None),
        ("BT-148", line.gross_price if line.gross_price != line.price else None),
        ("BT-158", ", ".join(each.value for each in line.classifications)),
        ("BT-159", line.origin),
        ("BG-32", ", ".join(f"{name} {value}" for name, value in line.attributes)),
    ):
        fit.leave(term, said)
