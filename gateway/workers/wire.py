"""One message between pool and worker: a fixed header, a body (msgpack asking, JSON answering), a blob of raw bytes.

A blob above `INLINE` travels in a sealed memfd. The pool's half never trusts what it reads: lengths are bounded, and
only a sealed memory file is read, because reading a pipe or a shrinking file could stall or cheat the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import io
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

INLINE = 256 << 10  # bytes; a larger blob goes by memfd
BODY_LIMIT = 4 << 20  # bytes of JSON in an answer
BLOB_LIMIT = 100 << 20  # bytes
OUT_OF_MEMORY = 77  # exit status of a worker that could not even take the job in
_PIECE = 4 << 20  # bytes copied before the event loop runs again
_HEADER = struct.Struct("!4sIIQ?")  # magic, job number, body bytes, blob bytes, blob is in a memfd
_MAGIC = b"GWJ1"
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class Closed(Exception):
    """The other side is gone."""


class Garbled(Exception):
    """The other side does not keep to the protocol."""


class Request(msgspec.Struct, frozen=True):
    """A job: a function's dotted name, its arguments before the blob, and its share of CPU seconds."""

    function: str
    args: tuple[Any, ...]
    cpu: float


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a job ended. `words` are the arguments of the error of that name, or a traceback."""

    kind: Literal["value", "Unreadable", "Unconvertible", "Refused", "memory", "exception"]
    value: Any = None
    words: tuple[str | None, ...] = ()
    peak: int = 0  # bytes the worker has had resident at most


# --- the memfd -------------------------------------------------------------------------------------------


def _fill(fd: int, blob: bytes) -> Iterator[None]:
    """Write `blob` into the memfd piece by piece and seal it."""
    view = memoryview(blob)
    while view:
        view = view[os.write(fd, view[:_PIECE]) :]
        yield
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)


def _drain(fd: int, size: int, into: io.BytesIO) -> Iterator[None]:
    """Read `size` bytes from a sealed memfd piece by piece; Garbled when it is anything else."""
    try:
        seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)  # EINVAL on all but files in memory
    except OSError as error:
        raise Garbled("the descriptor sent is no memory file") from error
    if seals & _SEALS != _SEALS or os.fstat(fd).st_size != size:
        raise Garbled("the memory file sent is not sealed or has another size")
    while into.tell() < size:
        into.write(os.pread(fd, min(_PIECE, size - into.tell()), into.tell()))
        yield


def _header(job: int, body: bytes, blob: bytes) -> tuple[bytes, bool]:
    aside = len(blob) > INLINE
    return _HEADER.pack(_MAGIC, job, len(body), len(blob), aside), aside


def _parse(header: bytes, job: int | None, fds: list[int]) -> tuple[int, int, int, int | None]:
    """Job number, body size, blob size and memfd; closes what it does not return."""
    magic, number, body, blob, aside = _HEADER.unpack(header)
    sound = magic == _MAGIC and (job is None or number == job) and body <= BODY_LIMIT and blob <= BLOB_LIMIT
    if not sound or aside is not (len(fds) == 1):
        for fd in fds:
            os.close(fd)
        raise Garbled("the header is not one of ours")
    return number, body, blob, fds[0] if fds else None


# --- the pool's half: asyncio ----------------------------------------------------------------------------


async def send(sock: socket.socket, job: int, body: bytes, blob: bytes) -> None:
    """Send one message over a non-blocking socket; Closed when the worker is gone, OSError for want of memory."""
    header, aside = _header(job, body, blob)
    if not aside:
        await _send_all(sock, header + body + blob)
        return
    fd = os.memfd_create("job", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        for _ in _fill(fd, blob):
            await asyncio.sleep(0)
        _send_beside(sock, header, fd)
    finally:
        os.close(fd)
    await _send_all(sock, body)


async def _send_all(sock: socket.socket, data: bytes) -> None:
    try:
        await asyncio.get_running_loop().sock_sendall(sock, data)
    except OSError as error:
        raise Closed from error


def _send_beside(sock: socket.socket, header: bytes, fd: int) -> None:
    try:
        socket.send_fds(sock, [header], [fd])  # an idle worker's buffer is empty: never short
    except OSError as error:
        raise Closed from error


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sock)


async def _read_header(sock: socket.socket) -> tuple[bytes, list[int]]:
    while True:
        with contextlib.suppress(BlockingIOError):
            data, fds, _, _ = socket.recv_fds(sock, _HEADER.size, 1, socket.MSG_CMSG_CLOEXEC)
            if len(data) == _HEADER.size:
                return data, list(fds)
            for fd in fds:
                os.close(fd)
            if not data:
                raise Closed
            raise Garbled("the header is cut")
        await _readable(sock)


async def receive(sock: socket.socket, job: int) -> tuple[bytes, bytes]:
    """Body and blob of the answer to `job`; Closed when the worker is gone, Garbled when it is out of order."""
    try:
        header, fds = await _read_header(sock)
        _, body_size, blob_size, memfd = _parse(header, job, fds)
        try:
            inline = bytearray(body_size + (0 if memfd is not None else blob_size))
            await _read_into(sock, memoryview(inline))
            if memfd is None:
                return bytes(inline[:body_size]), bytes(memoryview(inline)[body_size:])
            into = io.BytesIO()
            for _ in _drain(memfd, blob_size, into):
                await asyncio.sleep(0)
            return bytes(inline), into.getvalue()
        finally:
            if memfd is not None:
                os.close(memfd)
    except OSError as error:
        raise Closed from error


async def _read_into(sock: socket.socket, view: memoryview) -> None:
    loop = asyncio.get_running_loop()
    while view:
        count = await loop.sock_recv_into(sock, view)
        if not count:
            raise Closed
        view = view[count:]


def is_alive(sock: socket.socket) -> bool:
    """Whether an idle worker still holds its end and has said nothing unasked."""
    try:
        sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


# --- the worker's half: blocking -------------------------------------------------------------------------


def send_answer(sock: socket.socket, job: int, body: bytes, blob: bytes) -> None:
    """Send one message from the worker."""
    header, aside = _header(job, body, blob)
    if not aside:
        sock.sendall(header + body + blob)
        return
    fd = os.memfd_create("answer", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        for _ in _fill(fd, blob):
            pass
        socket.send_fds(sock, [header], [fd])
    finally:
        os.close(fd)
    sock.sendall(body)


def receive_request(sock: socket.socket) -> tuple[int, bytes, bytes]:
    """The next job's number, body and blob; Closed when the daemon is gone."""
    header, fds, _, _ = socket.recv_fds(sock, _HEADER.size, 1, socket.MSG_CMSG_CLOEXEC)
    if len(header) < _HEADER.size:
        raise Closed
    job, body_size, blob_size, memfd = _parse(header, None, list(fds))
    inline = bytearray(body_size + (0 if memfd is not None else blob_size))
    view = memoryview(inline)
    while view:
        count = sock.recv_into(view)
        if not count:
            raise Closed
        view = view[count:]
    if memfd is None:
        return job, bytes(inline[:body_size]), bytes(memoryview(inline)[body_size:])
    into = io.BytesIO()
    for _ in _drain(memfd, blob_size, into):
        pass
    os.close(memfd)
    return job, bytes(inline), into.getvalue()
