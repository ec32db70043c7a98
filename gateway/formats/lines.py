"""Invoice lines (BG-25) and document allowances and charges (BG-20, BG-21) as rows of texts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.en16931 import AllowanceCharge, Invoice, Line
from gateway.formats.glyphs import Page
from gateway.formats.parties import identified, period
from gateway.formats.words import Words

_LONGEST_ITEM = 16  # characters; longer item numbers stand under the description
_LONGEST_ID = 6
_GTIN = frozenset({None, "0160", "0088"})  # ISO 6523: GTIN; GLN's code, which many write for it
_LONGEST_UNIT = 9  # characters; longer units wrap
_TALL = 45  # lines of text; a row of more may be split over pages, because it could be taller than one
_NARROWEST = 18  # characters, the widest there are, that a line of the description holds
_ROOM = 56  # characters of figures, item numbers and units that leave the description its width at the usual size


def table(invoice: Invoice, words: Words, page: Page) -> dict[str, Any]:
    """Column labels and rows; figures come with the padding that aligns their decimal marks."""
    items = [line.seller_item_id or "" for line in invoice.lines]
    item_column = any(items) and max(map(len, items)) <= _LONGEST_ITEM
    money = invoice.currency
    figures = [
        words.aligned(_each(invoice.lines, "quantity", words.plain)),
        words.aligned(_each(invoice.lines, "price", lambda value: words.price(value, money))),
        words.aligned(_each(invoice.lines, "vat_rate", words.plain)),
        words.aligned(_each(invoice.lines, "amount", lambda value: words.amount(value, money))),
    ]
    units = [page.text(words.unit(line.unit), _LONGEST_UNIT) for line in invoice.lines]
    columns = [[text + pad for text, pad in column] for column in figures]
    columns += [[unit[:_LONGEST_UNIT] for unit in units], items if item_column else []]
    widest = sum(max(map(len, column), default=0) for column in columns)
    rows = [
        _row(line, words, page, money, item_column)
        | {"unit": unit, "quantity": quantity, "price": price, "vat": rate, "amount": amount}
        for line, unit, quantity, price, rate, amount in zip(invoice.lines, units, *figures, strict=True)
    ]
    return {
        "columns": {name: words.say("columns", name) for name in ("position", "description", "item", "quantity")}
        | {name: words.say("columns", name) for name in ("price", "vat")}
        | {"amount": words.say("columns", "amount", currency=page.text(money)).strip()},
        "item_column": item_column,
        "long_id": any(len(row["id"]) > _LONGEST_ID for row in rows),
        "long_unit": any(len(unit) > _LONGEST_UNIT for unit in units),
        "scale": max(0.35, min(1.0, _ROOM / widest)) if widest else 1.0,
        "rows": rows,
    }


def _row(line: Line, words: Words, page: Page, currency: str | None, item_column: bool) -> dict[str, Any]:
    """What of a row is text."""
    item = line.seller_item_id or ""
    below = _below(line, words, page, currency, "" if item_column else item)
    name = page.text(line.name or line.description, 30)
    return {
        "id": page.text(line.id, _LONGEST_ID),
        "name": name.split("\n"),
        "below": below,
        "item": page.text(item),
        "base": _base(line, words, page),
        "category": _category(line.vat_category, words),
        "tall": sum(1 + len(text) // _NARROWEST for text in (name, *below)) > _TALL,
    }


def _each(lines: tuple[Line, ...], name: str, show: Any) -> list[str]:
    return [show(value) if (value := getattr(line, name)) is not None else "" for line in lines]


def _category(code: str | None, words: Words) -> str:
    """The VAT category (UNTDID 5305) where it says more than the rate; the VAT breakdown has its name."""
    return code if code and code != "S" and len(code) <= 2 and code in words.labels["vat"] else ""


def _base(line: Line, words: Words, page: Page) -> str:
    """`per 100 pcs`, where the price is for more than one (BT-149)."""
    base = line.price_base_quantity
    if base is None or base in {Decimal(0), Decimal(1)}:
        return ""
    value = f"{words.plain(base)} {words.unit(line.unit)}".strip()
    return page.text(words.say("line", "per", value=value))


def _below(line: Line, words: Words, page: Page, currency: str | None, item: str) -> list[str]:
    """What stands small under the name of a line."""
    found: list[str | None] = [line.description if line.name else None, line.note]
    found += [f"{name}: {value}" for name, value in line.attributes]
    found.append(
        " · ".join(words.say("line", name, value=value) for name, value in _numbers(line, words, item) if value)
    )
    shown = {"price": line.gross_price, "discount": line.price_discount}
    said = {name: words.price(value, currency) for name, value in shown.items() if value is not None}
    if line.price_discount and line.gross_price is not None:
        found.append(words.say("line", "list_price", **said))
    elif line.gross_price not in (None, line.price):
        found.append(words.say("line", "gross", price=said["price"]))
    found += [
        f"{_reason(entry, words, currency)}: {_signed(entry, words, currency)}" for entry in line.allowances_charges
    ]
    return [text for entry in found for text in page.text(entry, 30).split("\n") if text.strip()]


def _numbers(line: Line, words: Words, item: str) -> list[tuple[str, str | None]]:
    """The item's and the line's identifiers and references, each with the label it has."""
    standard = line.standard_item_id
    is_gtin = standard is not None and standard.scheme in _GTIN
    return [
        ("item", item),
        ("buyer_item", line.buyer_item_id),
        ("standard_item", standard.value if standard and is_gtin else None),
        ("item_id", None if is_gtin else identified(standard)),
        *(("item_class", identified(entry)) for entry in line.classifications),
        ("origin", words.country(line.origin) if line.origin else None),
        ("order_line", line.order_line),
        ("object", identified(line.object_id)),
        ("accounting", line.accounting_reference),
        ("period", period(line.period, words)),
    ]


def _signed(entry: AllowanceCharge, words: Words, currency: str | None) -> str:
    """The amount as it changes the total: an allowance is taken off."""
    return words.amount(entry.amount if entry.is_charge else entry.amount.copy_negate(), currency)


def _reason(entry: AllowanceCharge, words: Words, currency: str | None) -> str:
    said = entry.reason or words.say("line", "charge" if entry.is_charge else "allowance")
    if entry.reason_code and not entry.reason:
        said += f" [{entry.reason_code}]"
    if entry.percent is None:
        return said
    percent = words.plain(entry.percent)
    if entry.base is None:
        return f"{said} ({percent} %)"
    base = words.amount(entry.base, currency)
    return f"{said} ({words.say('line', 'percent_of', percent=percent, base=base)})"


def adjustments(invoice: Invoice, words: Words, page: Page) -> list[dict[str, Any]]:
    """Document allowances and charges: reason, VAT rate, signed amount."""
    entries = invoice.allowances_charges
    amounts = words.aligned(_signed(entry, words, invoice.currency) for entry in entries)
    rates = words.aligned(words.plain(entry.vat_rate) if entry.vat_rate is not None else "" for entry in entries)
    return [
        {
            "text": page.text(_reason(entry, words, invoice.currency), 40),
            "vat": rate,
            "category": _category(entry.vat_category, words),
            "amount": amount,
        }
        for entry, rate, amount in zip(entries, rates, amounts, strict=True)
    ]
