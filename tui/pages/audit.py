"""Audit: who did what, when, and what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.api import GatewayError
from tui.changed import changes
from tui.columns import Column, Row
from tui.counted import CHAIN_HOLDS
from tui.dialogs import Ask
from tui.page import Page
from tui.pager import Pager
from tui.states import full_time, short_time
from tui.words import N_, _, some


class Audit(Page):
    """All entries, newest first; the search is the name of an action or of its beginning."""

    NAME: ClassVar[str] = N_("Audit")
    PATH: ClassVar[str] = "/audit"
    SEARCHED: ClassVar[str] = "action"
    EMPTY: ClassVar[str] = N_("Nothing is noted.")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", N_("Open")),
        Binding("v", "verify", N_("Verify the chain")),
        Binding("x", "export", N_("Export")),
    ]
    WORDS: ClassVar[tuple[str, ...]] = ("user", "object", "since", "until")
    LINES: ClassVar[Mapping[str, str]] = {
        "": "audit list",
        "open": "audit list --object {object}",
        "verify": "audit verify",
        "export": "audit export {file}",
    }
    NEEDS: ClassVar[Mapping[str, str]] = {"verify": "audit", "export": "audit"}
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(N_("When"), lambda row: short_time(row["at"]), 10),
        Column(N_("Who"), lambda row: row["user"], 12, grow=1),
        Column(N_("Action"), lambda row: row["action"], 18),
        Column(N_("Object"), lambda row: row["object"], 16, grow=1),
        Column(N_("What changed"), lambda row: " · ".join(changes(row["before"], row["after"])), 18, grow=3, rank=1),
    )

    def filters(self, search: str) -> dict[str, object]:
        """Every company's; the chain is one."""
        return {name: value for name, value in super().filters(search).items() if name != "company"}

    def explain(self, row: Row) -> str:
        """The reason, or the change."""
        return str(row.get("reason") or " · ".join(changes(row["before"], row["after"])))

    def copied(self, row: Row) -> object:
        """The object."""
        return row["object"]

    def action_open(self) -> None:
        """One entry in full."""
        self.rows.action_open()

    def open_row(self, row: Row) -> None:
        """One entry in full."""
        lines = [f"{full_time(row['at'])}  {row['user']}  {row['action']}  {row['object']}", ""]
        if row.get("reason"):
            lines += [f"{_('Reason:')} {row['reason']}", ""]
        self.app.push_screen(Pager(_("Audit"), lines + changes(row["before"], row["after"])))

    @work(exit_on_error=False)
    async def action_verify(self) -> None:
        """Walk the chain: whether a row was changed or is missing."""
        try:
            found = await self.console.api.get("/audit/verify")
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        if found["ok"]:
            self.say(some(CHAIN_HOLDS, found["rows"]))
        else:
            self.say(str(found.get("sentence")), bad=True)

    @work(exit_on_error=False)
    async def action_export(self) -> None:
        """Write what the search leaves into a new file, oldest first; the command line does it."""
        target = await self.app.push_screen_wait(Ask(_("Save into the file:"), value="audit.jsonl"))
        if target:
            wanted = [(name, value) for name, value in self.filters(self.search).items() if value]
            words = [word for name, value in wanted for word in (f"--{name}", str(value))]
            await self.console.write_file(self, target, "audit", "export", target, *words)
