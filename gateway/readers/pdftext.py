"""The text of a PDF page as a person sees it: words with their boxes, in lines, in columns.

pdfium gives characters in the order of the content stream, which need not be the order on the page. Boxes are
millimetres from the top left corner of the page as shown, whatever its rotation and crop box.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import pypdfium2
from pypdfium2 import raw

MM = 25.4 / 72
MAX_CHARACTERS = 30_000  # of a page: more is no letter, and each costs a call

_SAME_LINE = 0.45  # of the height of a word: how far baselines on one line may be apart
_NEW_WORD = 0.3  # of the height: a wider gap ends a word though there is no blank
_NEW_CELL = 1.1  # of the height: a wider gap is one between columns
_BLANK = frozenset((0, 0x09, 0x0A, 0x0D, 0x20, 0xA0, 0x2002, 0x2003, 0x2007, 0x2009, 0x202F, 0xFFFE, 0xFFFF))
_JOINED = {0xAD: "-", 0x2010: "-", 0x2011: "-", 0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0x200B: "", 0xFEFF: ""}

Point = Callable[[float, float], float]
Shown = Callable[[Any], tuple[float, float, float, float]]


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


class Word(NamedTuple):
    """Characters without a gap."""

    text: str
    box: Box
    baseline: float  # mm from the top


class Cell(NamedTuple):
    """Words of one line with ordinary gaps between them: what stands in one column."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words with one blank between them."""
        return " ".join(word.text for word in self.words)

    @property
    def box(self) -> Box:
        """Around all words."""
        return Box.around(word.box for word in self.words)


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


class Page:
    """A page's words; `number` 1 is the first, sizes are in mm."""

    def __init__(self, number: int, width: float, height: float, words: tuple[Word, ...]) -> None:
        self.number = number
        self.width = width
        self.height = height
        self.words = words
        self._lines: list[Line] | None = None

    def lines(self, area: Box | None = None) -> list[Line]:
        """The lines from top to bottom, of the words in `area` where one is given."""
        if area is not None:
            return lines_of([word for word in self.words if area.holds(word.box)])
        if self._lines is None:
            self._lines = lines_of(self.words)
        return self._lines


def read_page(document: Any, number: int) -> Page:
    """Page `number` (1 is the first) of a `pypdfium2.PdfDocument`."""
    page = document[number - 1]
    try:
        width, height = page.get_size()
        text = page.get_textpage()
        try:
            words = tuple(_words(text, *_as_shown(page)))
        finally:
            text.close()
    finally:
        page.close()
    return Page(number, width * MM, height * MM, words)


def _as_shown(page: pypdfium2.PdfPage) -> tuple[Shown, Point]:
    """How a rectangle and a point of the page's own space (ISO 32000-1 §8.3.2) are turned into points (1/72 inch)
    from the top left as shown: left, top, right, bottom."""
    left, bottom, right, top = page.get_cropbox()
    turns: dict[int, tuple[Shown, Point]] = {
        0: (lambda r: (r.left - left, top - r.top, r.right - left, top - r.bottom), lambda x, y: top - y),
        90: (lambda r: (r.bottom - bottom, r.left - left, r.top - bottom, r.right - left), lambda x, y: x - left),
        180: (lambda r: (right - r.right, r.bottom - bottom, right - r.left, r.top - bottom), lambda x, y: y - bottom),
        270: (lambda r: (top - r.top, right - r.right, top - r.bottom, right - r.left), lambda x, y: right - x),
    }
    return turns[page.get_rotation()]


def _words(text: pypdfium2.PdfTextPage, shown: Shown, down: Point) -> Iterable[Word]:
    """Words in the order of the content stream. A letter costs one call: where its box begins and ends at the heights
    of the one before, it stands on the same baseline."""
    rectangle, x, y = raw.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    at, at_x, at_y = ctypes.byref(rectangle), ctypes.byref(x), ctypes.byref(y)
    word: _Letters | None = None
    last = (0.0, 0.0)
    base = 0.0
    for index, code in enumerate(_codes(text)):
        if code in _BLANK or code < 0x20 or 0xD800 <= code < 0xE000 or code > 0x10FFFF:
            if word is not None:
                yield word.done()
                word = None
            continue
        raw.FPDFText_GetLooseCharBox(text, index, at)
        left, top, right, bottom = shown(rectangle)
        if right < left or bottom < top:  # mirrored
            left, top, right, bottom = min(left, right), min(top, bottom), max(left, right), max(top, bottom)
        if (top, bottom) != last:
            last = top, bottom
            raw.FPDFText_GetCharOrigin(text, index, at_x, at_y)
            base = down(x.value, y.value)
        if word is not None and word.is_apart(left, bottom - top, base):
            yield word.done()
            word = None
        if word is None:
            word = _Letters(base, left, top)
        word.add(_JOINED[code] if code in _JOINED else chr(code), left, top, right, bottom)
    if word is not None:
        yield word.done()


def _codes(text: pypdfium2.PdfTextPage) -> Sequence[int]:
    """The Unicode value of each character of the page, 0 where there is none."""
    count = min(text.count_chars(), MAX_CHARACTERS)
    units = (ctypes.c_ushort * (count + 1))()
    if raw.FPDFText_GetText(text, 0, count, units) == count + 1:
        codes = list(units[:count])
        if not any(0xD800 <= code < 0xE000 for code in codes):  # one unit a character, and none was left out
            return codes
    return [raw.FPDFText_GetUnicode(text, index) for index in range(count)]


class _Letters:
    """A word while its letters come in; in points."""

    __slots__ = ("_base", "_bottom", "_height", "_left", "_letters", "_right", "_to", "_top")

    def __init__(self, base: float, left: float, top: float) -> None:
        self._base = base
        self._left, self._right, self._top, self._bottom = left, left, top, top
        self._letters: list[str] = []
        self._to = left  # where the last letter ends
        self._height = 0.0  # of the last letter

    def is_apart(self, left: float, height: float, base: float) -> bool:
        """Whether a letter of this height, at `left` and on the baseline `base`, belongs to another word."""
        height = height if height > self._height else self._height
        gap = left - self._to
        return abs(base - self._base) > _SAME_LINE * height or gap > _NEW_WORD * height or gap < -2 * height

    def add(self, letter: str, left: float, top: float, right: float, bottom: float) -> None:
        self._letters.append(letter)
        self._to, self._height = right, bottom - top
        if right > self._right:
            self._right = right
        if left < self._left:
            self._left = left
        if top < self._top:
            self._top = top
        if bottom > self._bottom:
            self._bottom = bottom

    def done(self) -> Word:
        """The word, in mm."""
        box = Box(self._left * MM, self._top * MM, self._right * MM, self._bottom * MM)
        return Word("".join(self._letters), box, self._base * MM)


def lines_of(words: Sequence[Word]) -> list[Line]:
    """`words` put into lines by their baselines, and each line into cells by its gaps."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.baseline, word.box.left)):
        row = rows[-1] if rows else None
        if row and word.baseline - row[0].baseline <= _SAME_LINE * min(row[0].box.height, word.box.height):
            row.append(word)
        else:
            rows.append([word])
    return [Line(tuple(_cells(sorted(row, key=lambda word: word.box.left)))) for row in rows]


def _cells(row: Sequence[Word]) -> Iterable[Cell]:
    cell: list[Word] = []
    for word in row:
        if cell and word.box.left - cell[-1].box.right > _NEW_CELL * max(word.box.height, cell[-1].box.height):
            yield Cell(tuple(cell))
            cell = []
        cell.append(word)
    if cell:
        yield Cell(tuple(cell))
