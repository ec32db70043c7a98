"""Screens as pictures that are the same every time, and what of them is told by colour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from textual.app import App
from textual.strip import Strip

from tui import states, words
from tui.rows import RowsView

_MADE = re.compile(r"terminal-\d+-")  # names in the file are made of a number that its content gives
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # of other people's servers; what is there does as well
_CLIPS = re.compile(
    r'<clipPath id="gateway-line-\d+">.*?</clipPath>\s*|\s*clip-path="url\(#gateway-line-\d+\)"', re.DOTALL
)
_BUTTONS = re.compile(r'<g transform="translate\(26,22\)">.*?</g>\s*', re.DOTALL)  # of no window of ours
_COLOUR = re.compile(r"(?:fill|stroke)[:=]\s*\"?#([0-9a-f]{6})")

_GREY = 8  # the parts of a grey differ by no more


def picture(app: App[Any]) -> str:
    """The screen as SVG, without what differs from run to run."""
    drawn = _MADE.sub("gateway-", app.export_screenshot(title="gateway tui"))
    for other in (_FONTS, _CLIPS, _BUTTONS):
        drawn = other.sub("", drawn)
    pieces = drawn.replace("<rect", "\n<rect").replace("<text", "\n<text").split("\n")  # one a line, for the review
    return "\n".join(piece.strip() for piece in pieces if piece.strip()) + "\n"


def colours(drawn: str) -> set[str]:
    """The colours of a picture that are neither black, white nor grey."""
    return {code for code in _COLOUR.findall(drawn) if max(bytes.fromhex(code)) - min(bytes.fromhex(code)) > _GREY}


def told_by_colour(rows: RowsView) -> Iterator[str]:
    """The coloured texts of a list that are no word for a state, no mark and no number: colour alone tells those."""
    said = {words._(word) for word, _style in states.WORDS.values()} | {"!"}
    for y in range(rows.size.height):
        strip: Strip = rows.render_line(y)
        for segment in strip:
            text, style = segment.text.strip(), segment.style
            coloured = text and style is not None and (style.color or style.bgcolor)
            if coloured and text not in said and not text.replace(",", "").replace("\u202f", "").isdigit():
                yield text
