"""Home: what needs a person, who hands in, where mails go, what goes wrong slowly."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tui import states
from tui.causes import cause_text
from tui.columns import Column, Row
from tui.page import Page
from tui.states import short_time, state_style, state_word
from tui.words import N_, _, count

HEALTH_SECONDS = 600.0  # between two looks at the disk, the certificates and the DNS
DAYS = 21  # a certificate that ends sooner needs a person
FREE = 0.1  # of the disk; less needs a person


class Home(Page):
    """One line per matter; Enter goes where it is dealt with."""

    NAME: ClassVar[str] = N_("Home")
    SEARCHES: ClassVar[bool] = False
    LINES: ClassVar[Mapping[str, str]] = {"": "status --health"}
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("", lambda row: row["what"], 14),
        Column("", lambda row: row["state"], 6, style=lambda row: row["style"]),
        Column("", lambda row: row["count"], 7, right=True),
        Column("", lambda row: row["text"], 30, grow=1),
    )

    def __init__(self) -> None:
        super().__init__()
        self._health: dict[str, Any] = {}
        self._health_at = -HEALTH_SECONDS

    async def fill(self, keep: bool) -> None:
        """Ask for each part; all of it fits on one screen."""
        api, company = self.console.api, self.console.company
        status = await api.get("/status")
        if time.monotonic() - self._health_at >= HEALTH_SECONDS:
            self._health, self._health_at = await api.get("/health"), time.monotonic()
        midnight = states.clock().replace(hour=0, minute=0, second=0, microsecond=0).isoformat()
        today: dict[str, int] = {}
        for state in ("", "sent", "held", "bounced"):
            today[state] = (await api.get("/documents/count", company=company, since=midnight, state=state))["total"]
        in_document = (await api.get("/settings/resolve.document_address", company=company))["value"]
        active = (await api.get("/settings/distribution.active", company=company))["value"]
        waiting = await api.get("/waiting", company=company)
        held = {each["cause"]: each["count"] for each in await api.get("/held", company=company)}
        needs = _needs({**status, "documents": waiting["documents"], "held": held}, self._health)
        rows = [*_titled(_("Needs you"), needs)]
        rows += _titled(_("Today"), [_today(today)])
        sources = []
        for source in await api.get("/sources"):
            name = source["name"]
            last = await api.get("/documents", source=name, limit=1)
            number = (await api.get("/documents/count", source=name, since=midnight))["total"] if last else 0
            sources.append(_source(name, last, number))
        rows += _titled(_("Sources"), sources)
        rows += _titled(_("Queue"), _queue(waiting["deliveries"]))
        rows += _titled(_("Next hops"), [_hop(hop) for hop in await api.get("/queue/hops")])
        rows += _titled(_("Switches"), _switches(active, in_document))
        rows += _titled(_("Health"), [row for row in _healthy(self._health) if row["state"] != "!"])
        self.rows.show_rows(rows, keep)
        self.matching = self.everything = len(rows)

    def explain(self, row: Row) -> str:
        """What Enter does."""
        from tui.pages import PAGES

        return _("Enter goes to {page}.").format(page=_(PAGES[row["page"] - 1].NAME)) if row["page"] else ""

    def open_row(self, row: Row) -> None:
        """Go where the line is dealt with."""
        if row["page"]:
            self.console.action_page(row["page"])

    def keys(self) -> list[tuple[str, str]]:
        """Where the numbers lead."""
        from tui.pages import PAGES

        return [(str(number), _(page.NAME)) for number, page in enumerate(PAGES[1:], 2)]

    def _show_heading(self) -> None:
        """The first column says what each line is."""


def _titled(title: str, rows: list[Row]) -> list[Row]:
    return [{**row, "what": title if place == 0 else ""} for place, row in enumerate(rows)]


def _line(state: str, number: int | None, text: str, page: int, bad: bool = False) -> Row:
    style = "bold red" if bad else state_style(state)
    shown = "" if number is None else count(number)
    word = "!" if bad and not state else state_word(state) if state else ""
    return {"state": word, "style": style, "count": shown, "text": text, "page": page}


def _needs(status: Mapping[str, Any], health: Mapping[str, Any]) -> list[Row]:
    """What waits until a person does something, the most documents first."""
    groups: dict[str, list[tuple[str, int]]] = {}
    for cause, number in sorted(status["held"].items(), key=lambda item: -item[1]):
        name, _colon, detail = cause.partition(":")
        groups.setdefault(name, []).append((detail, number))
    rows = [_group(name, members) for name, members in groups.items()]
    rows.sort(key=lambda row: -row["number"])
    for state in ("bounced", "partly_sent"):
        if status["documents"].get(state):
            rows.append(_line(state, status["documents"][state], _(ENDED[state]), 3))
    if status.get("no_room"):
        rows.append(_line("", None, _("takes nothing in: {why}").format(why=status["no_room"]), 1, bad=True))
    rows += [_line("", None, _("{hop} is paused").format(hop=hop), 4, bad=True) for hop in status.get("paused", ())]
    rows += [row for row in _healthy(health) if row["state"] == "!"]
    return rows or [_line("", None, _("Nothing needs a person."), 0)]


ENDED = {"bounced": N_("no address took it"), "partly_sent": N_("sent to some, bounced for others")}


def _group(name: str, members: list[tuple[str, int]]) -> Row:
    number = sum(many for _detail, many in members)
    details = " · ".join(f"{detail} ×{count(many)}" for detail, many in members if detail)
    return {**_line("held", number, f"{cause_text(name)}  {details}".rstrip(), 5), "number": number}


def _today(today: Mapping[str, int]) -> Row:
    words = _("received {received} · sent {sent} · held {held} · bounced {bounced}")
    shown = {"received": today[""], "sent": today["sent"], "held": today["held"], "bounced": today["bounced"]}
    return _line("", None, words.format(**{name: count(number) for name, number in shown.items()}), 3)


def _queue(deliveries: Mapping[str, int]) -> list[Row]:
    """What has not ended, by state."""
    known = {
        "queued": N_("wait for their turn"),
        "active": N_("are on the wire"),
        "deferred": N_("are tried again later"),
        "held": N_("wait for a person"),
    }
    some = [_line(state, deliveries[state], _(text), 4) for state, text in known.items() if deliveries.get(state)]
    return some or [_line("", 0, _("Nothing waits."), 4)]


def _switches(active: bool, in_document: bool) -> list[Row]:
    """The two switches that decide whether and where documents go (R5, R7)."""
    shown = ((_("Activate e-mail distribution"), active), (_("Send to e-mail address in document"), in_document))
    return [{**_line("", None, label, 7), "count": _("on") if on else _("off")} for label, on in shown]


def _source(name: str, last: list[Row], number: int) -> Row:
    if not last:
        return _line("", 0, f"{name}  {_('no document yet')}", 6)
    what = last[0]["number"] or last[0]["file_name"]
    words = _("last {what} at {when}").format(what=what, when=short_time(last[0]["received_at"]))
    return _line("", number, f"{name}  {words}", 6)


def _hop(hop: Row) -> Row:
    number = sum(hop.get(state, 0) for state in ("queued", "active", "deferred"))
    if hop["paused_by"]:
        return _line("held", number, f"{hop['next_hop']}  {_('paused by {user}').format(user=hop['paused_by'])}", 4)
    return _line("deferred" if hop["deferred"] else "queued", number, f"{hop['next_hop']}  {reply_text(hop)}", 4)


def reply_text(row: Row) -> str:
    """The last reply of a delivery or a next hop in one line."""
    reply = row.get("last_reply") or row.get("last") or ""
    if isinstance(reply, dict):
        return " ".join(str(reply[name]) for name in ("code", "enhanced", "text") if reply.get(name))
    return str(reply)


PUBLISHED = {
    "published": N_("DKIM {selector}: the DNS has the record"),
    "missing": N_("DKIM {selector}: the DNS has no record"),
    "different": N_("DKIM {selector}: the DNS has another key"),
    "unknown": N_("DKIM {selector}: the DNS does not say"),
}


def _healthy(health: Mapping[str, Any]) -> list[Row]:
    free, total = health["disk"]["free"], health["disk"]["total"]
    share = free / max(total, 1)
    disk = _("disk {share} % free, {gib} GiB").format(share=round(100 * share), gib=count(free >> 30))
    rows = [_line("", None, disk, 0, bad=share < FREE)]
    for each in health["certificates"]:
        words = _("certificate cannot be read") if each["days"] is None else _("certificate {days} days")
        soon = each["days"] is None or each["days"] < DAYS
        rows.append(_line("", None, f"{words.format(days=each['days'])}  {each['file']}", 0, bad=soon))
    for each in health["dkim"]:
        words = _(PUBLISHED[each["state"]]).format(selector=each["selector"])
        rows.append(_line("", None, words, 0, bad=each["state"] in ("missing", "different")))
    return rows
