"""Connections that are kept for the next message, by whom they lead to."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import NamedTuple

from gateway.model import Envelope, Outcome
from gateway.smtp import client
from gateway.smtp.client import Content, Session


class _Idle(NamedTuple):
    since: float  # loop time
    session: Session


class Connections:
    """Idle sessions under a key, newest first; each is closed when nobody used it for `idle` seconds, or it is old.

    At most `most` are kept in all: the one that is idle longest gives way.
    """

    def __init__(self, idle: float = client.MAX_AGE, most: int = 1000) -> None:
        self._idle = idle
        self._most = most
        self._kept: dict[Hashable, list[_Idle]] = {}
        self._count = 0
        self._reaper: asyncio.TimerHandle | None = None
        self._goodbyes: set[asyncio.Task[None]] = set()

    def take(self, key: Hashable) -> Session | None:
        """A session that leads to `key`, None when there is none."""
        kept = self._kept.get(key, [])
        while kept:
            session = kept.pop().session
            self._count -= 1
            if not kept:
                del self._kept[key]
            if session.reusable:
                return session
            self.dismiss(session)
        return None

    async def send(
        self, key: Hashable, session: Session, envelope: Envelope, content: Content, until: float
    ) -> Outcome | None:
        """Deliver over `session`, then keep it under `key`; None when it was kept and turned out to be closed."""
        try:
            outcome = await session.deliver(envelope, content, until)
        except BaseException:  # cancelled in the middle of a transaction: nobody may go on with this connection
            session.abort()
            raise
        self.give_back(key, session)
        return outcome

    def give_back(self, key: Hashable, session: Session) -> None:
        """Keep `session` for the next message, or close it when it takes none."""
        if not session.reusable:
            self.dismiss(session)
            return
        self._kept.setdefault(key, []).append(_Idle(asyncio.get_running_loop().time(), session))
        self._count += 1
        if self._count > self._most:
            self._reap(oldest=True)
        self._reap_later()

    def dismiss(self, session: Session) -> None:
        """Close in the background: a server that is slow to say goodbye must not hold a delivery up."""
        task = asyncio.create_task(session.quit())
        self._goodbyes.add(task)
        task.add_done_callback(self._goodbyes.discard)

    async def close(self) -> None:
        """QUIT on every idle connection."""
        if self._reaper is not None:
            self._reaper.cancel()
        sessions = [each.session for kept in self._kept.values() for each in kept]
        self._kept, self._count = {}, 0
        await asyncio.gather(*(session.quit() for session in sessions), *self._goodbyes)

    def _ends(self, each: _Idle) -> float:
        return min(each.since + self._idle, each.session.expires)

    def _reap_later(self) -> None:
        if self._reaper is None and self._kept:
            soonest = min(self._ends(each) for kept in self._kept.values() for each in kept)
            self._reaper = asyncio.get_running_loop().call_at(soonest, self._reap)

    def _reap(self, oldest: bool = False) -> None:
        """Close the idle connections that nobody may use any more, and the one that is idle longest if asked."""
        if self._reaper is not None:
            self._reaper.cancel()
            self._reaper = None
        now = asyncio.get_running_loop().time()
        first = min((kept[0].since for kept in self._kept.values()), default=now) if oldest else None
        for key, kept in list(self._kept.items()):
            over = [
                each for each in kept if self._ends(each) <= now or not each.session.reusable or each.since == first
            ]
            for each in over:
                kept.remove(each)
                self.dismiss(each.session)
            self._count -= len(over)
            if not kept:
                del self._kept[key]
        self._reap_later()
