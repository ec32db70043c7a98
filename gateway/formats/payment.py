"""VAT breakdown (BG-23), totals (BG-22) and how to pay (BG-16), as texts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.en16931 import Invoice, PaymentMeans
from gateway.formats import epc
from gateway.formats.glyphs import Page
from gateway.formats.words import Words, account

_LONGEST = 40


def vat(invoice: Invoice, words: Words, page: Page) -> dict[str, Any]:
    """The VAT breakdown: rows, and the reasons for what is not taxed under them."""
    money, known = invoice.currency, words.labels["vat"]
    entries = invoice.vat
    rates = words.aligned(words.plain(entry.rate) if entry.rate is not None else "" for entry in entries)
    taxable = words.aligned(
        words.amount(entry.taxable, money) if entry.taxable is not None else "" for entry in entries
    )
    amounts = words.aligned(words.amount(entry.amount, money) if entry.amount is not None else "" for entry in entries)
    rows, reasons = [], []
    for entry, rate, net, amount in zip(entries, rates, taxable, amounts, strict=True):
        code = entry.category or ""
        text = known.get(code, code) if len(code) <= 2 else code
        rows.append({"rate": rate, "text": page.text(text, 18), "taxable": net, "amount": amount})
        reason = " · ".join(filter(None, (entry.exemption_reason, entry.exemption_code)))
        if reason:
            reasons.append(page.text(f"{known.get(code, code)}: {reason}" if code else reason, _LONGEST))
    names = ("title", "taxable", "amount")
    return {"labels": {name: known[name] for name in names}, "rows": rows, "reasons": list(dict.fromkeys(reasons))}


def totals(invoice: Invoice, words: Words, credited: bool) -> dict[str, Any]:
    """The sums, and what is to be paid with its currency. Nothing is computed: a sum not stated is not shown."""
    sums, money = invoice.totals, invoice.currency
    taken_off = {"allowances", "paid"}
    found: list[tuple[str, Decimal]] = []
    for name in ("lines", "allowances", "charges", "without_vat", "vat", "with_vat", "paid", "rounding"):
        value: Decimal | None = getattr(sums, name)
        if value is not None and (value or name in {"without_vat", "vat", "with_vat"}):
            found.append((words.say("totals", name), value.copy_negate() if name in taken_off else value))
    if sums.lines is not None and sums.lines == sums.without_vat and not (sums.allowances or sums.charges):
        found = [entry for entry in found if entry[0] != words.say("totals", "lines")]
    figures = words.aligned(words.amount(value, money) for _, value in found)
    rows = [[label, figure] for (label, _), figure in zip(found, figures, strict=True)]
    extra = sums.vat_accounting_currency
    if extra is not None and invoice.accounting_currency:
        label = words.say("totals", "vat_accounting_currency", currency=Page().text(invoice.accounting_currency))
        rows.append([label, [words.amount(extra, invoice.accounting_currency), ""]])
    payable = None
    if sums.payable is not None:
        shown = f"{words.amount(sums.payable, money)} {Page().text(money)}".strip()
        payable = [words.say("totals", "credited" if credited else "payable"), shown]
    return {"rows": rows, "payable": payable}


def means(invoice: Invoice, words: Words, page: Page, credited: bool) -> dict[str, Any]:
    """How to pay: one block per payment means, then the terms."""
    blocks = [block for entry in invoice.payment if (block := _block(entry, words, page))]
    reference = page.text(", ".join(dict.fromkeys(e.reference for e in invoice.payment if e.reference)), 24)
    common = [[words.say("payment", "reference"), reference]] if reference else []
    if invoice.due_date and not credited:
        common.append([words.say("payment", "due_date"), words.date(invoice.due_date)])
    terms = [text for text in page.text(invoice.payment_terms, 60).split("\n") if text.strip()]
    code = None if credited else epc.payload(invoice)
    return {
        "title": words.say("payment", "title"),
        "blocks": blocks,
        "common": common,
        "terms": terms,
        "code": epc.svg(code) if code else "",
        "scan": words.say("payment", "scan"),
    }


def _block(entry: PaymentMeans, words: Words, page: Page) -> list[list[str]]:
    known = words.labels["means"]
    rows = [("means", entry.text or known.get(entry.code or "", entry.code))]
    for name, value in (("account", entry.account), ("debited_account", entry.debited_account)):
        if value:
            shown, is_iban = account(value)
            rows.append(("iban" if is_iban and name == "account" else name, shown))
    rows += [("bic", entry.bic), ("holder", entry.account_name)]
    rows += [(name, getattr(entry, name)) for name in ("card", "card_holder", "card_network", "mandate", "creditor")]
    return [[words.say("payment", label), page.text(value, 24)] for label, value in rows if value]
