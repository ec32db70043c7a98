"""What clients do against the standards: counted at once, written now and then, and still known after a restart."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gateway.intake import quirkbook
from gateway.intake.quirkbook import QuirkBook
from gateway.smtp.quirks import Quirk, Quirks
from gateway.store import Store
from gateway.store import quirks as stored

LATER = dt.timedelta(hours=1)


async def test_the_counts_go_on_after_a_restart(store: Store, now: dt.datetime) -> None:
    before = Quirks()
    book = QuirkBook(store, before)
    await book.start()
    before.add("old", {"bare_lf": 3, "zip": 1}, now)
    before.add("old", {"bare_lf": 1}, now + LATER)
    before.add("new", {"bare_lf": 1}, now)
    await book.stop()
    after = Quirks()
    book = QuirkBook(store, after)
    await book.start()
    assert after.of("old") == [
        Quirk(name="bare_lf", count=4, last_seen=now + LATER),
        Quirk(name="zip", count=1, last_seen=now),
    ]
    after.add("old", {"zip": 1}, now + LATER)
    await book.stop()
    again = Quirks()
    book = QuirkBook(store, again)
    await book.start()
    await book.stop()
    assert again.of("old")[1] == Quirk(name="zip", count=2, last_seen=now + LATER)
    assert again.of("new") == [Quirk(name="bare_lf", count=1, last_seen=now)]


async def test_no_mail_waits_for_them_and_all_are_written_at_once(
    store: Store, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quirkbook, "SECONDS", 3600.0)
    counts = Quirks()
    book = QuirkBook(store, counts)
    await book.start()
    for _ in range(100):
        counts.add("old", {"dsn": 1}, now)
    assert await store.read(stored.all_seen) == []
    await book.stop()
    assert [(seen.name, seen.count) for seen in await store.read(stored.all_seen)] == [("dsn", 100)]


async def test_the_loop_writes_them(store: Store, now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quirkbook, "SECONDS", 0.01)
    counts = Quirks()
    book = QuirkBook(store, counts)
    await book.start()
    counts.add("old", {"dsn": 1}, now)
    while not await store.read(stored.all_seen):  # the test's own time limit ends it
        pass
    await book.stop()


async def test_what_cannot_be_written_is_not_forgotten(tmp_path: Path, now: dt.datetime) -> None:
    store = Store(tmp_path / "gateway.db")
    store.open()
    counts = Quirks()
    book = QuirkBook(store, counts)
    await book.start()
    counts.add("old", {"dsn": 2}, now + LATER)
    await store.close()
    await book.write()  # the store is stopping: Temporary
    counts.add("old", {"dsn": 1}, now)
    assert counts.take_new() == [("old", Quirk(name="dsn", count=3, last_seen=now))]
    await book.stop()
