"""Documents: find one; see what it is, why it goes where it goes, and every reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.api import GatewayError, path_of
from tui.columns import Column, Row
from tui.dialogs import Ask, Confirm, Pager
from tui.page import Page
from tui.pages.home import cause_text
from tui.pages.recipients import type_text
from tui.states import full_time, short_time, state_style, state_word
from tui.words import N_, _, count


def to(row: Row) -> str:
    """Where the document goes or went."""
    return "; ".join(str(each["recipient"]) for each in row["deliveries"]) or "–"


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
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(N_("State"), lambda row: state_word(row["state"]), 6, style=lambda row: state_style(row["state"])),
        Column(N_("Received"), lambda row: short_time(row["received_at"]), 10),
        Column(N_("Number"), lambda row: row["number"] or row["file_name"], 16, grow=1),
        Column(N_("Type"), lambda row: type_text(row["type"]), 9, rank=2),
        Column(N_("Customer"), lambda row: row["customer_number"], 10),
        Column(N_("To"), to, 20, grow=2, rank=1, cut_middle=True),
        Column(N_("Source"), lambda row: row["source"], 10, rank=3),
    )

    def explain(self, row: Row) -> str:
        """Why it waits, or where it went."""
        if row["cause"]:
            return f"{cause_text(row['cause'])}: {row['sentence']}"
        return f"{row['file_name']} · {row['source']} · → {to(row)}"

    def copied(self, row: Row) -> object:
        """The id."""
        return row["id"]

    def command_line(self, row: Row) -> str:
        """The same as text."""
        return f"documents show {row['id']}" if row else "documents list"

    def action_open(self) -> None:
        """One document with everything."""
        self.rows.action_open()

    @work(exit_on_error=False)
    async def open_row(self, row: Row) -> None:
        """One document with everything."""
        try:
            shown = await self.console.api.get(path_of("documents", row["id"]))
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        title = f"{shown['number'] or shown['file_name']} · {type_text(shown['type'])} · {state_word(shown['state'])}"
        self.app.push_screen(Pager(title, document_lines(shown)))

    @work(exit_on_error=False)
    async def action_original(self) -> None:
        """The text of what came in."""
        row = self.rows.row
        if row is None:
            return
        try:
            data = await self.console.api.read(path_of("documents", row["id"], "original"))
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        text = data[:200_000].decode("utf-8", "replace")
        self.app.push_screen(Pager(f"{row['file_name']} · {count(len(data))} bytes", text.splitlines()))

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
        self.act(path_of("documents", row["id"], "resend"), body, _("It is sent again."))

    @work(exit_on_error=False)
    async def action_release(self) -> None:
        """Let held documents go on, after asking with the count."""
        await self.ask_and_act("release", _("Release {count} documents?"), _("{count} documents go on."))

    @work(exit_on_error=False)
    async def action_cancel(self) -> None:
        """Never send documents, after asking with the count and a reason."""
        question = _("Cancel {count} documents? They will not be sent.")
        await self.ask_and_act("cancel", question, _("{count} documents cancelled."), reason=True)

    async def ask_and_act(self, verb: str, question: str, done: str, reason: bool = False) -> None:
        """Ask with the count, then do `verb` to the chosen documents."""
        rows = self.chosen()
        if not rows or not await self.app.push_screen_wait(Confirm(question.format(count=count(len(rows))))):
            return
        body: dict[str, Any] = {"ids": [row["id"] for row in rows]}
        if reason:
            said = await self.app.push_screen_wait(Ask(_("Reason:")))
            if said is None:
                return
            body["reason"] = said or None
        self.act(f"/documents/{verb}", body, done)


def document_lines(shown: Row) -> list[str]:
    """One document in lines."""
    lines = [
        _("received {when} from {source}").format(when=full_time(shown["received_at"]), source=shown["source"])
        + f" · {shown['channel']} · {shown['media_type']}",
        f"{_('File')} {shown['file_name']} · id {shown['id']}",
    ]
    if shown["cause"]:
        lines += ["", f"{_('Waits')}: {cause_text(shown['cause'])}", f"  {shown['sentence']}"]
    lines += ["", _("Why this address")]
    for step in shown["trace"]:
        lines.append(f"  {step.get('rule') or '':<18} {step.get('text') or ''}  → {step.get('result') or ''}")
    lines += ["", _("Deliveries")]
    for delivery in shown["deliveries"]:
        lines.append(f"  {delivery['recipient']} ({delivery['role']})  {state_word(delivery['state'])}")
        for attempt in delivery["history"]:
            reply = " ".join(str(attempt[name]) for name in ("code", "enhanced", "text") if attempt[name])
            lines.append(f"    {full_time(attempt['started_at'])}  {reply}  {attempt['tls'] or ''}")
    lines += ["", _("Timeline"), f"  {full_time(shown['received_at'])}  {_('accepted')}"]
    for message in shown["messages"]:
        size = count(message["size"])
        lines.append(f"  {full_time(message['created_at'])}  {_('composed and signed')}  {size} B")
    lines.append(f"  {full_time(shown['updated_at'])}  {state_word(shown['state'])}")
    lines += ["", _("What was read")]
    for name, value in (shown["reading"] or {}).items():
        if isinstance(value, (str, int, float)) and value:
            lines.append(f"  {name:<18} {value}")
    return lines
