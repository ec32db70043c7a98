"""One connection to an SMTP server: bytes out, replies in, a deadline on every wait."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections import deque

from gateway.errors import GatewayError
from gateway.smtp.replies import Answer, BadReply, ReplyReader, printable

PIECE = 256 << 10  # bytes handed to the kernel at a time
BLOCK_DEADLINE = 180.0  # seconds for one piece to leave, RFC 5321 §4.5.3.2.5
MAX_WAITING = 8  # replies that nobody has asked for


class LinkLost(GatewayError):
    """The connection cannot be used any more. Never leaves this package; `enhanced` is the code to be reported."""

    def __init__(self, enhanced: str, sentence: str, *, closed: bool = False) -> None:
        super().__init__(sentence)
        self.enhanced = enhanced
        self.closed = closed  # the other end went away, as it may between two messages


class Link(asyncio.Protocol):
    """The client's end. `until` (loop time) bounds every wait beside its own deadline."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = ReplyReader()
        self._replies: deque[Answer] = deque()
        self._transport: asyncio.Transport | None = None
        self._lost: LinkLost | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._full = False
        self.until = float("inf")

    # --- called by the loop ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a loop's transports need not be asyncio's
        assert self._transport is not None
        self._transport.set_write_buffer_limits(high=PIECE)

    def data_received(self, data: bytes) -> None:
        if self._lost is not None:
            return
        try:
            self._replies.extend(self._reader.feed(data))
            if len(self._replies) > MAX_WAITING:
                raise BadReply("the server sends replies that nobody asked for")
        except BadReply as error:
            self._fail(LinkLost("4.5.0", error.sentence))
            self.abort()
            return
        if self._replies:
            self._wake(self._waiter)

    def eof_received(self) -> bool:
        self._fail(LinkLost("4.4.2", "the server closed the connection", closed=True))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        text = "the connection was lost" if exc is None else f"the connection was lost: {describe(exc)}"
        self._fail(LinkLost("4.4.2", text, closed=True))

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._wake(self._room)

    # --- for the session ---------------------------------------------------------------------------------

    @property
    def usable(self) -> bool:
        """Whether the next command may be sent: open, and nothing unasked for has come in."""
        return self._lost is None and self.quiet

    @property
    def quiet(self) -> bool:
        """Whether no byte has come in that nobody asked for."""
        return not self._replies and self._reader.idle

    def send(self, data: bytes) -> None:
        """Hand a few commands to the kernel; LinkLost when the connection is gone."""
        assert self._transport is not None
        if self._lost is not None:
            raise self._lost
        self._transport.write(data)

    async def send_content(self, data: bytes) -> None:
        """Hand the content over in pieces, never more than one ahead of the kernel."""
        if len(data) <= PIECE and not self._full:
            self.send(data)
            return
        view = memoryview(data)
        for start in range(0, len(view), PIECE):
            if self._full:
                self._room = self._loop.create_future()
                await self._wait(self._room, BLOCK_DEADLINE, "it takes no more data")
            elif start:
                await asyncio.sleep(0)  # others have their turn, and a closed connection is noticed
            self.send(view[start : start + PIECE])  # type: ignore[arg-type]

    def early_reply(self) -> Answer | None:
        """A reply that came before it was asked for, such as the reason for closing while content was sent."""
        return self._replies.popleft() if self._replies else None

    async def reply(self, seconds: float) -> Answer:
        """The next whole reply, within `seconds` however slowly its bytes drip; else LinkLost."""
        while not self._replies:
            self._waiter = self._loop.create_future()
            await self._wait(self._waiter, seconds, "no whole reply came")
        return self._replies.popleft()

    async def start_tls(self, context: ssl.SSLContext, hostname: str, seconds: float) -> None:
        """The handshake; LinkLost when it fails. Bytes that came in clear beforehand must have been ruled out."""
        assert self._transport is not None
        try:
            async with asyncio.timeout(seconds):
                transport = await self._loop.start_tls(self._transport, self, context, server_hostname=hostname)
        except ssl.SSLCertVerificationError as error:
            raise self._give_up("4.7.5", f"the server's certificate is not valid: {error.verify_message}") from error
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            raise self._give_up("4.7.5", f"the TLS handshake failed: {describe(error)}") from error
        if transport is None:
            raise self._give_up("4.7.5", "the TLS handshake failed: the connection was lost")
        self._transport = transport
        transport.set_write_buffer_limits(high=PIECE)

    def extra(self, name: str) -> object:
        """What the transport knows: `peername`, `ssl_object`."""
        return None if self._transport is None else self._transport.get_extra_info(name)

    def close(self) -> None:
        """Send what waits and close."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    # --- inside ------------------------------------------------------------------------------------------

    async def _wait(self, future: asyncio.Future[None], seconds: float, what: str) -> None:
        if self._lost is not None:
            raise self._lost
        seconds = min(seconds, self.until - self._loop.time())
        timer = self._loop.call_later(seconds, self._expire, f"{what} within {round(seconds)} s")
        try:
            await future
        finally:
            timer.cancel()

    def _expire(self, sentence: str) -> None:
        self._fail(LinkLost("4.4.2", sentence))
        self.abort()

    def _give_up(self, enhanced: str, sentence: str) -> LinkLost:
        lost = LinkLost(enhanced, sentence)
        self._fail(lost)
        self.abort()
        return lost

    def _fail(self, error: LinkLost) -> None:
        if self._lost is None:
            self._lost = error
        for future in (self._waiter, self._room):
            if future is not None and not future.done():
                future.set_exception(self._lost)

    @staticmethod
    def _wake(future: asyncio.Future[None] | None) -> None:
        if future is not None and not future.done():
            future.set_result(None)


def describe(error: BaseException) -> str:
    """An operating system's or TLS error in words, fit for a log line."""
    if isinstance(error, TimeoutError) and not error.args:
        return "timed out"
    if isinstance(error, ssl.SSLError):
        return printable((error.reason or str(error)).encode())
    if isinstance(error, OSError) and error.errno:
        known = error.errno > 0  # asyncio puts words of its own into strerror; getaddrinfo's numbers are negative
        return os.strerror(error.errno) if known else printable(str(error.strerror).encode())
    return printable(str(error).encode()) or type(error).__name__
