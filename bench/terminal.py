"""The screens on a pseudo-terminal of 80×24: what is typed goes in, what comes out is counted."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_TRIES = 20  # silences that are waited for before a screen counts as one that never rests


class Terminal:
    """`python -m tui` at the far end of a line."""

    def __init__(self, socket: Path, words: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:  # the child
            os.environ.update({"TERM": "xterm-256color", "LANG": "en_GB.UTF-8"} | dict(environment or {}))
            os.execv(sys.executable, [sys.executable, "-m", "tui", "--socket", str(socket), *words])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self.fd, keys)

    def until(self, wanted: bytes, seconds: float = 30) -> bytes:
        """What comes until `wanted` has come; AssertionError, with the end of it, when it never does."""
        deadline = time.monotonic() + seconds
        got = b""
        while wanted not in got:
            assert time.monotonic() < deadline, got[-2000:]
            got += self.some(0.5)
        return got

    def quiet(self, seconds: float) -> bytes:
        """What comes until nothing came for `seconds`."""
        got = b""
        while piece := self.some(seconds):
            got += piece
        return got

    def rests(self, seconds: float) -> bool:
        """Whether `seconds` without a byte come; a slow machine only makes it look longer, not otherwise."""
        return any(self.within(seconds) == b"" for _ in range(_TRIES))

    def within(self, seconds: float) -> bytes:
        """What comes in the next `seconds`."""
        end, got = time.monotonic() + seconds, b""
        while (left := end - time.monotonic()) > 0:
            got += self.some(left)
        return got

    def some(self, seconds: float) -> bytes:
        """What is there, or comes first within `seconds`."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        with contextlib.suppress(OSError):  # the child is gone
            return os.read(self.fd, 65536) if ready else b""
        return b""

    def memory(self) -> int:
        """Bytes that the process has resident."""
        (size,) = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        return int(size) << 10

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@contextlib.contextmanager
def terminal(
    socket: Path, words: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """The screens, ended at the end."""
    made = Terminal(socket, words, environment)
    try:
        yield made
    finally:
        made.close()
