"""CMS signatures (RFC 5652, PKCS#7): what was signed is taken out; whether the signature is good is not asked.

Files are met in DER, in BER with indefinite lengths (ITU-T X.690 §8.1.3.6) and in base64, with PEM lines or without.
"""

from __future__ import annotations

import binascii
import dataclasses
import re
from typing import Final, NamedTuple

from gateway.errors import Unreadable
from gateway.readers.item import Item

NOTE = "It came signed (CMS); the signature was not checked."

_SIGNED = bytes.fromhex("06092a864886f70d010702")  # id-signedData 1.2.840.113549.1.7.2
_ENVELOPED = bytes.fromhex("06092a864886f70d010703")
_WITHIN = 40  # bytes in which the type of the content stands
_MAX_DEPTH = 20
_TEXT = re.compile(
    rb"\s*(?:-----BEGIN [A-Z0-9 #]{1,30}-----\s*)?(MI[A-Za-z0-9+/=\s]+?)(?:-----END [A-Z0-9 #]{1,30}-----\s*)?"
)
_OCTETS, _OCTETS_IN_PIECES, _EXPLICIT_0 = 0x04, 0x24, 0xA0


class Cms:
    """A signed file, perhaps signed several times."""

    name: Final = "cms"

    def open(self, item: Item) -> list[Item] | None:
        """The signed content under the file's name without `.p7m`."""
        data = None if item.root is not None else _binary(item.data)
        if data is None:
            return None
        if _ENVELOPED in data[:_WITHIN]:
            raise Unreadable("encrypted", "The file is encrypted (CMS) for somebody else.")
        name = re.sub(r"\.(?:p7m|p7s|p7)$", "", item.name, flags=re.IGNORECASE)
        notes = item.notes if NOTE in item.notes else (*item.notes, NOTE)
        return [dataclasses.replace(item, data=_content(data), name=name, path=f"{item.path}{name}:", notes=notes)]


CMS = Cms()


def _binary(data: bytes) -> bytes | None:
    """`data` as BER when they are CMS of a kind that we know."""
    start = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"MI", b"-----BEGIN ")):
        text = _TEXT.fullmatch(data.removeprefix(b"\xef\xbb\xbf"))
        if text is None:
            return None
        try:
            data = binascii.a2b_base64(b"".join(text[1].split()))
        except binascii.Error:
            return None
    known = data[:1] == b"\x30" and (_SIGNED in data[:_WITHIN] or _ENVELOPED in data[:_WITHIN])
    return data if known else None


class _Element(NamedTuple):
    """One BER element of `data`: its tag, where its content starts and stops, and where the next one starts."""

    tag: int
    start: int
    stop: int
    after: int


def _content(data: bytes) -> bytes:
    """SignedData.encapContentInfo.eContent (RFC 5652 §5.1, §5.2)."""
    try:
        outer = _element(data, 0, len(data))
        _, wrapped, *_ = _children(data, outer)  # contentType, content
        (signed, *_) = _children(data, wrapped)
        _, _, encapsulated, *_ = _children(data, signed)  # version, digestAlgorithms, encapContentInfo
        parts = _children(data, encapsulated)
        if len(parts) < 2 or parts[1].tag != _EXPLICIT_0:
            raise Unreadable("not-a-document", "The file is a signature alone (CMS); what it signs came elsewhere.")
        (octets,) = _children(data, parts[1])
        pieces: list[bytes] = []
        _collect(data, octets, pieces, 0)
    except (ValueError, IndexError):
        raise Unreadable(
            "signature-damaged", "The signature around the document (CMS) is damaged or cut off."
        ) from None
    return b"".join(pieces)


def _collect(data: bytes, element: _Element, pieces: list[bytes], depth: int) -> None:
    """The bytes of an OCTET STRING, which BER may cut into pieces."""
    if element.tag == _OCTETS:
        pieces.append(data[element.start : element.stop])
    elif element.tag == _OCTETS_IN_PIECES and depth < _MAX_DEPTH:
        for child in _children(data, element):
            _collect(data, child, pieces, depth + 1)
    else:
        raise ValueError("no OCTET STRING")


def _children(data: bytes, element: _Element) -> list[_Element]:
    found, at = [], element.start
    while at < element.stop:
        found.append(_element(data, at, element.stop))
        at = found[-1].after
    return found


def _element(data: bytes, at: int, end: int, depth: int = 0) -> _Element:
    """The element at `at`, within `end`; ValueError or IndexError when there is none."""
    tag, first, start = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F or depth > _MAX_DEPTH:
        raise ValueError("a tag or a depth that CMS does not have")
    if first == 0x80:
        stop = start
        while data[stop : stop + 2] != b"\0\0":
            stop = _element(data, stop, end, depth + 1).after
        return _Element(tag, start, stop, stop + 2)
    if first > 0x80:
        octets = first & 0x7F
        start, first = start + octets, int.from_bytes(data[start : start + octets], "big")
    if start + first > end:
        raise ValueError("cut off")
    return _Element(tag, start, start + first, start + first)
