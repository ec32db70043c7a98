"""Who may come in, how many, and how the door opens and closes."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest

from gateway.config import Listener, Source
from gateway.errors import ConfigError
from gateway.model import Reply
from gateway.smtp.server import Handed, Limits, Server
from tests.smtp_talk import LOCAL, OK, Gate, Talk, network, open_door


async def test_a_client_of_no_source_is_refused_and_only_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with open_door(sources=(network("lan", "10.0.0.0/8"),)) as door:
        talk = await door.connect(greeting="554 5.7.1 This client may not submit mail here")
        assert await talk.rest() == b""
        assert "no source in gateway.toml matches 127.0.0.1" in caplog.text


async def test_a_client_over_ipv6_is_matched() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        async with open_door(listeners=(Listener(host="::1", port=0),)) as door:
            reader, writer = await asyncio.open_connection("::1", door.server.ports[0])
            talk = Talk(reader, writer)
            door.talks.append(talk)
            assert (await talk.reply()).startswith("220")
            await talk.begin()
            await talk.send(b"x\r\n.\r\n")
            assert (await talk.reply()).startswith("250")
            assert door.received.handed[0].peer.host == "::1"
    except ConfigError:
        pytest.skip("no IPv6 loopback here")


async def test_connections_of_one_source_are_bounded() -> None:
    narrow = Source(name="narrow", networks=("127.0.0.0/8",), max_connections=2)
    async with open_door(sources=(narrow,)) as door:
        first, _ = await door.connect(), await door.connect()
        talk = await door.connect(greeting="421 4.7.0")
        assert await talk.rest() == b""
        await first.say("QUIT")
        await door.until(lambda: len(door.server.sessions) == 1)
        await door.connect()


async def test_the_longest_idle_gives_its_place_at_the_total() -> None:
    async with open_door(limits=Limits(connections=3)) as door:
        busy, old, new = await door.connect(), await door.connect(), await door.connect()
        await busy.say("EHLO x")
        await busy.say("MAIL FROM:<a@b.c>")
        await old.say("NOOP")
        await new.say("NOOP")
        await door.connect()
        assert (await old.rest()).startswith(b"421 4.7.0")
        assert (await new.say("NOOP")).startswith("250")
        assert (await busy.say("RCPT TO:<1>")).startswith("250")


async def test_each_newcomer_at_the_total_gets_a_place_of_its_own() -> None:
    async with open_door(limits=Limits(connections=2)) as door:
        old = [await door.connect() for _ in range(2)]
        await asyncio.gather(door.connect(), door.connect())
        for talk in old:
            assert (await talk.rest()).startswith(b"421 4.7.0")
        await door.until(lambda: len(door.server.sessions) == 2)


async def test_at_the_total_nobody_with_a_transaction_is_closed() -> None:
    async with open_door(limits=Limits(connections=2)) as door:
        for _ in range(2):
            talk = await door.connect()
            await talk.say("EHLO x")
            await talk.say("MAIL FROM:<a@b.c>")
        await door.connect(greeting="421 4.7.0")
        for talk in door.talks[:2]:
            assert (await talk.say("RCPT TO:<1>")).startswith("250")


async def test_a_slow_client_and_a_slow_store_keep_nobody_waiting() -> None:
    gate = Gate()

    async def answer(handed: Handed) -> Reply:
        return await gate(handed) if handed.envelope.rcpt_to == ("slow",) else OK

    async with open_door(answer=answer) as door:
        writing, waiting = await door.connect(), await door.connect()
        await writing.begin()
        await writing.send(b"half a li")
        await waiting.begin(rcpt="TO:<slow>")
        await waiting.send(b"x\r\n.\r\n")
        await gate.entered.wait()
        quick = await door.connect()
        await quick.begin()
        await quick.send(b"quick\r\n.\r\n")
        assert (await quick.reply()).startswith("250")
        await writing.send(b"ne\r\n.\r\n")
        assert (await writing.reply()).startswith("250")
        assert door.received.contents == [b"quick\r\n", b"half a line\r\n"]
        gate.open.set()
        assert (await waiting.reply()).startswith("250")


async def test_a_port_in_use_is_named_and_the_others_are_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Server([Listener(port=0), Listener(port=port)], [LOCAL], Gate())
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port} cannot be opened: Address already in use"):
            await server.start()
        assert server._servers == []


async def test_a_bound_socket_stands_for_a_listener() -> None:
    bound = socket.create_server(("127.0.0.1", 0))
    async with open_door(listeners=(Listener(port=1), Listener(port=0)), sockets=(bound,)) as door:
        assert door.server.ports[0] == bound.getsockname()[1]
        await door.connect(number=0)
        await door.connect(number=1)


async def test_stop_lets_what_runs_end_and_sends_the_idle_away() -> None:
    gate = Gate()

    async def answer(handed: Handed) -> Reply:
        return await gate(handed) if handed.envelope.rcpt_to == ("slow",) else OK

    async with open_door(answer=answer) as door:
        idle, writing, waiting = [await door.connect() for _ in range(3)]
        await writing.begin()
        await writing.send(b"half ")
        await waiting.begin(rcpt="TO:<slow>")
        await waiting.send(b"x\r\n.\r\n")
        await gate.entered.wait()
        stopping = asyncio.create_task(door.server.stop(10))
        assert (await idle.rest()).startswith(b"421 4.3.2")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", door.server.ports[0])
        await writing.send(b"and whole\r\n.\r\n")
        assert await writing.rest() == b"250 2.0.0 Ok\r\n421 4.3.2 Shutting down, try again later\r\n"
        assert not stopping.done()
        gate.open.set()
        assert (await waiting.rest()).startswith(b"250 2.0.0 Ok\r\n421 4.3.2")
        await stopping
        assert sorted(door.received.contents) == [b"half and whole\r\n", b"x\r\n"]


async def test_stop_waits_for_the_commit_of_a_client_that_is_gone() -> None:
    gate = Gate()
    async with open_door(answer=gate) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"x\r\n.\r\n")
        await gate.entered.wait()
        talk.reset()
        await door.until(lambda: not door.server.sessions)
        stopping = asyncio.create_task(door.server.stop(10))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not stopping.done()
        gate.open.set()
        await stopping
        assert door.received.contents == [b"x\r\n"]


async def test_stop_does_not_wait_longer_than_its_grace() -> None:
    async with open_door() as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"half")
        await door.server.stop(0.05)
        assert not door.server.sessions
        assert door.received.handed == []
