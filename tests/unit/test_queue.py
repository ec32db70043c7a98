"""The queue: a real store in front, real servers on loopback behind."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from gateway import queue as queue_module
from gateway.config import Relay
from gateway.model import UTC, Claimed, Envelope, Outcome, Reply, Result, Transport
from gateway.queue import Lane, Queue
from gateway.retry import failed
from gateway.store import Store, claims, deliveries, messages, schema
from gateway.store.claims import Recorded
from gateway.store.deliveries import Selection
from gateway.store.replied import Replied
from gateway.transports import open_transport
from tests import mails
from tests.peer import Drop, Hang, Last, Peer

PATIENCE = 100.0  # seconds after which a test that waits for something is stuck: never the reason why one passes

OK = Outcome(result=Result.DONE, reply=Reply(code=250, enhanced=None, text="ok"))


class Clock:
    """The wall clock, moved on at will: nothing waits for a real quarter of an hour."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(UTC) + self.ahead

    def forward(self, **values: float) -> None:
        self.ahead += dt.timedelta(**values)


class Bench:
    """A store, a transport, a queue between them, and what the queue told."""

    def __init__(self, store: Store, transport: Transport) -> None:
        self.store = store
        self.notes = store.path.with_name("sent")
        self.transport = transport
        self.clock = Clock()
        self.ended: list[tuple[Claimed, Outcome, Recorded]] = []
        self._told = asyncio.Event()
        self.queue = self.another("boot-2")

    def another(self, owner: str, **values: Any) -> Queue:
        async def load(message_id: int) -> bytes:
            return await self.store.read(messages.message_bytes, message_id)

        return Queue(
            self.store,
            self.transport,
            values.pop("load", load),
            owner=owner,
            replied=Replied(self.notes),
            now=self.clock,
            jitter=lambda: 0.0,
            on_ended=self._tell,
            **values,
        )

    def _tell(self, claimed: Claimed, outcome: Outcome, recorded: Recorded) -> None:
        self.ended.append((claimed, outcome, recorded))
        self._told.set()

    async def mail(self, *to: str, **values: Any) -> tuple[int, list[int]]:
        """Queue a mail; its document and deliveries."""
        hop = self.transport.next_hop("")
        made = await self.store.write(mails.queue_mail, self.clock(), to or ("to@example.com",), next_hop=hop, **values)
        self.queue.wake()
        return made

    async def outcomes(self, count: int) -> list[str | None]:
        """The states that the first `count` outcomes gave their deliveries."""
        async with asyncio.timeout(PATIENCE):
            while len(self.ended) < count:
                self._told.clear()
                await self._told.wait()
        return [recorded.delivery_state for _, _, recorded in self.ended]

    async def states(self, ids: list[int]) -> list[str]:
        return await self.store.read(mails.states, ids)


@pytest.fixture(autouse=True)
def only_what_is_tested_wakes_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """It also comes by every half a minute, which would hide a missing wake."""
    monkeypatch.setattr(queue_module, "_LONGEST_SLEEP", 10 * PATIENCE)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with Peer() as made:
        yield made


def relay(peer: Peer) -> Transport:
    return open_transport(Relay(mode="smarthost", host=peer.url, tls="none"), "gw.example")


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[Bench]:
    await bench.queue.start()
    try:
        yield bench
    finally:
        await bench.queue.stop(grace=0.1)


@pytest.fixture
async def bench(store: Store, peer: Peer) -> AsyncIterator[Bench]:
    async with running(Bench(store, relay(peer))) as made:
        yield made


# --- outcomes ----------------------------------------------------------------------------------------------


async def test_a_mail_goes_out_at_once_and_ends_its_document(
    bench: Bench, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway.mail")
    document_id, ids = await bench.mail()
    assert await bench.outcomes(1) == ["sent"]
    (mail,) = peer.mails
    assert mail.content == mails.CONTENT
    assert mail.envelope.rcpt_to == ("to@example.com",)
    assert mail.envelope.mail_from.startswith("b+")
    assert await bench.states(ids) == ["sent"]
    assert await bench.store.read(mails.document, document_id) == "sent"
    assert bench.ended[0][2].document_state == "sent"
    assert "sent delivery=" in caplog.text


async def test_each_address_has_a_transaction_and_a_sender_of_its_own(bench: Bench, peer: Peer) -> None:
    await bench.mail("a@example.com", cc=["b@example.com"])
    await bench.outcomes(2)
    assert sorted(mail.envelope.rcpt_to for mail in peer.mails) == [("a@example.com",), ("b@example.com",)]
    assert len({mail.envelope.mail_from for mail in peer.mails}) == 2
    assert {mail.content for mail in peer.mails} == {mails.CONTENT}


async def test_greylisting_is_waited_out(bench: Bench, peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gateway.mail")
    peer.script["RCPT"] = ["450 4.7.1 greylisted"]
    document_id, (first,) = await bench.mail()
    assert await bench.outcomes(1) == ["deferred"]
    row = await bench.store.read(mails.delivery, first)
    assert dt.timedelta(minutes=4, seconds=50) < row.due_at - bench.clock() <= dt.timedelta(minutes=5)
    assert row.last_reply == {"code": 450, "enhanced": "4.7.1", "text": "greylisted"}
    assert "deferred delivery=" in caplog.text
    bench.clock.forward(minutes=4)
    bench.queue.wake()
    await bench.store.write(lambda c: None)
    assert not peer.mails
    bench.clock.forward(minutes=1)
    bench.queue.wake()
    assert await bench.outcomes(2) == ["deferred", "sent"]
    assert await bench.store.read(mails.document, document_id) == "sent"
    history = await bench.store.read(mails.attempts, first)
    assert [(row.outcome, row.code) for row in history] == [("temporary", 450), ("done", 250)]


async def test_it_comes_back_by_itself_when_something_is_due(bench: Bench, peer: Peer) -> None:
    peer.script["RCPT"] = ["450 4.7.1 greylisted"]
    await bench.mail()
    await bench.outcomes(1)
    bench.clock.forward(minutes=4, seconds=59.7)
    await bench.mail(
        "other@example.com"
    )  # the clock moved: the loop looks at it again, then sleeps until the first is due
    assert sorted(filter(None, await bench.outcomes(3))) == ["deferred", "sent", "sent"]


async def test_one_refused_address_bounces_alone(bench: Bench, peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    peer.refuse["gone@example.com"] = "550 5.1.1 no such user"
    document_id, ids = await bench.mail("to@example.com", "gone@example.com")
    await bench.outcomes(2)
    assert await bench.states(ids) == ["sent", "bounced"]
    assert await bench.store.read(mails.document, document_id) == "partly_sent"
    assert "bounced delivery=" in caplog.text


async def test_a_copy_that_fails_does_not_fail_the_document(bench: Bench, peer: Peer) -> None:
    peer.refuse["gone@example.com"] = "550 5.1.1 no such user"
    document_id, _ = await bench.mail("to@example.com", cc=["gone@example.com"])
    await bench.outcomes(2)
    assert await bench.store.read(mails.document, document_id) == "partly_sent"


async def test_a_connection_lost_after_the_dot_is_noted_and_tried_again(bench: Bench, peer: Peer) -> None:
    peer.script["DOT"] = [Drop()]
    _, (first,) = await bench.mail()
    assert await bench.outcomes(1) == ["deferred"]
    (attempt,) = await bench.store.read(mails.attempts, first)
    assert (attempt.possibly_sent, attempt.code, attempt.enhanced) == (True, None, "4.4.2")


async def test_after_its_expiry_it_is_tried_once_more_and_bounces(bench: Bench, peer: Peer) -> None:
    peer.always["RCPT"] = "450 4.2.0 greylisted"
    document_id, (first,) = await bench.mail(lifetime=dt.timedelta(minutes=3))
    assert await bench.outcomes(1) == ["deferred"]
    row = await bench.store.read(mails.delivery, first)
    assert row.due_at == row.expires_at
    bench.clock.forward(minutes=3)
    bench.queue.wake()
    assert await bench.outcomes(2) == ["deferred", "bounced"]
    assert await bench.store.read(mails.document, document_id) == "bounced"


async def test_a_transport_that_trips_defers_its_delivery_only(
    store: Store, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(store, relay(peer))
    async with running(bench):
        _, bad = await bench.mail(content=b"Subject: x\r\n\r\nlone\nline feed\r\n")
        _, good = await bench.mail()
        await bench.outcomes(2)
        assert await bench.states([*bad, *good]) == ["deferred", "sent"]
        assert "Traceback" in caplog.text
        row = await store.read(mails.delivery, bad[0])
        assert row.last_reply["enhanced"] == "4.3.0"


# --- many, and how fast ------------------------------------------------------------------------------------


async def test_kept_connections_carry_many_mails(bench: Bench, peer: Peer) -> None:
    for _ in range(20):
        await bench.store.write(
            mails.queue_mail,
            bench.clock(),
            [f"n{n}@example.com" for n in range(10)],
            next_hop=bench.transport.next_hop(""),
        )
    bench.queue.wake()
    await peer.arrived(200, PATIENCE)
    assert len({(mail.envelope.rcpt_to, mail.envelope.mail_from) for mail in peer.mails}) == 200
    assert peer.connections <= 20
    await bench.outcomes(200)


def test_a_lane_grows_by_success_and_halves_when_asked_to() -> None:
    lane = Lane(most=8)
    assert lane.free(0.0) == 2
    for _ in range(10):
        lane.learn(OK, 0.0, 0.0)
    assert lane.free(0.0) == 8
    lane.running = 3
    assert lane.free(0.0) == 5
    busy = Outcome(result=Result.TEMPORARY, reply=Reply(code=451, enhanced="4.7.1", text="slow down"))
    lane.learn(busy, 0.0, 0.0)
    assert (lane.slots, lane.free(0.0)) == (4, 1)
    full = Outcome(result=Result.TEMPORARY, reply=Reply(code=452, enhanced="4.2.2", text="mailbox full"))
    lane.learn(full, 0.0, 0.0)
    assert lane.slots == 4
    for _ in range(5):
        lane.learn(busy, 0.0, 0.0)
    assert lane.slots == 1


def test_a_lane_pauses_longer_each_time_its_hop_is_not_there() -> None:
    lane, now, pauses = Lane(most=8), 100.0, []
    gone = failed("4.4.1", "cannot connect")
    for _ in range(9):
        lane.learn(gone, now, now)
        lane.learn(gone, now - 1, now)  # was under way at the same time: one failure, not two
        pauses.append(lane.until - now)
        assert lane.free(now) == 0
        now = lane.until
        assert lane.free(now) == 1  # one goes ahead
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    lane.slots = 4
    lane.learn(OK, now, now)
    assert lane.free(now) == 5


async def test_a_hop_that_is_not_there_does_not_use_up_everybodys_attempts(
    bench: Bench, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_FIRST_PAUSE", 60.0)
    peer.always["CONNECT"] = Last("421 4.3.2 closed")
    ids = []
    for _ in range(12):
        ids += (await bench.mail())[1]
    await bench.outcomes(1)
    await asyncio.gather(*(bench.store.write(lambda c: None) for _ in range(5)))
    assert 1 <= len(bench.ended) <= 2
    assert sorted(await bench.states(ids)) == ["deferred"] * len(bench.ended) + ["queued"] * (12 - len(bench.ended))
    del peer.always["CONNECT"]
    before = len(bench.ended)
    bench.queue.wake()
    await bench.store.write(lambda c: None)
    assert len(bench.ended) == before  # a mere hint does not end the pause
    await bench.store.write(deliveries.retry, Selection(), bench.clock())
    bench.queue.retry_now()
    await peer.arrived(12, PATIENCE)


async def test_the_loop_comes_back_when_the_pause_is_over(
    bench: Bench, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_FIRST_PAUSE", 0.2)
    peer.script["CONNECT"] = [Last("421 4.3.2 closed"), Last("421 4.3.2 closed")]
    for _ in range(6):
        await bench.mail()
    await peer.arrived(4, PATIENCE)


async def test_bytes_in_memory_are_bounded(store: Store, peer: Peer) -> None:
    made = Bench(store, relay(peer))
    running_then: list[int] = []
    second, gate = asyncio.Event(), asyncio.Event()

    async def load(message_id: int) -> bytes:
        running_then.append(made.queue.running)
        if len(running_then) == 2:
            second.set()
        await gate.wait()
        return await store.read(messages.message_bytes, message_id)

    made.queue = made.another("boot-2", load=load, in_flight=1000)
    content = b"Subject: x\r\n\r\n" + b"y" * 600 + b"\r\n"
    for _ in range(6):
        await made.mail(content=content)
    async with running(made):
        await asyncio.wait_for(second.wait(), PATIENCE)
        gate.set()
        await peer.arrived(6, PATIENCE)
    assert len(running_then) == 6
    assert max(running_then) == 2  # 618 bytes fit, 1236 pass the bound, a third one waits


class TwoHops:
    """A transport to `hanging`, which never ends, and `busy`, which defers."""

    name = "two"

    def next_hop(self, address: str) -> str:
        return address.partition("@")[2]

    def room(self, next_hop: str) -> int:
        return 100

    async def deliver(self, envelope: Envelope, content: bytes) -> Outcome:
        if self.next_hop(envelope.rcpt_to[0]) == "hanging":
            await asyncio.Event().wait()
        return Outcome(result=Result.TEMPORARY, reply=Reply(code=450, enhanced="4.2.0", text="greylisted"))

    async def close(self) -> None: ...


async def test_a_hop_that_hangs_does_not_delay_another(store: Store) -> None:
    made = Bench(store, TwoHops())
    async with running(made):
        for _ in range(3):
            await store.write(mails.queue_mail, made.clock(), ["a@hanging"], next_hop="hanging")
        made.queue.wake()
        soon = dt.timedelta(minutes=2)
        await store.write(mails.queue_mail, made.clock(), ["b@busy"], next_hop="busy", lifetime=soon)
        made.queue.wake()
        assert await made.outcomes(1) == ["deferred"]
        made.clock.forward(minutes=2)
        made.queue.wake()
        assert await made.outcomes(2) == ["deferred", "bounced"]


async def test_a_lease_that_ran_out_is_taken_up_again(
    bench: Bench, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_SWEEP", 0.0)
    hop, now = bench.transport.next_hop(""), bench.clock()

    def forgotten(connection: sa.Connection) -> int:
        _, (only,) = mails.queue_mail(connection, now, next_hop=hop)
        assert claims.claim(connection, hop, 1, "boot-2", now, now - dt.timedelta(minutes=1))
        return only

    delivery_id = await bench.store.write(forgotten)
    bench.queue.wake()
    await bench.outcomes(1)
    assert await bench.states([delivery_id]) == ["sent"]


# --- people ------------------------------------------------------------------------------------------------


async def test_a_paused_hop_waits_and_goes_on(bench: Bench, peer: Peer) -> None:
    hop = bench.transport.next_hop("")
    await bench.mail()
    await bench.outcomes(1)
    await bench.store.write(deliveries.pause_hop, hop, "anna", "maintenance", None, bench.clock())
    _, ids = await bench.mail()
    await asyncio.gather(*(bench.store.write(lambda c: None) for _ in range(3)))
    assert await bench.states(ids) == ["queued"]
    await bench.store.write(deliveries.resume_hop, hop)
    bench.queue.wake()
    await bench.outcomes(2)
    assert await bench.states(ids) == ["sent"]


async def test_a_hop_paused_for_a_while_goes_on_by_itself(bench: Bench) -> None:
    hop = bench.transport.next_hop("")
    await bench.mail()
    await bench.outcomes(1)
    until = bench.clock() + dt.timedelta(seconds=0.4)
    await bench.store.write(deliveries.pause_hop, hop, "anna", "a moment", until, bench.clock())
    await bench.mail()
    await bench.outcomes(2)
    assert bench.clock() >= until


# --- stopping, crashing, a store in trouble -----------------------------------------------------------------


async def test_stop_lets_what_is_under_way_finish(store: Store, peer: Peer) -> None:
    bench = Bench(store, relay(peer))
    begun, release = asyncio.Event(), asyncio.Event()

    async def load(message_id: int) -> bytes:
        begun.set()
        await release.wait()
        return await store.read(messages.message_bytes, message_id)

    bench.queue = bench.another("boot-2", load=load)
    await bench.queue.start()
    _, ids = await bench.mail("w@example.com", "x@example.com", "y@example.com", "z@example.com")
    await asyncio.wait_for(begun.wait(), PATIENCE)
    stopping = asyncio.create_task(bench.queue.stop(grace=PATIENCE))
    await asyncio.sleep(0)  # it has begun
    release.set()
    await stopping
    assert sorted(await bench.states(ids)) == ["queued", "queued", "sent", "sent"]
    assert peer.commands[-1] == b"QUIT"


async def test_stop_leaves_a_hanging_peer_within_the_grace_and_loses_nothing(store: Store, peer: Peer) -> None:
    bench = Bench(store, relay(peer))
    await bench.queue.start()
    peer.script["DOT"] = [Hang()]
    _, (first,) = await bench.mail()
    await peer.until(lambda: b"." in peer.commands, PATIENCE)
    async with asyncio.timeout(PATIENCE):  # the peer would hang for longer
        await bench.queue.stop(grace=0.3)
    assert await bench.states([first]) == ["active"]
    again = bench.another("boot-3")
    await again.start()
    await peer.arrived(1, PATIENCE)
    await bench.outcomes(1)
    await again.stop()
    assert await bench.states([first]) == ["sent"]
    history = await store.read(mails.attempts, first)
    assert [(row.outcome, row.possibly_sent) for row in history] == [("interrupted", True), ("done", False)]


async def test_the_lease_is_committed_before_anybody_dials(store: Store) -> None:
    seen: list[tuple[str, int]] = []

    class Looking:
        name = "looking"

        def next_hop(self, address: str) -> str:
            return "looking"

        def room(self, next_hop: str) -> int:
            return 100

        async def deliver(self, envelope: Envelope, content: bytes) -> Outcome:
            seen.append(
                await store.read(
                    lambda c: (
                        str(c.execute(sa.select(schema.delivery.c.state)).scalar()),
                        int(c.execute(sa.select(sa.func.count()).select_from(schema.attempt)).scalar_one()),
                    )
                )
            )
            return OK

        async def close(self) -> None: ...

    bench = Bench(store, Looking())
    async with running(bench):
        await bench.mail()
        await bench.outcomes(1)
    assert seen == [("active", 1)]


async def refuse(store: Store, table: str) -> None:
    """Updates of `table` fill the disk: a trigger writes more than the database may have."""

    def verb(connection: sa.Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 8}").close()
        fill = "INSERT INTO meta VALUES (random(), zeroblob(1000000))"
        connection.exec_driver_sql(f"CREATE TRIGGER refuse BEFORE UPDATE ON {table} BEGIN {fill}; END").close()

    await store.write(verb)


async def allow(store: Store) -> None:
    def verb(connection: sa.Connection) -> None:
        connection.exec_driver_sql("DROP TRIGGER refuse").close()
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000").close()

    await store.write(verb)


async def test_an_outcome_waits_for_a_full_disk_and_is_not_had_twice(
    bench: Bench, peer: Peer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_STORE_PAUSE", 0.02)
    await refuse(bench.store, "attempt")
    _, ids = await bench.mail()
    await peer.arrived(1, PATIENCE)
    await logged(caplog, "an outcome waits for the store: the disk")
    assert await bench.states(ids) == ["active"]
    await allow(bench.store)
    assert await bench.outcomes(1) == ["sent"]
    assert len(peer.mails) == 1


async def test_the_loop_outlives_a_store_that_takes_nothing(
    bench: Bench, peer: Peer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_STORE_PAUSE", 0.02)
    await refuse(bench.store, "delivery")
    await bench.mail()
    await logged(caplog, "nothing claimed: the disk")
    await allow(bench.store)
    assert await bench.outcomes(1) == ["sent"]
    assert len(peer.mails) == 1


async def logged(caplog: pytest.LogCaptureFixture, words: str) -> None:
    """Wait until `words` are in the log."""
    seen = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if words in record.getMessage():
                loop.call_soon_threadsafe(seen.set)

    watch = Watch()
    logging.getLogger("gateway").addHandler(watch)
    try:
        if words not in caplog.text:
            await asyncio.wait_for(seen.wait(), PATIENCE)
    finally:
        logging.getLogger("gateway").removeHandler(watch)


# --- next hops of their own --------------------------------------------------------------------------------


class Domains:
    """A transport whose next hops are domains; says what it is told to, and holds what begins until `go`."""

    name = "domains"

    def __init__(self) -> None:
        self.says: dict[str, Outcome] = {}
        self.rooms: dict[str, int] = {}
        self.running: list[str] = []
        self.most = 0
        self.begun = asyncio.Event()  # a delivery, since this was cleared
        self.go = asyncio.Event()
        self.go.set()

    def next_hop(self, address: str) -> str:
        return address.partition("@")[2]

    def room(self, next_hop: str) -> int:
        return self.rooms.get(next_hop, 100) - self.running.count(next_hop)

    async def deliver(self, envelope: Envelope, content: bytes) -> Outcome:
        hop = self.next_hop(envelope.rcpt_to[0])
        self.running.append(hop)
        self.begun.set()
        self.most = max(self.most, len(self.running))
        await self.go.wait()
        self.running.remove(hop)
        return self.says.get(hop, OK)

    async def close(self) -> None: ...


async def to_domains(bench: Bench, *addresses: str) -> list[int]:
    """Queue one mail for each address, at the next hop that is its domain."""
    ids = []
    for address in addresses:
        hop = bench.transport.next_hop(address)
        ids += (await bench.store.write(mails.queue_mail, bench.clock(), (address,), next_hop=hop))[1]
    bench.queue.wake()
    return ids


def refusing() -> Outcome:
    reply = Reply(code=550, enhanced="5.7.26", text="no")
    return Outcome(result=Result.TEMPORARY, reply=reply, peer="mx.a.example", scope="hop", stops=True)


async def test_a_domain_that_refuses_us_is_paused_and_only_that_one(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    domains = Domains()
    domains.says["a.example"] = refusing()
    made = Bench(store, domains)
    caplog.set_level(logging.INFO)
    async with running(made):
        (first,) = await to_domains(made, "x@a.example")
        assert await made.outcomes(1) == ["deferred"]
        ids = await to_domains(made, "y@a.example", "z@b.example")
        assert (await made.outcomes(2))[1:] == ["sent"]
        assert await made.states([first, *ids]) == ["deferred", "queued", "sent"]
        (hop,) = await store.read(deliveries.stopped_hops, made.clock())
        assert (hop["next_hop"], hop["reason"]) == ("a.example", "it refuses what we send: 550 5.7.26 no")
        assert await store.read(deliveries.paused_hops, made.clock()) == ["a.example"]
        assert any("stopped" in record.getMessage() and "a.example" in record.getMessage() for record in caplog.records)
        del domains.says["a.example"]
        await store.write(deliveries.resume_hop, "a.example")
        await store.write(deliveries.retry, Selection(next_hop="a.example"), made.clock())
        made.queue.retry_now()
        assert (await made.outcomes(4))[2:] == ["sent", "sent"]


async def test_the_pause_of_a_refusing_domain_ends_and_one_mail_goes_ahead(store: Store) -> None:
    domains = Domains()
    domains.says["a.example"] = refusing()
    made = Bench(store, domains)
    async with running(made):
        await to_domains(made, "x@a.example")
        await made.outcomes(1)
        await to_domains(made, *(f"{n}@a.example" for n in range(3)))
        domains.go.clear()
        domains.begun.clear()
        made.clock.forward(hours=4.1)
        made.queue.retry_now()
        await asyncio.wait_for(domains.begun.wait(), PATIENCE)
        assert domains.running == ["a.example"]
        assert await store.read(deliveries.paused_hops, made.clock()) == []
        del domains.says["a.example"]
        domains.go.set()
        assert (await made.outcomes(5))[1:] == ["sent"] * 4


async def test_a_pause_that_a_person_made_is_not_shortened(store: Store) -> None:
    domains = Domains()
    domains.says["a.example"] = refusing()
    domains.go.clear()
    made = Bench(store, domains)
    async with running(made):
        await to_domains(made, "x@a.example")
        await asyncio.wait_for(domains.begun.wait(), PATIENCE)
        await store.write(deliveries.pause_hop, "a.example", "anna", "moving house", None, made.clock())
        domains.go.set()
        await made.outcomes(1)
        (hop,) = await store.read(deliveries.list_hops)
        assert (hop["paused_by"], hop["paused_until"], hop["reason"]) == ("anna", None, "moving house")
        assert await store.read(deliveries.stopped_hops, made.clock()) == []


async def test_no_more_is_claimed_than_the_transport_has_room_for(store: Store) -> None:
    """The first claim would take two; those that it takes begin in the same turn of the loop."""
    domains = Domains()
    domains.rooms["a.example"] = 1
    domains.go.clear()
    made = Bench(store, domains)
    async with running(made):
        await to_domains(made, *(f"{n}@a.example" for n in range(6)))
        await asyncio.wait_for(domains.begun.wait(), PATIENCE)
        assert domains.running == ["a.example"]
        domains.go.set()
        assert await made.outcomes(6) == ["sent"] * 6
    assert domains.most == 1


async def test_all_next_hops_together_have_a_bound_and_each_its_turn(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_ALL", 4)
    domains = Domains()
    made = Bench(store, domains)
    made.queue = made.another("boot-2", concurrency=2)
    async with running(made):
        domains.go.clear()
        await to_domains(made, *(f"{n}@{name}.example" for name in "abcdefgh" for n in range(3)))
        while len(domains.running) < 4:
            domains.begun.clear()
            await asyncio.wait_for(domains.begun.wait(), PATIENCE)
        domains.go.set()
        assert await made.outcomes(24) == ["sent"] * 24
    assert domains.most == 4


async def test_when_not_all_next_hops_have_room_chance_says_whose_turn_it_is(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the mails of the first domain would all go before those of any other."""
    monkeypatch.setattr(queue_module, "_ALL", 1)
    monkeypatch.setattr(random, "shuffle", random.Random(1).shuffle)
    made = Bench(store, Domains())
    made.queue = made.another("boot-2", concurrency=1)
    await to_domains(made, *(f"{n}@{name}.example" for name in "abcd" for n in range(8)))
    async with running(made):
        assert await made.outcomes(32) == ["sent"] * 32
    turns = [claimed.next_hop for claimed, _, _ in made.ended]
    assert len(set(turns[:8])) > 1


async def test_next_hops_without_work_are_forgotten_when_they_are_many(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "_KEPT_LANES", 5)
    made = Bench(store, Domains())
    async with running(made):
        await to_domains(made, *(f"x@d{number}.example" for number in range(20)))
        await made.outcomes(20)
        made.queue.wake()
        await to_domains(made, "x@last.example")
        await made.outcomes(21)
    assert len(made.queue._lanes) <= 6
