"""What the clients of each source do against the standards: counts that outlive the gateway."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from gateway.model import Value
from gateway.store.schema import quirk


class Seen(Value, frozen=True, kw_only=True):
    """A quirk of a source, how often it was seen, and when last."""

    source: str
    name: str
    count: int
    last_seen: dt.datetime


def add(connection: Connection, seen: Sequence[Seen]) -> None:
    """Count what has been seen since the last time."""
    for each in seen:
        values = {"source": each.source, "name": each.name, "times": each.count, "last_seen_at": each.last_seen}
        connection.execute(
            insert(quirk)
            .values(values)
            .on_conflict_do_update(
                index_elements=["source", "name"],
                set_={"times": quirk.c.times + each.count, "last_seen_at": each.last_seen},
            )
        )


def all_seen(connection: Connection) -> list[Seen]:
    """All counts."""
    return [
        Seen(source=row.source, name=row.name, count=row.times, last_seen=row.last_seen_at)
        for row in connection.execute(sa.select(quirk))
    ]
