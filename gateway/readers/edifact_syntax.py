"""EDIFACT interchanges taken apart (ISO 9735, syntax versions 1 to 4): segments, elements, components, characters.

Only bytes and characters are looked at here, and what the service segments count; no message is understood.
"""

from __future__ import annotations

import dataclasses
import re

from gateway.errors import Unreadable

MAX_SIZE = 20_000_000  # bytes
MAX_SEGMENTS = 500_000

_DEFAULTS = b":+.? '"  # component, element, decimal mark, release, reserved, terminator: ISO 9735 §7.1
_BLANKS = b" \t\r\n"
_TAG = re.compile(r"[A-Z]{3}")
# S001 0001: the repertoire, and what Python calls its encoding. UNOA and UNOB are subsets of ASCII; who writes more
# into them means Latin-1. UNOW and UNOY are ISO 10646 in UTF-8.
_CHARSETS = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "iso-8859-1", "UNOD": "iso-8859-2", "UNOE": "iso-8859-5",
    "UNOF": "iso-8859-7", "UNOG": "iso-8859-3", "UNOH": "iso-8859-4", "UNOI": "iso-8859-6", "UNOJ": "iso-8859-8",
    "UNOK": "iso-8859-9", "UNOL": "iso-8859-15", "UNOW": "utf-8", "UNOX": "utf-8", "UNOY": "utf-8",
}  # fmt: skip
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # in no repertoire, and XML 1.0 has none of them
_WHEN_WRONG = "cp1252"  # what people write whatever they declare


@dataclasses.dataclass(frozen=True)
class Segment:
    """A tag and its elements, each of one or more components; empty ones are empty texts."""

    tag: str
    elements: tuple[tuple[str, ...], ...] = ()
    data: bytes | None = None  # the object that follows an UNO segment (syntax 4)

    def at(self, element: int, component: int = 0) -> str | None:
        """The trimmed text of a component, counted from 0; None when there is none."""
        try:
            return self.elements[element][component].strip() or None
        except IndexError:
            return None

    def all(self, element: int, first: int = 0, last: int | None = None) -> list[str]:
        """The texts of an element's components from `first` on, empty ones left out."""
        parts = self.elements[element][first:last] if element < len(self.elements) else ()
        return [text for part in parts if (text := part.strip())]


@dataclasses.dataclass(frozen=True)
class Interchange:
    """The segments of a file, what UNA and UNB say of them, and what was odd."""

    segments: tuple[Segment, ...]
    decimal_mark: str
    notes: tuple[str, ...]


def is_edifact(data: bytes) -> bool:
    """Whether the first characters are those of a service string advice or an interchange header."""
    start = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip(_BLANKS)
    return start[:3] in (b"UNA", b"UNB") and len(start) > 3 and not start[3:4].isalnum()


def parse(data: bytes) -> Interchange:
    """The interchange in `data`; Unreadable with the cause too-large or malformed-edifact."""
    if len(data) > MAX_SIZE:
        raise Unreadable("too-large", f"The interchange has {len(data)} bytes; {MAX_SIZE} are the most that we read.")
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(_BLANKS)
    advice = _DEFAULTS
    if data.startswith(b"UNA"):
        advice, data = data[3:9], data[9:]
    if len(advice) < len(_DEFAULTS) or len(set(advice[:2] + advice[5:])) < 3:
        raise _malformed("its UNA segment is cut off or names one character twice")
    raw = _Cutter(data, advice).segments()
    if not raw or raw[0][0][0][0] != b"UNB":
        raise _malformed("it does not start with UNB")
    charset = _text(raw[0][0][1][0], "ascii") if len(raw[0][0]) > 1 else ""
    encoding, notes = _encoding(charset, [part for elements, _ in raw for element in elements for part in element])
    segments = tuple(_segment(elements, encoding, held) for elements, held in raw)
    return Interchange(segments, chr(advice[2]) if advice[2:3] in b",." else ".", notes)


def message_of(interchange: Interchange) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
    """The segments of the only message, UNH to UNT, and sentences about references that do not match.

    Unreadable when an end is missing or counts otherwise (UNT, UNZ): something was lost on the way.
    """
    segments = interchange.segments
    starts = [place for place, segment in enumerate(segments) if segment.tag == "UNH"]
    ends = [place for place, segment in enumerate(segments) if segment.tag == "UNT"]
    if len(starts) != 1 or len(ends) != 1 or ends[0] < starts[0]:
        raise _malformed(f"it has {len(starts)} message headers (UNH) and {len(ends)} ends (UNT)")
    message = segments[starts[0] : ends[0] + 1]
    end = next((segment for segment in segments[ends[0] :] if segment.tag == "UNZ"), None)
    if end is None:
        raise _malformed("its end (UNZ) is missing")
    odd = [_compared(message[-1], len(message), message[0].at(0)), _compared(end, 1, segments[0].at(4))]
    return message, tuple(sentence for sentence in odd if sentence)


def _compared(end: Segment, count: int, reference: str | None) -> str | None:
    """A sentence when `end` names another reference than what began; Unreadable when it counts otherwise."""
    stated = end.at(0) or ""
    if stated.lstrip("0") != str(count):
        raise _malformed(f"{end.tag} counts {stated or 'nothing'}, and there are {count}")
    named = end.at(1)
    return None if named == reference else f"{end.tag} ends {named}, and what began is {reference}."


class _Cutter:
    """Cuts bytes at separators; the release character takes the meaning from the one after it."""

    def __init__(self, data: bytes, advice: bytes) -> None:
        self._data = data
        component, element, _, release, _, terminator = (advice[at : at + 1] for at in range(6))
        self._component, self._element, self._terminator = component, element, terminator
        self._release = release if release.strip() else b""
        stops = component + element + terminator + self._release
        self._stop = re.compile(b"[" + re.escape(stops) + b"]")

    def segments(self) -> list[tuple[list[list[bytes]], bytes | None]]:
        """Every segment as elements of components, the tag the first; with the object that follows an UNO."""
        found: list[tuple[list[list[bytes]], bytes | None]] = []
        at, end = 0, len(self._data)
        while at < end:
            while at < end and self._data[at] in _BLANKS:
                at += 1
            if at >= end:
                break
            elements, at = self._one(at)
            held = None
            if elements[0] == [b"UNO"] and elements[-1][0].isdigit():
                size = int(elements[-1][0])
                held, at = self._data[at : at + size], at + size
            found.append((elements, held))
            if len(found) > MAX_SEGMENTS:
                raise Unreadable("too-large", f"The interchange has more than {MAX_SEGMENTS} segments.")
        return found

    def _one(self, at: int) -> tuple[list[list[bytes]], int]:
        """The segment that starts at `at`, and where the next one does."""
        elements: list[list[bytes]] = [[]]
        text = bytearray()
        while True:
            match = self._stop.search(self._data, at)
            if match is None:
                raise _malformed("its last segment is cut off")
            text += self._data[at : match.start()]
            at, mark = match.end(), match[0]
            if mark == self._release:
                text += self._data[at : at + 1]
                at += 1
                continue
            elements[-1].append(bytes(text))
            text.clear()
            if mark == self._element:
                elements.append([])
            elif mark == self._terminator:
                return elements, at


def _segment(elements: list[list[bytes]], encoding: str, held: bytes | None) -> Segment:
    tag = _text(elements[0][0], "ascii")
    if not _TAG.fullmatch(tag):
        raise _malformed(f"{tag[:20]!r} is no segment")
    texts = tuple(tuple(_text(part, encoding) for part in element) for element in elements[1:])
    return Segment(tag, texts, held)


def _encoding(charset: str, parts: list[bytes]) -> tuple[str, tuple[str, ...]]:
    """The encoding that `charset` names, or the one that serves instead, with a sentence."""
    encoding = _CHARSETS.get(charset, "ascii")
    try:
        for part in parts:
            part.decode(encoding)
    except UnicodeDecodeError:
        sentence = f"The characters are not those of {charset or 'the interchange'}; they are read as Windows-1252."
        return _WHEN_WRONG, (sentence,)
    return encoding, ()


def _text(part: bytes, encoding: str) -> str:
    return _CONTROLS.sub(" ", part.decode(encoding, "replace"))


def _malformed(what: str) -> Unreadable:
    return Unreadable("malformed-edifact", f"The EDIFACT interchange is broken: {what}.")
