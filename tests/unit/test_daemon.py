"""The whole gateway in this process: what its parts are given, and what it does when there is no room."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.policy
import logging
import os
import shutil
import smtplib
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from gateway import daemon as module
from gateway import metrics
from gateway.client import Client
from gateway.config import Config, Listener, embedded_defaults
from gateway.daemon import Daemon
from gateway.errors import ConfigError, Corrupt, Temporary
from gateway.model import UTC, Recipient
from gateway.retention import Pace
from gateway.store import Store, companies, documents, messages, recipients, submissions, views
from gateway.store.audit import Caller
from tests.conftest import NOW
from tests.e2e.documents import invoice
from tests.e2e.gateway import keys
from tests.store.samples import OWNER, claimed_document, new_message, submission


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """As `gateway init` makes it, on any free port; workers import what they need when they need it."""
    monkeypatch.setattr(module, "PRELOAD", ())
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr("gateway.pipeline.loop.POLL_SECONDS", 60.0)  # only hints make it look
    (tmp_path / "drop").mkdir()
    (tmp_path / "dkim").mkdir()
    for name, pem in keys().items():
        (tmp_path / "dkim" / name).write_bytes(pem)
        (tmp_path / "dkim" / name).chmod(0o600)
    made = embedded_defaults(tmp_path)
    local, drop = made.sources
    gateway = msgspec.structs.replace(made.gateway, workers=1)
    sources = (local, msgspec.structs.replace(drop, company="acme", stable=0.05))
    return msgspec.structs.replace(made, gateway=gateway, listeners=(Listener(port=0),), sources=sources)


@pytest.fixture
async def daemon(config: Config) -> AsyncIterator[Daemon]:
    async with Daemon(config).running() as made:
        yield made


async def until(look: Callable[[], Any], seconds: float = 10.0) -> Any:
    async with asyncio.timeout(seconds):
        while not (found := look()):  # noqa: ASYNC110  nothing announces it
            await asyncio.sleep(0.01)
    return found


async def test_the_companies_of_the_sources_are_there(daemon: Daemon) -> None:
    assert [row["name"] for row in await daemon.store.read(companies.list_companies)] == ["acme", "default"]


async def test_a_port_that_answers_means_that_all_of_it_runs(daemon: Daemon, config: Config) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", daemon.ports[0])
    assert (await reader.readline()).startswith(b"220 ")
    writer.close()
    _, writer = await asyncio.open_unix_connection(str(config.gateway.admin_socket))
    writer.close()


async def test_a_start_that_fails_leaves_nothing_behind(config: Config, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = msgspec.structs.replace(config, listeners=(Listener(port=taken.getsockname()[1]),))
        made = Daemon(busy)
        with pytest.raises(ConfigError, match="Address already in use"):
            async with made.running():
                pass
    assert made.pool.pids == ()
    assert not config.gateway.admin_socket.exists()
    again = Store(tmp_path / "gateway.db")  # it is not locked any more
    again.open()
    await again.close()


async def test_what_is_old_is_removed_and_folders_are_shown(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.retention.Pace", lambda: Pace(first=0.0, every=0.01))
    async with Daemon(config).running() as made:
        await until(lambda: made.remover.ran_at)
        found = await asyncio.to_thread(Client(config.gateway.admin_socket).get, "/status")
    (folder,) = found["folders"]
    assert (folder["source"], folder["waiting"], folder["writable"]) == ("dropbox", 0, True)
    assert found["retention"]["content_days"] == 90


async def test_what_was_just_taken_in_is_kept_for_the_pipeline(daemon: Daemon) -> None:
    await daemon.pipeline.stop(1.0)
    new = submission(dt.datetime.now(UTC), b"hello", dedupe=b"same")
    assert not (await daemon._accept(new)).duplicate
    again = submission(dt.datetime.now(UTC), b"hello", dedupe=b"same")
    accepted = await daemon._accept(again)
    assert (accepted.id, accepted.duplicate) == (new.id, True)
    assert daemon.recent.take(new.id) == b"hello"
    assert (await daemon._accept(again)).duplicate  # nobody will ask for its bytes
    assert daemon.recent.take(new.id) is None


async def test_a_message_is_the_same_kept_or_not(daemon: Daemon) -> None:
    new = await daemon.store.write(_queue, NOW)
    assert await daemon._load(new) == b"From: a@b.example\r\n\r\nhello\r\n"
    daemon.recent.put(new, b"kept")
    assert await daemon._load(new) == b"kept"


def _queue(connection: Connection, now: dt.datetime) -> int:
    found = claimed_document(connection, now)
    message = new_message(now, "a@kund.example")
    assert messages.queue(connection, found.id, OWNER, documents.Finding(), message, now)
    return message.id


async def test_trouble_passes_by_itself_and_an_idle_gateway_writes_nothing(daemon: Daemon) -> None:
    def fail(connection: Connection) -> None:
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    with pytest.raises(Temporary):
        await daemon.store.write(fail)
    assert "disk I/O error" in str(daemon.room())
    await until(lambda: daemon.room() is None)
    before = metrics.COMMITS._value.get()
    await asyncio.sleep(10 * module.LOOK_SECONDS)
    assert metrics.COMMITS._value.get() == before


async def test_the_audit_s_root_is_said_at_the_start(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gateway.mail")
    async with Daemon(config).running():
        await until(lambda: "audit-root root=0:" in caplog.text)


async def test_a_full_queue_closes_the_doors_until_it_has_drained(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await daemon.pipeline.stop(1.0)
    now = dt.datetime.now(UTC)
    assert daemon.room() is None
    for _ in range(2):
        await daemon.store.write(submissions.accept, submission(now), now)
    monkeypatch.setattr(module, "QUEUE_LIMIT", 2)
    assert await until(daemon.room) == "2 submissions and deliveries wait already"
    monkeypatch.setattr(module, "QUEUE_LIMIT", 3)
    await until(lambda: daemon.room() is None)
    said = [(record.levelname, record.message) for record in caplog.records if record.message.startswith("intake:")]
    assert said == [("WARNING", "intake: 2 submissions and deliveries wait already")]


async def test_the_doors_open_only_after_a_look_at_the_room(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_LIMIT", 0)
    monkeypatch.setattr(module, "LOOK_SECONDS", 1000.0)
    async with Daemon(config).running() as made:
        assert made.room() == "0 submissions and deliveries wait already"


async def test_there_is_room_again_is_said(daemon: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gateway.daemon")
    daemon._say_room("the disk is full")
    await until(lambda: "intake: there is room again" in caplog.text)


async def test_a_disk_with_little_room_closes_the_doors(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    total = shutil.disk_usage(daemon.path.parent).total
    monkeypatch.setattr(module, "FREE_BYTES", 2 * total)
    await asyncio.sleep(0)
    assert daemon.room() is None  # a share of a small disk is enough
    monkeypatch.setattr(module, "FREE_SHARE", 2.0)
    assert "MiB free" in await until(daemon.room)


async def test_a_disk_that_is_away_closes_the_doors_and_comes_back(daemon: Daemon) -> None:
    away = daemon.path.parent.with_name("away")
    daemon.path.parent.rename(away)
    assert "No such file" in await until(daemon.room)
    away.rename(daemon.path.parent)
    await until(lambda: daemon.room() is None)


async def test_the_watchdog_is_fed_while_loop_and_writer_answer(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "100000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10), Daemon(config).running() as made:
            assert await loop.sock_recv(channel, 4096) == b"WATCHDOG=1\nSTATUS=running"
            started = loop.time()
            await loop.sock_recv(channel, 4096)
            assert loop.time() - started >= 0.04  # half of what systemd allows, not at every look
            await made.store.close()
            while not channel_is_empty(channel):
                pass
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await loop.sock_recv(channel, 4096)


def channel_is_empty(channel: socket.socket) -> bool:
    try:
        channel.recv(4096)
    except BlockingIOError:
        return True
    return False


async def test_parts_share_one_grace_period(daemon: Daemon) -> None:
    graces: list[float] = []

    class Part:
        async def stop(self, grace: float) -> None:
            graces.append(grace)

    await daemon._within_grace(Part())  # type: ignore[arg-type]
    daemon._deadline = asyncio.get_running_loop().time() + 10  # the clock of a loop is the monotonic one
    await daemon._within_grace(Part())  # type: ignore[arg-type]
    daemon._deadline = 0.0
    await daemon._within_grace(Part())  # type: ignore[arg-type]
    assert graces[0] == module.GRACE
    assert 9 < graces[1] <= 10
    assert graces[2] == 0.5
    daemon._deadline = None


async def test_a_dropped_file_is_a_document_of_its_company(daemon: Daemon) -> None:
    (daemon.path.parent / "drop" / "a.xml").write_bytes(b"<note/>")
    async with asyncio.timeout(10):
        while not (found := await daemon.store.read(views.list_documents, views.Filter(state="held"))):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert [(row["company"], row["source"], row["file_name"]) for row in found] == [("acme", "dropbox", "a.xml")]


async def test_a_document_goes_all_the_way_and_a_stop_ends_every_part(config: Config) -> None:
    async with Daemon(config).running() as made:
        company, who = await made.store.write(companies.ensure_company, "default", NOW), Caller(uid=0, user="root")
        row = Recipient(number="1042", email=("kund@kopare.example",), format="ubl")
        await made.store.write(recipients.add, company, row, who, NOW)
        message = EmailMessage(policy=email.policy.SMTP)
        message["From"] = "erp@seller.example"
        message.add_attachment(invoice(), maintype="application", subtype="xml", filename="a.xml")
        await asyncio.to_thread(send, made.ports[0], message)
        async with asyncio.timeout(10):
            while not await made.store.read(views.list_documents, views.Filter(state="sent")):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert {"queue", "pipeline", "watch"} <= {task.get_name() for task in asyncio.all_tasks()}
        assert len(list((config.relay.directory / "new").iterdir())) == 1
        ends = time.monotonic() + module.GRACE
    assert not {"queue", "pipeline", "watch"} & {task.get_name() for task in asyncio.all_tasks()}
    assert made._deadline is not None
    assert ends <= made._deadline < ends + 10
    assert made.pool.pids == ()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", made.ports[0])
    assert not config.gateway.admin_socket.exists()


def send(port: int, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.send_message(message, "erp@seller.example", ["1042@gateway.example"])


async def test_what_made_it_stop_is_raised_and_systemd_hears_of_it(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        made = Daemon(config)
        serving = asyncio.create_task(made.serve())
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(20):
            assert await loop.sock_recv(channel, 4096) == b"READY=1"
            made._corrupt(Corrupt("it is damaged"))
            assert await loop.sock_recv(channel, 4096) == b"STOPPING=1"
            with pytest.raises(Corrupt, match="it is damaged"):
                await serving
