"""The audit's rows and how they are found."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
import sqlalchemy as sa

from gateway.model import parse_id
from gateway.store import audit
from gateway.store.database import driver

COPY = (
    "INSERT INTO audit (id, seq, at, uid, user, action, object, company, before, after, reason, hash) "
    "SELECT id + 4194304000, {}, at, uid, user, action, object, company, before, after, reason, hash FROM audit "
    "WHERE seq = 2"
)
ANNA, ROOT = audit.Caller(uid=1000, user="anna"), audit.Caller(uid=0, user="root")


def test_rows_are_narrowed_and_paged(engine: sa.Engine, now: dt.datetime) -> None:
    later = now + dt.timedelta(days=1)
    with engine.begin() as connection:
        audit.record(connection, ANNA, "recipient.add", "r1", None, {"number": "1"}, now, company="a")
        audit.record(connection, ROOT, "recipient.set", "r1", {"number": "1"}, {"number": "2"}, later, company="b")
        audit.record(connection, ROOT, "setting.set", "language", None, "fr", later, reason="asked for")

        def found(**wanted: object) -> list[str]:
            rows = audit.list_audit(connection, audit.Filter(**wanted))  # type: ignore[arg-type]
            return [row["action"] for row in rows]

        assert found() == ["setting.set", "recipient.set", "recipient.add"]
        assert found(company="a") == ["recipient.add"]
        assert found(user="root") == ["setting.set", "recipient.set"]
        assert found(action="recipient") == ["recipient.set", "recipient.add"]
        assert found(action="recipient.set") == ["recipient.set"]
        assert found(action="rec") == []
        assert found(object="language") == ["setting.set"]
        assert found(since=later) == ["setting.set", "recipient.set"]
        assert found(until=later) == ["recipient.add"]
        assert found(limit=1) == ["setting.set"]
        newest = audit.list_audit(connection, audit.Filter(limit=1))[0]
        assert newest["reason"] == "asked for"
        assert found(before=parse_id(newest["id"])) == ["recipient.set", "recipient.add"]


# --- the chain -------------------------------------------------------------------------------------------


def fill(engine: sa.Engine, now: dt.datetime, count: int) -> None:
    with engine.begin() as connection:
        for number in range(count):
            after = {"number": str(number), "name": "Société Générale"}
            audit.record(connection, ANNA, "recipient.add", f"r{number}", None, after, now, reason="é\n\x00x")


def walked(engine: sa.Engine, root: tuple[int, bytes] | None = None, limit: int = 3) -> audit.Link:
    link = audit.Link()
    with engine.connect() as connection:
        while not link.done:
            link = audit.check(connection, link, root, limit)
    return link


@pytest.mark.parametrize("count", [0, 1, 3, 7])
def test_untouched_chain_is_whole(engine: sa.Engine, now: dt.datetime, count: int) -> None:
    fill(engine, now, count)
    link = walked(engine)
    assert (link.seq, link.broken) == (count, None)
    with engine.connect() as connection:
        assert (link.seq, link.hash) == audit.head(connection)
    fill(engine, now, 1)
    assert walked(engine, (link.seq, link.hash)).broken is None


@pytest.mark.parametrize(
    ("harm", "broken", "says"),
    [
        ("UPDATE audit SET reason = 'none' WHERE seq = 4", 4, "not as it was written"),
        ("UPDATE audit SET after = NULL WHERE seq = 1", 1, "not as it was written"),
        ("UPDATE audit SET user = 'bob' WHERE seq = 7", 7, "not as it was written"),
        ("UPDATE audit SET at = at + 1 WHERE seq = 5", 5, "not as it was written"),
        ("UPDATE audit SET id = id + 4194304 WHERE seq = 5", 5, "not as it was written"),
        ("UPDATE audit SET uid = 'x' WHERE seq = 5", 5, "not as it was written"),
        ("UPDATE audit SET uid = x'00' WHERE seq = 5", 5, "not as it was written"),
        ("UPDATE audit SET object = CAST(x'ff' AS TEXT) WHERE seq = 5", 5, "not as it was written"),
        ("UPDATE audit SET hash = x'00' WHERE seq = 6", 6, "not as it was written"),
        ("DELETE FROM audit WHERE seq = 1", 1, "row 1 is missing"),
        ("DELETE FROM audit WHERE seq = 4", 4, "row 4 is missing"),
        ("DELETE FROM audit WHERE seq = 7", 7, "row 7 is missing: 7 rows were written"),
        ("DELETE FROM audit WHERE seq > 3", 4, "row 4 is missing"),
        ("DELETE FROM audit", 1, "row 1 is missing"),
        ("DELETE FROM audit WHERE seq = 4; UPDATE audit SET seq = seq - 1 WHERE seq > 4", 4, "not as it was written"),
        (
            "UPDATE audit SET seq = -3 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4;"
            "UPDATE audit SET seq = 4 WHERE seq = -3",
            3,
            "not as it was written",
        ),
        (COPY.format(8), 8, "not as it was written"),
        (COPY.format(0), 0, "before the first"),
        (COPY.format(9), 8, "row 8 is missing"),
        ("DELETE FROM meta WHERE key = 'audit_head'", 1, "row 1 was not written by the gateway"),
        ("UPDATE meta SET value = '7:00' WHERE key = 'audit_head'", 7, "not the last one"),
        ("UPDATE meta SET value = 'x' WHERE key = 'audit_head'", 1, "row 1 was not written by the gateway"),
        ("UPDATE meta SET value = '6:00' WHERE key = 'audit_head'", 7, "row 7 was not written by the gateway"),
    ],
)
def test_harm_is_found(engine: sa.Engine, now: dt.datetime, harm: str, broken: int, says: str) -> None:
    fill(engine, now, 7)
    with engine.begin() as connection:
        for statement in harm.split(";"):
            connection.exec_driver_sql(statement)
    for limit in (1, 3, 100):
        link = walked(engine, limit=limit)
        assert link.broken == broken
        assert says in str(link.sentence)


def test_a_row_that_goes_while_the_chain_is_walked_is_missed(engine: sa.Engine, now: dt.datetime) -> None:
    fill(engine, now, 7)
    with engine.begin() as connection:
        link = audit.check(connection, audit.Link(), None, 3)
        connection.exec_driver_sql("DELETE FROM audit WHERE seq = 2")
        link = audit.check(connection, link, None, 100)
    assert (link.broken, link.sentence) == (8, "there are 6 rows, of which 7 are in the chain")


def test_a_deleted_end_is_not_hidden_by_the_next_row(engine: sa.Engine, now: dt.datetime) -> None:
    fill(engine, now, 3)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit WHERE seq = 3")
    fill(engine, now, 1)
    assert walked(engine).broken == 3


def test_changes_go_on_where_the_note_of_the_end_was_taken_away(engine: sa.Engine, now: dt.datetime) -> None:
    fill(engine, now, 3)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM meta WHERE key = 'audit_head'")
    assert walked(engine).broken == 1
    fill(engine, now, 1)
    assert walked(engine) == audit.Link(seq=4, hash=walked(engine).hash, done=True)


def test_a_new_chain_does_not_hold_an_old_root(engine: sa.Engine, now: dt.datetime) -> None:
    fill(engine, now, 5)
    root = walked(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit")
        connection.exec_driver_sql("DELETE FROM meta WHERE key = 'audit_head'")
    fill(engine, now, 3)
    assert walked(engine).broken is None
    assert "root given is of row 5" in str(walked(engine, (root.seq, root.hash)).sentence)
    fill(engine, now, 3)
    found = walked(engine, (root.seq, root.hash))
    assert (found.broken, found.sentence) == (5, "row 5 has another hash than the root given")


def test_rolled_back_row_leaves_no_gap(engine: sa.Engine, now: dt.datetime) -> None:
    fill(engine, now, 2)
    connection = engine.connect()
    audit.record(connection, ANNA, "recipient.add", "r", None, None, now)
    connection.rollback()
    connection.close()
    fill(engine, now, 2)
    assert walked(engine).seq == 4


def test_the_hash_is_the_one_that_the_documentation_describes(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        audit.record(connection, ANNA, "setting.set", "sender.name", None, "Société", now, company="a", reason="q")
        row = connection.exec_driver_sql("SELECT id, hash FROM audit").one()
    text = f'[1,{row[0]},1772444460000000,1000,"anna","setting.set","sender.name","a",null,"\\"Société\\"","q"]'
    assert row[1] == hashlib.sha256(bytes(32) + text.encode()).digest()


def test_each_row_is_looked_at_once(engine: sa.Engine, now: dt.datetime) -> None:
    """What SQLite does grows with the rows and not with their square, whatever the pages: 100,000 take 2 s."""

    def steps(limit: int) -> int:
        """Instructions of SQLite's machine for a walk over all rows, in hundreds."""
        counted = 0

        def count() -> int:
            nonlocal counted
            counted += 1
            return 0

        with engine.connect() as connection:
            driver(connection).set_progress_handler(count, 100)
            link = audit.Link()
            while not link.done:
                link = audit.check(connection, link, None, limit)
            driver(connection).set_progress_handler(None, 0)
        assert link.broken is None
        return counted

    fill(engine, now, 500)
    few = steps(50)
    fill(engine, now, 1500)
    assert 3 * few < steps(50) < 5 * few
