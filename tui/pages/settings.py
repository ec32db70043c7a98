"""Settings of the company: General, Sending, Per document, Templates; the difference is shown before it is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType

from tui.api import Conflict, GatewayError, path_of
from tui.columns import Column, Row
from tui.counted import HELD_GO_ON
from tui.dialogs import Ask, Confirm
from tui.lines import Line
from tui.page import Page
from tui.pages.recipients import type_text
from tui.told import setting_label
from tui.words import N_, _, some

TABS = (
    (N_("General"), ("distribution.", "resolve.", "language", "advanced")),
    (N_("Sending"), ("sender.",)),
    (N_("Per document"), ("format.",)),
    (N_("Templates"), ("template.",)),
)


def label(key: str) -> str:
    """A setting's key in words."""
    words = key.split(".")
    return setting_label(key, type_text(words[1]) if len(words) > 1 else "")


def shown(value: object) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return _("on") if value else _("off")
    return str("" if value is None else value).replace("\n", " ⏎ ")


class Settings(Page):
    """One line per setting."""

    NAME: ClassVar[str] = N_("Settings")
    SEARCHES: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "edit", N_("Change")),
        Binding("tab", "tab(1)", N_("Next tab")),
        Binding("shift+tab", "tab(-1)", N_("Previous tab"), show=False),
        Binding("d", "default", N_("Back to the default")),
    ]
    OPENS: ClassVar[str] = "edit"
    NEEDS: ClassVar[Mapping[str, str]] = {"edit": "settings", "default": "settings"}
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(N_("Setting"), lambda row: label(row["key"]), 36),
        Column(N_("Value"), lambda row: shown(row["value"]) or "–", 26, grow=1),
        Column("", lambda row: _("locked") if row["locked"] else _("set") if row["version"] else "", 10),
    )

    def __init__(self) -> None:
        super().__init__()
        self.tab = 0

    async def fill(self, keep: bool) -> None:
        """The settings of the tab."""
        rows = await self.console.api.get("/settings", company=self.console.company)
        starts = TABS[self.tab][1]
        mine = [row for row in rows if row["key"].startswith(starts)]
        self.rows.show_rows(mine, keep)
        self.matching = self.everything = len(mine)
        tabs = Text(" ")
        for number, (name, _starts) in enumerate(TABS):
            here = number == self.tab
            tabs.append(f"▸{_(name)}◂ " if here else f" {_(name)}  ", style="bold" if here else "")
        self.query_one("#search-label", Line).say(tabs)

    def explain(self, row: Row) -> str:
        """What it does, or why it cannot be changed."""
        return _(str(row["locked"] or row["help"]))

    def copied(self, row: Row) -> object:
        """The value."""
        return shown(row["value"])

    def command_line(self, row: Row) -> str:
        """The same as text."""
        return f"settings get {row['key']}" if row else "settings list"

    def action_tab(self, step: int) -> None:
        """The next tab."""
        self.tab = (self.tab + step) % len(TABS)
        self.load(False)

    def action_edit(self) -> None:
        """Change the setting."""
        self.rows.action_open()

    def action_default(self) -> None:
        """Back to the default."""
        if self.rows.row is not None:
            self._store(self.rows.row, None)

    @work(exit_on_error=False)
    async def open_row(self, row: Row) -> None:
        """Ask for the new value; a switch turns over."""
        if row["locked"]:
            self.say(_(str(row["locked"])), bad=True)
            return
        if isinstance(row["value"], bool):
            self._store(row, not row["value"])
            return
        text = await self.app.push_screen_wait(Ask(f"{label(row['key'])}:", value=shown(row["value"])))
        if text is not None:
            self._store(row, text.replace(" ⏎ ", "\n"))

    @work(exit_on_error=False)
    async def _store(self, row: Row, value: object) -> None:
        new = row["default"] if value is None or value == "" else value
        if shown(new) == shown(row["value"]):
            self.say(_("Nothing changes."))
            return
        question = _("Save {key}?").format(key=label(row["key"]))
        if not await self.app.push_screen_wait(Confirm(question, f"{shown(row['value'])} → {shown(new)}")):
            return
        try:
            saved = await self.console.api.put(
                path_of("settings", row["key"]),
                {"value": value, "version": row["version"]},
                company=self.console.company,
            )
        except Conflict as error:
            self.say(error.sentence, bad=True)
        except GatewayError as error:
            self.say(error.sentence, bad=True)
        else:
            more = " " + some(HELD_GO_ON, saved["released"])
            self.say(_("Saved {key}.").format(key=label(row["key"])) + (more if saved["released"] else ""))
            self.console.look()
        self.load(True)
