"""What all screens share: state bar, search at the top left, the list, a message, the keys that work now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Input

from tui import searchwords
from tui.api import GatewayError, Refused, is_down
from tui.cliwords import command_lines
from tui.columns import Column, Row
from tui.field import Field
from tui.lines import Line, fitted
from tui.pager import Pager
from tui.rows import PAGE, RowsView
from tui.safe import safe
from tui.said import told
from tui.words import N_, Plural, _, colon, count, some

if TYPE_CHECKING:
    from tui.app import Console

WIDE = 120  # columns from which a form stands beside the list


class Page(Screen[None]):
    """One screen: a list from the API, its keys, its sentence about the row under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", N_("Search"), show=False, priority=True),  # the next key is of the search already
        Binding("escape", "back", N_("Back"), show=False),
        Binding("y", "copy", N_("Copy"), show=False),
        Binding("exclamation_mark", "command", N_("Command lines"), show=False),
        Binding("Y", "select", N_("Show to select"), show=False),
        Binding("r", "reload", N_("Read again"), show=False),
    ]
    NAME: ClassVar[str] = ""
    PATH: ClassVar[str] = ""  # the list in the API; empty: the page loads its rows itself
    COLUMNS: ClassVar[Sequence[Column]] = ()
    EMPTY: ClassVar[str] = N_("Nothing here.")
    SEARCHES: ClassVar[bool] = True
    SEARCHED: ClassVar[str] = "search"  # the filter that the free text of the search line sets
    WORDS: ClassVar[tuple[str, ...]] = ()  # filters that words such as state:held of the search line set
    LINES: ClassVar[Mapping[str, str]] = {}  # action: the command line that does the same; "" shows the same
    LIVE: ClassVar[bool] = True  # whether what the gateway tells makes the page load again
    OPENS: ClassVar[str] = "open"  # the action of Enter, for the table below
    NEEDS: ClassVar[Mapping[str, str]] = {}  # action: the permission that it needs

    def __init__(self) -> None:
        super().__init__()
        self.search = ""
        self.failed = False  # to read the list
        self.stale = True  # the rows that are shown are not those that are asked for
        self.awaited = True  # a key that comes now is meant for the rows that are being read
        self.matching = 0
        self.everything = 0

    @property
    def console(self) -> Console:
        """The application."""
        return cast("Console", self.app)

    def compose(self) -> ComposeResult:
        """The 24 lines."""
        yield Line(id="bar")
        with Horizontal(id="search-line"):
            yield Line(id="search-label")
            yield Field(id="search")
            yield Line(id="count")
        yield Line(id="heading")
        yield RowsView(self.COLUMNS, id="rows")
        yield Line(id="message")
        yield Line(id="explain")
        yield Line(id="keys")

    SHARED: ClassVar[list[BindingType]] = BINDINGS

    def on_mount(self) -> None:
        """Show what stands still, then ask for the rows."""
        self.show_label()
        self.query_one("#search", Input).display = self.SEARCHES
        self.set_class(not self.SEARCHES, "no-search")
        self.rows.focus()
        self.show_bar()
        self.show_keys()
        self.load(False)

    def show_label(self) -> None:
        """The text at the top left, and the headings below it."""
        self.query_one("#search-label", Line).say(self.label())
        self._show_heading()

    def label(self) -> str:
        """What stands at the top left."""
        return f" / {colon(_('Search'))} " if self.SEARCHES else f" {_(self.NAME)}"

    def on_screen_resume(self) -> None:
        """Come back: what changed meanwhile is shown, the cursor stays."""
        self.show_bar()
        self.load(True)

    def on_resize(self) -> None:
        """Headings follow the width."""
        self.call_after_refresh(self._follow_width)

    def _follow_width(self) -> None:
        self._show_heading()
        self.show_keys()
        self.show_bar()

    def make_room(self, for_form: bool) -> None:
        """Leave the right side to a form, or take it back; the columns that fit are chosen anew."""
        self.set_class(for_form and self.app.size.width >= WIDE, "beside")
        self.call_after_refresh(self._follow_width)

    def _show_heading(self) -> None:
        self.query_one("#heading", Line).say(self.rows.heading(self.size.width), "underline")

    @property
    def rows(self) -> RowsView:
        """The list."""
        return self.query_one("#rows", RowsView)

    # --- loading ------------------------------------------------------------------------------------------

    def filters(self, search: str) -> dict[str, object]:
        """What the list is narrowed by, in the API's words, when the search line says `search`."""
        free, words = searchwords.parse(search, self.WORDS)
        return {"company": self.console.company, self.SEARCHED: free, **words}

    def load(self, keep: bool = True, awaited: bool = True) -> None:
        """Ask for what is shown; an answer to an older question is dropped. Keys wait for what a person `awaited`."""
        self.stale = self.stale or not keep
        self.awaited = self.awaited or awaited
        self._load()

    @work(exclusive=True, group="load", exit_on_error=False)
    async def _load(self) -> None:
        try:
            await self.fill(not self.stale)
            if self.failed:
                self.say("")  # what was wrong is over
            self.failed = False
            self.console.reached(None)
        except GatewayError as error:
            self.failed = True
            if is_down(error):
                self.console.reached(error)
            down = is_down(error) and isinstance(error, Refused)  # the state bar says what helps
            nobody = _("Nobody answers at the gateway's socket; the screens go on when somebody does.")
            self.say(nobody if down else error.sentence, bad=True)
        self.stale = self.awaited = False
        self._show_count()

    async def fill(self, keep: bool) -> None:
        """Get the first page and the count."""
        filters, api = self.filters(self.search), self.console.api
        start = self.rows.page_start if keep else 0
        total = (await api.get(f"{self.PATH}/count", **filters))["total"]
        start = min(start, max(0, total - 1) // PAGE * PAGE)
        first = await api.get(self.PATH, **filters, offset=start, limit=PAGE)

        async def fetch(offset: int, limit: int) -> list[Row]:
            return cast("list[Row]", await api.get(self.PATH, **filters, offset=offset, limit=limit))

        self.matching = total
        if not self.search:
            self.everything = total
        elif not self.everything:
            self.everything = (await api.get(f"{self.PATH}/count", **self.filters("")))["total"]
        self.rows.show_pages(total, first, start, fetch, keep)

    def _show_count(self) -> None:
        of = _("{found} of {all}").format(found=count(self.matching), all=count(max(self.everything, self.matching)))
        marked = len(self.rows.marks)
        self.query_one("#count", Line).say((f"* {count(marked)}   " if marked else "") + of + " ")
        if not self.rows.total:
            self.query_one("#explain", Line).say("" if self.failed else " " + _(self.EMPTY))

    # --- lines --------------------------------------------------------------------------------------------

    def show_bar(self) -> None:
        """The state bar."""
        self.query_one("#bar", Line).say(self.console.bar(self.size.width))

    def say(self, text: str, bad: bool = False) -> None:
        """The message line: the last result, or an error."""
        self.query_one("#message", Line).say(" " + safe(told(text) if bad else text), "bold red" if bad else "")

    def explain(self, row: Row) -> str:
        """One sentence about the row under the cursor."""
        return ""

    def keys(self) -> list[tuple[str, str]]:
        """The keys of this page for the last line."""
        return [
            (_key_name(binding.key), self._label(binding))
            for binding in type(self).BINDINGS
            if isinstance(binding, Binding) and binding.show and binding.description
        ]

    def _label(self, binding: Binding) -> str:
        """What a key does; in parentheses when the person's role does not allow it."""
        allowed = self.lacking(binding.action.partition("(")[0]) is None
        return _(binding.description) if allowed else f"({_(binding.description)})"

    def lacking(self, action: str) -> str | None:
        """The role that a person lacks for an action, None when they may do it."""
        return self.console.missing.get(self.NEEDS.get(action, ""))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse what the role does not allow, and say so; the gateway would refuse it too."""
        if action == "search" and self.searching:
            return False  # it is text there
        role = self.lacking(action)
        if role is not None:
            self.say(_("This needs the role {role}.").format(role=role), bad=True)
        return role is None

    def show_keys(self) -> None:
        """The last line: the keys that work now."""
        keys = [(_("Enter"), _("To the list")), (_("Esc"), _("Back"))] if self.searching else self.keys()
        words = [f"{key} {label}" for key, label in keys]
        last = f"F1 {_('Help')}" if self.searching else f"? {_('Help')}"
        shown = fitted(words, last, self.size.width - 2)  # what does not fit stands in the help
        self.query_one("#keys", Line).say(" " + shown, "bold")

    @property
    def searching(self) -> bool:
        """Whether what is typed goes into the search line: the keys of the page are letters there."""
        return isinstance(self.focused, Input)

    def on_descendant_focus(self) -> None:
        """The last line says what works where the keys go now."""
        self.show_keys()

    @on(RowsView.Moved)
    def _moved(self) -> None:
        row = self.rows.row
        if row is not None:
            self.query_one("#explain", Line).say(" " + safe(self.explain(row)))
        self._show_count()

    @on(RowsView.Opened)
    def _opened(self, event: RowsView.Opened) -> None:
        if self.check_action(self.OPENS, ()):
            self.open_row(event.row)

    def open_row(self, row: Row) -> object:
        """Go deeper; pages say where to."""

    # --- keys ---------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Go to the search line."""
        if self.SEARCHES:
            self.set_focus(self.query_one("#search", Input))  # at once: what is typed next goes there
            if self.WORDS:
                self.say(_("Text, or: {words}").format(words=searchwords.hint(self.WORDS)))

    @on(Input.Changed, "#search")
    def _search_changed(self, event: Input.Changed) -> None:
        if event.value.strip() != self.search:
            self.search = event.value.strip()
            self.load(False)

    def look_for(self, text: str) -> None:
        """Search for a text."""
        if self.SEARCHES:
            self.query_one("#search", Input).value = text

    async def begin(self, search: str, action: str) -> None:
        """Come from the command line: with a search, or doing at once what it named."""
        if search:
            self.look_for(search)
        if action:
            await self.run_action(action)

    @on(Input.Submitted, "#search")
    def _search_done(self) -> None:
        self.rows.focus()

    def action_back(self) -> None:
        """From the search to the list, from marks to none, from a search to all, from here to Home."""
        if self.query_one("#search", Input).has_focus:
            self.rows.focus()
        elif self.rows.marks:
            self.rows.action_mark_all()
        elif self.search:
            self.query_one("#search", Input).value = ""
        else:
            self.console.go_back()

    def action_reload(self) -> None:
        """Ask again."""
        self.load(True)

    def action_copy(self) -> None:
        """Copy what names the row: OSC 52, which terminals pass to the clipboard."""
        row = self.rows.row
        if row is not None:
            text = safe(self.copied(row))
            self.console.copy_to_clipboard(text)
            self.say(_("Copied: {text}").format(text=text))

    def copied(self, row: Row) -> object:
        """What `y` copies of a row."""
        return row.get("email") or row.get("id") or next(iter(row.values()), "")

    def action_select(self) -> None:
        """Show what `y` copies alone on the screen, whole, for terminals that take nothing into their clipboard."""
        if self.rows.row is not None:
            self.app.push_screen(Pager("", [safe(self.copied(self.rows.row))]))

    def action_command(self) -> None:
        """Show the command lines that do the same as this screen and its keys."""
        labels = {"": _(self.NAME)} | {
            binding.action: _(binding.description) for binding in type(self).BINDINGS if isinstance(binding, Binding)
        }
        row = {**(self.rows.row or {}), **self.about(), "search": self.search}
        lines = command_lines(self.LINES, labels, row, company=self.console.company)
        self.app.push_screen(Pager(_("Command lines"), lines))

    def about(self) -> Row:
        """What the command lines name beside the row and the company."""
        return {}

    # --- acting -------------------------------------------------------------------------------------------

    def chosen(self) -> list[Row]:
        """The marked rows, or the one under the cursor."""
        if self.rows.marks:
            return list(self.rows.marks.values())
        return [self.rows.row] if self.rows.row is not None else []

    @work(exit_on_error=False)
    async def act(self, path: str, body: dict[str, Any], done: Plural) -> None:
        """Post a change, say what it did, and read the list again."""
        try:
            answer = await self.console.api.post(path, body)
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        number = next((value for value in answer.values() if isinstance(value, int)), 1)
        self.rows.marks.clear()
        self.say(some(done, number))
        self.load(True)


_NAMES = {"enter": N_("Enter"), "tab": "Tab", "ctrl+s": "Ctrl+S", "space": N_("Space")}


def _key_name(key: str) -> str:
    first = key.split(",")[0]
    return _(_NAMES.get(first, first))
