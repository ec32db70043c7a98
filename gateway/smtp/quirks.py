"""What each source's clients do against the standards: which relaxations are needed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

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
        self._new: dict[tuple[str, str], Quirk] = {}

    def load(self, source: str, quirks: Iterable[Quirk]) -> None:
        """Begin with what was seen of `source` before."""
        self._seen[source] = {quirk.name: quirk for quirk in quirks}

    def add(self, source: str, notes: Mapping[str, int], now: dt.datetime) -> None:
        """Counts the notes of one transaction of `source`."""
        for name, count in notes.items():
            seen = self._seen.setdefault(source, {})
            seen[name] = _more(seen.get(name), name, count, now)
            self._new[source, name] = _more(self._new.get((source, name)), name, count, now)

    def of(self, source: str) -> list[Quirk]:
        """What was seen of `source`, in the order of the names."""
        return sorted(self._seen.get(source, {}).values(), key=lambda quirk: quirk.name)

    def take_new(self) -> list[tuple[str, Quirk]]:
        """What was added since the last time, with its source; whoever takes it keeps it."""
        taken = [(source, quirk) for (source, _), quirk in self._new.items()]
        self._new.clear()
        return taken

    def give_back(self, taken: Iterable[tuple[str, Quirk]]) -> None:
        """What was taken could not be kept."""
        for source, quirk in taken:
            key = (source, quirk.name)
            later = max(quirk.last_seen, self._new[key].last_seen) if key in self._new else quirk.last_seen
            self._new[key] = _more(self._new.get(key), quirk.name, quirk.count, later)


def _more(before: Quirk | None, name: str, count: int, now: dt.datetime) -> Quirk:
    return Quirk(name=name, count=count + (before.count if before else 0), last_seen=now)
