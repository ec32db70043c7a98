"""The transport that hands every mail to one server, over connections that are kept."""

from __future__ import annotations

import asyncio
import sys

from gateway.model import Envelope, Outcome
from gateway.smtp import client
from gateway.smtp.client import Server
from gateway.transports.connections import Connections


class Smarthost:
    """Relays through `server`. As many connections as deliveries at a time; idle ones are reused, newest first."""

    name = "smarthost"

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connections = Connections(client.MAX_AGE)
        self._next_hop = f"{server.host}:{server.port}"

    def next_hop(self, address: str) -> str:
        """All addresses go through the one server."""
        return self._next_hop

    def room(self, next_hop: str) -> int:
        """As much as the queue likes."""
        return sys.maxsize

    async def deliver(self, envelope: Envelope, content: bytes) -> Outcome:
        """Send `content` to the one address of `envelope`. ValueError when a line does not end in CRLF: our mistake."""
        prepared = client.prepare(content)
        until = asyncio.get_running_loop().time() + client.TOTAL_DEADLINE
        session = self._connections.take(self._next_hop)
        if session is not None:
            outcome = await self._connections.send(self._next_hop, session, envelope, prepared, until)
            if outcome is not None:
                return outcome
        opened = await client.open_session(self._server, until)
        if isinstance(opened, Outcome):
            return opened
        outcome = await self._connections.send(self._next_hop, opened, envelope, prepared, until)
        assert outcome is not None, "a new connection is never stale"
        return outcome

    async def close(self) -> None:
        """QUIT on every idle connection."""
        await self._connections.close()
