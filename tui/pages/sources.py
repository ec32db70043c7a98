"""Sources: who may hand documents in, and what their clients do that the standards do not foresee."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.columns import Column, Row
from tui.page import Page
from tui.pager import Pager
from tui.states import full_time, short_time
from tui.words import N_, _, count


def match(row: Row) -> str:
    """What a session or a file is known by: a user, a folder or networks."""
    if row["user"] is not None:
        return _("user {user}").format(user=row["user"])
    return str(row["folder"] or " ".join(row["networks"]))


class Sources(Page):
    """One line per source, in the order in which they are tried."""

    NAME: ClassVar[str] = N_("Sources")
    SEARCHES: ClassVar[bool] = False
    EMPTY: ClassVar[str] = N_("No source is configured.")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", N_("Open"))]
    LINES: ClassVar[Mapping[str, str]] = {"": "sources list", "open": "sources list"}
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(N_("Source"), lambda row: row["name"], 16, grow=1),
        Column(N_("Company"), lambda row: row["company"], 10, rank=1),
        Column(N_("From"), match, 22, grow=2),
        Column(N_("Waiting"), lambda row: count(row["waiting"]) if row["waiting"] else "", 8, right=True),
        Column(N_("Last document"), lambda row: short_time(row["last"]), 16),
    )

    async def fill(self, keep: bool) -> None:
        """The sources and their last documents."""
        api = self.console.api
        rows = await api.get("/sources")
        for row in rows:
            last = await api.get("/documents", source=row["name"], limit=1)
            row["last"] = last[0]["received_at"] if last else None
        self.rows.show_rows(rows, keep)
        self.matching = self.everything = len(rows)

    def explain(self, row: Row) -> str:
        """What its clients do oddly, else how it takes documents."""
        odd = " · ".join(f"{each['name']} ×{count(each['count'])}" for each in row["quirks"])
        if odd:
            return _("its clients: {quirks}").format(quirks=odd)
        return _("duplicates {duplicates} · patterns for {fields}").format(
            duplicates=row["duplicates"], fields=", ".join(row["fields"]) or "–"
        )

    def copied(self, row: Row) -> object:
        """The name."""
        return row["name"]

    def action_open(self) -> None:
        """Everything about the source."""
        self.rows.action_open()

    def open_row(self, row: Row) -> None:
        """Everything about the source."""
        lines = [f"  {name:<22}{value}" for name, value in _about(row)]
        self.app.push_screen(Pager(f"{_(self.NAME)} · {row['name']}", ["", *lines]))


def _about(row: Row) -> Iterator[tuple[str, str]]:
    """What the configuration says of a source, and what was seen of it."""
    yield _("Company"), row["company"]
    yield _("From"), match(row)
    yield _("Recipients"), row["recipients"]
    yield _("Duplicates"), row["duplicates"]
    yield _("Patterns for"), ", ".join(row["fields"]) or "–"
    yield _("Last document"), full_time(row["last"]) or "–"
    if row["folder"]:
        oldest = f" · {full_time(row['oldest'])}" if row["oldest"] else ""
        yield _("Waiting"), count(row["waiting"] or 0) + oldest
    for quirk in row["quirks"]:
        seen = _("{count} times, last {when}").format(count=count(quirk["count"]), when=full_time(quirk["last_seen"]))
        yield quirk["name"], seen
