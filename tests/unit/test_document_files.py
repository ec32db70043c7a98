"""The files of a document: as it came in, as it is sent, and its text, on a real store with a real worker."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway import config, resources
from gateway.admin.running import Running
from gateway.api import AdminServer
from gateway.client import Client, path_of
from gateway.errors import NotFound, Refused, Temporary
from gateway.model import show_id
from gateway.readers.plaintext import LINES, lines_of_text
from gateway.store import Store, companies, documents, messages, submissions
from gateway.workers import Pool
from tests.store.samples import OWNER, new_message, submission


def put(connection: Any, now: dt.datetime, content: bytes, queued: bool) -> str:
    """A document with this content, with a message or without; its id."""
    submissions.accept(connection, submission(now, content), now)
    (claimed,) = submissions.claim(connection, OWNER, now, now + dt.timedelta(minutes=5), 1)
    new = submissions.NewDocument(file_name="a.pdf", media_type="application/pdf", fields=claimed.fields)
    (found,) = submissions.finish(connection, claimed, [new], OWNER, now, now + dt.timedelta(minutes=5))
    if queued:
        messages.queue(connection, found.id, OWNER, documents.Finding(), new_message(now, "a@example.com"), now)
    return show_id(found.id)


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    made = Pool(1)
    made.start()
    yield made
    await made.close()


@pytest.fixture
async def client(store: Store, now: dt.datetime, pool: Pool, tmp_path: Path) -> AsyncIterator[Client]:
    await store.write(companies.ensure_company, "default", now)
    server = AdminServer(tmp_path / "admin.sock", Running(store=store, config=config.Config(), pool=pool))
    await server.start()
    yield Client(tmp_path / "admin.sock", timeout=20)
    await server.stop()


async def test_text_message_and_what_cannot_be_read(client: Client, store: Store, now: dt.datetime) -> None:
    pdf = await store.write(put, now, resources.read_bytes("samples/invoice-papeterie.pdf"), True)
    found = await asyncio.to_thread(client.get, path_of("documents", pdf, "text"))
    assert any("FA-2026-0318" in line for line in found["lines"])
    sent = b"".join(await asyncio.to_thread(lambda: list(client.stream(path_of("documents", pdf, "message")))))
    assert sent == b"From: a@b.example\r\n\r\nhello\r\n"
    torn = await store.write(put, now, b"%PDF-1.7 and no end", False)
    with pytest.raises(Refused, match="has no end"):
        await asyncio.to_thread(client.get, path_of("documents", torn, "text"))
    with pytest.raises(NotFound, match="No message"):
        await asyncio.to_thread(lambda: list(client.stream(path_of("documents", torn, "message"))))


async def test_no_worker_no_text(store: Store, now: dt.datetime, tmp_path: Path) -> None:
    await store.write(companies.ensure_company, "default", now)
    server = AdminServer(tmp_path / "admin.sock", Running(store=store, config=config.Config()))
    await server.start()
    document = await store.write(put, now, b"x", False)
    with pytest.raises(Temporary, match="reads no files"):
        await asyncio.to_thread(Client(tmp_path / "admin.sock").get, path_of("documents", document, "text"))
    await server.stop()


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"one\ntwo", ["one", "two"]),
        (b"<a><b>1</b>  <c/></a>", ["<a>", "<b>1</b>", "<c/>", "</a>"]),
        (b"", []),
        (b"\xff\xfe", ["\ufffd\ufffd"]),
    ],
)
def test_characters_are_lines(data: bytes, lines: list[str]) -> None:
    assert lines_of_text(data) == lines


def test_lines_end_somewhere() -> None:
    assert len(lines_of_text(b"x\n" * (2 * LINES))) == LINES
