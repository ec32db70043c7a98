"""A mail that was sent in pieces, as scanners do (message/partial, RFC 2046 §5.2.2): told apart, and put together."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.mime.values import Partial
from gateway.mimeheader import Headers

MEDIA_TYPE = "message/partial"
MAX_PIECES = 200
MAX_HEADER = 64 << 10  # bytes of one header block

_END = re.compile(rb"\r?\n\r?\n|\A\r?\n")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_FOLDED = re.compile(rb"\r?\n(?![ \t])")
# The fields that the whole mail has from the header inside its first piece; all others are those outside.
_INSIDE = re.compile(rb"content-|(?:subject|message-id|encrypted|mime-version)\Z", re.IGNORECASE)


def of(headers: Headers) -> Partial | None:
    """Which piece of which mail `headers` are of; None when it is none, or does not say which."""
    media_type, parameters = headers.parameters("content-type")
    number, total = (_number(parameters.get(name, "")) for name in ("number", "total"))
    key = parameters.get("id", "")[:500]
    if media_type != MEDIA_TYPE or not key or not number:
        return None
    return Partial(key=key, number=number, total=total or None)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def join(pieces: Sequence[bytes]) -> bytes:
    """The whole mail of all its pieces in their order."""
    outer, first = _split(pieces[0])
    inner, body = _split(first)
    block = [field for field in _fields(outer) if not _is_inside(field)]
    block += [field for field in _fields(inner) if _is_inside(field)]
    bodies = [body, *(_split(piece)[1] for piece in pieces[1:])]
    return b"".join(field + b"\r\n" for field in block) + b"\r\n" + b"".join(bodies)


def body_of(piece: bytes) -> bytes:
    """What the mail `piece` is a piece of."""
    return _split(piece)[1]


def _split(mail: bytes) -> tuple[bytes, bytes]:
    """Header block and body."""
    blank = _END.search(mail[: MAX_HEADER + 4])
    return (mail[: blank.start()], mail[blank.end() :]) if blank else (b"", mail)


def _fields(block: bytes) -> list[bytes]:
    return [field for field in _FOLDED.split(block) if _FIELD.match(field)]


def _is_inside(field: bytes) -> bool:
    match = _FIELD.match(field)
    return match is not None and _INSIDE.match(match[1]) is not None
