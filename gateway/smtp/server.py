"""The listeners of SMTP submission: who may come in, how many, how much; and the commits that outlive a connection."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway import maillog
from gateway.config import Listener, Source
from gateway.errors import Busy, ConfigError, Temporary
from gateway.model import UTC, Body, Envelope, Peer, Reply, Value
from gateway.smtp.auth import Passwords
from gateway.smtp.connection import Connection
from gateway.smtp.entrance import Entrance
from gateway.smtp.limits import Bucket, Guesses, Strangers
from gateway.smtp.limits import Limits as Limits
from gateway.smtp.quirks import Quirks
from gateway.smtp.session import Session
from gateway.smtp.sources import SourceTable, client_address
from gateway.smtp.spool import Budget, Spool

_log = logging.getLogger("gateway.smtp")

_CLOSING = Reply(code=421, enhanced="4.3.2", text="Shutting down, try again later")
_FULL = Reply(code=421, enhanced="4.7.0", text="Too many connections, try again later")
_UNKNOWN = Reply(code=554, enhanced="5.7.1", text="This client may not submit mail here")


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
        quirks: Quirks | None = None,
    ) -> None:
        self.hostname = hostname
        self.limits = limits or Limits()
        self.budget = Budget(self.limits.memory, self.limits.files, room)
        self.sessions: dict[Session, None] = {}  # in the order of connecting
        self.ports: tuple[int, ...] = ()  # one per listener, once started
        self.passwords = Passwords(sources)
        self.guesses = Guesses(self.limits)
        self.quirks = quirks or Quirks()
        self._entrances = [Entrance(listener) for listener in listeners]
        self._sources = SourceTable(sources)
        self._strangers = Strangers(self.limits)
        self._rates = {source.name: Bucket(source.max_rate, 0.0) for source in sources if source.max_rate}
        self._receive = receive
        self._directory = spool
        self._sockets = sockets
        self._servers: list[asyncio.Server] = []
        self._connections: Counter[str] = Counter()  # source -> sessions
        self._commits: set[asyncio.Task[None]] = set()
        self._gone = asyncio.Event()

    # --- life -----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Opens all listeners or none; ConfigError names the one that cannot be opened."""
        try:
            for number, entrance in enumerate(self._entrances):
                entrance.tls.load()
                bound = self._sockets[number] if number < len(self._sockets) else None
                self._servers.append(await self._open(entrance, bound))
        except BaseException:
            self._stop_listening()
            raise
        self.ports = tuple(_port(server) for server in self._servers)

    def reload_certificates(self) -> None:
        """Reads the listeners' certificates again; one that cannot be used leaves the one before in place."""
        for entrance in self._entrances:
            try:
                entrance.tls.load()
            except ConfigError as error:
                _log.error("%s; the one before stays", error.sentence)

    async def _open(self, entrance: Entrance, bound: socket.socket | None) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        listener, name = entrance.listener, entrance.name
        place: dict[str, Any] = {"sock": bound} if bound else {"host": listener.host, "port": listener.port}
        try:
            return await loop.create_server(lambda: Session(self, entrance), backlog=1024, **place)
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
        """Names the source of a new session, or the reply that turns it away.

        A client whose address no source lists may stay, in bounds, where a source has a user: until it has logged in
        it can do nothing.
        """
        host, port = session.client
        address = client_address(host)
        entrance = session.entrance
        source = self._sources.match(address) if address else None
        session.peer = Peer(host=str(address or host), port=port, listener=entrance.name)
        if not entrance.takes(address) or (source is None and not self.passwords):
            maillog.refused(session.peer, f"no source in gateway.toml matches {address or host!s}")
            return _UNKNOWN
        full = self._full(source) or (self._strangers.arrive(host, _monotonic()) if source is None else None)
        session.stranger = source is None and full is None
        if full is None and not self._make_room(session):
            full = f"{self.limits.connections} connections are open in all"
        if full is not None:
            maillog.refused(session.peer, full, source.name if source else "")
            return _FULL
        if source is not None:
            session.source = source
            self._connections[source.name] += 1
        return None

    def enter(self, session: Connection, source: Source) -> bool:
        """Gives a session that has logged in to the source of its user; False when that has too many."""
        if self._full(source):
            return False
        if session.source is not None:
            self._connections[session.source.name] -= 1
        session.source = source
        self._connections[source.name] += 1
        return True

    def _full(self, source: Source | None) -> str | None:
        if source is None or self._connections[source.name] < source.max_connections:
            return None
        return f"{source.max_connections} connections are open"

    def in_rate(self, session: Connection) -> bool:
        """Whether the session's source may send one more mail now."""
        bucket = self._rates.get(session.source_name)
        return bucket is None or bucket.has(_monotonic())

    def forget(self, session: Session) -> None:
        """A session's connection is closed."""
        self.sessions.pop(session, None)
        if session.source is not None:
            self._connections[session.source.name] -= 1
        if session.stranger:
            self._strangers.leave(session.client[0])
        self._gone.set()

    def _make_room(self, newcomer: Session) -> bool:
        """Whether there is a place, if need be that of the session idle longest without a transaction (design D18)."""
        if len(self.sessions) <= self.limits.connections:
            return True
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

    async def commit(
        self, session: Session, envelope: Envelope, body: Body, spool: Spool, notes: Mapping[str, int]
    ) -> None:
        """Stores a content and answers, whatever becomes of the client; `spool` is closed when that has ended."""
        assert session.source is not None
        source = session.source
        self.quirks.add(source.name, notes, dt.datetime.now(UTC))
        if source.name in self._rates:
            self._rates[source.name].take()
        said = ",".join(f"{name}:{count}" for name, count in notes.items())
        handed = Handed(source=source, peer=session.peer, envelope=envelope, body=body, notes=said)
        task = asyncio.create_task(self._commit(session, handed, spool))
        self._commits.add(task)
        task.add_done_callback(self._committed)
        await asyncio.shield(task)

    async def _commit(self, session: Session, handed: Handed, spool: Spool) -> None:
        session.answer(await self._stored(session, handed, spool))

    async def _stored(self, session: Session, handed: Handed, spool: Spool) -> Reply:
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

    def _committed(self, task: asyncio.Task[None]) -> None:
        self._commits.discard(task)
        self._gone.set()


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


def _port(server: asyncio.Server) -> int:
    name = server.sockets[0].getsockname()
    return name[1] if isinstance(name, tuple) else 0
