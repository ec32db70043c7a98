"""An invoice in the terms of EN 16931 as UN/EDIFACT INVOIC D.96A, by the qualifiers of that directory."""

from __future__ import annotations

import datetime as dt
import re

from gateway.en16931 import Invoice, Party
from gateway.errors import Unconvertible
from gateway.formats.edifact import partner
from gateway.formats.edifact_line import (
    NAME,
    number,
    texts_of,
    write_allowance_charge,
    write_dates,
    write_lines,
    write_tax,
)
from gateway.formats.edifact_party import write_parties
from gateway.formats.edifactout import Element, Interchange, Latin

_REFERENCE = 35
_MOST_TEXTS = 10  # FTX of the header
_MESSAGE = "1"  # the reference of the only message
_AGREED, _GS1 = "ZZ", "14"  # UNTDID 0007: mutually defined; EAN International
_MEANS = frozenset(  # UNTDID 4461 in D.96A
    map(str, [*range(1, 24), *range(25, 44), 50, *range(60, 68), 70, *range(74, 79), *range(91, 98), "ZZZ"])
)
_NARROWER = {"58": "30", "57": "30"}  # later codes to what D.96A calls them: SEPA credit transfer, standing agreement
LEGAL_FORM = ("33", "ZZZ")  # C107 4441, mutually defined: what tells BT-33 from other regulatory texts
_TYPES = re.compile(r"\d{1,3}")


def written(invoice: Invoice, now: dt.datetime, lost: list[str]) -> bytes:
    """The bytes; what D.96A cannot hold is left out, and a sentence about it goes to `lost`."""
    fit = Latin(NAME, lost)
    out = Interchange()
    reference = _control(invoice.number)
    made = now.astimezone(dt.UTC)
    out.put("UNB", ("UNOC", "3"), _partner(invoice.seller, fit), _partner(invoice.buyer, fit), _moment(made), reference)
    before = out.number()
    out.put("UNH", _MESSAGE, ("INVOIC", "D", "96A", "UN"))
    _head(out, invoice, fit)
    _references(out, invoice, fit)
    write_parties(out, invoice, fit)
    _money(out, invoice, fit)
    write_lines(out, invoice, fit)
    _summary(out, invoice, fit)
    _leave(invoice, fit)
    out.put("UNT", str(out.number() - before + 1), _MESSAGE)
    out.put("UNZ", "1", reference)
    return out.bytes()


def _moment(now: dt.datetime) -> tuple[str, str]:
    return f"{now.year % 100:02}{now.month:02}{now.day:02}", f"{now.hour:02}{now.minute:02}"


def _control(invoice_number: str | None) -> str:
    """UNB 0020 (an..14): the letters and digits of the number that end it."""
    return re.sub(r"[^0-9A-Za-z]", "", invoice_number or "")[-14:] or "1"


def _partner(party: Party, fit: Latin) -> tuple[str | None, str]:
    value = partner(party)
    is_gln = any(each.scheme == "0088" and each.value == value for each in party.identifiers)
    return fit.code("what identifies a partner", value, 35), _GS1 if is_gln else _AGREED


def _head(out: Interchange, invoice: Invoice, fit: Latin) -> None:
    """BGM, DTM, PAI, FTX."""
    kind = invoice.type_code or ""
    if not _TYPES.fullmatch(kind):
        raise Unconvertible("BT-3", f"{NAME} has no document of the type {kind} (BT-3).")
    out.put("BGM", kind, fit.needed("BT-1", invoice.number, _REFERENCE), "9")  # UNTDID 1225: original
    write_dates(out, ("137", invoice.issue_date), ("131", invoice.tax_point_date), ("35", invoice.delivery_date))
    if invoice.period:
        write_dates(out, ("167", invoice.period.start), ("168", invoice.period.end))
    _instruction(out, invoice, fit)
    found: list[tuple[str, Element, tuple[str, ...]]] = [
        ("AAB", None, pieces) for pieces in texts_of(invoice.payment_terms, "BT-20", fit)
    ]
    for note in invoice.notes:
        subject = note.subject if note.subject and re.fullmatch("[A-Z]{3}", note.subject) else None
        found += [(subject or "GEN", None, pieces) for pieces in texts_of(note.text, "BT-22", fit)]
    found += [("REG", LEGAL_FORM, pieces) for pieces in texts_of(invoice.seller.legal_form, "BT-33", fit)]
    for vat in invoice.vat:
        found += [("TXD", vat.category, pieces) for pieces in texts_of(vat.exemption_reason, "BT-120", fit)]
    for subject, coded, pieces in found[:_MOST_TEXTS]:
        out.put("FTX", subject, None, coded, pieces)
    for _, _, pieces in found[_MOST_TEXTS:]:
        fit.leave("a further text", " ".join(pieces))


def _instruction(out: Interchange, invoice: Invoice, fit: Latin) -> None:
    """PAI: the first payment means; those that D.96A does not know become the wider ones, and that is named."""
    codes = list(dict.fromkeys(means.code for means in invoice.payment if means.code))
    for code in codes[1:]:
        fit.leave("a second payment means (BT-81)", code)
    if not codes:
        return
    known = codes[0] if codes[0] in _MEANS else _NARROWER.get(codes[0])
    if known:
        out.put("PAI", (None, None, known))
    if known != codes[0]:
        fit.leave("this payment means (BT-81)", codes[0])


def _references(out: Interchange, invoice: Invoice, fit: Latin) -> None:
    """RFF of the header, with DTM where there is a date."""
    means = [each.reference for each in invoice.payment if each.reference]
    for code, term, value in (
        ("ON", "BT-13", invoice.order),
        ("CT", "BT-12", invoice.contract),
        ("VN", "BT-14", invoice.sales_order),
        ("ALO", "BT-15", invoice.receiving_advice),
        ("AAK", "BT-16", invoice.despatch_advice),
        ("GC", "BT-17", invoice.tender),
        ("AEP", "BT-11", invoice.project),
        ("CR", "BT-10", invoice.buyer_reference),
        ("PQ", "BT-83", means[0] if means else None),
    ):
        if kept := fit.code(term, value, _REFERENCE):
            out.put("RFF", (code, kept))
    for other in dict.fromkeys(means):
        fit.leave("a second payment reference (BT-83)", other if other != means[0] else None)
    for reference in invoice.preceding:
        if kept := fit.code("BT-25", reference.id, _REFERENCE):
            out.put("RFF", ("OI", kept))
            write_dates(out, ("171", reference.date))


def _money(out: Interchange, invoice: Invoice, fit: Latin) -> None:
    """CUX, PAT, and the allowances and charges of the document with their tax."""
    other = invoice.accounting_currency
    out.put("CUX", ("2", invoice.currency), ("6", other) if other and other != invoice.currency else None)
    if invoice.due_date:
        out.put("PAT", "3")  # UNTDID 4279: a fixed date
        write_dates(out, ("13", invoice.due_date))
    for entry in invoice.allowances_charges:
        write_allowance_charge(out, entry, fit)
        write_tax(out, entry.vat_category, entry.vat_rate, "BT-95")


def _summary(out: Interchange, invoice: Invoice, fit: Latin) -> None:
    """UNS, MOA, and TAX with what is taxed and the tax."""
    totals = invoice.totals
    if totals.rounding:
        raise Unconvertible(
            "BT-114", f"{NAME} has no place for a rounding amount (BT-114), which is {totals.rounding:f}."
        )
    out.put("UNS", "S")
    out.put("CNT", ("2", str(len(invoice.lines))))  # UNTDID 6069: number of line items
    for code, term, value, currency in (
        ("79", "BT-106", totals.lines, None),
        ("260", "BT-107", totals.allowances, None),
        ("259", "BT-108", totals.charges, None),
        ("125", "BT-109", totals.without_vat, None),
        ("176", "BT-110", totals.vat, None),
        ("176", "BT-111", totals.vat_accounting_currency, invoice.accounting_currency),
        ("77", "BT-112", totals.with_vat, None),
        ("113", "BT-113", totals.paid, None),
        ("9", "BT-115", totals.payable, None),
    ):
        if value is not None:
            out.put("MOA", (code, number(value, term, 18), currency))
    for vat in invoice.vat:
        write_tax(out, vat.category, vat.rate, "BT-118")
        out.put("MOA", ("125", number(vat.taxable, "BT-116", 18)))
        out.put("MOA", ("124", number(vat.amount, "BT-117", 18)))
        fit.leave("BT-121", vat.exemption_code)


def _leave(invoice: Invoice, fit: Latin) -> None:
    """What has no place in the message at all."""
    fit.leave("BT-8", invoice.tax_point_code)
    fit.leave("the number that the buyer gave the seller", invoice.seller.account_id)
    fit.leave("BT-18", invoice.invoiced_object.value if invoice.invoiced_object else None)
    fit.leave("BT-19", invoice.accounting_reference)
    for reference in invoice.supporting:
        fit.leave("a document (BG-24)", reference.file_name or reference.id or reference.uri)
    for means in invoice.payment:
        fit.leave("a card (BG-18)", means.card)
        fit.leave("a direct debit (BG-19)", means.mandate or means.debited_account or means.creditor)
        fit.leave("the text of a payment means (BT-82)", means.text)
