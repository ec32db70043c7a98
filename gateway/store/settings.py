"""The companies' settings. A change writes its audit row and wakes the documents held for it, all at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from gateway.errors import Conflict
from gateway.model import Value
from gateway.settings import Key, event_of
from gateway.store import audit, deliveries, documents
from gateway.store.audit import Caller
from gateway.store.companies import company_name
from gateway.store.schema import meta, setting
from gateway.store.statement import Statement

GENERATION = "settings"
_GENERATION = Statement("SELECT value FROM meta WHERE key = :key")
_VALUES = Statement("SELECT key, value FROM setting WHERE company_id = :company")


class Saved(Value, frozen=True, kw_only=True):
    """What holds after the change: the version, and how many held documents and deliveries it released or held."""

    version: int
    released: int = 0
    held: int = 0


def generation(connection: Connection) -> int:
    """A number that rises with every change of any company's settings: who caches them compares it."""
    return int(_GENERATION.value(connection, {"key": GENERATION}) or 0)


def values(connection: Connection, company_id: int) -> dict[str, object]:
    """What is stored for the company, key → value; `settings.Business.of` applies the defaults."""
    return {key: msgspec.json.decode(value) for key, value in _VALUES.run(connection, {"company": company_id})}


def versions(connection: Connection, company_id: int) -> dict[str, int]:
    """The version of each stored value; a key that is not stored has version 0."""
    rows = connection.execute(sa.select(setting.c.key, setting.c.version).where(setting.c.company_id == company_id))
    return {row.key: row.version for row in rows}


def save(
    connection: Connection,
    company_id: int,
    key: Key,
    value: object,
    version: int | None,
    who: Caller,
    now: dt.datetime,
) -> Saved:
    """Store a checked `value` for `key`; None goes back to the default.

    `version` is what the caller saw, None takes it as it is; Conflict when somebody changed the value since. Versions
    are generations, so a value that was reset and set again never has an old one's version.
    """
    old = values(connection, company_id).get(key.text)
    seen = versions(connection, company_id).get(key.text, 0)
    if version is not None and version != seen:
        raise Conflict(
            f"The setting {key.text} was changed meanwhile: it is at version {seen}, not {version}.",
            {"key": key.text, "value": old, "version": seen},
        )
    new_version = _next_generation(connection)
    here = sa.and_(setting.c.company_id == company_id, setting.c.key == key.text)
    connection.execute(sa.delete(setting).where(here))
    if value is not None:
        connection.execute(
            sa.insert(setting),
            {"company_id": company_id, "key": key.text, "value": value, "version": new_version},
        )
    name = company_name(connection, company_id)
    audit.record(connection, who, "setting.set", key.text, old, value, now, company=name)
    released, held = _effects(connection, company_id, name, key, value, now)
    return Saved(version=0 if value is None else new_version, released=released, held=held)


def _next_generation(connection: Connection) -> int:
    statement = insert(meta).values(key=GENERATION, value="1")
    bumped: Any = sa.cast(sa.cast(meta.c.value, sa.Integer) + 1, sa.Text)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": bumped}))
    return generation(connection)


def _effects(
    connection: Connection, company_id: int, name: str, key: Key, value: object, now: dt.datetime
) -> tuple[int, int]:
    """What the change does to what waits: documents released, deliveries held (R5: off means nothing leaves)."""
    if key.text == "distribution.active" and value is False:
        return 0, deliveries.hold_for_switch(connection, company_id, now)
    released = documents.wake_documents(connection, event_of(key, name), now)
    if key.text == "distribution.active":
        released += deliveries.release_for_switch(connection, company_id, now)
    return released, 0
