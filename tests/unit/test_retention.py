"""The loop that removes what is old: when it works, when it does not, and what a kill leaves."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.config import Config, Retention, Source
from gateway.intake.claim import Folder
from gateway.intake.done import Sweep
from gateway.retention import Pace, Remover
from gateway.store import Store, audit, schema, views
from gateway.store import retention as verbs
from tests.conftest import ROOT
from tests.store.test_retention import DAY, count, sent, whole
from tests.unit.drops import names, until

QUICK = Pace(first=0.0, every=0.02, pause=0.0)


def remover(store: Store, now: dt.datetime, *sources: Source, keep: Retention | None = None) -> Remover:
    made = Config(retention=keep or Retention(), sources=sources)
    return Remover(store, made, pace=QUICK, now=lambda: now, clock=lambda: 0.0)


async def test_a_run_removes_what_is_due_and_says_so(
    store: Store, now: dt.datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for days in (500, 100, 100, 1):
        await store.write(sent, now - days * DAY)
    removing = remover(store, now)
    await removing.run_once()
    assert removing.ran_at == now
    assert [line for line in caplog.messages if line.startswith("removed ")] == [
        "removed contents=9 bytes=126 documents=1 files=0"
    ]
    (row,) = await store.read(audit.list_audit, audit.Filter(action="retention"))
    assert row["after"] == {
        "contents": 9,
        "bytes": 126,
        "documents": 1,
        "files": 0,
        "ledger": 0,
        "content_days": 90,
        "rows_days": 400,
        "done_days": 90,
    }
    assert (await store.read(verbs.space)).oldest == now - DAY
    assert len(await store.read(views.list_documents, views.Filter())) == 3
    await removing.run_once()
    assert len(await store.read(audit.list_audit, audit.Filter(action="retention"))) == 1
    assert await store.read(whole)


async def test_no_days_are_for_ever(store: Store, now: dt.datetime) -> None:
    await store.write(sent, now - 9999 * DAY)
    await remover(store, now, keep=Retention(content_days=0, rows_days=0, done_days=0)).run_once()
    assert await store.read(count, schema.content_chunk) == 3


async def test_nothing_is_removed_while_the_writer_is_busy(
    store: Store, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write(sent, now - 100 * DAY)
    await store.write(sent, now)
    busy = [1]
    monkeypatch.setattr(Store, "waiting", property(lambda self: busy[0]))
    looked = asyncio.Event()
    removing = remover(store, now)
    sleep = removing._sleep

    async def looking(seconds: float) -> None:
        looked.set()
        await sleep(0.001)

    monkeypatch.setattr(removing, "_sleep", looking)
    running = asyncio.create_task(removing.run_once())
    for _ in range(3):
        looked.clear()
        await asyncio.wait_for(looked.wait(), 10)
    assert await store.read(count, schema.content_chunk) == 6
    busy[0] = 0
    await running
    assert await store.read(count, schema.content_chunk) == 3


async def test_a_clock_that_jumped_is_not_believed_for_a_day(store: Store, now: dt.datetime) -> None:
    await store.write(sent, now - DAY)
    wall, clock = [now], [1000.0]
    removing = Remover(store, Config(), pace=QUICK, now=lambda: wall[0], clock=lambda: clock[0])
    await removing.run_once()
    assert removing.problem is None
    wall[0] += 3650 * DAY
    clock[0] += 3600
    await removing.run_once()
    assert removing.problem is not None
    assert removing.problem.startswith("the clock may be wrong: it says 2036-02-28")
    assert await store.read(count, schema.content_chunk) == 3
    wall[0] += DAY
    clock[0] += 86_401
    await removing.run_once()  # it has been steady since
    assert removing.problem is None
    assert await store.read(count, schema.content_chunk) == 0


async def test_a_clock_far_after_all_that_is_known_is_not_believed_at_the_start(store: Store, now: dt.datetime) -> None:
    await store.write(sent, now)
    removing = remover(store, now + 100 * DAY)
    await removing.run_once()
    assert removing.problem is not None
    assert await store.read(count, schema.content_chunk) == 3


async def test_the_loop_goes_on_after_trouble_and_stops(
    store: Store, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []

    async def failing(self: Remover) -> None:
        runs.append(1)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Remover, "run_once", failing)
    removing = remover(store, now)
    removing.start()
    await until(lambda: len(runs) > 2)
    assert removing.problem == "[Errno 5] Input/output error"
    await removing.stop()


# --- files -----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "drop"
    Folder.open(root, create=True).close()
    return root


async def test_old_files_of_done_go_and_those_of_waiting_documents_stay(
    store: Store, now: dt.datetime, folder: Path
) -> None:
    held = await store.write(sent, now, data=b"held", channel="folder")
    await store.write(
        lambda connection: (
            connection.execute(
                sa.update(schema.document).where(schema.document.c.submission_id == held).values(state="held")
            ).rowcount
        )
    )
    done = folder / ".done"
    for name, data in (
        ("x.pdf", b"x"),
        ("x.json", b"{}"),
        ("y-1.pdf", b"held"),
        ("y-1.json", b"{}"),
        ("z.pdf", b"hell"),
    ):
        (done / name).write_bytes(data)
    (done / "y-1.pdf.reason.txt").touch()
    (done / "link").symlink_to(folder)
    (folder / ".failed" / "old.pdf").touch()
    real = dt.datetime.now(dt.UTC)
    source = Source(name="local", folder=folder)
    keep = Retention(done_days=1)
    await remover(store, real + 0.9 * DAY, source, keep=keep)._sweep("local", folder, real - 0.1 * DAY)
    assert len(names(done)) == 7
    await remover(store, real, source, Source(name="gone", folder=folder / "gone"), keep=keep)._sweep(
        "local", folder, real + DAY
    )
    assert names(done) == ["link", "y-1.json", "y-1.pdf", "y-1.pdf.reason.txt"]
    assert names(folder / ".failed") == ["old.pdf"]
    removed = await store.write(verbs.settle, audit.Caller(uid=0, user="gateway"), {}, now)
    assert removed.files == 3


async def test_a_folder_that_is_away_does_not_stop_the_run(store: Store, tmp_path: Path, folder: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    (folder / ".done" / "x.pdf").touch()
    sources = (Source(name="gone", folder=tmp_path / "gone"), Source(name="scan", folder=folder))
    await remover(store, now + 100 * DAY, *sources).run_once()
    assert names(folder / ".done") == []


def test_what_the_senders_stamps_say_is_not_believed(folder: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    (folder / ".done" / "x.pdf").touch()
    os.utime(folder / ".done" / "x.pdf", (0, 0))
    sweep = Sweep(folder, now - DAY, ())
    assert sweep.step(100) == (0, False)
    sweep.close()


def test_a_done_that_is_a_link_or_of_somebody_else_is_not_swept(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "x").touch()
    shutil.rmtree(folder / ".done")
    (folder / ".done").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        Sweep(folder, dt.datetime.now(dt.UTC) + DAY, ())
    if os.geteuid() == 0:
        (folder / ".done").unlink()
        (folder / ".done").mkdir()
        os.chown(folder / ".done", 1000, 1000)
        with pytest.raises(PermissionError):
            Sweep(folder, dt.datetime.now(dt.UTC) + DAY, ())


# --- a kill ----------------------------------------------------------------------------------------------

_KILLED = """
import asyncio, datetime as dt, sys
from pathlib import Path
from gateway.config import Config
from gateway.retention import Pace, Remover
from gateway import retention
from gateway.store import Store

async def run():
    store = Store(Path(sys.argv[1]))
    store.open()
    retention._STEP = 1
    print("ready", flush=True)
    now = dt.datetime.fromisoformat(sys.argv[2])
    await Remover(store, Config(), pace=Pace(pause=0.0), now=lambda: now, clock=lambda: 0.0).run_once()
    print("done", flush=True)
    await store.close()

asyncio.run(run())
"""


def is_killed(database: Path, now: dt.datetime, delay: float) -> bool:
    """Let a process remove for `delay` seconds, then kill it; False when it was done before."""
    command = [sys.executable, "-c", _KILLED, str(database), now.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.kill()
            return True
        return False


async def test_a_kill_at_any_moment_leaves_neither_orphans_nor_references_to_nothing(
    tmp_path: Path, now: dt.datetime
) -> None:
    store = Store(tmp_path / "gateway.db")
    store.open()
    for number in range(100):
        await store.write(sent, now - (500 if number % 2 else 100) * DAY)
    await store.write(sent, now - DAY)
    await store.close()
    kills = 0
    for delay in (0.0, 0.01, 0.03, 60.0):
        kills += is_killed(tmp_path / "gateway.db", now, delay)
        store = Store(tmp_path / "gateway.db")
        store.open()
        assert await store.read(whole)
        await store.close()
    assert kills
    store = Store(tmp_path / "gateway.db")
    store.open()
    assert await store.read(count, schema.submission) == 51
    assert await store.read(count, schema.content_chunk) == 3
    rows = await store.read(audit.list_audit, audit.Filter(action="retention.remove"))
    assert sum(row["after"]["contents"] for row in rows) == 100 * 3
    assert sum(row["after"]["documents"] for row in rows) == 50
    await store.close()
