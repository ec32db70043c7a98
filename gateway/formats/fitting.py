"""Values in fields of a bounded length: a text that is too long is cut and named, an identifier is never cut."""

from __future__ import annotations

import re

from gateway.errors import Unconvertible
from gateway.formats import csvcolumns
from gateway.formats.terms import NAMES

_TERM = re.compile(r"B[TG]-\d+(?=$|[ ,])")
_TITLES = {column.term: column.title for column in (*csvcolumns.DOCUMENT, *csvcolumns.LINE)} | {
    "BT-121": "VAT exemption reason code",
    "BG-10": "Payee",
    "BG-11": "Seller tax representative",
    "BG-13": "Delivery information",
    "BG-14": "Invoicing period",
    "BG-24": "Supporting documents",
    "BG-26": "Invoice line period",
}


def named(term: str) -> str:
    """What a sentence begins with a term of EN 16931 (`BT-14 …`) says instead: its name with the term behind it.

    Everything else stays as it is.
    """
    found = _TERM.match(term)
    title = _TITLES.get(found[0]) if found else None
    if not found or not title:
        return term
    first, _, rest = title.partition(" ")
    shown = " ".join(filter(None, (first if first.isupper() else first.lower(), rest)))
    return f"the {shown} ({found[0]}){term[found.end() :]}"


class Fitting:
    """What a format with bounded fields takes of the values, and the sentences about what it does not."""

    def __init__(self, name: str, lost: list[str]) -> None:
        self._name = name
        self.lost = lost

    def text(self, term: str, value: str | None, limit: int) -> str | None:
        """`value` on one line, cut after `limit` characters; what is cut off is named."""
        joined = " ".join((value or "").split())
        if len(joined) > limit:
            self.lost.append(
                f"{self._name} holds {limit} characters of {named(term)}; cut off: “{joined[limit:].strip()}”."
            )
        return joined[:limit].strip() or None

    def code(self, term: str, value: str | None, limit: int) -> str | None:
        """`value`, left out and named when it is longer than `limit`: half an identifier is another one."""
        if value and len(value) > limit:
            self.lost.append(f"{self._name} holds {limit} characters of {named(term)}; {value} was left out.")
            return None
        return value

    def coded(self, term: str, value: str | None, pattern: re.Pattern[str]) -> str | None:
        """`value`, left out and named when it is not written as a code is."""
        if value and not pattern.fullmatch(value):
            self.lost.append(f"{self._name} holds codes there ({term}); “{value}” was left out.")
            return None
        return value

    def needed(self, term: str, value: str | None, limit: int) -> str:
        """`value`, without which nothing can be written: Unconvertible when it is missing or too long."""
        if not value:
            raise Unconvertible(term, f"{self._name} needs the {NAMES[term].words} ({term}); there is none.")
        if len(value) > limit:
            words = f"the {NAMES[term].words} ({term}) is {value}"
            raise Unconvertible(term, f"{self._name} holds {limit} characters there; {words}.")
        return value

    def leave(self, term: str, value: object) -> None:
        """Name a `value` that has no place; nothing where there is none."""
        if value not in (None, "", ()):
            self.lost.append(f"{self._name} has no place for {named(term)}; {value} was left out.")


def wrapped(text: str | None, limit: int) -> list[str]:
    """`text` in pieces of at most `limit` characters, cut at blanks where there are any; joined by blanks they are
    the words of `text` again."""
    pieces: list[str] = []
    for word in (text or "").split():
        if pieces and len(pieces[-1]) + 1 + len(word) <= limit:
            pieces[-1] += f" {word}"
        else:
            pieces += [word[at : at + limit] for at in range(0, len(word), limit)]
    return pieces
