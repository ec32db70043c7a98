"""The history of a row of the directory, and its last change taken back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import Conflict, NotFound, Refused
from gateway.model import Recipient
from gateway.store import audit, batches, companies, recipients, rowhistory

ANNA, BERTIL = audit.Caller(uid=1000, user="anna"), audit.Caller(uid=1001, user="bertil")


def add(connection: Connection, now: dt.datetime, email: str = "a@example.com") -> Recipient:
    company = companies.ensure_company(connection, "default", now)
    return recipients.add(connection, company, Recipient(number="1", email=(email,), type="any"), ANNA, now).row


def change(connection: Connection, row: Recipient, email: str, now: dt.datetime) -> Recipient:
    new = Recipient(id=row.id, number="1", email=(email,), type="any")
    return recipients.change(connection, new, row.version, BERTIL, now).row


def email(connection: Connection, row: Recipient) -> tuple[str, ...]:
    return recipients.load(connection, row.id)[0].email


def by_list(connection: Connection, row: Recipient, email: str, now: dt.datetime) -> int:
    """A list that gives the row another address; the batch's id."""
    import msgspec

    company = companies.ensure_company(connection, "default", now)
    new = batches.NewBatch(company_id=company, type="any", file_name="list.csv", sha256=bytes(32), counts={})
    planned = batches.Planned("update", 2, msgspec.structs.replace(row, email=(email,)), {"email": row.email})
    return batches.write(connection, new, [planned], BERTIL, now).id


def told(entries: list[dict[str, Any]]) -> list[tuple[str, str, object, object]]:
    return [
        (entry["user"], entry["action"], (entry["before"] or {}).get("email"), (entry["after"] or {}).get("email"))
        for entry in entries
    ]


def test_history_says_who_and_what_lists_too(engine: sa.Engine, now: dt.datetime) -> None:
    second = dt.timedelta(seconds=1)
    with engine.begin() as connection:
        row = add(connection, now)
        row = change(connection, row, "b@example.com", now + second)
        batch = by_list(connection, row, "c@example.com", now + 2 * second)
        batches.undo(connection, batch, False, ANNA, now + 3 * second)
        row = recipients.load(connection, row.id)[0]
        by_list(connection, row, "d@example.com", now + 4 * second)
        recipients.delete(connection, row.id, None, ANNA, now + 5 * second)
        entries = rowhistory.history(connection, row.id)
    assert told(entries) == [
        ("anna", "recipient.delete", ["d@example.com"], None),
        ("bertil", "recipient.import", ["b@example.com"], ["d@example.com"]),
        ("anna", "recipient.undo", None, None),
        ("bertil", "recipient.import", None, None),
        ("bertil", "recipient.set", ["a@example.com"], ["b@example.com"]),
        ("anna", "recipient.add", None, ["a@example.com"]),
    ]
    assert entries[1]["reason"] == "list.csv"
    assert [entry["at"] for entry in entries] == sorted((entry["at"] for entry in entries), reverse=True)


def test_each_kind_of_change_is_taken_back(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        row = add(connection, now)
        row = change(connection, row, "b@example.com", now)
        row = rowhistory.undo(connection, row.id, row.version, ANNA, now).row
        assert email(connection, row) == ("a@example.com",)
        recipients.delete(connection, row.id, row.version, ANNA, now)
        row = rowhistory.undo(connection, row.id, None, ANNA, now).row
        assert email(connection, row) == ("a@example.com",)
        rowhistory.undo(connection, row.id, row.version, ANNA, now)  # what was brought back goes again
        with pytest.raises(NotFound):
            recipients.load(connection, row.id)
        new = add(connection, now)
        rowhistory.undo(connection, new.id, new.version, ANNA, now)
        with pytest.raises(NotFound):
            recipients.load(connection, new.id)
        actions = [entry["action"] for entry in rowhistory.history(connection, row.id)]
    assert actions.count("recipient.restore") == 1
    assert actions.count("recipient.delete") == 2


def test_what_is_not_taken_back(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        row = add(connection, now)
        with pytest.raises(Conflict):
            rowhistory.undo(connection, row.id, row.version + 1, ANNA, now)
        by_list(connection, row, "c@example.com", now)
        with pytest.raises(Refused, match="take back its batch"):
            rowhistory.undo(connection, row.id, None, ANNA, now)
        recipients.delete(connection, row.id, None, ANNA, now)
        add(connection, now)
        with pytest.raises(Conflict, match="already"):  # its number has another row now
            rowhistory.undo(connection, row.id, None, ANNA, now)
        with pytest.raises(NotFound):
            rowhistory.undo(connection, 5, None, ANNA, now)
