"""What each source's clients do against the standards, since the start: which relaxations are needed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from gateway.model import Value


class Quirk(Value, frozen=True, kw_only=True):
    """How often one was seen, and when last."""

    name: str
    count: int
    last_seen: dt.datetime


class Quirks:
    """The counts of one gateway; names are those of the mail log's notes."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, Quirk]] = {}

    def add(self, source: str, notes: Mapping[str, int], now: dt.datetime) -> None:
        """Counts the notes of one transaction of `source`."""
        for name, count in notes.items():
            seen = self._seen.setdefault(source, {})
            before = seen[name].count if name in seen else 0
            seen[name] = Quirk(name=name, count=before + count, last_seen=now)

    def of(self, source: str) -> list[Quirk]:
        """What was seen of `source`, in the order of the names."""
        return sorted(self._seen.get(source, {}).values(), key=lambda quirk: quirk.name)
