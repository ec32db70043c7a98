"""Lines in an INVOIC message (BG-25 to BG-32), and allowances and charges."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from gateway.en16931 import AllowanceCharge, Identifier, Invoice, Line
from gateway.errors import Unconvertible
from gateway.formats.edifactout import Interchange, Latin, date_text, number_text
from gateway.formats.fitting import wrapped

NAME = "EDIFACT INVOIC D.96A"
CATEGORIES = frozenset("ABCEGHOSZ")  # UNTDID 5305 in D.96A
_PART, _TEXT, _MOST_TEXTS = 35, 70, 5  # IMD C273 7008 twice; FTX C108 4440 five times
_MOST_NAMES, _MOST_IMD, _MOST_FTX = 4, 10, 5
_LINE_NUMBER = 6
_GLN = "0088"  # what many write for a GTIN
_GTIN_SCHEMES = ("0160", _GLN, None)
_ALLOWANCES = frozenset(map(str, range(1, 54)))  # UNTDID 5189 in D.96A
# UNTDID 7143 in D.96A: the lists of articles among its codes
_ARTICLE_LISTS = frozenset(
    {
        *("AA", "AB", "AC", "AD", "AE", "AF", "AG", "AH", "AI", "AJ", "AK", "AL", "AM", "AN", "AO", "AP", "AT", "AU"),
        *("BO", "CC", "CG", "CL", "CR", "CV", "DR", "DW", "EC", "EF", "GB", "GN", "GS", "HS", "IB", "IS", "IT", "IZ"),
        *("MA", "MF", "MN", "MP", "NB", "ON", "PD", "PL", "PO", "PV", "QS", "RC", "RN", "RU", "RY", "SG", "SK", "SN"),
        *("SRS", "SS", "ST", "TG", "UA", "VN", "VP", "VS", "VX", "ZZZ"),
    }
)


def write_lines(out: Interchange, invoice: Invoice, fit: Latin) -> None:
    """All lines, in their order."""
    for place, line in enumerate(invoice.lines, 1):
        _article(out, line, place, fit)
        out.put("QTY", ("47", number(line.quantity, "BT-129", 15), line.unit))
        if line.origin:
            out.put("ALI", fit.code("BT-159", line.origin, 3))
        if line.period:
            write_dates(out, ("167", line.period.start), ("168", line.period.end))
        _texts(out, line, fit)
        out.put("MOA", ("203", number(line.amount, "BT-131", 18)))
        _price(out, line, fit)
        _references(out, line, place, fit)
        write_tax(out, line.vat_category, line.vat_rate, "BT-151")
        for entry in line.allowances_charges:
            write_allowance_charge(out, entry, fit)


def number(value: Decimal | None, term: str, digits: int) -> str | None:
    """A number as EDIFACT writes it."""
    return None if value is None else number_text(NAME, term, value, digits)


def write_dates(out: Interchange, *dates: tuple[str, dt.date | None]) -> None:
    """DTM by code and date; nothing without a date."""
    for code, date in dates:
        if date:
            out.put("DTM", (code, date_text(date), "102"))


def write_tax(out: Interchange, category: str | None, rate: Decimal | None, term: str) -> None:
    """TAX: the VAT category and rate; Unconvertible for a category that D.96A does not know."""
    if category and category not in CATEGORIES:
        known = ", ".join(sorted(CATEGORIES))
        raise Unconvertible(term, f"{NAME} has the VAT categories {known}; {category} ({term}) is none of them.")
    out.put("TAX", "7", "VAT", None, None, (None, None, None, number(rate, "BT-152", 17)), category)


def write_allowance_charge(out: Interchange, entry: AllowanceCharge, fit: Latin) -> None:
    """ALC with percentage, amount and base: BG-20, BG-21, BG-27, BG-28; the caller writes its tax."""
    code = entry.reason_code
    reason = wrapped(fit.text("BT-97, BT-104, BT-139, BT-144", entry.reason, 2 * _PART), _PART)
    fit.leave("so long a reason", " ".join(reason[2:]))
    if entry.is_charge:
        service = fit.code("BT-105, BT-145", code, 3)
        out.put("ALC", "C", None, None, None, (service, None, None, *reason[:2]))
    else:
        known = code if code in _ALLOWANCES else None
        fit.leave("this reason code (BT-98, BT-140)", None if known else code)
        out.put("ALC", "A", (None, known), None, None, (None, None, None, *reason[:2]))
    if entry.percent is not None:
        out.put("PCD", ("2" if entry.is_charge else "1", number(entry.percent, "BT-94", 10)))
    out.put("MOA", ("23" if entry.is_charge else "204", number(entry.amount, "BT-92", 18)))
    if entry.base is not None:
        out.put("MOA", ("25", number(entry.base, "BT-93", 18)))


def texts_of(value: str | None, term: str, fit: Latin) -> list[tuple[str, ...]]:
    """A text as FTX holds it: five pieces of 70 characters each."""
    pieces = wrapped(fit.latin(term, value), _TEXT)
    return [tuple(pieces[at : at + _MOST_TEXTS]) for at in range(0, len(pieces), _MOST_TEXTS)]


def _article(out: Interchange, line: Line, place: int, fit: Latin) -> None:
    """LIN, PIA, IMD."""
    standard = line.standard_item_id
    is_gtin = standard is not None and standard.scheme in _GTIN_SCHEMES
    gtin = fit.code("BT-157", standard.value, _PART) if standard and is_gtin else None
    if standard and standard.scheme == _GLN:
        fit.leave("the scheme of a GTIN (BT-157)", _GLN)
    fit.leave("an item identifier that is no GTIN (BT-157)", standard.value if standard and not is_gtin else None)
    out.put("LIN", line.id if _is_number(line.id) else str(place), None, (gtin, "EN") if gtin else None)
    for value, kind, term in ((line.seller_item_id, "SA", "BT-155"), (line.buyer_item_id, "IN", "BT-156")):
        if kept := fit.code(term, value, _PART):
            out.put("PIA", "5", (kept, kind))
    for group in line.classifications:
        _classification(out, group, fit)
    name = wrapped(fit.needed("BT-153", line.name, 1000), _PART)
    described = wrapped(fit.latin("BT-154", line.description), _PART)
    _descriptions(out, "F", name, _MOST_NAMES, "BT-153", fit)
    used = min(-(-len(name) // 2), _MOST_NAMES)
    _descriptions(out, "A", described, _MOST_IMD - used, "BT-154", fit)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LINE_NUMBER


def _classification(out: Interchange, group: Identifier, fit: Latin) -> None:
    value = fit.code("BT-158", group.value, _PART)
    known = group.scheme if group.scheme in _ARTICLE_LISTS else "ZZZ"
    fit.leave("this list of articles (BT-158)", None if group.scheme in (None, known) else group.scheme)
    fit.leave("the version of a list of articles (BT-158)", group.version)
    if value:
        out.put("PIA", "1", (value, known))


def _descriptions(out: Interchange, kind: str, pieces: list[str], most: int, term: str, fit: Latin) -> None:
    for at in range(0, min(len(pieces), 2 * most), 2):
        out.put("IMD", kind, None, (None, None, None, *pieces[at : at + 2]))
    fit.leave(f"so long a text ({term})", " ".join(pieces[2 * most :]))


def _texts(out: Interchange, line: Line, fit: Latin) -> None:
    """FTX: the note, then the attributes (BG-32), five in all."""
    found = [("ACB", pieces) for pieces in texts_of(line.note, "BT-127", fit)]
    for name, value in line.attributes:
        pair = (fit.text("BT-160", name, _TEXT) or "-", fit.text("BT-161", value, _TEXT) or "")
        found.append(("ACF", pair))
    for subject, pieces in found[:_MOST_FTX]:
        out.put("FTX", subject, None, None, pieces)
    for _, pieces in found[_MOST_FTX:]:
        fit.leave("a further text of a line", " ".join(pieces))


def _price(out: Interchange, line: Line, fit: Latin) -> None:
    basis = number(line.price_base_quantity, "BT-149", 9)
    unit = line.unit if basis else None
    for kind, value, term in (("AAA", line.price, "BT-146"), ("AAB", line.gross_price, "BT-148")):
        if value is not None:
            out.put("PRI", (kind, number(value, term, 15), None, None, basis, unit))
    fit.leave("a discount of the price (BT-147)", line.price_discount and format(line.price_discount, "f"))


def _references(out: Interchange, line: Line, place: int, fit: Latin) -> None:
    if not _is_number(line.id) and (kept := fit.code("BT-126", line.id, _PART)):
        out.put("RFF", ("LI", kept))
    if line.order_line and (kept := fit.code("BT-132", line.order_line, _LINE_NUMBER)):
        out.put("RFF", ("ON", None, kept))
    fit.leave("BT-128", line.object_id.value if line.object_id else None)
    fit.leave("BT-133", line.accounting_reference)
