"""Writing an EDIFACT interchange (ISO 9735, syntax version 3) in UNOC: segments, release characters, counts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from gateway.errors import Unconvertible
from gateway.formats.fitting import Fitting

_ESCAPED = str.maketrans({character: f"?{character}" for character in "?+:'"})
# What people write that Latin-1 (ISO 8859-1) has otherwise: the Unicode character, and what stands for it.
_LIKE = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2013": "-",
        "\u2014": "-", "\u2212": "-", "\u2011": "-", "\u2010": "-", "\u2022": "*", "\u2026": "...", "\u20ac": "EUR",
        "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u00ad": "", "\ufb01": "fi", "\u0152": "OE", "\u0153": "oe",
    }
)  # fmt: skip
_NOT_THERE = "?"
Element = str | tuple[str | None, ...] | None


class Interchange:
    """The segments of an interchange with one message, in the order they are put."""

    def __init__(self) -> None:
        self._segments: list[str] = []

    def put(self, tag: str, *elements: Element) -> None:
        """A segment; what is empty at the end of an element or of the segment is left out."""
        parts = [_element(element) for element in elements]
        while parts and not parts[-1]:
            parts.pop()
        self._segments.append("+".join([tag, *parts]))

    def number(self) -> int:
        """How many segments there are."""
        return len(self._segments)

    def bytes(self) -> bytes:
        """The interchange with its service string advice, a segment a line."""
        lines = ["UNA:+.? '", *(f"{segment}'" for segment in self._segments)]
        try:
            return "\r\n".join(lines).encode("iso-8859-1") + b"\r\n"
        except UnicodeEncodeError as error:  # in a code, which nothing may stand for
            wrong = error.object[error.start : error.end]
            raise Unconvertible(
                "UNOC", f"EDIFACT holds the characters of Latin-1, and a code has “{wrong}”."
            ) from error


def _element(element: Element) -> str:
    components = (element,) if isinstance(element, str) or element is None else element
    escaped = [(component or "").translate(_ESCAPED) for component in components]
    while escaped and not escaped[-1]:
        escaped.pop()
    return ":".join(escaped)


class Latin(Fitting):
    """Texts in the characters of UNOC: Latin-1 without controls."""

    def text(self, term: str, value: str | None, limit: int) -> str | None:
        """On one line, in Latin-1; what is cut off or has no character there is named."""
        return super().text(term, self.latin(term, value), limit)

    def code(self, term: str, value: str | None, limit: int) -> str | None:
        """Left out and named when it does not fit or is not in Latin-1."""
        if value and _latin(value) != value:
            self.lost.append(f"{self._name} holds the characters of Latin-1; {term} {value} was left out.")
            return None
        return super().code(term, value, limit)

    def needed(self, term: str, value: str | None, limit: int) -> str:
        """Unconvertible when it is missing, too long, or not in Latin-1."""
        joined = " ".join((value or "").split()).translate(_LIKE)
        if _latin(joined) != joined:
            raise Unconvertible(term, f"{self._name} holds the characters of Latin-1; {term} is “{joined[:80]}”.")
        return super().needed(term, joined, limit)

    def latin(self, term: str, value: str | None) -> str | None:
        """`value` on one line in Latin-1, what has no character there named."""
        for character in dict.fromkeys(each for each in value or "" if ord(each) in _LIKE and not each.isspace()):
            like = _LIKE[ord(character)]
            self.lost.append(f"{self._name} holds the characters of Latin-1; “{character}” is written “{like}”.")
        joined = " ".join((value or "").translate(_LIKE).split())
        written = _latin(joined)
        if written != joined:
            self.lost.append(f"{self._name} holds the characters of Latin-1; {term} is “{joined[:200]}”.")
        return written or None


def _latin(text: str) -> str:
    return "".join(each if each.isprintable() and ord(each) < 256 else _NOT_THERE for each in text)


def date_text(date: dt.date) -> str:
    """CCYYMMDD (UNTDID 2379 code 102)."""
    return f"{date.year:04}{date.month:02}{date.day:02}"


def number_text(name: str, term: str, value: Decimal, digits: int) -> str:
    """`value` as written; ISO 9735 counts neither the sign nor the decimal mark. Zeros that do not fit are left out."""
    text = format(value, "f")
    while len(text.strip("-").replace(".", "")) > digits and "." in text and text[-1] in "0.":
        text = text[:-1]
    if len(text.strip("-").replace(".", "")) > digits:
        raise Unconvertible(term, f"{name} holds {digits} digits of {term}; it is {value:f}.")
    return text.rstrip(".")
