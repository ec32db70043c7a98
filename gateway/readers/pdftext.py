"""The text of a PDF page as a person sees it: words with their boxes, in lines, in columns.

pdfium gives characters in the order of the content stream, which need not be the order on the page. Boxes are
millimetres from the top left corner of the page as shown, whatever its rotation and crop box.
"""

from __future__ import annotations

import bisect
import functools
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from gateway.readers.pdfletters import NEW_CELL, SAME_LINE, Letters, Span, frame_of

MM = 25.4 / 72


class Box(NamedTuple):
    """A rectangle in mm from the top left of the page."""

    left: float
    top: float
    right: float
    bottom: float

    @staticmethod
    def around(boxes: Iterable[Box]) -> Box:
        """The smallest box that holds all `boxes`."""
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return Box(min(lefts), min(tops), max(rights), max(bottoms))

    @property
    def height(self) -> float:
        """In mm."""
        return self.bottom - self.top

    def holds(self, other: Box) -> bool:
        """Whether the middle of `other` lies inside."""
        x, y = (other.left + other.right) / 2, (other.top + other.bottom) / 2
        return self.left <= x <= self.right and self.top <= y <= self.bottom


class Piece(Protocol):
    """Words that stand side by side: a line is made of such."""

    @property
    def text(self) -> str:
        """The words with one blank between them."""
        ...

    @property
    def box(self) -> Box:
        """Around all words."""
        ...

    @property
    def baseline(self) -> float:
        """In mm from the top."""
        ...

    @property
    def words(self) -> tuple[Word, ...]:
        """From left to right."""
        ...


class Word(NamedTuple):
    """Characters without a gap."""

    text: str
    box: Box
    baseline: float  # mm from the top

    @property
    def words(self) -> tuple[Word, ...]:
        """Itself: a word is the shortest piece."""
        return (self,)


class Run:
    """A piece as it was drawn. Most are read and never looked for in: their words are made when they are asked for."""

    __slots__ = ("_letters", "_span", "baseline", "box", "text")

    def __init__(self, letters: Letters, span: Span) -> None:
        self._letters, self._span = letters, span
        self.text = letters.text(span)
        left, top, right, bottom = letters.sides(span)
        self.box = Box(left * MM, top * MM, right * MM, bottom * MM)
        self.baseline = span.baseline * MM

    @property
    def words(self) -> tuple[Word, ...]:
        """From left to right."""
        found = self._letters.words(self._span)
        return tuple(Word(text, Box(*(side * MM for side in sides)), self.baseline) for text, sides in found)


class Cell:
    """Words of one line with ordinary gaps between them: what stands in one column."""

    __slots__ = ("_box", "_pieces", "_words", "text")

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._words: tuple[Word, ...] | None = None
        self._box: Box | None = None
        self.text = " ".join(piece.text for piece in pieces)

    @property
    def words(self) -> tuple[Word, ...]:
        """Those that `text` has, in its order."""
        if self._words is None:
            self._words = tuple(word for piece in self._pieces for word in piece.words)
        return self._words

    @property
    def box(self) -> Box:
        """Around all words."""
        if self._box is None:
            first, *others = self._pieces
            self._box = Box.around(piece.box for piece in self._pieces) if others else first.box
        return self._box


def folded(text: str) -> str:
    """Equal for letters that a regex's IGNORECASE takes for equal."""
    return text.replace("İ", "i").replace("ı", "i").casefold()


class Line(NamedTuple):
    """Cells on one baseline, from left to right."""

    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """The cells with two blanks between them."""
        return "  ".join(cell.text for cell in self.cells)

    @property
    def box(self) -> Box:
        """Around all cells."""
        return Box.around(cell.box for cell in self.cells)


class Lines(tuple[Line, ...]):
    """Lines from top to bottom, and where words stand in them."""

    @functools.cached_property
    def folded(self) -> str:
        """The cells, one a line, equal for letters that differ in their case alone."""
        return "\n".join(folded(cell.text) for _, _, cell in self._cells)

    @functools.cached_property
    def _cells(self) -> list[tuple[int, int, Cell]]:
        return [(row, column, cell) for row, line in enumerate(self) for column, cell in enumerate(line.cells)]

    @functools.cached_property
    def _starts(self) -> list[int]:
        """Where each cell begins in `folded`, and its end."""
        lengths = (len(text) + 1 for text in self.folded.split("\n"))
        return list(itertools.accumulate(lengths, initial=0))

    def cells_with(self, words: Iterable[str]) -> list[tuple[int, int, Cell]]:
        """Row, column and cell of those in which one of `words` (folded, without blanks) stands, in their order."""
        text, found = self.folded, set()
        for word in words:
            at = text.find(word)
            while at >= 0:
                cell = bisect.bisect_right(self._starts, at) - 1
                found.add(cell)
                at = text.find(word, self._starts[cell + 1])
        return [self._cells[cell] for cell in sorted(found)]


class Page:
    """A page's words in `pieces`; `number` 1 is the first, sizes are in mm."""

    def __init__(self, number: int, width: float, height: float, pieces: Sequence[Piece]) -> None:
        self.number = number
        self.width = width
        self.height = height
        self._pieces = pieces
        self._lines: Lines | None = None

    def lines(self, area: Box | None = None) -> Lines:
        """The lines from top to bottom, of the words in `area` where one is given."""
        if area is not None:
            return lines_of([word for piece in self._pieces for word in piece.words if area.holds(word.box)])
        if self._lines is None:
            self._lines = lines_of(self._pieces)
        return self._lines


def read_page(document: Any, number: int) -> Page:
    """Page `number` (1 is the first) of a `pypdfium2.PdfDocument`."""
    page = document[number - 1]
    try:
        width, height = page.get_size()
        text = page.get_textpage()
        try:
            letters = Letters(text, frame_of(page))
            runs = [run for span in letters.spans() if (run := Run(letters, span)).text]
        finally:
            text.close()
    finally:
        page.close()
    return Page(number, width * MM, height * MM, runs)


def lines_of(pieces: Iterable[Piece]) -> Lines:
    """`pieces` put into lines by their baselines, and each line into cells by its gaps."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: (piece.baseline, piece.box.left)):
        row = rows[-1] if rows else None
        if row and piece.baseline - row[0].baseline <= SAME_LINE * min(row[0].box.height, piece.box.height):
            row.append(piece)
        else:
            rows.append([piece])
    return Lines(Line(tuple(_cells(sorted(row, key=lambda piece: piece.box.left)))) for row in rows)


def _cells(row: Sequence[Piece]) -> Iterable[Cell]:
    cell: list[Piece] = []
    for piece in row:
        if cell and piece.box.left - cell[-1].box.right > NEW_CELL * max(piece.box.height, cell[-1].box.height):
            yield Cell(cell)
            cell = []
        cell.append(piece)
    if cell:
        yield Cell(cell)
