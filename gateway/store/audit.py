"""Who changed what: one row in the same transaction as each change a person makes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.model import Value, new_id, show_id
from gateway.store.schema import audit


class Caller(Value, frozen=True, kw_only=True):
    """The person at the admin socket, as the kernel names the process that connected."""

    uid: int
    user: str


class Filter(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Which rows are meant; every value given must match."""

    company: str | None = None
    user: str | None = None
    action: str | None = None  # recipient.add, or all below `recipient`
    object: str | None = None
    since: dt.datetime | None = None
    before: int | None = None  # only older than this id: the next page
    limit: int | None = None


def record(
    connection: Connection,
    who: Caller,
    action: str,
    object_: str,
    before: Any,
    after: Any,
    now: dt.datetime,
    *,
    company: str | None = None,
    reason: str | None = None,
) -> int:
    """Note a change: `action` on `object_`, the values before and after (anything msgspec can write, or None)."""
    new = new_id()
    connection.execute(
        sa.insert(audit),
        {
            "id": new,
            "at": now,
            "uid": who.uid,
            "user": who.user,
            "action": action,
            "object": object_,
            "company": company,
            "before": before,
            "after": after,
            "reason": reason,
        },
    )
    return new


def list_audit(connection: Connection, wanted: Filter) -> list[dict[str, Any]]:
    """The rows that match, newest first."""
    statement = sa.select(audit).order_by(audit.c.id.desc()).limit(wanted.limit)
    for name in ("company", "user", "object"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(audit.c[name] == value)
    if wanted.action is not None:
        below = sa.and_(audit.c.action >= wanted.action + ".", audit.c.action < wanted.action + "/")
        statement = statement.where(sa.or_(audit.c.action == wanted.action, below))
    if wanted.since is not None:
        statement = statement.where(audit.c.at >= wanted.since)
    if wanted.before is not None:
        statement = statement.where(audit.c.id < wanted.before)
    return [_shown(row) for row in connection.execute(statement)]


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": show_id(row.id),
        "at": row.at,
        "uid": row.uid,
        "user": row.user,
        "action": row.action,
        "object": row.object,
        "company": row.company,
        "before": row.before,
        "after": row.after,
        "reason": row.reason,
    }
