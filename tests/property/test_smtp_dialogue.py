"""Whatever a client sends, with whatever relaxations, it gets replies of SMTP or is cut; nothing fails inside."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.config import Relaxation, Source
from gateway.smtp.limits import Limits
from tests.smtp_talk import Talk, open_door
from tests.unit.test_smtp_auth import SAP

LENIENT = Source(
    name="fax",
    networks=("127.0.0.0/8",),
    implicit_helo=True,
    max_line=80,
    lenient_eod=Relaxation(reason="test", expires=dt.date(2999, 1, 1)),
)
WORDS = [
    b"EHLO x\r\n", b"HELO \xe9\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<1001>\r\n", b"DATA\r\n", b"x\n.\n",
    b".\r\n", b"RSET\r\n", b"AUTH PLAIN\r\n", b"AUTH LOGIN\r\n", b"c2Fw\r\n", b"*\r\n", b"=\r\n", b"STARTTLS\r\n",
    b"MAIL FROM:<> RET=FULL ENVID=x AUTH=<>\r\n", b"RCPT TO:<1@> NOTIFY=NEVER ORCPT=x;y\r\n", b"NOOP\r\n", b"\r", b"\n",
    b"GET / HTTP/1.1\r\n", b"QUIT\r\n", b"\x16\x03\x01\x02\x00\x01", b"PROXY TCP4 1.1.1.1 2.2.2.2 3 4\r\n", b"\0",
]  # fmt: skip
SENT = st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=30)), max_size=25).map(b"".join)
REPLIES = re.compile(rb"([2-5]\d\d[ -][ -~]*\r\n)*")


@pytest.mark.parametrize("sources", [(SAP,), (LENIENT, SAP)], ids=["strangers", "listed"])
async def test_any_bytes(sources: tuple[Source, ...], caplog: pytest.LogCaptureFixture) -> None:
    limits = Limits(auth_delay=0.0001, auth_rate=10**6, address_rate=10**6, lenient_pause=0.01)
    async with open_door(sources=sources, limits=limits) as door:
        loop = asyncio.get_running_loop()

        @given(SENT)
        @example(b"AUTH PLAIN\r\n")
        @example(b"EHLO x\r\nAUTH LOGIN\r\n" + b"x" * 200_000)
        @example(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<1>\r\nDATA\r\nx\n.\n")
        def say(sent: bytes) -> None:
            asyncio.run_coroutine_threadsafe(one(sent), loop).result(20)

        async def one(sent: bytes) -> None:
            talk = Talk(*await asyncio.open_connection("127.0.0.1", door.server.ports[0]))
            talk.writer.write(sent)
            talk.half_close()
            assert REPLIES.fullmatch(await talk.rest())
            talk.writer.transport.abort()

        await asyncio.to_thread(say)
        await door.until(lambda: not door.server.sessions)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
