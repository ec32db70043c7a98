"""The slow loop that removes what has ended and is old, as `[retention]` says; `store.retention` knows what and how.

It works in steps of at most some megabytes with a pause after each, and only while nobody waits for the writer. It
begins some minutes after the start, and not at all while the clock cannot be believed: a clock that is years ahead
would make everything old.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
from sqlalchemy.exc import DBAPIError

from gateway import maillog, metrics
from gateway.config import Config, Retention
from gateway.errors import GatewayError
from gateway.intake.done import Sweep
from gateway.model import UTC
from gateway.store import Store, audit, retention
from gateway.store.retention import Kind, Removed

DAY = dt.timedelta(days=1)
_STEP = 20  # submissions
_FILES = 200
_LEDGER = 500  # rows
_SPACE = 4 << 20  # bytes given back to the file system in one step
_GAP = dt.timedelta(days=30)  # without any sign of life: a clock that far on is looked at for a day first
_JUMP = dt.timedelta(days=1)
_log = logging.getLogger("gateway.retention")


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast, in seconds."""

    first: float = 600.0  # after the start
    every: float = 3600.0  # between two runs
    pause: float = 0.05  # after a step, and before looking again whether the writer is free
    steady: float = 86_400.0  # for which a clock that jumped must have been steady


def _now() -> dt.datetime:
    return dt.datetime.now(UTC)


def _boottime() -> float:
    """Seconds since the machine started, sleep included; no clock setting changes it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Remover:
    """Runs from `start` to `stop`. `now` is the time, `clock` seconds that nobody sets."""

    def __init__(
        self,
        store: Store,
        config: Config,
        *,
        pace: Pace | None = None,
        now: Callable[[], dt.datetime] = _now,
        clock: Callable[[], float] = _boottime,
    ) -> None:
        self._store = store
        self._keep: Retention = config.retention
        self._folders = {source.name: source.folder for source in config.sources if source.folder is not None}
        self._pace = pace or Pace()
        self._now = now
        self._clock = clock
        self._anchor: tuple[dt.datetime, float] | None = None  # the time at some reading of the clock
        self._not_before = 0.0
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.problem: str | None = None  # why nothing is removed just now
        self.ran_at: dt.datetime | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        self._task = asyncio.create_task(self._run(), name="retention")

    async def stop(self) -> None:
        """End after the step in hand."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        await self._sleep(self._pace.first)
        while not self._stopping.is_set():
            try:
                await self.run_once()
            except (GatewayError, DBAPIError, OSError) as error:
                self._say(str(error))
            await self._sleep(self._pace.every)

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def run_once(self) -> None:
        """Remove all that is due, then say what it was."""
        doubt = await self._doubt()
        self._say(doubt)
        if doubt is not None:
            return
        now, keep = self._now(), self._keep
        kinds: tuple[tuple[Kind, int], ...] = (("content", keep.content_days), ("rows", keep.rows_days))
        for kind, days in kinds:
            if days:
                await self._walk(kind, now - days * DAY, now)
        if keep.rows_days:
            before = now - keep.rows_days * DAY
            await self._repeat(lambda: self._write(retention.prune_ledger, before, _LEDGER))
        if keep.done_days:
            for source, folder in self._folders.items():
                await self._sweep(source, folder, now - keep.done_days * DAY)
        async for _ in self._steps():
            if not await self._store.write(retention.shrink, _SPACE):
                break
        await self._settle(now)

    # --- steps ---

    async def _steps(self) -> AsyncIterator[None]:
        """Comes round while the writer is free, after a pause each time; ends when the gateway stops."""
        while not self._stopping.is_set():
            if self._store.waiting == 0:
                yield
            await self._sleep(self._pace.pause)

    async def _walk(self, kind: Kind, before: dt.datetime, now: dt.datetime) -> None:
        await self._repeat(lambda: self._write(retention.step, kind, before, now, _STEP))
        last = 0

        async def late() -> Removed:
            nonlocal last
            removed = await self._write(retention.step_stragglers, kind, last, before, now, _STEP)
            last = removed.last
            return removed

        await self._repeat(late)

    async def _repeat(self, step: Callable[[], Awaitable[Removed]]) -> None:
        async for _ in self._steps():
            removed = await step()
            if not removed.more:
                return

    async def _write(self, verb: Callable[..., Removed], *args: object) -> Removed:
        # Behind all who deliver or accept; its size gives it a transaction almost of its own.
        return await self._store.write_content(retention.BYTES, verb, *args)

    async def _sweep(self, source: str, folder: Path, before: dt.datetime) -> None:
        """Delete old files from one `.done/`; a folder that is away does not keep others from it."""
        kept = await self._store.read(retention.unfinished_files, source)
        try:
            sweep = await asyncio.to_thread(Sweep, folder, before, kept)
        except OSError as error:
            _log.warning("%s: nothing is removed from .done/: %s", folder, error.strerror)
            return
        try:
            async for _ in self._steps():
                files, more = await asyncio.to_thread(sweep.step, _FILES)
                await self._store.write(retention.count_files, files)
                if not more:
                    return
        finally:
            await asyncio.to_thread(sweep.close)

    async def _settle(self, now: dt.datetime) -> None:
        who = audit.Caller(uid=os.getuid(), user="gateway", reason="[retention] of the configuration")
        limits = msgspec.structs.asdict(self._keep)
        removed = await self._store.write(retention.settle, who, limits, now)
        self.ran_at = now
        if removed:
            metrics.REMOVED_CONTENTS.inc(removed.contents)
            metrics.REMOVED_BYTES.inc(removed.bytes)
            metrics.REMOVED_DOCUMENTS.inc(removed.documents)
            metrics.REMOVED_FILES.inc(removed.files)
            maillog.removed(removed.contents, removed.bytes, removed.documents, removed.files)

    # --- the clock ---

    async def _doubt(self) -> str | None:
        """Why the time cannot be believed just now."""
        now, reading = self._now(), self._clock()
        if self._anchor is None:
            seen = await self._store.read(retention.last_seen)
            if seen is not None and now - seen > _GAP:
                self._not_before = reading + self._pace.steady
        elif abs((now - self._anchor[0]).total_seconds() - (reading - self._anchor[1])) > _JUMP.total_seconds():
            self._not_before = reading + self._pace.steady
        self._anchor = (now, reading)
        if reading < self._not_before:
            return f"the clock may be wrong: it says {now:%Y-%m-%d}, far from the time before; waiting for a day"
        return None

    def _say(self, problem: str | None) -> None:
        if problem is not None and problem != self.problem:
            _log.warning("nothing is removed: %s", problem)
        self.problem = problem
