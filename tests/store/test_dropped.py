"""The ledger of the drop folders."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
import sqlalchemy as sa

from gateway.errors import NotFound
from gateway.model import new_id, show_id
from gateway.store import companies, dropped, schema
from tests.store.samples import submission


def row(name: bytes = b"x.pdf", **values: object) -> dropped.Dropped:
    dropped_id = new_id()
    made = dropped.Dropped(
        id=dropped_id, source="scan", path=name, work_name=show_id(dropped_id), inode=1, size=2, mtime_ns=3
    )
    return msgspec.structs.replace(made, **values)


def test_a_row_comes_back_as_it_was_written(engine: sa.Engine, now: dt.datetime) -> None:
    rows = [row(), row(b"invoice/\xff.pdf", sidecar=b"invoice/\xff.json"), row(reason="no")]
    with engine.begin() as connection:
        dropped.claiming(connection, rows, now)
        found = dropped.open_rows(connection, "scan")
        assert found == [msgspec.structs.replace(given, updated_at=now) for given in rows]
        assert all(given.open for given in found)
        assert dropped.open_rows(connection, "other") == []
        assert dropped.find(connection, "scan", rows[1].work_name) == found[1]
        assert dropped.find(connection, "other", rows[1].work_name) is None


def test_the_open_rows_are_found_by_their_index(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT * FROM dropped WHERE source = 'scan' AND state <> 'done' ORDER BY id"
        ).all()
    assert any("dropped_open" in str(line) for line in plan)


def test_acceptance_and_submission_are_one_transaction(engine: sa.Engine, now: dt.datetime) -> None:
    given, new = row(), submission(now)
    with engine.begin() as connection:
        dropped.claiming(connection, [given], now)
    with pytest.raises(NotFound), engine.begin() as connection:
        dropped.accept_dropped(connection, given.id, new, now)  # there is no company yet
    with engine.begin() as connection:
        assert dropped.open_rows(connection, "scan")[0].open
        companies.ensure_company(connection, "default", now)
        accepted = dropped.accept_dropped(connection, given.id, new, now)
        (found,) = dropped.open_rows(connection, "scan")
        assert (accepted.id, accepted.duplicate, found.state) == (new.id, False, "accepted")
        assert found.submission_id == new.id
        assert connection.execute(sa.select(schema.dropped.c.sha256)).scalar() == new.body.sha256


def test_accepting_again_gives_the_same_submission(engine: sa.Engine, now: dt.datetime) -> None:
    given = row()
    with engine.begin() as connection:
        companies.ensure_company(connection, "default", now)
        dropped.claiming(connection, [given], now)
        first = dropped.accept_dropped(connection, given.id, submission(now), now)
        assert dropped.accept_dropped(connection, given.id, submission(now), now) == first
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.submission)).scalar() == 1


def test_a_duplicate_points_to_the_first(engine: sa.Engine, now: dt.datetime) -> None:
    first, second = row(), row()
    with engine.begin() as connection:
        companies.ensure_company(connection, "default", now)
        dropped.claiming(connection, [first, second], now)
        one = dropped.accept_dropped(connection, first.id, submission(now, dedupe=b"d"), now)
        two = dropped.accept_dropped(connection, second.id, submission(now, dedupe=b"d"), now)
        assert (two.id, two.duplicate) == (one.id, True)
        found = dropped.find(connection, "scan", second.work_name)
        assert found is not None
        assert found.reason == f"This is a duplicate of {show_id(one.id)}."
        assert dropped.accept_dropped(connection, second.id, submission(now), now) == two


def test_refused_done_and_forgotten_rows(engine: sa.Engine, now: dt.datetime) -> None:
    refused, done, gone = row(), row(), row()
    with engine.begin() as connection:
        dropped.claiming(connection, [refused, done, gone], now)
        dropped.refuse(connection, refused.id, "It is empty.", now)
        dropped.finish(connection, [done.id], now)
        dropped.forget(connection, [gone.id])
        (left,) = dropped.open_rows(connection, "scan")
        assert (left.id, left.state, left.reason, left.open) == (refused.id, "refused", "It is empty.", False)
        assert dropped.find(connection, "scan", gone.work_name) is None


def test_an_unknown_row_cannot_be_accepted(engine: sa.Engine, now: dt.datetime) -> None:
    with pytest.raises(NotFound), engine.begin() as connection:
        dropped.accept_dropped(connection, 1, submission(now), now)
