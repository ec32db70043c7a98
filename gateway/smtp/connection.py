"""One SMTP connection: its life, its timers and its replies."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from typing import TYPE_CHECKING, Literal

from gateway import maillog
from gateway.config import Source
from gateway.model import Peer, Reply
from gateway.smtp.commands import Transaction
from gateway.smtp.entrance import Entrance
from gateway.smtp.wire import Wire

if TYPE_CHECKING:
    from gateway.smtp.server import Server

_log = logging.getLogger("gateway.smtp")


class Connection(Wire):
    """The protocol object of one client; `server` has what all share. Ends when the client or a timer ends it."""

    def __init__(self, server: Server, entrance: Entrance) -> None:
        super().__init__(asyncio.get_running_loop())
        self.server = server
        self.hostname = server.hostname
        self.entrance = entrance
        self.client = ("", 0)  # address and port, as the socket or a trusted proxy says
        self.peer = Peer(host="")
        self.source: Source | None = None  # None: a stranger, who has to log in
        self.stranger = False  # no source lists the address
        self.secure = ""  # the version of TLS
        self.extended = False  # greeted with EHLO
        self.transaction: Transaction | None = None
        self.notes: Counter[str] = Counter()  # what was odd since the last mail
        self.state: Literal["command", "data", "commit"] = "command"
        self.idle_since = self.loop.time()
        self.leaving: Reply | None = None  # say this and close at the next command
        self._replies = bytearray()
        self._received = 0  # bytes of the content that is on its way
        self._received_before = 0
        self._errors = 0  # refused commands
        self._auth_errors = 0
        self._asked = False  # to log in
        self._deadline = self.loop.time() + server.limits.session_timeout
        self._until = self._deadline  # loop time at which the client is late
        self._timer: asyncio.TimerHandle | None = None
        self._dialogue: asyncio.Task[None] | None = None

    # --- the connection -------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the timer."""
        super().connection_made(transport)
        self._reset_timeout()

    def connection_lost(self, error: Exception | None) -> None:
        """Ends the dialogue. A commit that runs goes on: it is a task of the server."""
        super().connection_lost(error)
        if self._timer is not None:
            self._timer.cancel()
        if self._dialogue is not None:
            self._dialogue.cancel()

    def leave(self, reply: Reply) -> None:
        """Closes the connection with `reply`: now when the client is between commands, else after what runs."""
        self.leaving = reply
        if self.state == "command":
            self._reply(reply)
            self._close()

    def abort(self) -> None:
        """Cuts the connection; a commit that runs goes on."""
        if self._raw is not None:
            self._raw.abort()

    def _reset_timeout(self, duration: float | None = None) -> None:
        """The client has `duration` seconds from now, of those its session has left. The timer is moved only when it
        would come too late; when it comes too early, it moves itself: most commands cost it nothing."""
        wait = duration or self.server.limits.command_timeout
        self._until = min(self.loop.time() + wait, self._deadline)
        if self._timer is None or self._timer.when() > self._until:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(self._until, self._timeout)

    def _timeout(self) -> None:
        self._timer = None
        if self.loop.time() < self._until:
            self._set_timer()
            return
        if self.state == "commit":  # the store answers or fails; it is not the client who is late
            return
        if self.state == "data" and self._fast_enough() and self.loop.time() < self._deadline:
            self._reset_timeout(self.server.limits.data_timeout)
            return
        if self.transport is None or self.transport.is_closing():  # it does not even read our last words
            self.abort()
            return
        maillog.refused(self.peer, f"no {self.state} within the time limit", self.source_name)
        self.say(421, "4.4.2", "Timeout, closing the connection")
        self._close()
        self._until = self.loop.time() + self.server.limits.linger
        self._set_timer()

    def _fast_enough(self) -> bool:
        arrived, self._received_before = self._received - self._received_before, self._received
        return arrived >= self.server.limits.data_rate * self.server.limits.data_timeout

    def _close(self) -> None:
        """Writes what is gathered and closes. The timer stays: it ends a client that does not read."""
        if self.transport is not None and not self.transport.is_closing():
            self._write_replies()
            self.transport.close()

    # --- replies --------------------------------------------------------------------------------------------

    def say(self, code: int, enhanced: str | None, text: str) -> None:
        """Queues one reply line; it is written when the client has nothing more in the pipe."""
        words = f"{code} {enhanced} {text}" if enhanced else f"{code} {text}"
        self._replies += words.encode("ascii", "replace") + b"\r\n"
        if code >= 500:
            self._errors += 1

    def _reply(self, reply: Reply) -> None:
        self.say(reply.code, reply.enhanced, reply.text)

    def answer(self, reply: Reply) -> None:
        """Writes one reply at once: the dialogue, which waits for it, has its turn only after others."""
        self._reply(reply)
        self._write_replies()

    def _refuse(self, reply: Reply, reason: str, address: str = "") -> None:
        maillog.refused(self.peer, reason, self.source_name, address)
        self._reply(reply)

    async def _flush(self) -> None:
        if self._replies:
            self._write_replies()
            await self.drain()

    def _write_replies(self) -> None:
        if self._replies and self.transport is not None and not self.transport.is_closing():
            self.transport.write(bytes(self._replies))
            self._replies.clear()

    def incident(self, error: Exception) -> Reply:
        """A fault of ours: the client may come back, the traceback goes to the log under the incident's number."""
        number = secrets.token_hex(4).upper()
        _log.error("incident %s with %s:%s", number, self.peer.host, self.peer.port, exc_info=error)
        return Reply(code=451, enhanced="4.3.0", text=f"Something failed here, try again later, incident {number}")

    @property
    def source_name(self) -> str:
        """For the log; empty for a client of no source."""
        return self.source.name if self.source else ""
