"""What the admin functions need of the running gateway, and how the words of a request become values."""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from gateway.config import Config
from gateway.errors import Refused
from gateway.intake.trial import Facts
from gateway.model import UTC, parse_id
from gateway.smtp.quirks import Quirk
from gateway.smtp.resolver import Resolver
from gateway.store import Store
from gateway.workers import Pool

T = TypeVar("T", bound=msgspec.Struct)

DEFAULT_COMPANY = "default"


def _no_ports() -> list[dict[str, Any]]:
    return []


def _nothing() -> None:
    pass


def _there_is_room() -> str | None:
    return None


def _no_quirks(_: str) -> list[Quirk]:
    return []


def _no_folders() -> dict[str, Facts]:
    return {}


def _now() -> dt.datetime:
    return dt.datetime.now(UTC)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Running:
    """The running gateway as the daemon wires it."""

    store: Store
    config: Config
    listeners: Callable[[], list[dict[str, Any]]] = _no_ports  # one dict per open listener: address, tls
    quirks: Callable[[str], list[Quirk]] = _no_quirks  # of a source's clients
    not_removing: Callable[[], str | None] = _there_is_room  # why retention removes nothing just now
    folders: Callable[[], Mapping[str, Facts]] = _no_folders  # of the sources with a drop folder, by name
    nudge: Callable[[], None] = _nothing  # something became due: the pipeline and the queue look now
    room: Callable[[], str | None] = _there_is_room  # why nothing can be taken in just now
    now: Callable[[], dt.datetime] = _now
    started_at: dt.datetime = dataclasses.field(default_factory=_now)
    pool: Pool | None = None  # where files that people hand in are read
    resolver: Resolver | None = None  # who is asked about the DNS
    previews: dict[int, Any] = dataclasses.field(default_factory=dict)  # of lists, by id; `imports` keeps them few


def ident(text: object, field: str = "id") -> int:
    """The id that `text` shows; Refused when it is none."""
    try:
        return parse_id(text if isinstance(text, str) else "")
    except ValueError as error:
        raise Refused(f"{error}.", field) from error


def whole_number(text: object, field: str) -> int:
    """A whole number of at least 1, from JSON or text; Refused when it is none."""
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 19:
        text = int(text)
    if isinstance(text, bool) or not isinstance(text, int) or text < 1:
        raise Refused(f"{field} is a whole number from 1 up, not {text!r}.", field)
    return text


def version_of(text: object) -> int | None:
    """The version a caller saw: None when none was given, 0 for "not stored"."""
    if text in (None, ""):
        return None
    return 0 if text in (0, "0") else whole_number(text, "version")


def moment(text: str, field: str) -> dt.datetime:
    """A time in ISO 8601; without an offset it is UTC, a date is its midnight."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(f"{field} is a time such as 2026-01-31 or 2026-01-31T12:00:00Z, not {text!r}.", field) from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


_READ: Mapping[str, Callable[[str, str], Any]] = {
    "limit": whole_number,
    "offset": whole_number,
    "before": lambda text, field: ident(text, field),
    "after": lambda text, field: ident(text, field),
    "submission": lambda text, field: ident(text, field),
    "since": moment,
    "until": moment,
}


def filter_of(kind: type[T], query: Mapping[str, str]) -> T:
    """The filter `kind` with the values of a query; an empty value is none. Refused for a name that it lacks."""
    known = kind.__struct_fields__
    for name in query:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.5)
            hint = f"the nearest is {near[0]}" if near else "there are " + ", ".join(known)
            raise Refused(f"A list cannot be narrowed by {name!r}; {hint}.", name)
    given = {name: text for name, text in query.items() if text}
    return kind(**{name: _READ[name](text, name) if name in _READ else text for name, text in given.items()})


def refuse_unknown_state(state: str | None, known: type[StrEnum]) -> None:
    """Refused for a state that nothing is ever in: a list narrowed by it would be empty without saying why."""
    for each in [] if state is None else state.split(","):
        if each not in set(known):
            raise Refused(f"There is no state {each!r}; there are {', '.join(known)}.", "state")


def refuse_unknown(values: Mapping[str, object], known: tuple[str, ...]) -> None:
    """Refused for a name in `values` that this request does not know."""
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.5)
            hint = f"; the nearest is {near[0]}" if near else ""
            raise Refused(f"This request has no field {name!r}{hint}.", name)


def text_of(values: Mapping[str, object], name: str, default: str | None = None) -> str:
    """The text `name` of a request; Refused when it is missing and there is no default, or is no text."""
    value = values.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or not value.strip():
        raise Refused(f"{name} is missing." if value in (None, "") else f"{name} is a text.", name)
    return value.strip()


def reason_of(values: Mapping[str, object]) -> str | None:
    """The reason a person gave, at most 500 characters, on one line."""
    if not values.get("reason"):
        return None
    return " ".join(text_of(values, "reason").split())[:500]
