"""Whole lists, page by page: however long a list is, the gateway's loop and memory only ever see one page of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

import msgspec
from sqlalchemy.engine import Connection

from gateway.admin.running import Running
from gateway.model import parse_id

PAGE = 500  # rows; about 10 ms of the loop's time

Pages = AsyncGenerator[list[dict[str, Any]], None]
F = TypeVar("F", bound=msgspec.Struct)


async def pages(
    running: Running, verb: Callable[[Connection, F], list[dict[str, Any]]], wanted: F, cursor: str
) -> Pages:
    """The rows that `verb(connection, wanted)` lists, at least one page, at most `wanted.limit` rows together.

    `cursor` is the filter's field for the id of the last row seen. Each page is a snapshot of its own.
    """
    left: int | None = getattr(wanted, "limit", None)
    while True:
        size = PAGE if left is None else min(left, PAGE)
        rows = await running.store.read(verb, msgspec.structs.replace(wanted, limit=size))
        yield rows
        left = None if left is None else left - len(rows)
        if len(rows) < size or left == 0:
            return
        seen: dict[str, Any] = {cursor: parse_id(rows[-1]["id"])}
        if hasattr(wanted, "offset"):
            seen["offset"] = 0
        wanted = msgspec.structs.replace(wanted, **seen)
