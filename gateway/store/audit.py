"""Who did what and why: one row in the same transaction as each change a person makes, chained by hashes.

A row's hash is SHA-256 over the hash of the row before it and the row itself (`seal`); where the chain ends stands in
`meta`. Whoever changes, deletes, inserts or moves a row breaks the chain there. Who can write the whole database can
write a whole new chain: that is what the roots in the log are for, which `check` compares.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from gateway.model import Value, new_id, show_id
from gateway.store.schema import audit, meta, to_micros

START = bytes(32)  # what the first row's hash is chained to
_HEAD = "audit_head"
_SEALED = ("seq", "id", "at", "uid", "user", "action", "object", "company", "before", "after", "reason")
_NUMBERS = ("seq", "id", "at", "uid")


class Caller(Value, frozen=True, kw_only=True):
    """The person at the admin socket, as the kernel names the process that connected."""

    uid: int
    user: str
    roles: tuple[str, ...] = ()
    reason: str | None = None  # why they ask for what they ask now, if they said


class Filter(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Which rows are meant; every value given must match."""

    company: str | None = None
    user: str | None = None
    action: str | None = None  # recipient.add, or all below `recipient`
    object: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None  # only before this time
    before: int | None = None  # only older than this id: the next page
    limit: int | None = None
    offset: int = 0  # rows to leave out first: where a list on a screen is scrolled to


# --- writing ---------------------------------------------------------------------------------------------


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
    """Note a change: `action` on `object_`, the values before and after (anything msgspec can write, or None).

    Without a `reason` it is the caller's.
    """
    last, previous = head(connection)
    row = {
        "seq": last + 1,
        "id": new_id(),
        "at": now,
        "uid": who.uid,
        "user": who.user,
        "action": action,
        "object": object_,
        "company": company,
        "before": before,
        "after": after,
        "reason": who.reason if reason is None else reason,
    }
    stored = {**row, "at": to_micros(now), "before": _text(before), "after": _text(after)}
    digest = seal(previous, [stored[name] for name in _SEALED])
    connection.execute(sa.insert(audit), {**row, "hash": digest})
    value = f"{last + 1}:{digest.hex()}"
    statement = insert(meta).values(key=_HEAD, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
    return int(row["id"])


def _text(value: Any) -> str | None:
    """A value as `schema.Json` stores it."""
    return None if value is None else msgspec.json.encode(value).decode()


def seal(previous: bytes, row: Sequence[object]) -> bytes:
    """The hash of a row: over the one before it, and a JSON array (UTF-8, no spaces) of the columns `_SEALED`.

    Times are microseconds since 1970 UTC; `before` and `after` are the JSON texts as stored.
    """
    encoded = json.dumps(list(row), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(previous + encoded.encode("utf-8", "surrogatepass")).digest()


def head(connection: Connection) -> tuple[int, bytes]:
    """Number and hash of the newest row: the root of all rows; 0 and `START` when there is none.

    Where somebody took the note of it away, changes go on from the newest row there is; `check` tells.
    """
    noted = _noted_head(connection)
    if noted is not None:
        return noted
    row = connection.execute(sa.select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    return (0, START) if row is None else (row.seq, row.hash)


def _noted_head(connection: Connection) -> tuple[int, bytes] | None:
    value = connection.execute(sa.select(meta.c.value).where(meta.c.key == _HEAD)).scalar()
    seq, _, digest = (value or "").partition(":")
    try:
        return int(seq), bytes.fromhex(digest)
    except ValueError:
        return None


# --- checking --------------------------------------------------------------------------------------------


class Link(Value, frozen=True, kw_only=True):
    """How far the chain was walked: the newest good row, and what is wrong with the one after it."""

    seq: int = 0
    hash: bytes = START
    done: bool = False
    broken: int | None = None  # the number of the first row that is wrong
    sentence: str | None = None


def _raw_columns() -> list[Any]:
    """The columns as they are stored, texts as bytes, so that even what is no UTF-8 can be named."""
    plain = [sa.type_coerce(audit.c[name], sa.BigInteger) for name in _NUMBERS]
    texts = [sa.cast(sa.type_coerce(audit.c[name], sa.Text), sa.LargeBinary) for name in _SEALED[len(_NUMBERS) :]]
    return [*plain, *texts, audit.c.hash]


def check(connection: Connection, link: Link, root: tuple[int, bytes] | None, limit: int) -> Link:
    """Walk at most `limit` rows on from `link`; `done` at the end of the chain or at the first row that is wrong.

    `root` is a number and hash that the chain must have held, from the log.
    """
    columns = _raw_columns()
    statement = sa.select(*columns).order_by(audit.c.seq).limit(limit)
    if link.seq:  # the first page begins before row 1, where no row should be
        statement = statement.where(audit.c.seq > link.seq)
    rows = connection.execute(statement).all()
    seq, digest = link.seq, link.hash
    for row in rows:
        wrong = _wrong(row, seq, digest)
        if wrong is not None:
            return _broken(seq, digest, *wrong)
        if root is not None and root[0] == seq + 1 and root[1] != row[-1]:
            return _broken(seq, digest, seq + 1, f"row {seq + 1} has another hash than the root given")
        seq, digest = seq + 1, bytes(row[-1])
    if len(rows) == limit:
        return Link(seq=seq, hash=digest)
    return _end(connection, seq, digest, root)


def _wrong(row: Sequence[Any], seq: int, previous: bytes) -> tuple[int, str] | None:
    """The number of the row that is wrong after row `seq`, and what is wrong with it."""
    found = row[0]
    if not isinstance(found, int) or found < 1:
        return 0, f"a row stands before the first one, with the number {found!r}"
    if found != seq + 1:
        return seq + 1, f"row {seq + 1} is missing"
    try:
        values = [*row[: len(_NUMBERS)], *(None if text is None else text.decode() for text in row[len(_NUMBERS) : -1])]
        good = seal(previous, values) == row[-1]
    except (TypeError, ValueError):  # a value of a type or an encoding that no row was written with
        good = False
    return None if good else (found, f"row {found} is not as it was written")


def _broken(seq: int, digest: bytes, broken: int, sentence: str) -> Link:
    return Link(seq=seq, hash=digest, done=True, broken=broken, sentence=sentence)


def _end(connection: Connection, seq: int, digest: bytes, root: tuple[int, bytes] | None) -> Link:
    """Whether the chain ends where it should."""
    last, last_hash = _noted_head(connection) or (0, START)
    if seq < last:
        return _broken(seq, digest, seq + 1, f"row {seq + 1} is missing: {last} rows were written")
    if seq > last:
        return _broken(seq, digest, last + 1, f"row {last + 1} was not written by the gateway, whose last is {last}")
    if digest != last_hash:
        return _broken(seq, digest, seq, f"row {seq} is not the last one that the gateway wrote")
    count = connection.execute(sa.select(sa.func.count()).select_from(audit)).scalar_one()
    if count != seq:
        return _broken(seq, digest, seq + 1, f"there are {count} rows, of which {seq} are in the chain")
    if root is not None and root[0] > seq:
        return _broken(seq, digest, seq + 1, f"row {seq + 1} is missing: the root given is of row {root[0]}")
    return Link(seq=seq, hash=digest, done=True)


# --- reading ---------------------------------------------------------------------------------------------


def list_audit(connection: Connection, wanted: Filter) -> list[dict[str, Any]]:
    """The rows that match, newest first."""
    statement = sa.select(audit).where(*_conditions(wanted)).order_by(audit.c.id.desc())
    statement = statement.limit(wanted.limit).offset(wanted.offset)
    if wanted.before is not None:
        statement = statement.where(audit.c.id < wanted.before)
    return [_shown(row) for row in connection.execute(statement)]


def count_audit(connection: Connection, wanted: Filter) -> int:
    """How many rows match, on all pages together."""
    statement = sa.select(sa.func.count()).select_from(audit).where(*_conditions(wanted))
    return int(connection.execute(statement).scalar_one())


def export(connection: Connection, wanted: Filter, after: int, limit: int) -> list[dict[str, Any]]:
    """The rows that match with a number above `after`, oldest first, at most `limit`."""
    statement = sa.select(audit).where(audit.c.seq > after, *_conditions(wanted)).order_by(audit.c.seq).limit(limit)
    return [_shown(row) for row in connection.execute(statement)]


def _conditions(wanted: Filter) -> list[Any]:
    found: list[Any] = []
    for name in ("company", "user", "object"):
        value = getattr(wanted, name)
        if value is not None:
            found.append(audit.c[name] == value)
    if wanted.action is not None:
        below = sa.and_(audit.c.action >= wanted.action + ".", audit.c.action < wanted.action + "/")
        found.append(sa.or_(audit.c.action == wanted.action, below))
    if wanted.since is not None:
        found.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(audit.c.at < wanted.until)
    return found


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": show_id(row.id),
        "seq": row.seq,
        "at": row.at,
        "uid": row.uid,
        "user": row.user,
        "action": row.action,
        "object": row.object,
        "company": row.company,
        "before": row.before,
        "after": row.after,
        "reason": row.reason,
        "hash": row.hash.hex(),
    }
