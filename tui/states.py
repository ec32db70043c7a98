"""One word for each state, the same everywhere, and the colour that repeats it; times as people read them."""

from __future__ import annotations

import datetime as dt

from tui.words import N_, _

WORDS: dict[str, tuple[str, str]] = {  # state: (word, style)
    "received": (N_("WAIT"), "yellow"),
    "queued": (N_("WAIT"), "yellow"),
    "active": (N_("SEND"), "yellow"),
    "deferred": (N_("DEFER"), "yellow"),
    "held": (N_("HELD"), "red"),
    "bounced": (N_("BNC"), "red"),
    "partly_sent": (N_("PART"), "red"),
    "sent": (N_("SENT"), "green"),
    "cancelled": (N_("CANC"), "dim"),
}

_DAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
_MONTHS = (
    *(N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun")),
    *(N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec")),
)


def state_word(state: object) -> str:
    """The word of a state, at most five columns wide."""
    known = WORDS.get(str(state))
    return _(known[0]) if known else str(state or "")[:5].upper()


def state_style(state: object) -> str:
    """The colour that repeats the state."""
    known = WORDS.get(str(state))
    return known[1] if known else ""


def clock() -> dt.datetime:
    """Now, in the time zone of whoever looks."""
    return dt.datetime.now().astimezone()


def moment(text: object) -> dt.datetime | None:
    """A time of the API, in the time zone of whoever looks."""
    if not isinstance(text, str):
        return None
    try:
        return dt.datetime.fromisoformat(text).astimezone()
    except ValueError:
        return None


def short_time(text: object, now: dt.datetime | None = None) -> str:
    """09:41 today, Mon 18:02 in the last six days, 03 Nov in this year, 2025-11-03 before."""
    at = moment(text)
    if at is None:
        return ""
    today = (now or clock()).astimezone()
    if at.date() == today.date():
        return f"{at:%H:%M}"
    if abs((today.date() - at.date()).days) < 7:
        return f"{_(_DAYS[at.weekday()])} {at:%H:%M}"
    if at.year == today.year:
        return f"{at:%d} {_(_MONTHS[at.month - 1])}"
    return f"{at:%Y-%m-%d}"


def full_time(text: object) -> str:
    """Date and time to the second."""
    at = moment(text)
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""
