"""Every way to look at what stands in a document leaves a row of the audit, before anything is shown."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway import config, resources
from gateway.admin import roles
from gateway.admin.roles import Permission
from gateway.admin.running import Running
from gateway.api import AdminServer
from gateway.cli import Parser
from gateway.cli import documents as verbs
from gateway.client import Client
from gateway.errors import GatewayError
from gateway.model import show_id
from gateway.store import Store, audit, companies, documents, messages, submissions
from gateway.workers import Pool
from tests.conftest import ROOT
from tests.store.samples import OWNER, new_message, submission

LOOKS = {  # path below the document: what the audit calls it, and the verb of `gateway documents`
    "": ("document", "show"),
    "/trace": ("trace", "why"),
    "/original": ("original", "original"),
    "/message": ("message", "message"),
    "/text": ("text", "text"),
}
NO_LOOK = {
    "list",
    "held",
    "release",
    "cancel",
    "resend",
}  # the other verbs: they show nothing of what stands in a document


class Door:
    """A served store with a worker and one document that has a message."""

    def __init__(self, store: Store, pool: Pool, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.file = folder / "gateway.toml"
        self.file.write_text('[gateway]\nadmin_socket = "admin.sock"\ndatabase = "sqlite:gateway.db"\n')
        loaded = config.load(self.file)
        self.client = Client(loaded.gateway.admin_socket, timeout=20)
        self.server = AdminServer(loaded.gateway.admin_socket, Running(store=store, config=loaded, pool=pool))

    async def looks(self) -> list[tuple[str, str, Any]]:
        rows = await self.store.read(audit.list_audit, audit.Filter())
        return [(row["action"], row["object"], row["after"]) for row in reversed(rows)]

    async def bytes_of(self, path: str) -> bytes:
        return b"".join(await asyncio.to_thread(lambda: list(self.client.stream(path))))

    async def run(self, *argv: str) -> bytes:
        made = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "-c", str(self.file), *argv),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
        )
        out, _ = await asyncio.wait_for(made.communicate(), 60)
        assert made.returncode == 0
        return out


def put(connection: Any, now: dt.datetime) -> str:
    submissions.accept(connection, submission(now, resources.read_bytes("samples/invoice-papeterie.pdf")), now)
    (claimed,) = submissions.claim(connection, OWNER, now, now + dt.timedelta(minutes=5), 1)
    new = submissions.NewDocument(file_name="a.pdf", media_type="application/pdf", fields=claimed.fields)
    (found,) = submissions.finish(connection, claimed, [new], OWNER, now, now + dt.timedelta(minutes=5))
    messages.queue(connection, found.id, OWNER, documents.Finding(), new_message(now, "a@example.com"), now)
    return show_id(found.id)


@pytest.fixture
async def door(store: Store, now: dt.datetime, tmp_path: Path) -> AsyncIterator[Door]:
    await store.write(companies.ensure_company, "default", now)
    pool = Pool(1)
    pool.start()
    made = Door(store, pool, tmp_path)
    await made.server.start()
    yield made
    await made.server.stop()
    await pool.close()


def test_the_ways_to_look_are_these() -> None:
    routes = {route for route, need in roles.ROUTES.items() if need is Permission.CONTENT}
    assert routes == {f"GET /documents/{{id}}{below}" for below in LOOKS}
    assert documents_verbs() == {verb for _, verb in LOOKS.values()} | NO_LOOK


def documents_verbs() -> set[str]:
    commands = Parser(prog="gateway").add_subparsers(parser_class=Parser)
    verbs.register(commands)
    noun: Any = commands.choices["documents"]
    return {verb for action in noun._actions if isinstance(action.choices, dict) for verb in action.choices}


async def test_each_way_through_the_api(door: Door, now: dt.datetime) -> None:
    id_ = await door.store.write(put, now)
    for count, (below, (what, _)) in enumerate(LOOKS.items(), 1):
        assert await door.bytes_of(f"/documents/{id_}{below}")
        looks = await door.looks()
        assert len(looks) == count
        assert looks[-1] == ("document.look", id_, {"what": what})


async def test_each_way_through_the_command_line(door: Door, now: dt.datetime) -> None:
    id_ = await door.store.write(put, now)
    shown = await asyncio.gather(*(door.run("documents", verb, id_) for _, verb in LOOKS.values()))
    assert all(shown)
    looks = await door.looks()
    assert sorted(after["what"] for _, _, after in looks) == sorted(what for what, _ in LOOKS.values())
    assert {(action, object_) for action, object_, _ in looks} == {("document.look", id_)}


async def test_nothing_is_shown_when_the_look_cannot_be_noted(door: Door, now: dt.datetime) -> None:
    id_ = await door.store.write(put, now)
    full = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no more'); END"
    await door.store.write(lambda connection: connection.exec_driver_sql(full))
    for below in LOOKS:
        with pytest.raises(GatewayError) as caught:
            await door.bytes_of(f"/documents/{id_}{below}")
        assert "FA-2026" not in str(caught.value)
    await door.store.write(lambda connection: connection.exec_driver_sql("DROP TRIGGER full"))
    assert await door.looks() == []
    assert await door.bytes_of(f"/documents/{id_}/original")
