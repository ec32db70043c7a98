"""Quirks outlive the gateway: what was counted is written now and then, all at once; no mail waits for it."""

from __future__ import annotations

import asyncio
import logging
from itertools import groupby

from gateway.errors import GatewayError
from gateway.smtp.quirks import Quirk, Quirks
from gateway.store import Store, quirks
from gateway.store.quirks import Seen

SECONDS = 5.0  # what a crash may lose of the counts

_log = logging.getLogger("gateway.intake")


class QuirkBook:
    """Reads the counts at the start, and writes what is new every few seconds and at the stop."""

    def __init__(self, store: Store, counts: Quirks) -> None:
        self._store, self._counts = store, counts
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Reads, then writes now and then."""
        seen = sorted(await self._store.read(quirks.all_seen), key=lambda each: each.source)
        for source, those in groupby(seen, key=lambda each: each.source):
            self._counts.load(source, [Quirk(name=e.name, count=e.count, last_seen=e.last_seen) for e in those])
        self._loop = asyncio.create_task(self._run(), name="quirks")

    async def stop(self) -> None:
        """Writes what is new, and nothing after."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        await self.write()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            await self.write()

    async def write(self) -> None:
        """Writes what is new; what cannot be written waits for the next time."""
        taken = self._counts.take_new()
        if not taken:
            return
        seen = [Seen(source=s, name=q.name, count=q.count, last_seen=q.last_seen) for s, q in taken]
        try:
            await self._store.write(quirks.add, seen)
        except GatewayError as error:
            self._counts.give_back(taken)
            _log.warning("what clients did is not written down: %s", error.sentence)
