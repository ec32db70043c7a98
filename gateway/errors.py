"""The one exception tree.

    GatewayError
    ├── Refused              the caller's fault; one sentence, and the field where there is one
    │   ├── NotFound         what was named is not there
    │   ├── Forbidden        this caller may not
    │   └── ConfigError      the configuration file; names file and line or key
    ├── Conflict             somebody saved meanwhile; carries the other's values
    ├── Unreadable           bytes that are no document; carries the cause key of the hold
    ├── Unconvertible        a format that cannot hold this document; carries the term
    ├── Temporary            ours, passes by itself; SMTP 451, HTTP 503
    │   └── Busy             no room just now: memory, queue or disk; SMTP 452 4.3.1
    └── Corrupt              the database cannot be trusted; the daemon stops

What a peer answers is never an exception: it is an `Outcome` (`model`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping


class GatewayError(Exception):
    """Base of all errors of ours; `sentence` is fit to be shown to a person."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Refused(GatewayError):
    """The caller asked for something that cannot be done; `field` names the value at fault, if one is."""

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class NotFound(Refused):
    """What the caller named does not exist."""


class Forbidden(Refused):
    """The caller is known and may not do this."""


class ConfigError(Refused):
    """The configuration file says something that we cannot follow."""


class Conflict(GatewayError):
    """The row changed since the caller read it; `current` holds its values now."""

    def __init__(self, sentence: str, current: Mapping[str, object]) -> None:
        super().__init__(sentence)
        self.current = dict(current)


class Unreadable(GatewayError):
    """The bytes are no document we can read; `cause` completes the cause key `unreadable:encrypted`."""

    def __init__(self, cause: str, sentence: str) -> None:
        super().__init__(sentence)
        self.cause = cause


class Unconvertible(GatewayError):
    """The document cannot be written in the format asked for; `term` names what is missing (`BT-10`)."""

    def __init__(self, term: str, sentence: str) -> None:
        super().__init__(sentence)
        self.term = term


class Temporary(GatewayError):
    """It failed for a reason of ours that passes; the caller should try again."""


class Busy(Temporary):
    """There is no room just now, in memory, in the queue or on the disk."""


class Corrupt(GatewayError):
    """The database is damaged or newer than this program; nothing was written."""


_OBJECT = re.compile(r"^(?:stream )?<[^<>]* object at 0x[0-9a-f]+>:? *")
_CLASS = re.compile(r"\bpikepdf\.\w+(?=\()")  # pikepdf.Name("/Type3")


def in_words(error: Exception) -> str:
    """What an exception of a library says, as `plain` has it; else the exception's name."""
    return plain(str(error)) or type(error).__name__


def plain(said: str) -> str:
    """What a library says of the bytes it was given, without the program's objects that held them; the end of a
    sentence, on one line of at most 200 characters."""
    return _CLASS.sub("", _OBJECT.sub("", " ".join(said.split())))[:200].rstrip(". ")
