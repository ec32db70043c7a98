"""Held: what waits for a person, grouped by cause, fixed in place, released together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.api import GatewayError
from tui.causes import cause_text
from tui.changed import type_text
from tui.columns import Column, Row
from tui.counted import ADDING_FREES, CANCEL_DOCUMENTS, CANCELLED, GO_ON, RELEASE_DOCUMENTS, WAIT
from tui.dialogs import ask_first
from tui.form import Form
from tui.page import Page
from tui.words import N_, Plural, _, count, some


class Held(Page):
    """One line per cause; Enter shows its documents."""

    NAME: ClassVar[str] = N_("Held")
    SEARCHES: ClassVar[bool] = False
    EMPTY: ClassVar[str] = N_("Nothing is held.")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", N_("Open")),
        Binding("a", "fix", N_("Add the missing row")),
        Binding("R", "release", N_("Release…")),
        Binding("C", "cancel", N_("Cancel…")),
    ]
    NEEDS: ClassVar[Mapping[str, str]] = {"fix": "directory", "release": "operate", "cancel": "operate"}
    LINES: ClassVar[Mapping[str, str]] = {
        "": "documents held --company {company}",
        "open": "documents list --company {company} --state held --cause {id}",
        "fix": "recipients add --company {company} --number {number} --email {email} --type {type}",
        "release": "documents release {ids}",
        "cancel": "documents cancel {ids} --reason {reason}",
    }
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(N_("Count"), lambda row: count(row["count"]), 8, right=True, style=lambda row: "red"),
        Column(N_("Cause"), lambda row: cause_text(row["id"]), 34, grow=1),
        Column(N_("What"), lambda row: row["id"].partition(":")[2], 24, grow=1),
    )

    async def fill(self, keep: bool) -> None:
        """The causes and how many documents each holds."""
        found = await self.console.api.get("/held", company=self.console.company)
        rows = [{"id": each["cause"], **each} for each in found]
        self.rows.show_rows(rows, keep)
        self.matching = self.everything = len(rows)

    def explain(self, row: Row) -> str:
        """What would end it."""
        if row["id"].startswith("no-recipient:"):
            number = row["id"].partition(":")[2]
            return some(ADDING_FREES, row["frees"], customer=number, kind=type_text(row["type"] or "invoice"))
        return some(WAIT, row["count"])

    def about(self) -> Row:
        """The customer number that the cause names."""
        return {"number": (self.rows.row or {}).get("id", "").partition(":")[2]}

    def action_open(self) -> None:
        """The documents of the cause."""
        self.rows.action_open()

    def open_row(self, row: Row) -> None:
        """The documents of the cause."""
        from tui.pages.heldlist import HeldList

        self.app.push_screen(HeldList(row["id"]))

    @work(exit_on_error=False)
    async def action_fix(self) -> None:
        """Add the missing row: what it holds goes on."""
        row = self.rows.row
        if row is None or not row["id"].startswith("no-recipient:"):
            self.say(_("Only a missing recipient is mended here."))
            return
        try:
            choices = await self.console.api.get("/choices")
            advanced = await self.console.api.get("/settings/advanced", company=self.console.company)
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        values = {"number": row["id"].partition(":")[2], "type": row["type"] or "invoice"}
        self.make_room(True)
        saved = await self.app.push_screen_wait(Form(None, values, choices, bool(advanced["value"])))
        self.make_room(False)
        if saved is not None:
            self.say(some(GO_ON, saved.get("released", 0)))
            self.load(True)

    @work(exit_on_error=False)
    async def action_release(self) -> None:
        """Let all documents of the cause go on."""
        await self._all("release", RELEASE_DOCUMENTS, GO_ON)

    @work(exit_on_error=False)
    async def action_cancel(self) -> None:
        """Never send the documents of the cause."""
        await self._all("cancel", CANCEL_DOCUMENTS, CANCELLED, reason=True)

    async def _all(self, verb: str, question: Plural, done: Plural, reason: bool = False) -> None:
        rows: list[Any] = []
        try:
            for group in self.chosen():
                rows += await self.console.api.get(
                    "/documents", company=self.console.company, state="held", cause=group["id"]
                )
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        body = await ask_first(self.app, question, rows, reason=reason)
        if body is not None:
            self.act(f"/documents/{verb}", body, done)
