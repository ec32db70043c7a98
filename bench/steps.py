"""The steps of one document one by one, in this process: what each of them costs in CPU time."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from bench import process, samples, seed
from bench.plan import Plan
from bench.report import Table, median
from gateway import jobs, rules, signing
from gateway.model import Attachment, Claimed, Fields, Outcome, ReadDocument, Reply, Resolution, Result
from gateway.pipeline import outgoing
from gateway.pipeline.steps import Looked, look_up
from gateway.settings import Business
from gateway.smtp import client
from gateway.smtp.data import DataStream
from gateway.store import claims, companies, content, lookups, messages, submissions
from gateway.store.documents import ClaimedDocument
from gateway.store.messages import NewMessage
from gateway.workers import Pool

T = TypeVar("T")
Costs = dict[str, float]  # CPU milliseconds by step

_DONE = Outcome(result=Result.DONE, reply=Reply(code=250, enhanced="2.0.0", text="Ok: queued"), peer="sink:25")
_BATCHES = 5  # of which the median is shown; the first one pays for imports
_PART = "– of it: "  # a step that is part of the one above
_RSA, _ED25519 = _PART + "RSA-2048", _PART + "Ed25519"


def run(folder: Path, plan: Plan) -> list[Table]:
    """CPU milliseconds of each step, for documents that are read and for mails that are passed on."""
    table = Table(
        f"steps: CPU ms of each, a directory of {plan.recipients:,} rows",
        ("step", f"UBL, {samples.LINES} lines, rendered", "text PDF, 1 page", "4 kB passed on", "75 kB passed on"),
        note="Each `store` step is a transaction of its own with its commit; under load many share one.",
    )
    with seed.opened(folder / "gateway.db") as engine:
        with engine.begin() as connection:
            seed.fill_directory(connection, plan.recipients)
        bench = Steps(engine, plan)
        columns = [
            bench.document("F-1.xml", samples.ubl),
            bench.document("F-1.pdf", samples.pdf),
            *(bench.passed_on(samples.mail(size)) for size in (4_000, 75_000)),
        ]
    hand_over = asyncio.run(_hand_over(plan))
    for column, count in zip(columns, (3, 2, 0, 0), strict=True):
        column[f"hand over to workers and back, {hand_over:.2f} a job"] = hand_over * count
        column["**sum**"] = sum(cost for step, cost in column.items() if not step.startswith(_PART))
    for step in columns[0]:
        table.add(step, *(column.get(step) or "–" for column in columns))
    return [table]


def _each(work: Callable[..., T], *lists: Sequence[Any]) -> tuple[float, list[T]]:
    """`work` on each item, in batches: CPU milliseconds of one (all threads, the median batch), and the results."""
    items = list(zip(*lists, strict=True))
    size = -(-len(items) // _BATCHES)
    results: list[T] = []
    costs = []
    for at in range(0, len(items), size):
        some = items[at : at + size]
        started = time.process_time()
        results += [work(*item) for item in some]
        costs.append((time.process_time() - started) * 1000 / len(some))
    return median(costs), results


class Steps:
    """The steps over one database."""

    def __init__(self, engine: sa.Engine, plan: Plan) -> None:
        self._engine, self._plan = engine, plan
        with engine.connect() as connection:
            self._company = companies.company_id(connection, "default")
        keys = (
            signing.parse_key("gw1", signing.generate("rsa")),
            signing.parse_key("gw2", signing.generate("ed25519")),
        )
        self._sender = outgoing.Sender(
            domain="pageroonline.com",
            hostname="gateway.example",
            keys=keys,
            verp_key=os.urandom(32),
            next_hop=lambda _: seed.HOP,
        )

    def document(self, name: str, make: Callable[[int], bytes]) -> Costs:
        """Documents that `make` gives, mailed as `name`."""
        files = [make(number % self._plan.recipients) for number in range(self._plan.steps)]
        kind = "application/xml" if name.endswith(".xml") else "application/pdf"
        found = [
            submissions.NewDocument(file_name=name, media_type=kind, fields=Fields(), body=seed.body(data, kind))
            for data in files
        ]
        costs: Costs = {}
        mails = [samples.mail_with(name, data) for data in files]
        documents = self._take_in(costs, mails, found, lambda mail: jobs.split({}, mail))
        costs["read what routes"], readings = _each(lambda data: _read(name, data), files)
        letters = self._resolve(costs, documents, readings, passed_on=False)
        attachments = [Attachment(name=name, media_type=kind, content=data) for data in files]
        costs["read all of it, render (typst, PDF/A-3b)"] = 0.0
        if kind == "application/xml":
            costs["read all of it, render (typst, PDF/A-3b)"], attachments = _each(
                lambda data: _rendered(name, data), files
            )

        def write(letter: outgoing.Letter, attachment: Attachment) -> NewMessage:
            return outgoing.write(letter, [attachment], self._sender, seed.now())

        self._send(costs, letters, *_each(write, letters, attachments))
        return costs

    def passed_on(self, mail: bytes) -> Costs:
        """A mail whose addresses are those of its envelope."""
        mails = [mail] * self._plan.steps
        whole = submissions.NewDocument(file_name="message.eml", media_type="message/rfc822", fields=Fields())
        costs: Costs = {}
        documents = self._take_in(costs, mails, [whole] * len(mails), None)
        letters = self._resolve(costs, documents, [ReadDocument(format="mail")] * len(mails), passed_on=True)

        def pass_on(letter: outgoing.Letter, content: bytes) -> NewMessage:
            return outgoing.pass_on(letter, content, self._sender, seed.now(), ("utf-8", "cp1252"))

        self._send(costs, letters, *_each(pass_on, letters, mails))
        return costs

    # --- parts of the path ---

    def _take_in(
        self,
        costs: Costs,
        mails: Sequence[bytes],
        found: Sequence[submissions.NewDocument],
        split: Callable[[bytes], object] | None,
    ) -> list[ClaimedDocument]:
        """From the wire to documents under lease."""

        def accept(mail: bytes) -> None:
            with self._engine.begin() as connection:
                submissions.accept(connection, seed.submission(mail), seed.now())

        def claim(_: bytes) -> submissions.ClaimedSubmission:
            with self._engine.begin() as connection:
                (claimed,) = submissions.claim(connection, seed.OWNER, seed.now(), seed.now() + seed.MINUTES, 1)
            return claimed

        def load(claimed: submissions.ClaimedSubmission) -> bytes:
            with self._engine.begin() as connection:
                return content.get(connection, claimed.content_id)

        def finish(claimed: submissions.ClaimedSubmission, new: submissions.NewDocument) -> ClaimedDocument:
            until = seed.now() + seed.MINUTES
            with self._engine.begin() as connection:
                (made,) = submissions.finish(connection, claimed, [new], seed.OWNER, seed.now(), until)
            return made

        costs["receive: DATA, SHA-256"], _ = _each(_receive, mails)
        costs["store: accept"], _ = _each(accept, mails)
        costs["store: claim the submission"], claimed = _each(claim, mails)
        costs["store: load the submission"], _ = _each(load, claimed)
        costs["take the mail apart"] = _each(split, mails)[0] if split else 0.0
        costs["store: the document found"], documents = _each(finish, claimed, found)
        return documents

    def _resolve(
        self, costs: Costs, documents: Sequence[ClaimedDocument], readings: Sequence[ReadDocument], passed_on: bool
    ) -> list[outgoing.Letter]:
        """Where each of them goes."""

        with self._engine.begin() as connection:
            kept = look_up(connection, self._company, (), "noreply")

        def look(reading: ReadDocument) -> Looked:
            with self._engine.connect() as connection:
                known = lookups.known(connection, self._company, rules.keys(reading, Fields()))
            return msgspec.structs.replace(kept, rows=known.rows, seen=known.wakes)

        def resolve(document: ClaimedDocument, reading: ReadDocument, found: Looked) -> Resolution:
            envelope = document.envelope if passed_on else None
            return rules.resolve(reading, Fields(), found.rows, found.business, envelope)

        costs["look up the directory"], looked = _each(look, readings)
        costs["resolve"], resolutions = _each(resolve, documents, readings, looked)
        return [
            outgoing.Letter(
                document=document,
                reading=reading,
                resolution=resolution,
                business=Business.of("default", {}, "noreply"),
                type=reading.type,
                number=reading.number,
                language="en",
            )
            for document, reading, resolution in zip(documents, readings, resolutions, strict=True)
        ]

    def _send(self, costs: Costs, letters: Sequence[outgoing.Letter], cost: float, made: Sequence[NewMessage]) -> None:
        """The messages `made` for `letters`, each at `cost`, through the queue."""

        def queue(letter: outgoing.Letter, message: NewMessage) -> None:
            with self._engine.begin() as connection:
                assert messages.queue(connection, letter.document.id, seed.OWNER, seed.FOUND, message, seed.now())

        def claim(_: NewMessage) -> Claimed:
            with self._engine.begin() as connection:
                now = seed.now()
                (claimed,) = claims.claim(connection, seed.HOP, 1, seed.OWNER, now, now + seed.MINUTES)
            return claimed

        def load(claimed: Claimed) -> bytes:
            with self._engine.begin() as connection:
                return messages.message_bytes(connection, claimed.message_id)

        def record(claimed: Claimed) -> None:
            with self._engine.begin() as connection:
                claims.record(connection, [claims.Ended(claimed=claimed, outcome=_DONE, at=seed.now())])

        costs["compose and sign"] = cost
        digests = [hashlib.sha256(bytes([number % 256])).digest() for number in range(len(letters))]
        for step, key in zip((_RSA, _ED25519), self._sender.keys, strict=True):
            costs[step], _ = _each(key.sign, digests)
        costs["store: queue the message"], _ = _each(queue, letters, made)
        costs["store: claim the delivery"], claimed = _each(claim, made)
        costs["store: load the message"], loaded = _each(load, claimed)
        costs["prepare it for DATA"], _ = _each(client.prepare, loaded)
        costs["store: record the outcome"], _ = _each(record, claimed)


def _receive(mail: bytes) -> bytes:
    return hashlib.sha256(DataStream().feed(mail + b".\r\n")).digest()


def _read(name: str, data: bytes) -> ReadDocument:
    found, _ = jobs.inspect(name, "application/octet-stream", [], data)
    return msgspec.convert(found[0], ReadDocument)


def _rendered(name: str, data: bytes) -> Attachment:
    made, pdf = jobs.convert(name, "pdf", "en", {"now": seed.now().isoformat()}, data)
    return Attachment(name=made["name"], media_type=made["media_type"], content=pdf)


def echo(blob: bytes) -> tuple[None, bytes]:
    """A job that does nothing: its bytes go to a worker and come back."""
    return None, blob


async def _hand_over(plan: Plan) -> float:
    """CPU milliseconds, of both ends, of a job that does nothing with 20 kB."""
    pool = Pool(1, recycle=1_000_000, path=[str(Path(__file__).parents[1])])
    pool.start()
    try:
        await pool.ready()
        await pool.run("bench.steps:echo", blob=b"x")  # the worker imports this module
        count = plan.steps * 5  # the clock of other processes ticks a hundred times a second
        before = process.cpu_seconds(os.getpid())
        for _ in range(count):
            await pool.run("bench.steps:echo", blob=b"x" * 20_000)
        return (process.cpu_seconds(os.getpid()) - before) * 1000 / count
    finally:
        await pool.close()
