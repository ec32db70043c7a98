"""Home: what needs a person, who hands in, where mails go, what is in which state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tui.causes import cause_text
from tui.columns import Column, Row
from tui.page import Page
from tui.states import short_time, state_style, state_word
from tui.words import N_, _, count

STATES = ("received", "held", "queued", "sent", "partly_sent", "bounced", "cancelled")


class Home(Page):
    """One line per matter; Enter goes where it is dealt with."""

    NAME: ClassVar[str] = N_("Home")
    SEARCHES: ClassVar[bool] = False
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(N_("What"), lambda row: row["what"], 12),
        Column(N_("State"), lambda row: row["state"], 6, style=lambda row: row["style"]),
        Column(N_("Count"), lambda row: row["count"], 8, right=True),
        Column("", lambda row: row["text"], 30, grow=1),
    )

    async def fill(self, keep: bool) -> None:
        """Ask for each part; all of it fits on one screen."""
        api = self.console.api
        status = await api.get("/status")
        rows = [_held(cause, number) for cause, number in sorted(status["held"].items(), key=lambda item: -item[1])]
        rows = _grouped(rows)
        for state in ("bounced", "partly_sent"):
            if status["documents"].get(state):
                rows.append(_line(_("Needs you"), state, status["documents"][state], _("documents"), 3))
        if not rows:
            rows.append({**_line(_("Needs you"), "", 0, _("Nothing needs a person."), 5), "count": "–"})
        for state in STATES:
            rows.append(_line(_("Documents"), state, status["documents"].get(state, 0), _(WORDS[state]), 3))
        for hop in await api.get("/queue/hops"):
            number = sum(hop.get(state, 0) for state in ("queued", "active", "deferred"))
            what = _("paused by {user}").format(user=hop["paused_by"]) if hop["paused_by"] else _reply(hop)
            rows.append(_line(_("Next hop"), "deferred" if hop["deferred"] else "queued", number, what, 4))
        for source in await api.get("/sources"):
            last = await api.get("/documents", source=source["name"], limit=1)
            rows.append(_source(source, last))
        self.rows.show_rows(rows, keep)
        self.matching = self.everything = len(rows)

    def explain(self, row: Row) -> str:
        """What Enter does."""
        from tui.pages import PAGES

        return _("Enter goes to {page}.").format(page=_(PAGES[row["page"] - 1].NAME))

    def open_row(self, row: Row) -> None:
        """Go where the line is dealt with."""
        self.console.action_page(row["page"])

    def command_line(self, row: Row) -> str:
        """The same as text."""
        return "status"

    def keys(self) -> list[tuple[str, str]]:
        """Where the numbers lead."""
        from tui.pages import PAGES

        return [(str(number), _(page.NAME)) for number, page in enumerate(PAGES[1:], 2)]


WORDS = {
    "received": N_("in the pipeline"),
    "held": N_("held"),
    "queued": N_("in the queue"),
    "sent": N_("sent"),
    "partly_sent": N_("sent to some, bounced for others"),
    "bounced": N_("bounced"),
    "cancelled": N_("cancelled"),
}


def _line(what: str, state: str, number: int, text: str, page: int) -> Row:
    word = state_word(state) if state else ""
    style = state_style(state) if state and number else ""
    return {"what": what, "state": word, "style": style, "count": count(number), "text": text, "page": page}


def _held(cause: str, number: int) -> Row:
    return {"cause": cause, "number": number}


def _grouped(held: list[Row]) -> list[Row]:
    groups: dict[str, list[Row]] = {}
    for each in held:
        groups.setdefault(each["cause"].partition(":")[0], []).append(each)
    return [
        _line(
            _("Needs you"),
            "held",
            sum(each["number"] for each in members),
            cause_text(cause) + _details(members),
            5,
        )
        for cause, members in groups.items()
    ]


def _details(members: list[Row]) -> str:
    named = [(each["cause"].partition(":")[2], each["number"]) for each in members]
    shown = " · ".join(f"{name} ×{number}" for name, number in named if name)
    return f"  {shown}" if shown else ""


def _reply(hop: Row) -> str:
    reply = hop.get("last_reply") or {}
    if isinstance(reply, dict):
        reply = " ".join(str(reply[name]) for name in ("code", "enhanced", "text") if reply.get(name))
    return f"{hop['next_hop']}  {reply}"


def _source(source: Row, last: list[Row]) -> Row:
    when = short_time(last[0]["received_at"]) if last else ""
    text = f"{source['name']}  " + (_("last document {when}").format(when=when) if last else _("no document yet"))
    return {"what": _("Source"), "state": "", "style": "", "count": "", "text": text, "page": 6}
