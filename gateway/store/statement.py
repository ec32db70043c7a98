"""SQL as text for the verbs that every message passes, run on SQLite's own connection.

SQLAlchemy adds 20 µs to the 6 of a statement, a third of what a message cost in all. Values go in and come out as the
columns hold them: microseconds, JSON text, 0 and 1.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.engine import Connection

from gateway.store.database import driver

Values = Mapping[str, Any]


class Statement:
    """One statement with `:name` parameters, part of the transaction that its connection is in."""

    __slots__ = ("sql",)

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def run(self, connection: Connection, values: Values) -> sqlite3.Cursor:
        """Run it once; sqlite3.Error as SQLite gives it."""
        return driver(connection).execute(self.sql, values)

    def run_many(self, connection: Connection, values: Iterable[Values]) -> None:
        """Run it for each of `values`."""
        driver(connection).executemany(self.sql, values)

    def value(self, connection: Connection, values: Values) -> Any:
        """The first column of the first row, None when there is no row."""
        cursor = self.run(connection, values)
        row = cursor.fetchone()
        cursor.close()  # a statement that is not at its end would stand in the way of the commit
        return None if row is None else row[0]
