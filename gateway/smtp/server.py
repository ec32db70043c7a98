"""The listeners of SMTP submission: who may come in, how many, how much; and the commits that outlive a connection."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from gateway import maillog
from gateway.config import MIB, Listener, Section, Source
from gateway.errors import Busy, ConfigError, Temporary
from gateway.model import Body, Envelope, Peer, Reply, Value
from gateway.smtp.session import Session
from gateway.smtp.sources import SourceTable, client_address
from gateway.smtp.spool import Budget, Spool

_log = logging.getLogger("gateway.smtp")

_CLOSING = Reply(code=421, enhanced="4.3.2", text="Shutting down, try again later")
_FULL = Reply(code=421, enhanced="4.7.0", text="Too many connections, try again later")
_UNKNOWN = Reply(code=554, enhanced="5.7.1", text="This client may not submit mail here")


class Limits(Section, frozen=True, kw_only=True):
    """Bounds of the door; seconds and bytes."""

    command_timeout: float = 60.0
    data_timeout: float = 60.0  # without a byte
    session_timeout: float = 1200.0
    linger: float = 5.0  # for a last reply to be read
    connections: int = 200  # of all sources together
    recipients: int = 100  # of one transaction
    content_line: int = 200_000_000  # content without a CRLF: nobody means more
    memory: int = 64 * MIB  # of contents in flight
    files: int = 1024 * MIB
    spool_above: int = 256 * 1024  # a larger content waits in a temporary file


class Handed(Value, frozen=True, kw_only=True):
    """A complete transaction. `body` is good until the receiver returns; `notes` says what was odd."""

    source: Source
    peer: Peer
    envelope: Envelope
    body: Body
    notes: str = ""


Receive = Callable[[Handed], Awaitable[Reply]]


class Server:
    """Opens the listeners and keeps what their sessions share.

    `receive` stores a transaction and returns the reply to its end of DATA; Busy becomes 452, other Temporary 451,
    and any other exception 451 with an incident's number. It runs in a task of its own: a client that goes away does
    not cancel it. `room` as in `Budget`. `sockets` are bound already and stand for the first listeners.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        sources: Sequence[Source],
        receive: Receive,
        *,
        hostname: str = "localhost",
        room: Callable[[], str | None] = lambda: None,
        limits: Limits | None = None,
        spool: Path | None = None,
        sockets: Sequence[socket.socket] = (),
    ) -> None:
        self.hostname = hostname
        self.limits = limits or Limits()
        self.budget = Budget(self.limits.memory, self.limits.files, room)
        self.sessions: dict[Session, None] = {}  # in the order of connecting
        self.ports: tuple[int, ...] = ()  # one per listener, once started
        self._listeners = listeners
        self._sources = SourceTable(sources)
        self._receive = receive
        self._directory = spool
        self._sockets = sockets
        self._servers: list[asyncio.Server] = []
        self._connections: Counter[str] = Counter()  # source -> sessions
        self._commits: set[asyncio.Task[Reply]] = set()
        self._gone = asyncio.Event()

    # --- life -----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Opens all listeners or none; ConfigError names the one that cannot be opened."""
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd's own, one line per event
        try:
            for number, listener in enumerate(self._listeners):
                bound = self._sockets[number] if number < len(self._sockets) else None
                self._servers.append(await self._open(listener, bound))
        except BaseException:
            self._stop_listening()
            raise
        self.ports = tuple(_port(server) for server in self._servers)

    async def _open(self, listener: Listener, bound: socket.socket | None) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        name = f"{listener.host}:{listener.port}"
        place: dict[str, Any] = {"sock": bound} if bound else {"host": listener.host, "port": listener.port}
        try:
            return await loop.create_server(lambda: Session(self, name, listener.max_size), backlog=1024, **place)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise ConfigError(f"The listener {name} cannot be opened: {reason}", "listener.address") from error

    async def stop(self, grace: float) -> None:
        """Takes no new client, lets DATA and commits end within `grace` seconds, says 421 to everybody else.

        Returns when no session is left and every commit is answered; a commit still open after `grace` goes on.
        """
        self._stop_listening()
        for session in list(self.sessions):
            session.leave(_CLOSING)
        try:
            async with asyncio.timeout(grace):
                while self.sessions or self._commits:
                    self._gone.clear()
                    await self._gone.wait()
        except TimeoutError:
            _log.warning("%d sessions and %d commits did not end in time", len(self.sessions), len(self._commits))
        for session in self.sessions:
            session.abort()
        while self.sessions:
            self._gone.clear()
            await self._gone.wait()

    def _stop_listening(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()

    # --- sessions -------------------------------------------------------------------------------------------

    def admit(self, session: Session) -> Reply | None:
        """Names the source of a new session, or the reply that turns it away."""
        assert session.transport is not None
        peername = session.transport.get_extra_info("peername")
        host, port = peername[:2] if isinstance(peername, tuple) else ("", 0)
        address = client_address(host)
        source = self._sources.match(address) if address else None
        session.peer = Peer(host=str(address or host), port=port, listener=session.listener)
        if source is None:
            maillog.refused(session.peer, f"no source in gateway.toml matches {address or host!s}")
            return _UNKNOWN
        if self._connections[source.name] >= source.max_connections:
            maillog.refused(session.peer, f"{source.max_connections} connections are open", source.name)
            return _FULL
        if not self._make_room(session):
            maillog.refused(session.peer, f"{self.limits.connections} connections are open in all", source.name)
            return _FULL
        session.source = source
        self._connections[source.name] += 1
        return None

    def forget(self, session: Session) -> None:
        """A session's connection is closed."""
        self.sessions.pop(session, None)
        if session.source is not None:
            self._connections[session.source.name] -= 1
        self._gone.set()

    def _make_room(self, newcomer: Session) -> bool:
        """Whether there is a place, if need be that of the session idle longest without a transaction (design D18)."""
        staying = [session for session in self.sessions if session.leaving is None]
        if len(staying) <= self.limits.connections:
            return True
        idle = [
            session
            for session in staying
            if session is not newcomer and session.state == "command" and not session.transaction
        ]
        if not idle:
            return False
        longest = min(idle, key=lambda session: session.idle_since)
        maillog.refused(longest.peer, "idle, and another client needs the connection", longest.source_name)
        longest.leave(_FULL)
        return True

    # --- contents -------------------------------------------------------------------------------------------

    def spool(self, max_size: int) -> Spool:
        """A place for one content of at most `max_size` bytes."""
        return Spool(self.budget, max_size=max_size, above=self.limits.spool_above, directory=self._directory)

    async def commit(self, session: Session, envelope: Envelope, body: Body, spool: Spool, notes: str) -> Reply:
        """Stores a content, whatever becomes of the client; `spool` is closed when that has ended."""
        assert session.source is not None
        handed = Handed(source=session.source, peer=session.peer, envelope=envelope, body=body, notes=notes)
        task = asyncio.create_task(self._commit(session, handed, spool))
        self._commits.add(task)
        task.add_done_callback(self._committed)
        return await asyncio.shield(task)

    async def _commit(self, session: Session, handed: Handed, spool: Spool) -> Reply:
        try:
            return await self._receive(handed)
        except Busy as error:
            maillog.refused(handed.peer, error.sentence, handed.source.name)
            return Reply(code=452, enhanced="4.3.1", text="No room now, try again later")
        except Temporary as error:
            maillog.refused(handed.peer, error.sentence, handed.source.name)
            return Reply(code=451, enhanced="4.3.0", text="Not possible now, try again later")
        except Exception as error:  # the border of one commit: the client keeps the document and comes again
            return session.incident(error)
        finally:
            spool.close()

    def _committed(self, task: asyncio.Task[Reply]) -> None:
        self._commits.discard(task)
        self._gone.set()


def _port(server: asyncio.Server) -> int:
    name = server.sockets[0].getsockname()
    return name[1] if isinstance(name, tuple) else 0
