"""The loop: claims what is due, works on a few documents at a time, and records how each one ended."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import secrets
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from gateway import maillog, signing
from gateway.config import Config
from gateway.errors import ConfigError, GatewayError, Temporary, Unreadable
from gateway.model import UTC, Canonical, Outlet, show_id
from gateway.pipeline import dividing, finding
from gateway.pipeline.piecing import Pieces, is_piece
from gateway.pipeline.steps import MAX_DEATHS, Held, Made, Steps
from gateway.recent import Recent
from gateway.store import Store, content, documents, messages, meta, submissions
from gateway.store.documents import ClaimedDocument, Finding, Hold
from gateway.store.leases import Lease
from gateway.store.messages import NewMessage, Queued
from gateway.store.submissions import ClaimedSubmission
from gateway.workers import Died, Pool

LEASE = dt.timedelta(minutes=10)  # longer than all limits of one document's work together
RETRY = dt.timedelta(seconds=20)  # after a failure of ours
POLL_SECONDS = 1.0  # a missed hint costs at most this
SWEEP_SECONDS = 60.0  # how often leases that have run out are freed
SLOTS = 32  # submissions and documents at a time; what needs a worker waits for one in the pool
BYTES_IN_FLIGHT = 24 << 20  # contents in memory, but for one that is larger

_log = logging.getLogger("gateway.pipeline")


class Pipeline:
    """Turns submissions into queued messages or held documents. One per process."""

    def __init__(
        self,
        store: Store,
        pool: Pool,
        config: Config,
        *,
        owner: str,
        verp_key: bytes,
        next_hop: Callable[[str], str],
        outlet: Outlet,
        recent: Recent,
        rules: Pool | None = None,
        on_quirks: Callable[[str, Sequence[str]], None] = lambda source, names: None,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(UTC),
    ) -> None:
        self._store, self._pool, self._config, self._owner = store, pool, config, owner
        self._outlet, self._now = outlet, now
        self._steps = Steps(store, pool, config, verp_key=verp_key, next_hop=next_hop, now=now, rules=rules)
        self._pieces = Pieces(store, owner, now)
        self._on_quirks = on_quirks
        self._recent = recent
        self._tasks: set[asyncio.Task[None]] = set()
        self._hint = asyncio.Event()
        self._bytes = 0
        self._running = 0  # of the slots
        self._more = True  # something may be due that is not claimed: it goes before what is handed over
        self._open = False
        self._loop: asyncio.Task[None] | None = None
        self.reload_keys()

    # --- for the daemon ---

    async def start(self) -> None:
        """Free what an earlier boot had under lease, then work."""
        await self._free()
        if self._steps.keys:
            await self._store.write(documents.wake_documents, "dkim", self._now())
        self._loop = asyncio.create_task(self._run(), name="pipeline")
        self._open = True

    def wake(self) -> None:
        """Something new may be due."""
        self._more = True
        self._hint.set()

    def reserve(self, size: int) -> Lease | None:
        """A slot for a submission of `size` bytes that is about to be stored: the lease under which it is born.

        None while there is none, or while others wait who go first. Each is followed by `take` or `give_back`.
        """
        if self._more or not self._open or self._running >= SLOTS or self._bytes >= BYTES_IN_FLIGHT:
            return None
        self._take_slot(size)
        return Lease(self._owner, self._now() + LEASE)

    def take(self, claimed: ClaimedSubmission, data: bytes) -> None:
        """Work on what was stored under the lease that `reserve` gave."""
        self._start(self._submission(claimed, data), claimed.size)

    def give_back(self, size: int) -> None:
        """A reservation that came to nothing."""
        self._free_slot(size)

    def changed(self) -> None:
        """A person changed something: what is done from now on sees it."""
        self._steps.forget()
        self.wake()

    def reload_keys(self) -> bool:
        """Read the signing keys again; False when one is unusable: then documents are held, never sent unsigned."""
        try:
            self._steps.keys = signing.load_keys((key.selector, key.file) for key in self._config.dkim)
        except ConfigError as error:
            _log.error("%s", error.sentence)
            self._steps.keys = ()
        if not self._steps.keys:
            _log.error("no mail leaves until there is a signing key; 'gateway check' says what is wrong")
        return bool(self._steps.keys)

    async def stop(self, grace: float) -> None:
        """Claim nothing more and let running work end for `grace` seconds; what is cut off is done again."""
        self._open = False
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- claiming ---

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        sweep = clock() + SWEEP_SECONDS
        while True:
            self._hint.clear()
            busy = False
            try:
                if clock() >= sweep:  # what could not even be given back, because the store was full or away
                    sweep = clock() + SWEEP_SECONDS
                    await self._free()
                busy = await self._claim()
            except GatewayError as error:  # the store is full or away: what waits there waits
                _log.warning("cannot claim: %s", error.sentence)
            except Exception:  # border: whatever goes wrong here must not end the work on documents
                _log.exception("the pipeline's loop failed")
            if not busy:
                await self._wait()

    async def _free(self) -> None:
        """Free what another boot had under lease, and what this one has had for too long."""
        await self._store.write(submissions.free_leases, self._owner, self._now())
        await self._store.write(documents.free_leases, self._owner, self._now())

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._hint.wait()
        except TimeoutError:
            return

    async def _claim(self) -> bool:
        """Start work for the free slots; False when there is nothing more to start now."""
        free, room = SLOTS - self._running, BYTES_IN_FLIGHT - self._bytes
        if free < SLOTS // 4 or room <= 0:  # a few at a time: one claim, one commit for all
            return False
        now = self._now()
        woken, new = await self._store.write(submissions.claim_work, self._owner, now, now + LEASE, free, room)
        for document in woken:
            self._take_slot(document.size)
            self._start(self._document(document), document.size)
        for submission in new:
            self._take_slot(submission.size)
            self._start(self._submission(submission), submission.size)
        self._more = len(woken) + len(new) == free
        return self._more

    def _start(self, work: Coroutine[Any, Any, None], size: int) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)

        def ended(done: asyncio.Task[None]) -> None:
            self._tasks.discard(done)
            self._free_slot(size)

        task.add_done_callback(ended)

    def _take_slot(self, size: int) -> None:
        self._running += 1
        self._bytes += size

    def _free_slot(self, size: int) -> None:
        self._running -= 1
        self._bytes -= size
        if self._more:
            self._hint.set()

    # --- a submission ---

    async def _submission(self, claimed: ClaimedSubmission, data: bytes | None = None) -> None:
        """Find the documents of a submission and work on each; the border of all that may go wrong in it."""
        try:
            if data is None:
                data = self._recent.take(claimed.id)
            if data is None:
                data = await self._store.read(content.get, claimed.content_id)
                if claimed.channel == "smtp":  # its line ends were made so as it came in
                    data = Canonical(data)
            if await self._pass_on(claimed, data):
                return
            found = await self._find(claimed, data)
            found = await dividing.divide(found, data, self._pool, last=claimed.tries >= MAX_DEATHS)
            now = self._now()
            made = await self._store.write_content(
                sum(new.size for new in found),
                submissions.finish,
                claimed,
                found,
                self._owner,
                now,
                now + LEASE,
            )
        except Exception as error:  # border: one submission's trouble is its own; it is tried again
            self._trouble(error, f"submission {show_id(claimed.id)}")
            await self._give_back(submissions.give_back, claimed.id, not isinstance(error, Temporary))
            return
        for document in made:
            await self._document(document, data if document.content_id == claimed.content_id else None)

    async def _pass_on(self, claimed: ClaimedSubmission, data: bytes) -> bool:
        """Take a mail that is passed on as it is to its end in one commit; False when it goes the longer way."""
        if claimed.tries or claimed.channel == "folder" or not finding.passes_on(self._steps.source(claimed.source)):
            return False
        document = submissions.document_of(claimed, finding.whole(claimed))
        try:
            made = await self._steps.make(document, data)
        except Held:  # it needs a row of its own first
            return False
        await self._queue(document, made, data, found_in=claimed)
        return True

    async def _find(self, claimed: ClaimedSubmission, data: bytes) -> list[submissions.NewDocument]:
        if claimed.tries <= MAX_DEATHS or claimed.channel == "folder":
            try:
                seen = partial(self._on_quirks, claimed.source)
                return await finding.find(claimed, self._steps.source(claimed.source), data, self._pool, seen)
            except (Unreadable, Died):
                pass
        # The mail as a whole becomes the document; reading it then says why it is held.
        return [finding.whole(claimed)]

    # --- a document ---

    async def _document(self, document: ClaimedDocument, data: bytes | None = None) -> None:
        """Take one document to its end in the pipeline; the border of all that may go wrong in it."""
        try:
            if data is None:
                data = await self._store.read(content.get, document.content_id)
            await self._work(document, data)
        except Exception as error:  # border: one document's trouble is its own; it is tried again
            incident = self._trouble(error, f"document {show_id(document.id)}")
            if isinstance(error, Temporary):  # the store or the workers are away: no fault of the document's
                await self._give_back(documents.give_back, document.id)
            else:
                await self._failed(document, incident)

    async def _failed(self, document: ClaimedDocument, incident: str) -> None:
        """Try again later what failed for a reason of ours, and hold it when that happens again and again."""
        try:
            deaths = await self._store.write(documents.worker_died, document.id)
            if deaths <= MAX_DEATHS:
                await self._give_back(documents.give_back, document.id)
                return
            sentence = f"The gateway failed over this document {deaths} times; the log has incident {incident}."
            await self._hold(document, Hold(cause="internal", sentence=sentence), Finding(), seen=None)
        except GatewayError as error:  # not even that could be written: the lease ends by itself
            _log.warning("document %s stays leased: %s", show_id(document.id), error.sentence)

    async def _work(self, document: ClaimedDocument, data: bytes) -> None:
        if is_piece(document):
            why = await self._pieces.go_on(document)
            self.wake()  # the whole is due when this was the last piece
            if why is not None:
                await self._hold(document, why, Finding(trace=document.came.steps), seen=None)
            return
        try:
            made = await self._steps.make(document, data)
        except Held as held:
            await self._hold(document, held.why, held.found, held.seen)
            return
        await self._queue(document, made, data)

    async def _queue(
        self, document: ClaimedDocument, made: Made, data: bytes, found_in: ClaimedSubmission | None = None
    ) -> None:
        """Store a message; what finds a free slot in the queue is on its way as soon as that is committed."""
        message = made.message
        leases = {
            each.id: until
            for each in message.deliveries
            if (until := self._outlet.reserve(each.next_hop, message.size)) is not None
        }
        queued: Queued | None = None
        try:
            end = (document.id,) if found_in is None else (found_in, document)
            verb: Callable[..., Queued | None] = messages.queue if found_in is None else messages.pass_on
            queued = await self._store.write_content(
                message.size, verb, *end, self._owner, made.found, message, self._now(), leases
            )
        finally:
            claimed = {item.delivery_id: item for item in queued.claimed} if queued else {}
            for each in message.deliveries:
                if each.id in leases and each.id not in claimed:
                    self._outlet.give_back(each.next_hop, message.size)
        if queued is None:
            self.wake()  # cancelled, or due again
            return
        whole = _whole(message, data)
        maillog.queued(document.id, message.message_id, len(message.deliveries), made.rule, document.file_name)
        for item in queued.claimed:
            self._outlet.hand(item, whole)
        if len(claimed) < len(message.deliveries):
            self._recent.put(message.id, whole)  # the queue wants them next
            self._outlet.wake()

    # --- how it ends ---

    async def _hold(self, document: ClaimedDocument, why: Hold, found: Finding, seen: int | None) -> None:
        """Hold a document; `seen` None when nothing in the store could have changed the decision."""
        if seen is None:
            seen = await self._store.read(meta.wakes)
        now = self._now()
        if await self._store.write(documents.hold, document.id, self._owner, found, why, seen, now):
            (maillog.ended if why.ends else maillog.held)(document.id, why.cause, why.sentence)
        else:
            self._steps.forget()
            self.wake()

    async def _give_back(self, verb: Callable[..., None], row_id: int, *how: bool) -> None:
        try:
            await self._store.write(verb, row_id, self._now() + RETRY, *how)
            self._more = True
        except GatewayError as error:  # the lease ends by itself
            _log.warning("%s stays leased: %s", show_id(row_id), error.sentence)

    @staticmethod
    def _trouble(error: Exception, what: str) -> str:
        """Log a failure of ours; the incident number under which the log has it."""
        incident = secrets.token_hex(4)
        if isinstance(error, GatewayError):
            _log.warning("%s: %s (incident %s)", what, error.sentence, incident)
        else:
            _log.error("%s failed (incident %s)", what, incident, exc_info=error)
        return incident


def _whole(message: NewMessage, data: bytes) -> Canonical:
    """The message's bytes, made of those of its document where it has none of its own."""
    if message.body is not None and message.body.data is not None:
        own = message.body.data
        return own if isinstance(own, Canonical) else Canonical(own)
    header = message.header or b""
    whole = Canonical(b"".join((header, memoryview(data)[message.body_offset :])))
    whole.dotted = not isinstance(data, Canonical) or data.dotted or header.startswith(b".") or b"\n." in header
    return whole
