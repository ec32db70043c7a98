"""Batches: the rows that one imported list created or changed, written, and taken back, all at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.directory import number_key
from gateway.errors import Conflict, NotFound, Refused
from gateway.model import Recipient, Value, new_id, show_id
from gateway.store import audit, documents, meta
from gateway.store.audit import Caller
from gateway.store.columns import is_among
from gateway.store.companies import company_name
from gateway.store.recipients import recipient_of, rows_for, values_of
from gateway.store.schema import batch, batch_row, company, document, recipient, wake

_TOGETHER = 500  # rows of one statement
_NAMED = 20  # numbers that a conflict names

Kind = Literal["create", "update", "unchanged"]


class Planned(msgspec.Struct, frozen=True, array_like=True):
    """What a list does with one row: the row as it will be, with the id and version that the preview saw."""

    kind: Kind
    line: int  # row of the file
    recipient: Recipient
    was: dict[str, Any] | None = None  # the fields that change, as they are

    @property
    def writes(self) -> bool:
        """Whether the directory changes."""
        return self.kind != "unchanged"


class NewBatch(Value, frozen=True, kw_only=True):
    """A list about to be written."""

    company_id: int
    type: str
    file_name: str
    sha256: bytes
    counts: Mapping[str, int]


class Filter(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Which batches are meant; every value given must match."""

    company: str | None = None
    before: int | None = None  # only older than this id: the next page
    limit: int | None = None


class Written(Value, frozen=True, kw_only=True):
    """A batch as it was written or taken back, and how many held documents that released."""

    id: int
    company: str
    counts: Mapping[str, int]
    released: int


# --- the preview -----------------------------------------------------------------------------------------


def rows_with_numbers(connection: Connection, company_id: int, type_: str, numbers: Sequence[str]) -> list[Recipient]:
    """The company's rows of the type `type_` that these numbers meet, written so or normalised."""
    keys = list(dict.fromkeys(number_key(number) for number in numbers))
    return rows_for(connection, company_id, keys, type_)


def count_waiting(connection: Connection, company_id: int, numbers: Sequence[str]) -> set[int]:
    """The held documents that a row for one of these numbers would let go on."""
    name = company_name(connection, company_id)
    keys = [f"recipient:{name}:{key}" for key in {number_key(number) for number in numbers}]
    statement = sa.select(wake.c.document_id).join(document, document.c.id == wake.c.document_id)
    return set(connection.execute(statement.where(is_among(wake.c.key, keys), document.c.state == "held")).scalars())


# --- writing ---------------------------------------------------------------------------------------------


def write(connection: Connection, new: NewBatch, plan: Iterable[Planned], who: Caller, now: dt.datetime) -> Written:
    """Write the rows of a plan as one batch; Conflict, with nothing written, when a row is not as the plan saw it.

    Rows that the list leaves as they are count too: somebody may have changed them since.
    """
    found = new_id()
    name = company_name(connection, new.company_id)
    written = {"company_id": new.company_id, "type": new.type, "file_name": new.file_name, "sha256": new.sha256}
    people = {"uid": who.uid, "user": who.user, "created_at": now}
    connection.execute(sa.insert(batch), {"id": found, "counts": dict(new.counts), **written, **people})
    keys: set[str] = set()
    for chunk in _chunks(plan):
        before = _as_seen(connection, new, chunk)
        _write_rows(connection, found, new.company_id, [row for row in chunk if row.writes], before, now)
        keys.update(number_key(row.recipient.number) for row in chunk if row.writes)
    after = {"file": new.file_name, "sha256": new.sha256.hex(), "type": new.type, **new.counts}
    audit.record(connection, who, "recipient.import", show_id(found), None, after, now, company=name)
    return Written(id=found, company=name, counts=new.counts, released=_wake(connection, name, keys, now))


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    while chunk := list(islice(left, _TOGETHER)):
        yield chunk


def _as_seen(connection: Connection, new: NewBatch, chunk: Sequence[Planned]) -> dict[int, Recipient]:
    """The rows that the chunk changes or leaves, by id, when all of it is still as the plan saw it."""
    rows = rows_with_numbers(connection, new.company_id, new.type, [row.recipient.number for row in chunk])
    by_number = {row.number: row for row in rows}
    changed = []
    for planned in chunk:
        there = by_number.get(planned.recipient.number)
        seen = None if planned.kind == "create" else (planned.recipient.id, planned.recipient.version)
        if (None if there is None else (there.id, there.version)) != seen:
            changed.append(planned.recipient.number)
    if changed:
        raise Conflict(_changed(changed, "the preview", "look at a new one"), {"numbers": changed})
    return {row.id: row for row in rows}


def _changed(numbers: Sequence[str], since: str, advice: str) -> str:
    named = ", ".join(numbers[:_NAMED]) + (" …" if len(numbers) > _NAMED else "")
    rows = "one row" if len(numbers) == 1 else f"{len(numbers)} rows"
    return f"Nothing was written: {rows} changed since {since} ({named}); {advice}."


def _write_rows(
    connection: Connection,
    batch_id: int,
    company_id: int,
    rows: Sequence[Planned],
    before: Mapping[int, Recipient],
    now: dt.datetime,
) -> None:
    saved = [
        msgspec.structs.replace(row.recipient, id=new_id(), version=1)
        if row.kind == "create"
        else msgspec.structs.replace(row.recipient, version=row.recipient.version + 1)
        for row in rows
    ]
    created = [row for row in saved if row.id not in before]
    updated = [row for row in saved if row.id in before]
    if created:
        given = [{"id": row.id, "company_id": company_id, "version": 1, **values_of(row, now)} for row in created]
        connection.execute(sa.insert(recipient), given)
    _update(connection, updated, now)
    if saved:
        noted = [
            {"batch_id": batch_id, "recipient_id": row.id, "version": row.version, "before": before.get(row.id)}
            for row in saved
        ]
        connection.execute(sa.insert(batch_row), noted)


def _update(connection: Connection, rows: Sequence[Recipient], now: dt.datetime) -> None:
    if not rows:
        return
    given = [{"version": row.version, **values_of(row, now)} for row in rows]
    statement = sa.update(recipient).where(recipient.c.id == sa.bindparam("this"))
    statement = statement.values({name: sa.bindparam(f"new_{name}") for name in given[0]})
    named = [{f"new_{name}": value for name, value in values.items()} for values in given]
    connection.execute(statement, [{"this": row.id, **values} for row, values in zip(rows, named, strict=True)])


def _wake(connection: Connection, name: str, keys: set[str], now: dt.datetime) -> int:
    """Wake the documents that wait for one of the numbers: by what waits, which is less than a list has rows."""
    prefix = f"recipient:{name}:"
    meta.count_wake(connection)
    waiting = sa.select(wake.c.key).distinct().where(wake.c.key >= prefix, wake.c.key < prefix[:-1] + ";")
    found = [key for key in connection.execute(waiting).scalars() if key[len(prefix) :] in keys]
    return sum(documents.wake_documents(connection, key, now) for key in found)


# --- taking back -----------------------------------------------------------------------------------------


def undo(connection: Connection, batch_id: int, keep_changed: bool, who: Caller, now: dt.datetime) -> Written:
    """Take a batch back: what it created goes, what it changed is again as it was.

    Conflict when rows were changed since, unless `keep_changed` leaves those as they are now. NotFound for a batch that
    there is none of, Refused for one that was taken back already.
    """
    row = connection.execute(sa.select(batch).where(batch.c.id == batch_id)).first()
    if row is None:
        raise NotFound("There is no such batch; `gateway audit list --action recipient.import` shows them.", "id")
    if row.undone_at is not None:
        raise Refused(f"The batch was taken back already, by {row.undone_by}.", "id")
    changed = _changed_since(connection, batch_id)
    if changed and not keep_changed:
        numbers = [number for _, number in changed]
        raise Conflict(
            _changed(numbers, "the import", "the others can be taken back alone (keep changed)"), {"numbers": numbers}
        )
    keys: set[str] = set()
    counts = {"deleted": 0, "restored": 0, "kept": len(changed)}
    for chunk in _to_take_back(connection, batch_id):
        _take_back(connection, chunk, now, counts)
        keys.update(number_key(current.number) for current, _ in chunk)
    name = company_name(connection, row.company_id)
    taken = sa.update(batch).where(batch.c.id == batch_id)
    connection.execute(taken.values(undone_at=now, undone_by=who.user))
    audit.record(connection, who, "recipient.undo", show_id(batch_id), None, counts, now, company=name)
    return Written(id=batch_id, company=name, counts=counts, released=_wake(connection, name, keys, now))


def _same() -> sa.ColumnElement[bool]:
    """The row is as its batch left it."""
    return sa.and_(recipient.c.version == batch_row.c.version, recipient.c.deleted_at.is_(None))


def _changed_since(connection: Connection, batch_id: int) -> list[tuple[int, str]]:
    statement = sa.select(recipient.c.id, recipient.c.number).join(
        batch_row, batch_row.c.recipient_id == recipient.c.id
    )
    found = connection.execute(statement.where(batch_row.c.batch_id == batch_id, sa.not_(_same())))
    return [(row.id, row.number) for row in found.all()]


def _to_take_back(connection: Connection, batch_id: int) -> Iterator[list[tuple[Recipient, Recipient | None]]]:
    """Each row as the batch left it, and as it was before; piece by piece, as a list may be long."""
    statement = sa.select(recipient, batch_row.c.before).join(batch_row, batch_row.c.recipient_id == recipient.c.id)
    statement = statement.where(batch_row.c.batch_id == batch_id, _same()).order_by(batch_row.c.recipient_id)
    last = -1
    while rows := connection.execute(statement.where(batch_row.c.recipient_id > last).limit(_TOGETHER)).all():
        last = rows[-1].id
        yield [
            (recipient_of(row), None if row.before is None else msgspec.convert(row.before, Recipient)) for row in rows
        ]


def _take_back(
    connection: Connection,
    chunk: Sequence[tuple[Recipient, Recipient | None]],
    now: dt.datetime,
    counts: dict[str, int],
) -> None:
    gone = [current.id for current, before in chunk if before is None]
    if gone:
        statement = sa.update(recipient).where(recipient.c.id.in_(gone))
        connection.execute(statement.values(deleted_at=now, updated_at=now, version=recipient.c.version + 1))
    back = [
        msgspec.structs.replace(before, version=current.version + 1) for current, before in chunk if before is not None
    ]
    _update(connection, back, now)
    counts["deleted"] += len(gone)
    counts["restored"] += len(back)


# --- looking ---------------------------------------------------------------------------------------------


def list_batches(connection: Connection, wanted: Filter) -> list[dict[str, Any]]:
    """The batches that match, newest first."""
    statement = sa.select(batch, company.c.name).join(company, company.c.id == batch.c.company_id)
    if wanted.company is not None:
        statement = statement.where(company.c.name == wanted.company)
    if wanted.before is not None:
        statement = statement.where(batch.c.id < wanted.before)
    return [_shown(row) for row in connection.execute(statement.order_by(batch.c.id.desc()).limit(wanted.limit))]


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": show_id(row.id),
        "company": row.name,
        "type": row.type,
        "file": row.file_name,
        "sha256": row.sha256.hex(),
        "counts": row.counts,
        "user": row.user,
        "created_at": row.created_at,
        "undone_at": row.undone_at,
        "undone_by": row.undone_by,
    }
