"""The directory's rows. A change writes its audit row and wakes the documents held for its number, all at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.directory import number_key, search_key, search_text
from gateway.errors import Conflict, NotFound
from gateway.model import Recipient, Value, new_id, show_id
from gateway.store import audit, documents
from gateway.store.audit import Caller
from gateway.store.columns import to_json
from gateway.store.companies import company_name
from gateway.store.schema import company, recipient
from gateway.store.statement import Statement

_LIVE = recipient.c.deleted_at.is_(None)
_LISTS = ("email", "cc", "constants")  # columns of JSON
_FIELDS = {name: f"json({name})" if name in _LISTS else name for name in Recipient.__struct_fields__}
_FIELDS["constants"] = "json(coalesce(constants, '[]'))"
AS_JSON = "json_object(" + ", ".join(f"'{name}', {column}" for name, column in _FIELDS.items()) + ")"  # a row, in SQL
LIVE_UNDER_KEYS = "company_id = :company AND deleted_at IS NULL AND number_key IN (SELECT value FROM json_each(:keys))"
_ROWS_FOR = Statement(
    f"SELECT {AS_JSON} FROM recipient WHERE {LIVE_UNDER_KEYS} AND (:type IS NULL OR type = :type) ORDER BY id"
)
_row = msgspec.json.Decoder(Recipient).decode
_ORDER = (recipient.c.company_id, recipient.c.number_key, recipient.c.id)


class Filter(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Which rows are meant; every value given must match."""

    company: str | None = None
    number: str | None = None  # as written
    type: str | None = None
    search: str | None = None  # any part of number, address, copy address or name (S23)
    after: int | None = None  # only rows after this id in the list's order: the next page
    limit: int | None = None
    offset: int = 0  # rows to leave out first: where a list on a screen is scrolled to


class Saved(Value, frozen=True, kw_only=True):
    """A row as it stands after the change, and how many held documents the change released."""

    row: Recipient
    company: str
    released: int


def show(row: Recipient, company_name_: str) -> dict[str, Any]:
    """A row as every door shows it."""
    return {
        "id": show_id(row.id),
        "company": company_name_,
        "number": row.number,
        "email": list(row.email),
        "cc": list(row.cc),
        "type": row.type,
        "format": row.format,
        "name": row.name,
        "language": row.language,
        "attach": row.attach,
        "file_name": row.file_name,
        "constants": list(row.constants),
        "version": row.version,
    }


def recipient_of(row: Any) -> Recipient:
    """The recipient that a row of the table holds."""
    return Recipient(
        id=row.id,
        number=row.number,
        email=tuple(row.email),
        cc=tuple(row.cc),
        type=row.type,
        format=row.format,
        name=row.name,
        language=row.language,
        attach=row.attach,
        file_name=row.file_name,
        constants=tuple(row.constants or ()),
        version=row.version,
    )


def rows_for(connection: Connection, company_id: int, keys: Sequence[str], type_: str | None = None) -> list[Recipient]:
    """The company's rows, of the type `type_` or all, whose number has one of the `directory.number_key`s `keys`."""
    if not keys:
        return []
    values = {"company": company_id, "keys": to_json(list(keys)), "type": type_}
    return [_row(text) for (text,) in _ROWS_FOR.run(connection, values)]


def rows_of(connection: Connection, company_id: int, number: str) -> list[Recipient]:
    """The rows whose number is written exactly so, one per type."""
    rows = rows_for(connection, company_id, [number_key(number)])
    return [row for row in rows if row.number == number]


def load(connection: Connection, recipient_id: int) -> tuple[Recipient, int]:
    """A row and its company's id; NotFound when there is none or it was deleted."""
    row = connection.execute(sa.select(recipient).where(recipient.c.id == recipient_id, _LIVE)).first()
    if row is None:
        raise NotFound("There is no such recipient.", "id")
    return recipient_of(row), int(row.company_id)


def list_recipients(connection: Connection, wanted: Filter) -> list[dict[str, Any]]:
    """The rows that match, by company and number: the order of the index, so that a page costs only its own rows."""
    names = {row.id: row.name for row in connection.execute(sa.select(company.c.id, company.c.name))}
    # First which, from an index that holds all that is asked for; then only those rows.
    which = sa.select(recipient.c.id).where(_LIVE, *_conditions(names, wanted)).order_by(*_ORDER)
    which = which.limit(wanted.limit).offset(wanted.offset).correlate(None)
    if wanted.after is not None:
        last = sa.select(*_ORDER).where(recipient.c.id == wanted.after)
        place = connection.execute(last).first() or (0, "", 0)
        which = which.where(sa.tuple_(*_ORDER) > sa.tuple_(*place))
    statement = sa.select(recipient).where(recipient.c.id.in_(which)).order_by(*_ORDER)
    return [show(recipient_of(row), names[row.company_id]) for row in connection.execute(statement)]


def count_recipients(connection: Connection, wanted: Filter) -> int:
    """How many rows match, on all pages together."""
    names = {row.id: row.name for row in connection.execute(sa.select(company.c.id, company.c.name))}
    statement = sa.select(sa.func.count()).select_from(recipient).where(_LIVE, *_conditions(names, wanted))
    return int(connection.execute(statement).scalar_one())


def _conditions(names: Mapping[int, str], wanted: Filter) -> list[Any]:
    found: list[Any] = []
    if wanted.company is not None:
        ids = [company_id for company_id, name in names.items() if name == wanted.company]
        found.append(recipient.c.company_id == (ids[0] if ids else -1))
    if wanted.number is not None:
        found += [recipient.c.number_key == number_key(wanted.number), recipient.c.number == wanted.number]
    if wanted.type is not None:
        found.append(recipient.c.type == wanted.type)
    if wanted.search is not None:
        # A trigram index would hold the writer for eight seconds at a list of 100,000: docs/decisions/0022.
        found.append(sa.func.instr(recipient.c.search, search_key(wanted.search)) > 0)
    return found


def values_of(row: Recipient, now: dt.datetime) -> dict[str, Any]:
    """What the table stores of a recipient, without its id, its company and its version."""
    return {
        "number": row.number,
        "number_key": number_key(row.number),
        "type": row.type,
        "email": row.email,
        "cc": row.cc,
        "format": row.format,
        "name": row.name,
        "language": row.language,
        "attach": row.attach,
        "file_name": row.file_name,
        "constants": row.constants or None,
        "search": search_text(row),
        "updated_at": now,
    }


def refuse_twin(connection: Connection, company_id: int, row: Recipient) -> None:
    """A number has one row per type and company (S5)."""
    for twin in rows_of(connection, company_id, row.number):
        if twin.type == row.type and twin.id != row.id:
            raise Conflict(
                f"Customer number {row.number} has a recipient for type {row.type} already: {'; '.join(twin.email)}.",
                show(twin, company_name(connection, company_id)),
            )


def _wake(connection: Connection, name: str, numbers: Sequence[str], now: dt.datetime) -> int:
    keys = dict.fromkeys(number_key(number) for number in numbers)
    return sum(documents.wake_documents(connection, f"recipient:{name}:{key}", now) for key in keys)


def _audited(row: Recipient) -> dict[str, Any]:
    values = msgspec.structs.asdict(row)
    return {key: value for key, value in values.items() if key != "id"}


def add(connection: Connection, company_id: int, row: Recipient, who: Caller, now: dt.datetime) -> Saved:
    """Add a checked row; Conflict, with the other's values, when number and type have one already."""
    refuse_twin(connection, company_id, row)
    saved = msgspec.structs.replace(row, id=new_id(), version=1)
    connection.execute(
        sa.insert(recipient), {"id": saved.id, "company_id": company_id, "version": 1, **values_of(saved, now)}
    )
    name = company_name(connection, company_id)
    audit.record(connection, who, "recipient.add", show_id(saved.id), None, _audited(saved), now, company=name)
    return Saved(row=saved, company=name, released=_wake(connection, name, [saved.number], now))


def change(connection: Connection, row: Recipient, version: int | None, who: Caller, now: dt.datetime) -> Saved:
    """Give the row with `row.id` these checked values. `version` is what the caller saw; None takes it as it is.

    NotFound when the row is gone, Conflict when somebody changed it since, or number and type are another row's.
    """
    old, company_id = load(connection, row.id)
    name = company_name(connection, company_id)
    _check_version(old, version, name)
    refuse_twin(connection, company_id, row)
    saved = msgspec.structs.replace(row, version=old.version + 1)
    connection.execute(
        sa.update(recipient).where(recipient.c.id == row.id).values(version=saved.version, **values_of(saved, now))
    )
    audit.record(connection, who, "recipient.set", show_id(row.id), _audited(old), _audited(saved), now, company=name)
    return Saved(row=saved, company=name, released=_wake(connection, name, [saved.number, old.number], now))


def delete(connection: Connection, recipient_id: int, version: int | None, who: Caller, now: dt.datetime) -> Saved:
    """Take the row out of the directory; it stays in the database, and in the audit.

    A document that two rows made ambiguous may go on, so its number's documents wake here too.
    """
    old, company_id = load(connection, recipient_id)
    name = company_name(connection, company_id)
    _check_version(old, version, name)
    connection.execute(
        sa.update(recipient)
        .where(recipient.c.id == recipient_id)
        .values(deleted_at=now, updated_at=now, version=old.version + 1)
    )
    audit.record(connection, who, "recipient.delete", show_id(old.id), _audited(old), None, now, company=name)
    return Saved(row=old, company=name, released=_wake(connection, name, [old.number], now))


def _check_version(current: Recipient, version: int | None, name: str) -> None:
    if version is not None and version != current.version:
        raise Conflict(
            f"Recipient {current.number} was changed meanwhile: it is at version {current.version}, not {version}.",
            show(current, name),
        )
