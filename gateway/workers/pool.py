"""The pool: jobs wait first in first out for a worker; whatever a job does ends that job and its worker only."""

from __future__ import annotations

import asyncio
import collections
import logging
import os
import re
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Any, Literal, NoReturn

import msgspec

from gateway.errors import GatewayError, Refused, Temporary, Unconvertible, Unreadable
from gateway.workers import wire
from gateway.workers.forkserver import Exit, Forkserver

MIB = 1 << 20
Reason = Literal["timeout", "memory", "crash"]
_OBEDIENCE = 10.0  # seconds in which the zygote must have buried a worker
_RESTART_DELAY = 1.0  # seconds before a zygote or worker that died without having worked is started again
_TEXT = 500  # characters of a sentence that a worker may hand back
_CAUSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,63}")

log = logging.getLogger("gateway.workers")
_answers = msgspec.json.Decoder(wire.Answer)
_requests = msgspec.msgpack.Encoder()


class Died(Temporary):
    """The worker of a job did not survive it; the job may be tried again."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason: Reason = reason


class _Worker:
    """One process: its number, our end of its socket, and how it ended once it has."""

    def __init__(self, number: int, sock: socket.socket, end: asyncio.Future[Exit]) -> None:
        self.number = number
        self.sock = sock
        self.end = end
        self.pid = 0
        self.jobs = 0
        self.busy = False
        self.discarded = False
        self.born_at = 0.0  # of the loop's clock


class Pool:
    """`count` worker processes (0: one per core of ours), each with `memory` bytes of address space.

    A worker is replaced after `recycle` jobs or once it had more than `large` bytes resident. `preload` names modules
    that the zygote imports once for all; `path` are folders, beside that of `gateway`, where functions are found.
    """

    def __init__(
        self,
        count: int,
        *,
        memory: int = 800 * MIB,
        recycle: int = 200,
        large: int = 320 * MIB,
        preload: Sequence[str] = (),
        path: Sequence[str] = (),
    ) -> None:
        self.count = count or len(os.sched_getaffinity(0))
        self.jobs = 0
        self.recycled = 0
        self.died: collections.Counter[str] = collections.Counter(timeout=0, memory=0, crash=0)
        self._memory, self._recycle, self._large = memory, recycle, large
        self._forkserver = Forkserver(self, memory=memory, preload=preload, path=path)
        self._workers: dict[int, _Worker] = {}
        self._idle: collections.deque[_Worker] = collections.deque()
        self._waiting: collections.deque[asyncio.Future[_Worker]] = collections.deque()
        self._number = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False

    # --- for the daemon ---

    def start(self) -> None:
        """Start the zygote: before threads and listeners, inside a running loop or before there is one."""
        self._forkserver.start()
        try:
            self._attach()
        except RuntimeError:  # no loop runs yet; the first job attaches
            return

    async def ready(self, timeout: float = 30.0) -> None:  # noqa: ASYNC109
        """Wait until a worker takes jobs; Temporary after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                self._free(await self._take())
        except TimeoutError:
            raise Temporary("No worker process could be started; the log above says why.") from None

    async def run(
        self,
        function: str,
        *args: Any,
        blob: bytes | None = None,
        timeout: float = 20.0,  # noqa: ASYNC109
        cpu: float | None = None,
    ) -> tuple[Any, bytes]:
        """Run `function` ("package.module:name") as `function(*args, blob)` in a worker.

        It returns a JSON-able value of at most 4 MB and at most 100 MB of bytes. `timeout` is seconds of wall time from
        the moment a worker takes the job, `cpu` seconds of all its threads together (default: the same).
        Raises what the job raised of Unreadable, Unconvertible and Refused; Died for any other end of it.
        """
        body = _requests.encode(wire.Request(function, args, timeout if cpu is None else cpu))
        if len(body) > wire.BODY_LIMIT or len(blob or b"") > wire.BLOB_LIMIT:
            raise Refused("The document is larger than a worker takes.")
        worker = await self._take()
        try:
            async with asyncio.timeout(timeout):
                answer, result = await self._exchange(worker, body, blob or b"")
        except TimeoutError:
            self._lose(worker, "timeout", f"it was not done after {timeout:g} s", function)
        except wire.Garbled as error:
            self._lose(worker, "crash", str(error), function)
        except wire.Closed:
            self._lose(worker, *self._judge(await self._end_of(worker)), function)
        except OSError as error:  # of ours, before the worker had the job
            self._discard(worker)
            raise Temporary(f"The document cannot be handed to a worker now: {error.strerror}.") from error
        except BaseException:  # the caller was cancelled: the job is of no use any more
            self._discard(worker)
            raise
        return self._deliver(worker, function, answer, result)

    @property
    def started(self) -> int:
        """Workers that run and take jobs."""
        return len(self.pids)

    @property
    def busy(self) -> int:
        """Workers that have a job."""
        return sum(1 for worker in self._workers.values() if worker.busy)

    @property
    def waiting(self) -> int:
        """Jobs that wait for a worker."""
        return len(self._waiting)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers."""
        return tuple(worker.pid for worker in self._workers.values() if worker.pid and not worker.discarded)

    async def close(self) -> None:
        """End all workers. Jobs that wait or run end with Temporary."""
        self._closing = True
        for future in self._waiting:
            if not future.done():
                future.set_exception(Temporary("The gateway is stopping."))
        self._waiting.clear()
        await self._forkserver.close()
        for number in list(self._workers):
            self._bury(number, Exit(None))

    # --- one job ---

    async def _exchange(self, worker: _Worker, body: bytes, blob: bytes) -> tuple[wire.Answer, bytes]:
        worker.jobs += 1
        self.jobs += 1
        await wire.send(worker.sock, worker.jobs, body, blob)
        answer, result = await wire.receive(worker.sock, worker.jobs)
        try:
            return _answers.decode(answer), result
        except (msgspec.DecodeError, RecursionError) as error:
            raise wire.Garbled(f"its answer cannot be read: {error}") from error

    def _deliver(self, worker: _Worker, function: str, answer: wire.Answer, result: bytes) -> tuple[Any, bytes]:
        """Hand the answer to the caller, and the worker to the next job where it is still good."""
        match answer:
            case wire.Answer(kind="value"):
                self._reuse(worker, answer.peak)
                return answer.value, result
            case wire.Answer(kind="memory"):
                self._lose(worker, "memory", f"it needs more than {self._memory // MIB} MiB", function)
            case wire.Answer(kind="exception", words=(text, *_)):
                self._lose(worker, "crash", _plain(text), function)
        error = _error(answer)
        if error is None:
            self._lose(worker, "crash", "its answer makes no sense", function)
        self._reuse(worker, answer.peak)
        try:
            raise error
        finally:
            del error  # its traceback holds this frame, and so would hold the caller's blob until a collection

    async def _end_of(self, worker: _Worker) -> Exit:
        """How a worker that closed its socket ended. The kill does not change the status of one that is ending."""
        self._forkserver.kill(worker.number)
        try:
            async with asyncio.timeout(_OBEDIENCE):
                return await asyncio.shield(worker.end)
        except TimeoutError:
            self._forkserver.abort()
            return Exit(None)

    def _judge(self, how: Exit) -> tuple[Reason, str]:
        """Why it ended. Native code answers a failed allocation with an abort or a trap: a large one lacked memory."""
        if how.signal == signal.SIGXCPU:
            return "timeout", "it used up its CPU time"
        if how.code == wire.OUT_OF_MEMORY:
            return "memory", "it could not take the job in"
        name = signal.Signals(how.signal).name if how.signal else "its own exit"
        if how.signal and how.peak > self._memory // 2:
            return "memory", f"{name} at {how.peak // MIB} MiB"
        return "crash", f"ended by {name}"

    def _lose(self, worker: _Worker, reason: Reason, detail: str, function: str) -> NoReturn:
        self._discard(worker)
        if self._closing:
            raise Temporary("The gateway is stopping.")
        self.died[reason] += 1
        log.warning("worker %d (pid %d) ended, %s in %s: %s", worker.number, worker.pid, reason, function, detail)
        raise Died(reason, _SENTENCES[reason])

    # --- the workers ---

    def _attach(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._forkserver.attach(self._loop)
            self._populate()

    def _populate(self) -> None:
        while self._loop is not None and self._forkserver.running and len(self._workers) < self.count:
            self._number += 1
            try:
                sock = self._forkserver.spawn(self._number)
            except OSError as error:
                self._try_again(error, self._populate)
                return
            self._workers[self._number] = _Worker(self._number, sock, self._loop.create_future())

    async def _take(self) -> _Worker:
        """The next free worker, in the order of asking."""
        assert self._forkserver.pid is not None, "start() comes first"
        self._attach()
        while self._idle:
            worker = self._idle.pop()  # the last one's caches are warm
            if wire.is_alive(worker.sock):
                worker.busy = True
                return worker
            self._discard(worker)
        if self._closing:
            raise Temporary("The gateway is stopping.")
        future: asyncio.Future[_Worker] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            return await future
        except asyncio.CancelledError:
            if future in self._waiting:
                self._waiting.remove(future)
            elif not future.cancelled() and future.exception() is None:  # it got one in the same moment
                self._free(future.result())
            raise

    def _free(self, worker: _Worker) -> None:
        """Give a worker to whoever waits longest."""
        worker.busy = False
        if worker.number not in self._workers:  # it ended meanwhile
            worker.sock.close()
            return
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                worker.busy = True
                future.set_result(worker)
                return
        self._idle.append(worker)

    def _reuse(self, worker: _Worker, peak: int) -> None:
        if worker.jobs >= self._recycle or peak > self._large:
            self.recycled += 1
            self._discard(worker)
        else:
            self._free(worker)

    def _discard(self, worker: _Worker) -> None:
        """Kill a worker; its replacement is ordered when it is reaped, so that there are never more than `count`."""
        worker.busy, worker.discarded = False, True
        worker.sock.close()
        self._forkserver.kill(worker.number)
        if self._loop is not None:
            self._loop.call_later(_OBEDIENCE, self._insist, worker)

    def _insist(self, worker: _Worker) -> None:
        """A zygote that has not buried a worker by now does not obey: end it, and with it all workers."""
        if worker.number in self._workers:
            self._forkserver.abort()

    # --- what the forkserver tells ---

    def born(self, number: int, pid: int) -> None:
        """A worker runs: it may have work."""
        worker = self._workers[number]
        worker.pid, worker.born_at = pid, asyncio.get_running_loop().time()
        self._free(worker)

    def ended(self, number: int, how: Exit) -> None:
        """A worker is reaped: replace it, later when it died young without having worked."""
        worker = self._bury(number, how)
        loop = asyncio.get_running_loop()
        young = not worker.jobs and loop.time() - worker.born_at < _RESTART_DELAY
        loop.call_later(_RESTART_DELAY if young else 0, self._populate)

    def orphaned(self, healthy: bool) -> None:
        """The zygote ended: start another, later when it never was ready."""
        log.error("the process that starts workers ended; another is started")
        for number in list(self._workers):
            self._bury(number, Exit(None))
        if self._loop is not None:
            self._loop.call_later(0 if healthy else _RESTART_DELAY, self._restart)

    def _bury(self, number: int, how: Exit) -> _Worker:
        worker = self._workers.pop(number)
        if not worker.end.done():
            worker.end.set_result(how)
        if not worker.busy:  # else its job still reads, and closes
            worker.sock.close()
            if worker in self._idle:
                self._idle.remove(worker)
        return worker

    def _restart(self) -> None:
        if self._closing:
            return
        try:
            self._forkserver.start()
        except OSError as error:
            self._try_again(error, self._restart)
        self._populate()

    def _try_again(self, error: OSError, what: Callable[[], None]) -> None:
        """No descriptors or processes to be had just now."""
        log.error("no worker can be started: %s", error.strerror)
        if self._loop is not None:
            self._loop.call_later(_RESTART_DELAY, what)


_SENTENCES: dict[Reason, str] = {
    "timeout": "The document takes too long to work on; the process was stopped.",
    "memory": "The document needs more memory than a worker may have.",
    "crash": "The process that worked on the document ended unexpectedly.",
}


def _plain(text: str | None) -> str:
    """A worker's text, bounded, on one line and without control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in (text or "")[: 4 * _TEXT])


def _error(answer: wire.Answer) -> GatewayError | None:
    """The exception a job raised, rebuilt; None when the words do not fit it."""
    if len(answer.words) != 2:
        return None
    first, second = answer.words
    if answer.kind == "Refused":
        return Refused(_plain(first)[:_TEXT], _plain(second)[:_TEXT] if second is not None else None)
    if first is None or second is None or not _CAUSE.fullmatch(first):
        return None
    return (Unreadable if answer.kind == "Unreadable" else Unconvertible)(first, _plain(second)[:_TEXT])
