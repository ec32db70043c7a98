"""A document of `gateway.trade` as the texts of its page, in the order the template `trade.typ` shows them.

As in `page`: the template gets strings only, and nothing is computed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from gateway import doctypes, resources
from gateway.doctypes.delivery_forecast import DELIVERY_FORECAST
from gateway.doctypes.invoice_response import INVOICE_RESPONSE
from gateway.doctypes.order import ORDER
from gateway.doctypes.receipt_advice import RECEIPT_ADVICE
from gateway.doctypes.reminder import REMINDER
from gateway.en16931 import Contact, Identifier, Party
from gateway.formats.contract import Options
from gateway.formats.glyphs import Page
from gateway.formats.page import is_dark, missing
from gateway.formats.parties import address_lines, customer_number
from gateway.formats.words import Words, account
from gateway.model import ReadDocument
from gateway.trade import Fact, Sum, Trade, TradeLine

_WIDE, _NARROW = 34, 22  # characters of a word that a column of parties, of the head holds
_MONEY = ("price", "debit", "credit", "amount")
# What the number is that these name their addressee by: the buyer gave it to the supplier.
_FOR_SUPPLIERS = (ORDER.name, RECEIPT_ADVICE.name, DELIVERY_FORECAST.name, INVOICE_RESPONSE.name)
_FIGURES = ("quantity", "outstanding", *_MONEY)
_TAKEN_OFF = ("allowances", "paid")
_TALL = 45  # lines of text; a row of more may be split over pages


@cache
def labels(language: str) -> Mapping[str, Any]:
    """The label file of `language`, one of `words.LANGUAGES`."""
    return tomllib.loads(resources.read_text(f"formats/labels_trade/{language}.toml"))


def compose(document: ReadDocument, trade: Trade, options: Options) -> dict[str, Any]:
    """The data of the template for `trade`."""
    words, page = Words(options.language), Page()
    said = labels(words.language)
    accent = options.accent if re.fullmatch("#[0-9a-fA-F]{6}", options.accent) else "#1f4e79"
    home = trade.sender.address.country if trade.sender.address else None
    data: dict[str, Any] = {
        "lang": words.language,
        "accent": accent,
        "dark": is_dark(accent),
        "date": list(options.now.timetuple()[:6]),
        "title": doctypes.label(document.type, words.language, document.subtype),
        "number": page.text(trade.number, 24),
        "number_label": words.say("text", "number"),
        "page": words.say("text", "page"),
        "sender": [*_named(trade.sender, words, page, None), *_reach(trade.sender, words, page)],
        "addressee": _named(trade.addressee, words, page, home),
        "reach": _reach(trade.addressee, words, page),
        "meta": _meta(trade, document.type in _FOR_SUPPLIERS, said, words, page),
        "parties": [
            {
                "label": said["party"][role.label],
                "lines": [*_named(role.party, words, page, home), *_reach(role.party, words, page)],
            }
            for role in trade.others
        ],
        "lines": _table(trade, said, words, page),
        "sums": _sums(trade, document.type == REMINDER.name, said, words, page),
        "notes": [page.text(note, 60).split("\n") for note in trade.notes],
        "notes_label": words.say("text", "notes"),
        "author": page.text(trade.sender.name or trade.sender.trading_name),
    }
    data["missing"] = missing(page, words)
    return data


def _named(party: Party, words: Words, page: Page, home: str | None) -> list[str]:
    """Names and address, a line each; the country only where it is not `home`."""
    names = dict.fromkeys((party.name, party.trading_name))
    return [page.text(line, _WIDE) for line in (*names, *address_lines(party.address, words, home)) if line]


def _reach(party: Party, words: Words, page: Page) -> list[str]:
    """Numbers of a party, and whom to ask there, a line each."""
    contact = party.contact or Contact()
    found: list[str | None] = []
    for label, value in (("legal_id", party.legal_id), ("vat_id", party.vat_id), ("tax_id", party.tax_id)):
        text = value.value if isinstance(value, Identifier) else value
        found.append(f"{words.say('text', label)}\u00a0{text}" if text else None)
    phone = f"{words.say('text', 'phone')}\u00a0{contact.phone}" if contact.phone else None
    found.append(" · ".join(part for part in (contact.name, phone, contact.email) if part))
    return [page.text(line, _WIDE) for line in found if line]


def _meta(trade: Trade, for_supplier: bool, said: Mapping[str, Any], words: Words, page: Page) -> list[list[str]]:
    rows: list[tuple[str, str | None]] = [("issue_date", words.date(trade.issue_date) if trade.issue_date else None)]
    rows.append(("supplier_number" if for_supplier else "customer_number", customer_number(trade.addressee)))
    rows += [(fact.label, _shown(fact, said, words)) for fact in trade.facts]
    return [[said["meta"][label], page.text(text, _NARROW)] for label, text in rows if text]


def _shown(fact: Fact, said: Mapping[str, Any], words: Words) -> str:
    if fact.dates:
        return " – ".join(map(words.date, fact.dates))
    if fact.amount is not None:
        return f"{words.plain(fact.amount)} {words.unit(fact.unit)}".strip()
    text = fact.text or ""
    if fact.code:
        text = said[fact.code].get(text, text)
    return account(text)[0] if fact.label == "account" else text


def _table(trade: Trade, said: Mapping[str, Any], words: Words, page: Page) -> dict[str, Any]:
    """The columns in which any line has a value, and the rows."""
    shown = [name for name in _FIGURES if any(getattr(line, name) is not None for line in trade.lines)]
    figures = {
        name: words.aligned(_figure(line, name, trade.currency, words) for line in trade.lines) for name in shown
    }
    texts = [name for name in ("reference", "date") if any(getattr(line, name) for line in trade.lines)]
    currency = page.text(trade.currency)
    heads = {name: said["columns"][name] for name in ("id", "item", *texts, *shown)}
    if money := [name for name in _MONEY if name in heads]:
        heads[money[-1]] = f"{heads[money[-1]]} {currency}".strip()
    rows = []
    for place, line in enumerate(trade.lines):
        row = _row(line, said, words, page)
        row["cells"] = [row.pop("reference") if name == "reference" else row.pop("date") for name in texts]
        row["figures"] = [figures[name][place] for name in shown]
        rows.append({key: value for key, value in row.items() if key not in ("reference", "date")})
    return {
        "heads": [heads["id"], heads["item"]],
        "text_heads": [heads[name] for name in texts],
        "figure_heads": [heads[name] for name in shown],
        "unit_at": shown.index("quantity") if "quantity" in shown else -1,
        "rows": rows,
    }


def _figure(line: TradeLine, name: str, currency: str | None, words: Words) -> str:
    value: Decimal | None = getattr(line, name)
    if value is None:
        return ""
    if name == "price":
        return words.price(value, currency)
    return words.amount(value, currency) if name in _MONEY else words.plain(value)


def _row(line: TradeLine, said: Mapping[str, Any], words: Words, page: Page) -> dict[str, Any]:
    """What of a line is text: its name, and small below it whatever has no column."""
    numbers = {
        "item": line.seller_item_id,
        "buyer_item": line.buyer_item_id,
        "standard_item": line.standard_item_id,
    }
    below: list[str | None] = [line.description if line.name else None]
    below.append(" · ".join(said["line"][name].format(value=value) for name, value in numbers.items() if value))
    below.append(said["status"].get(line.status, said["answer"].get(line.status, line.status)) if line.status else None)
    below += line.notes
    name = page.text(line.name or line.description, 30)
    small = [text for entry in below for text in page.text(entry, 30).split("\n") if text.strip()]
    return {
        "id": page.text(line.id, 8),
        "name": name.split("\n") if name else small[:1],
        "below": small if name else small[1:],
        "reference": page.text(line.reference, 16),
        "date": words.date(line.date) if line.date else "",
        "unit": page.text(words.unit(line.unit), 9),
        "tall": sum(1 + len(text) // 18 for text in (name, *small)) > _TALL,
    }


def _sums(trade: Trade, is_reminder: bool, said: Mapping[str, Any], words: Words, page: Page) -> dict[str, Any]:
    rows: list[list[Any]] = []
    payable = None
    amounts = words.aligned(words.amount(_signed(entry), trade.currency) for entry in trade.sums if not entry.payable)
    for entry in trade.sums:
        if entry.payable:
            label = "due" if is_reminder and entry.label == "payable" else entry.label
            shown = f"{words.amount(entry.amount, trade.currency)} {page.text(trade.currency)}".strip()
            payable = [said["sums"][label], shown]
        else:
            rows.append([said["sums"][entry.label], amounts[len(rows)]])
    return {"rows": rows, "payable": payable}


def _signed(entry: Sum) -> Decimal:
    """The amount as it changes the sum, as on an invoice's page: what is taken off has a minus."""
    return entry.amount.copy_negate() if entry.label in _TAKEN_OFF and entry.amount else entry.amount
