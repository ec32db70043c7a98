"""What each verb leaves in a document's row, and that it leaves all other rows alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import NotFound
from gateway.model import Outcome, ReadDocument, Reply, Result, Step, show_id
from gateway.store import claims, documents, messages, meta, schema, submissions, views
from tests.store.samples import OWNER, body, claimed_document, new_message, submission

LATER = dt.timedelta(minutes=5)
FOUND = documents.Finding(
    reading=ReadDocument(format="ubl", number="F-77"),
    type="invoice",
    number="F-77",
    customer_number="1042",
    trace=(Step(rule="customer_number", text="row 1042", result="chosen"),),
)
WHY = documents.Hold(cause="no-recipient:1042", sentence="No row.", wakes=("recipient:default:1042", "other"))
DONE = Outcome(result=Result.DONE, reply=Reply(code=250, enhanced="2.0.0", text="ok"))


def row(connection: Connection, document_id: int) -> dict[str, Any]:
    """What of a document's row changes in its life."""
    found = connection.execute(sa.select(schema.document).where(schema.document.c.id == document_id)).one()._asdict()
    names = "state cause sentence due_at leased_by leased_until tries version updated_at released_by resend_to"
    return {name: found[name] for name in names.split()}


def deliveries(connection: Connection, document_id: int) -> dict[str, tuple[Any, ...]]:
    """Address → (state, cause, due_at) of a document's deliveries."""
    table = schema.delivery.c
    rows = connection.execute(sa.select(schema.delivery).where(table.document_id == document_id))
    return {each.address: (each.state, each.cause, each.due_at) for each in rows}


def wakes(connection: Connection) -> set[tuple[str, int]]:
    return {(each.key, each.document_id) for each in connection.execute(sa.select(schema.wake))}


def held(connection: Connection, now: dt.datetime) -> int:
    found = claimed_document(connection, now)
    documents.worker_died(connection, found.id)
    assert documents.hold(connection, found.id, OWNER, FOUND, WHY, meta.wakes(connection), now)
    return found.id


def queued(connection: Connection, now: dt.datetime, *addresses: str) -> int:
    found = claimed_document(connection, now)
    assert messages.queue(connection, found.id, OWNER, FOUND, new_message(now, *addresses), now)
    return found.id


WAITING = {
    "state": "received",
    "cause": None,
    "sentence": None,
    "leased_by": None,
    "leased_until": None,
    "tries": 0,
    "version": 2,
    "resend_to": None,
}


# --- found -----------------------------------------------------------------------------------------------


def test_what_came_with_a_document_comes_back_with_it(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        claimed_document(connection, now)
        submissions.accept(connection, submission(now), now)
        (claimed,) = submissions.claim(connection, OWNER, now, now + LATER, 1)
        extra = submissions.NewFile(name="F-77.pdf", body=body(b"%PDF-", "application/pdf"))
        new = submissions.NewDocument(
            file_name="F-77.xml",
            media_type="application/xml",
            fields=claimed.fields,
            body=body(b"<a/>"),
            extras=(extra,),
        )
        assert new.size == 9
        found = submissions.finish(connection, claimed, [new, new], OWNER, now, now + LATER)
        assert documents.load(connection, [each.id for each in reversed(found)]) == found
        assert (found[0].size, found[0].extras[0].name) == (4, "F-77.pdf")
        assert documents.load(connection, []) == []


# --- held ------------------------------------------------------------------------------------------------


def test_a_hold_takes_effect_for_its_own_leased_document_only(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        mine, other = claimed_document(connection, now), claimed_document(connection, now)
        seen = meta.wakes(connection)
        assert not documents.hold(connection, mine.id, "boot-2", FOUND, WHY, seen, now)
        assert documents.hold(connection, mine.id, OWNER, FOUND, WHY, seen, now + LATER)
        assert row(connection, mine.id) == {
            **WAITING,
            "state": "held",
            "cause": "no-recipient:1042",
            "sentence": "No row.",
            "due_at": None,
            "version": 1,
            "updated_at": now + LATER,
            "released_by": None,
        }
        assert row(connection, other.id)["state"] == "received"
        assert not documents.hold(connection, mine.id, OWNER, FOUND, WHY, seen, now)  # it is held already
        ended = ended_under_lease(connection, now)
        assert not documents.hold(connection, ended, OWNER, FOUND, WHY, seen, now)
        assert wakes(connection) == {("recipient:default:1042", mine.id), ("other", mine.id)}


def test_a_hold_without_a_reading_keeps_nothing_of_an_older_one(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        document = held(connection, now)
        shown = views.show_document(connection, document)
        assert (shown["format"], shown["reading"]["number"]) == ("ubl", "F-77")
        documents.release_documents(connection, [document], "anna", now)
        documents.claim(connection, OWNER, now, now + LATER, 9)
        why = documents.Hold(cause="unreadable:crash", sentence="It died.")
        assert documents.hold(connection, document, OWNER, documents.Finding(), why, meta.wakes(connection), now)
        shown = views.show_document(connection, document)
        assert (shown["format"], shown["reading"], shown["number"], shown["trace"]) == (None, None, None, [])
        assert wakes(connection) == set()


def test_a_woken_document_starts_afresh(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        document, other = held(connection, now), held(connection, now)
        connection.execute(sa.delete(schema.wake).where(schema.wake.c.document_id == other))
        assert documents.wake_documents(connection, "other", now + LATER) == 1
        assert row(connection, document) == {
            **WAITING,
            "due_at": now + LATER,
            "updated_at": now + LATER,
            "released_by": "other",
        }
        assert wakes(connection) == set()
        assert row(connection, other)["state"] == "held"


def test_an_event_wakes_only_what_is_held(engine: sa.Engine, now: dt.datetime) -> None:
    """A wake that outlived its hold does no harm."""
    with engine.begin() as connection:
        sent = queued(connection, now, "a@kund.example")
        connection.execute(sa.insert(schema.wake), {"key": "other", "document_id": sent})
        assert documents.wake_documents(connection, "other", now) == 0
        assert row(connection, sent)["state"] == "queued"


def test_a_released_document_says_who_released_it(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        document, other = held(connection, now), held(connection, now)
        assert documents.release_documents(connection, [document], "anna", now + LATER) == 1
        assert row(connection, document) == {
            **WAITING,
            "due_at": now + LATER,
            "updated_at": now + LATER,
            "released_by": "anna",
        }
        assert row(connection, other)["state"] == "held"
        assert {number for _, number in wakes(connection)} == {other}


# --- queued ----------------------------------------------------------------------------------------------


def test_a_queued_document_has_nothing_left_of_its_hold(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        document = queued(connection, now, "old@kund.example")
        documents.cancel_documents(connection, [document], now)
        documents.resend_document(connection, document, ["new@kund.example"], "anna", now)
        documents.claim(connection, OWNER, now, now + LATER, 9)
        connection.execute(sa.update(schema.document).values(cause="old", sentence="Old."))
        message = new_message(now, "new@kund.example")
        assert not messages.queue(connection, document, "boot-2", FOUND, message, now)
        assert messages.queue(connection, document, OWNER, FOUND, message, now + LATER)
        assert row(connection, document) == {
            **WAITING,
            "state": "queued",
            "due_at": None,
            "version": 3,
            "updated_at": now + LATER,
            "released_by": "anna",
        }
        shown = views.show_document(connection, document)
        assert (shown["format"], shown["type"], shown["reading"]["number"]) == ("ubl", "invoice", "F-77")
        assert [each["recipient"] for each in shown["deliveries"]] == ["old@kund.example", "new@kund.example"]
        assert [each["to"] for each in shown["messages"]] == [["old@kund.example"], ["new@kund.example"]]
        assert not messages.queue(connection, document, OWNER, FOUND, new_message(now, "x@kund.example"), now)


def test_a_switch_turned_off_gives_the_lease_back(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        found = claimed_document(connection, now)
        off = {"company_id": found.company_id, "key": "distribution.active", "value": False, "version": 1}
        connection.execute(sa.insert(schema.setting), off)
        ended = ended_under_lease(connection, now)
        for document, owner in ((ended, OWNER), (found.id, "boot-2")):
            assert not messages.queue(connection, document, owner, FOUND, new_message(now, "a@kund.example"), now)
        assert row(connection, ended)["due_at"] is None  # it is not the pipeline's any more
        assert row(connection, found.id)["leased_by"] == OWNER
        assert not messages.queue(connection, found.id, OWNER, FOUND, new_message(now, "a@kund.example"), now)
        waits = row(connection, found.id)
        assert (waits["state"], waits["due_at"], waits["leased_by"], waits["leased_until"]) == (
            "received",
            now,
            None,
            None,
        )


def ended_under_lease(connection: Connection, now: dt.datetime) -> int:
    """A document that ended while its lease still stands in the row."""
    found = claimed_document(connection, now)
    connection.execute(sa.update(schema.document).where(schema.document.c.id == found.id).values(state="cancelled"))
    return found.id


def test_an_unknown_message_is_not_found(engine: sa.Engine) -> None:
    with engine.begin() as connection, pytest.raises(NotFound):
        messages.message_bytes(connection, 1)


# --- cancelled, sent again -------------------------------------------------------------------------------


def test_cancelling_ends_what_waits_and_leaves_what_was_sent(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        document = queued(connection, now, "sent@kund.example", "waits@kund.example")
        other = queued(connection, now, "other@kund.example")
        (first,) = claims.claim(connection, "capture", 1, OWNER, now, now + LATER)
        claims.record(connection, [claims.Ended(claimed=first, outcome=DONE, at=now)])
        connection.execute(
            sa.update(schema.delivery)
            .where(schema.delivery.c.address == "waits@kund.example")
            .values(state="held", cause="by-hand", due_at=None)
        )
        documents.cancel_documents(connection, [document], now + LATER)
        assert deliveries(connection, document) == {
            "sent@kund.example": ("sent", None, None),
            "waits@kund.example": ("cancelled", None, None),
        }
        assert row(connection, document) == {
            **WAITING,
            "state": "partly_sent",
            "due_at": None,
            "updated_at": now + LATER,
            "released_by": None,
        }
        assert deliveries(connection, other) == {"other@kund.example": ("queued", None, now)}
        changed = sa.select(schema.delivery.c.updated_at).where(schema.delivery.c.address == "waits@kund.example")
        assert connection.execute(changed).scalar() == now + LATER
        assert row(connection, other)["state"] == "queued"


def test_cancelling_waits_for_what_is_on_the_wire(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        document = queued(connection, now, "wire@kund.example", "waits@kund.example")
        other = queued(connection, now, "other@kund.example")
        claims.claim(connection, "capture", 1, OWNER, now, now + LATER)
        connection.execute(
            sa.update(schema.delivery).where(schema.delivery.c.document_id == other).values(state="active", due_at=None)
        )
        documents.cancel_documents(connection, [document], now)
        assert deliveries(connection, document) == {
            "wire@kund.example": ("active", documents.CANCEL, None),
            "waits@kund.example": ("cancelled", None, None),
        }
        assert row(connection, document)["state"] == "queued"
        assert deliveries(connection, other) == {"other@kund.example": ("active", None, None)}


def test_a_cancelled_document_waits_for_no_event(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        document, other = held(connection, now), held(connection, now)
        documents.cancel_documents(connection, [document], now)
        assert {number for _, number in wakes(connection)} == {other}
        assert row(connection, document)["cause"] is None


def test_a_document_sent_again_starts_afresh(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        document, other = queued(connection, now, "a@kund.example"), queued(connection, now, "b@kund.example")
        documents.cancel_documents(connection, [document, other], now)
        documents.resend_document(connection, document, [], "anna", now + LATER)
        assert row(connection, document) == {
            **WAITING,
            "due_at": now + LATER,
            "updated_at": now + LATER,
            "version": 3,
            "released_by": "anna",
        }
        assert row(connection, other)["state"] == "cancelled"


# --- shown -----------------------------------------------------------------------------------------------


def test_a_list_is_narrowed_and_paged(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        sent, waits = queued(connection, now - LATER, "a@kund.example"), held(connection, now)

        def ids(**wanted: Any) -> list[str]:
            shown = views.list_documents(connection, views.Filter(**wanted))
            assert views.count_documents(connection, views.Filter(**wanted)) >= len(shown)
            return [each["id"] for each in shown]

        first, second = show_id(waits), show_id(sent)
        assert ids(since=now) == [first]
        assert ids(offset=1, limit=9) == [second]
        assert ids(search="a@KUND") == [second]
        assert ids(search="042") == [first, second]
        assert ids(search="%") == []
        assert ids(cause="no-recipient") == [first]
        for cause in ("no-recipient;", "no-recipientx", "no"):
            connection.execute(sa.update(schema.document).where(schema.document.c.id == waits).values(cause=cause))
            assert ids(cause="no-recipient") == []


def test_a_document_is_shown_with_every_attempt(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        document = queued(connection, now, "a@kund.example")
        later = Outcome(result=Result.TEMPORARY, reply=Reply(code=451, enhanced="4.7.1", text="later"))
        for moment, outcome in ((now, later), (now + LATER, DONE)):
            (claimed,) = claims.claim(connection, "capture", 1, OWNER, moment, moment + LATER)
            ended = claims.Ended(claimed=claimed, outcome=outcome, at=moment, next_attempt=now + LATER)
            claims.record(connection, [ended])
        (delivery,) = views.show_document(connection, document)["deliveries"]
        assert [(each["code"], each["outcome"]) for each in delivery["history"]] == [(451, "temporary"), (250, "done")]


def test_the_original_is_what_came_in(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        found = claimed_document(connection, now)
        assert views.original(connection, found.id) == ("a.xml", "application/xml", b"hello")
        for look in (views.original, views.show_document):
            with pytest.raises(NotFound, match="documents list"):
                look(connection, 1)
        assert msgspec.json.encode(views.show_document(connection, found.id)["trace"]) == b"[]"


def test_the_key_of_bounce_addresses_stays_the_same(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        key = meta.verp_key(connection)
        assert len(key) == 32
        assert meta.verp_key(connection) == key
