"""The letters of a PDF page in the order of the content stream, where each of them stands, and the runs they make.

A page has thousands of letters: what is asked of each is asked in loops that are not Python's, and what is made of
them, a run, is made of dozens. Lengths are points (1/72 inch) here.
"""

from __future__ import annotations

import codecs
import ctypes
import operator
import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import compress, pairwise, repeat
from typing import NamedTuple

import pypdfium2
from pypdfium2 import raw

MAX_CHARACTERS = 30_000  # of a page: more is no letter, and each costs a call

SAME_LINE = 0.45  # of the height of a letter: how far baselines on one line may be apart
NEW_CELL = 1.1  # of the height: a wider gap is one between columns
_NEW_WORD = 0.3  # of the height: a wider gap ends a word though there is no blank
_BACK = 2.0  # heights that a letter of a word may begin before the end of the one before

_BLANK = re.compile(r"[\x00-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufffe\uffff]")  # and " "
_JOINED = {0xAD: "-", 0x2010: "-", 0x2011: "-", 0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0x200B: "", 0xFEFF: ""}

# `FPDFText_GetLooseCharBox` that takes addresses as numbers: half the price of a call.
_loose_box = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(
    ctypes.cast(raw.FPDFText_GetLooseCharBox, ctypes.c_void_p).value or 0
)


class Axis(NamedTuple):
    """A direction as shown: the sides of FS_RECTF (left, top, right, bottom: 0 to 3) at which a rectangle begins and
    ends, and what makes points from the edge of them."""

    first: int
    second: int
    sign: int
    start: float

    def of(self, point: tuple[float, float]) -> float:
        """Where `point` lies."""
        return self.start + self.sign * point[self.first % 2]


class Frame(NamedTuple):
    """How a page's own space is turned into what is shown: from left to right, from top to bottom."""

    along: Axis
    down: Axis


def frame_of(page: pypdfium2.PdfPage) -> Frame:
    """How the page's own space (ISO 32000-1 §8.3.2) lies as shown."""
    left, bottom, right, top = page.get_cropbox()
    turns = {
        0: Frame(Axis(0, 2, 1, -left), Axis(1, 3, -1, top)),
        90: Frame(Axis(3, 1, 1, -bottom), Axis(0, 2, 1, -left)),
        180: Frame(Axis(2, 0, -1, right), Axis(3, 1, 1, -bottom)),
        270: Frame(Axis(1, 3, -1, top), Axis(2, 0, -1, right)),
    }
    return turns[page.get_rotation()]


class Span(NamedTuple):
    """Letters from `start` to before `stop`; `cuts` are those that begin a word though no blank is before them."""

    start: int
    stop: int
    cuts: tuple[int, ...]
    baseline: float  # from the top, of the first letter
    across: tuple[float, float]  # the lowest and highest of the raw sides across the line

    def with_next(self, other: Span) -> Span:
        """Both: `other` goes on with the word that ends this one."""
        across = min(self.across[0], other.across[0]), max(self.across[1], other.across[1])
        return Span(self.start, other.stop, self.cuts + other.cuts, self.baseline, across)


class Sides(NamedTuple):
    """A rectangle as shown, from the top left corner."""

    left: float
    top: float
    right: float
    bottom: float


class Letters:
    """The letters of a page: everything but blanks, each with its place in the text and its box."""

    def __init__(self, text: pypdfium2.PdfTextPage, frame: Frame) -> None:
        self._page, self._frame = text, frame
        self._text = _BLANK.sub(" ", _characters(text))
        self._places = [index for index, character in enumerate(self._text) if character != " "]
        self._lefts, self._rights, self._tops, self._bottoms = self._sides()

    def _sides(self) -> tuple[Sequence[float], ...]:
        """Where the letters begin and end along the line, in the direction of it, and the raw sides across it."""
        rectangles = (raw.FS_RECTF * len(self._places))()
        size = ctypes.sizeof(raw.FS_RECTF)
        first = ctypes.addressof(rectangles)
        page = ctypes.cast(self._page.raw, ctypes.c_void_p).value
        deque(map(_loose_box, repeat(page), self._places, range(first, first + len(rectangles) * size, size)), maxlen=0)
        floats = memoryview(rectangles).cast("B").cast("f").tolist()
        along, down = self._frame
        lefts, rights = floats[along.first :: 4], floats[along.second :: 4]
        if along.sign != 1:
            lefts, rights = list(map(operator.neg, lefts)), list(map(operator.neg, rights))
        return lefts, rights, floats[down.first :: 4], floats[down.second :: 4]

    def spans(self) -> Iterator[Span]:
        """The letters that stand side by side as they were drawn: on one baseline, without a gap between columns.

        A word goes on where the letters become larger or smaller in it.
        """
        span: Span | None = None
        base = height = 0.0  # of the word that ends `span`: its baseline, the height of its last letter
        for start, stop in self._even():
            here = self._frame.down.of(self._origin(self._places[start]))
            top, bottom = self._tops[start], self._bottoms[start]
            before, height = height, abs(top - bottom)
            whole = Span(start, stop, (), here, (top, bottom) if top < bottom else (bottom, top))
            first, *more = self._pieces(whole, height)
            if span is not None and self._goes_on(start, abs(here - base), max(before, height)):
                if more or first.cuts or not self._is_joined(start, first.stop):
                    base = here
                first = span.with_next(first)
            else:
                if span is not None:
                    yield span
                base = here
            span = first
            for each in more:
                yield span
                span = each
        if span is not None:
            yield span

    def _even(self) -> Iterator[tuple[int, int]]:
        """The stretches of letters of one height at one height of the page."""
        tops, bottoms, count = self._tops, self._bottoms, len(self._places)
        other = map(operator.or_, map(operator.ne, tops[1:], tops), map(operator.ne, bottoms[1:], bottoms))
        start = 0
        for stop in compress(range(1, count), other):
            yield start, stop
            start = stop
        if count:
            yield start, count

    def _goes_on(self, at: int, off: float, height: float) -> bool:
        """Whether the letter `at` is of the same word as the one before it, whose baseline is `off` by so much."""
        gap = self._lefts[at] - self._rights[at - 1]
        is_near = -_BACK * height <= gap <= _NEW_WORD * height
        return self._is_joined(at - 1, at + 1) and is_near and off <= SAME_LINE * height

    def _is_joined(self, start: int, stop: int) -> bool:
        """Whether no blank stands among the letters from `start` to before `stop`."""
        return self._places[stop - 1] - self._places[start] == stop - 1 - start

    def _pieces(self, span: Span, height: float) -> list[Span]:
        """Letters of one height, divided where a gap is one between columns or leads back."""
        start, stop = span.start, span.stop
        gaps = list(map(operator.sub, self._lefts[start + 1 : stop], self._rights[start : stop - 1]))
        wide = _NEW_WORD * height
        if not gaps or (max(gaps) <= wide and min(gaps) >= -wide):
            return [span]
        pieces: list[Span] = []
        cuts: list[int] = []
        for at, gap in enumerate(gaps, start + 1):
            if -wide <= gap <= wide:
                continue
            in_word = self._is_joined(at - 1, at + 1)
            if gap > NEW_CELL * height or gap < (-_BACK * height if in_word else -wide):
                pieces.append(span._replace(start=start, stop=at, cuts=tuple(cuts)))
                start, cuts = at, []
            elif in_word and gap > wide:  # else the blank ends it
                cuts.append(at)
        return [*pieces, span._replace(start=start, cuts=tuple(cuts))]

    def _origin(self, index: int) -> tuple[float, float]:
        """Where the character `index` of the page stands on its baseline."""
        x, y = ctypes.c_double(), ctypes.c_double()
        raw.FPDFText_GetCharOrigin(self._page, index, ctypes.byref(x), ctypes.byref(y))
        return x.value, y.value

    # --- what a span looks like ---

    def text(self, span: Span) -> str:
        """Its words with one blank between them."""
        places, ends = self._places, (span.start, *span.cuts, span.stop)
        parts = (self._text[places[at] : places[end - 1] + 1] for at, end in pairwise(ends))
        text = " ".join(parts)
        return " ".join((text if text.isascii() else text.translate(_JOINED)).split())

    def sides(self, span: Span) -> Sides:
        """Around its letters."""
        return self._around(span.start, span.stop, span.across)

    def words(self, span: Span) -> Iterator[tuple[str, Sides]]:
        """The text and the rectangle of each word."""
        cuts = frozenset(span.cuts)
        begins = [at for at in range(span.start + 1, span.stop) if not self._is_joined(at - 1, at + 1) or at in cuts]
        for start, stop in zip((span.start, *begins), (*begins, span.stop), strict=True):
            text = self._text[self._places[start] : self._places[stop - 1] + 1].translate(_JOINED)
            if text:
                sides = (*self._tops[start:stop], *self._bottoms[start:stop])
                yield text, self._around(start, stop, (min(sides), max(sides)))

    def _around(self, start: int, stop: int, across: tuple[float, float]) -> Sides:
        along, down = self._frame
        one, other = (down.start + down.sign * side for side in across)
        left, right = min(self._lefts[start:stop]), max(self._rights[start:stop])
        return Sides(along.start + left, min(one, other), along.start + right, max(one, other))


def _characters(text: pypdfium2.PdfTextPage) -> str:
    """The text of the page, one character for each that pdfium counts; a blank for one that is none."""
    count = min(text.count_chars(), MAX_CHARACTERS)
    units = (ctypes.c_ushort * (count + 1))()
    if raw.FPDFText_GetText(text, 0, count, units) == count + 1:
        try:
            found, _ = codecs.utf_16_le_decode(bytes(units)[:-2], "strict", True)
        except UnicodeDecodeError:  # half a surrogate pair
            pass
        else:
            if len(found) == count:
                return found  # one unit a character, and none was left out
    given = (raw.FPDFText_GetUnicode(text, index) for index in range(count))
    return "".join(" " if 0xD800 <= code < 0xE000 or code > 0x10FFFF else chr(code) for code in given)
