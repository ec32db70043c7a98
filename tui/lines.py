"""The one-line widgets around every list; each repaints only when its text changes."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text
from textual.widgets import Static


def fitted(words: Sequence[str], last: str, width: int) -> str:
    """As many keys as fit, and always the last one, which leads to the rest."""
    kept = list(words)
    while kept and cell_len("  ".join([*kept, last])) > width:
        kept.pop()
    return "  ".join([*kept, last])


class Line(Static):
    """One line of text that is cut at the screen's edge."""

    DEFAULT_CSS = "Line { height: 1; width: 100%; text-wrap: nowrap; text-overflow: ellipsis; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__("", id=id, markup=False)
        self.shown = Text("", no_wrap=True)

    def say(self, text: str | Text, style: str = "") -> None:
        """Show a text, which must be safe already."""
        new = text if isinstance(text, Text) else Text(text, style=style)
        new.no_wrap, new.overflow = True, "ellipsis"
        if new.plain != self.shown.plain or new.spans != self.shown.spans or new.style != self.shown.style:
            self.shown = new
            self.update(new)
