"""The list as it came, with what is wrong in a column of its own; all other parts of the workbook stay as they are."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

import msgspec

from gateway.errors import Refused
from gateway.workbook import csvfile
from gateway.workbook.cells import Cell
from gateway.workbook.headings import WRITTEN
from gateway.workbook.model import column_of, letters
from gateway.workbook.package import DAMAGED, Package, is_package, refuse
from gateway.workbook.sheet import Sheet
from gateway.workbook.writing import writable, write_table

_LAST_COLUMN = 16384


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into the column."""

    sentences: Mapping[int, str]  # by row
    heading: int | None  # the row of the headings
    error_column: str | None = None  # letter of an earlier report's column, which goes
    language: str = "en"

    def text(self, row: int) -> str | None:
        """What the column has in this row. Without headings a # tells the import to pass over the cell."""
        if row == self.heading:
            return WRITTEN[self.language]["error"]
        sentence = self.sentences.get(row)
        return sentence if sentence is None or self.heading is not None else f"# {sentence}"


def mark(blob: bytes, said: Said) -> bytes:
    """The workbook `blob` with the column; a .csv becomes a workbook."""
    if not is_package(blob):
        return _mark_csv(blob, said)
    package = Package(blob)
    sheet = Sheet(package)
    part = package.name_of(sheet.part)
    try:
        return _rewritten(blob, part, said)
    except DAMAGED as error:
        raise refuse("The workbook is damaged: a part cannot be unpacked.") from error


def _rewritten(blob: bytes, part: str, said: Said) -> bytes:
    """The zip again, with another content in `part`."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(blob)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            new.writestr(info, _mark_sheet(content, said) if info.filename == part else content)
    return out.getvalue()


def _mark_csv(blob: bytes, said: Said) -> bytes:
    rows = []
    old = column_of(said.error_column or "")
    for number, row in csvfile.rows(blob):
        texts = {column: "" if isinstance(text, Cell) else text for column, text in row.items() if column != old}
        rows.append((number, texts))
    width = max((max(texts, default=0) for _, texts in rows), default=0)
    return write_table(
        (
            [texts.get(column, "") for column in range(1, width + 1)] + [said.text(number) or ""]
            for number, texts in rows
        ),
        "Recipients",
    )


def _mark_sheet(xml: bytes, said: Said) -> bytes:
    """The sheet's XML with a cell at the end of each row concerned; everything else is copied as it stands."""
    if not xml.startswith((b"<", b"\xef\xbb\xbf<")) or b"\0" in xml[:64]:
        raise Refused("The workbook is written in an encoding that no report can be written into.", "file")
    marks = _Marks(said)
    marks.parse(xml)
    column = marks.last_column + 1
    if column > _LAST_COLUMN:
        raise Refused("The sheet has no room for a column of errors.", "file")
    pieces, at = [], 0
    for start, end, row, prefix in sorted(marks.edits):
        pieces.append(xml[at:start])
        if row is not None:
            pieces.append(_cell(prefix, letters(column), row, said.text(row) or "").encode())
        at = end
    pieces.append(xml[at:])
    return b"".join(pieces)


def _cell(prefix: str, column: str, row: int, text: str) -> str:
    value = f'<{prefix}is><{prefix}t xml:space="preserve">{escape(writable(text))}</{prefix}t></{prefix}is>'
    return f'<{prefix}c r="{column}{row}" t="inlineStr">{value}</{prefix}c>'


class _Marks:
    """Finds the places in the XML, by expat, which tells the offset of every element."""

    def __init__(self, said: Said) -> None:
        self._said = said
        self._old = said.error_column or ""
        self._row = 0
        self._column = 0
        self._cut: int | None = None  # where a cell began that goes
        self._leaving = False  # that cell has ended
        self.last_column = 0
        self.edits: list[tuple[int, int, int | None, str]] = []  # from, to, row of a cell to put there, prefix
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def parse(self, xml: bytes) -> None:
        """Go through the whole sheet."""
        try:
            self._parser.Parse(xml, True)
        except expat.ExpatError as error:
            raise refuse("The workbook is damaged: its XML is malformed.") from error

    def _start(self, name: str, attributes: dict[str, Any]) -> None:
        self._close_cut()
        local = name.rpartition(":")[2]
        if local == "row":
            given = attributes.get("r", "")
            self._row = int(given) if given.isdigit() else self._row + 1
            self._column = 0
        elif local == "c":
            reference = attributes.get("r")
            self._column = column_of(reference.rstrip("0123456789")) if reference else self._column + 1
            if letters(self._column) == self._old:
                self._cut = self._parser.CurrentByteIndex
            else:
                self.last_column = max(self.last_column, self._column)

    def _end(self, name: str) -> None:
        prefix, colon, local = name.rpartition(":")
        if local == "c":
            self._leaving = self._cut is not None
            return
        self._close_cut()
        if local == "row" and self._said.text(self._row) is not None:
            at = self._parser.CurrentByteIndex
            self.edits.append((at, at, self._row, prefix + colon))

    def _close_cut(self) -> None:
        """A cell that goes ends where the next element begins or its row ends."""
        if self._leaving and self._cut is not None:
            self.edits.append((self._cut, self._parser.CurrentByteIndex, None, ""))
            self._cut, self._leaving = None, False
