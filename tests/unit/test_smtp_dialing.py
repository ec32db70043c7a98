"""A host with several addresses: getaddrinfo is the fake here, the sockets are real."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from gateway.smtp import dialing
from gateway.smtp.dialing import dial, in_turn

V4, V6, TCP = socket.AF_INET, socket.AF_INET6, socket.SOCK_STREAM


def found(family: int, host: str, port: int) -> dialing.Found:
    return family, TCP, 0, "", (host, port)


async def listening() -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


def refusing() -> int:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return int(closed.getsockname()[1])


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: dialing.Found) -> None:
    async def getaddrinfo(host: str, port: int, **hints: Any) -> list[dialing.Found]:
        assert (host, port, hints) == ("mx.example", 25, {"type": TCP})
        return list(addresses)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


def test_the_families_take_turns_and_the_first_stays_first() -> None:
    a, b, c, d = (found(V6, "::1", n) for n in range(4))
    x, y = found(V4, "127.0.0.1", 1), found(V4, "127.0.0.1", 2)
    assert in_turn([a, b, c, x, y, d]) == [a, x, b, y, c, d]
    assert in_turn([x, a]) == [x, a]


async def test_the_first_that_answers_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    server, port = await listening()
    async with server:
        resolve_to(monkeypatch, found(V4, "127.0.0.1", port))
        with await dial("mx.example", 25) as made:
            assert made.getpeername() == ("127.0.0.1", port)
            assert made.getblocking() is False


async def test_one_that_refuses_costs_no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    server, port = await listening()
    monkeypatch.setattr(dialing, "DELAY", 3600.0)
    async with server:
        resolve_to(monkeypatch, found(V4, "127.0.0.1", refusing()), found(V4, "127.0.0.1", port))
        with await dial("mx.example", 25) as made:
            assert made.getpeername() == ("127.0.0.1", port)


async def test_one_that_is_silent_is_overtaken_and_its_socket_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    server, port = await listening()
    loop = asyncio.get_running_loop()
    opened: list[socket.socket] = []
    connect = loop.sock_connect

    async def silent_at_first(made: socket.socket, address: Any) -> None:
        opened.append(made)
        if address[1] == 1:
            await asyncio.Event().wait()
        await connect(made, address)

    monkeypatch.setattr(loop, "sock_connect", silent_at_first)
    monkeypatch.setattr(dialing, "DELAY", 0.01)
    async with server:
        resolve_to(monkeypatch, found(V4, "127.0.0.1", 1), found(V4, "127.0.0.1", port))
        with await dial("mx.example", 25) as made:
            assert made.getpeername() == ("127.0.0.1", port)
            silent, taken = opened
            assert (silent.fileno(), taken is made) == (-1, True)


async def test_when_none_answers_the_first_one_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, found(V4, "127.0.0.1", refusing()), found(V4, "256.0.0.1", 1))
    with pytest.raises(ConnectionRefusedError):
        await dial("mx.example", 25)


async def test_a_host_without_address_is_a_fault_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch)
    with pytest.raises(OSError, match="has no address"):
        await dial("mx.example", 25)


async def test_given_up_it_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    opened: list[socket.socket] = []
    waits = asyncio.Event()

    async def silent(made: socket.socket, address: Any) -> None:
        opened.append(made)
        waits.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(loop, "sock_connect", silent)
    resolve_to(monkeypatch, found(V4, "127.0.0.1", 1))
    dialled = asyncio.create_task(dial("mx.example", 25))
    await waits.wait()
    dialled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dialled
    assert [each.fileno() for each in opened] == [-1]
