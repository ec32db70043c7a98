"""A raw SMTP client and a receiver that remembers, for tests of the submission door."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from gateway.config import Listener, Source
from gateway.model import Reply
from gateway.smtp.server import Handed, Server

DEADLINE = 10.0
LOCAL = Source(name="local", networks=("127.0.0.0/8", "::1/128"))
OK = Reply(code=250, enhanced="2.0.0", text="Ok")


def network(name: str, *networks: str) -> Source:
    """A source of these networks."""
    return Source(name=name, networks=networks)


class Talk:
    """One connection, bytes as they are; every read has a deadline."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def port(self) -> int:
        """The client's own port."""
        return int(self.writer.get_extra_info("sockname")[1])

    async def reply(self) -> str:
        """One whole reply, lines joined by LF; empty at the end of the connection."""
        lines = []
        async with asyncio.timeout(DEADLINE):
            while True:
                line = (await self.reader.readline()).decode()
                lines.append(line.rstrip("\r\n"))
                if line[3:4] != "-":
                    return "\n".join(lines)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(DEADLINE):
            await self.writer.drain()

    async def say(self, line: str) -> str:
        """Sends a command and reads its reply."""
        await self.send(line.encode() + b"\r\n")
        return await self.reply()

    async def begin(self, *, mail: str = "FROM:<erp@example.com>", rcpt: str = "TO:<100234>") -> None:
        """Up to and with DATA's 354."""
        for command in ("EHLO client.example", f"MAIL {mail}", f"RCPT {rcpt}"):
            answer = await self.say(command)
            assert answer.startswith("250"), answer
        assert (await self.say("DATA")).startswith("354")

    async def rest(self) -> bytes:
        """Everything until the other side closes; a reset counts as that."""
        async with asyncio.timeout(DEADLINE):
            with contextlib.suppress(ConnectionError):
                return await self.reader.read()
            return b""

    def half_close(self) -> None:
        self.writer.write_eof()

    def reset(self) -> None:
        """Ends the connection with a RST."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Gate:
    """A receiver's answer that waits until the test opens the gate."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, handed: Handed) -> Reply:
        self.entered.set()
        await self.open.wait()
        handed.body.reader().read()  # the body is still there
        return OK


class Received:
    """A receiver: keeps what was handed in, answers as `answer` says."""

    def __init__(self, answer: Callable[[Handed], Awaitable[Reply]] | None = None) -> None:
        self.handed: list[Handed] = []
        self.contents: list[bytes] = []
        self.answer = answer

    async def __call__(self, handed: Handed) -> Reply:
        content = handed.body.reader().read()
        self.handed.append(handed)
        reply = OK if self.answer is None else await self.answer(handed)
        self.contents.append(content)
        return reply


class Door:
    """A running server with its receiver."""

    def __init__(self, server: Server, received: Received) -> None:
        self.server = server
        self.received = received
        self.talks: list[Talk] = []

    async def connect(self, *, greeting: str = "220", number: int = 0) -> Talk:
        """A client that has read the greeting."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.ports[number])
        talk = Talk(reader, writer)
        self.talks.append(talk)
        assert (await talk.reply()).startswith(greeting)
        return talk

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for what the server does by itself."""
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def open_door(
    *,
    answer: Callable[[Handed], Awaitable[Reply]] | None = None,
    sources: tuple[Source, ...] = (LOCAL,),
    listeners: tuple[Listener, ...] = (Listener(port=0),),
    **options: Any,
) -> AsyncIterator[Door]:
    """A server on loopback; at the end nothing may be in flight any more."""
    received = Received(answer)
    server = Server(listeners, sources, received, hostname="gw.example", **options)
    await server.start()
    door = Door(server, received)
    try:
        yield door
    finally:
        await server.stop(0.2)
        for talk in door.talks:
            talk.writer.transport.abort()
    assert not server.sessions
    assert (server.budget.memory, server.budget.files) == (0, 0)
    assert not +server._connections
