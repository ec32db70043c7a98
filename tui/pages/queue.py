"""Queue: the deliveries that have not ended, and the next hops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.columns import Column, Row
from tui.dialogs import Confirm
from tui.page import Page
from tui.states import short_time, state_style, state_word
from tui.words import N_, _, count


def reply_text(row: Row) -> str:
    """The last reply in one line."""
    reply = row.get("last_reply") or ""
    if isinstance(reply, dict):
        return " ".join(str(reply[name]) for name in ("code", "enhanced", "text") if reply.get(name))
    return str(reply)


class Queue(Page):
    """Deliveries, newest first; p pauses their next hop."""

    NAME: ClassVar[str] = N_("Queue")
    PATH: ClassVar[str] = "/queue"
    SEARCHES: ClassVar[bool] = False
    EMPTY: ClassVar[str] = N_("Nothing waits.")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "steer('retry')", N_("Try now")),
        Binding("H", "steer('hold')", N_("Hold")),
        Binding("R", "steer('release')", N_("Release")),
        Binding("C", "steer('cancel')", N_("Cancel…")),
        Binding("p", "pause", N_("Pause hop")),
        Binding("P", "resume", N_("Resume hop")),
    ]
    NEEDS: ClassVar[Mapping[str, str]] = {"steer": "operate", "pause": "operate", "resume": "operate"}
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(N_("State"), lambda row: state_word(row["state"]), 6, style=lambda row: state_style(row["state"])),
        Column(N_("To"), lambda row: row["recipient"], 24, grow=2, cut_middle=True),
        Column(N_("Next hop"), lambda row: row["next_hop"], 14, grow=1, rank=1),
        Column(N_("Tries"), lambda row: row["attempts"], 5, right=True, rank=2),
        Column(N_("Next"), lambda row: short_time(row["next_attempt_at"]), 10),
        Column(N_("Last reply"), reply_text, 14, grow=2, rank=3),
    )

    def filters(self) -> dict[str, object]:
        """The company's."""
        return {"company": self.console.company}

    def explain(self, row: Row) -> str:
        """The whole reply."""
        return f"{row['recipient']} → {row['next_hop']} · {reply_text(row) or _('not tried yet')}"

    def copied(self, row: Row) -> object:
        """The reply, or the address."""
        return reply_text(row) or row["recipient"]

    def command_line(self, row: Row) -> str:
        """The same as text."""
        return f"queue retry {row['id']}" if row else "queue list"

    @work(exit_on_error=False)
    async def action_steer(self, verb: str) -> None:
        """Do `verb` to the chosen deliveries, after asking where it cannot be taken back."""
        rows = self.chosen()
        if not rows:
            return
        if verb == "cancel" or len(rows) > 1:
            question = QUESTIONS[verb]
            if not await self.app.push_screen_wait(Confirm(_(question).format(count=count(len(rows))))):
                return
        self.act(f"/queue/{verb}", {"ids": [row["id"] for row in rows]}, _(DONE[verb]))

    def action_pause(self) -> None:
        """Send nothing more to the row's next hop."""
        self._hop("pause", N_("The next hop is paused."))

    def action_resume(self) -> None:
        """Send to the row's next hop again."""
        self._hop("resume", N_("The next hop is used again."))

    def _hop(self, verb: str, done: str) -> None:
        if self.rows.row is not None:
            body: dict[str, Any] = {"next_hop": self.rows.row["next_hop"]}
            self.act(f"/queue/{verb}", body, _(done))


QUESTIONS = {
    "retry": N_("Try {count} deliveries now?"),
    "hold": N_("Hold {count} deliveries?"),
    "release": N_("Release {count} deliveries?"),
    "cancel": N_("Cancel {count} deliveries? They will not be sent."),
}
DONE = {
    "retry": N_("{count} deliveries are tried now."),
    "hold": N_("{count} deliveries are held."),
    "release": N_("{count} deliveries go on."),
    "cancel": N_("{count} deliveries cancelled."),
}
