"""Facts about the database itself: the key that signs bounce addresses, and the count of events that wake documents."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from gateway.store.schema import meta
from gateway.store.statement import Statement

WAKES = "wakes"
_VERP_KEY = "verp_key"
_VALUE = Statement("SELECT value FROM meta WHERE key = :key")


def verp_key(connection: Connection) -> bytes:
    """The 32 secret bytes that sign VERP addresses, made at the first call (as a write)."""
    connection.execute(
        insert(meta).values(key=_VERP_KEY, value=secrets.token_hex(32)).on_conflict_do_nothing(index_elements=["key"])
    )
    return bytes.fromhex(connection.execute(sa.select(meta.c.value).where(meta.c.key == _VERP_KEY)).scalar_one())


def count_wake(connection: Connection) -> None:
    """Note that something changed which a document may be waiting for."""
    statement = insert(meta).values(key=WAKES, value="1")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["key"], set_={"value": sa.cast(sa.cast(meta.c.value, sa.Integer) + 1, sa.Text)}
        )
    )


def wakes(connection: Connection) -> int:
    """How many such changes there have been; a hold that was decided on an older count is decided again."""
    return int(_VALUE.value(connection, {"key": WAKES}) or 0)
