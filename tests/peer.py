"""SMTP servers on loopback for tests: `Peer` does as it is told, `OrdinaryPeer` is aiosmtpd as it comes.

    async with Peer() as peer:
        peer.script["RCPT"] = ["450 4.2.0 greylisted"]      # the first RCPT, later ones are taken
        peer.always["DOT"] = Drop()                         # every message
        peer.refuse["gone@example.com"] = "550 5.1.1 no such user"
        ...
        await peer.arrived(2)

Stages: CONNECT, EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, DOT (after the content), RSET, QUIT.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP

from gateway.model import Envelope


class Drop:
    """Close the connection without an answer."""


class Hang:
    """Say nothing more, keep the connection."""


@dataclass
class Stall:
    """Answer, then read nothing more; keep the connection, or say `then` and close it a moment later."""

    reply: str
    then: str | None = None


@dataclass
class Raw:
    """Send these bytes, which need be no reply, and go on."""

    data: bytes


@dataclass
class Last:
    """Answer and close."""

    reply: str


@dataclass
class Drip:
    """A reply that comes a byte at a time."""

    reply: bytes = b"250 ok\r\n"
    pause: float = 0.02  # seconds


@dataclass
class Endless:
    """Send `line` again and again, at most `total` bytes."""

    line: bytes
    total: int = 100 << 20


@dataclass
class Await:
    """Answer as usual once `event` is set."""

    event: asyncio.Event


Action = str | Await | Drop | Hang | Stall | Raw | Last | Drip | Endless
EXTENSIONS = ("PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")


@dataclass
class Mail:
    """A message that a peer accepted."""

    envelope: Envelope
    content: bytes  # dots removed
    parameters: str = ""  # of MAIL
    connection: int = 0
    tls: bool = False
    user: str | None = None


@dataclass
class _Client:
    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    tls: bool = False
    user: str | None = None
    pending: bytearray = field(default_factory=bytearray)
    sender: str | None = None
    parameters: str = ""
    addresses: list[str] = field(default_factory=list)


class _Closed(Exception):
    """The conversation is over."""


class Peer:
    """A scripted server. What it saw: `mails`, `connections`, `commands` (in order), `reads` (as they came)."""

    def __init__(
        self,
        *,
        extensions: tuple[str, ...] = EXTENSIONS,
        context: ssl.SSLContext | None = None,
        implicit: bool = False,
        users: dict[str, str] | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self.extensions = extensions
        self.context = context
        self.implicit = implicit
        self.users = users or {}
        self.port = port
        self.host = host
        self.script: defaultdict[str, list[Action | None]] = defaultdict(list)
        self.always: dict[str, Action] = {}
        self.refuse: dict[str, str] = {}
        self.mails: list[Mail] = []
        self.commands: list[bytes] = []
        self.reads: list[bytes] = []
        self.connections = 0
        self.open = 0
        self.sent = 0  # bytes
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        """What stands in `relay.host`."""
        return f"{'smtps' if self.implicit else 'smtp'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Peer:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        context = self.context if self.implicit else None
        self._server = await asyncio.start_server(self._serve, self.host, self.port, ssl=context, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Close the listener and every connection."""
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, condition: Any, seconds: float = 10.0) -> None:
        """Wait until `condition()` holds; looked at whenever something happens here."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def arrived(self, count: int, seconds: float = 10.0) -> list[Mail]:
        """The mails, once there are `count`."""
        await self.until(lambda: len(self.mails) >= count, seconds)
        return self.mails

    def wait(self, count: int, seconds: float = 10.0) -> list[Mail]:
        """`arrived` for a test without a loop (`in_thread`)."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(self.arrived(count, seconds), self._loop).result(seconds + 5)

    # --- the conversation ------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        client = _Client(self.connections, reader, writer, tls=self.implicit)
        try:
            await self._act(client, "CONNECT", "220 peer.example ESMTP")
            while True:
                await self._command(client, await self._line(client))
        except (_Closed, OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self.open -= 1
            self._changed.set()
            writer.transport.abort()

    async def _read(self, client: _Client) -> None:
        data = await client.reader.read(1 << 18)
        if not data:
            raise _Closed
        self.reads.append(data)
        client.pending += data

    async def _line(self, client: _Client) -> bytes:
        while (end := client.pending.find(b"\r\n")) < 0:
            await self._read(client)
        line = bytes(client.pending[:end])
        del client.pending[: end + 2]
        return line

    async def _command(self, client: _Client, line: bytes) -> None:
        self.commands.append(line)
        self._changed.set()
        verb, _, rest = line.decode().partition(" ")
        method = getattr(self, f"_do_{verb.lower()}", None)
        if method is None:
            await self._act(client, verb.upper(), "500 5.5.2 what?")
        else:
            await method(client, rest)

    async def _act(self, client: _Client, stage: str, default: str) -> str:
        """Do what the script says at `stage`; the reply that was given, empty when there was none."""
        action: Action | None = self.script[stage].pop(0) if self.script[stage] else None
        action = action or self.always.get(stage) or default
        if isinstance(action, Await):
            await action.event.wait()
            action = default
        if isinstance(action, Drop):
            raise _Closed
        if isinstance(action, Hang):
            await client.reader.read(-1)
            raise _Closed
        if isinstance(action, Stall):
            await self._send(client, action.reply.encode() + b"\r\n")
            client.writer.transport.pause_reading()
            if action.then is None:
                await asyncio.Event().wait()
            await self._send(client, f"{action.then}\r\n".encode())
            await asyncio.sleep(
                0.05
            )  # what came unread makes the kernel cut the connection: let the reply arrive first
            raise _Closed
        if isinstance(action, Drip):
            for byte in action.reply:
                await self._send(client, bytes([byte]))
                await asyncio.sleep(action.pause)
            return ""
        if isinstance(action, Endless):
            for _ in range(action.total // len(action.line)):
                await self._send(client, action.line)
            return ""
        if isinstance(action, Raw):
            await self._send(client, action.data)
            return ""
        reply = action.reply if isinstance(action, Last) else action
        await self._send(client, reply.replace("\n", "\r\n").encode() + b"\r\n")
        if isinstance(action, Last):
            client.writer.close()
            raise _Closed
        return reply

    async def _send(self, client: _Client, data: bytes) -> None:
        client.writer.write(data)
        await client.writer.drain()
        self.sent += len(data)

    async def _do_ehlo(self, client: _Client, rest: str) -> None:
        offers = list(self.extensions)
        if self.context is not None and not client.tls:
            offers.append("STARTTLS")
        if self.users:
            offers.append("AUTH PLAIN LOGIN")
        lines = ["peer.example", *offers]
        reply = "\n".join(f"250{'-' if place < len(lines) - 1 else ' '}{line}" for place, line in enumerate(lines))
        await self._act(client, "EHLO", reply)

    async def _do_helo(self, client: _Client, rest: str) -> None:
        await self._act(client, "HELO", "250 peer.example")

    async def _do_starttls(self, client: _Client, rest: str) -> None:
        if await self._act(client, "STARTTLS", "220 2.0.0 go ahead") == "" or self.context is None:
            return
        await client.writer.start_tls(self.context)
        client.tls = True
        client.pending.clear()

    async def _do_auth(self, client: _Client, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        if mechanism == "PLAIN":
            _, user, password = base64.b64decode(initial).decode().split("\0")
        else:
            await self._send(client, b"334 VXNlcm5hbWU6\r\n")
            user = base64.b64decode(await self._line(client)).decode()
            await self._send(client, b"334 UGFzc3dvcmQ6\r\n")
            password = base64.b64decode(await self._line(client)).decode()
        if self.users.get(user) == password:
            client.user = user
            await self._act(client, "AUTH", "235 2.7.0 welcome")
        else:
            await self._act(client, "AUTH", "535 5.7.8 wrong password")

    async def _do_mail(self, client: _Client, rest: str) -> None:
        address, _, parameters = rest.removeprefix("FROM:<").partition(">")
        if client.sender is not None:
            await self._act(client, "MAIL", "503 5.5.1 nested MAIL")
        elif (await self._act(client, "MAIL", "250 2.1.0 ok")).startswith("2"):
            client.sender, client.parameters = address, parameters.strip()

    async def _do_rcpt(self, client: _Client, rest: str) -> None:
        address = rest.removeprefix("TO:<").partition(">")[0]
        if client.sender is None:
            await self._act(client, "RCPT", "503 5.5.1 MAIL first")
        elif (await self._act(client, "RCPT", self.refuse.get(address, "250 2.1.5 ok"))).startswith("2"):
            client.addresses.append(address)

    async def _do_data(self, client: _Client, rest: str) -> None:
        if not client.addresses:
            await self._act(client, "DATA", "554 5.5.1 no valid recipients")
            return
        if not (await self._act(client, "DATA", "354 go ahead")).startswith("3"):
            return
        content = await self._content(client)
        mail = Mail(
            Envelope(mail_from=client.sender or "", rcpt_to=tuple(client.addresses)),
            content,
            client.parameters,
            client.number,
            client.tls,
            client.user,
        )
        client.sender, client.addresses = None, []
        self.commands.append(b".")
        if (await self._act(client, "DOT", f"250 2.0.0 queued as {len(self.mails) + 1}")).startswith("2"):
            self.mails.append(mail)
        self._changed.set()

    async def _content(self, client: _Client) -> bytes:
        while (
            client.pending[:3] != b".\r\n"
            and client.pending.find(b"\r\n.\r\n", max(0, len(client.pending) - (1 << 18) - 4)) < 0
        ):
            await self._read(client)
            self._changed.set()
        if client.pending[:3] == b".\r\n":
            del client.pending[:3]
            return b""
        content, _, rest = bytes(client.pending).partition(b"\r\n.\r\n")
        client.pending[:] = rest
        content = (content + b"\r\n").replace(b"\r\n..", b"\r\n.")
        return content[1:] if content.startswith(b".") else content

    async def _do_rset(self, client: _Client, rest: str) -> None:
        client.sender, client.addresses = None, []
        await self._act(client, "RSET", "250 2.0.0 ok")

    async def _do_quit(self, client: _Client, rest: str) -> None:
        await self._act(client, "QUIT", "221 2.0.0 bye")
        raise _Closed


@contextlib.contextmanager
def in_thread(peer: Peer) -> Iterator[Peer]:
    """Run `peer` in a loop of its own, for tests that have none; `peer.wait` then waits for mails."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="peer")
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(peer.__aenter__(), loop).result(10)
        yield peer
        asyncio.run_coroutine_threadsafe(peer.stop(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class OrdinaryPeer:
    """aiosmtpd with nothing changed: somebody else's idea of a server."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> OrdinaryPeer:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="peer.example", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take the message."""
        taken = Envelope(mail_from=envelope.mail_from, rcpt_to=tuple(envelope.rcpt_tos))
        self.mails.append(Mail(taken, envelope.original_content))
        return "250 2.0.0 taken"
