"""Queue: by next hop, or each delivery that has not ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.api import GatewayError
from tui.columns import Column, Row
from tui.counted import STEER_QUESTIONS, STEERED
from tui.dialogs import Ask, Confirm
from tui.page import Page
from tui.pages.home import reply_text
from tui.safe import safe
from tui.states import short_time, state_style, state_word
from tui.words import N_, _, count, some

_WAITING = ("queued", "active", "deferred", "held")

DELIVERIES = (
    Column(N_("State"), lambda row: state_word(row["state"]), 6, style=lambda row: state_style(row["state"])),
    Column(N_("To"), lambda row: row["recipient"], 24, grow=2, cut_middle=True),
    Column(N_("Next hop"), lambda row: row["next_hop"], 14, grow=1, rank=1),
    Column(N_("Tries"), lambda row: row["attempts"], 6, right=True, rank=2),
    Column(N_("Next"), lambda row: short_time(row["next_attempt_at"]), 10),
    Column(N_("Last reply"), reply_text, 16, grow=2, rank=3),
)
HOPS = (
    Column(N_("Next hop"), lambda row: row["next_hop"], 22, grow=1),
    Column(N_("State"), lambda row: _("paused") if row["paused_by"] else _("up"), 8),
    Column(N_("Waits"), lambda row: count(sum(row[name] for name in _WAITING)), 10, right=True),
    Column(N_("Deferred"), lambda row: count(row["deferred"]), 9, right=True, rank=1),
    Column(N_("Held"), lambda row: count(row["held"]), 8, right=True, rank=1),
    Column(N_("Next"), lambda row: short_time(row["next_attempt_at"]), 10, rank=2),
    Column(N_("Last reply"), reply_text, 14, grow=2, rank=3),
)


class Queue(Page):
    """Deliveries, newest first; Tab shows the next hops instead, Enter on one of them its deliveries."""

    NAME: ClassVar[str] = N_("Queue")
    PATH: ClassVar[str] = "/queue"
    EMPTY: ClassVar[str] = N_("Nothing waits.")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", N_("Open")),
        Binding("t", "steer('retry')", N_("Try now")),
        Binding("H", "steer('hold')", N_("Hold")),
        Binding("R", "steer('release')", N_("Release")),
        Binding("C", "steer('cancel')", N_("Cancel…")),
        Binding("p", "pause", N_("Pause")),
        Binding("P", "resume", N_("Resume")),
        Binding("tab", "hops", N_("Next hops")),
    ]
    NEEDS: ClassVar[Mapping[str, str]] = {"steer": "operate", "pause": "operate", "resume": "operate"}
    LINES: ClassVar[Mapping[str, str]] = {
        "": "queue list --company {company} --search {search}",
        "open": "documents show {document}",
        "hops": "queue list --hops",
        **{f"steer('{verb}')": f"queue {verb} {{id}}" for verb in ("retry", "hold", "release", "cancel")},
        "pause": "queue pause {next_hop} --reason {reason}",
        "resume": "queue resume {next_hop}",
    }
    WORDS: ClassVar[tuple[str, ...]] = ("state", "next_hop")
    COLUMNS: ClassVar[Sequence[Column]] = DELIVERIES

    def __init__(self) -> None:
        super().__init__()
        self.by_hop = False
        self.hop: str | None = None  # only its deliveries

    def label(self) -> str:
        """What is shown."""
        if self.by_hop:
            return f" {_('Queue')} · {_('Next hops')}"
        return f" {_('Queue')} · {safe(self.hop)} / " if self.hop else super().label()

    def filters(self, search: str) -> dict[str, object]:
        """The company's, and the next hop's."""
        found = super().filters(search)
        return found | {"next_hop": self.hop} if self.hop else found

    async def fill(self, keep: bool) -> None:
        """The deliveries, or the next hops."""
        columns = HOPS if self.by_hop else DELIVERIES
        if self.rows.columns is not columns:
            self.rows.show_rows([], False)  # rows of one kind fit no columns of the other
            self.rows.columns = columns
        self.show_label()
        self.query_one("#search", Input).display = not self.by_hop
        self.set_class(self.by_hop, "no-search")
        if not self.by_hop:
            await super().fill(keep)
            return
        rows = [{"id": hop["next_hop"], **hop} for hop in await self.console.api.get("/queue/hops")]
        self.rows.show_rows(rows, keep)
        self.matching = self.everything = len(rows)

    def explain(self, row: Row) -> str:
        """The whole reply, or who paused it and why."""
        of_hop = "recipient" not in row  # the rows may still be those from before Tab
        if of_hop and row["paused_by"]:
            return _("paused by {user}").format(user=row["paused_by"]) + f" · {row['reason'] or '–'}"
        said = reply_text(row) or _("not tried yet")
        return f"{row['next_hop']} · {said}" if of_hop else f"{row['recipient']} → {row['next_hop']} · {said}"

    def copied(self, row: Row) -> object:
        """The reply, or the address."""
        return reply_text(row) or row.get("recipient") or row["next_hop"]

    def action_hops(self) -> None:
        """The next hops, or the deliveries of all of them."""
        self.rows.focus()
        self.by_hop, self.hop = not self.by_hop, None
        self.rows.marks.clear()
        self.load(False)

    def action_search(self) -> None:
        """Search the deliveries; the next hops are few."""
        if not self.by_hop:
            super().action_search()

    def action_back(self) -> None:
        """From the search, marks, then one next hop to all of them, then as everywhere."""
        narrowed = self.query_one("#search", Input).has_focus or self.rows.marks or self.search
        if self.hop is not None and not narrowed:
            self.by_hop, self.hop = True, None
            self.load(False)
        else:
            super().action_back()

    def action_open(self) -> None:
        """Go deeper."""
        self.rows.action_open()

    def open_row(self, row: Row) -> None:
        """The deliveries of a next hop; the document of a delivery."""
        if self.by_hop:
            self.by_hop, self.hop = False, row["next_hop"]
            self.load(False)
        elif "content" in self.console.missing:
            self.say(_("This needs the role {role}.").format(role=self.console.missing["content"]), bad=True)
        else:
            self.console.show_document(row["document"])

    @work(exit_on_error=False)
    async def action_steer(self, verb: str) -> None:
        """Do `verb` to the chosen deliveries or next hops, after asking where it is many or cannot be taken back."""
        rows = self.chosen()
        number = sum(sum(row[name] for name in _WAITING) for row in rows) if self.by_hop else len(rows)
        if not number:
            return
        if verb == "cancel" or number > 1:
            question = some(STEER_QUESTIONS[verb], number)
            if not await self.app.push_screen_wait(Confirm(question, " · ".join(_named(row) for row in rows[:3]))):
                return
        reason = await self.app.push_screen_wait(Ask(_("Reason:"))) if verb == "cancel" else ""
        if reason is None:
            return
        if self.by_hop:
            for row in rows:
                self.act(f"/queue/{verb}", _body({"next_hop": row["next_hop"]}, reason), STEERED[verb])
        else:
            self.act(f"/queue/{verb}", _body({"ids": [row["id"] for row in rows]}, reason), STEERED[verb])

    @work(exit_on_error=False)
    async def action_pause(self) -> None:
        """Send nothing more to the row's next hop; the reason is kept."""
        row = self.rows.row
        if row is None:
            return
        reason = await self.app.push_screen_wait(Ask(_("Reason:")))
        if reason is not None:
            self._hop("pause", _body({"next_hop": row["next_hop"]}, reason), _("The next hop is paused."))

    def action_resume(self) -> None:
        """Send to the row's next hop again."""
        if self.rows.row is not None:
            self._hop("resume", {"next_hop": self.rows.row["next_hop"]}, _("The next hop is used again."))

    @work(exit_on_error=False)
    async def _hop(self, verb: str, body: dict[str, Any], done: str) -> None:
        try:
            await self.console.api.post(f"/queue/{verb}", body)
        except GatewayError as error:
            self.say(error.sentence, bad=True)
        else:
            self.say(done)
        self.load(True)


def _named(row: Row) -> str:
    return str(row.get("recipient") or row["next_hop"])


def _body(values: dict[str, Any], reason: str) -> dict[str, Any]:
    return {**values, "reason": reason} if reason else values
