"""What retention removes, what it leaves, and that every reference stays right."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import NotFound, Refused
from gateway.model import DeliveryState, DocumentState, new_id
from gateway.store import audit, companies, documents, dropped, messages, retention, schema, submissions, views
from gateway.store.columns import first_id
from gateway.store.dropped import Dropped
from tests.store.samples import OWNER, body, new_message, submission

DAY = dt.timedelta(days=1)
WHO = audit.Caller(uid=0, user="gateway")


def sent(
    connection: Connection,
    at: dt.datetime,
    *,
    state: str = "sent",
    data: bytes = b"original",
    header: bytes | None = None,
    channel: str = "smtp",
) -> int:
    """A document that came at `at` and ended then, in all tables; its submission's id."""
    companies.ensure_company(connection, "default", at)
    new = msgspec.structs.replace(submission(at, data), id=first_id(at) + new_id() % (1 << 22), channel=channel)
    submissions.accept(connection, new, at)
    (claimed,) = submissions.claim(connection, OWNER, at, at + DAY, 1)
    extra = submissions.NewFile(name="x.pdf", body=body(b"beside"))
    found = submissions.NewDocument(
        file_name="x.xml", media_type="application/xml", fields=claimed.fields, extras=(extra,)
    )
    (made,) = submissions.finish(connection, claimed, [found], OWNER, at, at + DAY)
    message = new_message(at, "a@example.com")
    if header is not None:
        message = msgspec.structs.replace(message, body=None, header=header)
    finding = documents.Finding(type="invoice", number="F-77", customer_number="1042")
    assert messages.queue(connection, made.id, OWNER, finding, message, at)
    delivery = message.deliveries[0].id
    connection.execute(
        sa.insert(schema.attempt), {"id": new_id(), "delivery_id": delivery, "started_at": at, "possibly_sent": False}
    )
    connection.execute(sa.insert(schema.wake), {"key": "dkim", "document_id": made.id})
    ended = DeliveryState.SENT if state == "sent" else state
    done: dict[str, Any] = {"state": ended, "due_at": None, "leased_by": None, "leased_until": None, "updated_at": at}
    connection.execute(sa.update(schema.delivery).where(schema.delivery.c.id == delivery).values(**done))
    now = "sent" if state in ("queued", "deferred") else state
    connection.execute(
        sa.update(schema.document).where(schema.document.c.id == made.id).values(state=now, updated_at=at)
    )
    return new.id


def document_of(connection: Connection, submission_id: int) -> int:
    return int(
        connection.execute(
            sa.select(schema.document.c.id).where(schema.document.c.submission_id == submission_id)
        ).scalar_one()
    )


def count(connection: Connection, table: sa.Table, *where: Any) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one())


def whole(connection: Connection) -> bool:
    """No reference leads nowhere, and a content has its bytes exactly when it does not say that they were removed."""
    assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    contents = set(connection.execute(sa.select(schema.content.c.id)).scalars())
    for table in (schema.submission, schema.document, schema.message):
        assert set(connection.execute(sa.select(table.c.content_id)).scalars()) <= contents
    removed = sa.select(schema.content.c.id).where(schema.content.c.pruned_at.is_not(None))
    assert count(connection, schema.content_chunk, schema.content_chunk.c.content_id.in_(removed)) == 0
    kept = set(connection.execute(sa.select(schema.content.c.id).where(schema.content.c.pruned_at.is_(None))).scalars())
    return kept == set(connection.execute(sa.select(schema.content_chunk.c.content_id)).scalars())


def all_steps(connection: Connection, kind: retention.Kind, before: dt.datetime, now: dt.datetime) -> retention.Removed:
    total = retention.Removed()
    while (removed := retention.step(connection, kind, before, now, 2)).more:
        total += removed
    last = 0
    while (removed := retention.step_stragglers(connection, kind, last, before, now, 2)).more:
        total, last = total + removed, removed.last
    return total


def test_old_contents_go_and_what_is_known_of_them_stays(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        old = [sent(connection, now - 91 * DAY) for _ in range(3)]
        passed_on = sent(connection, now - 91 * DAY, header=b"Subject: x\r\n")
        young = sent(connection, now - 89 * DAY)
        removed = all_steps(connection, "content", now - 90 * DAY, now)
        assert removed.contents == 3 * 3 + 2
        assert removed.bytes == 3 * (len(b"original") + len(b"beside") + 28) + len(b"original") + len(b"beside")
        assert whole(connection)
        for submission_id in (*old, passed_on):
            document_id = document_of(connection, submission_id)
            shown = views.show_document(connection, document_id)
            assert shown["content_removed_at"] == now
            with pytest.raises(NotFound, match=r"The content was removed on 2026-03-02; what is known of the document"):
                views.original(connection, document_id)
            with pytest.raises(NotFound, match="was removed on 2026-03-02"):
                messages.message_bytes(
                    connection,
                    int(
                        connection.execute(
                            sa.select(schema.message.c.id).where(schema.message.c.document_id == document_id)
                        ).scalar_one()
                    ),
                )
            with pytest.raises(Refused, match="content was removed on 2026-03-02; it cannot be sent again"):
                documents.resend_document(connection, document_id, (), "erik", now)
        kept = document_of(connection, young)
        assert views.show_document(connection, kept)["content_removed_at"] is None
        assert views.original(connection, kept)[2] == b"original"
        # Did customer 1042 get invoice F-77?
        wanted = views.Filter(number="F-77", customer_number="1042")
        listed = views.list_documents(connection, wanted)
        assert [each["deliveries"][0]["state"] for each in listed] == ["sent"] * 5
        assert not all_steps(connection, "content", now - 90 * DAY, now)  # again: nothing


@pytest.mark.parametrize("state", ["held", "queued", "received"])
def test_what_has_not_ended_stays_until_it_has(engine: sa.Engine, now: dt.datetime, state: str) -> None:
    with engine.begin() as connection:
        waiting = document_of(connection, sent(connection, now - 500 * DAY))
        connection.execute(
            sa.update(schema.document).where(schema.document.c.id == waiting).values(state=DocumentState(state))
        )
        sent(connection, now - 500 * DAY)
        for kind in ("content", "rows"):
            all_steps(connection, kind, now - 400 * DAY, now)
        assert views.original(connection, waiting)[2] == b"original"
        assert count(connection, schema.document) == 1
        assert retention.space(connection).oldest == now - 500 * DAY
        connection.execute(
            sa.update(schema.document).where(schema.document.c.id == waiting).values(state="sent", updated_at=now)
        )
        later = now + 401 * DAY
        assert not all_steps(connection, "content", later - 402 * DAY, later)  # it ended only now
        assert all_steps(connection, "content", later - 90 * DAY, later).contents == 3
        assert all_steps(connection, "rows", later - 400 * DAY, later).documents == 1
        assert whole(connection)


def test_a_delivery_that_is_not_over_keeps_all(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        sent(connection, now - 500 * DAY, state="deferred")
        assert not all_steps(connection, "rows", now - 400 * DAY, now)
        assert whole(connection)


def test_a_submission_whose_documents_are_not_found_yet_stays(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        companies.ensure_company(connection, "default", now)
        old = now - 500 * DAY
        submissions.accept(connection, msgspec.structs.replace(submission(old), id=first_id(old)), old)
        assert not all_steps(connection, "rows", now - 400 * DAY, now)
        assert count(connection, schema.submission) == 1


def test_rows_go_much_later_with_everything_that_refers_to_them(engine: sa.Engine, now: dt.datetime) -> None:
    tables = (schema.submission, schema.document, schema.message, schema.delivery, schema.attempt, schema.wake)
    with engine.begin() as connection:
        for days in (401, 401, 401, 399):
            sent(connection, now - days * DAY)
        assert all_steps(connection, "rows", now - 400 * DAY, now).documents == 3
        assert [count(connection, table) for table in tables] == [1] * len(tables)
        assert count(connection, schema.content) == 3
        assert whole(connection)


def test_every_table_that_refers_to_a_document_is_known() -> None:
    """A reference without an index would look through the whole table at each delete."""
    parents = {schema.submission, schema.document, schema.message, schema.delivery, schema.content}
    for table in schema.metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.column.table in parents:
                indexed = [next(iter(index.columns)).name for index in table.indexes]
                assert key.parent.name in (*indexed, next(iter(table.primary_key.columns)).name), key


def test_one_step_removes_some_megabytes_at_most(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        for _ in range(4):
            sent(connection, now - 91 * DAY, data=b"x" * (2 << 20))
        assert retention.step(connection, "content", now - 90 * DAY, now, 20).contents == 3
        sent(connection, now - 91 * DAY, data=b"x" * (20 << 20))
        assert all_steps(connection, "content", now - 90 * DAY, now).contents == 4 * 3


def test_the_ledger_of_the_drop_folders_forgets_what_is_done(engine: sa.Engine, now: dt.datetime) -> None:
    def row(at: dt.datetime, state: str) -> Dropped:
        id_ = first_id(at) + new_id() % (1 << 22)
        return Dropped(id=id_, source="scan", path=b"x", work_name=str(id_), inode=1, size=1, mtime_ns=1, state=state)

    with engine.begin() as connection:
        rows = [row(now - 401 * DAY, "done") for _ in range(3)]
        rows += [row(now - 401 * DAY, "claiming"), row(now - 399 * DAY, "done")]
        dropped.claiming(connection, rows, now)
        assert retention.prune_ledger(connection, now - 400 * DAY, 2).more
        assert retention.prune_ledger(connection, now - 400 * DAY, 2).ledger == 1
        assert count(connection, schema.dropped) == 2


def test_the_audit_says_once_what_was_removed(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        sent(connection, now - 91 * DAY)
        retention.step(connection, "content", now - 90 * DAY, now, 20)
        retention.count_files(connection, 7)
        removed = retention.settle(connection, WHO, {"content_days": 90}, now)
        assert (removed.contents, removed.files) == (3, 7)
        assert not retention.settle(connection, WHO, {"content_days": 90}, now)
        (row,) = audit.list_audit(connection, audit.Filter(action="retention.remove"))
        assert (row["user"], row["after"]["contents"], row["after"]["bytes"]) == ("gateway", 3, removed.bytes)
        assert row["after"]["content_days"] == 90
        assert audit.check(connection, audit.Link(), None, 100).broken is None


def test_files_whose_documents_wait_are_named(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        held = sent(connection, now, data=b"held", channel="folder")
        sent(connection, now, data=b"gone", channel="folder")
        sent(connection, now, data=b"mail", state="held")
        connection.execute(
            sa.update(schema.document).where(schema.document.c.submission_id == held).values(state="held")
        )
        fresh = msgspec.structs.replace(submission(now, b"fresh"), channel="folder")
        submissions.accept(connection, fresh, now)
        named = retention.unfinished_files(connection, "local")
        assert sorted(named) == sorted((len(each.data or b""), each.sha256) for each in (body(b"held"), body(b"fresh")))


def test_space_that_is_free_goes_back_when_it_is_much(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        for _ in range(3):
            sent(connection, now - 91 * DAY, data=b"x" * (3 << 20))
        before = retention.space(connection)
        assert not retention.shrink(connection, 1 << 18)
        all_steps(connection, "content", now - 90 * DAY, now)
    with engine.begin() as connection:
        assert retention.space(connection).free > 8 << 20
        while retention.shrink(connection, 1 << 18):
            pass
        after = retention.space(connection)
        assert after.bytes < before.bytes // 2
        assert after.free <= max(after.bytes // 4, 1 << 18)
        assert whole(connection)


def test_the_latest_known_time(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        assert retention.last_seen(connection) is None
        sent(connection, now - DAY)
        assert retention.last_seen(connection) == now - DAY
        retention.settle(connection, WHO, {}, now)
        assert retention.last_seen(connection) == now
