"""The one sheet of a workbook that is the list: its rows of cells, and the links its cells carry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from gateway.workbook.cells import Cell, Content, is_date_format, unescape
from gateway.workbook.headings import is_list_name
from gateway.workbook.model import column_of, letters
from gateway.workbook.package import Package, refuse
from gateway.workbook.pull import elements

Row = dict[int, Content]  # column, of which 1 is A, to what stands there; empty cells are not in it

_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_LINK_FORMULA = re.compile(r'^\s*HYPERLINK\(\s*"([^"]*)"', re.IGNORECASE)
_STYLE_LIMIT = 65_490  # cell formats, as Excel's own limit is
_CODE_LIMIT = 255  # characters of a number format, as Excel's own limit is
_LINK_LIMIT = 200_000  # links of a sheet that are looked at
_LAST_ROW = 1_048_576


class Sheet:
    """A sheet of an open package. `links` is whole only after the last row."""

    def __init__(self, package: Package) -> None:
        self._package = package
        main = _target(package.relations(""), "officeDocument")
        self._since_1904 = False
        self.name, part = self._choose(main)
        self.part = part
        relations = package.relations(main)
        self._strings = _strings(package, _target(relations, "sharedStrings", ""))
        self._formats = _formats(package, _target(relations, "styles", ""))
        self._columns: dict[str, int] = {}
        self.links: list[tuple[str, str]] = []  # reference of a cell or an area, target

    def _choose(self, main: str) -> tuple[str, str]:
        """Name and part of the one visible sheet, or of that whose name says that it is the list."""
        visible: list[tuple[str, str]] = []
        with self._package.open(main) as file:
            for element in elements(file, "workbookPr", "sheet"):
                if element.tag.endswith("}workbookPr"):
                    self._since_1904 = element.get("date1904") in ("1", "true")
                elif element.get("state", "visible") == "visible":
                    visible.append((element.get("name", ""), _relation_id(element)))
        named = [sheet for sheet in visible if is_list_name(sheet[0])]
        chosen = named if len(named) == 1 else visible
        if len(chosen) != 1:
            names = ", ".join(name for name, _ in visible[:10])
            raise refuse(
                f"The workbook has several sheets ({names}): keep one, or call the list's sheet Recipients."
                if visible
                else "The workbook has no visible sheet: show the sheet of the list, and save it."
            )
        kind, part, _ = self._package.relations(main).get(chosen[0][1], ("", "", False))
        if kind != "worksheet":
            raise refuse(f"The sheet {chosen[0][0]!r} is no table: keep the sheet of the list only.")
        return chosen[0][0], part

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Number and cells of each row, empty rows too; the links of the sheet come into `links` on the way."""
        relations = self._package.relations(self.part)
        number = 0
        with self._package.open(self.part) as file:
            for element in elements(file, "row", "hyperlink"):
                if element.tag.endswith("}row"):
                    number = self._row_number(element, number)
                    yield number, self._cells(element, number)
                else:
                    kind, target, _ = relations.get(_relation_id(element), ("", "", False))
                    if kind == "hyperlink" and len(self.links) < _LINK_LIMIT:
                        self.links.append((element.get("ref", ""), target))

    def _row_number(self, element: Any, before: int) -> int:
        given = element.get("r", "")
        number = int(given) if given.isascii() and given.isdigit() and len(given) < 8 else before + 1
        if not before < number <= _LAST_ROW:
            raise refuse(f"The workbook is damaged: row {number} comes after row {before}.")
        return number

    def _cells(self, row: Any, number: int) -> Row:
        found: Row = {}
        column, digits = 0, str(number)
        for element in row:
            reference = element.get("r")
            column = column + 1 if reference is None else self._column(reference, digits)
            if len(element):
                content = self._content(element, column, number)
                if content:
                    if column in found:
                        raise refuse(f"The workbook is damaged: {letters(column)}{number} is there twice.")
                    found[column] = content
        return found

    def _column(self, reference: str, digits: str) -> int:
        """The column of a cell that stands in the row with these digits; another row's is refused, not guessed."""
        name = reference.removesuffix(digits)
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = column_of(name)
        if not column:
            raise refuse(f"The workbook is damaged: {reference[:20]!r} is no cell of row {digits}.")
        return column

    def _content(self, element: Any, column: int, number: int) -> Content | None:
        kind = element.get("t", "n")
        value, formula = None, False
        for child in element:
            tag = child.tag
            if tag.endswith("}v"):
                value = child.text
            elif tag.endswith("}is"):
                value = _text(child)
            elif tag.endswith("}f"):
                formula = True
                self._note_link(child.text or "", column, number)
        if not value:  # a library stores nothing, or "", for what it has not computed
            return Cell("empty-formula", "") if formula else None
        if kind == "s":
            return self._shared(value)
        return self._number(value, element.get("s")) if kind == "n" else self._typed(kind, value)

    def _typed(self, kind: str, value: str) -> Content:
        if kind == "b":
            return Cell("bool", value)
        if kind == "e":
            return Cell("error", value)
        if kind == "d":
            return Cell("date", value)
        return value if kind == "inlineStr" else unescape(value)

    def _shared(self, value: str) -> str:
        try:
            index = int(value)
            if index >= 0:
                return self._strings[index]
        except (ValueError, IndexError):
            pass
        raise refuse("The workbook is damaged: a cell points to a text that is not there.")

    def _number(self, value: str, style: str | None) -> Cell:
        try:
            shows_date, code = self._formats[int(style or "0")]
        except (ValueError, IndexError):
            shows_date, code = False, "General"
        return Cell("date" if shows_date else "number", value, code, self._since_1904)

    def _note_link(self, formula: str, column: int, number: int) -> None:
        match = _LINK_FORMULA.match(formula)
        if match is not None:
            self.links.append((f"{letters(column)}{number}", match[1]))


# --- the parts beside it ---------------------------------------------------------------------------------


def _target(relations: dict[str, tuple[str, str, bool]], kind: str, default: str | None = None) -> str:
    """The part of this kind; Refused when there is none and no default."""
    for found, target, external in relations.values():
        if found == kind and not external:
            return target
    if default is None:
        raise refuse("This is an Office file, but no Excel workbook: save the list as .xlsx.")
    return default


def _relation_id(element: Any) -> str:
    """The `r:id`, in whichever of the two namespaces that standard and strict files use."""
    for name, value in element.items():
        if name.startswith("{") and name.endswith("}id"):
            return str(value)
    return ""


def _text(element: Any) -> str:
    """The text of a string item: its runs, without the reading aids of East Asian text (`rPh`)."""
    if len(element) == 1 and element[0].tag.endswith("}t"):  # nearly all
        return unescape(element[0].text or "")
    texts = []
    for child in element:
        tag = child.tag
        if tag.endswith("}t"):
            texts.append(child.text or "")
        elif tag.endswith("}r"):
            texts += [part.text or "" for part in child if part.tag.endswith("}t")]
    return unescape("".join(texts))


def _strings(package: Package, part: str) -> list[str]:
    if not part:
        return []
    with package.open(part) as file:
        return [_text(element) for element in elements(file, "si")]


def _formats(package: Package, part: str) -> list[tuple[bool, str]]:
    """Per cell format: whether it shows a date or time, and the number format's code."""
    if not part:
        return []
    codes: dict[int, str] = {}
    found: list[tuple[bool, str]] = []
    with package.open(part) as file:
        for element in elements(file, "numFmts", "cellXfs"):
            if element.tag.endswith("}numFmts"):
                codes = {_id(child, "numFmtId"): child.get("formatCode", "")[:_CODE_LIMIT] for child in element}
                continue
            if len(element) > _STYLE_LIMIT:
                raise refuse("The workbook has more cell formats than Excel allows.")
            for child in element:
                number = _id(child, "numFmtId")
                code = codes.get(number, "General")
                found.append((is_date_format(number, code), code))
    return found


def _id(element: Any, name: str) -> int:
    text = element.get(name, "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


# --- links -----------------------------------------------------------------------------------------------


def area(reference: str) -> tuple[int, int, int, int] | None:
    """First and last column, first and last row of `B2` or `B2:C9`; None when it is neither."""
    first, _, last = reference.replace("$", "").partition(":")
    start, end = _REFERENCE.fullmatch(first), _REFERENCE.fullmatch(last or first)
    if start is None or end is None:
        return None
    return column_of(start[1]), column_of(end[1]), int(start[2]), int(end[2])


def address_of(target: str) -> str:
    """What a link leads to: the address of a `mailto:`, else the target itself."""
    scheme, colon, rest = target.partition(":")
    if colon and scheme.strip().lower() == "mailto":
        return unquote(rest.partition("?")[0]).strip()
    return target.strip()
