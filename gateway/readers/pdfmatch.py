"""Where a pattern matches on a page: `label: value` on the line or below it, a regex with one group, or an area."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import regex

from gateway.model import Pattern
from gateway.readers.pdflabels import DEFAULTS
from gateway.readers.pdftext import Box, Cell, Line, Lines, Page, Word, folded
from gateway.readers.pdfvalues import CURRENCIES

REGEX_SECONDS = 0.5  # an operator's regex may run so long on one page (ReDoS)
MAX_HITS = 50  # of one pattern on one page
MAX_LABELS = 500  # places of one page where a label is looked for a value: each costs as much as its line is long
MAX_AFTER = 1_000  # characters after a label
_BELOW = 2.8  # heights of the label: how far below it its value may stand
_BESIDE = 2.0  # mm that a value may begin to the left of its label above
# What may stand between a label and its value: `Total (EUR): 17`, `Total EUR | 17`.
_ASIDE = regex.compile(
    r"^\s*(?:\([^()]*\)|\[[^\[\]]*\]|(?:in )?(?:€|\L<currencies>))\s*:?\s*(?=$)", currencies=CURRENCIES
)
_SEPARATORS = " \t:.#°º;=-–"

Shape = Callable[[str], str | None]


class BadPattern(ValueError):
    """An operator's regex that cannot be compiled."""


class Hit(NamedTuple):
    """A value and where it stands."""

    value: str
    page: int
    box: Box

    @property
    def where(self) -> str:
        """As evidence shows it."""
        left, top, right, bottom = self.box
        return f"page {self.page}, box {left:.1f},{top:.1f},{right:.1f},{bottom:.1f} mm"


def hits(pattern: Pattern, page: Page, shape: Shape) -> Iterator[Hit]:
    """Every value of `pattern` on `page` that has the `shape`, from top to bottom.

    TimeoutError when its regex takes too long, BadPattern when it is none.
    """
    lines = page.lines(Box(*pattern.area) if pattern.area else None)
    if pattern.regex is not None:
        yield from _by_regex(pattern.regex, page, lines, shape)
    elif pattern.label:
        yield from _by_label(pattern.label, page, lines, shape)
    elif lines:
        text = " ".join(line.text for line in lines)
        if value := shape(text):
            yield Hit(value, page.number, Box.around(line.box for line in lines))


# --- regex ---


def _by_regex(expression: str, page: Page, lines: Sequence[Line], shape: Shape) -> Iterator[Hit]:
    """The group of each match in the page's text: lines with a line end between them, cells with two blanks."""
    words: list[tuple[int, Word]] = []  # where each word begins in the text
    text = ""
    for line in lines:
        for cell in line.cells:
            for word in cell.words:
                words.append((len(text), word))
                text += word.text + " "
            text += " "
        text = text.rstrip() + "\n"
    try:
        compiled = regex.compile(expression, regex.MULTILINE)
    except (regex.error, ValueError, RecursionError, OverflowError) as error:
        raise BadPattern(str(error)) from None
    group = 1 if compiled.groups else 0
    found = 0
    for match in compiled.finditer(text, timeout=REGEX_SECONDS):
        start, end = match.span(group)
        value = shape(" ".join(text[start:end].split())) if start >= 0 else None
        if not value:
            continue
        touched = [word.box for at, word in words if at < end and at + len(word.text) > start]
        if touched:
            yield Hit(value, page.number, Box.around(touched))
            found += 1
            if found == MAX_HITS:
                return


# --- label ---


def _by_label(labels: Sequence[str], page: Page, lines: Lines, shape: Shape) -> Iterator[Hit]:
    """For every label met: the value after it in its cell, else in the next cell, else in the cell below."""
    expression = _label_expression(tuple(labels))
    left = MAX_LABELS
    for row, column, cell in lines.cells_with(_first_words(tuple(labels))):
        for match in expression.finditer(cell.text):
            left -= 1
            if left < 0:
                return
            for said, place in _candidates(match, lines, row, column):
                if expression.match(said) or _KNOWN.match(said):
                    continue  # the next label, not a value
                if value := shape(said):
                    yield Hit(value, page.number, _box_of(value, place))
                    break


@functools.lru_cache(500)
def _first_words(labels: tuple[str, ...]) -> frozenset[str]:
    """With one of which each of `labels` begins: to see that there is none takes a twentieth of looking for labels."""
    return frozenset(folded(label.split()[0]) for label in labels if label.split())


def _candidates(match: regex.Match[str], lines: Sequence[Line], row: int, column: int) -> Iterator[tuple[str, Cell]]:
    """What may be the value of a label: text and cell.

    Words after the label in its own cell either are the value or make it another label (`Total of allowances`).
    """
    cells = lines[row].cells
    words = cells[column].words
    last = _word_at(cells[column], match.end())
    rest = _ASIDE.sub("", match.string[match.end() : match.end() + MAX_AFTER]).lstrip(_SEPARATORS)
    if rest:
        yield rest, Cell(words[last:] or words[-1:])
        return
    if column + 1 < len(cells):
        yield cells[column + 1].text.lstrip(_SEPARATORS), cells[column + 1]
    label = Cell(words[max(0, _word_at(cells[column], match.start() + 1) - 1) : last])
    for below in _below(label.box, lines[row + 1 :]):
        yield below.text.lstrip(_SEPARATORS), below


@functools.lru_cache(500)
def _label_expression(labels: tuple[str, ...]) -> regex.Pattern[str]:
    """Matches any of `labels`, longest first, in any case, with the separators after it."""
    spelled = (r"\s*".join(map(regex.escape, label.split())) for label in sorted(labels, key=len, reverse=True))
    ends = r"(?:(?<=\w)(?!\w)|(?<!\w))"  # a label that ends with a letter ends a word
    return regex.compile(rf"(?<!\w)(?:{'|'.join(spelled)}){ends}[\s:.#°º]*", regex.IGNORECASE)


for _pattern in DEFAULTS:  # 2 ms each, which every worker process would pay for
    _label_expression(_pattern.label)
_KNOWN = _label_expression(tuple(label for pattern in DEFAULTS for label in pattern.label))


def _word_at(cell: Cell, offset: int) -> int:
    """How many words of the cell begin before `offset` of its text."""
    at = 0
    for index, word in enumerate(cell.words):
        if at >= offset:
            return index
        at += len(word.text) + 1
    return len(cell.words)


def _below(label: Box, lines: Sequence[Line]) -> Iterator[Cell]:
    """The nearest cell under the label; words left of the column are not part of it."""
    for line in lines:
        box = line.box
        if box.top - label.bottom > _BELOW * label.height:
            return
        for cell in line.cells:
            words = tuple(word for word in cell.words if word.box.left >= label.left - _BESIDE)
            if words and words[0].box.left < label.right and cell.box.right > label.left:
                yield Cell(words)
                return


def _box_of(value: str, cell: Cell) -> Box:
    """The box of the words that make up `value`, as far as that can be told; else of the whole cell."""
    tokens = set(value.split())
    boxes = [word.box for word in cell.words if word.text.strip(".,:;#") in tokens]
    return Box.around(boxes) if boxes else cell.box
