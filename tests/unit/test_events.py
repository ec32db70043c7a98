"""The stream of changes: fed after commits only, at most one event a second, ended with the server."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway import config
from gateway.admin import events
from gateway.admin.running import Running
from gateway.api import AdminServer
from gateway.client import Client
from gateway.errors import Refused
from gateway.store import Store, companies
from gateway.store.schema import company
from gateway.store.writer import heartbeat


@pytest.fixture
async def server(store: Store, tmp_path: Path) -> AsyncIterator[AdminServer]:
    made = AdminServer(tmp_path / "admin.sock", Running(store=store, config=config.Config()))
    await made.start()
    yield made
    await made.stop()


def client(tmp_path: Path) -> Client:
    return Client(tmp_path / "admin.sock", timeout=10)


async def test_commit_is_an_event(server: AdminServer, store: Store, now: dt.datetime, tmp_path: Path) -> None:
    stream = client(tmp_path).events()
    assert await asyncio.to_thread(next, stream) == ""
    waiting = asyncio.create_task(asyncio.to_thread(next, stream))
    await store.write(companies.ensure_company, "acme", now)
    assert await waiting == store.changes.last
    stream.close()


async def test_what_was_missed_is_an_event_at_once(
    server: AdminServer, store: Store, now: dt.datetime, tmp_path: Path
) -> None:
    seen = store.changes.last
    await store.write(companies.ensure_company, "acme", now)
    ids = [id_ async for id_ in _take(client(tmp_path), seen)]
    assert ids == ["", store.changes.last]
    assert [id_ async for id_ in _take(client(tmp_path), "another-run-7")] == ["", store.changes.last]


async def _take(client: Client, after: str) -> AsyncIterator[str]:
    stream = client.events(after)
    for _ in range(2):
        yield await asyncio.to_thread(next, stream)
    stream.close()


async def test_reading_failing_and_beating_are_no_events(store: Store, now: dt.datetime) -> None:
    def fail(connection: Connection) -> None:
        companies.ensure_company(connection, "acme", now)
        raise Refused("no")

    before = store.changes.last
    await store.read(lambda connection: connection.execute(sa.select(company)).all())
    await store.write(lambda connection: connection.execute(sa.select(company)).all())
    await store.write(heartbeat)
    with pytest.raises(Refused):
        await store.write(fail)
    assert store.changes.last == before
    assert not await store.changes.wait(before, 0.01)


async def test_events_are_a_second_apart(store: Store, now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five commits in the pause after an event are one event; the pause is a second of a clock that is ours."""
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        for number in range(5):
            await store.write(companies.ensure_company, f"acme{number}", now)

    monkeypatch.setattr(events, "sleep", pause)
    stream = events.stream(Running(store=store, config=config.Config()), {"limit": "2"}, "another-run-7")
    said = [event.decode() async for event in stream]
    assert [event.partition("\n")[0] for event in said[2:]] == [f"id: {store.changes.last}"]
    assert paused == [1.0]


async def test_streams_end_with_the_server(server: AdminServer, store: Store, tmp_path: Path) -> None:
    stream = client(tmp_path).events()
    await asyncio.to_thread(next, stream)
    rest = asyncio.create_task(asyncio.to_thread(list, stream))
    await server.stop()  # does not come back while a stream is open
    assert [id_ for id_ in await rest if id_] == []
