"""What stands in the search line: free text, and words such as `state:held` or `since:7d` that narrow a list."""

from __future__ import annotations

import datetime as dt
import re

from tui import states
from tui.words import N_, _

_WORDS = {  # what is written before the colon, in English: the filter of the API
    N_("state"): "state",
    N_("since"): "since",
    N_("until"): "until",
    N_("customer"): "customer_number",
    N_("address"): "address",
    N_("number"): "number",
    N_("source"): "source",
    N_("cause"): "cause",
    N_("type"): "type",
    N_("user"): "user",
    N_("object"): "object",
    N_("hop"): "next_hop",
}
_AGO = re.compile(r"(\d{1,4})([hdj])")  # hours or days; French days are jours


def parse(text: str, allowed: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """The free text, and the filters that words name; a word of something that is no filter here is text."""
    known = {name.casefold(): filter_ for word, filter_ in _WORDS.items() for name in (word, _(word), filter_)}
    free: list[str] = []
    found: dict[str, str] = {}
    for word in text.split():
        name, colon, value = word.partition(":")
        filter_ = known.get(name.casefold(), "")
        if not colon or filter_ not in allowed:
            free.append(word)
        elif value:
            found[filter_] = _value(filter_, value, "next_hop" in allowed)
    return " ".join(free), found


def _value(filter_: str, value: str, of_deliveries: bool) -> str:
    if filter_ == "state":
        return _state(value, of_deliveries)
    if filter_ in ("since", "until"):
        return _time(value)
    return value


_NONE = {True: ("received", "partly_sent"), False: ("active", "deferred")}  # states that no delivery, no document has


def _state(value: str, of_deliveries: bool) -> str:
    """A state by its own name, or all that the screens have the word for: WAIT is received and queued."""
    wanted = value.casefold()
    named = [
        state
        for state, (word, _style) in states.WORDS.items()
        if wanted in (_(word).casefold(), word.casefold()) and state not in _NONE[of_deliveries]
    ]
    return ",".join(named) or wanted


def _time(value: str) -> str:
    """A date stays; 7d, 12h and today are counted back from now."""
    now = states.clock()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if value.casefold() in ("today", _("today").casefold()):
        return midnight.isoformat()
    ago = _AGO.fullmatch(value.casefold())
    if ago is None:
        return value
    return (now - dt.timedelta(**{"hours" if ago[2] == "h" else "days": int(ago[1])})).isoformat()


def hint(allowed: tuple[str, ...]) -> str:
    """The words that narrow this list, as an example of each."""
    values = {"state": _("HELD").lower(), "since": "7d", "until": "2026-01-31", "address": "a@b.example"}
    named = [f"{_(word)}:{values.get(filter_, '…')}" for word, filter_ in _WORDS.items() if filter_ in allowed]
    return " ".join(named)
