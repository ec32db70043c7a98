"""Where the text of a PDF stands: words with their boxes, in millimetres from the top left of the page."""

from __future__ import annotations

from typing import NamedTuple

import pypdfium2

MM = 25.4 / 72


class Word(NamedTuple):
    """A run of characters without a space, and its ink."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    ends: tuple[float, ...]  # where each character's advance ends


def words(pdf: bytes, page: int = 0) -> list[Word]:
    """The words of one page, in the order of the file."""
    sheet = pypdfium2.PdfDocument(pdf)[page]
    height = sheet.get_height()
    text = sheet.get_textpage()
    found: list[Word] = []
    run: list[tuple[str, tuple[float, float, float, float], float]] = []

    def finish() -> None:
        if run:
            boxes = [box for _, box, _ in run]
            left, bottom = min(b[0] for b in boxes), min(b[1] for b in boxes)
            right, top = max(b[2] for b in boxes), max(b[3] for b in boxes)
            ends = tuple(end * MM for _, _, end in run)
            word = "".join(c for c, _, _ in run)
            found.append(Word(word, left * MM, (height - top) * MM, right * MM, (height - bottom) * MM, ends))
            run.clear()

    for index in range(text.count_chars()):
        character = text.get_text_range(index, 1)
        box = text.get_charbox(index)
        if not character.strip() or box[0] == box[2]:
            finish()
            continue
        if run and (box[0] - run[-1][1][2] > 3 or abs(box[1] - run[-1][1][1]) > 6 or box[2] < run[-1][1][0]):
            finish()
        run.append((character, box, text.get_charbox(index, loose=True)[2]))
    finish()
    return found


def overlaps(placed: list[Word], ink: float = 0.15) -> list[tuple[str, str]]:
    """Pairs of words whose ink crosses by more than `ink` millimetres in both directions."""
    return [
        (a.text, b.text)
        for index, a in enumerate(placed)
        for b in placed[index + 1 :]
        if min(a.right, b.right) - max(a.left, b.left) > ink and min(a.bottom, b.bottom) - max(a.top, b.top) > ink
    ]


def pages(pdf: bytes) -> list[str]:
    """The text of each page, lines ending in \\n."""
    document = pypdfium2.PdfDocument(pdf)
    return [sheet.get_textpage().get_text_range().replace("\r\n", "\n") for sheet in document]
