"""Columns that hold more than SQL does: times as microseconds, values as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Text, func, select
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from gateway.model import ID_EPOCH_MS

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def to_micros(moment: dt.datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> dt.datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return _EPOCH + dt.timedelta(microseconds=micros)


def first_id(moment: dt.datetime) -> int:
    """The smallest id that can have been made at `moment`: those of before are smaller (`model.new_id`)."""
    return max(0, int(moment.timestamp() * 1000) - ID_EPOCH_MS) << 22


class Moment(TypeDecorator[dt.datetime]):
    """An aware datetime, stored as microseconds UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else from_micros(value)


class Json(TypeDecorator[Any]):
    """Any value that msgspec can write, stored as JSON text; comes back as dicts, lists and scalars."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else msgspec.json.decode(value)


def to_json(value: Any) -> str:
    """`value` as a `Json` column holds it."""
    return msgspec.json.encode(value).decode()


def is_among(column: ColumnElement[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """`column` is one of the texts. They go in as one JSON array (SQLite's json_each): SQLAlchemy spends longer on 500
    parameters than SQLite on finding the rows."""
    given = func.json_each(to_json(list(values))).table_valued("value")
    return column.in_(select(given.c.value))
