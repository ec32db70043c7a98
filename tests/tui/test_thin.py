"""What is left out of an update is what the terminal shows already: whatever comes, it shows the screen."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui.thin import Lines, ThinUpdate

WIDTH, HEIGHT, CUT = 8, 12, 4  # every line is two pieces of one width
CONSOLE = Console(color_system=None)
_PIECE = re.compile(r"\x1b\[(\d*)(?:;(\d+))?([HrMLm])|([^\x1b]+)")


class Screen:
    """A terminal that knows what we send: cursor addresses, a scroll region, lines deleted and inserted, text."""

    def __init__(self) -> None:
        self.lines = ["?" * WIDTH] * HEIGHT
        self.y = self.x = self.top = 0
        self.bottom = HEIGHT - 1
        self.written = 0

    def take(self, sent: str) -> None:
        """Do what was sent."""
        for first, second, verb, text in _PIECE.findall(sent):
            one, two = int(first or 1), int(second or (HEIGHT if verb == "r" else 1))
            if text:
                line = self.lines[self.y]
                self.lines[self.y] = line[: self.x] + text + line[self.x + len(text) :]
                self.x += len(text)
                self.written += len(text)
            elif verb == "H":
                self.y, self.x = one - 1, two - 1
            elif verb == "r":
                self.top, self.bottom, self.y, self.x = one - 1, two - 1, 0, 0
            elif verb in "ML":
                self._move(one if verb == "M" else -one)

    def _move(self, by: int) -> None:
        region = self.lines[self.y : self.bottom + 1]
        blank = [" " * WIDTH] * abs(by)
        moved = (region + blank)[by:] if by > 0 else (blank + region)[: len(region)]
        self.lines[self.y : self.bottom + 1] = moved


def update(lines: list[str], spans: list[tuple[int, int, int]]) -> ChopsUpdate:
    """An update of the library's of these pieces."""
    chops = [{0: Strip([Segment(each[:CUT])]), CUT: Strip([Segment(each[CUT:])])} for each in lines]
    return ChopsUpdate(chops, spans, [[CUT, WIDTH]] * len(lines))


def whole(lines: list[str]) -> LayoutUpdate:
    return LayoutUpdate([[Strip([Segment(each)])] for each in lines], Region(0, 0, WIDTH, len(lines)))


texts = st.text(alphabet="ab", min_size=WIDTH, max_size=WIDTH)
steps = st.one_of(
    st.tuples(st.just("scroll"), st.integers(-4, 4), texts),
    st.tuples(st.just("line"), st.integers(0, HEIGHT - 1), texts),
    st.tuples(st.just("begin"), st.integers(0, HEIGHT - 1), texts),  # one piece of a line only
    st.tuples(st.just("end"), st.integers(0, HEIGHT - 1), texts),
)


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(texts, min_size=HEIGHT, max_size=HEIGHT), st.lists(steps, max_size=12))
def test_the_terminal_shows_the_screen(lines: list[str], walk: list[tuple[str, int, str]]) -> None:
    screen, shown = Screen(), Lines()
    screen.take(ThinUpdate(whole(lines), shown, WIDTH).render_segments(CONSOLE))
    for what, number, text in walk:
        spans = [(y, 0, WIDTH) for y in range(HEIGHT)]
        if what == "scroll":  # a list between two lines that stay, as on every page
            inner = lines[1:-1]
            inner = (inner + [text] * number)[number:] if number > 0 else ([text] * -number + inner)[: len(inner)]
            lines = [lines[0], *inner, lines[-1]]
        else:
            begin, end = CUT if what == "end" else 0, CUT if what == "begin" else WIDTH
            old = lines[number]
            lines = [*lines[:number], old[:begin] + text[begin:end] + old[end:], *lines[number + 1 :]]
            spans = [(number, begin, end)]
        screen.take(ThinUpdate(update(lines, spans), shown, WIDTH).render_segments(CONSOLE))
        assert screen.lines == lines


def test_a_scroll_sends_the_new_line_alone() -> None:
    lines = [f"line {y:03}" for y in range(HEIGHT)]
    screen, shown = Screen(), Lines()
    screen.take(ThinUpdate(whole(lines), shown, WIDTH).render_segments(CONSOLE))
    for moved in ([*lines[1:], "line 999"], ["line 888", *lines[:-1]]):
        screen.written = 0
        spans = [(y, 0, WIDTH) for y in range(HEIGHT)]
        screen.take(ThinUpdate(update(moved, spans), shown, WIDTH).render_segments(CONSOLE))
        assert screen.lines == moved
        assert screen.written in (WIDTH, 2 * WIDTH)


def test_two_pieces_of_a_line_that_are_alike_are_both_sent() -> None:
    lines = ["bbbbbbbb"] * HEIGHT
    screen, shown = Screen(), Lines()
    screen.take(ThinUpdate(whole(lines), shown, WIDTH).render_segments(CONSOLE))
    for line, span in (("aaaabbbb", (3, 0, CUT)), ("aaaaaaaa", (3, CUT, WIDTH))):
        lines = [*lines[:3], line, *lines[4:]]
        screen.take(ThinUpdate(update(lines, [span]), shown, WIDTH).render_segments(CONSOLE))
        assert screen.lines == lines
