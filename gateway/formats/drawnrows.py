"""The rows of an invoice of very many lines, drawn on pages that typst set without them.

Typst takes about a millisecond a row. What it says of one empty row (where each column begins and how wide it is) holds
for all of them, and its fonts and kerning are on the page: the rest is to break lines and to add up heights.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.formats.faces import Face
from gateway.formats.glyphs import BREAK

# As in `invoice.typ`.
HEIGHT = 841.89  # points, A4
_SIZE = 8.5
_CAPITALS = 0.72754  # of the size: a line is as high as Inter's capitals
_LEADING = 0.52  # of the size of the row
_INSET = 1.6 * 72 / 25.4
_BOTTOM = HEIGHT - 27 * 72 / 25.4  # where no row may end below
_LEFT, _RIGHT = 25 * 72 / 25.4, 190 * 72 / 25.4
_SLACK = 0.01  # points of rounding
_QUIET, _BLACK = "0.38 0.38 0.38", "0 0 0"
_HAIR = "0.82 0.82 0.82 RG 0.4 w"
_BELOW, _CATEGORY = 0.88, 0.82  # of the size: what stands small under the name or price, and under the VAT rate
_PIECES = re.compile(rf"{BREAK}|(?<=[^\W\d_]-)(?=[^\W\d_])")  # where a word may be broken (Unicode UAX 14)

FIGURES = ("quantity", "price", "vat", "amount")


class Place(NamedTuple):
    """Where the content of a column begins, in points from the left and the top of page `page`, and how wide it is."""

    page: int
    x: float
    y: float
    width: float


class Text(NamedTuple):
    """A line of a cell: with `pad`, what is left blank behind it, it stands at the right."""

    text: str
    size: float
    colour: str = _BLACK
    pad: str | None = None


def words(rows: Sequence[Mapping[str, Any]]) -> tuple[set[str], set[str]]:
    """The words that `rows` show in figures as wide as their neighbours allow, and those in figures of equal width."""
    plain, tabular = set[str](), set[str]()
    for row in rows:
        for text in (*row["name"], *row["below"], row["item"], row["unit"], row["base"], row["category"]):
            plain.update(text.replace(BREAK, "").split(" "))
        tabular.update(row["id"].replace(BREAK, "").split(" "))
        for name in FIGURES:
            tabular.update("".join(row[name]).split(" "))
    return plain, tabular


def widest(rows: Sequence[Mapping[str, Any]], plain: Face, tabular: Face) -> dict[str, str]:
    """The text of each column that needs the most room."""
    columns = {name: {"".join(row[name]).replace(BREAK, "") for row in rows} for name in ("id", *FIGURES)}
    found = {name: max(sorted(said), key=lambda text: tabular.width(text, 1)) for name, said in columns.items()}
    for name in ("item", "unit", "base"):
        said = {row[name].replace(BREAK, "") for row in rows}
        found[name] = max(sorted(said), key=lambda text: plain.width(text, 1))
    return found


class Drawing:
    """Draws rows into columns that are as wide on all pages; `scale` is what the row's size is multiplied with."""

    def __init__(self, columns: Mapping[str, Place], scale: float, plain: Face, tabular: Face) -> None:
        self._columns, self._plain, self._tabular = columns, plain, tabular
        self._size = _SIZE * scale

    def pages(self, rows: Sequence[Mapping[str, Any]], first: float, others: float) -> Iterator[tuple[int, bytes]]:
        """For each page that is full: the rows up to which it goes, and what draws them.

        The rows begin `first` points below the edge of the first page, `others` below that of all others.
        """
        top, drawn = first - _INSET, [_HAIR]
        for number, row in enumerate(rows):
            cells = self._cells(row)
            bottom = top + 2 * _INSET + max(map(self._height, cells.values()))
            if bottom > _BOTTOM and len(drawn) > 1:
                yield number, "\n".join(drawn).encode()
                bottom += others - _INSET - top
                top, drawn = others - _INSET, [_HAIR]
            self._draw(cells, top + _INSET, drawn)
            y = HEIGHT - bottom
            drawn.append(f"{_LEFT:.2f} {y:.2f} m {_RIGHT:.2f} {y:.2f} l S")
            top = bottom

    def _cells(self, row: Mapping[str, Any]) -> dict[str, list[Text]]:
        """The lines of each cell that has any."""
        size, small = self._size, self._size * _BELOW
        cells = {
            "id": self._wrapped("id", row["id"], size, _QUIET),
            "name": [line for text in row["name"] for line in self._wrapped("name", text, size)]
            + [line for text in row["below"] for line in self._wrapped("name", text, small, _QUIET)],
            "unit": self._wrapped("unit", row["unit"], size),
        }
        if "item" in self._columns:
            cells["item"] = self._wrapped("item", row["item"], size)
        for name in FIGURES:
            cells[name] = [Text(row[name][0], size, _BLACK, row[name][1])]
        if row["base"]:
            cells["price"] += [
                Text(line.text, small, _QUIET, "") for line in self._wrapped("price", row["base"], small)
            ]
        if row["category"]:
            cells["vat"].append(Text(row["category"], size * _CATEGORY, _QUIET, ""))
        return cells

    def _wrapped(self, column: str, text: str, size: float, colour: str = _BLACK) -> list[Text]:
        """`text` in as many lines as the width of `column` takes."""
        face = self._tabular if column == "id" else self._plain
        room = self._columns[column].width + _SLACK
        space = face.word(" ", size)[1]
        in_pieces = BREAK in text or "-" in text
        lines: list[str] = []
        said, used = "", 0.0
        for word in text.split(" "):
            glue, gap = (" ", space) if said else ("", 0.0)
            for piece in _PIECES.split(word) if in_pieces else (word,):
                width = face.word(piece, size)[1]
                if said and used + gap + width > room:
                    lines.append(said)
                    said, used = piece, width
                else:
                    said, used = said + glue + piece, used + gap + width
                glue, gap = "", 0.0
        return [Text(line, size, colour) for line in (*lines, said)]

    def _height(self, lines: Sequence[Text]) -> float:
        return sum(line.size for line in lines) * _CAPITALS + (len(lines) - 1) * _LEADING * self._size

    def _draw(self, cells: Mapping[str, Sequence[Text]], top: float, drawn: list[str]) -> None:
        for name, lines in cells.items():
            place = self._columns[name]
            face = self._tabular if name == "id" or name in FIGURES else self._plain
            y = top
            for number, line in enumerate(lines):
                y += line.size * _CAPITALS + (_LEADING * self._size if number else 0)
                if line.text:
                    own = face if number == 0 or name not in FIGURES else self._plain
                    shown, x = self._shown(own, line, place)
                    drawn.append(
                        f"BT {line.colour} rg{own.first} {line.size:g} Tf {x:.2f} {HEIGHT - y:.2f} Td[{shown}]TJ ET"
                    )

    def _shown(self, face: Face, line: Text, place: Place) -> tuple[str, float]:
        shown = face.shown(line.text, line.size)
        if line.pad is None:
            return shown, place.x
        return shown, place.x + place.width - face.width(line.text, line.size) - face.width(line.pad, line.size)


def number(said: str, place: Place, face: Face) -> bytes:
    """What draws the page number `said` at the right end of the foot of a page, where `place` has its baseline."""
    shown, x = face.shown(said, 7), _RIGHT - face.width(said, 7)
    return f"BT {_QUIET} rg{face.first} 7 Tf {x:.2f} {HEIGHT - place.y:.2f} Td[{shown}]TJ ET\n".encode()
