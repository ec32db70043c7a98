"""What each kind of business setting may hold: from a command line's text or JSON to the value that is stored.

`formats` are the names of the choosable formats. Refused, field = the key, when a value does not fit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from gateway import address
from gateway.errors import Refused

WAYS = ("directory", "document")
ON_LOSS = ("hold", "fallback_pdf")  # what becomes of a document that the format cannot hold

Kind = Literal["switch", "count", "order", "prefix", "name", "address", "format", "loss", "language", "subject", "body"]


def _text(key: str, value: object, limit: int, lines: bool = False) -> str:
    if not isinstance(value, str):
        raise Refused(f"{key} is a text.", key)
    text = unicodedata.normalize("NFC", value.strip())
    allowed = "\n\t" if lines else ""
    if any(unicodedata.category(char)[0] == "C" and char not in allowed for char in text.replace("\r\n", "\n")):
        raise Refused(f"{key} may not contain line ends, control or invisible characters.", key)
    if len(text) > limit:
        raise Refused(f"{key} may have {limit} characters, this has {len(text)}.", key)
    return text.replace("\r\n", "\n")


def _switch(key: str, value: object, formats: Sequence[str]) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise Refused(f"{key} is true or false, not {value!r}.", key)


def _count(key: str, value: object, formats: Sequence[str]) -> int:
    count = int(value) if isinstance(value, str) and re.fullmatch(r" *[0-9]{1,5} *", value) else value
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 1000:
        raise Refused(f"{key} is a number from 1 to 1000, not {value!r}.", key)
    return count


def _order(key: str, value: object, formats: Sequence[str]) -> str:
    words = [word.strip().lower() for word in value.split(",")] if isinstance(value, str) else value
    if not isinstance(words, list) or sorted(map(str, words)) != sorted(WAYS):
        raise Refused(f"{key} is directory,document or document,directory, not {value!r}.", key)
    return ",".join(words)


_RESERVED = ("postmaster", "abuse", "hostmaster", "webmaster", "mailer-daemon", "root")  # RFC 2142 §4, §5


def check_prefix(key: str, value: object, formats: Sequence[str] = ()) -> str:
    """The sender's prefix (S25, R50): a local part of `[a-z0-9._+-]{1,64}`, no domain, no reserved name."""
    if not isinstance(value, str):
        raise Refused(f"{key} is a text.", key)
    if "@" in value:
        raise Refused(f"{key} is only the part before the @: the domain is the operator's.", key)
    if not re.fullmatch(r"[a-z0-9._+-]{1,64}", value):
        raise Refused(f"{key} may have 1 to 64 of the characters a-z 0-9 . _ + - and nothing else, not {value!r}.", key)
    if value.startswith(".") or value.endswith(".") or ".." in value:
        raise Refused(f"{key} may not start or end with a dot, nor have two in a row (RFC 5321 §4.1.2).", key)
    # Bounces come back to `b+…` (VERP), so a From under that name would collect them.
    if value in _RESERVED or value.startswith("bounce") or value == "b" or value.startswith("b+"):
        raise Refused(f"{key} may not be {value!r}: that name is reserved.", key)
    return value


def _name(key: str, value: object, formats: Sequence[str]) -> str:
    text = _text(key, value, 100)
    if set(text) & set("@<>"):
        # A name that looks like an address is how a sender poses as somebody else's domain (R50).
        raise Refused(f"{key} may not contain @, < or >.", key)
    return text


def _address(key: str, value: object, formats: Sequence[str]) -> str:
    if not isinstance(value, str):
        raise Refused(f"{key} is a text.", key)
    try:
        return address.parse(value.strip(" "))
    except Refused as error:
        raise Refused(f"{key}: {error.sentence}", key) from error


def _format(key: str, value: object, formats: Sequence[str]) -> str:
    name = value.strip().lower() if isinstance(value, str) else value
    if name not in formats:
        raise Refused(f"{key} is one of {', '.join(formats)}, not {value!r}.", key)
    return str(name)


def _loss(key: str, value: object, formats: Sequence[str]) -> str:
    name = value.strip().lower() if isinstance(value, str) else value
    if name not in ON_LOSS:
        raise Refused(f"{key} is hold or fallback_pdf, not {value!r}.", key)
    return str(name)


def check_language(key: str, value: object, formats: Sequence[str] = ()) -> str:
    """A language code of two letters (ISO 639-1), in lower case; Refused, field `key`, when it is none."""
    text = value.strip().lower() if isinstance(value, str) else ""
    if not re.fullmatch("[a-z]{2}", text):
        raise Refused(f"{key} is a language code of two letters such as fr, not {value!r}.", key)
    return text


CHECKS: Mapping[Kind, Callable[[str, object, Sequence[str]], object]] = {
    "switch": _switch,
    "count": _count,
    "order": _order,
    "prefix": check_prefix,
    "name": _name,
    "address": _address,
    "format": _format,
    "loss": _loss,
    "language": check_language,
    "subject": lambda key, value, _: _text(key, value, 400),
    "body": lambda key, value, _: _text(key, value, 20_000, lines=True),
}
