"""Plain ASCII, where a terminal has nothing else (`--ascii`, or a locale without UTF-8)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_PLAIN = str.maketrans("…·–→←▸◂‹›×█░⏎—“”\u00a0│─╭╮╰╯▏", '~.-><><<>x#.|-"" |-++++|')


_LETTERS = str.maketrans({"ß": "s", "ø": "o", "Ø": "O", "æ": "e", "Æ": "E", "œ": "e", "ł": "l", "Ł": "L", "€": "E"})


def plain(text: str) -> str:
    """`text` in ASCII and as wide as before: letters without their accents, `?` for what has no letter.

    On a terminal of eight bits the bytes of UTF-8 are other letters, and some of them commands (C1, ECMA-48).
    """
    if text.isascii():
        return text
    text = text.translate(_PLAIN).translate(_LETTERS)
    return "".join(each if each.isascii() else _base(each) for each in text)


def _base(char: str) -> str:
    base = unicodedata.normalize("NFKD", char)[0]
    width = cell_len(char)
    return base if base.isascii() and width == 1 else "?" * width


def only_ascii(environ: Mapping[str, str]) -> bool:
    """Whether the locale says that the terminal has no UTF-8 (POSIX: LC_ALL, LC_CTYPE, LANG; nothing said is C).

    Python itself puts C.UTF-8 into LC_CTYPE where the locale is C (PEP 538): that says nothing of the terminal.
    """
    said = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "C"
    if said == "C.UTF-8" and not environ.get("LC_ALL"):
        said = environ.get("LANG") or "C"
    return "utf" not in said.lower()


class PlainAscii(LineFilter):
    """Puts ASCII in the place of everything else, cell by cell."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments of one line."""
        return [Segment(plain(text), style, control) for text, style, control in segments]
