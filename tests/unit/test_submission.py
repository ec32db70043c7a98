"""Documents by mail, from the socket into a real store."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.config import Listener, Source
from gateway.intake.submission import SubmissionServer, dedupe_key
from gateway.model import UTC, Accepted, Envelope, NewSubmission, parse_id
from gateway.smtp.server import Limits
from gateway.store import Store
from gateway.store.companies import ensure_company
from gateway.store.content import get
from gateway.store.schema import content, submission
from gateway.store.submissions import accept
from tests.smtp_talk import LOCAL, Talk

NOW = dt.datetime(2026, 3, 2, 9, 41, tzinfo=UTC)


class Clock:
    """A clock that moves when it is told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now


class Intake:
    """A running server in front of a store."""

    def __init__(self, store: Store, server: SubmissionServer, clock: Clock) -> None:
        self.store = store
        self.server = server
        self.clock = clock

    async def submit(self, content: bytes, *, mail: str = "erp@example.com", rcpt: tuple[str, ...] = ("1001",)) -> str:
        """One session with one transaction; the reply to its dot."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.ports[0])
        try:
            talk = Talk(reader, writer)
            assert (await talk.reply()).startswith("220")
            recipients = "".join(f"RCPT TO:<{address}>\r\n" for address in rcpt)
            await talk.send(f"EHLO erp\r\nMAIL FROM:<{mail}> SMTPUTF8\r\n{recipients}DATA\r\n".encode())
            for _ in range(2 + len(rcpt)):
                assert (await talk.reply()).startswith("250")
            assert (await talk.reply()).startswith("354")
            await talk.send(content + b"\r\n.\r\n")
            return await talk.reply()
        finally:
            writer.close()
            await writer.wait_closed()

    async def rows(self) -> list[Any]:
        """All submissions as stored."""
        return await self.store.read(
            lambda connection: list(connection.execute(submission.select().order_by(submission.c.id)))
        )


@contextlib.asynccontextmanager
async def _intake(store: Store, *sources: Source, **options: Any) -> AsyncIterator[Intake]:
    clock = Clock()

    async def into_store(new: NewSubmission) -> Accepted:
        return await store.write_content(new.body.size, accept, new, clock.now)

    await store.write(ensure_company, "default", NOW)
    server = SubmissionServer([Listener(port=0)], sources or (LOCAL,), into_store, clock=clock, **options)
    await server.start()
    try:
        yield Intake(store, server, clock)
    finally:
        await server.stop(1)


def _envelope(row: Any) -> Envelope:
    return msgspec.convert(row.envelope, Envelope)


def _id(reply: str) -> int:
    before, shown = reply[:-13], reply[-13:]
    assert before == "250 2.0.0 Ok: queued as "
    return parse_id(shown)


@pytest.mark.parametrize("size", [10, 1000, 3_000_000])
async def test_a_mail_becomes_a_submission_and_is_answered_with_its_id(store: Store, size: int) -> None:
    async with _intake(store, limits=Limits(spool_above=500)) as intake:
        line = b"x" * 70 + b"\n"
        sent = (line * (size // 71 + 1))[:size].rstrip(b"\n")
        number = _id(await intake.submit(sent, mail="jörg@example.com", rcpt=("1001", "b@c.example")))
        (row,) = await intake.rows()
        assert (row.id, row.source, row.channel, row.received_at) == (number, "local", "smtp", NOW)
        assert _envelope(row) == Envelope(mail_from="jörg@example.com", rcpt_to=("1001", "b@c.example"), smtputf8=True)
        assert (row.peer["host"], row.peer["helo"], row.peer["listener"]) == ("127.0.0.1", "erp", "127.0.0.1:0")
        stored = await store.read(get, row.content_id)
        assert stored == sent.replace(b"\n", b"\r\n") + b"\r\n"


async def test_a_repetition_is_answered_with_the_first_id(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with _intake(store) as intake:
        first = _id(await intake.submit(b"invoice", rcpt=("1001", "1002")))
        intake.clock.now = NOW + dt.timedelta(hours=23)
        assert _id(await intake.submit(b"invoice", rcpt=("1002", "1001"))) == first
        assert len(await intake.rows()) == 1
        (line,) = [record.getMessage() for record in caplog.records if record.getMessage().startswith("duplicate ")]
        assert "source=local" in line
        others = [
            await intake.submit(b"other"),
            await intake.submit(b"invoice"),
            await intake.submit(b"invoice", mail="sap@example.com", rcpt=("1001", "1002")),
        ]
        intake.clock.now = NOW + dt.timedelta(hours=25)
        others.append(await intake.submit(b"invoice", rcpt=("1001", "1002")))
        assert len({first, *map(_id, others)}) == 5


async def test_line_ends_do_not_make_a_repetition_another(store: Store) -> None:
    async with _intake(store) as intake:
        assert _id(await intake.submit(b"a\nb")) == _id(await intake.submit(b"a\r\nb"))


async def test_a_source_may_accept_repetitions(store: Store) -> None:
    again = Source(name="again", networks=("127.0.0.0/8",), duplicates="accept")
    async with _intake(store, again) as intake:
        assert _id(await intake.submit(b"invoice")) != _id(await intake.submit(b"invoice"))
        rows = await intake.rows()
        assert [row.dedupe for row in rows] == [None, None]


async def test_repetitions_at_the_same_time_are_one(store: Store) -> None:
    async with _intake(store) as intake:
        replies = await asyncio.gather(*(intake.submit(b"invoice") for _ in range(10)))
        assert len({_id(reply) for reply in replies}) == 1
        assert len(await intake.rows()) == 1


async def test_a_null_sender_is_stored_as_such(store: Store) -> None:
    async with _intake(store) as intake:
        _id(await intake.submit(b"bounce", mail=""))
        (row,) = await intake.rows()
        assert _envelope(row).mail_from == ""


async def test_the_company_is_the_sources(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    acme = Source(name="acme", networks=("127.0.0.1/32",), company="acme")
    async with _intake(store, LOCAL, acme) as intake:
        assert (await intake.submit(b"x")).startswith("451 4.3.0")  # nobody made the company
        assert "acme" in caplog.text
        await store.write(ensure_company, "acme", NOW)
        _id(await intake.submit(b"x"))
        (row,) = await intake.rows()
        assert row.source == "acme"


async def test_a_folder_source_lets_nobody_in(store: Store, tmp_path: Any) -> None:
    async with _intake(store, Source(name="scanner", folder=tmp_path)) as intake:
        reader, writer = await asyncio.open_connection("127.0.0.1", intake.server.ports[0])
        assert (await Talk(reader, writer).reply()).startswith("554 5.7.1")
        writer.close()


async def test_what_is_refused_leaves_nothing_in_the_store(store: Store) -> None:
    async with _intake(store, room=lambda: None, limits=Limits(files=10, spool_above=10)) as intake:
        assert (await intake.submit(b"x" * 100)).startswith("452 4.3.1")
        assert await intake.rows() == []
        assert await store.read(lambda connection: connection.execute(content.select()).all()) == []


async def test_the_log_has_one_line_per_submission(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with _intake(store) as intake:
        reply = await intake.submit(b"a\nb")
        (line,) = [record.getMessage() for record in caplog.records if record.getMessage().startswith("received ")]
        assert f"submission={reply[-13:]}" in line
        assert "notes=bare_lf:1" in line
        assert "size=6" in line


_WORDS = st.text(st.characters(codec="utf-8"), max_size=5)


@example("a", "bc", ["d"], "ab", "c", ["d"])
@given(_WORDS, _WORDS, st.lists(_WORDS, max_size=3), _WORDS, _WORDS, st.lists(_WORDS, max_size=3))
def test_keys_are_equal_only_for_equal_transactions(
    source: str, mail: str, rcpt: list[str], other_source: str, other_mail: str, other_rcpt: list[str]
) -> None:
    one = dedupe_key(source, Envelope(mail_from=mail, rcpt_to=tuple(rcpt)), b"x" * 32)
    two = dedupe_key(other_source, Envelope(mail_from=other_mail, rcpt_to=tuple(other_rcpt)), b"x" * 32)
    assert (one == two) == ((source, mail, sorted(rcpt)) == (other_source, other_mail, sorted(other_rcpt)))
    assert one != dedupe_key(source, Envelope(mail_from=mail, rcpt_to=tuple(rcpt)), b"y" * 32)
