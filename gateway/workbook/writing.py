"""Writing lists: the example to follow, the export, and a list of another kind with its errors. All cells are text.

A value that begins with = + - @ is written as the text that it is, never as a formula; in .csv, where there is no type,
with an apostrophe before it, which the import takes off again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from gateway import doctypes
from gateway.workbook.headings import SHEET_NAMES, WRITTEN
from gateway.workbook.model import FIELDS, REQUIRED

_AS_TEXT = "@"  # the number format of text (ISO/IEC 29500-1 §18.8.30, 49)
_WIDTHS = {"number": 18, "email": 38, "cc": 38, "name": 28, "format": 14, "language": 12}
_WIDTHS |= {"attach": 12, "file_name": 28, "constants": 38}
_FORMULA = re.compile("'*[-=+@\t\r]")  # apostrophes too, so that the import takes off only the one added
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0 §2.2 has no such character
_LIKE_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # would be read as a character's code (ISO/IEC 29500-1 §22.9.2.19)

# What the template says in its # rows: what to do, then three examples.
_NOTES: Mapping[str, Sequence[str]] = {
    "en": (
        "# Rows that begin with # are comments: they are passed over, and may be deleted.",
        "# One row for each customer, for one document type. Columns with * must be filled; the others may be deleted.",
        "# Several addresses go into one cell, with ; between them. An empty cell clears what the directory has.",
    ),
    "fr": (
        "# Les lignes qui commencent par # sont des commentaires : elles sont ignorées et peuvent être supprimées.",
        "# Une ligne par client, pour un seul type de document. Les colonnes avec * sont obligatoires, les autres non.",
        "# Plusieurs adresses dans une cellule se séparent par ; et une cellule vide efface la valeur du répertoire.",
    ),
    "de": (
        "# Zeilen, die mit # beginnen, sind Kommentare: sie werden übergangen und können gelöscht werden.",
        "# Eine Zeile je Kunde, für eine Dokumentart. Spalten mit * sind Pflicht, die übrigen können entfallen.",
        "# Mehrere Adressen stehen in einer Zelle, durch ; getrennt. Eine leere Zelle löscht den bisherigen Wert.",
    ),
    "sv": (
        "# Rader som börjar med # är kommentarer: de hoppas över och kan tas bort.",
        "# En rad per kund, för en dokumenttyp. Kolumner med * måste fyllas i, de andra kan tas bort.",
        "# Flera adresser skrivs i en cell med ; emellan. En tom cell tömmer värdet i registret.",
    ),
}
_CELL_NOTES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "number": "As your documents write it, with its zeros. The column is text, so that Excel keeps them.",
        "type": "This file was made for the type {type}; the type is chosen when it is imported.",
    },
    "fr": {
        "number": "Tel qu'il figure dans vos documents, zéros compris. La colonne est du texte, Excel les garde ainsi.",
        "type": "Fichier préparé pour le type {type} ; le type se choisit à l'importation.",
    },
    "de": {
        "number": "So wie in Ihren Dokumenten, mit allen Nullen. Die Spalte ist Text, damit Excel sie behält.",
        "type": "Für die Dokumentart {type} angelegt; die Art wird beim Import gewählt.",
    },
    "sv": {
        "number": "Som i era dokument, med alla nollor. Kolumnen är text så att Excel behåller dem.",
        "type": "Filen är gjord för typen {type}; typen väljs vid importen.",
    },
}
_EXAMPLES: Sequence[Mapping[str, str]] = (
    {"number": "0001001", "email": "invoices@customer.example", "name": "Customer AB", "language": "en"},
    {
        "number": "0001002",
        "email": "ap@company.example; accounts@company.example",
        "cc": "archive@company.example",
        "name": "Société Exemple",
        "format": "pdf",
        "language": "fr",
    },
    {
        "number": "K-77/2",
        "email": "rechnung@firma.example",
        "name": "Firma Beispiel",
        "format": "xrechnung-ubl",
        "language": "de",
        "attach": "alone",
        "file_name": "{{ type }}-{{ number }}",
        "constants": "BT-10=04011000-12345-34",
    },
)


def template(language: str, type_: str | None = None) -> bytes:
    """The example to follow (R33, R34) in `language`, for the document type `type_` if it is known yet."""
    book = Workbook()
    sheet = book.active
    sheet.title = SHEET_NAMES[language]
    headings = [WRITTEN[language][field] + ("*" if field in REQUIRED else "") for field in FIELDS]
    rows: list[list[str]] = [headings, *([note] for note in _NOTES[language])]
    rows += [_example(example) for example in _EXAMPLES]
    for line, values in enumerate(rows, 1):
        for column, value in enumerate(values, 1):
            _write(sheet.cell(line, column), value)
    for cell in sheet[1]:
        cell.font = Font(name="Calibri", size=11, bold=True)
        cell.fill = PatternFill("solid", fgColor="FFDDE6F0")
    for row in sheet.iter_rows(min_row=2, max_row=len(rows)):
        for cell in row:
            cell.font = Font(name="Calibri", size=11, italic=True, color="FF666666")
    for line in range(2, 2 + len(_NOTES[language])):
        sheet.cell(line, 1).alignment = Alignment(wrap_text=False)
    _lay_out(sheet)
    sheet.freeze_panes = "A2"
    sheet["A1"].comment = _note(language, type_)
    return _saved(book)


def _example(example: Mapping[str, str]) -> list[str]:
    return [("# " if field == "number" else "") + example.get(field, "") for field in FIELDS]


def _note(language: str, type_: str | None) -> Comment:
    text = _CELL_NOTES[language]["number"]
    if type_ is not None:
        label = type_ if type_ == doctypes.ANY else doctypes.label(type_, language)
        text += "\n" + _CELL_NOTES[language]["type"].format(type=label)
    note = Comment(text, "gateway")
    note.width, note.height = 320, 120
    return note


def _lay_out(sheet: Any) -> None:
    """Widths, and text as the format of whole columns, so that what is typed below keeps its zeros."""
    for column, field in enumerate(FIELDS, 1):
        dimension = sheet.column_dimensions[get_column_letter(column)]
        dimension.width = _WIDTHS[field]
        dimension.number_format = _AS_TEXT
    sheet.page_setup.orientation = "landscape"  # printed, all columns stand on one page
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def writable(text: str) -> str:
    """The text without what XML cannot hold."""
    return _UNWRITABLE.sub("", text)


def _write(cell: Any, value: str) -> None:
    cell.value = _LIKE_ESCAPE.sub("_x005F_", writable(value))
    if value:
        cell.data_type = "s"  # openpyxl takes what begins with = for a formula
    cell.number_format = _AS_TEXT


def _saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# --- export ----------------------------------------------------------------------------------------------


def _fields(row: Mapping[str, Any]) -> list[str]:
    """A row of the directory as the cells of a list."""
    values = (row.get(field) for field in FIELDS)
    return ["; ".join(value) if isinstance(value, list) else str(value or "") for value in values]


def export(rows: Iterable[Mapping[str, Any]], language: str) -> bytes:
    """The rows of a directory as a workbook that an import finds unchanged (S24)."""
    headings = [WRITTEN[language][field] for field in FIELDS]
    return write_table([headings, *map(_fields, rows)], SHEET_NAMES[language])


def export_csv(rows: Iterable[Mapping[str, Any]], language: str) -> bytes:
    """The same as .csv, in UTF-8 with its mark, by `;`: what Excel opens in most of Europe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow([WRITTEN[language][field] for field in FIELDS])
    for row in rows:
        writer.writerow(["'" + value if _FORMULA.match(value) else value for value in _fields(row)])
    return out.getvalue().encode("utf-8-sig")


def write_table(rows: Iterable[Sequence[str]], title: str) -> bytes:
    """A workbook of one sheet with these rows of text; the first is the heading, in bold."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    _lay_out(sheet)
    sheet.freeze_panes = "A2"
    for cells in _cells(sheet, rows):
        sheet.append(cells)
    return _saved(book)


def _cells(sheet: Any, rows: Iterable[Sequence[str]]) -> Iterator[list[Any]]:
    """The rows as cells. All rows after the heading share one set: a row is written before the next is asked for."""
    kept: list[Any] = []
    for number, row in enumerate(rows):
        if number == 1:
            kept = []
        while len(kept) < len(row):
            kept.append(WriteOnlyCell(sheet))
            if number == 0:
                kept[-1].font = Font(name="Calibri", size=11, bold=True)
        for cell, value in zip(kept, row, strict=False):
            _write(cell, value)
        yield kept[: len(row)]
