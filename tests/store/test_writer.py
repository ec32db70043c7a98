"""The writer: what waits is committed together, a culprit fails alone, nothing is lost with its caller."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from gateway import metrics
from gateway.errors import Busy, Corrupt, Refused, Temporary
from gateway.store import Store, writer
from gateway.store.statement import Statement


def put(connection: Connection, key: str) -> str:
    connection.exec_driver_sql("INSERT INTO meta VALUES (?, 'x')", (key,))
    return key


def keys(connection: Connection) -> list[str]:
    return [row[0] for row in connection.exec_driver_sql("SELECT key FROM meta WHERE value = 'x' ORDER BY rowid")]


class Gate:
    """A verb that keeps the writer busy until it is opened, so that a batch gathers behind it."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Event(), threading.Event()

    def __call__(self, connection: Connection) -> None:
        self.entered.set()
        assert self.open.wait(10)


async def closed_gate(store: Store) -> tuple[Gate, asyncio.Task[None]]:
    gate = Gate()
    task = asyncio.create_task(store.write(gate))
    await asyncio.to_thread(gate.entered.wait, 10)
    return gate, task


async def test_what_waits_is_committed_in_one_transaction(store: Store) -> None:
    gate, task = await closed_gate(store)
    writes = [asyncio.ensure_future(store.write(put, f"k{i}")) for i in range(40)]
    await asyncio.sleep(0)
    before = metrics.COMMITS._value.get()
    gate.open.set()
    assert await asyncio.gather(*writes) == [f"k{i}" for i in range(40)]
    await task
    assert metrics.COMMITS._value.get() - before == 2  # the gate's own, then all forty


async def test_a_batch_has_at_most_fifty_items(store: Store) -> None:
    gate, task = await closed_gate(store)
    writes = [asyncio.ensure_future(store.write(put, f"k{i}")) for i in range(101)]
    await asyncio.sleep(0)
    before = metrics.COMMITS._value.get()
    gate.open.set()
    await asyncio.gather(task, *writes)
    assert metrics.COMMITS._value.get() - before == 1 + 3


async def test_a_batch_has_at_most_eight_mebibytes(store: Store) -> None:
    gate, task = await closed_gate(store)
    writes = [asyncio.ensure_future(store.write_content(3 << 20, put, f"k{i}")) for i in range(4)]
    await asyncio.sleep(0)
    before = metrics.COMMITS._value.get()
    gate.open.set()
    await asyncio.gather(task, *writes)
    assert metrics.COMMITS._value.get() - before == 1 + 2


async def test_only_the_culprit_of_a_batch_fails(store: Store) -> None:
    def refuse(connection: Connection) -> None:
        put(connection, "never")
        raise Refused("no")

    gate, task = await closed_gate(store)
    writes = [asyncio.ensure_future(store.write(put, f"k{i}")) for i in range(5)]
    culprit = asyncio.ensure_future(store.write(refuse))
    writes += [asyncio.ensure_future(store.write(put, f"k{i}")) for i in range(5, 10)]
    await asyncio.sleep(0)
    gate.open.set()
    assert await asyncio.gather(*writes) == [f"k{i}" for i in range(10)]
    with pytest.raises(Refused, match="no"):
        await culprit
    await task
    assert await store.read(keys) == [f"k{i}" for i in range(10)]


async def test_the_answer_comes_after_the_commit(store: Store) -> None:
    await store.write(put, "a")
    assert await store.read(keys) == ["a"]  # another connection sees it


async def test_cancelling_a_caller_does_not_take_its_verb_back(store: Store) -> None:
    gate, task = await closed_gate(store)
    caller = asyncio.ensure_future(store.write(put, "a"))
    await asyncio.sleep(0)
    caller.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await caller
    gate.open.set()
    await task
    await store.write(put, "b")
    assert await store.read(keys) == ["a", "b"]


async def test_what_records_goes_before_what_accepts(store: Store) -> None:
    gate, task = await closed_gate(store)
    accepts = [asyncio.ensure_future(store.write_content(10, put, f"accept{i}")) for i in range(3)]
    await asyncio.sleep(0)
    record = asyncio.ensure_future(store.write(put, "record"))
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(task, record, *accepts)
    assert await store.read(keys) == ["record", "accept0", "accept1", "accept2"]


async def test_closing_commits_what_waits(tmp_path: Path) -> None:
    store = Store(tmp_path / "gateway.db")
    store.open()
    gate, task = await closed_gate(store)
    last = asyncio.ensure_future(store.write(put, "last"))
    await asyncio.sleep(0)
    gate.open.set()
    await task
    await store.close()
    assert await last == "last"
    again = Store(tmp_path / "gateway.db")
    again.open()
    assert await again.read(keys) == ["last"]
    await again.close()


async def test_closing_waits_for_the_verb_under_way(tmp_path: Path) -> None:
    store = Store(tmp_path / "gateway.db")
    store.open()
    gate, task = await closed_gate(store)
    last = asyncio.ensure_future(store.write(put, "last"))
    await asyncio.sleep(0)
    opener = threading.Timer(0.2, gate.open.set)
    opener.start()
    await store.close()
    with contextlib.closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("SELECT key FROM meta WHERE value = 'x'").fetchall() == [("last",)]
    await asyncio.gather(task, last)
    opener.join()


async def test_a_full_disk_is_busy_and_passes(store: Store) -> None:
    def limit(connection: Connection, pages: int) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def pages(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0)

    def big(connection: Connection, key: str) -> None:
        connection.exec_driver_sql("INSERT INTO meta VALUES (?, zeroblob(1000000))", (key,))

    await store.write(limit, await store.read(pages) + 5)
    with pytest.raises(Busy, match="full"):
        await store.write(big, "a")
    await store.write(put, "small still goes")
    await store.write(limit, 1_000_000)
    await store.write(big, "a")
    assert await store.read(keys) == ["small still goes"]


async def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(Exception, match="readonly"):
        await store.read(put, "a")


async def test_the_heartbeat_is_a_commit(store: Store) -> None:
    before = metrics.COMMITS._value.get()
    await store.write(writer.heartbeat)
    assert metrics.COMMITS._value.get() == before + 1


async def test_what_a_verb_does_wrong_is_no_trouble_of_the_disk(store: Store) -> None:
    """Intake stays open: only what the disk does closes it."""
    await store.write(put, "twice")
    with pytest.raises(IntegrityError):
        await store.write(put, "twice")
    assert store.trouble is None


async def test_a_disk_that_cannot_be_read_is_something_that_passes(store: Store) -> None:
    await store.write(put, "there")
    store.path.rename(store.path.with_name("away"))
    for name in ("-wal", "-shm"):
        store.path.with_name(store.path.name + name).unlink()
    with pytest.raises(Temporary, match="cannot be read"):
        await store.read(keys)


@pytest.mark.parametrize("way", ["read", "read_one"])
async def test_a_statement_that_the_disk_fails_is_no_mistake_of_the_verbs(store: Store, way: str) -> None:
    """As SQLite says it to a `Statement`, without SQLAlchemy around it."""

    def fails(connection: Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    def mistaken(connection: Connection) -> None:
        Statement("SELECT :absent").run(connection, {})

    with pytest.raises(Temporary, match="cannot be read: disk I/O error"):
        await getattr(store, way)(fails)
    with pytest.raises(sqlite3.ProgrammingError):
        await getattr(store, way)(mistaken)


# --- damage ----------------------------------------------------------------------------------------------


@pytest.fixture
async def doubted(tmp_path: Path) -> AsyncIterator[tuple[Store, list[Corrupt]]]:
    """A store with several pages, and what it tells of damage."""
    told: list[Corrupt] = []
    store = Store(tmp_path / "gateway.db", told.append)
    store.open()
    await store.write(fill)
    await store.close()
    store = Store(tmp_path / "gateway.db", told.append)
    store.open()
    yield store, told
    await store.close()


def fill(connection: Connection) -> None:
    for number in range(200):
        connection.exec_driver_sql("INSERT INTO meta VALUES (?, ?)", (f"k{number}", "y" * 4000))


def fail_to_sync(connection: Connection) -> None:
    """What SQLite says when the disk does not take a page."""
    raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))


def read_all(connection: Connection) -> int:
    return len(connection.exec_driver_sql("SELECT key, value FROM meta").all())


def damage(path: Path) -> None:
    """Garbage over the last pages."""
    with path.open("r+b") as file:
        file.seek(-10 * 16384, os.SEEK_END)
        file.write(b"garbage!" * (10 * 2048))


async def test_a_disk_that_failed_once_is_believed_again_after_a_check(doubted: tuple[Store, list[Corrupt]]) -> None:
    store, told = doubted
    with pytest.raises(Temporary, match="cannot be written: disk I/O error"):
        await store.write(fail_to_sync)
    assert "disk I/O error" in str(store.trouble)
    await store.write(put, "again")
    assert store.trouble is None
    assert not told
    assert await store.read(keys) == ["again"]


async def test_damage_that_a_failed_write_left_ends_the_writing(doubted: tuple[Store, list[Corrupt]]) -> None:
    store, told = doubted
    with pytest.raises(Temporary):
        await store.write(fail_to_sync)
    damage(store.path)
    for _ in range(2):
        with pytest.raises(Corrupt, match=r"gateway\.db is damaged"):
            await store.write(put, "never")
    assert len(told) == 1


async def test_damage_that_a_reader_meets_ends_the_writing(doubted: tuple[Store, list[Corrupt]]) -> None:
    store, told = doubted
    damage(store.path)
    with pytest.raises(Temporary, match="cannot be read: database disk image is malformed"):
        await store.read(read_all)
    with pytest.raises(Corrupt):
        await store.write(put, "never")
    assert len(told) == 1


async def test_nothing_is_taken_after_the_stop(tmp_path: Path) -> None:
    store = Store(tmp_path / "gateway.db")
    store.open()
    assert store.waiting == 0
    await store.close()
    with pytest.raises(Temporary, match="stopping"):
        await store.write(put, "late")
