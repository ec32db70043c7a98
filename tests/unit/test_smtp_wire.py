"""The server's end of a connection, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.smtp.wire import BUFFER, Wire


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Wire, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Our end, and the client's."""
    loop = asyncio.get_running_loop()
    made: asyncio.Queue[Wire] = asyncio.Queue()

    def make() -> Wire:
        wire = Wire(loop)
        made.put_nowait(wire)
        return wire

    server = await loop.create_server(make, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        wire = await made.get()
        try:
            yield wire, reader, writer
        finally:
            writer.close()
            if wire.transport is not None:
                wire.transport.abort()


async def test_lines_pieces_and_counts_follow_each_other() -> None:
    async with connected() as (wire, _, writer):
        writer.write(b"one\r\ntwo\nthree")
        assert await wire.readuntil() == b"one\r\n"
        assert await wire.readuntil() == b"two\n"
        assert await wire.readexactly(2) == b"th"
        wire.unread(b"x")
        assert await wire.read(2) == b"xr"
        assert await wire.read(100) == b"ee"


async def test_a_read_that_is_given_up_loses_nothing() -> None:
    async with connected() as (wire, _, writer):
        reading = asyncio.create_task(wire.read(100))
        await asyncio.sleep(0)
        wire.data_received(b"in between")  # as the loop calls it, in the turn in which the reader is cancelled
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        writer.write(b" and after")
        assert await wire.readexactly(20) == b"in between and after"


@pytest.mark.parametrize("pieces", [(b"abc", b"def"), (b"abcdef",)])
async def test_what_is_more_than_asked_for_comes_after_it(pieces: tuple[bytes, ...]) -> None:
    async with connected() as (wire, _, _):
        reading = asyncio.create_task(wire.read(3))
        await asyncio.sleep(0)
        for piece in pieces:
            wire.data_received(piece)
        assert await reading == b"abc"
        assert await wire.read(100) == b"def"


@pytest.mark.parametrize("sent", [b"", b"half a line"])
async def test_the_end_of_input_is_told_to_whoever_waits(sent: bytes) -> None:
    async with connected() as (wire, _, writer):
        writer.write(sent)
        writer.write_eof()
        with pytest.raises(asyncio.IncompleteReadError) as error:
            await wire.readuntil()
        assert error.value.partial == sent
        with pytest.raises(asyncio.IncompleteReadError):
            await wire.readexactly(100)
        assert await wire.read(100) == sent
        assert await wire.read(100) == b""
        assert wire.transport is not None  # the other half is open
        wire.transport.write(b"answer")


async def test_a_client_that_nobody_reads_is_stopped_and_goes_on() -> None:
    async with connected() as (wire, _, writer):
        sent = b"x" * (40 * BUFFER)
        writer.write(sent)
        while not wire._paused:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert wire.transport is not None
        assert not wire.transport.is_reading()
        assert len(wire._buffered) < 10 * BUFFER
        assert await wire.readexactly(len(sent)) == sent


async def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    async with connected() as (wire, _, writer):
        writer.write(b"x" * (40 * BUFFER))
        with pytest.raises(asyncio.LimitOverrunError):
            await wire.readuntil()


async def test_whoever_writes_to_a_client_that_does_not_read_waits_and_is_told() -> None:
    async with connected() as (wire, reader, writer):
        writer.transport.pause_reading()
        assert wire.transport is not None
        while not wire._full:
            wire.transport.write(b"x" * BUFFER)
            await asyncio.sleep(0)
        draining = asyncio.create_task(wire.drain())
        await asyncio.sleep(0)
        assert not draining.done()
        writer.transport.resume_reading()
        reading = asyncio.create_task(reader.read(-1))
        await draining
        writer.transport.abort()
        while wire.transport is not None:  # noqa: ASYNC110
            await asyncio.sleep(0)
        with pytest.raises(ConnectionResetError):
            await wire.drain()
        reading.cancel()
