"""Leases of the pipeline on rows that are due: submissions and documents alike.

A leased row has no `due_at`, so nobody else can claim it; a lease ends with its work, with its boot, or with its time.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.model import Value
from gateway.store.schema import to_micros


class Lease(Value, frozen=True):
    """Who works on a row, and until when nobody else may."""

    owner: str  # boot id
    until: dt.datetime


def claim(
    connection: Connection, table: sa.Table, owner: str, now: dt.datetime, until: dt.datetime, limit: int, budget: int
) -> list[int]:
    """Lease at most `limit` due rows of `table`, oldest first; their ids in order.

    Stops after the row with which their contents pass `budget` bytes: a row larger than that is worked on all the same.
    """
    statement = sa.text(
        f"UPDATE {table.name} SET leased_by = :owner, leased_until = :until, due_at = NULL WHERE id IN (SELECT id FROM"
        f" (SELECT due.id, SUM(content.size) OVER (ORDER BY due.due_at, due.id) - content.size AS before FROM"
        f"  (SELECT id, content_id, due_at FROM {table.name} WHERE due_at IS NOT NULL AND due_at <= :now"
        f"   ORDER BY due_at LIMIT :limit) AS due"
        f"  JOIN content ON content.id = due.content_id) AS summed WHERE before < :budget) RETURNING id"
    )
    values = {"owner": owner, "until": to_micros(until), "now": to_micros(now), "limit": limit, "budget": budget}
    return sorted(connection.execute(statement, values).scalars())


def give_back(connection: Connection, table: sa.Table, row_id: int, due_at: dt.datetime, failed: bool = False) -> None:
    """End the lease without a result: the row is due again at `due_at`; `failed` counts as a try."""
    connection.execute(
        sa.update(table)
        .where(table.c.id == row_id, table.c.state == "received")
        .values(due_at=due_at, leased_by=None, leased_until=None, tries=table.c.tries + int(failed))
    )


def free(connection: Connection, table: sa.Table, owner: str, now: dt.datetime) -> int:
    """Free what another boot of this gateway had leased, and what `owner` leased too long ago; how many rows."""
    ended = sa.or_(table.c.leased_by != owner, table.c.leased_until < now)
    done = connection.execute(
        sa.update(table)
        .where(table.c.leased_until.is_not(None), ended)
        .values(due_at=now, leased_by=None, leased_until=None)
    )
    return done.rowcount


def worker_died(connection: Connection, table: sa.Table, row_id: int) -> int:
    """Count a worker that died over this row; how many have."""
    counted = sa.update(table).where(table.c.id == row_id).values(tries=table.c.tries + 1).returning(table.c.tries)
    return int(connection.execute(counted).scalar_one())
