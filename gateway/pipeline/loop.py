"""The loop: claims what is due, works on a few documents at a time, and records how each one ended."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from gateway import maillog, metrics, rules, signing
from gateway.config import Config, Source
from gateway.directory import number_key
from gateway.errors import ConfigError, GatewayError, Refused, Unconvertible, Unreadable
from gateway.model import UTC, Attachment, ReadDocument, Recipient, Resolution, Step, Value
from gateway.pipeline import finding, outgoing
from gateway.settings import Business
from gateway.store import Store, companies, content, documents, meta, recipients, settings, submissions
from gateway.store.documents import ClaimedDocument, Finding, Hold, NewMessage
from gateway.store.submissions import ClaimedSubmission
from gateway.workers import Died, Pool

LEASE = dt.timedelta(minutes=10)  # longer than all limits of one document's work together
RETRY = dt.timedelta(seconds=20)  # after a failure of ours
POLL_SECONDS = 1.0  # a missed hint costs at most this
READ_SECONDS = 12.0  # wall time of one worker for reading a document
WRITE_SECONDS = 20.0  # and for writing it in another format
BYTES_IN_FLIGHT = 128 << 20
MAX_DEATHS = 2  # design D11: a document that has cost two workers is held

_log = logging.getLogger("gateway.pipeline")


class Held(Exception):
    """The document cannot go on; carries what becomes of it."""

    def __init__(self, why: Hold, found: Finding) -> None:
        super().__init__(why.cause)
        self.why = why
        self.found = found


class Looked(Value, frozen=True, kw_only=True):
    """What the store says of a document's company, in one snapshot."""

    business: Business
    rows: tuple[Recipient, ...]
    seen: int  # `meta.wakes` at that moment


def look_up(connection: Connection, company_id: int, keys: tuple[str, ...], default_prefix: str) -> Looked:
    """A verb: the settings of the company and its directory rows under `keys`."""
    name = companies.company_name(connection, company_id)
    values = settings.values(connection, company_id)
    return Looked(
        business=Business.of(name, values, default_prefix),
        rows=tuple(recipients.rows_for(connection, company_id, keys)) if keys else (),
        seen=meta.wakes(connection),
    )


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
        on_queued: Callable[[], None],
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(UTC),
    ) -> None:
        self._store, self._pool, self._config, self._owner = store, pool, config, owner
        self._verp_key, self._next_hop, self._on_queued, self._now = verp_key, next_hop, on_queued, now
        self._sources: dict[str, Source] = {source.name: source for source in config.sources}
        self._slots = pool.count * 2
        self._tasks: set[asyncio.Task[None]] = set()
        self._hint = asyncio.Event()
        self._bytes = 0
        self._loop: asyncio.Task[None] | None = None
        self._keys: tuple[signing.Key, ...] = ()
        self.reload_keys()

    # --- for the daemon ---

    async def start(self) -> None:
        """Free what an earlier boot had under lease, then work."""
        await self._store.write(submissions.free_leases, self._owner, self._now())
        await self._store.write(documents.free_leases, self._owner, self._now())
        if self._keys:
            await self._store.write(documents.wake_documents, "dkim", self._now())
        self._loop = asyncio.create_task(self._run(), name="pipeline")

    def wake(self) -> None:
        """Something new may be due."""
        self._hint.set()

    def reload_keys(self) -> bool:
        """Read the signing keys again; False when one is unusable: then documents are held, never sent unsigned."""
        try:
            self._keys = signing.load_keys((key.selector, key.file) for key in self._config.dkim)
        except ConfigError as error:
            _log.error("%s", error.sentence)
            self._keys = ()
        return bool(self._keys)

    async def stop(self, grace: float) -> None:
        """Claim nothing more and let running work end for `grace` seconds; what is cut off is done again."""
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
        while True:
            self._hint.clear()
            try:
                busy = await self._claim()
            except GatewayError as error:  # the store is full or away: what waits there waits
                _log.warning("cannot claim: %s", error.sentence)
                busy = False
            if not busy:
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._hint.wait()
        except TimeoutError:
            return

    async def _claim(self) -> bool:
        """Start work for the free slots; False when there is nothing more to start now."""
        free = self._slots - len(self._tasks)
        if free <= 0 or self._bytes >= BYTES_IN_FLIGHT:
            return False
        now = self._now()
        woken = await self._store.write(documents.claim, self._owner, now, now + LEASE, free)
        for document in woken:
            self._start(self._document(document), document.size)
        if free == len(woken):
            return True
        new = await self._store.write(submissions.claim, self._owner, now, now + LEASE, free - len(woken))
        for submission in new:
            self._start(self._submission(submission), submission.size)
        return len(woken) + len(new) == free

    def _start(self, work: Coroutine[Any, Any, None], size: int) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        self._bytes += size

        def ended(done: asyncio.Task[None]) -> None:
            self._tasks.discard(done)
            self._bytes -= size
            self._hint.set()

        task.add_done_callback(ended)

    # --- a submission ---

    async def _submission(self, claimed: ClaimedSubmission) -> None:
        """Find the documents of a submission and work on each; the border of all that may go wrong in it."""
        try:
            data = await self._store.read(content.get, claimed.content_id)
            found = await self._find(claimed, data)
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
            self._trouble(error, f"submission {claimed.id}")
            await self._give_back(submissions.give_back, claimed.id)
            return
        for document in made:
            await self._document(document, data if document.content_id == claimed.content_id else None)

    async def _find(self, claimed: ClaimedSubmission, data: bytes) -> list[submissions.NewDocument]:
        try:
            return await finding.find(claimed, self._sources.get(claimed.source), data, self._pool)
        except (Unreadable, Died):
            # The mail as a whole becomes the document; reading it then says why it is held.
            return [submissions.NewDocument(file_name="message.eml", media_type=finding.MAIL, fields=claimed.fields)]

    # --- a document ---

    async def _document(self, document: ClaimedDocument, data: bytes | None = None) -> None:
        """Take one document to its end in the pipeline; the border of all that may go wrong in it."""
        try:
            if data is None:
                data = await self._store.read(content.get, document.content_id)
            await self._work(document, data)
        except Exception as error:  # border: one document's trouble is its own; it is tried again
            incident = self._trouble(error, f"document {document.id}")
            await self._failed(document, incident)

    async def _failed(self, document: ClaimedDocument, incident: str) -> None:
        """Try again later what failed for a reason of ours, and hold it when that happens again and again."""
        try:
            deaths = await self._store.write(documents.worker_died, document.id)
            if deaths <= MAX_DEATHS:
                await self._store.write(documents.give_back, document.id, self._now() + RETRY)
                return
            sentence = f"The gateway failed over this document {deaths} times; the log has incident {incident}."
            await self._hold(document, Hold(cause="internal", sentence=sentence), Finding(), seen=None)
        except GatewayError as error:  # not even that could be written: the lease ends by itself
            _log.warning("document %d stays leased: %s", document.id, error.sentence)

    async def _work(self, document: ClaimedDocument, data: bytes) -> None:
        source = self._sources.get(document.source)
        looked: Looked | None = None
        try:
            if document.media_type == finding.MAIL and finding.passes_on(source):
                reading = ReadDocument(format="mail", type="other")
            else:
                reading = await self._read(document, source, data)
            looked = await self._store.read(
                look_up, document.company_id, rules.keys(reading, document.fields), self._config.sender.default_prefix
            )
            letter = self._letter(document, reading, looked, source)
            message = await self._message(letter, data)
        except Held as held:
            await self._hold(document, held.why, held.found, None if looked is None else looked.seen)
            return
        stored = await self._store.write_content(
            message.size, documents.queue, document.id, self._owner, _finding(letter), message, self._now()
        )
        if stored:
            maillog.queued(
                document.id,
                message.message_id,
                len(message.deliveries),
                letter.resolution.rule or "",
                document.file_name,
            )
            self._on_queued()

    async def _read(self, document: ClaimedDocument, source: Source | None, data: bytes) -> ReadDocument:
        """What the readers see; Held when they cannot, or when the mail has no document in it."""
        if document.media_type == finding.MAIL:
            await self._hold_mail(document, data)
        patterns = [] if source is None else msgspec.to_builtins(source.patterns)
        with metrics.STAGE_SECONDS.labels("read").time():
            found, _ = await self._in_worker(
                document, "inspect", document.file_name, document.media_type, patterns, blob=data, seconds=READ_SECONDS
            )
        reading = msgspec.convert(found[0], ReadDocument)
        numbers = rules.candidates(reading, document.fields)
        kind = document.fields.type or reading.type
        maillog.recognised(document.submission_id, document.id, kind, reading.number, next(iter(numbers), None))
        return reading

    async def _hold_mail(self, document: ClaimedDocument, data: bytes) -> None:
        """A mail that gave no document: always Held, saying why."""
        if not document.envelope.mail_from:
            why = Hold(
                cause="no-document:bounce",
                sentence="A mail without a sender (a bounce or an automatic reply) never makes documents.",
            )
        else:
            await self._in_worker(document, "split", {}, blob=data, seconds=finding.SPLIT_SECONDS)
            why = Hold(cause="no-document", sentence="The mail has no attachment that is a document.")
        raise Held(why, Finding())

    async def _in_worker(
        self, document: ClaimedDocument, job: str, *args: Any, blob: bytes, seconds: float
    ) -> tuple[Any, bytes]:
        """Run a job of `gateway.jobs` over a document; Held when it is unreadable or costs a worker too often."""
        while True:
            try:
                return await self._pool.run(f"gateway.jobs:{job}", *args, blob=blob, timeout=seconds)
            except Unreadable as error:
                raise Held(Hold(cause=f"unreadable:{error.cause}", sentence=error.sentence), Finding()) from error
            except Died as died:
                if died.reason != "crash":
                    raise Held(Hold(cause=f"unreadable:{died.reason}", sentence=died.sentence), Finding()) from died
                if await self._store.write(documents.worker_died, document.id) >= MAX_DEATHS:
                    sentence = f"{MAX_DEATHS} workers died over this document, so it is not tried a third time."
                    raise Held(Hold(cause="unreadable:crash", sentence=sentence), Finding()) from died

    def _letter(
        self, document: ClaimedDocument, reading: ReadDocument, looked: Looked, source: Source | None
    ) -> outgoing.Letter:
        """Where it goes, in which language; Held when it goes nowhere."""
        fields = document.fields
        envelope = document.envelope if finding.passes_on(source) and document.media_type == finding.MAIL else None
        if document.resend_to:
            resolution = _by_person(document.resend_to, looked.business)
        else:
            resolution = rules.resolve(reading, fields, looked.rows, looked.business, envelope)
        row = resolution.recipient
        letter = outgoing.Letter(
            document=document,
            reading=reading,
            resolution=resolution,
            business=looked.business,
            type=fields.type or reading.type,
            number=fields.number or reading.number,
            language=(row.language if row else None) or fields.language or reading.language or looked.business.language,
        )
        if resolution.cause:
            why = Hold(cause=resolution.cause, sentence=resolution.sentence or "", wakes=resolution.wakes)
            raise Held(why, _finding(letter))
        if not self._keys:
            sentence = "The signing keys cannot be read, and mail never leaves unsigned; the log says which and why."
            raise Held(Hold(cause="unsigned", sentence=sentence, wakes=("dkim",)), _finding(letter))
        return letter

    async def _message(self, letter: outgoing.Letter, data: bytes) -> NewMessage:
        """Convert, compose and sign; Held when the document cannot take that form."""
        sender = outgoing.Sender(
            domain=self._config.sender.domain,
            hostname=self._config.gateway.hostname,
            keys=self._keys,
            verp_key=self._verp_key,
            next_hop=self._next_hop,
        )
        company = letter.business.company
        try:
            if letter.reading.format == "mail":
                return await asyncio.to_thread(outgoing.pass_on, letter, data, sender, self._now())
            attachments = await self._attachments(letter, data)
            with metrics.STAGE_SECONDS.labels("compose").time():
                return await asyncio.to_thread(outgoing.write, letter, attachments, sender, self._now())
        except Unconvertible as error:
            row = letter.resolution.recipient
            wakes = (
                f"setting:{company}:format",
                *([f"recipient:{company}:{number_key(row.number)}"] if row else []),
            )
            why = Hold(cause=f"conversion:{error.term}", sentence=error.sentence, wakes=wakes)
            raise Held(why, _finding(letter)) from error
        except Refused as error:
            why = Hold(cause="template", sentence=error.sentence, wakes=(f"template:{company}",))
            raise Held(why, _finding(letter)) from error

    async def _attachments(self, letter: outgoing.Letter, data: bytes) -> list[Attachment]:
        """The document in the format that the recipient wants, and the files that came with it.

        It is the original bytes when that is its format already. The sender's own PDF beside a structured document
        is the better page, so it goes instead of one of ours.
        """
        document, row = letter.document, letter.resolution.recipient
        target = document.fields.format or letter.business.format(letter.type, row.format if row else None)
        extras = [
            Attachment(
                name=extra.name,
                media_type=extra.media_type,
                content=await self._store.read(content.get, extra.content_id),
            )
            for extra in document.extras
        ]
        if letter.reading.format == target:
            own = Attachment(name=document.file_name, media_type=document.media_type, content=data)
            return [own, *extras]
        pages = [extra for extra in extras if target == "pdf" and extra.media_type == "application/pdf"]
        if pages:
            return [pages[0], *(extra for extra in extras if extra is not pages[0])]
        return [await self._converted(document, target, letter.language, data), *extras]

    async def _converted(self, document: ClaimedDocument, target: str, language: str, data: bytes) -> Attachment:
        options = {"now": self._now().isoformat(), "media_type": document.media_type}
        with metrics.STAGE_SECONDS.labels("convert").time():
            made, blob = await self._in_worker(
                document,
                "convert",
                document.file_name,
                target,
                language,
                options,
                blob=data,
                seconds=WRITE_SECONDS,
            )
        return Attachment(name=made["name"], media_type=made["media_type"], content=blob)

    # --- how it ends ---

    async def _hold(self, document: ClaimedDocument, why: Hold, found: Finding, seen: int | None) -> None:
        """Hold a document; `seen` None when nothing in the store could have changed the decision."""
        if seen is None:
            seen = await self._store.read(meta.wakes)
        now = self._now()
        if await self._store.write(documents.hold, document.id, self._owner, found, why, seen, now):
            maillog.held(document.id, why.cause, why.sentence)
        else:
            self._hint.set()

    async def _give_back(self, verb: Callable[..., None], row_id: int) -> None:
        try:
            await self._store.write(verb, row_id, self._now() + RETRY)
        except GatewayError as error:  # the lease ends by itself
            _log.warning("%d stays leased: %s", row_id, error.sentence)

    @staticmethod
    def _trouble(error: Exception, what: str) -> str:
        """Log a failure of ours; the incident number under which the log has it."""
        incident = secrets.token_hex(4)
        if isinstance(error, GatewayError):
            _log.warning("%s: %s (incident %s)", what, error.sentence, incident)
        else:
            _log.error("%s failed (incident %s)", what, incident, exc_info=error)
        return incident


def _by_person(to: tuple[str, ...], business: Business) -> Resolution:
    """The addresses a person chose for a resend; the company's switch holds these as well (R5)."""
    chosen = Step(rule="person", text=f"sent again to {', '.join(to)}", result="chosen")
    if business.active:
        return Resolution(to=to, rule="person", trace=(chosen,))
    return Resolution(
        rule="person",
        trace=(chosen, Step(rule="distribution", text="e-mail distribution is switched off", result="off")),
        cause="distribution-off",
        sentence=f"E-mail distribution is switched off; it would go to {', '.join(to)}.",
        wakes=(f"setting:{business.company}:distribution.active",),
    )


def _finding(letter: outgoing.Letter) -> Finding:
    reading, fields = letter.reading, letter.document.fields
    return Finding(
        reading=msgspec.structs.replace(reading, invoice=None),
        type=letter.type,
        number=letter.number,
        customer_number=next(iter(rules.candidates(reading, fields)), None),
        trace=letter.resolution.trace,
    )
