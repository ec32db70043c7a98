"""How much the mail exchangers of one site take at a time, learned from what they answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway import retry
from gateway.model import Outcome, Result

FIRST_SLOTS = 2


class Site:
    """Those who share their exchangers share its slots: many domains are served by the same few hosts."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.slots = min(FIRST_SLOTS, most)
        self.running = 0
        self._waiting = 0
        self._freed = asyncio.Event()

    @property
    def free(self) -> int:
        """How many more deliveries would start at once."""
        return max(0, self.slots - self.running - self._waiting)

    @property
    def idle(self) -> bool:
        """Whether nobody is here."""
        return not self.running and not self._waiting

    def learn(self, outcome: Outcome) -> None:
        """One more at a time after a success, half as many when it asks for less."""
        if outcome.result is not Result.TEMPORARY:
            self.slots = min(self.slots + 1, self.most)
        elif retry.slows(outcome):
            self.slots = max(1, self.slots // 2)

    @asynccontextmanager
    async def slot(self, until: float) -> AsyncIterator[None]:
        """Wait for a slot, and have it; TimeoutError when none comes free before loop time `until`."""
        self._waiting += 1
        try:
            async with asyncio.timeout_at(until):
                while self.running >= self.slots:
                    self._freed.clear()
                    await self._freed.wait()
        finally:
            self._waiting -= 1
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._freed.set()
