"""Files in a `winmail.dat`, in which Outlook hides attachments from everybody else ([MS-OXTNEF]).

A stream of attributes: level, id, length, bytes, checksum. Of the attachments among them the name and the bytes are
read; the rest is the mail's own formatting.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gateway import mimeheader

_SIGNATURE = b"\x78\x9f\x3e\x22"
_ATTACHMENT = 2  # level
_RENDERING, _TITLE, _DATA, _PROPERTIES = 0x69002, 0x18010, 0x6800F, 0x69005  # MS-OXTNEF §2.1.3.1.1
_LONG_NAME, _NAME, _OBJECT = 0x3707, 0x3704, 0x3701  # PidTagAttachLongFilename, -Filename, -DataObject
_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")  # IID_IMessage: the object is a mail
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_TEXT, _UNICODE, _AS_OBJECT = 0x1E, 0x1F, 0x0D
_VARIABLE = (_AS_OBJECT, _TEXT, _UNICODE, 0x102)
_MANY = 0x1000  # a property of several values
MAX_FILES = 200
MAX_PROPERTIES = 2000


class Hidden(NamedTuple):
    """An attachment. `is_mail` when it is a mail or an object of Outlook, whose bytes are of no use to others."""

    name: str
    data: bytes
    is_mail: bool


class Damaged(ValueError):
    """The stream ends too early or makes no sense."""


def is_tnef(data: bytes) -> bool:
    """Whether it is such a stream."""
    return data.startswith(_SIGNATURE)


def files(data: bytes, charsets: Sequence[str]) -> list[Hidden]:
    """The attachments in the stream `data`; Damaged when it cannot be read to its end."""
    found: list[dict[int, bytes]] = []
    for level, attribute, value in _attributes(data):
        if level != _ATTACHMENT:
            continue
        if attribute == _RENDERING or not found:
            found.append({})
        found[-1].setdefault(attribute, value)
        if len(found) > MAX_FILES:
            raise Damaged(f"more than {MAX_FILES} attachments")
    return [_hidden(number, each, charsets) for number, each in enumerate(found, 1)]


def _attributes(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 6  # the signature and a key
    while at < len(data):
        if at + 9 > len(data):
            raise Damaged("the stream ends inside an attribute")
        level, attribute, size = struct.unpack_from("<BII", data, at)
        start, end = at + 9, at + 9 + size
        if end + 2 > len(data) or level not in (1, _ATTACHMENT):
            raise Damaged("the stream ends inside an attribute")
        yield level, attribute, data[start:end]
        at = end + 2


def _hidden(number: int, attributes: dict[int, bytes], charsets: Sequence[str]) -> Hidden:
    properties = _properties(attributes.get(_PROPERTIES, b""))
    title = mimeheader.decode(attributes.get(_TITLE, b"").rstrip(b"\0"), charsets)
    named = _text(properties.get(_LONG_NAME), charsets) or _text(properties.get(_NAME), charsets) or title
    data = attributes.get(_DATA, b"")
    kind, value = properties.get(_OBJECT, (0, b""))
    if not data:  # its bytes stand among the properties, those of an object behind the name of its interface
        data = value[16:] if kind == _AS_OBJECT else value
    is_mail = kind == _AS_OBJECT and value.startswith(_MESSAGE)
    return Hidden(mimeheader.file_name(named) or f"attachment-{number}", b"" if is_mail else data, is_mail)


def _text(found: tuple[int, bytes] | None, charsets: Sequence[str]) -> str:
    if found is None or found[0] not in (_TEXT, _UNICODE):
        return ""
    kind, value = found
    text = value.decode("utf-16-le", "replace") if kind == _UNICODE else mimeheader.decode(value, charsets)
    return text.rstrip("\0")


def _properties(data: bytes) -> dict[int, tuple[int, bytes]]:
    """The properties by their id: type and (last) value."""
    found: dict[int, tuple[int, bytes]] = {}
    try:
        (count,) = struct.unpack_from("<I", data)
        at = 4
        for _ in range(min(count, MAX_PROPERTIES)):
            kind, ident = struct.unpack_from("<HH", data, at)
            at = _skip_name(data, at + 4) if ident >= 0x8000 else at + 4
            value, at = _value(data, at, kind)
            found.setdefault(ident, (kind, value))
    except (struct.error, Damaged):
        return found  # the title is a name too
    return found


def _skip_name(data: bytes, at: int) -> int:
    """Past the name of a named property: a GUID, and a number or a text."""
    (kind,) = struct.unpack_from("<I", data, at + 16)
    (size,) = struct.unpack_from("<I", data, at + 20)
    return at + 24 + (_padded(size) if kind else 0)


def _value(data: bytes, at: int, kind: int) -> tuple[bytes, int]:
    """The (last) value of a property and where the next one begins."""
    base = kind & ~_MANY
    count, value = 1, b""
    if kind & _MANY or base in _VARIABLE:
        (count,) = struct.unpack_from("<I", data, at)
        at += 4
    if base not in _FIXED and base not in _VARIABLE:
        raise Damaged(f"unknown type {kind:#x}")
    for _ in range(min(count, MAX_PROPERTIES)):
        size = _FIXED.get(base, 0)
        if base in _VARIABLE:
            (size,) = struct.unpack_from("<I", data, at)
            at += 4
        if at + size > len(data):
            raise Damaged("a property is longer than all of them")
        value = data[at : at + size]
        at += _padded(size)
    return value, at


def _padded(size: int) -> int:
    return size + -size % 4
