"""The application: which pages there are, the keys that work everywhere, and the state bar."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.widgets import Input

from gateway.client import Client
from tui.api import Api, Forbidden, GatewayError, Refused, is_down, path_of
from tui.ascii import PlainAscii
from tui.dialogs import Ask
from tui.form import Form
from tui.helptext import help_lines
from tui.page import Page
from tui.pager import Pager
from tui.pages import PAGES
from tui.pages.document import DocumentView
from tui.palette import find, names
from tui.safe import safe
from tui.said import told
from tui.typed import Typed
from tui.words import N_, _, count, language

HELPS = (Form, DocumentView)  # with a help of their own
RETRY_SECONDS = 2.0  # until a gateway that does not answer is asked again


class Console(Typed):
    """The gateway's terminal UI."""

    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "console.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"page({number})", page.NAME, show=False) for number, page in enumerate(PAGES, 1)),
        Binding("question_mark", "help", N_("Help"), show=False),
        Binding("f1,ctrl+g", "help", N_("Help"), show=False, priority=True),  # in a field ? is a letter
        Binding("colon,ctrl+p", "palette", N_("Command"), show=False),
        Binding("u", "undo", N_("Undo"), show=False),
        Binding("ctrl+l", "redraw", N_("Draw again"), show=False, priority=True),
        Binding("q", "leave", N_("Quit"), show=False),
        Binding("ctrl+q,ctrl+c", "quit", N_("Quit"), show=False, priority=True),
    ]

    def __init__(
        self, socket: Path, company: str = "default", ascii_only: bool = False, config: Path | None = None
    ) -> None:
        # The terminal's own colours from the start: else NO_COLOR turns them into black on black.
        super().__init__(ansi_color=True)
        self.api = Api(socket)
        self.company = company
        self.config = config
        self.ascii_only = ascii_only
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self.status: dict[str, Any] = {}
        self.active: bool | None = None
        self.missing: dict[str, str] = {}  # permission: the role that would have it
        self.fault: GatewayError | None = None
        self.undoing: list[tuple[str, Callable[[], Any]]] = []
        self.opened: list[Page] = []
        self._pages: dict[int, Page] = {}
        self._ended = threading.Event()

    def on_mount(self) -> None:
        """Home first; then look at what changes."""
        if self.ascii_only:
            self.add_class("ascii")
        self._go(1)
        self._look_loop = asyncio.get_running_loop()
        threading.Thread(target=self._listen, name="events", daemon=True).start()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line passes on its way to the terminal."""
        return [*super().get_line_filters(), PlainAscii()] if self.ascii_only else super().get_line_filters()

    # --- pages --------------------------------------------------------------------------------------------

    def _go(self, number: int) -> Awaitable[Any] | None:
        """Show a page; what can be waited for until it is there."""
        page = self._pages.get(number)
        if page is None:
            page = self._pages[number] = PAGES[number - 1]()
            self.install_screen(page, f"page{number}")
        while len(self.screen_stack) > 2:
            self.pop_screen()
        if len(self.screen_stack) == 1:
            return self.push_screen(f"page{number}")
        return self.switch_screen(f"page{number}") if self.screen is not page else None

    def action_page(self, number: int) -> None:
        """Jump to a page by its number."""
        self._go(number)

    def go_back(self) -> None:
        """One level up; from a page to Home; on Home nothing."""
        if len(self.screen_stack) > 2:
            self.pop_screen()
        elif self.page is not self._pages.get(1):
            self._go(1)

    @property
    def page(self) -> Page | None:
        """The page that is seen."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Page)), None)

    def action_leave(self) -> None:
        """Quit from the top; below it, go back."""
        if len(self.screen_stack) > 2:
            self.pop_screen()
        else:
            self.exit()

    # --- what changes -------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Wait for changes in a thread of its own; each makes the application look."""
        client = Client(self.api.socket)
        while not self._ended.is_set():
            try:
                for _change in client.events():
                    if self._ended.is_set():
                        return
                    self._tell()
            except GatewayError:
                self._tell()
            self._ended.wait(RETRY_SECONDS)

    def _tell(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody looks any more
            self._look_loop.call_soon_threadsafe(self.call_later, self.look)

    async def on_unmount(self) -> None:
        """Nobody looks any more, and nobody types."""
        await super().on_unmount()
        self._ended.set()

    @work(exclusive=True, group="look", exit_on_error=False)
    async def look(self) -> None:
        """Ask how the gateway is; what changed is shown, what did not is not painted."""
        try:
            status = await self.api.get("/waiting", company=self.company)
            missing = (await self.api.get("/me"))["missing"]
            active = (await self.api.get("/settings/distribution.active", company=self.company))["value"]
        except GatewayError as error:
            self.reached(error)
            return
        down, self.fault = self.fault, None
        changed = down is not None or (status, active, missing) != (self.status, self.active, self.missing)
        self.status, self.active, self.missing = status, active, missing
        page = self.page
        if page is not None and page.is_mounted and page.LIVE:
            if changed:
                page.show_bar()
                page.show_keys()
            page.load(awaited=False)

    def reached(self, error: GatewayError | None) -> None:
        """Note whether the gateway answers; the state bar says so when it does not."""
        if type(error) is not type(self.fault):  # a connection that broke may turn out to be a gateway that ended
            self.fault = error
            if self.page is not None and self.page.is_mounted:
                self.page.show_bar()

    def _trouble(self, fault: GatewayError) -> str:
        """Why nothing can be shown, and what helps, on one line; the message line says it in full."""
        if isinstance(fault, Forbidden):
            return f"{_('NO ACCESS')}  {safe(told(fault.sentence))}"
        if is_down(fault) and isinstance(fault, Refused):
            return f"{_('GATEWAY DOWN')}  {_('start it with `gateway serve` or `systemctl start gateway`')}"
        return f"{_('GATEWAY DOWN')}  {safe(told(fault.sentence))}"

    def bar(self, width: int) -> Text:
        """The first line of every page."""
        if self.fault is not None:
            return Text(f" {self._trouble(self.fault)}".ljust(width), style="bold reverse red")
        documents, deliveries = self.status.get("documents", {}), self.status.get("deliveries", {})
        waiting = sum(deliveries.get(state, 0) for state in ("queued", "active", "deferred"))
        switch = _("distribution ON") if self.active is not False else _("distribution OFF")
        text = Text(" ")
        text.append(f"{_('Gateway')}  {safe(self.company)}  ", style="bold")
        text.append(switch, style="" if self.active is not False else "bold red")
        for word, number, style in (
            (_("HELD {count}"), documents.get("held", 0), "bold red"),
            (_("BOUNCED {count}"), documents.get("bounced", 0) + documents.get("partly_sent", 0), "bold red"),
            (_("QUEUE {count}"), waiting, ""),
        ):
            text.append("   ")
            text.append(word.format(count=count(number)), style=style if number else "")
        return text

    @work(exit_on_error=False)
    async def show_document(self, id_: str) -> None:
        """One document over the page."""
        try:
            shown = await self.api.get(path_of("documents", id_))
        except GatewayError as error:
            if self.page is not None:
                self.page.say(error.sentence, bad=True)
            return
        self.push_screen(DocumentView(shown))

    async def run_command(self, *words: str) -> str:
        """Run a `gateway` command beside the screens; "" when it did what it should, else the last line it says."""
        found = ["-c", str(self.config)] if self.config is not None else []
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *found, *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _error = await process.communicate()
        lines = said.decode("utf-8", "replace").strip().splitlines()
        return "" if process.returncode == 0 else (lines or ["?"])[-1].removeprefix("gateway: ")

    async def write_file(self, page: Page, file: str, *words: str) -> None:
        """Run a command that writes a file, and say on the page what became of it."""
        wrong = await self.run_command(*words)
        page.say(wrong or _("Written: {file}").format(file=file), bad=bool(wrong))

    def keys_dropped(self) -> None:
        """Say that what was typed was dropped."""
        if self.page is not None and self.page.is_mounted:
            self.page.say(_("The gateway takes long to answer; what was typed meanwhile is dropped."), bad=True)

    def list_expected(self) -> bool:
        """Whether the page still reads the rows that a key is meant for."""
        page = self.screen
        if not isinstance(page, Page) or not page.is_mounted or isinstance(self.focused, Input):
            return False
        return page.awaited or page.rows.on_its_way

    # --- keys everywhere ----------------------------------------------------------------------------------

    def action_help(self) -> None:
        """The keys and words of what is seen: a form, a document, else the page."""
        page, shown = self.page, self.screen
        if isinstance(shown, HELPS):
            shown.action_help()
        elif page is not None and isinstance(shown, (Page, Ask)):
            self.push_screen(Pager(_("Help") + " · " + _(page.NAME), help_lines(page, self)))

    def action_palette(self) -> None:
        """A command line with completion; pages have their names, ours and the old site's."""
        self._palette()

    @work(exit_on_error=False)
    async def _palette(self) -> None:
        from tui.commands import COMMANDS, obey

        page = self.page
        text = await self.push_screen_wait(Ask(":", [*COMMANDS, *names(language())]))
        if not text or page is None:
            return
        word, _space, rest = text.partition(" ")
        if word in COMMANDS:
            await obey(self, page, word, rest.strip())
            return
        found = find(text)
        if found is None:
            page.say(_("There is no command {word}; ? lists them.").format(word=word), bad=True)
            return
        (number, action), search = found
        shown = self._go(number)
        if shown is not None:
            await shown
        if self.page is not None and (search or action):
            await self.page.begin(search, action)

    @work(exit_on_error=False)
    async def action_undo(self) -> None:
        """Take the last change of the directory back."""
        page = self.page
        if page is None:
            return
        if not self.undoing:
            page.say(_("There is nothing to undo."))
            return
        what, undo = self.undoing.pop()
        try:
            await undo()
        except GatewayError as error:
            page.say(error.sentence, bad=True)
            return
        page.say(_("Undone: {what}").format(what=what))
        page.load(True)

    def action_redraw(self) -> None:
        """Paint everything again, after something else wrote on the terminal."""
        self.refresh(layout=True)
