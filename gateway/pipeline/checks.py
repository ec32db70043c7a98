"""What was written, against the rules that are installed, in a process that the first need starts."""

from __future__ import annotations

import msgspec

from gateway import metrics
from gateway.errors import Unconvertible
from gateway.formats import checking
from gateway.workers import Died, Pool

CHECK_SECONDS = 20.0  # wall time of the process for one document


class Checks:
    """The verdicts. `pool` is not started yet; None where nothing can be checked."""

    def __init__(self, pool: Pool | None) -> None:
        self._pool = pool
        self._is_started = False

    async def verdict(self, target: str, data: bytes) -> str:
        """What the rules say of `data`, written as `target`, for the record; Unconvertible with the first broken rule.

        A check that does not come back is no reason to keep an invoice: it is recorded as not made.
        """
        found = checking.unchecked(target)
        if self._pool is not None and found.unchecked:
            if not self._is_started:
                self._pool.start()
                self._is_started = True
            try:
                with metrics.STAGE_SECONDS.labels("check").time():
                    said, _ = await self._pool.run("gateway.jobs:check", target, blob=data, timeout=CHECK_SECONDS)
                found = msgspec.convert(said, checking.Check)
            except Died:
                return found.sentence()
        if found.broken:
            rule, text = found.broken[0]
            raise Unconvertible(rule, f"What was written as {target} breaks {rule}: {text}")
        return found.sentence()
