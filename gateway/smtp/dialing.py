"""Reaching a host that has several addresses: the families in turn, the next one soon (RFC 8305, "Happy Eyeballs")."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Iterable
from itertools import chain, zip_longest
from typing import Any

DELAY = 0.25  # seconds until the next address is tried beside those before it, RFC 8305 §5

Found = tuple[Any, Any, int, str, Any]  # as getaddrinfo gives it


async def dial(host: str, port: int) -> socket.socket:
    """A connected, non-blocking socket to `host`; OSError, of the address tried first, when none answers.

    Cancelled, it leaves no socket open.
    """
    loop = asyncio.get_running_loop()
    waiting = deque(in_turn(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    if not waiting:
        raise OSError(f"{host} has no address")
    running: list[asyncio.Task[socket.socket]] = []
    try:
        while True:
            if waiting:
                running.append(asyncio.create_task(_connect(waiting.popleft())))
            open_ = [task for task in running if not task.done()]
            await asyncio.wait(open_, timeout=DELAY if waiting else None, return_when=asyncio.FIRST_COMPLETED)
            won = next((task for task in running if task.done() and task.exception() is None), None)
            if won is not None:
                running.remove(won)
                return won.result()
            if not waiting and all(task.done() for task in running):
                return running[0].result()  # raises
    finally:
        await _let_go(running)


def in_turn(found: Iterable[Found]) -> list[Found]:
    """The addresses of both families alternating, each family in the order given, the first one first (RFC 8305 §4)."""
    families: dict[int, list[Found]] = {}
    for each in found:
        families.setdefault(each[0], []).append(each)
    return [each for each in chain.from_iterable(zip_longest(*families.values())) if each is not None]


async def _connect(found: Found) -> socket.socket:
    family, kind, protocol, _, address = found
    made = socket.socket(family, kind, protocol)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, address)
    except BaseException:
        made.close()
        raise
    return made


async def _let_go(running: Iterable[asyncio.Task[socket.socket]]) -> None:
    """End what is under way, and close what came second."""
    for task in running:
        task.cancel()
    for result in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(result, socket.socket):
            result.close()
