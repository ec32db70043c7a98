"""Settings of the company: General, Sending, Per document, Templates; the difference is shown before it is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType

from tui.api import Conflict, GatewayError, path_of
from tui.changed import type_text
from tui.columns import Column, Row
from tui.counted import HELD_GO_ON
from tui.dialogs import Ask, Confirm
from tui.lines import Line
from tui.page import Page
from tui.told import setting_label
from tui.words import N_, _, some

TABS = (
    (N_("General"), ("distribution.", "resolve.", "language", "advanced")),
    (N_("Sending"), ("sender.",)),
    (N_("Per document"), ("format.", "on_loss.")),
    (N_("Templates"), ("template.",)),
)

_KNOWN = {  # of settings that are one of a few words
    "on_loss.": ("hold", "fallback_pdf"),
    "resolve.order": ("directory,document", "document,directory"),
}


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
    LINES: ClassVar[Mapping[str, str]] = {
        "": "settings list --company {company}",
        "edit": "settings set {key} {value} --company {company}",
        "default": "settings set {key} '' --company {company}",
    }
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(N_("Setting"), lambda row: label(row["key"]), 46),
        Column(N_("Value"), lambda row: shown(row["value"]) or "–", 20, grow=1),
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
        if mine and starts == ("sender.",):
            self.say(await self._looks({row["key"]: row["value"] for row in rows}))
        tabs = Text(" ")
        for number, (name, _starts) in enumerate(TABS):
            here = number == self.tab
            tabs.append(f"▸{_(name)}◂ " if here else f" {_(name)}  ", style="bold" if here else "")
        self.query_one("#search-label", Line).say(tabs)

    async def _looks(self, values: Row) -> str:
        """Whom mails will seem to come from, and where answers go."""
        domain = (await self.console.api.get("/choices"))["domain"]
        sender = f"{values['sender.name'] or ''} <{values['sender.prefix']}@{domain}>".strip()
        reply = values["sender.reply_to"]
        answers = (
            _("answers go to {address}").format(address=reply) if reply else _("answers go to the source's sender")
        )
        return _("Mails will show {sender} · {answers}").format(sender=sender, answers=answers)

    def explain(self, row: Row) -> str:
        """What it does, or why it cannot be changed."""
        return _(str(row["locked"] or row["help"]))

    def copied(self, row: Row) -> object:
        """The value."""
        return shown(row["value"])

    def action_tab(self, step: int) -> None:
        """The next tab."""
        self.action_show_tab((self.tab + step) % len(TABS))

    def action_show_tab(self, number: int) -> None:
        """One of the tabs, for who asks for it by its name."""
        self.tab = number
        self.say("")
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
        known = await self._known(row["key"])
        text = await self.app.push_screen_wait(Ask(f"{label(row['key'])}:", known, value=shown(row["value"])))
        if text is not None:
            self._store(row, text.replace(" ⏎ ", "\n"))

    async def _known(self, key: str) -> list[str]:
        """What may be chosen, where it is not any text: of the formats those that are installed (R55)."""
        if not key.startswith("format."):
            return next((list(known) for starts, known in _KNOWN.items() if key.startswith(starts)), [])
        try:
            return [each["name"] for each in (await self.console.api.get("/choices"))["formats"]]
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return []

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
