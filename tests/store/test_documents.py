"""A document's life in the store: held and woken, queued, cancelled, sent again."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import NotFound, Refused
from gateway.model import Outcome, ReadDocument, Reply, Result, Step, show_id
from gateway.store import claims, content, documents, messages, meta, schema, submissions, views
from tests.store.samples import OWNER, body, claimed_document, new_message, submission

FOUND = documents.Finding(
    reading=ReadDocument(format="ubl", number="F-77", customer_numbers=("1042",)),
    type="invoice",
    number="F-77",
    customer_number="1042",
    trace=(Step(rule="customer_number", text="1042 is not in the directory", result="missing"),),
)
WHY = documents.Hold(cause="no-recipient:1042", sentence="No row.", wakes=("recipient:default:1042",))


def test_an_accepted_submission_is_there_whole(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        found = claimed_document(connection, now)
        assert content.get(connection, found.content_id) == b"hello"
        assert (found.company, found.channel, found.envelope.rcpt_to) == ("default", "smtp", ("1001",))


@pytest.mark.parametrize("size", [0, 1, content.CHUNK - 1, content.CHUNK, content.CHUNK + 1, 3 * content.CHUNK])
def test_content_comes_back_from_its_chunks(engine: sa.Engine, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    with engine.begin() as connection:
        made = content.put(connection, body(data[:size]))
        assert content.get(connection, made) == data[:size]
        assert content.get(connection, made, offset=max(0, size - 5)) == data[max(0, size - 5) : size]


def test_unknown_content_is_not_found(engine: sa.Engine) -> None:
    with engine.begin() as connection, pytest.raises(NotFound):
        content.get(connection, 1)


def test_a_repetition_within_a_day_gives_the_first_id(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        claimed_document(connection, now)
        first = submission(now, dedupe=b"same")
        assert not submissions.accept(connection, first, now).duplicate
        again = submissions.accept(connection, submission(now, dedupe=b"same"), now + dt.timedelta(hours=23))
        assert (again.id, again.duplicate) == (first.id, True)
        later = submissions.accept(connection, submission(now, dedupe=b"same"), now + dt.timedelta(hours=25))
        assert not later.duplicate


def test_leases_of_another_boot_are_free_at_once_ours_only_when_over(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        found = claimed_document(connection, now)
        assert documents.free_leases(connection, OWNER, now) == 0
        assert documents.claim(connection, "boot-2", now, now, 9) == []
        assert documents.free_leases(connection, "boot-2", now) == 1
        assert [each.id for each in documents.claim(connection, "boot-2", now, now, 9)] == [found.id]
        assert documents.free_leases(connection, "boot-2", now + dt.timedelta(seconds=1)) == 1


def test_a_claim_takes_about_as_many_bytes_as_there_is_room_for(engine: sa.Engine, now: dt.datetime) -> None:
    """Else the pipeline would read as many mails of 50 MB into memory as it has slots."""
    later = now + dt.timedelta(minutes=5)
    with engine.begin() as connection:
        claimed_document(connection, now)
        for size in (30, 30, 30, 500):
            submissions.accept(connection, submission(now, b"x" * size), now)

        def sizes(budget: int) -> list[int]:
            return [each.size for each in submissions.claim(connection, OWNER, now, later, 9, budget)]

        assert sizes(50) == [30, 30]
        assert sizes(1) == [30]
        assert sizes(1) == [500]
        assert sizes(1) == []


def test_woken_documents_go_before_new_submissions(engine: sa.Engine, now: dt.datetime) -> None:
    later = now + dt.timedelta(minutes=5)
    with engine.begin() as connection:
        found = [claimed_document(connection, now) for _ in range(2)]  # of five bytes each
        for each in found:
            documents.give_back(connection, each.id, now)
        new = [submissions.accept(connection, submission(now), now).id for _ in range(2)]

        def claimed(limit: int, budget: int) -> tuple[list[int], list[int]]:
            woken, fresh = submissions.claim_work(connection, OWNER, now, later, limit, budget)
            documents.free_leases(connection, "other", now)
            submissions.free_leases(connection, "other", now)
            return [each.id for each in woken], [each.id for each in fresh]

        ids = [each.id for each in found]
        assert claimed(9, 100) == (ids, new)
        assert claimed(3, 100) == (ids, new[:1])
        assert claimed(2, 100) == (ids, [])
        assert claimed(9, 11) == (ids, new[:1])
        assert claimed(9, 10) == (ids, [])


def held(connection: Connection, now: dt.datetime) -> documents.ClaimedDocument:
    found = claimed_document(connection, now)
    assert documents.hold(connection, found.id, OWNER, FOUND, WHY, meta.wakes(connection), now)
    return found


def test_a_held_document_says_why(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        found = held(connection, now)
        shown = views.show_document(connection, found.id)
    assert (shown["state"], shown["cause"], shown["sentence"]) == ("held", "no-recipient:1042", "No row.")
    assert (shown["number"], shown["customer_number"], shown["type"]) == ("F-77", "1042", "invoice")
    assert shown["trace"][0]["rule"] == "customer_number"


def test_its_event_wakes_it_and_no_other(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        one, other = held(connection, now), claimed_document(connection, now)
        why = documents.Hold(cause="no-recipient:7", sentence="No row.", wakes=("recipient:default:7",))
        documents.hold(connection, other.id, OWNER, FOUND, why, meta.wakes(connection), now)
        assert documents.wake_documents(connection, "recipient:default:1042", now) == 1
        assert [each.id for each in documents.claim(connection, OWNER, now, now, 9)] == [one.id]
        assert documents.wake_documents(connection, "recipient:default:1042", now) == 0
        assert views.show_document(connection, other.id)["state"] == "held"


def test_an_event_between_the_look_up_and_the_hold_is_not_missed(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        found = claimed_document(connection, now)
        seen = meta.wakes(connection)
        documents.wake_documents(connection, "recipient:default:1042", now)
        assert not documents.hold(connection, found.id, OWNER, FOUND, WHY, seen, now)
        assert [each.id for each in documents.claim(connection, OWNER, now, now, 9)] == [found.id]


def test_waking_beside_100_000_held_documents_uses_the_index(engine: sa.Engine, now: dt.datetime) -> None:
    plan = (
        "EXPLAIN QUERY PLAN UPDATE document SET state = 'received' WHERE id IN "
        "(SELECT document_id FROM wake WHERE key = 'recipient:default:1') AND state = 'held'"
    )
    with engine.begin() as connection:
        steps = [row[-1] for row in connection.exec_driver_sql(plan)]
    assert not any("SCAN" in step for step in steps), steps


def test_a_person_releases_only_what_is_held(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        found = held(connection, now)
        assert documents.release_documents(connection, [found.id], "anna", now) == 1
        with pytest.raises(Refused, match="only a held one"):
            documents.release_documents(connection, [found.id], "anna", now)
        with pytest.raises(NotFound):
            documents.release_documents(connection, [1], "anna", now)
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.wake)).scalar() == 0


def queued(connection: Connection, now: dt.datetime, *addresses: str) -> documents.ClaimedDocument:
    found = claimed_document(connection, now)
    assert messages.queue(connection, found.id, OWNER, FOUND, new_message(now, *addresses), now)
    return found


def test_a_queued_document_has_a_delivery_per_address(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        found = queued(connection, now, "a@kund.example", "b@kund.example")
        (listed,) = views.list_documents(connection, views.Filter(number="F-77"))
    assert listed["id"] == show_id(found.id)
    assert [(each["recipient"], each["role"], each["state"]) for each in listed["deliveries"]] == [
        ("a@kund.example", "to", "queued"),
        ("b@kund.example", "cc", "queued"),
    ]


def test_a_message_is_shown_as_sent_also_when_only_its_header_is_ours(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        found = claimed_document(connection, now)
        whole = new_message(now, "a@kund.example")
        messages.queue(connection, found.id, OWNER, FOUND, whole, now)
        assert messages.message_bytes(connection, whole.id).endswith(b"hello\r\n")
        other = claimed_document(connection, now)
        template = new_message(now, "b@kund.example")
        ours = msgspec.structs.replace(template, body=None, header=b"From: x\r\n\r\n", body_offset=2)
        messages.queue(connection, other.id, OWNER, FOUND, ours, now)
        assert messages.message_bytes(connection, ours.id) == b"From: x\r\n\r\nllo"


def test_a_cancelled_document_sends_nothing_more(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        waits, holds = queued(connection, now, "a@kund.example"), held(connection, now)
        assert documents.cancel_documents(connection, [waits.id, holds.id], now) == 2
        for each in (waits, holds):
            shown = views.show_document(connection, each.id)
            assert shown["state"] == "cancelled"
            assert {one["state"] for one in shown["deliveries"]} <= {"cancelled"}
        assert documents.wake_documents(connection, "recipient:default:1042", now) == 0
        with pytest.raises(Refused, match="nothing is left to cancel"):
            documents.cancel_documents(connection, [waits.id], now)


def test_a_cancelled_document_on_the_wire_is_not_tried_again(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        found = queued(connection, now, "a@kund.example")
        (claimed,) = claims.claim(connection, "capture", 9, OWNER, now, now + dt.timedelta(minutes=20))
        documents.cancel_documents(connection, [found.id], now)
        reply = Reply(code=451, enhanced="4.7.1", text="later")
        outcome = Outcome(result=Result.TEMPORARY, reply=reply)
        claims.record(connection, [claims.Ended(claimed=claimed, outcome=outcome, at=now, next_attempt=now)])
        shown = views.show_document(connection, found.id)
    assert (shown["state"], shown["deliveries"][0]["state"]) == ("cancelled", "cancelled")


def test_a_cancelled_document_is_not_queued_by_the_pipeline_that_had_it(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        found = claimed_document(connection, now)
        documents.cancel_documents(connection, [found.id], now)
        assert not messages.queue(connection, found.id, OWNER, FOUND, new_message(now, "a@kund.example"), now)
        assert not documents.hold(connection, found.id, OWNER, FOUND, WHY, meta.wakes(connection), now)
        assert views.show_document(connection, found.id)["deliveries"] == []


def test_a_switch_turned_off_since_the_look_up_lets_nothing_be_queued(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        found = claimed_document(connection, now)
        connection.execute(
            sa.insert(schema.setting),
            {"company_id": found.company_id, "key": "distribution.active", "value": False, "version": 1},
        )
        assert not messages.queue(connection, found.id, OWNER, FOUND, new_message(now, "a@kund.example"), now)
        assert views.show_document(connection, found.id)["deliveries"] == []
        assert [each.id for each in documents.claim(connection, OWNER, now, now, 9)] == [found.id]


def test_only_an_ended_document_is_sent_again(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        found = queued(connection, now, "a@kund.example")
        with pytest.raises(Refused, match="only one that has ended"):
            documents.resend_document(connection, found.id, (), "anna", now)
        documents.cancel_documents(connection, [found.id], now)
        documents.resend_document(connection, found.id, ("new@kund.example",), "anna", now)
        (again,) = documents.claim(connection, OWNER, now, now, 9)
        assert (again.id, again.resend_to) == (found.id, ("new@kund.example",))


def test_the_list_filters_by_everything_a_clerk_asks(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        sent, waits = queued(connection, now, "a@kund.example"), held(connection, now)

        def ids(**wanted: object) -> list[str]:
            return [each["id"] for each in views.list_documents(connection, views.Filter(**wanted))]

        assert ids() == [show_id(waits.id), show_id(sent.id)]
        assert ids(state="held") == ids(cause="no-recipient") == ids(cause="no-recipient:1042") == [show_id(waits.id)]
        assert ids(cause="no-recipient:10") == ids(customer_number="9") == ids(company="other") == []
        assert ids(address="a@kund.example") == [show_id(sent.id)]
        assert ids(submission=sent.submission_id) == [show_id(sent.id)]
        assert ids(limit=1) == [show_id(waits.id)]
        assert ids(before=waits.id) == [show_id(sent.id)]
        assert len(ids(source="local", customer_number="1042", company="default", since=now)) == 2
