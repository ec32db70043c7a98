"""Keys in the order that they were typed, each where it was meant to go.

A thin line brings several keys in one packet, and a paste is one. What a key starts (a form that asks the gateway
first, another screen, a search) is there before the next key is passed on, however the packets were cut.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import Worker, get_current_worker

from tui.thin import Thin

PATIENCE = 3.0  # seconds that keys wait for what another key started; then they are dropped, and that is said
_PAUSE = 0.005  # seconds between two looks at what is still to come
_AT_ONCE = {"ctrl+c", "ctrl+q", "ctrl+l"}  # wait for nothing
_LISTS = {"load", "rows"}  # groups of workers that fill a list and open nothing

_ESCAPE = "\x1b[27u"  # the Escape key alone, as terminals write it that tell it apart (kitty keyboard protocol)
_ALONE = re.compile("\x1b(?=[^[O\x7f])([bf]?)")
_WORDS = {"alt+b": ("ctrl+left", "b"), "alt+f": ("ctrl+right", "f")}  # a step of a word in a field (readline)


class Escapes(XTermParser):
    """The library's parser, but Escape and a key right after it are two keys, not Alt or a letter of a Mac's."""

    _waits = False  # an Escape is in the parser that may become more

    def feed(self, data: str) -> Iterator[Message]:
        """The events that a piece of the terminal's text makes."""
        if self._waits and data and data[0] not in "[O\x7f":
            data = _ESCAPE[1:] + data
        self._waits = data.endswith("\x1b")
        yield from super().feed(_ALONE.sub(_unambiguous, data))

    def tick(self) -> Iterator[Message]:
        """What no more text can become more of."""
        yield from super().tick()
        self._waits = self._waits and self._timeout_time is not None


def _unambiguous(found: re.Match[str]) -> str:
    return f"\x1b[{ord(found[1])};3u" if found[1] else _ESCAPE


def tell_escapes_apart() -> None:
    """Make the library's driver read keys with our parser; it takes none as a parameter."""
    vars(linux_driver)["XTermParser"] = Escapes


class Typed(Thin):
    """An application that passes a key on when the one before it has done its work."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.patience = PATIENCE
        self._typed: deque[events.Event] = deque()
        self._passed: events.Event | None = None
        self._passing: asyncio.Task[None] | None = None
        self._asking: dict[Worker[Any], Screen[Any]] = {}  # who waits for a person's answer, and on which screen
        self._slow: set[Worker[Any]] = set()  # what took longer than keys wait

    async def on_event(self, event: events.Event) -> None:
        """Queue what is typed; everything else goes its way."""
        typed = isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded and event is not self._passed
        if not typed or getattr(event, "key", "") in _AT_ONCE:
            await super().on_event(event)
            return
        self._typed.append(event)
        if self._passing is None or self._passing.done():
            self._passing = asyncio.create_task(self._pass_on())

    async def on_unmount(self) -> None:
        """Nobody types any more."""
        if self._passing is not None:
            self._passing.cancel()

    async def push_screen_wait(self, screen: Any, *, mode: str | None = None) -> Any:
        """As the library's; keys go to the screen while its caller waits."""
        worker = get_current_worker()
        self._asking[worker] = screen
        try:
            return await super().push_screen_wait(screen, mode=mode)
        finally:
            del self._asking[worker]

    async def _pass_on(self) -> None:
        while self._typed:
            for event in self._one(self._typed.popleft()):
                self._passed = event
                self.post_message(event)
                if not await self._settled(time.monotonic() + self.patience):
                    self._slow = set(self._expected())
                    if self._typed:
                        self._typed.clear()
                        self.keys_dropped()

    def _one(self, event: events.Event) -> Iterable[events.Event]:
        key = getattr(event, "key", "")
        if key not in _WORDS:
            return [event]
        step, letter = _WORDS[key]
        if isinstance(self.focused, Input):
            return [events.Key(step, None)]
        return [events.Key("escape", "\x1b"), events.Key(letter, letter)]

    def keys_dropped(self) -> None:
        """Say that what was typed was dropped: it would have gone where nobody meant it to."""

    async def _settled(self, deadline: float) -> bool:
        """Wait until the key is dealt with by everyone on its way, and what it started is there; False: in vain."""
        calm = 0
        while calm < 2:  # once up, and once more for what somebody on the way sent down again
            if time.monotonic() >= deadline:
                return False
            before = (self.screen, self.focused)
            for pump in (self.focused or self.screen).ancestors_with_self:
                await _drained(pump, deadline)
            calm = calm + 1 if before == (self.screen, self.focused) and not self._expects() else 0
            if not calm:
                await asyncio.sleep(_PAUSE)
        return True

    def _expects(self) -> bool:
        """Whether something is still to come that the next key may be meant for."""
        return not self.screen.is_mounted or any(True for _worker in self._expected())

    def _expected(self) -> Iterator[Worker[Any]]:
        for worker in self.workers:
            behind = worker.group == "look" or (worker.group in _LISTS and not self.list_expected())
            answered = self._asking.get(worker) not in self.screen_stack
            if answered and not (behind or worker.is_finished or worker in self._slow):
                yield worker

    def list_expected(self) -> bool:
        """Whether the rows that the next key is meant for are still to come."""
        return False


async def _drained(pump: MessagePump, deadline: float) -> None:
    """Wait until a widget has dealt with what was sent to it."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waits = pump.call_later(_set, done)
    while waits and not done.done() and pump.is_running and time.monotonic() < deadline:
        await asyncio.wait([done], timeout=_PAUSE)


def _set(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
