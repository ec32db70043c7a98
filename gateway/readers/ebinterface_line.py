"""Lines of an ebInterface document in the terms of EN 16931 (BG-25 to BG-32), and reductions and surcharges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lxml import etree

from gateway.en16931 import AllowanceCharge, Identifier, Line, Period
from gateway.readers.ebinterface_paths import EBINTERFACE, category_of, rate_of
from gateway.readers.stated import vat_category_of
from gateway.readers.units import GERMAN, noted_unit

_ARTICLE = "ArticleNumber[@ArticleNumberType = '{}']"
# Keys of AdditionalInformation under which terms without an element of their own are written here, and read again
NOTE, OBJECT, ORIGIN, ACCOUNTING, ORDER_LINE, LINE_ID = (
    "Note",
    "InvoicedObject",
    "CountryOfOrigin",
    "AccountingReference",
    "OrderLine",
    "LineID",
)
KEPT = (NOTE, OBJECT, ORIGIN, ACCOUNTING, ORDER_LINE, LINE_ID)
_CHARGES = ("Surcharge", "SurchargeListLineItem", "OtherVATableTax", "OtherVATableTaxListLineItem")
_ENTRIES = "Reduction | ReductionListLineItem | " + " | ".join(_CHARGES)


def lines_of(root: Any, notes: list[str]) -> tuple[Line, ...]:
    """All lines of all lists, in the order of the document."""
    nodes = EBINTERFACE.nodes(root, "Details/ItemList/ListLineItem")
    return tuple(_line(node, number, notes) for number, node in enumerate(nodes, 1))


def more(node: Any, key: str) -> str | None:
    """The AdditionalInformation of `node` under `key`."""
    return next((EBINTERFACE.text(hit, ".") for hit in _information(node) if hit.get("Key") == key), None)


def _information(node: Any) -> list[Any]:
    """AdditionalInformation: with keys since 6.0, before that an element of elements."""
    return EBINTERFACE.nodes(node, "AdditionalInformation[not(*)] | AdditionalInformation/*")


def _line(node: Any, number: int, notes: list[str]) -> Line:
    texts = [EBINTERFACE.text(hit, ".") for hit in EBINTERFACE.nodes(node, "Description")]
    code, _ = category_of(node)
    rate = rate_of(node)
    category = vat_category_of(code, rate, notes)
    gtin = EBINTERFACE.value(node, _ARTICLE.format("GTIN"))
    start, end = EBINTERFACE.date(node, "Delivery/Period/FromDate"), EBINTERFACE.date(node, "Delivery/Period/ToDate")
    invoiced = more(node, OBJECT)
    return Line(
        id=EBINTERFACE.value(node, "PositionNumber") or more(node, LINE_ID) or str(number),
        note=more(node, NOTE),
        name=texts[0] if texts else None,
        description="\n".join(text for text in texts[1:] if text) or None,
        seller_item_id=EBINTERFACE.value(
            node, f"BillersArticleNumber | {_ARTICLE.format('BillersArticleNumber')} | ArticleNumber[not(@*)]"
        ),
        buyer_item_id=EBINTERFACE.value(
            node, f"InvoiceRecipientsArticleNumber | {_ARTICLE.format('InvoiceRecipientsArticleNumber')}"
        ),
        standard_item_id=Identifier(value=gtin, scheme="0160") if gtin else None,
        quantity=EBINTERFACE.decimal(node, "Quantity"),
        unit=noted_unit(EBINTERFACE.value(node, "Quantity/@Unit"), GERMAN, notes),
        price=EBINTERFACE.decimal(node, "UnitPrice"),
        price_base_quantity=EBINTERFACE.decimal(node, "UnitPrice/@BaseQuantity"),
        amount=EBINTERFACE.decimal(node, "LineItemAmount"),
        vat_category=category,
        vat_rate=None if category == "O" else rate,
        period=Period(start=start, end=end) if start or end else None,
        order_line=EBINTERFACE.value(node, "InvoiceRecipientsOrderReference/OrderPositionNumber")
        or more(node, ORDER_LINE),
        object_id=Identifier(value=invoiced) if invoiced else None,
        classifications=tuple(
            Identifier(value=value, scheme=hit.get("ClassificationSchema"))
            for hit in EBINTERFACE.nodes(node, "Classification")
            if (value := EBINTERFACE.value(hit, "."))
        ),
        origin=more(node, ORIGIN),
        accounting_reference=more(node, ACCOUNTING),
        allowances_charges=entries_of(EBINTERFACE.node(node, "ReductionAndSurchargeListLineItemDetails"), notes),
        attributes=_attributes(node),
    )


def _attributes(node: Any) -> tuple[tuple[str, str], ...]:
    """BG-32: what is said of an item by key (6.x) or by element, and its Austrian number of medicines."""
    pzn = EBINTERFACE.value(node, _ARTICLE.format("PZN"))
    found = [("PZN", pzn)] if pzn else []
    for hit in _information(node):
        key, value = hit.get("Key") or etree.QName(hit).localname, EBINTERFACE.text(hit, ".")
        if value and key not in KEPT:
            found.append((key, value))
    return tuple(found)


def entries_of(node: Any, notes: list[str]) -> tuple[AllowanceCharge, ...]:
    """BG-20, BG-21, BG-27, BG-28 below `node`; one without an amount that a percentage states exactly gives that."""
    if node is None:
        return ()
    entries = (_entry(hit, notes) for hit in EBINTERFACE.nodes(node, _ENTRIES))
    return tuple(entry for entry in entries if entry)


def _entry(node: Any, notes: list[str]) -> AllowanceCharge | None:
    base = EBINTERFACE.decimal(node, "BaseAmount | self::OtherVATableTax/TaxableAmount")
    percent = EBINTERFACE.decimal(node, "Percentage")
    amount = EBINTERFACE.decimal(node, "Amount | TaxAmount")
    if amount is None and base is not None and percent is not None:
        amount = _exact(base * percent / 100)
    if amount is None:
        notes.append("A reduction or surcharge states no amount; it is left out of the content.")
        return None
    code, _ = category_of(node)
    rate = rate_of(node)
    category = vat_category_of(code, rate, notes)
    return AllowanceCharge(
        is_charge=etree.QName(node).localname in _CHARGES,
        amount=amount,
        base=base,
        percent=percent,
        vat_category=category,
        vat_rate=None if category == "O" else rate,
        reason=EBINTERFACE.text(node, "Comment | TaxID"),
        reason_code=EBINTERFACE.value(node, "Classification"),
    )


def _exact(amount: Decimal) -> Decimal | None:
    """`amount` when it has no more than two decimals: how the sender rounds is not known."""
    return amount.quantize(Decimal("0.01")) if amount == round(amount, 2) else None
