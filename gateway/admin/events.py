"""The stream of what changes, for screens: server-sent events (WHATWG HTML §9.2) whose ids count commits."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncGenerator, Mapping

from gateway.admin.running import Running, refuse_unknown, whole_number

_PAUSE = 1.0  # seconds between two events; what happens in between is one event
_ALIVE = 15.0  # seconds of silence after which a comment shows that the gateway still is there


async def stream(running: Running, query: Mapping[str, str], last: str | None) -> AsyncGenerator[bytes, None]:
    """One event for each moment after which something was committed, beginning after the event `last`.

    `after` in the query does the same as `last`; `limit` ends the stream after so many events. An id of another run of
    the gateway gives an event at once, so that nobody misses what happened in between.
    """
    refuse_unknown(query, ("after", "limit"))
    changes = running.store.changes
    left = whole_number(query["limit"], "limit") if query.get("limit") else None
    seen, begun = query.get("after") or last or changes.last, changes.interrupts
    yield b": changes of the gateway\n\n"
    while left != 0 and changes.interrupts == begun:
        if not await changes.wait(seen, _ALIVE):
            yield b":\n\n"
            continue
        seen = changes.last
        yield f"id: {seen}\nevent: change\ndata: {{}}\n\n".encode()
        left = None if left is None else left - 1
        if left != 0 and changes.interrupts == begun:
            await sleep(_PAUSE)
