"""Text over the whole screen: help, a document, a file. Draws only the lines that are seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.lines import Line
from tui.safe import safe
from tui.said import told
from tui.words import N_, _

if TYPE_CHECKING:
    from tui.app import Console

Styled = tuple[str, str]  # text, style


def wrapped(text: str, width: int) -> list[str]:
    """A line as rows of at most `width` cells; what goes on is indented like its beginning."""
    text = safe(text)
    if cell_len(text) <= width:
        return [text]
    indent = " " * min(len(text) - len(text.lstrip()), width // 2)
    rows, row = [], ""
    for word in text.strip().split(" "):
        joined = f"{row} {word}" if row.strip() else indent + word
        if cell_len(joined) <= width:
            row = joined
            continue
        if row.strip():
            rows.append(row)
        row = indent + word
        while cell_len(row) > width:  # a word longer than the screen
            rows.append(row[:width])
            row = indent + row[width:]
    return [*rows, row]


class TextLines(ScrollView, can_focus=True):
    """Lines that are wrapped to the width and scrolled by keys."""

    DEFAULT_CSS = """
    TextLines { height: 1fr; scrollbar-size-vertical: 0; scrollbar-size-horizontal: 0; overflow: hidden; }
    """

    def __init__(self, lines: Sequence[str | Styled]) -> None:
        super().__init__()
        self.lines_given = lines
        self._rows: list[Styled] = []

    def show(self, lines: Sequence[str | Styled]) -> None:
        """Show other lines; the place stays."""
        self.lines_given = lines
        self._wrap(self.size.width)

    def on_resize(self, event: Resize) -> None:
        """Wrap to the new width."""
        self._wrap(event.size.width)

    def _wrap(self, width: int) -> None:
        pairs = [(line, "") if isinstance(line, str) else line for line in self.lines_given]
        rows = [(row, style) for text, style in pairs for row in wrapped(text, max(20, width - 1))]
        if rows != self._rows:
            self._rows = rows
            self.virtual_size = Size(width, len(rows))
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row."""
        place, width = y + self.scroll_offset.y, self.size.width
        if place >= len(self._rows):
            return Strip.blank(width, Style())
        text, style = self._rows[place]
        return Strip([Segment(" " + text, Style.parse(style))]).adjust_cell_length(width, Style())


class Pager(ModalScreen[None]):
    """Title, lines, keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", N_("Back"), show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space,ctrl+f,ctrl+d", "scroll(20)", show=False),
        Binding("pageup,b,ctrl+b,ctrl+u", "scroll(-20)", show=False),
        Binding("home,g", "scroll(-1000000)", show=False),
        Binding("end,G", "scroll(1000000)", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[str | Styled]) -> None:
        super().__init__()
        self.title_text = title
        self.body = TextLines(lines)

    @property
    def console(self) -> Console:
        """The application."""
        return cast("Console", self.app)

    def compose(self) -> ComposeResult:
        """Title, text, message, keys."""
        yield Line(id="pager-title")
        yield self.body
        yield Line(id="pager-message")
        yield Line(id="pager-keys")

    def on_mount(self) -> None:
        """Fill the lines above and below."""
        self.body.focus()
        self.query_one("#pager-title", Line).say(" " + safe(self.title_text), "bold")
        self.show_keys()

    def on_resize(self) -> None:
        """The keys follow the width."""
        self.call_after_refresh(self.show_keys)

    def show_keys(self) -> None:
        """The last line."""
        self.query_one("#pager-keys", Line).say(" " + self.keys(), "bold")

    def keys(self) -> str:
        """The last line."""
        return _("Esc back   ↑ ↓ scroll")

    def say(self, text: str, bad: bool = False) -> None:
        """The result of an action."""
        self.query_one("#pager-message", Line).say(" " + safe(told(text) if bad else text), "bold red" if bad else "")

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.body.scroll_relative(y=lines, animate=False, force=True)

    def action_close(self) -> None:
        """Back to where it was opened."""
        self.dismiss(None)
