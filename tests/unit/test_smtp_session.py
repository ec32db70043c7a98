"""The dialogue over real sockets: replies, faults, broken connections, timers."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import logging
import re
import socket
import time

import msgspec
import pytest

from gateway.config import Relaxation
from gateway.errors import Busy, Temporary
from gateway.model import Reply
from gateway.smtp.server import Handed, Limits
from tests.smtp_talk import LOCAL, OK, Gate, open_door


async def test_the_answer_to_ehlo_comes_in_one_write() -> None:
    async with open_door() as door:
        talk = await door.connect()
        with socket.socket() as raw:
            raw.connect(("127.0.0.1", door.server.ports[0]))
            raw.setblocking(False)
            loop = asyncio.get_running_loop()
            assert await loop.sock_recv(raw, 4096) == b"220 gw.example ESMTP\r\n"
            await loop.sock_sendall(raw, b"EHLO x\r\n")
            first = await loop.sock_recv(raw, 4096)
        assert first.startswith(b"250-gw.example\r\n")
        assert first.endswith(b"\r\n250 SMTPUTF8\r\n")
        (session,) = [each for each in door.server.sessions if each.client[1] == talk.port]
        written: list[bytes] = []
        assert session.transport is not None
        write = session.transport.write
        session.transport.write = lambda data: written.append(bytes(data)) or write(data)  # type: ignore[method-assign,func-returns-value]
        assert (await talk.say("EHLO x")).encode() == first.replace(b"\r\n", b"\n").strip()
        assert written == [first]


async def test_every_reply_after_ehlo_has_an_enhanced_code() -> None:
    commands = [
        "MAIL FROM:<a@b.c>",
        "MAIL FROM:<a@b.c>",
        "RCPT TO:<1>",
        "RCPT",
        "NOOP",
        "VRFY x",
        "EXPN x",
        "FOO",
        "RSET",
    ]
    async with open_door() as door:
        talk = await door.connect()
        await talk.say("EHLO x")
        for command in commands:
            answer = await talk.say(command)
            assert re.fullmatch(r"([245])\d\d \1\.\d\.\d [ -~]+", answer), answer


async def test_a_content_is_handed_in_with_envelope_peer_and_hash() -> None:
    async with open_door() as door:
        talk = await door.connect()
        await talk.begin(mail="FROM:<ERP@Example.COM> BODY=8BITMIME")
        await talk.send(b"Subject: x\n\nbody\r\n.\r\n")
        assert await talk.reply() == "250 2.0.0 Ok"
        (handed,) = door.received.handed
        content = b"Subject: x\r\n\r\nbody\r\n"
        assert door.received.contents == [content]
        assert handed.body.sha256 == hashlib.sha256(content).digest()
        assert (handed.body.size, handed.body.media_type) == (len(content), "message/rfc822")
        assert (handed.envelope.mail_from, handed.envelope.rcpt_to) == ("ERP@example.com", ("100234",))
        assert handed.source is LOCAL
        assert (handed.peer.host, handed.peer.helo) == ("127.0.0.1", "client.example")
        assert handed.peer.port == talk.port
        assert handed.notes == "bare_lf:2"


async def test_recipients_beyond_the_limit_wait_for_the_next_transaction() -> None:
    async with open_door(limits=Limits(recipients=3)) as door:
        talk = await door.connect()
        await talk.send(b"EHLO x\r\nMAIL FROM:<a@b.c>\r\n" + b"".join(b"RCPT TO:<%d>\r\n" % n for n in range(5)))
        await talk.send(b"DATA\r\n")
        answers = [await talk.reply() for _ in range(8)]
        assert [answer[:9] for answer in answers[2:]] == ["250 2.1.5"] * 3 + ["452 4.5.3"] * 2 + ["354 End d"]
        await talk.send(b".\r\n")
        assert await talk.reply() == "250 2.0.0 Ok"
        assert door.received.handed[0].envelope.rcpt_to == ("0", "1", "2")


async def test_a_client_that_sends_content_before_354_is_noted() -> None:
    async with open_door() as door:
        talk = await door.connect()
        await talk.send(b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n")
        await talk.rest()
        assert door.received.handed[0].notes == "early_commands:1,early_data:1"


ENDED = Relaxation(reason="an old fax", expires=dt.date(2020, 1, 31))
HOLDS = Relaxation(reason="an old fax", expires=dt.date(2999, 12, 31))


@pytest.mark.parametrize("lenient", [None, ENDED], ids=["strict", "ended"])
async def test_lf_dot_lf_and_silence_end_nothing_where_that_is_not_said(lenient: Relaxation | None) -> None:
    source = msgspec.structs.replace(LOCAL, lenient_eod=lenient)
    async with open_door(sources=(source,), limits=Limits(lenient_pause=0.001, data_timeout=0.2)) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"x\n.\n")
        assert (await talk.rest()).startswith(b"421 4.4.2")
        assert door.received.handed == []


async def test_lf_dot_lf_ends_nothing_while_more_comes() -> None:
    """A piece of the network may end anywhere: only silence tells an end from a line in the middle."""
    source = msgspec.structs.replace(LOCAL, lenient_eod=HOLDS)
    async with open_door(sources=(source,), limits=Limits(lenient_pause=30)) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"a\n.\n")
        (session,) = door.server.sessions
        await door.until(lambda: session._received == 4)
        await talk.send(b"b\r\n.\r\n")
        assert (await talk.reply()).startswith("250")
        assert door.received.contents == [b"a\r\n.\r\nb\r\n"]


async def test_a_burst_of_commands_is_worked_off_in_turns() -> None:
    async with open_door() as door:
        talk = await door.connect()
        (session,) = door.server.sessions
        await talk.send(b"NOOP\r\n" * 10_000)
        talk.half_close()
        waiting = set()
        while door.server.sessions:
            waiting.add(len(session._buffered))
            await asyncio.sleep(0)
        assert len(waiting) > 10  # whoever looks in between sees it shrink
        assert (await talk.rest()).count(b"250 2.0.0 Ok\r\n") == 10_000


STAGES = [
    b"",
    b"EHLO",
    b"EHLO x\r\n",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\n",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\n",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\n",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\nhalf",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\nhalf\r\n",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\nhalf\r\n.",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\nhalf\r\n.\r",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\n" + b"x" * 300_000,
]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: str(len(stage)))
@pytest.mark.parametrize("end", ["half-close", "reset"])
async def test_half_a_submission_is_never_handed_in(stage: bytes, end: str) -> None:
    async with open_door() as door:
        talk = await door.connect()
        await talk.send(stage)
        if end == "half-close":
            talk.half_close()
            await talk.rest()
        else:
            talk.reset()
        await door.until(lambda: not door.server.sessions)
        assert door.received.handed == []


async def test_a_half_close_after_the_dot_still_gets_its_answer() -> None:
    gate = Gate()
    async with open_door(answer=gate) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"whole\r\n.\r\n")
        talk.half_close()
        await gate.entered.wait()
        gate.open.set()
        assert await talk.rest() == b"250 2.0.0 Ok\r\n"
        assert door.received.contents == [b"whole\r\n"]


@pytest.mark.parametrize("size", [100, 2000])
async def test_a_commit_ends_though_the_client_is_gone(size: int) -> None:
    gate = Gate()
    async with open_door(answer=gate, limits=Limits(spool_above=1000)) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"x" * size + b"\r\n.\r\n")
        await gate.entered.wait()
        talk.reset()
        await door.until(lambda: not door.server.sessions)
        assert door.server.budget.memory + door.server.budget.files == size + 2
        gate.open.set()
        await door.until(lambda: not door.server._commits)
        assert door.received.contents == [b"x" * size + b"\r\n"]


async def test_a_fault_of_ours_is_451_with_an_incident_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    faults = [OSError("/var/lib/secret.db is gone"), None]

    async def answer(handed: Handed) -> Reply:
        fault = faults.pop(0)
        if fault:
            raise fault
        return OK

    async with open_door(answer=answer) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"one\r\n.\r\n")
        refusal = await talk.reply()
        match = re.fullmatch(r"451 4\.3\.0 Something failed here, try again later, incident ([0-9A-F]{8})", refusal)
        assert match
        (record,) = [record for record in caplog.records if match[1] in record.getMessage()]
        assert record.exc_info is not None
        assert "secret.db" in str(record.exc_info[1])
        await talk.begin()
        await talk.send(b"two\r\n.\r\n")
        assert await talk.reply() == "250 2.0.0 Ok"
        assert door.received.contents == [b"two\r\n"]


async def test_a_fault_in_a_command_is_451_with_an_incident(caplog: pytest.LogCaptureFixture) -> None:
    lacks = iter([None])

    def room() -> str | None:
        return next(lacks)  # then StopIteration

    async with open_door(room=room) as door:
        talk = await door.connect()
        await talk.say("EHLO x")
        assert (await talk.say("MAIL FROM:<a@b.c>")).startswith("250")
        assert (await talk.say("RSET")).startswith("250")
        assert re.search(r"^451 4\.3\.0 .*incident [0-9A-F]{8}$", await talk.say("MAIL FROM:<a@b.c>"))
        assert (await talk.say("NOOP")).startswith("250")
        assert "incident" in caplog.text


@pytest.mark.parametrize(
    ("error", "code"),
    [(Temporary("The writer is reopening /var/lib/x"), "451 4.3.0"), (Busy("The queue holds 200000"), "452 4.3.1")],
)
async def test_what_passes_is_4xx_and_says_nothing_of_us(
    error: Temporary, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def answer(handed: Handed) -> Reply:
        raise error

    async with open_door(answer=answer) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"x\r\n.\r\n")
        refusal = await talk.reply()
        assert refusal.startswith(code)
        assert error.sentence not in refusal
        assert error.sentence in caplog.text
        assert (await talk.say("NOOP")).startswith("250")


async def test_a_silent_client_is_closed() -> None:
    async with open_door(limits=Limits(command_timeout=0.1)) as door:
        talk = await door.connect()
        assert await talk.rest() == b"421 4.4.2 Timeout, closing the connection\r\n"


async def test_data_without_progress_is_closed_and_nothing_kept() -> None:
    async with open_door(limits=Limits(data_timeout=0.1)) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"half")
        assert (await talk.rest()).startswith(b"421 4.4.2")
        assert door.received.handed == []


async def test_data_that_comes_slowly_is_taken() -> None:
    async with open_door(limits=Limits(data_timeout=0.2, command_timeout=0.2, data_rate=50)) as door:
        talk = await door.connect()
        await talk.begin()
        began = time.monotonic()
        while time.monotonic() - began < 0.6:
            await talk.send(b"slow\r\n")
            await asyncio.sleep(0.02)  # a client that is slow: the subject of this test
        await talk.send(b".\r\n")
        assert (await talk.reply()).startswith("250")


async def test_a_slow_store_is_not_the_clients_timeout() -> None:
    gate = Gate()
    async with open_door(answer=gate, limits=Limits(data_timeout=0.05, command_timeout=0.05)) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"x\r\n.\r\n")
        await gate.entered.wait()
        session = next(iter(door.server.sessions))
        await door.until(lambda: session._timer is None)
        gate.open.set()
        assert (await talk.reply()).startswith("250")
        assert (await talk.rest()).startswith(b"421 4.4.2")  # the clock runs again


def _now() -> float:
    return asyncio.get_running_loop().time() - 0.05


async def test_a_session_ends_at_its_time_however_busy_it_is() -> None:
    async with open_door(limits=Limits(session_timeout=0.2)) as door:
        talk = await door.connect()
        answer = ""
        while not answer.startswith("421"):
            answer = await talk.say("NOOP")
            assert answer, "closed without a word"
        assert answer.startswith("421 4.4.2")


async def test_a_session_ends_at_its_time_in_the_middle_of_data_too() -> None:
    async with open_door(limits=Limits(session_timeout=0.3, data_timeout=0.05, data_rate=50)) as door:
        talk = await door.connect()
        await talk.begin()

        async def pour() -> None:
            while True:
                await talk.send(b"x" * 70 + b"\r\n")
                await asyncio.sleep(0.005)  # a client that never ends: the subject of this test

        pouring = asyncio.create_task(pour())
        await talk.rest()  # what it says may be lost, because more was sent than it read
        pouring.cancel()
        await asyncio.wait([pouring])
        await door.until(lambda: not door.server.sessions)
        assert door.received.handed == []


async def test_a_client_that_reads_nothing_is_cut() -> None:
    async with open_door(limits=Limits(command_timeout=0.1, linger=0.1)) as door:
        talk = await door.connect()
        talk.writer.transport.pause_reading()  # type: ignore[attr-defined]
        talk.writer.write(b"NOOP\r\n" * 1_000_000)
        await door.until(lambda: not door.server.sessions)
