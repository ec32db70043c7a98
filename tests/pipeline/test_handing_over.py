"""What is handed over under the lease it was born with, instead of being stored and claimed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.model import UTC, Accepted, Canonical, Claimed, Envelope, NewSubmission, ReadDocument, Step, new_id
from gateway.pipeline import loop
from gateway.smtp import client
from gateway.store import claims, documents, messages, schema, submissions
from gateway.store.documents import ClaimedDocument
from gateway.store.leases import Lease
from gateway.store.submissions import ClaimedSubmission
from tests.e2e.documents import invoice
from tests.pipeline.work import OWNER, MakeWork, Work, add_row, dropped, mail
from tests.store.samples import new_message

CONTENT = b"From: erp@seller.example\r\nTo: a@kund.example\r\n\r\nbody\r\n"
TO_TWO = Envelope(mail_from="x@seller.example", rcpt_to=("a@kund.example", "b@kund.example"))
UNTIL = dt.datetime(2030, 1, 1, tzinfo=UTC)


class Slots:
    """An outlet with `free` slots that notes what it is handed."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.handed: list[tuple[Claimed, Canonical]] = []
        self.woken = 0

    def reserve(self, next_hop: str, size: int) -> dt.datetime | None:
        self.free -= 1
        return UNTIL if self.free >= 0 else None

    def hand(self, claimed: Claimed, content: Canonical) -> None:
        self.handed.append((claimed, content))

    def give_back(self, next_hop: str, size: int) -> None:
        self.free += 1

    def wake(self) -> None:
        self.woken += 1


async def born(work: Work, new: NewSubmission, lease: Lease | None) -> tuple[Accepted, ClaimedSubmission | None]:
    return await work.store.write(submissions.accept_claimed, new, new.received_at, lease)


async def hand_in(work: Work, content: bytes = CONTENT, envelope: Envelope = TO_TWO) -> None:
    """As the daemon does it: reserve, store under the lease, take."""
    lease = work.pipeline.reserve(len(content))
    assert lease is not None
    _, claimed = await born(work, mail(content, envelope=envelope), lease)
    assert claimed is not None
    work.pipeline.take(claimed, content)


async def deliveries(work: Work) -> list[Any]:
    statement = sa.select(schema.delivery).order_by(schema.delivery.c.id)
    return list(await work.store.read(lambda connection: connection.execute(statement).all()))


async def idle(work: Work) -> None:
    """Until the pipeline knows that nothing waits in the store."""
    await work.until(lambda: _reserves(work))


async def _reserves(work: Work) -> bool:
    lease = work.pipeline.reserve(0)
    if lease is not None:
        work.pipeline.give_back(0)
    return lease is not None


async def test_a_mail_that_is_passed_on_is_on_its_way_without_being_claimed(make_work: MakeWork) -> None:
    work = await make_work(recipients="envelope")
    slots = work.outlet = Slots(2)
    await work.start()
    await idle(work)
    await hand_in(work)
    rows = await work.until(lambda: deliveries(work))
    (document,) = await work.documents(state="queued")
    assert [(row.state, row.leased_by, row.leased_until, row.due_at, row.attempts) for row in rows] == [
        ("active", OWNER, UNTIL, None, 1)
    ] * 2
    attempts = await work.store.read(lambda connection: connection.execute(sa.select(schema.attempt)).all())
    assert {each.id for each in attempts} == {claimed.attempt_id for claimed, _ in slots.handed}
    whole = await work.store.read(messages.message_bytes, rows[0].message_id)
    assert [content for _, content in slots.handed] == [whole, whole]
    assert [claimed.address for claimed, _ in slots.handed] == ["a@kund.example", "b@kund.example"]
    assert document["file_name"] == "message.eml"
    assert slots.woken == 0


async def test_what_finds_no_slot_is_due_and_the_queue_is_told(make_work: MakeWork) -> None:
    work = await make_work(recipients="envelope")
    slots = work.outlet = Slots(1)
    await work.start()
    await idle(work)
    await hand_in(work)
    rows = await work.until(lambda: deliveries(work))
    assert [(row.state, row.due_at is None) for row in rows] == [("active", True), ("queued", False)]
    await work.until(lambda: _woken(slots))
    assert len(slots.handed) == 1
    assert work.recent.get(rows[0].message_id) is not None


async def test_a_message_of_ours_is_handed_over_with_its_dots_told(make_work: MakeWork) -> None:
    work = await make_work()
    slots = work.outlet = Slots(1)
    await (await work.start()).add()
    await work.set("template.invoice.en.body", "Hello\n.sig {{ number }}")
    await work.accept(dropped(invoice()))
    await work.until(lambda: deliveries(work))
    ((_, content),) = slots.handed
    assert b"\r\n.sig F-77" in content
    assert b"\r\n..sig F-77" in client.prepare(content).data


async def test_a_paused_next_hop_is_handed_nothing(make_work: MakeWork) -> None:
    work = await make_work(recipients="envelope")
    slots = work.outlet = Slots(2)
    await work.start()
    await idle(work)
    await work.store.write(_pause, "hop-kund.example")
    await hand_in(work)
    rows = await work.until(lambda: deliveries(work))
    assert [row.state for row in rows] == ["queued"] * 2
    await work.until(lambda: _woken(slots))
    assert slots.handed == []
    assert slots.free == 2


async def test_a_document_that_was_read_is_handed_over_too(make_work: MakeWork) -> None:
    work = await make_work()
    slots = work.outlet = Slots(1)
    await work.store.write(add_row, "1042")
    await work.start()
    await work.accept(dropped(invoice()))
    await work.until(lambda: _handed(slots))
    assert [row.state for row in await deliveries(work)] == ["active"]


async def test_a_mail_that_is_held_has_its_row_and_no_message(make_work: MakeWork) -> None:
    work = await make_work(recipients="envelope")
    work.outlet = Slots(2)
    await (await work.start()).set("distribution.active", False)
    await idle(work)
    await hand_in(work)
    assert (await work.one("held"))["cause"] == "distribution-off"
    assert await deliveries(work) == []


async def test_what_waits_in_the_store_goes_before_what_comes(make_work: MakeWork) -> None:
    work = await make_work(recipients="envelope")
    assert work.pipeline.reserve(1) is None  # it does not run yet, and knows nothing of what waits
    await work.start()
    await idle(work)
    work.pipeline.wake()
    assert work.pipeline.reserve(1) is None
    await idle(work)


async def test_slots_and_bytes_are_bounded(make_work: MakeWork) -> None:
    work = await (await make_work(recipients="envelope")).start()
    await idle(work)
    for _ in range(loop.SLOTS):
        assert work.pipeline.reserve(1) is not None
    assert work.pipeline.reserve(1) is None
    for _ in range(loop.SLOTS):
        work.pipeline.give_back(1)
    assert work.pipeline.reserve(loop.BYTES_IN_FLIGHT) is not None
    assert work.pipeline.reserve(1) is None
    work.pipeline.give_back(loop.BYTES_IN_FLIGHT)
    await work.pipeline.stop(1.0)
    assert work.pipeline.reserve(1) is None


async def test_a_submission_born_under_lease_is_freed_by_the_next_boot(work: Work) -> None:
    new = mail()
    accepted, claimed = await born(work, new, Lease("that-boot", UNTIL))
    assert claimed is not None
    assert claimed.id == accepted.id == new.id
    now = dt.datetime.now(UTC)
    assert await work.store.write(submissions.claim, OWNER, now, UNTIL, 9) == []
    assert await work.store.write(submissions.free_leases, OWNER, now) == 1
    (freed,) = await work.store.write(submissions.claim, OWNER, now, UNTIL, 9)
    assert freed == claimed


async def test_a_repetition_is_not_born_again(work: Work) -> None:
    await born(work, mail(dedupe=b"same"), Lease(OWNER, UNTIL))
    accepted, claimed = await born(work, mail(dedupe=b"same"), Lease(OWNER, UNTIL))
    assert (accepted.duplicate, claimed) == (True, None)


async def test_work_on_a_submission_that_has_ended_comes_too_late(work: Work) -> None:
    """A lease that ran out: another has ended the submission, and nothing is sent twice."""
    await work.store.write(_pass_on_twice)


def _pass_on_twice(connection: Connection) -> None:
    now = dt.datetime.now(UTC)
    claimed, document = _accepted(connection, now)
    for expected in (True, False):
        message = new_message(now, "a@kund.example")
        done = messages.pass_on(connection, claimed, document, OWNER, documents.Finding(), message, now)
        assert (done is not None) == expected
        document = msgspec.structs.replace(document, id=new_id())  # the other worked on one of its own
    assert len(connection.execute(sa.select(schema.document)).all()) == 1


def _accepted(connection: Connection, now: dt.datetime) -> tuple[ClaimedSubmission, ClaimedDocument]:
    """A mail under lease, and itself as its one document, which is not stored."""
    _, claimed = submissions.accept_claimed(connection, mail(), now, Lease(OWNER, UNTIL))
    assert claimed is not None
    whole = submissions.NewDocument(file_name="message.eml", media_type="message/rfc822", fields=claimed.fields)
    return claimed, submissions.document_of(claimed, whole)


async def test_what_is_passed_on_stands_as_what_is_queued_later(work: Work) -> None:
    """One row written at once is the row that two steps would leave."""
    at_once, in_steps = await work.store.write(_both_ways)
    assert at_once["state"] == "queued"
    different = {name for name, value in at_once.items() if value != in_steps[name]}
    assert different == {"id", "submission_id", "content_id", "received_at"}  # of two mails


def _both_ways(connection: Connection) -> list[dict[str, Any]]:
    now = dt.datetime.now(UTC)
    reading = ReadDocument(format="mail", type="other", number="F-1")
    trace = (Step(rule="envelope", text="RCPT TO", result="chosen"),)
    found = documents.Finding(reading=reading, type="other", number="F-1", customer_number="1042", trace=trace)
    ids = []
    for at_once in (True, False):
        claimed, document = _accepted(connection, now)
        ids.append(document.id)
        message = new_message(now, "a@kund.example")
        if at_once:
            assert messages.pass_on(connection, claimed, document, OWNER, found, message, now)
        else:
            documents.insert(connection, document, 0, OWNER, now, now)
            assert messages.queue(connection, document.id, OWNER, found, message, now)
    rows = connection.execute(sa.select(schema.document).where(schema.document.c.id.in_(ids)).order_by("id"))
    return [dict(row) for row in rows.mappings()]


async def test_a_switch_turned_off_since_the_look_up_lets_nothing_be_passed_on(work: Work) -> None:
    await work.store.write(_pass_on_switched_off)


def _pass_on_switched_off(connection: Connection) -> None:
    now = dt.datetime.now(UTC)
    claimed, document = _accepted(connection, now)
    off = {"company_id": document.company_id, "key": "distribution.active", "value": False, "version": 1}
    connection.execute(sa.insert(schema.setting), off)
    message = new_message(now, "a@kund.example")
    assert messages.pass_on(connection, claimed, document, OWNER, documents.Finding(), message, now) is None
    assert connection.execute(sa.select(schema.message)).all() == []
    assert [each.id for each in documents.claim(connection, OWNER, now, now, 9)] == [document.id]


def _pause(connection: Connection, name: str) -> None:
    connection.execute(sa.insert(schema.next_hop).values(name=name, paused_by="anna", reason=""))
    assert claims.is_paused(connection, name, dt.datetime.now(UTC))


async def _woken(slots: Slots) -> bool:
    return slots.woken == 1


async def _handed(slots: Slots) -> bool:
    return bool(slots.handed)
