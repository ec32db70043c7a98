"""Tells whoever waits that something was committed: a number that rises, and a way to wait for the next."""

from __future__ import annotations

import asyncio
import threading
import time


class Changes:
    """Counts the commits that changed a row. The writer's thread tells; coroutines of any loop wait."""

    def __init__(self) -> None:
        self.boot = f"{time.time_ns() // 1_000_000:x}"  # numbers of another run of the gateway mean nothing
        self.number = 0
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._lock = threading.Lock()
        self._interrupts = 0

    @property
    def last(self) -> str:
        """The id of the last change."""
        return f"{self.boot}-{self.number}"

    @property
    def interrupts(self) -> int:
        """How often those who wait were sent away."""
        return self._interrupts

    def tell(self) -> None:
        """A transaction that changed something is committed. Called in the writer's thread."""
        self.number += 1
        self._wake()

    def interrupt(self) -> None:
        """Send away all who wait: the door through which they came closes."""
        self._interrupts += 1
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            for loop, event in self._waiting:
                loop.call_soon_threadsafe(event.set)

    async def wait(self, seen: str, seconds: float) -> bool:
        """Whether something was committed after the change `seen`; waits at most `seconds` for it."""
        begun = self._interrupts
        mine = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._waiting.add(mine)
        try:
            if self.last == seen and self._interrupts == begun:
                await asyncio.wait_for(mine[1].wait(), seconds)
        except TimeoutError:
            return False
        finally:
            with self._lock:
                self._waiting.discard(mine)
        return self.last != seen
