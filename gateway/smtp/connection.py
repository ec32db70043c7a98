"""One SMTP connection: its life, its timers and its replies, on aiosmtpd's protocol.

Upstream's are the transport, the reader and the writer.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

from aiosmtpd.smtp import SMTP

from gateway import maillog
from gateway.config import Source
from gateway.model import Peer, Reply
from gateway.smtp.commands import Transaction
from gateway.smtp.entrance import Entrance

if TYPE_CHECKING:
    from gateway.smtp.server import Server

_log = logging.getLogger("gateway.smtp")

BUFFER = 1 << 16  # the reader stops the transport at twice this


class Connection(SMTP):
    """The protocol object of one client; `server` has what all share. Ends when the client or a timer ends it."""

    def __init__(self, server: Server, entrance: Entrance) -> None:
        # Upstream's constructor looks at every member of the object for each connection, 12 % of a short session;
        # it sets nothing else that the parts used here read.
        loop = asyncio.get_running_loop()
        asyncio.StreamReaderProtocol.__init__(
            self, asyncio.StreamReader(limit=BUFFER, loop=loop), self._cb_client_connected, loop=loop
        )
        self.loop = loop
        self.server = server
        self.event_handler = server
        self.hostname = server.hostname
        self.enable_SMTPUTF8 = True
        self.tls_context = None
        self.session = None
        self.transport = None
        self._tls_protocol = None
        self._original_transport = None
        self._handler_coroutine = None
        self._timeout_handle: asyncio.TimerHandle | None = None
        self._timeout_duration = server.limits.command_timeout

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
        self.idle_since = loop.time()
        self.leaving: Reply | None = None  # say this and close at the next command
        self._replies = bytearray()
        self._received = 0  # bytes of the content that is on its way
        self._received_before = 0
        self._errors = 0  # refused commands
        self._auth_errors = 0
        self._deadline = loop.time() + server.limits.session_timeout

    # --- the connection -------------------------------------------------------------------------------------

    def eof_received(self) -> bool | None:
        """A half-close is an end of input and no more: what was complete before it is still answered."""
        return asyncio.StreamReaderProtocol.eof_received(self)

    def leave(self, reply: Reply) -> None:
        """Closes the connection with `reply`: now when the client is between commands, else after what runs."""
        self.leaving = reply
        if self.state == "command":
            self._reply(reply)
            self._close()

    def abort(self) -> None:
        """Cuts the connection; a commit that runs goes on."""
        transport = self._original_transport or self._writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.abort()

    def _reset_timeout(self, duration: float | None = None) -> None:
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        wait = min(duration or self._timeout_duration, self._deadline - self.loop.time())
        self._timeout_handle = self.loop.call_later(max(0.0, wait), self._timeout_cb)

    def _timeout_cb(self) -> None:
        if self.state == "commit":  # the store answers or fails; it is not the client who is late
            return
        if self.state == "data" and self._fast_enough() and self.loop.time() < self._deadline:
            self._reset_timeout(self.server.limits.data_timeout)
            return
        if self._writer.transport.is_closing():  # it does not even read our last words
            self.abort()
            return
        maillog.refused(self.peer, f"no {self.state} within the time limit", self.source_name)
        self.say(421, "4.4.2", "Timeout, closing the connection")
        self._close()
        self._timeout_handle = self.loop.call_later(self.server.limits.linger, self._timeout_cb)

    def _fast_enough(self) -> bool:
        arrived, self._received_before = self._received - self._received_before, self._received
        return arrived >= self.server.limits.data_rate * self.server.limits.data_timeout

    def _close(self) -> None:
        """Writes what is gathered and closes. The timer stays: it ends a client that does not read."""
        if self.transport is not None and not self.transport.is_closing():
            self._writer.write(bytes(self._replies))
            self._replies.clear()
            self._writer.close()

    # --- replies --------------------------------------------------------------------------------------------

    def say(self, code: int, enhanced: str | None, text: str) -> None:
        """Queues one reply line; it is written when the client has nothing more in the pipe."""
        words = f"{code} {enhanced} {text}" if enhanced else f"{code} {text}"
        self._replies += words.encode("ascii", "replace") + b"\r\n"
        if code >= 500:
            self._errors += 1

    def _reply(self, reply: Reply) -> None:
        self.say(reply.code, reply.enhanced, reply.text)

    def _refuse(self, reply: Reply, reason: str, address: str = "") -> None:
        maillog.refused(self.peer, reason, self.source_name, address)
        self._reply(reply)

    async def push(self, status: Any) -> None:
        """Writes one reply at once (upstream's way, for upstream's STARTTLS)."""
        self._replies += status.encode("ascii", "replace") + b"\r\n"
        await self._flush()

    async def _flush(self) -> None:
        if self._replies:
            self._writer.write(bytes(self._replies))
            self._replies.clear()
            await self._writer.drain()

    async def handle_exception(self, error: Exception) -> str:
        """Upstream's name for `incident`."""
        reply = self.incident(error)
        return f"{reply.code} {reply.enhanced} {reply.text}"

    def incident(self, error: Exception) -> Reply:
        """A fault of ours: the client may come back, the traceback goes to the log under the incident's number."""
        number = secrets.token_hex(4).upper()
        _log.error("incident %s with %s:%s", number, self.peer.host, self.peer.port, exc_info=error)
        return Reply(code=451, enhanced="4.3.0", text=f"Something failed here, try again later, incident {number}")

    @property
    def _buffered(self) -> bytearray:
        """What the reader holds already; StreamReader has no public name for it, and upstream uses this one too."""
        return self._reader._buffer  # type: ignore[attr-defined,no-any-return]

    @property
    def source_name(self) -> str:
        """For the log; empty for a client of no source."""
        return self.source.name if self.source else ""
