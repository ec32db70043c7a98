"""The list of every screen: draws only the lines that are seen and asks for rows page by page.

A library table holds all rows and froze for 14 s at 100,000; this one holds sixteen pages. A move repaints
two lines.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.columns import Column, Row, cell, fitting

PAGE = 64  # rows
_KEPT = 16  # pages

Fetch = Callable[[int, int], Awaitable[list[Row]]]  # (offset, limit) -> rows


class RowsView(ScrollView, can_focus=True):
    """A cursor over `total` rows that come when they are needed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown,ctrl+f,ctrl+d", "page(1)", show=False),
        Binding("pageup,ctrl+b,ctrl+u", "page(-1)", show=False),
        Binding("home,g", "edge(-1)", show=False),
        Binding("end,G", "edge(1)", show=False),
        Binding("enter", "open", show=False),
        Binding("space", "mark", show=False),
        Binding("asterisk", "mark_all", show=False),
    ]
    DEFAULT_CSS = """
    RowsView { height: 1fr; scrollbar-size-vertical: 0; scrollbar-size-horizontal: 0; overflow: hidden; }
    """

    cursor = reactive(0, repaint=False)

    class Moved(Message):
        """The cursor stands on another row, or its row came."""

    class Opened(Message):
        """Enter was pressed on a row."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    def __init__(self, columns: Sequence[Column], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.columns = columns
        self.total = 0
        self.marks: dict[str, Row] = {}
        self._pages: OrderedDict[int, list[Row]] = OrderedDict()
        self._asked: set[int] = set()
        self._fetch: Fetch | None = None
        self._generation = 0

    # --- rows ---------------------------------------------------------------------------------------------

    def show_rows(self, rows: Sequence[Row], keep: bool = True) -> None:
        """Show rows that are all here."""
        pages = {start // PAGE: list(rows[start : start + PAGE]) for start in range(0, len(rows), PAGE)}
        self._begin(len(rows), pages, None, keep)

    def show_pages(self, total: int, first: list[Row], start: int, fetch: Fetch, keep: bool = True) -> None:
        """Show `total` rows of which the page at `start` is here; `fetch` gives the others."""
        self._begin(total, {start // PAGE: first}, fetch, keep)

    def _begin(self, total: int, pages: dict[int, list[Row]], fetch: Fetch | None, keep: bool) -> None:
        same = total == self.total and keep and all(self._pages.get(number) == page for number, page in pages.items())
        self._generation += 1
        self._asked.clear()
        self._fetch, self.total = fetch, total
        self._pages = OrderedDict(pages)
        if not keep:
            self.marks.clear()
        self.virtual_size = Size(self.size.width, total)
        self.cursor = min(self.cursor, max(0, total - 1)) if keep else 0
        if not same:
            self._follow()
            self.refresh()
        self.post_message(self.Moved())

    def row_at(self, place: int) -> Row | None:
        """The row at a place, None while it is on its way."""
        if not 0 <= place < self.total:
            return None
        page = self._pages.get(place // PAGE)
        if page is None:
            self._ask(place // PAGE)
            return None
        return page[place % PAGE] if place % PAGE < len(page) else None

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.row_at(self.cursor)

    @property
    def on_its_way(self) -> bool:
        """Whether the row under the cursor was asked for and is not here yet."""
        return self.cursor // PAGE in self._asked

    @property
    def page_start(self) -> int:
        """Where the page of the cursor begins: what a reload asks for."""
        return self.cursor // PAGE * PAGE

    def _ask(self, number: int) -> None:
        if self._fetch is None or number in self._asked:
            return
        self._asked.add(number)
        self.run_worker(self._get(number, self._generation, self._fetch), group="rows", exit_on_error=False)

    async def _get(self, number: int, generation: int, fetch: Fetch) -> None:
        rows = await fetch(number * PAGE, PAGE)
        if generation != self._generation:
            return
        self._asked.discard(number)
        self._pages[number] = rows
        while len(self._pages) > _KEPT:
            self._pages.popitem(last=False)
        self.refresh()
        self.post_message(self.Moved())

    # --- cursor -------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        """Move the cursor by `step` rows."""
        self.cursor = max(0, min(self.total - 1, self.cursor + step))

    def action_page(self, step: int) -> None:
        """Move the cursor by whole screens."""
        self.action_move(step * max(1, self.size.height - 2))

    def action_edge(self, side: int) -> None:
        """Go to the first or the last row."""
        self.cursor = 0 if side < 0 else max(0, self.total - 1)

    def action_open(self) -> None:
        """Go deeper into the row under the cursor."""
        if self.row is not None:
            self.post_message(self.Opened(self.row))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away; the cursor goes on."""
        row = self.row
        if row is None or "id" not in row:
            return
        if self.marks.pop(str(row["id"]), None) is None:
            self.marks[str(row["id"])] = row
        self.refresh_line(self.cursor)
        self.action_move(1)
        self.post_message(self.Moved())

    def action_mark_all(self) -> None:
        """Mark all rows that match, or take all marks away."""
        if self.marks:
            self.marks.clear()
            self.refresh()
            self.post_message(self.Moved())
        elif self.total:
            self.run_worker(self._mark_all(), exit_on_error=False)

    async def _mark_all(self) -> None:
        rows = [row for page in self._pages.values() for row in page]
        if self._fetch is not None:
            rows = await self._fetch(0, self.total)
        self.marks.update({str(row["id"]): row for row in rows if "id" in row})
        self.refresh()
        self.post_message(self.Moved())

    def watch_cursor(self, old: int, new: int) -> None:
        """Repaint the two lines that changed, or all when the view scrolls."""
        top = self.scroll_offset.y
        self._follow()
        if self.scroll_offset.y == top:
            width = max(1, self.size.width)
            self.refresh(Region(0, old - top, width, 1), Region(0, new - top, width, 1))
        else:
            self.refresh()
        for ahead in (new - self.size.height, new + self.size.height):
            self.row_at(ahead)  # asked for before the cursor gets there, so that no key waits for it
        self.post_message(self.Moved())

    def _follow(self) -> None:
        """Scroll by the line that the cursor left the screen by; to where it is in the middle when it went further."""
        height, top = self.size.height, self.scroll_offset.y
        if not height or top <= self.cursor < top + height:
            return
        beyond = self.cursor - top if self.cursor < top else self.cursor - (top + height - 1)
        place = top + beyond if abs(beyond) == 1 else self.cursor - height // 2
        self.scroll_to(y=max(0, min(place, self.total - height)), animate=False, force=True, immediate=True)

    def on_resize(self, event: Resize) -> None:
        """Keep the cursor in sight."""
        self.virtual_size = Size(event.size.width, self.total)
        self._follow()
        self.refresh()

    # --- lines --------------------------------------------------------------------------------------------

    def heading(self, width: int) -> str:
        """The headings over the columns."""
        from tui.words import _

        return "  " + " ".join(cell(_(c.heading), size, c.right) for c, size in fitting(self.columns, width - 2))

    def render_line(self, y: int) -> Strip:
        """One line: the mark, then the columns that fit."""
        place, width = y + self.scroll_offset.y, self.size.width
        if place >= self.total or width < 4:
            return Strip.blank(width, Style())
        row = self.row_at(place)
        here = place == self.cursor
        base = Style(reverse=here)
        if row is None:
            return Strip([Segment(cell("  …", width), base)], width)
        mark = "*" if str(row.get("id")) in self.marks else " "
        pieces = [Segment(mark + " ", base)]
        for column, size in fitting(self.columns, width - 2):
            look = column.style(row) if column.style else ""
            style = base + Style.parse(look) if look and not here else base
            pieces.append(Segment(cell(column.value(row), size, column.right, column.cut_middle), style))
            pieces.append(Segment(" ", base))
        return Strip(pieces[:-1]).adjust_cell_length(width, base)
