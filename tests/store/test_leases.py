"""Leases of the pipeline: who has a row, until when, and what ends that."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.store import documents, schema, submissions
from tests.store.samples import OWNER, claimed_document, submission

MINUTE = dt.timedelta(minutes=1)


def row(connection: Connection, table: sa.Table, row_id: int) -> tuple[Any, ...]:
    """Lease and try of a row: (by, until, due, tries)."""
    columns = (table.c.leased_by, table.c.leased_until, table.c.due_at, table.c.tries)
    return tuple(connection.execute(sa.select(*columns).where(table.c.id == row_id)).one())


@pytest.fixture
def new(engine: sa.Engine, now: dt.datetime) -> int:
    """A submission that waits, beside a document under lease."""
    with engine.begin() as connection:
        claimed_document(connection, now)
        return submissions.accept(connection, submission(now), now).id


def test_a_claim_names_who_has_the_row_and_until_when(engine: sa.Engine, now: dt.datetime, new: int) -> None:
    with engine.begin() as connection:
        assert row(connection, schema.submission, new) == (None, None, now, 0)
        assert submissions.claim(connection, OWNER, now - MINUTE, now, 9) == []  # not due yet
        (claimed,) = submissions.claim(connection, OWNER, now, now + MINUTE, 9)
        assert (claimed.id, claimed.tries) == (new, 0)
        assert row(connection, schema.submission, new) == (OWNER, now + MINUTE, None, 0)
        assert submissions.claim(connection, OWNER, now, now + MINUTE, 9) == []


def test_the_oldest_are_claimed_first(engine: sa.Engine, now: dt.datetime, new: int) -> None:
    with engine.begin() as connection:
        older = submissions.accept(connection, submission(now - MINUTE), now).id
        assert [each.id for each in submissions.claim(connection, OWNER, now, now, 1)] == [older]
        newest = submissions.accept(connection, submission(now), now).id
        assert [each.id for each in submissions.claim(connection, OWNER, now, now, 9)] == [new, newest]


def test_what_is_given_back_is_due_again_and_may_count_as_a_try(engine: sa.Engine, now: dt.datetime, new: int) -> None:
    with engine.begin() as connection:
        other = submissions.accept(connection, submission(now), now).id
        submissions.claim(connection, OWNER, now, now + MINUTE, 9)
        submissions.give_back(connection, new, now + MINUTE, False)
        assert row(connection, schema.submission, new) == (None, None, now + MINUTE, 0)
        assert row(connection, schema.submission, other) == (OWNER, now + MINUTE, None, 0)
        submissions.give_back(connection, other, now, True)
        assert row(connection, schema.submission, other) == (None, None, now, 1)


def test_a_document_that_has_ended_is_not_given_back(engine: sa.Engine, now: dt.datetime) -> None:
    """It was cancelled while the pipeline had it."""
    with engine.begin() as connection:
        found = claimed_document(connection, now)
        documents.give_back(connection, found.id, now)
        assert row(connection, schema.document, found.id) == (None, None, now, 0)
        documents.cancel_documents(connection, [found.id], now)
        documents.give_back(connection, found.id, now)
        assert row(connection, schema.document, found.id) == (None, None, None, 0)


def test_freeing_leaves_nobody_s_lease_behind(engine: sa.Engine, now: dt.datetime, new: int) -> None:
    with engine.begin() as connection:
        done = submissions.accept(connection, submission(now), now).id
        connection.execute(sa.update(schema.submission).where(schema.submission.c.id == done).values(due_at=None))
        submissions.claim(connection, OWNER, now, now + MINUTE, 9)
        assert submissions.free_leases(connection, OWNER, now + MINUTE) == 0
        assert submissions.free_leases(connection, OWNER, now + 2 * MINUTE) == 1
        assert row(connection, schema.submission, new) == (None, None, now + 2 * MINUTE, 0)
        assert row(connection, schema.submission, done) == (None, None, None, 0)  # nobody had it


def test_a_worker_that_died_counts_for_its_document_only(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        one, other = claimed_document(connection, now), claimed_document(connection, now)
        assert [documents.worker_died(connection, one.id) for _ in range(2)] == [1, 2]
        assert row(connection, schema.document, other.id)[3] == 0


def test_a_submission_ends_once(engine: sa.Engine, now: dt.datetime, new: int) -> None:
    """Whoever worked on it under a lease that ran out comes too late: no second document."""
    with engine.begin() as connection:
        (claimed,) = submissions.claim(connection, OWNER, now, now, 9)
        found = [submissions.NewDocument(file_name="a.xml", media_type="application/xml", fields=claimed.fields)]
        assert submissions.free_leases(connection, OWNER, now + MINUTE) == 1  # it is due again
        assert len(submissions.finish(connection, claimed, found, OWNER, now, now)) == 1
        assert row(connection, schema.submission, new) == (None, None, None, 0)
        assert submissions.finish(connection, claimed, found, OWNER, now, now) == []
        assert submissions.free_leases(connection, "boot-2", now + MINUTE) == 0
