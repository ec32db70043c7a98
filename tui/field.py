"""The input line: what is typed, pasted or filled in is made safe before the terminal sees it."""

from __future__ import annotations

from textual.widgets import Input

from tui.safe import safe

_LIMIT = 20_000  # characters; the longest setting is a template


class Field(Input):
    """One line of text on one line of the screen, with a cursor that does not blink: an idle screen sends nothing."""

    def __init__(self, value: str = "", *, id: str) -> None:  # noqa: A002
        super().__init__(safe(value, _LIMIT), id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def validate_value(self, value: str) -> str:
        """The value without what a terminal would obey."""
        return safe(value, _LIMIT)
