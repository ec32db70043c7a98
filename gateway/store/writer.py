"""The one thread that writes: group commit, and no lost answer.

Whoever wants to write gives a verb and waits; the thread takes what has come in (at most `BATCH_ITEMS` verbs and
`BATCH_BYTES` bytes, no artificial wait), runs it in one transaction, commits, and only then answers all. A batch in
which one verb fails is rolled back and run again verb by verb, so that only the culprit's caller sees an error.
Cancelling a caller does not take its verb back. What delivers and records goes before what accepts: a full queue
drains first.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from gateway import metrics
from gateway.errors import Busy, Corrupt, GatewayError, Temporary
from gateway.store.database import quick_check, transaction

BATCH_ITEMS = 50
BATCH_BYTES = 8 << 20
_SIGNS_OF_DAMAGE = ("disk I/O error", "malformed", "not a database")
_VERBS_OWN = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
)  # what a verb does wrong says nothing of the disk

_log = logging.getLogger("gateway.store")


@dataclass(slots=True)
class _Item:
    verb: Callable[..., Any]
    args: tuple[Any, ...]
    size: int
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = None

    def answer(self) -> None:
        if self.future.done():  # the caller was cancelled; its verb is committed all the same
            return
        if self.error is None:
            self.future.set_result(self.value)
        else:
            self.future.set_exception(self.error)


class Writer:
    """Runs verbs `verb(connection, *args) -> value` on the only read-write connection."""

    def __init__(
        self,
        engine: Engine,
        path: Path,
        on_corrupt: Callable[[Corrupt], None] | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._connection: Connection | None = (
            None  # kept: to check it out for each transaction costs more than the rest
        )
        self._path = path
        self._on_corrupt = on_corrupt
        self._on_change = on_change  # called in the thread, after a commit that changed a row
        self._urgent: deque[_Item] = deque()
        self._later: deque[_Item] = deque()
        self._ready = threading.Condition()
        self._stopping = False
        self._suspect = False  # after an I/O error: nothing is believed before a check
        self._corrupt: Corrupt | None = None
        self.trouble: str | None = None  # why the last transaction could not be written
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits, then end the thread; blocks until it has ended."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        self._thread.join()

    @property
    def waiting(self) -> int:
        """Verbs that are not yet in a transaction."""
        return len(self._urgent) + len(self._later)

    def submit(self, verb: Callable[..., Any], args: tuple[Any, ...], size: int, later: bool) -> asyncio.Future[Any]:
        """Queue a verb; the future answers after the COMMIT that holds it. `size` is the bytes it will write."""
        loop = asyncio.get_running_loop()
        item = _Item(verb, args, size, loop, loop.create_future())
        with self._ready:
            if self._stopping:
                raise Temporary("the gateway is stopping")
            (self._later if later else self._urgent).append(item)
            self._ready.notify()
        return item.future

    def distrust(self, detail: str) -> None:
        """Somebody met `detail` while reading: where that speaks of damage, nothing is believed before a check."""
        if any(sign in detail for sign in _SIGNS_OF_DAMAGE):
            self._suspect = True

    def _run(self) -> None:
        while True:
            with self._ready:
                while not (self._urgent or self._later or self._stopping):
                    self._ready.wait()
                batch = self._take()
            if not batch:
                return
            self._commit(batch)
            self._answer(batch)

    def _take(self) -> list[_Item]:
        batch: list[_Item] = []
        size = 0
        for waiting in (self._urgent, self._later):
            while waiting and len(batch) < BATCH_ITEMS and (not batch or size + waiting[0].size <= BATCH_BYTES):
                item = waiting.popleft()
                size += item.size
                batch.append(item)
        return batch

    def _commit(self, batch: list[_Item]) -> None:
        error = self._transaction(batch)
        if error is None:
            return
        if len(batch) == 1:
            batch[0].error = self._translate(error)
            return
        for item in batch:
            item.value = None
            failed = self._transaction([item])
            if failed is not None:
                item.error = self._translate(failed)

    def _transaction(self, batch: list[_Item]) -> BaseException | None:
        """Run the verbs in one transaction; None after its COMMIT, else what went wrong, after its ROLLBACK."""
        try:
            self._check()
            connection = self._connected()
            with transaction(connection) as raw:
                before = raw.total_changes
                for item in batch:
                    item.value = item.verb(connection, *item.args)
                changed = raw.total_changes - before
        except Exception as error:  # border: whatever a verb or the disk does, the thread lives and somebody is told
            return error
        self.trouble = None
        metrics.COMMITS.inc()
        metrics.COMMITTED_ITEMS.inc(len(batch))
        if changed and any(item.verb is not heartbeat for item in batch):
            self._on_change()
        return None

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _check(self) -> None:
        """Refuse to work on a database that is damaged, or not known to be whole after an I/O error."""
        if self._corrupt is not None:
            raise self._corrupt
        if not self._suspect:
            return
        if self._connection is not None:
            self._connection.invalidate()
            self._connection = None
        self._engine.dispose()  # a second fsync after a failed one may lie: the connection goes with all it believes
        try:
            quick_check(self._engine, self._path)
        except Corrupt as error:
            self._corrupt = error
            _log.critical("%s", error.sentence)
            if self._on_corrupt is not None:
                self._on_corrupt(error)
            raise
        self._suspect = False

    def _translate(self, error: BaseException) -> BaseException:
        """What the caller is told: its own fault as it is, the disk's as something that passes."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, sqlite3.Error) or isinstance(cause, _VERBS_OWN):
            if not isinstance(error, GatewayError):
                _log.error("a verb failed", exc_info=error)
            return error
        detail = str(cause)
        self.trouble = f"the database cannot be written: {detail}"
        _log.error("%s", self.trouble)
        if "full" in detail:
            return Busy("the disk that holds the database is full")
        self.distrust(detail)
        return Temporary(self.trouble)

    @staticmethod
    def _answer(batch: list[_Item]) -> None:
        loops: dict[asyncio.AbstractEventLoop, list[_Item]] = {}
        for item in batch:
            loops.setdefault(item.loop, []).append(item)
        for loop, items in loops.items():
            try:
                loop.call_soon_threadsafe(_answer_all, items)
            except RuntimeError:  # the loop is closed: nobody waits any more
                _log.debug("%d answers came after their loop had ended", len(items))


def _answer_all(items: list[_Item]) -> None:
    for item in items:
        item.answer()


def heartbeat(connection: Connection) -> None:
    """A verb that changes nothing: its answer proves that the writer can commit (systemd's watchdog)."""
    connection.exec_driver_sql("UPDATE meta SET value = value WHERE key = 'wakes'")
