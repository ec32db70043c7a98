"""The daemon's side of the zygote: start it, order workers, hear of their births and deaths."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from gateway.workers import wire

_PASSED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")  # the environment may hold secrets
_ROOT = str(Path(__file__).resolve().parents[2])  # where `import gateway` is found
_NOTICE = 4096  # bytes of one message
_GRACE = 5.0  # seconds for the zygote to kill its workers and end


class Exit(msgspec.Struct, frozen=True):
    """How a worker ended: a wait status (None: its zygote is gone too) and the bytes it had resident at most."""

    status: int | None
    peak: int = 0

    @property
    def signal(self) -> int:
        """The signal that ended it, 0 when none did."""
        return os.WTERMSIG(self.status) if self.status is not None and os.WIFSIGNALED(self.status) else 0

    @property
    def code(self) -> int:
        """Its exit status, 0 when a signal ended it."""
        return os.WEXITSTATUS(self.status) if self.status is not None and os.WIFEXITED(self.status) else 0


class Family(Protocol):
    """Who is told about the workers."""

    def born(self, number: int, pid: int) -> None:
        """Worker `number` runs."""

    def ended(self, number: int, how: Exit) -> None:
        """Worker `number` has ended and is reaped."""

    def orphaned(self, healthy: bool) -> None:
        """The zygote ended and all workers with it; `healthy` when it had been ready before."""


class Forkserver:
    """One zygote process. Orders never block; an order that does not fit ends the zygote, and so all workers."""

    def __init__(
        self,
        family: Family,
        *,
        memory: int,
        file: int = wire.BLOB_LIMIT,
        files: int = 64,
        preload: Sequence[str] = (),
        path: Sequence[str] = (),
    ) -> None:
        self._family = family
        self._limits = {"memory": memory, "file": file, "files": files, "preload": list(preload)}
        self._path = [_ROOT, *path]
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._healthy = False

    @property
    def pid(self) -> int | None:
        """The zygote's process id."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether it takes orders."""
        return self._control is not None

    def start(self) -> None:
        """Start the zygote; it imports in its own time and takes orders meanwhile."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                self._process = self._execute(theirs)
        except OSError:
            ours.close()
            raise
        ours.setblocking(False)
        self._control, self._healthy = ours, False
        if self._loop is not None:
            self._loop.add_reader(ours, self._hear)

    def _execute(self, control: socket.socket) -> subprocess.Popen[bytes]:
        """The zygote as a fresh interpreter that inherits its control socket and nothing else of ours."""
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        environment |= {"PYTHONPATH": os.pathsep.join(self._path), "MALLOC_ARENA_MAX": "2"}
        limits = msgspec.json.encode(self._limits | {"control": control.fileno()}).decode()
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "gateway.workers.zygote", limits],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            pass_fds=[control.fileno()],
            process_group=0,
        )

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hear the zygote in this loop; it may have been started before there was one."""
        if self._loop is None and self._control is not None:
            self._loop = loop
            loop.add_reader(self._control, self._hear)

    def spawn(self, number: int) -> socket.socket:
        """Order worker `number`; our end of its socket, non-blocking, which may be written to at once."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            self._order({"spawn": number}, theirs)
        return ours

    def kill(self, number: int) -> None:
        """Order worker `number` killed; it may have ended already."""
        self._order({"kill": number})

    def abort(self) -> None:
        """Kill the zygote, and by PR_SET_PDEATHSIG every worker: the way out when it does not obey."""
        if self._process is not None:
            self._process.kill()

    async def close(self) -> None:
        """End the zygote and with it all workers; nobody is told."""
        control, process, loop = self._control, self._process, asyncio.get_running_loop()
        if control is None or process is None:
            return
        self._control = None
        loop.remove_reader(control)
        control.shutdown(socket.SHUT_WR)
        try:
            async with asyncio.timeout(_GRACE):
                while await loop.sock_recv(control, _NOTICE):
                    pass
        except (TimeoutError, OSError):
            process.send_signal(signal.SIGKILL)
        control.close()
        process.wait()

    def _order(self, order: dict[str, int], beside: socket.socket | None = None) -> None:
        if self._control is None:
            return
        try:
            socket.send_fds(self._control, [msgspec.json.encode(order)], [beside.fileno()] if beside else [])
        except OSError:
            self.abort()

    def _hear(self) -> None:
        """Take every notice that waits."""
        while self._control is not None:
            try:
                data = self._control.recv(_NOTICE)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._bury()
                return
            self._tell(msgspec.json.decode(data, type=dict[str, int]))

    def _tell(self, notice: dict[str, int]) -> None:
        if "spawned" in notice:
            self._family.born(notice["spawned"], notice["pid"])
        elif "exited" in notice:
            self._family.ended(notice["exited"], Exit(notice["status"], notice["peak"]))
        else:
            self._healthy = True

    def _bury(self) -> None:
        """The zygote closed its end: it is ending or has ended."""
        control, process, self._control = self._control, self._process, None
        if control is not None and self._loop is not None:
            self._loop.remove_reader(control)
            control.close()
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
        self._family.orphaned(self._healthy)
