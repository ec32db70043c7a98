"""The two ends of the wire: who hands mail in, and the server that takes it.

Postfix's smtp-sink and smtp-source are used where they are installed, because they cost the machine least; without
them the ends are ours. The sink is always a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PATH = os.environ.get("PATH", "") + ":/usr/sbin"
STUCK_SECONDS = 60.0
_TAKEN = re.compile(rb"mesg=(\d+)")
SENDER, ADDRESS = "erp@seller.example", "ap@customer.example"


def find(program: str) -> str | None:
    """Where `program` is installed, if it is."""
    return shutil.which(program, path=_PATH)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at now."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
    return port


# --- the sink --------------------------------------------------------------------------------------------


@contextmanager
def sink() -> Iterator[str]:
    """Run a server that takes every mail and keeps none; gives the `[relay]` section that leads to it."""
    port = free_port()
    program = find("smtp-sink")
    if program is None:
        command = [sys.executable, "-m", "bench.peers", str(port)]
    else:
        command = [program, *_user(), f"127.0.0.1:{port}", "1024"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_listener(port, server)
        yield f'mode = "smarthost"\nhost = "smtp://127.0.0.1:{port}"\ntls = "none"'
    finally:
        server.terminate()
        server.wait()


def _user() -> list[str]:
    return ["-u", "nobody"] if os.getuid() == 0 else []


def await_listener(port: int, server: subprocess.Popen[bytes]) -> None:
    """Return when `server` takes connections at `port`; SystemExit when it ended or ten seconds are over."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the sink did not start") from None
            time.sleep(0.02)


class Counted:
    """smtp-sink, which writes how many messages it has taken."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self._log = port, log

    def taken(self) -> int:
        """Messages whose final dot it has answered."""
        with self._log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 300))
            found = _TAKEN.findall(file.read())
        return int(found[-1]) if found else 0

    def wait(self, wanted: int) -> None:
        """Until it has taken `wanted`; SystemExit when nothing moves any more."""
        seen, moved = -1, time.monotonic()
        while (now := self.taken()) < wanted:
            if now != seen:
                seen, moved = now, time.monotonic()
            elif time.monotonic() - moved > STUCK_SECONDS:
                raise SystemExit(f"stuck: {now} of {wanted} messages arrived")
            time.sleep(0.01)


@contextmanager
def counted_sink(folder: Path) -> Iterator[Counted]:
    """Run smtp-sink and count what it takes; SystemExit where there is none."""
    port, program = free_port(), find("smtp-sink")
    if program is None:
        raise SystemExit("smtp-sink is needed, which is in Debian's package postfix")
    with _counted([program, "-c", *_user(), f"127.0.0.1:{port}", "1024"], port, folder / "sink.log") as sink:
        yield sink


@contextmanager
def slow_sink(folder: Path, seconds: float) -> Iterator[Counted]:
    """Run a server that gives each reply `seconds` late, as one that is not on the same machine does."""
    port = free_port()
    command = [sys.executable, "-m", "bench.peers", str(port), str(seconds)]
    with _counted(command, port, folder / "slow-sink.log") as sink:
        yield sink


@contextmanager
def _counted(command: list[str], port: int, log: Path) -> Iterator[Counted]:
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        await_listener(port, server)
        yield Counted(port, log)
    finally:
        server.terminate()
        server.wait()


class _Sink(asyncio.Protocol):
    """Just enough of RFC 5321 to take a mail; says how many it has taken, as smtp-sink does."""

    taken = 0

    def __init__(self, late: float = 0.0) -> None:
        self._late = late  # seconds
        self._pending = b""
        self._in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._say(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while not self._transport.is_closing():
            end = b"\r\n.\r\n" if self._in_data else b"\r\n"
            line, found, rest = self._pending.partition(end)
            if not found:
                if self._in_data:
                    self._pending = self._pending[-4:]  # the end may be cut
                return
            self._pending = rest
            self._answer(line[:4].upper())

    def _answer(self, verb: bytes) -> None:
        if self._in_data:
            self._in_data = False
            self._say(b"250 2.0.0 Ok\r\n", taken=True)
        elif verb == b"DATA":
            self._in_data = True
            self._say(b"354 go ahead\r\n")
        elif verb == b"EHLO":
            self._say(b"250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
        elif verb == b"QUIT":
            self._say(b"221 2.0.0 Bye\r\n")
        else:
            self._say(b"250 2.0.0 Ok\r\n")

    def _say(self, reply: bytes, *, taken: bool = False) -> None:
        if self._late:
            asyncio.get_running_loop().call_later(self._late, self._write, reply, taken)
        else:
            self._write(reply, taken)

    def _write(self, reply: bytes, taken: bool) -> None:
        self._transport.write(reply)
        if taken:
            _Sink.taken += 1
            print(f"mesg={_Sink.taken}", flush=True)
        if reply.startswith(b"221"):
            self._transport.close()


async def _serve(port: int, late: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Sink(late), "127.0.0.1", port)
    await server.serve_forever()


# --- the clients -----------------------------------------------------------------------------------------


def send(port: int, mails: Sequence[bytes], sessions: int) -> None:
    """Hand `mails` in (CRLF, dots stuffed), each over a connection of its own, `sessions` at a time."""
    asyncio.run(_send(port, mails, sessions))


async def _send(port: int, mails: Sequence[bytes], sessions: int) -> None:
    waiting = list(reversed(mails))

    async def session() -> None:
        while waiting:
            await _one(port, waiting.pop())

    async with asyncio.TaskGroup() as group:
        for _ in range(sessions):
            group.create_task(session())


async def _one(port: int, mail: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await _reply(reader, b"220")
    for command, wanted in (
        (b"EHLO client.example", b"250"),
        (b"MAIL FROM:<%b>" % SENDER.encode(), b"250"),
        (b"RCPT TO:<%b>" % ADDRESS.encode(), b"250"),
        (b"DATA", b"354"),
        (mail + b".", b"250"),
        (b"QUIT", b"221"),
    ):
        writer.write(command + b"\r\n")
        await _reply(reader, wanted)
    writer.close()


async def _reply(reader: asyncio.StreamReader, wanted: bytes) -> None:
    line = await reader.readline()
    while line[3:4] == b"-":
        line = await reader.readline()
    if not line.startswith(wanted):
        raise SystemExit(f"the gateway answered {line!r}")


def send_with_smtp_source(port: int, file: Path, count: int, sessions: int, *, kept: bool = False) -> None:
    """Hand the mail in `file` (LF) in `count` times with Postfix's client; `kept`: many mails per connection."""
    program = find("smtp-source")
    assert program is not None
    options = ["-s", str(sessions), "-m", str(count), "-F", str(file), "-f", SENDER, "-t", ADDRESS]
    done = subprocess.run(
        [program, *(["-d"] if kept else []), *options, f"127.0.0.1:{port}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"smtp-source: {done.stderr.strip()}")


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), *map(float, sys.argv[2:] or ["0"])))
