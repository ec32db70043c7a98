"""A list, row by row: what is a comment, which column is what, and everything that is wrong with every row."""

from __future__ import annotations

import datetime as dt
import re
import resource
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from gateway.directory import check_recipient, clean_number
from gateway.errors import Refused
from gateway.workbook import csvfile
from gateway.workbook.cells import Cell, Content, Doubt, date_of, text_of
from gateway.workbook.headings import ERROR, VALID_FROM, field_of
from gateway.workbook.model import (
    COLUMN_LIMIT,
    FIELDS,
    FINDING_LIMIT,
    FRAME,
    REQUIRED,
    ROW_LIMIT,
    Finding,
    Listed,
    Options,
    Summary,
    frame,
    letters,
    pack,
)
from gateway.workbook.package import Package, is_package, refuse
from gateway.workbook.sheet import Row, Sheet, address_of, area

_CODES = {
    "number": "E-NUMBER",
    "email": "E-EMAIL",
    "cc": "E-CC",
    "name": "E-NAME",
    "format": "E-FORMAT",
    "attach": "E-ATTACH",
    "file_name": "E-FILE-NAME",
    "constants": "E-CONSTANTS",
}
_LINKED_CELLS = 200_000  # cells that are compared with their links; a link may stand for a whole column
_AHEAD = 100  # rows
_STAND_IN = {"number": "0", "email": "a@example.com"}  # for a field whose fault is known, to find the others'


def read(blob: bytes, options: Options) -> tuple[Summary, bytes]:
    """Read the file: a summary, and the frames of its findings and of its good rows (`model`).

    Refused for a file that is no list at all; everything else is a finding.
    """
    listing = Listing(options)
    if is_package(blob):
        sheet = Sheet(Package(blob))
        listing.take(_ahead(sheet.rows()))
        listing.compare_links(sheet.links)
        return listing.result(sheet.name)
    listing.take(csvfile.rows(blob))
    return listing.result("")


class Listing:
    """The list as far as it has been read."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._columns: dict[int, str] | None = None  # column -> field, once the first row is known
        self._heading: int | None = None
        self._titles: dict[int, str] = {}  # column -> its heading as written
        self._findings: list[Finding] = []
        self._errors = self._warnings = self._rows = self._comments = self._blanks = 0
        self._unknown: dict[int, tuple[int, int]] = {}  # column -> first row and number of cells with data
        self._packed: list[bytes] = []
        self._numbers = array("L")  # the row of each packed one
        self._seen: dict[str, int] = {}  # customer number -> place in `_packed`
        self._missing: dict[str, str] = {}  # required fields that have no column, which is said once
        self._twice: set[int] = set()  # places that an error was found for afterwards
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Listed)

    # --- rows ---

    def take(self, rows: Iterable[tuple[int, Row]]) -> None:
        """Take all rows of the file."""
        for number, row in rows:
            filled = _filled(row)
            if not filled:
                self._blanks += bool(self._columns)  # blank rows above the list are nothing
                continue
            if next(reversed(filled)) > COLUMN_LIMIT:
                cell = f"{letters(next(reversed(filled)))}{number}"
                raise refuse(f"{cell} has data; a list has at most {COLUMN_LIMIT} columns: delete what stands beyond.")
            self._take_row(number, filled)
        self._finish_columns()

    def _take_row(self, number: int, row: Row) -> None:
        first = next(iter(row.values()))
        marked = isinstance(first, str) and clean_number(first).startswith("#")
        if self._columns is None and (not marked or _is_heading(_headings(row))):
            self._start(number, row)
            return
        if marked:
            self._comments += 1
            if self._options.reject_comments:
                self._find(number, next(iter(row)), "E-COMMENT", "Rows that begin with # must be removed.")
            return
        self._take_data(number, row)

    def _start(self, number: int, row: Row) -> None:
        """The first row that counts: headings, or already data when none of its cells is a heading."""
        found = _headings(row)
        if not _is_heading(found):
            _refuse_one_column(row)
            self._columns = {1: "number", 2: "email"}
            self._take_data(number, row)
            return
        self._heading = number
        self._columns = {}
        self._titles = {column: content for column, content in row.items() if isinstance(content, str)}
        for column, field in found.items():
            if field in self._columns.values() and field != ERROR:
                self._find(number, column, "E-HEADING", f"There are two columns for {field}: delete one.")
            else:
                self._columns[column] = field
        for field in REQUIRED:
            if field not in self._columns.values():
                self._missing[field] = _STAND_IN[field]
                name = "customer_number" if field == "number" else field
                self._find(number, 1, "E-HEADING", f"No column is called {name}.")

    def _take_data(self, number: int, row: Row) -> None:
        self._rows += 1
        if self._rows > ROW_LIMIT:
            raise refuse(f"The list has more than {ROW_LIMIT} rows: cut it into several files.")
        assert self._columns is not None
        before = self._errors
        values: dict[str, object] = {}
        for column, content in row.items():
            field = self._columns.get(column)
            if field is None:
                self._note_unknown(number, column, content)
            elif field == VALID_FROM:
                self._check_start(number, column, content)
            elif field != ERROR:
                values[field] = self._text(number, column, field, content)
        checked = self._check(number, values)
        if checked is not None and self._errors == before and not self._missing:
            self._keep(checked)

    def _text(self, number: int, column: int, field: str, content: Content) -> str | None:
        """The cell's text; None after a finding."""
        try:
            text = text_of(content)
        except Doubt as doubt:
            self._find(number, column, doubt.code, doubt.sentence)
            return None
        is_list = "\n" in text and field in ("email", "cc", "constants")
        return text.replace("\r\n", ";").replace("\n", ";") if is_list else text

    def _check_start(self, number: int, column: int, content: Content) -> None:
        """`valid_from`: rows take effect at once, so a later day is refused rather than passed over."""
        day = None
        if isinstance(content, Cell) and content.kind == "date":
            day = date_of(content)
        elif isinstance(content, str):
            try:
                day = dt.date.fromisoformat(clean_number(content))
            except ValueError:
                day = None
        if day is None:
            self._find(number, column, "E-START", "This is no date such as 2026-01-31.")
        elif day.isoformat() > self._options.today:
            self._find(number, column, "E-START", f"The row is to be valid from {day} only: import it on that day.")

    def _check(self, number: int, values: dict[str, object]) -> Listed | None:
        """The row as `directory` normalises it; a finding for each field at fault, not for the first only."""
        assert self._columns is not None
        asked = {**values, **self._missing, "type": self._options.type}
        if None in values.values():  # their faults are known already
            asked |= {field: _STAND_IN.get(field) for field, value in values.items() if value is None}
        faults: set[str] = set()
        while True:
            try:
                row = check_recipient(asked, types=self._options.types, formats=self._options.formats)
                break
            except Refused as refused:
                field = refused.field or "number"
                if field in faults or field not in FIELDS:
                    raise
                faults.add(field)
                self._find(number, self._column(field), _CODES.get(field, "E-LANGUAGE"), refused.sentence)
                asked[field] = _STAND_IN.get(field)
        if faults:
            return None
        more = (row.name, row.format, row.language, row.attach, row.file_name, row.constants)
        return Listed(number, row.number, row.email, row.cc, *more)

    def _column(self, field: str) -> int:
        """The field's column; where there is none, the first."""
        return next((column for column, name in (self._columns or {}).items() if name == field), 1)

    def _keep(self, row: Listed) -> None:
        """Keep a good row, unless its number came before (S11)."""
        place = self._seen.get(row.number)
        if place is None:
            self._seen[row.number] = len(self._packed)
            self._packed.append(self._encoder.encode(row))
            self._numbers.append(row.row)
            return
        first = self._decoder.decode(self._packed[place])
        column = self._column("number")
        if msgspec.structs.replace(first, row=row.row) == row:
            self._find(row.row, column, "W-DUPLICATE", f"Row {first.row} says the same of {row.number}; one is taken.")
            return
        said = f"of {row.number} with other values: keep one"
        self._find(row.row, column, "E-DUPLICATE", f"Row {first.row} speaks {said}.")
        if place not in self._twice:
            self._twice.add(place)
            self._find(first.row, column, "E-DUPLICATE", f"Row {row.row} speaks {said}.")

    # --- columns that are none of ours ---

    def _note_unknown(self, number: int, column: int, content: Content) -> None:
        if letters(column) in self._options.ignore or (isinstance(content, str) and content.lstrip().startswith("#")):
            return
        first, count = self._unknown.get(column, (number, 0))
        self._unknown[column] = first, count + 1

    def _finish_columns(self) -> None:
        for column, (first, count) in self._unknown.items():
            name = letters(column)
            cells = "one cell" if count == 1 else f"{count} cells"
            title = f" ({self._titles[column][:40]!r})" if column in self._titles else ""
            sentence = f"Column {name}{title} is none of the list's and has data in {cells}: delete column {name}."
            self._find(first, column, "E-COLUMN", sentence)

    # --- links ---

    def compare_links(self, links: list[tuple[str, str]]) -> None:
        """Warn where a cell of addresses shows one thing and links to another; the text wins."""
        columns = {column: field for column, field in (self._columns or {}).items() if field in ("email", "cc")}
        warned: set[tuple[int, int]] = set()
        left = _LINKED_CELLS
        for reference, target in links:
            first, last, top, bottom = area(reference) or (1, 0, 1, 0)
            places = range(bisect_left(self._numbers, top), bisect_right(self._numbers, bottom))
            for place in places[: max(left, 0)]:
                for column, field in columns.items():
                    if first <= column <= last and (place, column) not in warned:
                        self._compare_link(place, column, field, target, warned)
            left -= len(places)

    def _compare_link(self, place: int, column: int, field: str, target: str, warned: set[tuple[int, int]]) -> None:
        shown = getattr(self._decoder.decode(self._packed[place]), field)
        leads = address_of(target)
        if shown and leads.lower() not in (address.lower() for address in shown):
            warned.add((place, column))
            sentence = f"The cell shows {'; '.join(shown)} but links to {leads[:100]}; what it shows is taken."
            self._find(self._numbers[place], column, "W-LINK", sentence)

    # --- the end ---

    def _find(self, row: int, column: int, code: str, sentence: str) -> None:
        finding = Finding(row=row, cell=f"{letters(column)}{row}", code=code, sentence=sentence)
        if finding.is_error:
            self._errors += 1
        else:
            self._warnings += 1
        if len(self._findings) < FINDING_LIMIT:
            self._findings.append(finding)

    def result(self, sheet: str) -> tuple[Summary, bytes]:
        """What the whole list came to."""
        columns = self._columns or {}
        if not self._rows and not self._errors:
            raise refuse("The list is empty: it has no row with data. Headings and rows that begin with # are none.")
        self._findings.sort(key=lambda found: (found.row, len(found.cell), found.cell))
        frames = [pack(self._findings[at : at + FRAME]) for at in range(0, len(self._findings), FRAME)]
        summary = Summary(
            sheet=sheet,
            columns={field: letters(column) for column, field in columns.items() if field in FIELDS},
            heading=self._heading,
            error_column=next((letters(column) for column, field in columns.items() if field == ERROR), None),
            rows=self._rows,
            comments=self._comments,
            blanks=self._blanks,
            errors=self._errors,
            warnings=self._warnings,
            finding_frames=len(frames),
            peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )
        frames += [frame(self._packed[at : at + FRAME]) for at in range(0, len(self._packed), FRAME)]
        return summary, b"".join(frames)


def _ahead(rows: Iterator[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
    """The rows, read some ahead: the reader of XML and the checks of rows are faster each by itself, by a tenth."""
    while some := list(islice(rows, _AHEAD)):
        yield from some


def _filled(row: Row) -> Row:
    """The cells that say something, from left to right."""
    return {
        column: row[column]
        for column in sorted(row)
        if not isinstance(row[column], str) or clean_number(row[column])  # type: ignore[arg-type]
    }


def _headings(row: Row) -> dict[int, str]:
    """The fields that the cells of a row name, by column."""
    named = {column: field_of(content) for column, content in row.items() if isinstance(content, str)}
    return {column: field for column, field in named.items() if field is not None}


def _refuse_one_column(row: Row) -> None:
    """A .csv that a spreadsheet opened without parting it has all its headings in the first cell."""
    first = row.get(1, "")
    if len(row) == 1 and isinstance(first, str) and len(_headings(dict(enumerate(re.split("[;,\t]", first))))) > 1:
        raise refuse(
            f"All columns stand in one ({first[:40]!r}): part them (Excel: Data, Text to Columns), and save it."
        )


def _is_heading(found: dict[int, str]) -> bool:
    """Whether a row with these headings is the row of headings: it must name number or e-mail."""
    return any(field in REQUIRED for field in found.values())
