"""The forkserver: a fresh interpreter, started before the daemon has threads or listeners, that only forks workers.

Over its control socket (SOCK_SEQPACKET, JSON) it takes `{"spawn": n}` with the worker's socket beside it and
`{"kill": n}`; it tells `{"ready": pid}`, `{"spawned": n, "pid": p}` and `{"exited": n, "status": s, "peak": bytes}`.
Being the workers' parent it can kill by number without ever hitting a reused pid.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import resource
import select
import signal
import socket
import sys
from typing import NoReturn

import msgspec

from gateway.workers import job

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_GARBAGE = 10_000  # objects made and not yet let go until rings of them are looked for: a page makes thousands


class Limits(msgspec.Struct, frozen=True):
    """What a worker may use, and what the zygote imports once for all of them."""

    control: int  # file descriptor of the control socket
    memory: int  # bytes of address space
    file: int  # bytes of any file it writes, memory files too
    files: int  # open files
    preload: tuple[str, ...] = ()


def main() -> None:
    """Run as `python -m gateway.workers.zygote LIMITS` until the daemon closes the control socket."""
    limits = msgspec.json.decode(sys.argv[1], type=Limits)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the daemon's; it drains first
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _libc.unshare(_CLONE_NEWNET)  # no network for workers where we may; elsewhere the unit's filters stand
    for module in limits.preload:
        importlib.import_module(module)
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    with socket.socket(fileno=limits.control) as control:
        control.set_inheritable(False)
        Zygote(control, limits).run()


class Zygote:
    """Forks, kills and buries the workers."""

    def __init__(self, control: socket.socket, limits: Limits) -> None:
        self._control = control
        self._limits = limits
        self._pids: dict[int, int] = {}  # worker's number -> pid, until it is reaped
        self._wakeup, wakeup_in = socket.socketpair()
        self._wakeup.setblocking(False)
        wakeup_in.setblocking(False)
        self._wakeup_in = wakeup_in
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup_in.fileno())

    def run(self) -> None:
        """Serve until the control socket closes; then no worker is left."""
        with contextlib.suppress(ConnectionError):
            self._tell({"ready": os.getpid()})
            while True:
                readable, _, _ = select.select([self._control, self._wakeup], [], [])
                if self._wakeup in readable:
                    self._reap()
                if self._control in readable and not self._obey():
                    break
        for pid in self._pids.values():
            os.killpg(pid, signal.SIGKILL)
        for pid in self._pids.values():
            os.waitpid(pid, 0)

    def _tell(self, message: dict[str, int]) -> None:
        self._control.send(msgspec.json.encode(message))

    def _obey(self) -> bool:
        """Do one order; False when the daemon is gone."""
        data, fds, _, _ = socket.recv_fds(self._control, 4096, 1, socket.MSG_CMSG_CLOEXEC)
        if not data:
            return False
        order = msgspec.json.decode(data, type=dict[str, int])
        if "spawn" in order:
            with socket.socket(fileno=fds[0]) as sock:
                self._spawn(order["spawn"], sock)
        elif (pid := self._pids.get(order["kill"])) is not None:
            os.killpg(pid, signal.SIGKILL)
        return True

    def _spawn(self, number: int, sock: socket.socket) -> None:
        zygote = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_worker(zygote, sock)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.setpgid(pid, pid)  # in both, so that killpg finds the group whoever runs first
        self._pids[number] = pid
        self._tell({"spawned": number, "pid": pid})

    def _become_worker(self, zygote: int, sock: socket.socket) -> NoReturn:
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for ours in (self._control, self._wakeup, self._wakeup_in):
                ours.close()
            os.dup2(0, 2)  # libraries complain about documents on stderr; standard input is /dev/null
            limit(self._limits)
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() == zygote:  # else it died before the line above
                job.serve(sock)
        finally:
            os._exit(1)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wakeup.recv(512):
                pass
        for number, pid in list(self._pids.items()):
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if ended:
                del self._pids[number]
                self._tell({"exited": number, "status": status, "peak": usage.ru_maxrss * 1024})


def limit(limits: Limits) -> None:
    """Set the limits of this process that hold for all its jobs; RLIMIT_CPU is raised by each."""
    for what, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_FSIZE, limits.file),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main()
