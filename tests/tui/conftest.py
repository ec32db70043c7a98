"""A served store and the screens in front of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from gateway import config
from gateway.admin.running import Running
from gateway.api import make_app
from gateway.door import SocketServer
from gateway.model import Recipient, new_id
from gateway.smtp.quirks import Quirk
from gateway.store import Store, companies, documents, messages, meta, recipients, submissions
from gateway.store.audit import Caller
from gateway.workers import Pool
from tests.store.samples import OWNER, body, new_message, submission
from tui import words
from tui.app import Console
from tui.lines import Line

CONFIG = config.Config(
    gateway=config.Gateway(hostname="gateway.example.net"),
    sources=(config.Source(name="local", networks=("127.0.0.0/8",)), config.Source(name="drop", folder=Path("/drop"))),
)
WHO = Caller(uid=0, user="anna", roles=("admin",))


class Desk:
    """The served store, and what a person at the screens does and sees."""

    def __init__(self, store: Store, path: Path, now: dt.datetime, pool: Pool | None = None) -> None:
        self.store, self.path, self.now = store, path, now
        self.roles: tuple[str, ...] = ("admin",)
        self.quirks: list[Quirk] = []  # of every source's clients
        running = Running(store=store, config=CONFIG, pool=pool, quirks=lambda _source: self.quirks)
        app = make_app(running, lambda uid: Caller(uid=uid, user="bertil", roles=self.roles))
        self.asked: list[str] = []  # paths of the requests, with their queries
        self.answering = asyncio.Event()  # cleared: what is asked for waits
        self.answering.set()
        self.server = SocketServer(path, self._noting(app), None)
        self.config = path.with_name("gateway.toml")  # what finds the socket for the commands that the screens run
        self.config.write_text(f'[gateway]\nadmin_socket = "{path}"\ndatabase = "sqlite:gateway.db"\n')

    def _noting(self, app: Any) -> Any:
        """The application, and a note of what it is asked for."""

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                self.asked.append(f"{scope['path']}?{scope['query_string'].decode()}")
                await self.answering.wait()
            await app(scope, receive, send)

        return noting

    async def stop(self) -> None:
        """Close the door, and the streams that came through it."""
        self.store.changes.interrupt()
        await self.server.stop()

    async def row(self, number: str, email: str, **more: Any) -> Recipient:
        """A row of the directory."""
        new = Recipient(id=new_id(), number=number, email=(email,), type="invoice", **more)

        def add(connection: Any) -> Any:
            return recipients.add(connection, companies.company_id(connection, "default"), new, WHO, self.now)

        saved: Recipient = (await self.store.write(add)).row
        return saved

    async def document(self, hold: str | None = None, sent: bytes = b"From: a@b.example\r\n\r\nhello\r\n") -> int:
        """A document: held for a recipient of number `hold`, else queued with one delivery of the message `sent`."""
        return int(await self.store.write(_put, self.now, hold, sent))

    def console(self) -> Console:
        """The application, not started."""
        return Console(self.path, config=self.config)


def _put(connection: Any, now: dt.datetime, hold: str | None, sent: bytes) -> int:
    submissions.accept(connection, submission(now, b"original bytes"), now)
    (claimed,) = submissions.claim(connection, OWNER, now, now + dt.timedelta(minutes=5), 1)
    new = submissions.NewDocument(file_name="å.xml", media_type="application/xml", fields=claimed.fields)
    (found,) = submissions.finish(connection, claimed, [new], OWNER, now, now + dt.timedelta(minutes=5))
    if hold is None:
        made = msgspec.structs.replace(new_message(now, "a@example.com"), body=body(sent), size=len(sent))
        messages.queue(connection, found.id, OWNER, documents.Finding(), made, now)
    else:
        why = documents.Hold(cause=f"no-recipient:{hold}", sentence="No row.", wakes=(f"recipient:default:{hold}",))
        documents.hold(connection, found.id, OWNER, documents.Finding(), why, meta.wakes(connection), now)
    return int(found.id)


@pytest.fixture
async def desk(store: Store, now: dt.datetime, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """A served store with the company `default`; with the parameter "worker" it can read files too."""
    words.choose("en")
    await store.write(companies.ensure_company, "default", now)
    pool = Pool(1) if getattr(request, "param", "") == "worker" else None
    if pool is not None:
        pool.start()
    made = Desk(store, tmp_path / "admin.sock", now, pool)
    await made.server.start()
    yield made
    words.choose("en")
    await made.stop()
    if pool is not None:
        await pool.close()


async def until(pilot: Pilot[Any], condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for a condition; what the screen shows is the message when it never comes."""
    deadline = time.monotonic() + seconds
    while True:
        await pilot.pause()
        try:
            if condition():
                return
        except Exception:  # the widget that is asked for is not there yet
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, screen(pilot)
        await asyncio.sleep(0.01)


def screen(pilot: Pilot[Any]) -> str:
    """The text that the terminal would show."""
    app = pilot.app
    strips = app.screen._compositor.render_strips(app.size)
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def line(pilot: Pilot[Any], name: str) -> str:
    """One of the one-line widgets."""
    return pilot.app.screen.query_one(f"#{name}", Line).shown.plain
