"""A TOML file taken apart key by key: whatever is wrong becomes one sentence that names file, line and key."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from gateway.errors import ConfigError

Where = tuple[str | int, ...]  # ("source", 0, "match", "networks")

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"'-]+(?:\s*\.\s*[A-Za-z0-9_\"'-]+)*)\s*=")
_SIZE = re.compile(r"(\d+)\s*([KMG]i?B|B)?", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_SYNTAX = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)")


class Origin:
    """The file that tables come from: its name as the user gave it, and its text, to find lines in."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._lines = _lines(text)

    def fail(self, where: Where, sentence: str) -> NoReturn:
        """Raise ConfigError for the key at `where`."""
        line = next((self._lines[where[:end]] for end in range(len(where), 0, -1) if where[:end] in self._lines), None)
        raise ConfigError(f"{self.name}{f':{line}' if line else ''}: {sentence}", dotted(where))


def read(file: Path) -> tuple[Origin, dict[str, Any]]:
    """The file's origin and its tables; ConfigError when it cannot be read or is no TOML."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is not UTF-8 at byte {error.start}.") from error
    try:
        return Origin(str(file), text), tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX.fullmatch(str(error))
        if found is None:
            raise ConfigError(f"{file}: is no TOML: {error}.") from error
        place = f":{found[2]}" if found[2] else ""
        column = f" in column {found[3]}" if found[3] else " at the end"
        raise ConfigError(f"{file}{place}: is no TOML: {found[1][:1].lower()}{found[1][1:]}{column}.") from error


def dotted(where: Where) -> str:
    """A key as it is spoken of: `source.match.networks`."""
    return ".".join(part for part in where if isinstance(part, str))


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that names the known word nearest to `word`, or all of them when none is near."""
    known = list(known)
    near = difflib.get_close_matches(word, known, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."


class Table:
    """One table; its keys are taken by the methods below, each with the type and the bounds it has."""

    def __init__(
        self, origin: Origin, where: Where, values: object, known: Sequence[str], later: Mapping[str, str] | None = None
    ) -> None:
        self.origin = origin
        self.where = where
        if not isinstance(values, dict):
            origin.fail(where, f"{dotted(where)} must be a table, not {_describe(values)}.")
        self.values: dict[str, Any] = values
        for key in values:
            if later and key in later:
                self.fail(key, f"{self.name(key)}: {later[key]}")
            if key not in known:
                place = dotted(where)
                owner = f"is no key of [{place}]" if place else "is no section"
                self.fail(key, f"{key if place else f'[{key}]'} {owner}; {nearest(key, known)}")

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def name(self, key: str) -> str:
        """The key with the table's name before it."""
        return dotted((*self.where, key))

    def fail(self, key: str, sentence: str) -> NoReturn:
        """Raise ConfigError for `key`."""
        self.origin.fail((*self.where, key) if key else self.where, sentence)

    def _take(self, key: str, kind: type | tuple[type, ...], what: str, default: Any) -> Any:
        value = self.values.get(key, default)
        if key in self.values and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            self.fail(key, f"{self.name(key)} must be {what}, not {_describe(value)}.")
        return value

    def text(self, key: str, default: str, *, most: int = 1000) -> str:
        """A text of one line, not empty."""
        value = self._take(key, str, "a text", default)
        if key in self.values and not (value.strip() and value.isprintable() and len(value) <= most):
            self.fail(key, f"{self.name(key)} must be a text of one line, 1 to {most} characters.")
        return str(value)

    def need(self, key: str, why: str = "") -> None:
        """Fail when `key` is not there."""
        if key not in self.values:
            self.fail("", f"{self.name(key)} is missing{why}.")

    def choice(self, key: str, default: str, known: Sequence[str], later: Mapping[str, str] | None = None) -> Any:
        """One of the `known` words; `later` says of other words why not."""
        value = self.text(key, default)
        if later and value in later:
            self.fail(key, f'{self.name(key)} = "{value}": {later[value]}')
        if value not in known:
            self.fail(key, f'{self.name(key)} cannot be "{value}"; {nearest(value, known)}')
        return value

    def whole(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self._take(key, int, "a whole number", default)
        return int(self._bounded(key, value, least, most))

    def number(self, key: str, default: float, least: float, most: float) -> float:
        """A number within bounds."""
        return float(self._bounded(key, self._take(key, (int, float), "a number", default), least, most))

    def _bounded(self, key: str, value: float, least: float, most: float) -> float:
        if not least <= value <= most:
            self.fail(key, f"{self.name(key)} must be from {least} to {most}, not {value}.")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        return bool(self._take(key, bool, "true or false", default))

    def day(self, key: str) -> dt.date:
        """A date such as 2027-12-31, which must be there."""
        value = self._take(key, dt.date, "a date such as 2027-12-31", None)
        if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
            self.fail(key, f"{self.name(key)} must be a date such as 2027-12-31, not {_describe(value)}.")
        return value

    def size(self, key: str, default: int, least: int, most: int) -> int:
        """Bytes: a whole number, or a text such as "50MiB"."""
        value = self._take(key, (int, str), 'a size such as "50MiB"', default)
        if isinstance(value, str):
            found = _SIZE.fullmatch(value.strip())
            if found is None:
                self.fail(key, f'{self.name(key)} must be a size such as "50MiB", not "{value}".')
            value = int(found[1]) * _UNITS[(found[2] or "").lower()]
        if not least <= value <= most:
            self.fail(key, f"{self.name(key)} must be from {show_size(least)} to {show_size(most)}.")
        return int(value)

    def texts(self, key: str, *, most: int = 1000) -> tuple[str, ...]:
        """A text or a list of texts, none of them empty."""
        value = self._take(key, (str, list), "a list of texts", [])
        items = [value] if isinstance(value, str) else value
        for item in items:
            if not isinstance(item, str):
                self.fail(key, f"{self.name(key)} must be a list of texts; {_describe(item)} is none.")
            if not (item.strip() and item.isprintable() and len(item) <= most):
                self.fail(key, f"{self.name(key)} must be a list of texts of one line, 1 to {most} characters each.")
        if key in self.values and not items:
            self.fail(key, f"{self.name(key)} is an empty list.")
        return tuple(items)

    def path(self, key: str, default: Path | None, base: Path) -> Path | None:
        """A file or folder; relative ones start at `base`."""
        if key not in self.values:
            return None if default is None else base / default
        return base / self.text(key, "", most=4000)

    def table(self, key: str, known: Sequence[str], later: Mapping[str, str] | None = None) -> Table:
        """The table under `key`, empty when it is not there."""
        return Table(self.origin, (*self.where, key), self.values.get(key, {}), known, later)

    def tables(self, key: str, known: Sequence[str], later: Mapping[str, str] | None = None) -> list[Table]:
        """The tables listed under `key`."""
        value = self.values.get(key, [])
        if not isinstance(value, list):
            self.fail(key, f"{self.name(key)} must be a list of tables, not {_describe(value)}.")
        return [Table(self.origin, (*self.where, key, at), item, known, later) for at, item in enumerate(value)]


def show_size(size: int) -> str:
    """`50MiB` of 52428800."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{name}"
    return f"{size}B"


def _describe(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'the text "{value}"'
        case int() | float():
            return f"the number {value}"
        case dt.date() | dt.time():
            return "a date or time"
        case list():
            return "a list"
        case _:
            return "a table"


def _lines(text: str) -> dict[Where, int]:
    """The line of each table and key that begins a line; a key inside a value has the line of the value."""
    lines: dict[Where, int] = {}
    table: Where = ()
    counts: dict[Where, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _place(_split(header[2]), counts, is_list=header[1] == "[[")
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            parts = (*table, *_split(key[1]))
            for end in range(len(table) + 1, len(parts) + 1):
                lines.setdefault(parts[:end], number)
    return lines


def _place(names: Where, counts: dict[Where, int], *, is_list: bool) -> Where:
    """Where a header stands: an array of tables has the number of its last entry in it."""
    place: Where = ()
    for end, name in enumerate(names, 1):
        place = (*place, name)
        if is_list and end == len(names):
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place


def _split(key: str) -> Where:
    return tuple(part.strip().strip("\"'") for part in key.split("."))
