"""The store: one database, its verbs and its writer.

A verb is a synchronous function `verb(connection, …) -> value` in a module named after its subject. `Store.write` runs
one in the writer thread and answers after the commit; `Store.read` runs one on a read-only connection.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from gateway.errors import Corrupt, Temporary
from gateway.store import database
from gateway.store.changes import Changes
from gateway.store.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")
_AT_START = 0.5  # seconds of looking for damage; after an I/O error, and in `gateway check`, it may take longer


class Store:
    """An open database. Open it before any listener, close it last."""

    def __init__(self, path: Path, on_corrupt: Callable[[Corrupt], None] | None = None) -> None:
        self.path = path
        self._lock = database.Lock(path)
        self._on_corrupt = on_corrupt
        self.changes = Changes()
        self._readers: sa.Engine | None = None
        self._threads = ThreadPoolExecutor(database.READERS, thread_name_prefix="store-reader")
        self._writer: Writer | None = None
        self._engine: sa.Engine | None = None

    def open(self) -> None:
        """Lock, check and migrate the database, then start the writer.

        Refused when another gateway has it, Corrupt when it is damaged or newer than this program.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            self._engine = database.writer_engine(self.path)
            database.migrate(self._engine, self.path)
            database.quick_check(self._engine, self.path, _AT_START)
        except BaseException:
            self._lock.release()
            raise
        self._readers = database.reader_engine(self.path)
        self._writer = Writer(self._engine, self.path, self._on_corrupt, self.changes.tell)
        self._writer.start()

    async def close(self) -> None:
        """Commit what waits, close all connections and give the lock back."""
        if self._writer is not None:
            self._writer.stop()
        self._threads.shutdown()
        if self._readers is not None:
            self._readers.dispose()
        if self._engine is not None:
            self._engine.dispose()
        self._lock.release()

    async def write(self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `verb(connection, *args, **kwargs)` in the writer; its value, after the commit."""
        return await self._submit(verb, args, kwargs, size=0, later=False)

    async def write_content(
        self, size: int, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `write`, for a verb that accepts `size` bytes of new content: what drains the queue goes first."""
        return await self._submit(verb, args, kwargs, size=size, later=True)

    async def _submit(
        self, verb: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], size: int, later: bool
    ) -> T:
        assert self._writer is not None, "the store is not open"
        call = (lambda connection, *given: verb(connection, *given, **kwargs)) if kwargs else verb
        value: T = await self._writer.submit(call, args, size, later)
        return value

    async def read(self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `verb(connection, *args, **kwargs)` on a read-only connection, in one snapshot.

        Temporary when the disk does not answer.
        """
        assert self._readers is not None, "the store is not open"
        return await self._look(self._readers.begin, lambda connection: verb(connection, *args, **kwargs))

    async def read_one(self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `read`, for a verb of one `Statement`, which is a snapshot of its own and needs no transaction."""
        assert self._readers is not None, "the store is not open"
        return await self._look(self._readers.connect, lambda connection: verb(connection, *args, **kwargs))

    async def _look(
        self, enter: Callable[[], AbstractContextManager[Connection]], verb: Callable[[Connection], T]
    ) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._looked, enter, verb)

    def _looked(self, enter: Callable[[], AbstractContextManager[Connection]], verb: Callable[[Connection], T]) -> T:
        try:
            with enter() as connection:
                return verb(connection)
        except (DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if type(cause) not in (sqlite3.OperationalError, sqlite3.DatabaseError):  # the verb's own mistake
                raise
            if self._writer is not None:
                self._writer.distrust(str(cause))
            raise Temporary(f"the database cannot be read: {cause}") from error

    @property
    def trouble(self) -> str | None:
        """Why the last transaction could not be written, None when it could."""
        return None if self._writer is None else self._writer.trouble

    @property
    def waiting(self) -> int:
        """Verbs waiting for the writer."""
        return 0 if self._writer is None else self._writer.waiting
