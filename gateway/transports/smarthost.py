"""The transport that hands every mail to one server, over connections that are kept."""

from __future__ import annotations

import asyncio

from gateway.model import Envelope, Outcome
from gateway.smtp import client
from gateway.smtp.client import Content, Server, Session


class Smarthost:
    """Relays through `server`. As many connections as deliveries at a time; idle ones are reused, newest first."""

    name = "smarthost"

    def __init__(self, server: Server) -> None:
        self._server = server
        self._idle: list[Session] = []
        self._reaper: asyncio.TimerHandle | None = None
        self._goodbyes: set[asyncio.Task[None]] = set()
        self._next_hop = f"{server.host}:{server.port}"

    def next_hop(self, address: str) -> str:
        """All addresses go through the one server."""
        return self._next_hop

    async def deliver(self, envelope: Envelope, content: bytes) -> Outcome:
        """Send `content` to the one address of `envelope`. ValueError when a line does not end in CRLF: our mistake."""
        prepared = client.prepare(content)
        until = asyncio.get_running_loop().time() + client.TOTAL_DEADLINE
        session = self._take()
        if session is not None:
            outcome = await self._send(session, envelope, prepared, until)
            if outcome is not None:
                return outcome
        opened = await client.open_session(self._server, until)
        if isinstance(opened, Outcome):
            return opened
        outcome = await self._send(opened, envelope, prepared, until)
        assert outcome is not None, "a new connection is never stale"
        return outcome

    async def close(self) -> None:
        """QUIT on every idle connection."""
        if self._reaper is not None:
            self._reaper.cancel()
        sessions, self._idle = self._idle, []
        await asyncio.gather(*(session.quit() for session in sessions), *self._goodbyes)

    async def _send(self, session: Session, envelope: Envelope, content: Content, until: float) -> Outcome | None:
        try:
            outcome = await session.deliver(envelope, content, until)
        except BaseException:  # cancelled in the middle of a transaction: nobody may go on with this connection
            session.abort()
            raise
        if session.reusable:
            self._idle.append(session)
            self._reap_later()
        else:
            self._dismiss(session)
        return outcome

    def _take(self) -> Session | None:
        while self._idle:
            session = self._idle.pop()
            if session.reusable:
                return session
            self._dismiss(session)
        return None

    def _dismiss(self, session: Session) -> None:
        """Close in the background: a server that is slow to say goodbye must not hold a delivery up."""
        task = asyncio.create_task(session.quit())
        self._goodbyes.add(task)
        task.add_done_callback(self._goodbyes.discard)

    def _reap_later(self) -> None:
        if self._reaper is None:
            oldest = min(session.expires for session in self._idle)
            self._reaper = asyncio.get_running_loop().call_at(oldest, self._reap)

    def _reap(self) -> None:
        """Close the idle connections that nobody may use any more."""
        self._reaper = None
        idle, self._idle = self._idle, []
        for session in idle:
            if session.reusable:
                self._idle.append(session)
            else:
                self._dismiss(session)
        if self._idle:
            self._reap_later()
