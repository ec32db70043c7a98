"""What became of a row of the directory, change by change, and the last change taken back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.directory import number_key
from gateway.errors import Conflict, NotFound, Refused
from gateway.model import Recipient, show_id
from gateway.store import audit, documents, recipients
from gateway.store.audit import Caller
from gateway.store.companies import company_name
from gateway.store.recipients import Saved, recipient_of
from gateway.store.schema import audit as audit_table
from gateway.store.schema import batch, batch_row, recipient


def history(connection: Connection, recipient_id: int) -> list[dict[str, Any]]:
    """Every change of a row, deleted or not, newest first: `at`, `user`, `action`, `before`, `after`, `reason`.

    What a list changed is among them: the audit has one entry for the whole list, its batch the rows.
    """
    row = _row(connection, recipient_id)
    found = [
        {name: getattr(entry, name) for name in ("at", "user", "action", "before", "after", "reason")}
        for entry in connection.execute(_entries(recipient_id).order_by(audit_table.c.seq))
    ]
    found += _by_lists(connection, recipient_id)
    found.sort(key=lambda entry: entry["at"])
    _fill_in(found, row)
    return found[::-1]


def _row(connection: Connection, recipient_id: int) -> Any:
    row = connection.execute(sa.select(recipient).where(recipient.c.id == recipient_id)).first()
    if row is None:
        raise NotFound("There is no such recipient.", "id")
    return row


def _entries(recipient_id: int) -> sa.Select[Any]:
    return sa.select(audit_table).where(audit_table.c.object == show_id(recipient_id))


def _by_lists(connection: Connection, recipient_id: int) -> list[dict[str, Any]]:
    joined = sa.select(batch, batch_row.c.before).join(batch_row, batch_row.c.batch_id == batch.c.id)
    found: list[dict[str, Any]] = []
    for row in connection.execute(joined.where(batch_row.c.recipient_id == recipient_id)):
        shared = {"before": row.before, "after": None, "reason": row.file_name}
        found.append({"at": row.created_at, "user": row.user, "action": "recipient.import", **shared})
        if row.undone_at is not None:  # what the list had left is kept nowhere: the two say only that they were
            found[-1]["before"] = None
            shared["before"] = None
            found.append({"at": row.undone_at, "user": row.undone_by, "action": "recipient.undo", **shared})
    return found


def _fill_in(entries: list[dict[str, Any]], row: Any) -> None:
    """What a list left is what the next change found, or what stands there now."""
    now = None if row.deleted_at is not None else msgspec.to_builtins(recipient_of(row))
    for entry, later in zip(entries, [*entries[1:], {"action": "", "before": now}], strict=True):
        if entry["action"] == "recipient.import" and later["action"] != "recipient.undo":
            entry["after"] = later["before"]
        for side in ("before", "after"):
            if entry[side] is not None:
                entry[side] = {name: value for name, value in entry[side].items() if name != "id"}


def undo(connection: Connection, recipient_id: int, version: int | None, who: Caller, now: dt.datetime) -> Saved:
    """Take the last change of a row back: what was added goes, what was changed is as before, what was deleted is back.

    Conflict when the row is not at `version` any more; Refused when a list made the change, which goes back as a whole.
    """
    row = _row(connection, recipient_id)
    if version is not None and version != row.version:
        raise Conflict(f"Recipient {row.number} was changed meanwhile: nothing is undone.", {"version": row.version})
    last = connection.execute(_entries(recipient_id).order_by(audit_table.c.seq.desc()).limit(1)).first()
    action = "" if last is None else last.action
    if last is not None and action == "recipient.delete" and row.deleted_at is not None:
        return _bring_back(connection, row, who, now)
    if last is not None and row.deleted_at is None and (last.after or {}).get("version") == row.version:
        if action in ("recipient.add", "recipient.restore"):
            return recipients.delete(connection, recipient_id, row.version, who, now)
        if action == "recipient.set":
            before = msgspec.convert({**last.before, "id": recipient_id}, Recipient)
            return recipients.change(connection, before, row.version, who, now)
    raise Refused("A list made the last change: take back its batch, which takes back all of it.", "id")


def _bring_back(connection: Connection, row: Any, who: Caller, now: dt.datetime) -> Saved:
    back = msgspec.structs.replace(recipient_of(row), version=row.version + 1)
    recipients.refuse_twin(connection, row.company_id, back)
    statement = sa.update(recipient).where(recipient.c.id == row.id)
    connection.execute(statement.values(deleted_at=None, updated_at=now, version=back.version))
    name = company_name(connection, row.company_id)
    after = {key: value for key, value in msgspec.structs.asdict(back).items() if key != "id"}
    audit.record(connection, who, "recipient.restore", show_id(row.id), None, after, now, company=name)
    released = documents.wake_documents(connection, f"recipient:{name}:{number_key(back.number)}", now)
    return Saved(row=back, company=name, released=released)
