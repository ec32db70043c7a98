"""The whole gateway killed every second under load: nothing accepted is lost, copies are few (P1, P2)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests import peer
from tests.e2e.conftest import Make
from tests.e2e.gateway import until
from tests.e2e.programs import lacking
from tests.peer import Await, Peer
from tests.soak import killing, syncs
from tests.soak.syncs import Files, Kill, Mails

CONNECTIONS = 4  # to the relay


@pytest.mark.slow
def test_ten_kills_under_load_lose_nothing(make_gateway: Make) -> None:
    """`make soak` does the same with 10,000 messages."""
    load = killing.Load(messages=100, kills=10, clients=4, uptime=(0.2, 0.7), size=12_000)
    with peer.in_thread(Peer()) as relay:
        to = f"{killing.relay(relay.url)}\nconcurrency = {CONNECTIONS}"
        found = killing.run(make_gateway(relay=to, recipients="envelope"), load)
        found.copies_of = killing.arrived(relay)
    assert found.lost == set()
    assert found.differing == {}
    assert found.integrity == "ok"
    assert len(found.accepted) > 100
    assert found.extra <= load.kills * (load.clients + CONNECTIONS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("door", "kills"),
    [
        (Mails(), [(1, "before"), (9, "after"), (14, "before"), (17, "after"), (22, "before")]),
        (Files(), [(5, "before"), (14, "after"), (22, "before")]),
    ],
    ids=["mails", "files"],
)
def test_a_kill_at_a_certain_sync_loses_nothing(
    make_gateway: Make, tmp_path: Path, door: Mails | Files, kills: list[Kill]
) -> None:
    """P3; `make soak` does this at each of the first 100 syncs."""
    library = syncs.compiled(tmp_path)
    if library is None:
        lacking("no C compiler is installed, so that nothing counts the syncs")
    with peer.in_thread(Peer()) as relay:
        gateway = make_gateway(relay=killing.relay(relay.url), recipients=door.recipients)
        door.prepare(gateway)
        found = syncs.run(gateway, relay, door, kills, library)
    assert found.kills == len(kills)
    assert len(found.accepted) >= 3


def test_the_wal_is_synced_before_the_250(make_gateway: Make, tmp_path: Path) -> None:
    """strace shows what was written and synced between the end of DATA and the reply (P5)."""
    trace = tmp_path / "trace"
    gateway = make_gateway()
    if not _has_strace():
        pytest.skip("strace is not installed")
    gateway.start(
        ("strace", "-f", "-y", "-e", "trace=fdatasync,fsync,write,writev,sendto,sendmsg", "-s", "40", "-o", str(trace))
    )
    for number in range(5):
        gateway.mail((f"{number}.txt", b"no document %d" % number))
    os.kill(gateway.cli("status")["pid"], signal.SIGKILL)  # the traced one; strace ends with it
    assert gateway.process is not None
    gateway.process.wait(10)
    gateway.process = None
    lines = trace.read_text(errors="replace").splitlines()
    replies = [place for place, line in enumerate(lines) if '"250 2.0.0 Ok: queued' in line]
    assert len(replies) == 5
    for reply in replies:
        start = max(place for place in range(reply) if '"354' in lines[place])
        between = lines[start:reply]
        assert any("sync(" in line and "gateway.db-wal" in line for line in between), between


def _has_strace() -> bool:
    found = shutil.which("strace") is not None
    assert found or not os.environ.get("CI"), "CI needs strace"
    return found


async def test_what_the_relay_took_before_the_kill_is_not_sent_again(make_gateway: Make) -> None:
    """The store cannot record the 250 just then; the process that is killed has noted it elsewhere."""
    async with Peer() as relay:
        gateway = make_gateway(relay=killing.relay(relay.url), recipients="envelope")
        await asyncio.to_thread(gateway.start)
        locked = asyncio.Event()
        relay.always["DOT"] = Await(locked)
        await asyncio.to_thread(gateway.submit, b"From: erp@seller.example\r\n\r\ntext\r\n")
        await relay.until(lambda: b"." in relay.commands, 30)
        database = gateway.folder / "var" / "gateway.db"
        with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            locked.set()
            await relay.arrived(1)
            notes = database.with_name("gateway.db-sent")
            await asyncio.to_thread(until, lambda: notes.exists() and b"queued as 1" in notes.read_bytes())
            assert killing.waiting(gateway) == 1
            gateway.kill()
        await asyncio.to_thread(gateway.start)
        (document,) = await asyncio.to_thread(gateway.documents)
        assert document["state"] == "sent"
        assert " sent delivery=" in gateway.text()
        await asyncio.to_thread(gateway.stop)
    assert len(relay.mails) == 1


def test_a_start_after_a_kill_needs_no_hand(make_gateway: Make) -> None:
    gateway = make_gateway().start()
    started = time.monotonic()
    gateway.kill()
    assert (gateway.folder / "var" / "admin.sock").exists()  # what the killed one left behind
    gateway.start()
    assert time.monotonic() - started < 30
    gateway.stop()
