"""A thread of one's own for what blocks: a mount that hangs must stop nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class OwnThread:
    """Call it as `asyncio.to_thread`; one call runs at a time."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, name)

    async def __call__(self, call: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """Run `call(*args, **more)` in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(call, *args, **more))

    def close(self) -> None:
        """End the thread after the call in hand."""
        self._pool.shutdown()
