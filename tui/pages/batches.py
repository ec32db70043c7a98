"""Imported lists: who imported what when, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.api import Conflict, GatewayError, path_of
from tui.changed import type_text
from tui.columns import Column, Row
from tui.counted import TAKEN_BACK
from tui.dialogs import Confirm
from tui.page import Page
from tui.said import told
from tui.states import full_time, short_time
from tui.words import N_, _, count, some

_MOST = 500  # lists; older ones are in the audit


class Batches(Page):
    """One line per list, newest first."""

    NAME: ClassVar[str] = N_("Imported lists")
    SEARCHES: ClassVar[bool] = False
    EMPTY: ClassVar[str] = N_("No list was imported.")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,U", "open", N_("Take back…"))]
    NEEDS: ClassVar[Mapping[str, str]] = {"open": "directory"}
    LINES: ClassVar[Mapping[str, str]] = {
        "": "recipients batches --company {company}",
        "open": "recipients undo {id}",
    }
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(N_("When"), lambda row: short_time(row["created_at"]), 10),
        Column(N_("Who"), lambda row: row["user"], 10),
        Column(N_("Type"), lambda row: type_text(row["type"]), 10, rank=1),
        Column(N_("File"), lambda row: row["file"], 16, grow=1),
        Column(N_("Created"), lambda row: count(row["counts"].get("create", 0)), 8, right=True),
        Column(N_("Changed"), lambda row: count(row["counts"].get("update", 0)), 8, right=True),
        Column(N_("Taken back"), lambda row: row["undone_by"] or "", 10),
    )

    async def fill(self, keep: bool) -> None:
        """The lists of the company."""
        rows = await self.console.api.get("/batches", company=self.console.company, limit=_MOST)
        self.rows.show_rows(rows, keep)
        self.matching = self.everything = len(rows)

    def explain(self, row: Row) -> str:
        """When and by whom, or that it is undone."""
        if row["undone_by"]:
            back = _("taken back by {user}, {when}")
            return back.format(user=row["undone_by"], when=full_time(row["undone_at"]))
        return f"{row['file']} · {row['user']} · {full_time(row['created_at'])} · {row['id']}"

    def copied(self, row: Row) -> object:
        """The id."""
        return row["id"]

    def action_open(self) -> None:
        """Take the list under the cursor back."""
        self.rows.action_open()

    @work(exit_on_error=False)
    async def open_row(self, row: Row) -> None:
        """Take a list back, after asking; where rows were changed since, after asking what becomes of those."""
        question = _("Take back {file}?").format(file=row["file"])
        created, changed = (count(row["counts"].get(name, 0)) for name in ("create", "update"))
        effect = _("{created} rows go, {changed} are again as before.").format(created=created, changed=changed)
        if not await self.app.push_screen_wait(Confirm(question, effect)):
            return
        await self._undo(row, {})

    async def _undo(self, row: Row, body: dict[str, Any]) -> None:
        try:
            done = await self.console.api.post(path_of("batches", row["id"], "undo"), body)
        except Conflict as error:
            keep = _("Take back the others and leave those?")
            if not body and await self.app.push_screen_wait(Confirm(keep, told(error.sentence))):
                await self._undo(row, {"keep_changed": True})
            return
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        self.say(some(TAKEN_BACK, done["counts"]["deleted"] + done["counts"]["restored"]))
        self.load(True)
