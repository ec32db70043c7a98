"""Which keys there are, and whether a test pressed all of a screen's."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

from textual.binding import Binding
from textual.css.query import NoMatches
from textual.pilot import Pilot
from textual.screen import Screen

import tui
from tests.tui.conftest import line, until
from tui.dialogs import Ask
from tui.field import Field
from tui.pages import PAGES
from tui.rows import RowsView

SIZE = (80, 24)


def kinds() -> set[type]:
    """Every class of the screens that binds keys itself."""
    modules = [importlib.import_module(info.name) for info in pkgutil.walk_packages(tui.__path__, "tui.")]
    found = {each for module in modules for each in vars(module).values() if isinstance(each, type)}
    return {each for each in found if each.__module__.startswith("tui.") and each.__dict__.get("BINDINGS")}


def bindings(kind: type) -> list[Binding]:
    """The bindings that a class adds itself."""
    return [each for each in kind.__dict__["BINDINGS"] if isinstance(each, Binding)]


def keys(kind: type) -> set[str]:
    """The keys that a class binds itself."""
    return {key for binding in bindings(kind) for key in binding.key.split(",")}


class Keys:
    """The keys of one class that are still to be pressed."""

    def __init__(self, pilot: Pilot[Any], kind: type) -> None:
        self.pilot, self.kind, self.left = pilot, kind, keys(kind)

    async def press(self, key: str, condition: Callable[[], object]) -> None:
        """Press a key and wait for what it does, which must not be so already."""
        assert key in keys(self.kind), key
        with contextlib.suppress(NoMatches):  # what is asked for is not there yet
            assert not condition(), f"{key}: what it does is there before it is pressed"
        await self.pilot.press(key)
        await until(self.pilot, condition)
        self.left.discard(key)

    def none_left(self) -> None:
        """Fail when a key of the class was not pressed."""
        assert self.left == set(), self.left


def on(pilot: Pilot[Any], kind: type[Screen[Any]]) -> Callable[[], bool]:
    return lambda: type(pilot.app.screen) is kind


def says(pilot: Pilot[Any], text: str, name: str = "message") -> Callable[[], bool]:
    return lambda: text in line(pilot, name)


async def away(pilot: Pilot[Any], kind: type[Screen[Any]]) -> None:
    """Close what a key opened."""
    await pilot.press("escape")
    await until(pilot, on(pilot, kind))


async def page(pilot: Pilot[Any], number: int, rows: int | None = None) -> None:
    """A page, when its rows are there."""
    await pilot.press(str(number))
    await until(pilot, on(pilot, PAGES[number - 1]))
    await until(pilot, lambda: rows is None or pilot.app.screen.query_one(RowsView).total == rows)
    await until(pilot, lambda: rows is None or pilot.app.screen.query_one(RowsView).row is not None)


async def answer(pilot: Pilot[Any], text: str) -> None:
    """Write into the line that asks, and hand it in."""
    await until(pilot, on(pilot, Ask))
    asked = pilot.app.screen
    asked.query_one(Field).value = text
    await pilot.press("enter")
    await until(pilot, lambda: pilot.app.screen is not asked)
