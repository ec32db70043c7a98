"""The server's end of a connection: bytes in as lines and pieces, bytes out, over a transport that TLS may replace.

asyncio's stream reader and writer do the same; they cost a third of a short dialogue.
"""

from __future__ import annotations

import asyncio

BUFFER = 1 << 16  # bytes in which a line has to end; the transport stops at twice as many that nobody has read


class Wire(asyncio.Protocol):
    """One reader and one writer at a time. `transport` is None when the connection is gone."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.transport: asyncio.Transport | None = None
        self.over_tls = False
        self._raw: asyncio.Transport | None = None  # the socket's own, below TLS
        self._buffered = bytearray()  # what has come and nobody has read
        self._ended = False  # nothing more will come
        self._paused = False
        self._full = False
        self._arrival: asyncio.Future[None] | None = None
        self._handed: asyncio.Future[bytes] | None = None  # whoever waits for whatever comes
        self._room: asyncio.Future[None] | None = None

    # --- called by the loop ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Not called again by TLS."""
        self._raw = self.transport = transport  # type: ignore[assignment]  # a loop's transports need not be asyncio's

    def data_received(self, data: bytes) -> None:
        """Keeps `data`; a client that sends faster than it is read has to wait."""
        if self._handed is not None and not self._handed.done() and not self._buffered:
            self._handed.set_result(data)  # a large content is not copied on its way
            return
        self._buffered += data
        if len(self._buffered) > 2 * BUFFER and not self._paused and self.transport is not None:
            self._paused = True
            self.transport.pause_reading()
        _wake(self._arrival)

    def eof_received(self) -> bool:
        """A half-close is an end of input and no more: what was complete before it is still answered."""
        self._end()
        return not self.over_tls  # TLS has no half-close

    def connection_lost(self, error: Exception | None) -> None:
        """Whoever waits is woken: it finds that there is no more."""
        self.transport = None
        if self._raw is not None:
            self._raw.close()
        self._end()
        _wake(self._room)

    def _end(self) -> None:
        self._ended = True
        _wake(self._arrival)
        if self._handed is not None and not self._handed.done():
            self._handed.set_result(b"")

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self._full = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._full = False
        _wake(self._room)

    # --- reading; the names are those of asyncio.StreamReader, for whoever knows one ------------------------

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        """The next bytes up to and with `separator`.

        LimitOverrunError when BUFFER bytes have come without one, IncompleteReadError at the end of input.
        """
        start = 0
        while (found := self._buffered.find(separator, start)) < 0:
            size = len(self._buffered)
            if size > BUFFER:
                raise asyncio.LimitOverrunError("the line does not end", size)
            if self._ended:
                raise asyncio.IncompleteReadError(bytes(self._buffered), None)
            start = max(0, size + 1 - len(separator))
            await self._more_bytes()
        return self._take(found + len(separator))

    async def readexactly(self, n: int) -> bytes:
        """`n` bytes; IncompleteReadError at the end of input."""
        while len(self._buffered) < n:
            if self._ended:
                raise asyncio.IncompleteReadError(bytes(self._buffered), n)
            await self._more_bytes()
        return self._take(n)

    async def read(self, n: int = BUFFER) -> bytes:
        """What has come, at most `n` bytes; empty at the end of input and only there."""
        if self._buffered or self._ended:
            return self._take(n)
        self._handed = self.loop.create_future()
        try:
            piece = await self._handed
        except asyncio.CancelledError:
            if self._handed.done() and not self._handed.cancelled():
                self.unread(self._handed.result())
            raise
        finally:
            self._handed = None
        if len(piece) > n:
            self.unread(piece[n:])
        return piece[:n]

    def unread(self, data: bytes) -> None:
        """`data`, which was read, comes next again."""
        self._buffered[:0] = data

    def _take(self, count: int) -> bytes:
        if count >= len(self._buffered):
            taken = bytes(self._buffered)
            self._buffered.clear()
        else:
            taken = bytes(self._buffered[:count])
            del self._buffered[:count]
        if len(self._buffered) <= BUFFER:
            self._let_come()
        return taken

    def _let_come(self) -> None:
        if self._paused and self.transport is not None:
            self._paused = False
            self.transport.resume_reading()

    async def _more_bytes(self) -> None:
        self._let_come()
        self._arrival = self.loop.create_future()
        try:
            await self._arrival
        finally:
            self._arrival = None

    # --- writing --------------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Until the transport takes more; ConnectionResetError when it never will."""
        while self._full and self.transport is not None:
            self._room = self.loop.create_future()
            try:
                await self._room
            finally:
                self._room = None
        if self.transport is None:
            raise ConnectionResetError("the client is gone")


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
