"""Opening the SQLite database: pragmas, the single-instance lock, migrations, check and backup.

SQLite before 3.51.3 can corrupt a WAL when two connections write at once (sqlite.org/wal.html#the_wal_reset_bug), so
there is exactly one read-write connection in one process; every other connection is opened read-only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool, StaticPool

from gateway.errors import ConfigError, Corrupt, Refused, Temporary

SCHEMA = "0002"  # the newest migration; gateway/store/migrations/versions/

WRITER_PRAGMAS: dict[str, int | str] = {
    "page_size": 16384,  # this and auto_vacuum take effect only before the first table
    "auto_vacuum": 2,  # INCREMENTAL
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: a commit is on the disk
    "journal_size_limit": 64 << 20,
    "busy_timeout": 5000,
    "foreign_keys": 1,
    "trusted_schema": 0,
    "cache_size": -8000,
}

READERS = 4  # connections that only read, each used by one thread at a time
READER_PRAGMAS: dict[str, int | str] = {"query_only": 1, "trusted_schema": 0, "busy_timeout": 5000, "cache_size": -2000}


def database_path(url: str, base: Path) -> Path:
    """The file that `[gateway] database` names; relative paths start at `base`. ConfigError when it names no SQLite."""
    scheme, _, rest = url.partition(":")
    if scheme != "sqlite" or not rest:
        raise ConfigError(
            f"[gateway] database = {url!r}: only sqlite:PATH is understood, such as sqlite:var/gateway.db", "database"
        )
    return base / rest.removeprefix("///" if rest.startswith("////") else "")


class Lock:
    """Holds `PATH.lock`, so that only one gateway at a time has the database open for writing."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock; Refused, naming the holder, when another process has it."""
        try:
            file = open(self._path, "a+")  # noqa: SIM115  held as long as the process lives
        except OSError as error:
            raise Refused(f"cannot open {self._path}: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise Refused(
                f"another gateway (process {holder}) has {self._path.stem} open; stop it first, "
                f"or give this one another [gateway] database"
            ) from error
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _connector(path: Path, readonly: bool) -> Callable[[], sqlite3.Connection]:
    mode = "ro" if readonly else "rwc"

    def connect() -> sqlite3.Connection:
        if not readonly:
            try:
                _make(path)
            except OSError as error:
                raise Refused(f"cannot open {path}: {error.strerror}") from error
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
        )
        for name, value in (READER_PRAGMAS if readonly else WRITER_PRAGMAS).items():
            connection.execute(f"PRAGMA {name}={value}")
        return connection

    return connect


def _make(path: Path) -> None:
    """Make the file when it is not there, for its owner only: customers' documents are in it."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def writer_engine(path: Path) -> Engine:
    """The engine of the one read-write connection; its transactions begin IMMEDIATE, where the writer has not begun
    one already."""
    engine = sa.create_engine("sqlite://", creator=_connector(path, readonly=False), poolclass=StaticPool)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if not driver(connection).in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def driver(connection: Connection) -> sqlite3.Connection:
    """SQLite's own connection below SQLAlchemy's."""
    return cast(sqlite3.Connection, connection.connection.driver_connection)


@contextlib.contextmanager
def transaction(connection: Connection) -> Iterator[sqlite3.Connection]:
    """One transaction of the writer's, committed at the end of the block or rolled back: as `connection.begin()`,
    which SQLAlchemy is spared until a verb speaks its language. Most only run a `Statement`."""
    raw = driver(connection)
    raw.execute("BEGIN IMMEDIATE")
    try:
        yield raw
        if connection.in_transaction():
            connection.commit()
        else:
            raw.commit()
    except BaseException:
        if connection.in_transaction():
            connection.rollback()
        elif raw.in_transaction:
            raw.rollback()
        raise


def reader_engine(path: Path) -> Engine:
    """The engine of the read-only connections; each transaction sees one snapshot."""
    engine = sa.create_engine(
        "sqlite://", creator=_connector(path, readonly=True), poolclass=QueuePool, pool_size=READERS, max_overflow=0
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def schema_of(engine: Engine, path: Path | None = None) -> str | None:
    """The schema that the database has, None when it is new; Corrupt when it is damaged or newer than this program."""
    try:
        with engine.connect() as connection:
            version = _version(connection)
    except DatabaseError as error:
        raise Corrupt(_damaged(path, str(error.orig))) from error
    if version is not None and version > SCHEMA:
        raise Corrupt(
            f"{path} has schema {version}, this program knows {SCHEMA}: start the newer program that wrote it, "
            f"or restore a backup made before the upgrade"
        )
    return version


def migrate(engine: Engine, path: Path | None = None, keep_copy: bool = True) -> None:
    """Bring the schema to `SCHEMA` in one transaction, after a copy beside the database when it holds data.

    Corrupt when the database is damaged or was written by a newer program.
    """
    version = schema_of(engine, path)
    if version == SCHEMA:
        return
    if version is not None and keep_copy and path is not None:
        _copy(path, path.with_name(f"{path.name}.before-{SCHEMA}"))
    from gateway.store.migrations import upgrade

    with engine.begin() as connection:
        upgrade(connection)


def _version(connection: Connection) -> str | None:
    """The schema's number, or None for a new database."""
    tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").all()
    if not tables:
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if row is None else str(row[0])


def _damaged(path: Path | None, detail: str) -> str:
    return (
        f"{path} is damaged ({detail}); nothing was changed. Move it away together with its -wal and -shm files, "
        f"put the newest copy made by 'gateway backup' in its place and start again"
    )


_OPERATIONS = 200  # SQLite's own, between two looks at the clock; each may wait for a cold disk


def quick_check(engine: Engine, path: Path, seconds: float = 2.0) -> None:
    """Look for damage for at most `seconds`, so that a large database delays nobody for long.

    Corrupt, saying how to go on, when SQLite finds some; Temporary when the disk does not answer.
    """
    deadline = time.monotonic() + seconds
    try:
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.set_progress_handler(lambda: int(time.monotonic() > deadline), _OPERATIONS)
            try:
                found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check(1)")]
            finally:
                raw.set_progress_handler(None, 0)
    except DatabaseError as error:
        detail = str(error.orig)
        if detail == "interrupted":
            return
        if "disk I/O error" in detail or "unable to open" in detail or "full" in detail:
            raise Temporary(f"the disk of {path} does not answer: {detail}") from error
        raise Corrupt(_damaged(path, detail)) from error
    if found != ["ok"]:
        raise Corrupt(_damaged(path, found[0]))


def check_pragmas(engine: Engine) -> list[str]:
    """One sentence per pragma whose value, read back from the connection, is not the one we rely on."""
    wrong = []
    with engine.connect() as connection:
        for name, wanted in WRITER_PRAGMAS.items():
            value: Any = connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            if value != wanted:
                wrong.append(f"PRAGMA {name} is {value}, {wanted} is needed")
    return wrong


def backup(path: Path, target: Path) -> int:
    """Copy the live database to the new file `target`, consistent and fsynced; returns its size in bytes.

    Refused when `target` exists or cannot be written.
    """
    if target.exists():
        raise Refused(f"{target} exists; a backup never overwrites a file")
    partial = target.with_name(target.name + ".part")
    try:
        _copy(path, partial)
        os.link(partial, target)
        partial.unlink()
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        detail = error.strerror if isinstance(error, OSError) else error
        raise Refused(f"cannot write the backup {target}: {detail}") from error
    return target.stat().st_size


def _copy(path: Path, target: Path) -> None:
    source = _connector(path, readonly=True)()
    try:
        _make(target)
        copy = sqlite3.connect(target)
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=delete")
        finally:
            copy.close()
    finally:
        source.close()
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_for_test(path: Path) -> Engine:
    """A fresh, migrated database at `path` with the pragmas of the daemon."""
    engine = writer_engine(path)
    migrate(engine, path)
    return engine
