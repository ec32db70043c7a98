"""Which characters our fonts can show, read from the fonts themselves (OpenType `cmap`).

PDF/A forbids the glyph for "missing" (ISO 19005-3 §6.2.11.8), so characters outside are replaced before rendering.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from functools import cache

from gateway import resources

FONTS = ("fonts/Inter.ttf", "fonts/NotoSans.ttf")
REPLACEMENT = "□"
BREAK = "\u200b"  # where the template may break a long word; it never reaches the page as a character


def _table(font: bytes, tag: bytes) -> int:
    """Offset of a table in an OpenType file."""
    (count,) = struct.unpack_from(">H", font, 4)
    for index in range(count):
        name, _, offset, _ = struct.unpack_from(">4sLLL", font, 12 + 16 * index)
        if name == tag:
            return int(offset)
    raise ValueError(f"font without a table {tag!r}")


def code_points(font: bytes) -> frozenset[int]:
    """The code points an OpenType font maps in its Unicode BMP and full `cmap` subtables (formats 4 and 12)."""
    start = _table(font, b"cmap")
    found: set[int] = set()
    (count,) = struct.unpack_from(">H", font, start + 2)
    for index in range(count):
        platform, encoding, offset = struct.unpack_from(">HHL", font, start + 4 + 8 * index)
        if (platform, encoding) in {(3, 1), (3, 10), (0, 3), (0, 4)}:
            subtable = start + offset
            (kind,) = struct.unpack_from(">H", font, subtable)
            found |= _segments(font, subtable) if kind == 4 else _groups(font, subtable) if kind == 12 else set()
    return frozenset(found)


def _segments(font: bytes, at: int) -> set[int]:
    """`cmap` format 4: segments of the BMP."""
    (double,) = struct.unpack_from(">H", font, at + 6)
    count = double // 2
    ends = struct.unpack_from(f">{count}H", font, at + 14)
    starts = struct.unpack_from(f">{count}H", font, at + 16 + double)
    deltas = struct.unpack_from(f">{count}H", font, at + 16 + 2 * double)
    offsets_at = at + 16 + 3 * double
    offsets = struct.unpack_from(f">{count}H", font, offsets_at)
    found: set[int] = set()
    for index, (first, last, delta, offset) in enumerate(zip(starts, ends, deltas, offsets, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if offset:
                (glyph,) = struct.unpack_from(">H", font, offsets_at + 2 * index + offset + 2 * (code - first))
            if (glyph or not offset) and (glyph + delta) & 0xFFFF:
                found.add(code)
    return found


def _groups(font: bytes, at: int) -> set[int]:
    """`cmap` format 12: groups of all planes."""
    (count,) = struct.unpack_from(">L", font, at + 12)
    groups = (struct.unpack_from(">LLL", font, at + 16 + 12 * index) for index in range(count))
    return {code for first, last, _ in groups for code in range(first, last + 1)}


@cache
def showable() -> frozenset[str]:
    """All characters our fonts have a glyph for; read once per process."""
    return frozenset(chr(code) for name in FONTS for code in code_points(resources.read_bytes(name)))


def clean(text: str) -> str:
    """`text` composed (NFC) and without what has no place on a page: controls, direction overrides, joiners.

    Line breaks stay, as `\\n`. Overrides go because they could show an amount reversed (Unicode TR 36 §2.5).
    """
    if text.isascii() and text.isprintable():
        return text
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})


class Page:
    """Makes texts fit to be shown and remembers what could not be."""

    def __init__(self) -> None:
        self.missing: dict[str, None] = {}

    def text(self, value: str | None, longest: int = 0) -> str:
        """`value` cleaned, unknown characters replaced, and BREAK put into words above `longest` characters."""
        if not value:
            return ""
        shown = clean(value).strip()
        if not shown.isascii():
            lacking = {c for c in shown if c not in showable() and c != "\n"}
            if lacking:
                self.missing.update(dict.fromkeys(c for c in shown if c in lacking))
                shown = "".join(REPLACEMENT if c in lacking else c for c in shown)
        return breakable(shown, longest) if longest else shown


def breakable(text: str, longest: int) -> str:
    """`text` with BREAK inside words of more than `longest` characters, so that no word is wider than its column."""
    if len(text) <= longest:
        return text
    return re.sub(rf"\S{{{longest + 1},}}", lambda word: _broken(word[0], longest), text)


def _broken(word: str, longest: int) -> str:
    """`word` with BREAK in it: an address after its marks, where that is enough."""
    pieces = re.split(r"(?<=[@.])", word) if "@" in word else [word]
    if max(map(len, pieces)) <= longest:
        return BREAK.join(filter(None, pieces))
    return re.sub(r"\S{6}(?=\S)", rf"\g<0>{BREAK}", word)
