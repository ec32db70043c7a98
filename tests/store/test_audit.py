"""The audit's rows and how they are found."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from gateway.model import parse_id
from gateway.store import audit

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
        assert found(limit=1) == ["setting.set"]
        newest = audit.list_audit(connection, audit.Filter(limit=1))[0]
        assert newest["reason"] == "asked for"
        assert found(before=parse_id(newest["id"])) == ["recipient.set", "recipient.add"]
