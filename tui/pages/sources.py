"""Sources: who may hand documents in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tui.columns import Column, Row
from tui.page import Page
from tui.states import short_time
from tui.words import N_, _


class Sources(Page):
    """One line per source, in the order in which they are tried."""

    NAME: ClassVar[str] = N_("Sources")
    SEARCHES: ClassVar[bool] = False
    EMPTY: ClassVar[str] = N_("No source is configured.")
    LINES: ClassVar[Mapping[str, str]] = {"": "sources list"}
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(N_("Source"), lambda row: row["name"], 16, grow=1),
        Column(N_("Company"), lambda row: row["company"], 10, rank=1),
        Column(N_("From"), lambda row: row["folder"] or " ".join(row["networks"]), 26, grow=2),
        Column(N_("Last document"), lambda row: short_time(row["last"]), 14),
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
        """How it takes documents."""
        fields = ", ".join(row["fields"]) or "–"
        return _("duplicates {duplicates} · patterns for {fields}").format(duplicates=row["duplicates"], fields=fields)

    def copied(self, row: Row) -> object:
        """The name."""
        return row["name"]
