"""CSV for those who import: a row for each line of the invoice, with what the document says repeated on each.

RFC 4180: comma, CRLF, quotes where a value needs them; the decimal point of the amounts goes with the comma. UTF-8 with
its mark, without which Excel takes it for Windows-1252 and spoils names without a word. Spreadsheets take what begins
with = for a formula, in a text cell of CSV as well: see `guarded`.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import PurePath

from gateway.en16931 import AllowanceCharge, Invoice, VatBreakdown
from gateway.formats.contract import Options
from gateway.formats.csvcolumns import DOCUMENT, LINE, Column
from gateway.formats.demands import Profile, Stated, stated_for
from gateway.formats.unplaced import unplaced
from gateway.model import Attachment, ReadDocument

BETWEEN = " | "  # the values of one cell; columns that belong together have theirs in the same order

# Where a cell begins: also after what another country's Excel takes for a separator, and a quote behind it.
_DANGER = re.compile(r"(^|[,;\t\r\n])(\"*)(?='*[-=+@\t\r＝＋－＠])")
_GUARDED = re.compile(r"(^|[,;\t\r\n])(\"*)'(?='*[-=+@\t\r＝＋－＠])")


def guarded(text: str) -> str:
    """`text` with an apostrophe before what a spreadsheet would take for a formula, and before one that it has there
    already, so that `unguarded` gives every text back."""
    return _DANGER.sub(r"\1\2'", text)


def unguarded(text: str) -> str:
    """What a text cell says."""
    return _GUARDED.sub(r"\1\2", text)


def _demands(invoice: Invoice) -> Iterator[Stated]:
    """Without these nobody can tell what the rows are of."""
    yield "BT-1", invoice.number
    yield "BT-2", invoice.issue_date
    yield "BT-5", invoice.currency
    yield "BT-27", invoice.seller.name
    yield "BG-25", invoice.lines or None


class CsvFormat:
    """CSV as a format of the table."""

    name = "csv"
    label = "CSV, a row per line"
    media_type = "text/csv"  # RFC 4180 §3
    read = "not read"
    written = "from invoices in any format that is read whole, a row per line"
    checked = "our goldens, read by Python's csv"
    profile = Profile(name="CSV", specification="", demands=(_demands,))

    def accepts(self, document: ReadDocument) -> bool:
        """Never: CSV is not read."""
        return False

    def write(self, document: ReadDocument, source: Attachment, options: Options) -> Attachment:
        """The rows, the first the names of the columns; Unconvertible where there is nothing to make rows of."""
        invoice = stated_for(self.profile, document)
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow([column.title for column in (*DOCUMENT, *LINE)])
        head = [_cell(invoice, column) for column in DOCUMENT]
        for line in invoice.lines:
            writer.writerow([*head, *(_cell(line, column) for column in LINE)])
        return Attachment(
            name=f"{PurePath(source.name).stem or 'invoice'}.csv",
            media_type=self.media_type,
            content=out.getvalue().encode("utf-8-sig"),
            notes=tuple(dict.fromkeys((*unplaced(invoice), *_lost(invoice)))),
        )


csv_lines = CsvFormat()


def _lost(invoice: Invoice) -> Iterator[str]:
    for document in invoice.supporting:
        if document.content is not None or document.size:
            yield f"CSV has no place for files (BT-125); {document.file_name or document.id} was left out."


def _cell(term: object, column: Column) -> str:
    """The text of one cell. Numbers and dates are what they are; a text is guarded, once it is whole."""
    found = list(_found([term], column.path.split(".")))
    if not any(each not in (None, "") for each in found):
        return ""
    if len(found) == 1 and isinstance(found[0], Decimal | dt.date):
        return _said(found[0])
    return guarded(BETWEEN.join(map(_said, found)))


def _found(terms: Iterable[object], path: list[str]) -> Iterator[object]:
    """What stands at `path` below each of `terms`; an empty place keeps its turn among several."""
    for term in terms:
        value = getattr(term, path[0]) if path and term is not None else term
        if isinstance(value, tuple) and not isinstance(term, tuple):
            yield from _found(value, path[1:])
        elif path and value is not None:
            yield from _found([value], path[1:])
        else:
            yield value


def _said(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, AllowanceCharge):
        return _adjustment(value)
    if isinstance(value, VatBreakdown):
        return _vat(value)
    return ": ".join(value) if isinstance(value, tuple) else str(value)  # a tuple is an attribute of the item


def _adjustment(entry: AllowanceCharge) -> str:
    """`charge 10.00; 5 % of 200.00; VAT S 25 %; Freight [FC]`."""
    kind = "charge" if entry.is_charge else "allowance"
    share = f"{entry.percent:f} %" if entry.percent is not None else ""
    base = f"of {entry.base:f}" if entry.base is not None else ""
    parts = (f"{kind} {entry.amount:f}", f"{share} {base}".strip(), _rate(entry.vat_category, entry.vat_rate))
    return "; ".join(filter(None, (*parts, _reason(entry.reason, entry.reason_code))))


def _vat(entry: VatBreakdown) -> str:
    """`VAT S 25 %; 25.00 on 100.00; reason [VATEX-EU-AE]`."""
    amount = _said(entry.amount) + (f" on {entry.taxable:f}" if entry.taxable is not None else "")
    parts = (_rate(entry.category, entry.rate), amount, _reason(entry.exemption_reason, entry.exemption_code))
    return "; ".join(filter(None, parts))


def _rate(category: str | None, rate: Decimal | None) -> str:
    said = " ".join(filter(None, (category, f"{rate:f} %" if rate is not None else "")))
    return f"VAT {said}" if said else ""


def _reason(text: str | None, code: str | None) -> str:
    return " ".join(filter(None, (text, f"[{code}]" if code else "")))
