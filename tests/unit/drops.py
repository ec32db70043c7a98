"""A drop folder to play with: what the tests of the folder door share."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.config import Source
from gateway.intake.dropfolder import DropFolder
from gateway.intake.waiting import Timing
from gateway.store import Store, schema

PDF = b"%PDF-1.4\nsome page\n%%EOF\n"
QUICK = Timing(stable=0.03, scan=30, poll=0.05, empty=0.1, incomplete=0.4, alone=0.15)
Open = Callable[..., Any]


def opener(store: Store, root: Path) -> Open:
    """Makes a running folder: `async with door() as folder`."""

    @asynccontextmanager
    async def run(source: dict[str, Any] | None = None, **options: Any) -> AsyncIterator[DropFolder]:
        options.setdefault("timing", QUICK)
        folder = DropFolder(Source(name="scan", folder=root, **(source or {})), store, **options)
        await folder.start()
        try:
            yield folder
        finally:
            await folder.stop()

    return run


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 10) -> None:
    """Wait until `condition` holds; a deadline passed is a failure."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < deadline, "the deadline passed"
        await asyncio.sleep(0.01)


def submissions(connection: Connection) -> list[dict[str, Any]]:
    joined = schema.submission.join(schema.content, schema.submission.c.content_id == schema.content.c.id)
    rows = connection.execute(sa.select(schema.submission, schema.content).select_from(joined)).mappings()
    return [dict(row) for row in rows]


async def stored(store: Store) -> list[dict[str, Any]]:
    """All submissions with their content's columns."""
    return await store.read(submissions)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def reason(root: Path, name: str, where: str = ".failed") -> str:
    return (root / where / f"{name}.reason.txt").read_text().splitlines()[0]


def drop(root: Path, name: str, data: bytes = PDF) -> Path:
    """Put a file there as well-behaved programs do: another name first."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = root / f".{os.urandom(4).hex()}.part"
    draft.write_bytes(data)
    draft.rename(path)
    return path
