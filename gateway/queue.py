"""The queue: claims due deliveries, hands each to the transport, records how it ended.

The loop sleeps until something is due, a slot comes free or somebody calls `wake`; everything it must remember is in
the store, so that it can be stopped or killed at any moment.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway import maillog, retry
from gateway.errors import GatewayError
from gateway.model import UTC, Canonical, Claimed, Envelope, Outcome, Result, Transport
from gateway.store import Store, claims
from gateway.store.claims import Due, Ended, Recorded
from gateway.store.replied import Replied

# Longer than any delivery may take (`smtp.client.TOTAL_DEADLINE` is 18 min): a lease that runs out belongs to nobody.
LEASE = dt.timedelta(minutes=20)
IN_FLIGHT = 24 << 20  # bytes of messages in memory
_LONGEST_SLEEP = 30.0  # seconds; also how soon a clock that was set is noticed
_SWEEP = 60.0  # seconds between two looks for leases that ran out
_ALL = 200  # deliveries at a time to all next hops together; or the concurrency of one, if that is more
_KEPT_LANES = 5000
STOP = dt.timedelta(hours=4)  # how long a next hop that refuses us is paused, when nobody ends the pause
_FIRST_SLOTS = 2
_FIRST_PAUSE = 5.0  # seconds after a next hop failed as a whole; doubles
_LONGEST_PAUSE = 300.0
_STORE_PAUSE = 1.0  # seconds until an outcome that the store did not take is offered again

_NEVER = dt.datetime.max.replace(tzinfo=UTC)

_log = logging.getLogger("gateway.queue")

Load = Callable[[int], Awaitable[bytes]]
OnEnded = Callable[[Claimed, Outcome, Recorded], None]


@dataclass(slots=True)
class Lane:
    """What is known of one next hop: how much it takes at a time, and whether it answers at all."""

    most: int
    slots: int = 0
    running: int = 0
    failures: int = 0  # whole-hop failures in a row
    until: float = 0.0  # loop time before which nothing is claimed
    more: bool = False  # the last claim took all it asked for

    def __post_init__(self) -> None:
        self.slots = min(_FIRST_SLOTS, self.most)

    def free(self, now: float) -> int:
        """How many more deliveries may start. After a failure one goes ahead and tries the hop for the others."""
        if now < self.until:
            return 0
        return max(0, (1 if self.failures else self.slots) - self.running)

    def learn(self, outcome: Outcome, started: float, now: float) -> None:
        """One more at a time after a success, half as many when the hop asks for less, a pause when it is not there."""
        if outcome.result is not Result.TEMPORARY:
            self.slots = min(self.slots + 1, self.most)
            self.failures, self.until = 0, 0.0
            return
        if retry.slows(outcome):
            self.slots = max(1, self.slots // 2)
        if outcome.scope != "hop":
            self.failures = 0  # it answers
        elif started >= self.until:  # those that were under way when the pause began fail of the same cause
            self.until = now + min(_FIRST_PAUSE * 2**self.failures, _LONGEST_PAUSE)
            self.failures += 1


class Queue:
    """One per process; `owner` is the boot id under which it leases."""

    def __init__(
        self,
        store: Store,
        transport: Transport,
        load: Load,
        *,
        owner: str,
        replied: Replied,
        concurrency: int = 20,
        in_flight: int = IN_FLIGHT,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(UTC),
        jitter: Callable[[], float] = lambda: random.uniform(-1, 1),
        on_ended: OnEnded = lambda claimed, outcome, recorded: None,
    ) -> None:
        """`load(message_id)` gives the bytes of a message; `concurrency` is the most connections per next hop.

        `in_flight` bounds the bytes in memory, but for one message. `on_ended` hears every outcome after its commit;
        until then `replied` keeps what was sent.
        """
        self._store = store
        self._transport = transport
        self._load = load
        self._owner = owner
        self._replied = replied
        self._concurrency = concurrency
        self._most = max(_ALL, concurrency)
        self._in_flight = in_flight
        self._now = now
        self._jitter = jitter
        self._on_ended = on_ended
        self._lanes: dict[str, Lane] = {}
        self._bytes = 0
        self._taken = 0  # slots, of all next hops
        self._running: set[asyncio.Task[None]] = set()
        self._ready = asyncio.Event()
        self._look = True  # ask the store which hops have work
        self._earliest = _NEVER  # when the next delivery is due that is not due yet
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Record what an earlier boot had sent, free what it had leased, then run."""
        await self._recall(self._replied.open())
        await self._store.write(claims.free_leases, self._owner, self._now())
        self._task = asyncio.create_task(self._run(), name="queue")

    def wake(self) -> None:
        """Something may be due: a hint, to be given after a commit that queues, releases or resumes."""
        self._look = True
        self._ready.set()

    # --- what the pipeline hands over (`model.Outlet`) ---

    def reserve(self, next_hop: str, size: int) -> dt.datetime | None:
        """A slot for a delivery that is about to be stored; None while others wait there already, who go first."""
        lane = self._lanes.setdefault(next_hop, Lane(self._concurrency))
        if lane.more or self._stopping or self._task is None or self._bytes >= self._in_flight:
            return None
        if self._room(next_hop, lane) <= 0:
            return None
        self._take_slot(lane, size)
        return self._now() + LEASE

    def hand(self, claimed: Claimed, content: Canonical) -> None:
        """Send what was stored under the lease that `reserve` gave."""
        self._start(claimed, self._lanes[claimed.next_hop], asyncio.get_running_loop().time(), content)

    def give_back(self, next_hop: str, size: int) -> None:
        """A reservation that came to nothing."""
        self._free_slot(self._lanes[next_hop], size)

    def retry_now(self, next_hop: str | None = None) -> None:
        """A person wants it tried now: forget that `next_hop`, or every one, did not answer."""
        for name, lane in self._lanes.items():
            if next_hop in (None, name):
                lane.until = 0.0
        self.wake()

    async def stop(self, grace: float = 30.0) -> None:
        """Claim nothing more, give what is under way `grace` seconds, leave the rest to its lease; then hang up.

        What is cut off is freed at the next start as `interrupted`: tried again, never lost.
        """
        self._stopping = True
        self._ready.set()
        if self._task is not None:
            await self._task
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace)
            for task in late:
                task.cancel()
            if late:
                _log.warning("stopped with %d deliveries under way; they are tried again at the next start", len(late))
                await asyncio.wait(late)
        self._replied.close()
        await self._transport.close()

    @property
    def running(self) -> int:
        """Deliveries under way."""
        return len(self._running)

    # --- the loop ----------------------------------------------------------------------------------------

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        swept = loop.time()
        while not self._stopping:
            self._ready.clear()
            pause = _LONGEST_SLEEP
            try:
                if loop.time() >= swept + _SWEEP:
                    swept = loop.time()
                    await self._store.write(claims.free_leases, self._owner, self._now())
                pause = await self._fill()
            except GatewayError as error:  # the store is full or away; it says so itself, we come back
                _log.warning("nothing claimed: %s", error.sentence)
                pause, self._look = _STORE_PAUSE, True
            except Exception:  # border: whatever goes wrong here must not end the sending of mail
                _log.exception("the queue's loop failed")
                pause, self._look = _STORE_PAUSE, True
            if not self._ready.is_set():
                await self._sleep(pause)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._ready.wait()
        except TimeoutError:
            self._look = True

    async def _fill(self) -> float:
        """Start as many deliveries as there are slots; seconds until there may be more to do."""
        clock = asyncio.get_running_loop().time
        if self._look or self._now() >= self._earliest:
            self._look, self._earliest = False, _NEVER
            hops, known = await self._store.read(claims.due_hops, self._now()), True
            later = [due.at for due in hops if due.at > self._now()]
            self._earliest = min([self._earliest, *later])  # what was deferred meanwhile may not be among `hops`
            self._forget_lanes()
        else:  # every delivery that ends comes by here: a hop that had more than it could take is not asked for again
            hops, known = [Due(next_hop=name, at=self._now()) for name in self._lanes if self._lanes[name].more], False
        pause = min(_LONGEST_SLEEP, (self._earliest - self._now()).total_seconds())
        if len(hops) > 1:
            random.shuffle(hops)  # when there is not room for all of them, each has its chance
        for due in hops:
            lane = self._lanes.setdefault(due.next_hop, Lane(self._concurrency))
            if due.at > self._now():
                continue
            if lane.until > clock():
                lane.more = True
                pause = min(pause, lane.until - clock())
            else:
                await self._claim(due.next_hop, lane, known)
        return max(0.0, pause)

    def _forget_lanes(self) -> None:
        """What was learned of next hops where nothing goes on, when they are many."""
        if len(self._lanes) > _KEPT_LANES:
            busy = {name: lane for name, lane in self._lanes.items() if lane.running or lane.more or lane.failures}
            self._lanes = busy

    async def _claim(self, name: str, lane: Lane, known: bool) -> None:
        """Claim for the free slots of one next hop; `known` when the store has just said that something is due."""
        started = asyncio.get_running_loop().time()
        budget = self._in_flight - self._bytes
        free = self._room(name, lane)
        lane.more = True
        if free <= 0 or budget <= 0 or self._stopping:
            return  # the next delivery that ends wakes the loop
        now = self._now()
        claimed = await self._store.write(
            claims.claim, name, free, self._owner, now, lease_until=now + LEASE, budget=budget
        )
        if len(claimed) < free:  # no more is due, or no more fits: ask, unless the store contradicts itself
            lane.more = False
            if claimed or not known:
                self.wake()
        for item in claimed:
            self._take_slot(lane, item.size)
            self._start(item, lane, started)

    def _start(self, claimed: Claimed, lane: Lane, started: float, content: bytes | None = None) -> None:
        task = asyncio.create_task(self._deliver(claimed, lane, started, content))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _room(self, name: str, lane: Lane) -> int:
        """How many more deliveries may start at the next hop `name`."""
        now = asyncio.get_running_loop().time()
        return min(lane.free(now), self._transport.room(name), self._most - self._taken)

    def _take_slot(self, lane: Lane, size: int) -> None:
        lane.running += 1
        self._taken += 1
        self._bytes += size

    def _free_slot(self, lane: Lane, size: int) -> None:
        lane.running -= 1
        self._taken -= 1
        self._bytes -= size
        if self._look or any(each.more for each in self._lanes.values()):
            self._ready.set()

    # --- one delivery ------------------------------------------------------------------------------------

    async def _deliver(self, claimed: Claimed, lane: Lane, started: float, content: bytes | None) -> None:
        try:
            outcome = await self._attempt(claimed, content)
            lane.learn(outcome, started, asyncio.get_running_loop().time())
            await self._record(claimed, outcome)
        finally:
            self._free_slot(lane, claimed.size)

    async def _attempt(self, claimed: Claimed, content: bytes | None) -> Outcome:
        try:
            if content is None:
                content = await self._load(claimed.message_id)
            address = claimed.address
            envelope = Envelope(mail_from=claimed.mail_from, rcpt_to=(address,), smtputf8=not address.isascii())
            return await self._transport.deliver(envelope, content)
        except Exception:  # border: one delivery that trips over a mistake of ours must not stop the others
            _log.exception("a delivery failed in an unexpected way")
            return retry.failed("4.3.0", "an error inside the gateway; its log has the details", scope="message")

    async def _record(self, claimed: Claimed, outcome: Outcome) -> None:
        """Store the outcome, however long the store takes to accept it: it cannot be had a second time."""
        now = self._now()
        again = None
        if outcome.result is Result.TEMPORARY:
            again = retry.next_attempt(claimed.attempts, now, claimed.expires_at, self._jitter())
        stopped = now + STOP if outcome.stops else None
        ended = Ended(claimed=claimed, outcome=outcome, at=now, next_attempt=again, stopped_until=stopped)
        slot = self._replied.note(ended) if outcome.result is Result.DONE else None
        while True:
            try:
                (recorded,) = await self._store.write(claims.record, [ended])
                break
            except GatewayError as error:
                _log.warning("an outcome waits for the store: %s", error.sentence)
                await asyncio.sleep(_STORE_PAUSE)
        self._replied.forget(slot)
        if again is not None:
            self._earliest = min(self._earliest, again)
            self._ready.set()
        self._tell(claimed, outcome, recorded, again)

    async def _recall(self, sent: list[Ended]) -> None:
        """Record what a process had sent that was killed before it could; what is recorded already stays as it is."""
        for ended, recorded in zip(sent, await self._store.write(claims.record, sent), strict=True):
            if recorded.delivery_state is not None:
                self._tell(ended.claimed, ended.outcome, recorded, None)

    def _tell(self, claimed: Claimed, outcome: Outcome, recorded: Recorded, again: dt.datetime | None) -> None:
        who = (claimed.delivery_id, claimed.document_id, claimed.address, outcome)
        if outcome.result is Result.DONE:
            maillog.sent(*who)
        elif again is None:
            maillog.bounced(*who)
        else:
            maillog.deferred(*who, again.isoformat(timespec="seconds").replace("+00:00", "Z"))
        if outcome.stops:
            maillog.stopped(claimed.next_hop, outcome)
        self._on_ended(claimed, outcome, recorded)
