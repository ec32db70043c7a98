"""Plain ASCII for what the screens draw themselves, where a terminal or its font has nothing else (`--ascii`)."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_PLAIN = str.maketrans("…·–→←▸◂‹›×█░⏎—“”\u00a0│─╭╮╰╯▏", '..-><><<>x#.|-"" |-++++|')


class PlainAscii(LineFilter):
    """Puts one ASCII character in the place of each of our own; what data says stays as it is."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments of one line."""
        return [Segment(text.translate(_PLAIN), style, control) for text, style, control in segments]
