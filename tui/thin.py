"""Little over a thin line: only the lines that differ from what the terminal shows, and a scroll where that is less.

The library sends every line of what was refreshed. A list that scrolls by a row is the same lines one further up: here
the terminal moves them itself, by a scroll region (DECSTBM) and the deletion or insertion of lines in it (DL, IL),
which every terminal since the VT102 has, the Linux console, tmux and screen too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console as RichConsole
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App

_LEAST = 4  # lines that a scroll must spare to be worth its own bytes

Lines = dict[int, str]  # by their place on the screen; a line that is not there is not known
Pieces = Sequence[tuple[int, str]]  # a line's column and what is written from there


class ThinUpdate(CompositorUpdate):
    """An update of the library's, less what the terminal shows already; `shown` is that, and is kept."""

    def __init__(self, update: LayoutUpdate | ChopsUpdate, shown: Lines, width: int) -> None:
        self.update, self.shown, self.width = update, shown, width

    def render_segments(self, console: RichConsole) -> str:
        """The bytes to send."""
        if isinstance(self.update, LayoutUpdate):
            return self._all(self.update, console)
        whole, said = _split(self.update, console, self.width)
        for y in {y for y, _text in said}:
            self.shown.pop(y, None)
            whole.pop(y, None)
        out = [self._scroll({y: _joined(pieces) for y, pieces in whole.items()}), *(text for _y, text in said)]
        for y, pieces in sorted(whole.items()):
            if self.shown.get(y) != _joined(pieces):
                self.shown[y] = _joined(pieces)
                out += [_at(x, y) + text for x, text in pieces]
        return "".join(out)

    def _all(self, update: LayoutUpdate, console: RichConsole) -> str:
        """A screen of its own is sent whole: whatever the terminal showed."""
        out = []
        for y, line in enumerate(update.strips, update.region.y):
            text = "".join(strip.render(console) for strip in line)
            self.shown[y] = text
            out.append(_at(update.region.x, y) + text)
        return "".join(out)

    def _scroll(self, new: Lines) -> str:
        """Move what is shown to where it belongs, if that spares lines; "" if not."""
        changed = max(_runs([y for y, text in new.items() if self.shown.get(y) != text]), key=len, default=[])
        if len(changed) <= _LEAST:
            return ""
        top, bottom = changed[0], changed[-1]
        spared, by = max((self._spared(new, top, bottom, by), by) for by in range(top - bottom, bottom - top + 1))
        if not by or spared < _LEAST:
            return ""
        before = {y: self.shown.get(y) for y in range(top, bottom + 1)}
        for y in before:
            self.shown.pop(y, None)
            text = before.get(y + by)
            if text is not None:
                self.shown[y] = text
        lines = f"{by}M" if by > 0 else f"{-by}L"
        return f"\x1b[m\x1b[{top + 1};{bottom + 1}r\x1b[{top + 1}H\x1b[{lines}\x1b[r"

    def _spared(self, new: Lines, top: int, bottom: int, by: int) -> int:
        """How many lines need not be sent when what is shown moves up by so many."""
        from_, to = max(top, top - by), min(bottom, bottom - by)
        return sum(new[y] == self.shown.get(y + by) for y in range(from_, to + 1))


def _runs(places: Sequence[int]) -> list[list[int]]:
    """Lines that stand below each other, each run of them by itself."""
    runs: list[list[int]] = []
    for y in sorted(places):
        if runs and runs[-1][-1] == y - 1:
            runs[-1].append(y)
        else:
            runs.append([y])
    return runs


def _split(update: ChopsUpdate, console: RichConsole, width: int) -> tuple[dict[int, Pieces], list[tuple[int, str]]]:
    """The lines that are sent whole, and the pieces of others with where they go."""
    whole: dict[int, Pieces] = {}
    said: list[tuple[int, str]] = []
    for span in update.spans:
        pieces, complete = _pieces(update, span, console, width)
        if complete:
            whole[span[0]] = pieces
        else:
            said += [(span[0], _at(x, span[0]) + text) for x, text in pieces]
    return whole, said


def _pieces(update: ChopsUpdate, span: tuple[int, int, int], console: RichConsole, width: int) -> tuple[Pieces, bool]:
    """What is to be written of one line between two columns, and whether that is all of the line."""
    y, begin, end = span
    found: list[tuple[int, str]] = []
    reached = 0
    for x, stop, strip in _chops(update, y):
        if strip is None or x > end or stop <= begin:
            continue
        reached = stop if x == reached else width + 1
        if not end > x >= begin or stop > end:
            reached = width + 1
            strip = strip.crop(0, min(stop, end) - x)
        found.append((x, strip.render(console)))
    return found, reached == width


def _chops(update: ChopsUpdate, y: int) -> Iterator[tuple[int, int, Any]]:
    for stop, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
        yield x, stop, strip


def _joined(pieces: Pieces) -> str:
    return "".join(text for _x, text in pieces)


def _at(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H"


class Thin(App[None]):
    """An application that knows what the terminal shows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._shown: Lines = {}

    def _display(self, screen: Any, renderable: Any) -> None:
        if isinstance(renderable, (LayoutUpdate, ChopsUpdate)):
            renderable = ThinUpdate(renderable, self._shown, self.size.width)
        elif renderable is not None:
            self._shown.clear()
        super()._display(screen, renderable)
