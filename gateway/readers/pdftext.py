"""The text of a PDF page as a person sees it: words with their boxes, in lines, in columns.

pdfium gives characters in the order of the content stream, which need not be the order on the page. Boxes are
millimetres from the top left corner of the page as shown, whatever its rotation and crop box.
"""

from __future__ import annotations

import ctypes
import operator
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import pypdfium2
from pypdfium2 import raw

MM = 25.4 / 72
MAX_CHARACTERS = 30_000  # of a page: more is no letter, and each costs a call

_SAME_LINE = 0.45  # of the height of a word: how far baselines on one line may be apart
_NEW_WORD = 0.3  # of the height: a wider gap ends a word though there is no blank
_NEW_CELL = 1.1  # of the height: a wider gap is one between columns
_NO_LETTER = frozenset((*range(0x21), 0xA0, 0x2002, 0x2003, 0x2007, 0x2009, 0x202F, 0xFFFE, 0xFFFF))
_JOINED = {0xAD: "-", 0x2010: "-", 0x2011: "-", 0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0x200B: "", 0xFEFF: ""}

_Boxes = tuple[Sequence[float], Sequence[float], Sequence[float], Sequence[float]]
# `FPDFText_GetLooseCharBox` that takes addresses as numbers: half the price of a call.
_loose_box = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(
    ctypes.cast(raw.FPDFText_GetLooseCharBox, ctypes.c_void_p).value or 0
)


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


class _Axis(NamedTuple):
    """A direction as shown: the sides of FS_RECTF (left, top, right, bottom: 0 to 3) at which a rectangle begins and
    ends, and what makes points (1/72 inch) from the edge of them."""

    first: int
    second: int
    sign: int
    start: float

    def sides(self, floats: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
        """Where each rectangle of `floats` begins and ends; of a mirrored one as well."""
        first, second = floats[self.first :: 4], floats[self.second :: 4]
        if self.sign != 1 or self.start:
            sign, start = self.sign, self.start
            first = [start + sign * each for each in first]
            second = [start + sign * each for each in second]
        if all(map(operator.le, first, second)):
            return first, second
        return list(map(min, first, second)), list(map(max, first, second))

    def of(self, point: tuple[float, float]) -> float:
        """Where `point` lies."""
        return self.start + self.sign * point[self.first % 2]


class _Frame(NamedTuple):
    """How a page's own space is turned into what is shown: from left to right, from top to bottom."""

    along: _Axis
    down: _Axis


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
            words = tuple(_words(text, _frame(page)))
        finally:
            text.close()
    finally:
        page.close()
    return Page(number, width * MM, height * MM, words)


def _frame(page: pypdfium2.PdfPage) -> _Frame:
    """How the page's own space (ISO 32000-1 §8.3.2) lies as shown."""
    left, bottom, right, top = page.get_cropbox()
    turns = {
        0: _Frame(_Axis(0, 2, 1, -left), _Axis(1, 3, -1, top)),
        90: _Frame(_Axis(3, 1, 1, -bottom), _Axis(0, 2, 1, -left)),
        180: _Frame(_Axis(2, 0, -1, right), _Axis(3, 1, 1, -bottom)),
        270: _Frame(_Axis(1, 3, -1, top), _Axis(2, 0, -1, right)),
    }
    return turns[page.get_rotation()]


def _words(text: pypdfium2.PdfTextPage, frame: _Frame) -> Iterable[Word]:
    """Words in the order of the content stream. Where a letter's box begins and ends at the heights of the one before,
    it stands on the same baseline, which saves a call."""
    codes = _codes(text)
    letters = [index for index, code in enumerate(codes) if code not in _NO_LETTER]
    boxes = _boxes(text, letters, len(codes), frame)
    lefts, tops, rights, bottoms = boxes
    start, stop, end, base = -1, -1, 0.0, 0.0  # of the word: its letters, where the last of them ends, its baseline
    last_top = last_bottom = here = height = 0.0
    for index in letters:
        top, bottom, gap = tops[index], bottoms[index], lefts[index] - end
        tall = height
        if top != last_top or bottom != last_bottom:
            last_top, last_bottom, height = top, bottom, bottom - top
            tall = max(tall, height)
            here = frame.down.of(_origin(text, index))
        if index != stop or not (-2 * tall <= gap <= _NEW_WORD * tall) or abs(here - base) > _SAME_LINE * tall:
            if start >= 0:
                yield _word(codes, boxes, start, stop, base)
            start, base = index, here
        stop, end = index + 1, rights[index]
    if start >= 0:
        yield _word(codes, boxes, start, stop, base)


def _word(codes: Sequence[int], boxes: _Boxes, start: int, stop: int, base: float) -> Word:
    """The letters from `start` to before `stop`, in mm."""
    lefts, tops, rights, bottoms = (side[start:stop] for side in boxes)
    box = Box(min(lefts) * MM, min(tops) * MM, max(rights) * MM, max(bottoms) * MM)
    return Word("".join(map(chr, codes[start:stop])).translate(_JOINED), box, base * MM)


def _boxes(text: pypdfium2.PdfTextPage, letters: Sequence[int], count: int, frame: _Frame) -> _Boxes:
    """Left, top, right and bottom of each of the `letters` of `count` characters as shown, in points. A page has
    thousands, so that the loop over them is not Python's."""
    rectangles = (raw.FS_RECTF * count)()
    first, size = ctypes.addressof(rectangles), ctypes.sizeof(raw.FS_RECTF)
    page = ctypes.cast(text.raw, ctypes.c_void_p).value
    deque(map(_loose_box, repeat(page), letters, [first + index * size for index in letters]), maxlen=0)
    floats = memoryview(rectangles).cast("B").cast("f").tolist()
    lefts, rights = frame.along.sides(floats)
    tops, bottoms = frame.down.sides(floats)
    return lefts, tops, rights, bottoms


def _origin(text: pypdfium2.PdfTextPage, index: int) -> tuple[float, float]:
    """Where the letter stands on its baseline."""
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(text, index, ctypes.byref(x), ctypes.byref(y))
    return x.value, y.value


def _codes(text: pypdfium2.PdfTextPage) -> Sequence[int]:
    """The Unicode value of each character of the page, 0 where there is none."""
    count = min(text.count_chars(), MAX_CHARACTERS)
    units = (ctypes.c_ushort * (count + 1))()
    if raw.FPDFText_GetText(text, 0, count, units) == count + 1:
        codes = list(units[:count])
        if max(codes, default=0) < 0xD800 or not any(0xD800 <= code < 0xE000 for code in codes):
            return codes  # one unit a character, and none was left out
    given = (raw.FPDFText_GetUnicode(text, index) for index in range(count))
    return [0 if 0xD800 <= code < 0xE000 or code > 0x10FFFF else code for code in given]


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
