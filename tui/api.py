"""The admin API as the screens use it: each request in a thread, so that a slow gateway never stops a key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gateway.client import Client, path_of
from gateway.errors import Conflict, Forbidden, GatewayError, NotFound, Refused, Temporary

__all__ = ["Api", "Conflict", "Forbidden", "GatewayError", "NotFound", "Refused", "Temporary", "path_of"]


def is_down(error: GatewayError) -> bool:
    """Whether nobody answered: the client raises that from the socket's error, and what is answered from none."""
    return error.__cause__ is not None


class Api:
    """Asks the gateway at a socket; raises `GatewayError`s with sentences for people."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._client = Client(socket, timeout=30)

    async def get(self, path: str, **query: object) -> Any:
        """The JSON at `path`; a query value that is empty or 0 is left out."""
        return await asyncio.to_thread(self._client.get, path, {name: value for name, value in query.items() if value})

    async def post(self, path: str, body: Mapping[str, object]) -> Any:
        """Do what `path` names."""
        return await asyncio.to_thread(self._client.post, path, body)

    async def upload(
        self, path: str, file: bytes, query: Mapping[str, object], step: Callable[[dict[str, Any]], None]
    ) -> dict[str, Any]:
        """Hand in a file; `step` is told how far it is, the last answer is given."""
        loop = asyncio.get_running_loop()

        def run() -> dict[str, Any]:
            last: dict[str, Any] = {}
            for last in self._client.upload(path, file, query):
                loop.call_soon_threadsafe(step, last)
            return last

        return await asyncio.to_thread(run)

    async def put(self, path: str, body: Mapping[str, object], **query: object) -> Any:
        """Store `body` at `path`."""
        return await asyncio.to_thread(self._client.put, path, body, query)

    async def patch(self, path: str, body: Mapping[str, object], version: int | None) -> Any:
        """Change the values of `body` at `path`, if it still has the version."""
        return await asyncio.to_thread(self._client.patch, path, body, version)

    async def delete(self, path: str, version: int | None) -> Any:
        """Delete what stands at `path`, if it still has the version."""
        return await asyncio.to_thread(self._client.delete, path, version)

    async def read(self, path: str) -> bytes:
        """The bytes at `path`."""
        return await asyncio.to_thread(lambda: b"".join(self._client.stream(path)))
