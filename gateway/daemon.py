"""The one place where everything is wired, started and stopped; the only file that knows all parts.

Start: workers (before any thread), store, queue, pipeline, admin socket, folders, and the listeners last: a port that
answers means that all of it runs. Stop is the same way back.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import gc
import logging
import secrets
import shutil
import signal
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from gateway import maillog, notify
from gateway.admin.running import Running
from gateway.api import AdminServer
from gateway.config import Config
from gateway.errors import Corrupt, GatewayError
from gateway.formats import checking
from gateway.intake.dropfolder import DropFolder
from gateway.intake.quirkbook import QuirkBook
from gateway.intake.submission import SubmissionServer
from gateway.model import UTC, Accepted, NewSubmission
from gateway.pipeline import Pipeline
from gateway.queue import Queue
from gateway.recent import Recent
from gateway.retention import Remover
from gateway.smtp.quirks import Quirks
from gateway.smtp.resolver import NoAnswer, Resolver
from gateway.store import Store, audit, companies, documents, messages, meta, submissions, views, writer
from gateway.store.database import database_path
from gateway.store.replied import Replied
from gateway.transports import make_resolver, open_transport
from gateway.workers import Pool

QUEUE_LIMIT = 200_000  # submissions and deliveries that wait (design D17)
FREE_SHARE, FREE_BYTES = 0.05, 1 << 30  # what must be free on the database's disk: the smaller of both
GRACE = 30.0  # seconds that running work gets at a stop
# Imported by the process that forks workers, never by this one.
PRELOAD = (
    "gateway.mime",
    "gateway.readers.table",
    "gateway.readers.unwrapping",
    "gateway.formats.pdf",
    "typst",
    "pikepdf",
)
RECENT_BYTES = 32 << 20  # what was just written, for who reads it next
ASKED_SECONDS = 3.0  # for a question to the DNS, while a person waits
LOOK_SECONDS = 1.0  # how often room and liveness are looked at

_log = logging.getLogger("gateway.daemon")


class Daemon:
    """A whole gateway, made from its configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.boot = secrets.token_hex(6)
        self.path = database_path(config.gateway.database, config.file.parent if config.file else Path())
        self.store = Store(self.path, on_corrupt=self._corrupt)
        self.recent = Recent(RECENT_BYTES)
        self.quirks = Quirks()
        self.pool = Pool(config.gateway.workers, preload=PRELOAD)
        self.rules = Pool(1, memory=checking.SPACE, large=checking.LARGE) if checking.is_possible() else None
        self.remover = Remover(self.store, config)
        self.folders: dict[str, DropFolder] = {}
        self.failed: GatewayError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._deadline: float | None = None  # monotonic seconds; set when the stop begins
        self._room: str | None = None
        self._rooted: dt.date | None = None  # the day whose audit root was said
        self._watchdog = notify.watchdog_interval()

    # --- life ---

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Daemon]:
        """Start all parts, stop them at the end; when one fails to start, what has been started is stopped as well."""
        self._loop = asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as stack:
            self.pool.start()
            stack.push_async_callback(self.pool.close)
            if self.rules is not None:
                stack.push_async_callback(self.rules.close)
            self.store.open()
            stack.push_async_callback(self.store.close)
            await self._start_middle(stack)
            await self._start_doors(stack)
            yield self
            self._deadline = time.monotonic() + GRACE

    async def _start_middle(self, stack: contextlib.AsyncExitStack) -> None:
        """Queue and pipeline."""
        config = self.config
        for name in dict.fromkeys(("default", *(source.company for source in config.sources))):
            await self.store.write(companies.ensure_company, name, dt.datetime.now(UTC))
        transport = open_transport(config.relay, config.gateway.hostname, listeners=config.listeners)
        self.queue = Queue(
            self.store,
            transport,
            self._load,
            owner=self.boot,
            replied=Replied(self.path.with_name(self.path.name + "-sent")),
            concurrency=config.relay.concurrency,
        )
        self.pipeline = Pipeline(
            self.store,
            self.pool,
            config,
            owner=self.boot,
            verp_key=await self.store.write(meta.verp_key),
            next_hop=transport.next_hop,
            outlet=self.queue,
            recent=self.recent,
            rules=self.rules,
            on_quirks=self._seen,
        )
        book = QuirkBook(self.store, self.quirks)
        await book.start()
        stack.push_async_callback(book.stop)
        await self.queue.start()
        stack.push_async_callback(self._within_grace, self.queue)
        await self.pipeline.start()
        stack.push_async_callback(self._within_grace, self.pipeline)

    async def _start_doors(self, stack: contextlib.AsyncExitStack) -> None:
        """The admin socket, the folders, and the listeners last."""
        config = self.config
        await self._look_for_room()
        watch = asyncio.create_task(self._look_around(), name="watch")
        stack.callback(watch.cancel)
        self.submission = submission = SubmissionServer(
            config.listeners,
            config.sources,
            self._accept,
            hostname=config.gateway.hostname,
            room=self.room,
            spool=self.path.parent,
            sockets=notify.listen_sockets(),
            quirks=self.quirks,
        )
        running = Running(
            store=self.store,
            config=config,
            listeners=lambda: _listeners(config, submission.ports),
            nudge=self.nudge,
            room=self.room,
            pool=self.pool,
            resolver=_resolver(config),
            quirks=submission.quirks,
            not_removing=lambda: self.remover.problem,
            folders=lambda: {name: folder.facts() for name, folder in self.folders.items()},
        )
        admin = AdminServer(config.gateway.admin_socket, running)
        await admin.start()
        stack.push_async_callback(admin.stop)
        for source in config.sources:
            if source.folder is not None:
                folder = DropFolder(source, self.store, self._stored, self.room)
                self.folders[source.name] = folder
                await folder.start()
                stack.push_async_callback(folder.stop)
        await submission.start()
        stack.push_async_callback(self._within_grace, submission)
        self.ports = submission.ports
        self.remover.start()
        stack.push_async_callback(self.remover.stop)

    async def _within_grace(self, part: SubmissionServer | Pipeline | Queue) -> None:
        """Stop a part in what is left of the one grace period that all of them share."""
        left = GRACE if self._deadline is None else max(0.5, self._deadline - time.monotonic())
        await part.stop(left)

    async def serve(self) -> None:
        """Run until SIGTERM or SIGINT; SIGHUP reads signing keys and certificates again.

        Raises what made it stop, if anything.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        async with self.running():
            _log.info("running, boot %s, ports %s", self.boot, ", ".join(map(str, self.ports)) or "none")
            gc.collect()
            gc.freeze()  # what is there now stays: nobody need look through it again for each thousand mails
            notify.notify("READY=1")
            await self._stop.wait()
            _log.info("stopping")
            notify.notify("STOPPING=1")
        if self.failed is not None:
            raise self.failed

    def nudge(self) -> None:
        """Something became due: pipeline and queue look now."""
        self.pipeline.changed()
        self.queue.retry_now()

    def room(self) -> str | None:
        """Why nothing can be taken in just now, None when there is room (design D17)."""
        return self.store.trouble or self._room

    # --- what the parts are given ---

    async def _accept(self, submission: NewSubmission) -> Accepted:
        """Store a submission; returns after the commit."""
        size, data = submission.body.size, submission.body.data
        lease = None if data is None else self.pipeline.reserve(size)
        claimed = None
        try:
            accepted, claimed = await self.store.write_content(
                size, submissions.accept_claimed, submission, submission.received_at, lease
            )
        finally:
            if lease is not None and claimed is None:
                self.pipeline.give_back(size)
        if claimed is not None and data is not None:
            self.pipeline.take(claimed, data)
        elif not accepted.duplicate:
            self._stored(accepted.id, data)
        return accepted

    def _stored(self, submission: int, data: bytes | None) -> None:
        """A submission waits for the pipeline, which will want its bytes."""
        if data is not None:
            self.recent.put(submission, data)
        self.pipeline.wake()

    def _seen(self, source: str, names: Sequence[str]) -> None:
        """A mail of `source` had what no standard allows."""
        self.quirks.add(source, dict.fromkeys(names, 1), dt.datetime.now(UTC))

    async def _load(self, message_id: int) -> bytes:
        kept = self.recent.get(message_id)
        return await self.store.read(messages.message_bytes, message_id) if kept is None else kept

    def _reload(self) -> None:
        self.submission.reload_certificates()
        if self.pipeline.reload_keys():
            task = asyncio.create_task(self.store.write(documents.wake_documents, "dkim", dt.datetime.now(UTC)))
            task.add_done_callback(lambda _: self.pipeline.wake())

    def _corrupt(self, error: Corrupt) -> None:
        """Called by the writer's thread: nothing more can be kept, so nothing more may be taken."""
        self.failed = error
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    # --- looking around ---

    async def _look_around(self) -> None:
        """Room for intake, and the sign of life for systemd: loop and writer both answer."""
        due = 0.0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                if self.store.trouble or (self._watchdog and time.monotonic() >= due):
                    await self.store.write(writer.heartbeat)
                    notify.notify("WATCHDOG=1", f"STATUS={self._room or 'running'}")
                    due = time.monotonic() + (self._watchdog or 0.0)
                await self._look_for_room()
                await self.say_root(dt.datetime.now(UTC).date())
            except (GatewayError, DBAPIError, OSError) as error:
                self._say_room(self.store.trouble or str(error))

    async def say_root(self, today: dt.date) -> None:
        """Write the audit's root to the log once a day and at the start, out of reach of who writes the database."""
        if today != self._rooted:
            maillog.audit_root(*await self.store.read(audit.head))
            self._rooted = today

    async def _look_for_room(self) -> None:
        usage = shutil.disk_usage(self.path.parent)
        if usage.free < min(usage.total * FREE_SHARE, FREE_BYTES):
            self._say_room(f"the disk has only {usage.free >> 20} MiB free")
        elif (waiting := await self.store.read(views.waiting)) >= QUEUE_LIMIT:
            self._say_room(f"{waiting} submissions and deliveries wait already")
        else:
            self._say_room(None)

    def _say_room(self, room: str | None) -> None:
        if room != self._room:
            _log.log(logging.WARNING if room else logging.INFO, "intake: %s", room or "there is room again")
        self._room = room


def _resolver(config: Config) -> Resolver | None:
    """Who is asked about the domains of lists; None when the system names no DNS server."""
    try:
        return make_resolver(config.relay, lifetime=ASKED_SECONDS)
    except NoAnswer:
        return None


def _listeners(config: Config, ports: tuple[int, ...]) -> list[dict[str, Any]]:
    """What `gateway status` says of the open listeners."""
    return [
        {"address": f"{listener.host}:{port}", "port": port, "tls": listener.tls}
        for listener, port in zip(config.listeners, ports, strict=False)
    ]
