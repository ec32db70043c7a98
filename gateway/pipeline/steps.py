"""One document from its bytes to its signed message: read, resolve, convert, compose, sign; or `Held` on the way."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from typing import Any, ParamSpec

import msgspec
from sqlalchemy.engine import Connection

from gateway import constants, maillog, metrics, rules, signing
from gateway.config import Config, Source
from gateway.directory import number_key
from gateway.errors import Refused, Unconvertible, Unreadable
from gateway.mimeheader import CHARSETS
from gateway.model import ReadDocument, Recipient, Resolution, Step, Value
from gateway.pipeline import finding, mailing, outgoing
from gateway.pipeline.checks import Checks
from gateway.pipeline.converting import Converting
from gateway.settings import Business
from gateway.store import Store, companies, documents, lookups, meta, recipients, settings
from gateway.store.documents import ClaimedDocument, Finding, Hold
from gateway.store.messages import NewMessage
from gateway.workers import Died, Pool

P = ParamSpec("P")
READ_SECONDS = 12.0  # wall time of one worker for reading a document
SETTINGS_SECONDS = 1.0  # how long a company's settings are kept
TINY = 16 << 10  # bytes; less than that costs little beside its signature
SMALL = 128 << 10  # bytes that are composed and signed in a millisecond or two
MAX_DEATHS = 2  # design D11: a document that has cost two workers is held


class Held(Exception):
    """The document cannot go on: why, what was learnt of it, and `meta.wakes` as of the look-up, if there was one."""

    def __init__(self, why: Hold, found: Finding | None = None, seen: int | None = None) -> None:
        super().__init__(why.cause)
        self.why, self.found, self.seen = why, found or Finding(), seen


class Looked(Value, frozen=True, kw_only=True):
    """What the store says of a document's company, in one snapshot."""

    business: Business
    rows: tuple[Recipient, ...]
    seen: int  # `meta.wakes` at that moment
    generation: int  # of the settings


def look_up(connection: Connection, company_id: int, keys: tuple[str, ...], default_prefix: str) -> Looked:
    """A verb: the settings of the company and its directory rows under `keys`."""
    name = companies.company_name(connection, company_id)
    values = settings.values(connection, company_id)
    return Looked(
        business=Business.of(name, values, default_prefix),
        rows=tuple(recipients.rows_for(connection, company_id, keys)) if keys else (),
        seen=meta.wakes(connection),
        generation=settings.generation(connection),
    )


class Made(Value, frozen=True, kw_only=True):
    """A document that goes: its message, and what was learnt of it."""

    message: NewMessage
    found: Finding
    rule: str


class Steps:
    """The steps, with what they need of the gateway. `keys` are the signing keys; without any, nothing goes.
    `rules`, which is not started yet, is for what checks the rules of formats; without it the record says so."""

    def __init__(
        self,
        store: Store,
        pool: Pool,
        config: Config,
        *,
        verp_key: bytes,
        next_hop: Callable[[str], str],
        now: Callable[[], dt.datetime],
        rules: Pool | None = None,
    ) -> None:
        self._converting = Converting(store, Checks(rules), self._in_worker, now, config.gateway.pages)
        self._store, self._pool, self._config = store, pool, config
        self._verp_key, self._next_hop, self._now = verp_key, next_hop, now
        self._sources: dict[str, Source] = {source.name: source for source in config.sources}
        self._looked: dict[int, tuple[Looked | None, float]] = {}
        self._turn = asyncio.Lock()
        self.keys: tuple[signing.Key, ...] = ()

    def source(self, name: str) -> Source | None:
        """The source called `name`; None when the configuration has none any more."""
        return self._sources.get(name)

    async def make(self, document: ClaimedDocument, data: bytes) -> Made:
        """The message of `document`, whose bytes are `data`; Held when it cannot go on. Either way the trace begins
        with the mail that it came in and the file that it was one of several in."""
        try:
            made = await self._make(document, data)
        except Held as held:
            held.found = mailing.before(document, _of_several(document, held.found))
            raise
        found = mailing.before(document, _of_several(document, made.found))
        return msgspec.structs.replace(made, found=found)

    async def _make(self, document: ClaimedDocument, data: bytes) -> Made:
        if document.came.cause is not None:  # decided when it was found
            sentence = document.came.sentence or ""
            raise Held(Hold(cause=document.came.cause, sentence=sentence, ends=document.came.ends))
        source = self.source(document.source)
        passed_on = document.media_type == finding.MAIL and finding.passes_on(source)
        if passed_on:
            reading = ReadDocument(format="mail", type="other")
        else:
            reading = await self._read(document, source, data)
        looked = await self._look_up(document.company_id, rules.keys(reading, document.fields))
        try:
            letter = self._letter(document, reading, looked, passed_on)
            message, notes = await self._message(letter, data)
        except Held as held:
            held.seen = looked.seen
            raise
        return Made(message=message, found=_finding(letter, notes), rule=letter.resolution.rule or "")

    async def _look_up(self, company_id: int, keys: tuple[str, ...]) -> Looked:
        """Settings and directory rows. Settings are kept until there are others; without a row to look for they may be
        a second old: what they hold is looked at again, and the commit that queues a document asks for the switch
        itself."""
        kept, until = self._looked.get(company_id, (None, 0.0))
        if kept is not None and not keys and time.monotonic() < until:
            return kept
        if kept is not None and keys:
            known = await self._store.read_one(lookups.known, company_id, keys)
            if known.generation == kept.generation:
                return msgspec.structs.replace(kept, rows=known.rows, seen=known.wakes)
        looked = await self._store.read(look_up, company_id, keys, self._config.sender.default_prefix)
        self._looked[company_id] = (msgspec.structs.replace(looked, rows=()), time.monotonic() + SETTINGS_SECONDS)
        return looked

    def forget(self) -> None:
        """Something changed: the next document sees today's settings."""
        self._looked.clear()

    async def _read(self, document: ClaimedDocument, source: Source | None, data: bytes) -> ReadDocument:
        """What the readers see; Held when they cannot, or when the mail has no document in it."""
        if document.media_type == finding.MAIL:
            await self._hold_mail(document, data)
        patterns = [] if source is None else msgspec.to_builtins(source.patterns)
        with metrics.STAGE_SECONDS.labels("read").time():
            found, _ = await self._in_worker(
                document, "inspect", document.file_name, document.media_type, patterns, blob=data, seconds=READ_SECONDS
            )
        if len(found) > 1:  # dividing it cost workers, or an older version took it in
            sentence = f"The file holds {len(found)} documents, perhaps for several recipients; hand it in again."
            raise Held(Hold(cause="unreadable:several-documents", sentence=sentence))
        reading = msgspec.convert(found[0], ReadDocument)
        if document.origin:
            reading = msgspec.structs.replace(reading, evidence=(*reading.evidence, *document.origin.evidence))
        reading = mailing.filled(reading, document.fields)
        numbers = rules.candidates(reading, document.fields)
        kind = document.fields.type or reading.type
        maillog.recognised(document.submission_id, document.id, kind, reading.number, next(iter(numbers), None))
        return reading

    async def _hold_mail(self, document: ClaimedDocument, data: bytes) -> None:
        """A mail that gave no document: always Held, saying why."""
        if not document.envelope.mail_from:
            why = Hold(cause="no-document:bounce", sentence=finding.BOUNCE)
        else:
            await self._in_worker(document, "split", {}, blob=data, seconds=finding.SPLIT_SECONDS)
            why = Hold(cause="no-document", sentence=finding.NO_DOCUMENT)
        raise Held(why)

    async def _in_worker(
        self, document: ClaimedDocument, job: str, *args: Any, blob: bytes, seconds: float
    ) -> tuple[Any, bytes]:
        """Run a job of `gateway.jobs` over a document; Held when it is unreadable or costs a worker too often."""
        while True:
            try:
                return await self._pool.run(f"gateway.jobs:{job}", *args, blob=blob, timeout=seconds)
            except Unreadable as error:
                raise Held(Hold(cause=f"unreadable:{error.cause}", sentence=error.sentence)) from error
            except Died as died:
                if died.reason != "crash":
                    raise Held(Hold(cause=f"unreadable:{died.reason}", sentence=died.sentence)) from died
                if await self._store.write(documents.worker_died, document.id) >= MAX_DEATHS:
                    sentence = f"{MAX_DEATHS} workers died over this document, so it is not tried a third time."
                    raise Held(Hold(cause="unreadable:crash", sentence=sentence)) from died

    async def _write(self, size: int, write: Callable[P, NewMessage], *args: P.args, **kwargs: P.kwargs) -> NewMessage:
        """Run `write` over `size` bytes: in a thread when that takes longer than going there and back costs.

        Of small ones, each between two looks at the sockets: a signature takes as long as a whole dialogue with a
        client, and many documents become due with one commit.
        """
        if size > SMALL:
            return await asyncio.to_thread(write, *args, **kwargs)
        if size > TINY:  # waiting costs it the cache that its bytes are in
            return write(*args, **kwargs)
        async with self._turn:
            await asyncio.sleep(0)
            return write(*args, **kwargs)

    def _letter(
        self, document: ClaimedDocument, reading: ReadDocument, looked: Looked, passed_on: bool
    ) -> outgoing.Letter:
        """Where it goes, in which language; Held when it goes nowhere."""
        fields = document.fields
        envelope = document.envelope if passed_on else None
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
        if not self.keys:
            sentence = "There is no usable signing key, and mail never leaves unsigned; 'gateway check' says why."
            raise Held(Hold(cause="unsigned", sentence=sentence, wakes=("dkim",)), _finding(letter))
        return letter

    async def _message(self, letter: outgoing.Letter, data: bytes) -> tuple[NewMessage, tuple[str, ...]]:
        """Convert, compose and sign, and notes on the conversion; Held when the document cannot take that form."""
        sender = outgoing.Sender(
            domain=self._config.sender.domain,
            hostname=self._config.gateway.hostname,
            keys=self.keys,
            verp_key=self._verp_key,
            next_hop=self._next_hop,
        )
        company = letter.business.company
        try:
            if letter.reading.format == "mail":
                source = self.source(letter.document.source)
                charsets = CHARSETS if source is None else source.charset
                return await self._write(len(data), outgoing.pass_on, letter, data, sender, self._now(), charsets), ()
            attachments = await self._converting.attachments(letter, data)
            size = sum(len(attachment.content) for attachment in attachments)
            with metrics.STAGE_SECONDS.labels("compose").time():
                message = await self._write(size, outgoing.write, letter, attachments, sender, self._now())
            notes = attachments[0].notes
            return msgspec.structs.replace(message, notes=notes), notes
        except Held as held:  # writing it cost a worker: what was learnt is known all the same
            held.found = _finding(letter)
            raise
        except Unconvertible as error:
            row = letter.resolution.recipient
            wakes = (
                f"setting:{company}:format",
                *([f"recipient:{company}:{number_key(row.number)}"] if row else []),
            )
            help_ = constants.hint(error.term) if row is not None else ""
            why = Hold(cause=f"conversion:{error.term}", sentence=error.sentence + help_, wakes=wakes)
            raise Held(why, _finding(letter)) from error
        except Refused as error:
            why = Hold(cause="template", sentence=error.sentence, wakes=(f"template:{company}",))
            raise Held(why, _finding(letter)) from error


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


def _of_several(document: ClaimedDocument, found: Finding) -> Finding:
    """`found` with the place that `document` had in its file, where it was not alone in it."""
    if document.origin is None:
        return found
    step = Step(rule="file", text=document.origin.text, result="note")
    return msgspec.structs.replace(found, trace=(step, *found.trace))


def _finding(letter: outgoing.Letter, notes: tuple[str, ...] = ()) -> Finding:
    reading, fields = letter.reading, letter.document.fields
    return Finding(
        reading=msgspec.structs.replace(reading, invoice=None, trade=None),
        type=letter.type,
        number=letter.number,
        customer_number=next(iter(rules.candidates(reading, fields)), None),
        trace=(*letter.resolution.trace, *(Step(rule="format", text=text, result="note") for text in notes)),
    )
