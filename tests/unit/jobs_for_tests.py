"""Jobs that the tests of the pool run in workers: good ones, and one of each way to go wrong."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import socket
import sys
import time
from typing import Any

from gateway.errors import Refused, Unconvertible, Unreadable
from gateway.workers import wire


def echo(*arguments: Any) -> tuple[Any, bytes]:
    *values, blob = arguments
    return [value.hex() if isinstance(value, bytes) else value for value in values], blob


def who(blob: bytes) -> tuple[dict[str, Any], bytes]:
    """What this worker is: limits, descriptors, environment, modules."""
    descriptors = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the descriptor of the listing itself
            descriptors[name] = os.readlink(f"/proc/self/fd/{name}")
    with open("/proc/self/status") as status:
        lines = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    return {
        "pid": os.getpid(),
        "fds": descriptors,
        "no_new_privs": lines["NoNewPrivs"],
        "memory": resource.getrlimit(resource.RLIMIT_AS)[0],
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "file": resource.getrlimit(resource.RLIMIT_FSIZE)[0],
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "cpu": resource.getrlimit(resource.RLIMIT_CPU)[0],
        "environment": sorted(os.environ),
        "modules": sorted(sys.modules),
    }, b""


def nap(folder: str, blob: bytes) -> tuple[Any, bytes]:
    """Say that it runs (a file named after the pid), then wait for a signal that never comes."""
    with open(os.path.join(folder, str(os.getpid())), "w"):
        pass
    select.select([], [], [])
    return None, b""


def spin(blob: bytes) -> tuple[Any, bytes]:
    while True:
        time.monotonic()


def child(folder: str, blob: bytes) -> tuple[Any, bytes]:
    """Fork a grandchild that would outlive the worker."""
    pid = os.fork()
    if pid == 0:
        select.select([], [], [])
    with open(os.path.join(folder, str(pid)), "w"):
        pass
    select.select([], [], [])
    return None, b""


def bomb(blob: bytes) -> tuple[Any, bytes]:
    hoard = []
    while True:
        hoard.append(bytearray(16 << 20))


def native_bomb(blob: bytes) -> tuple[Any, bytes]:
    """What native code does without memory: it fills what it gets, then aborts."""
    hoard = []
    try:
        while True:
            hoard.append(b"x" * (8 << 20))
    except MemoryError:
        os.abort()


def leave(blob: bytes) -> tuple[Any, bytes]:
    os._exit(0)


def exit_politely(blob: bytes) -> tuple[Any, bytes]:
    sys.exit(3)


def segfault(blob: bytes) -> tuple[Any, bytes]:
    ctypes.string_at(0)
    return None, b""


def large(size: int, blob: bytes) -> tuple[Any, bytes]:
    return len(blob), b"y" * size


def wide(count: int, blob: bytes) -> tuple[Any, bytes]:
    return "z" * count, b""


def unreadable(blob: bytes) -> tuple[Any, bytes]:
    raise Unreadable("encrypted", "The file is encrypted \x1b[31m\nwith a password \udcff.")


def unconvertible(blob: bytes) -> tuple[Any, bytes]:
    raise Unconvertible("BT-10", "There is no buyer reference.")


def refused(field: str | None, blob: bytes) -> tuple[Any, bytes]:
    raise Refused("No such thing.", field)


def broken(blob: bytes) -> tuple[Any, bytes]:
    raise KeyError("secret\x1b]0;title\x07\nsecond line")


def unanswerable(blob: bytes) -> tuple[Any, bytes]:
    return object(), b""


def write_file(path: str, blob: bytes) -> tuple[Any, bytes]:
    with open(path, "wb") as file:
        for _ in range(200):
            file.write(bytes(1 << 20))
    return None, b""


def connect(host: str, port: int, blob: bytes) -> tuple[Any, bytes]:
    with socket.create_connection((host, port), timeout=1):
        return "connected", b""


def _daemon_socket() -> socket.socket:
    """The worker's end of its socket pair: the only socket it has."""
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                return socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue
    raise AssertionError("a worker has a socket")


def say(words: bytes, blob: bytes) -> tuple[Any, bytes]:
    """Answer with bytes of one's own making, as a worker that was broken into could, and stay."""
    _daemon_socket().sendall(words)
    select.select([], [], [])
    return None, b""


def pass_descriptor(kind: str, blob: bytes) -> tuple[Any, bytes]:
    """Claim that the blob waits in a memory file and pass something else."""
    body = b'{"kind":"value"}'
    header = wire._HEADER.pack(wire._MAGIC, 1, len(body), 1 << 20, True)
    if kind == "pipe":
        fd, _ = os.pipe()
    elif kind == "file":
        fd = os.open("/dev/zero", os.O_RDONLY)
    else:  # a memory file that could still shrink under the reader
        fd = os.memfd_create("x", os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, 1 << 20)
    sock = _daemon_socket()
    socket.send_fds(sock, [header], [fd])
    sock.sendall(body)
    select.select([], [], [])
    return None, b""


def stop_zygote(blob: bytes) -> tuple[Any, bytes]:
    os.kill(os.getppid(), signal.SIGKILL)
    select.select([], [], [])
    return None, b""


def deaf(blob: bytes) -> tuple[Any, bytes]:
    """Close the socket and stay."""
    sock = _daemon_socket()
    sock.shutdown(socket.SHUT_RDWR)
    select.select([], [], [])
    return None, b""


def peak(blob: bytes) -> tuple[Any, bytes]:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, b""


def grow(size: int, blob: bytes) -> tuple[Any, bytes]:
    return len(b"w" * size), b""
