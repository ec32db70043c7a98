"""Documents: find one; see what it is, why it goes where it goes, and every reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.api import GatewayError, path_of
from tui.causes import cause_text
from tui.changed import short_emails, type_text
from tui.columns import Column, Row
from tui.counted import CANCEL_DOCUMENTS, CANCELLED, GO_ON, RELEASE_DOCUMENTS, SENT_AGAIN
from tui.dialogs import Ask, ask_first
from tui.page import Page
from tui.pager import Pager
from tui.said import told
from tui.states import short_time, state_style, state_word
from tui.words import N_, Plural, _


def to(row: Row) -> str:
    """Where the document goes or went."""
    return "; ".join(str(each["recipient"]) for each in row["deliveries"]) or "–"


def _first(row: Row) -> str:
    return short_emails([each["recipient"] for each in row["deliveries"]]) or "–"


class Documents(Page):
    """All documents, newest first."""

    NAME: ClassVar[str] = N_("Documents")
    PATH: ClassVar[str] = "/documents"
    EMPTY: ClassVar[str] = N_("No document yet: mail one to the gateway or drop a file.")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", N_("Open")),
        Binding("o", "original", N_("Original")),
        Binding("n", "resend", N_("Send again…")),
        Binding("R", "release", N_("Release")),
        Binding("C", "cancel", N_("Cancel…")),
    ]
    NEEDS: ClassVar[Mapping[str, str]] = {
        "open": "content",
        "original": "content",
        "resend": "resend",
        "release": "operate",
        "cancel": "operate",
    }
    WORDS: ClassVar[tuple[str, ...]] = (
        *("state", "since", "until", "customer_number", "address", "number", "source", "cause"),
    )
    LINES: ClassVar[Mapping[str, str]] = {
        "": "documents list --company {company} --search {search}",
        "open": "documents show {id}",
        "original": "documents text {id}",
        "resend": "documents resend {id} --to {to}",
        "release": "documents release {id}",
        "cancel": "documents cancel {id} --reason {reason}",
    }
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(N_("State"), lambda row: state_word(row["state"]), 6, style=lambda row: state_style(row["state"])),
        Column(N_("Received"), lambda row: short_time(row["received_at"]), 10),
        Column(N_("Number"), lambda row: row["number"] or row["file_name"], 16, grow=1),
        Column(N_("Type"), lambda row: type_text(row["type"]), 9, rank=2),
        Column(N_("Customer"), lambda row: row["customer_number"], 10),
        Column(N_("To"), _first, 20, grow=2, rank=1, cut_middle=True),
        Column(N_("Source"), lambda row: row["source"], 10, rank=3),
    )

    def explain(self, row: Row) -> str:
        """Why it waits, or where it went."""
        if row["cause"]:
            return told(row["sentence"] or "") or cause_text(row["cause"])
        return f"{row['file_name']} · {row['source']} · → {to(row)}"

    def copied(self, row: Row) -> object:
        """The id."""
        return row["id"]

    def action_open(self) -> None:
        """One document with everything."""
        self.rows.action_open()

    def open_row(self, row: Row) -> None:
        """One document with everything."""
        self.console.show_document(row["id"])

    @work(exit_on_error=False)
    async def action_original(self) -> None:
        """The text of what came in."""
        row = self.rows.row
        if row is None:
            return
        try:
            found = await self.console.api.get(path_of("documents", row["id"], "text"))
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        self.app.push_screen(Pager(found["file_name"], found["lines"]))

    @work(exit_on_error=False)
    async def action_resend(self) -> None:
        """Send an ended document again, to the same or another address."""
        row = self.rows.row
        if row is None:
            return
        text = await self.app.push_screen_wait(Ask(_("Send again to (empty: by today's rules):"), value=""))
        if text is None:
            return
        body: dict[str, Any] = {"to": [text]} if text else {}
        self.act(path_of("documents", row["id"], "resend"), body, SENT_AGAIN)

    @work(exit_on_error=False)
    async def action_release(self) -> None:
        """Let held documents go on, after asking with the count."""
        await self.ask_and_act("release", RELEASE_DOCUMENTS, GO_ON)

    @work(exit_on_error=False)
    async def action_cancel(self) -> None:
        """Never send documents, after asking with the count and a reason."""
        await self.ask_and_act("cancel", CANCEL_DOCUMENTS, CANCELLED, reason=True)

    async def ask_and_act(self, verb: str, question: Plural, done: Plural, reason: bool = False) -> None:
        """Ask with the count, then do `verb` to the chosen documents."""
        body = await ask_first(self.app, question, self.chosen(), reason=reason)
        if body is not None:
            self.act(f"/documents/{verb}", body, done)
