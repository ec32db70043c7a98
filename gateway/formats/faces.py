"""The glyphs of a PDF's fonts, as a page that typst set shows them: what to write for a text, and how wide it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pikepdf import Pdf

_MAPPED = re.compile(rb"<([0-9A-F]{4})> <((?:[0-9A-F]{4})+)>")  # ToUnicode, ISO 32000-1 §9.10.3
# Latin, Greek, Cyrillic, punctuation, figures and signs: one character is one glyph, from left to right.
_PLAIN = ((0x20, 0x590), (0x1E00, 0x2C00))


def words_of(texts: Iterable[str]) -> set[str]:
    """What stands between the spaces of `texts`, each once."""
    return {word for text in texts for word in text.split(" ")}


def is_plain(words: Iterable[str]) -> bool:
    """Whether each character of `words` is shown by a glyph of its own, whatever stands beside it."""
    return all(
        any(first <= ord(c) < end for first, end in _PLAIN) and not unicodedata.category(c).startswith("M")
        for c in set().union(*words)
    )


def specimen(words: Iterable[str]) -> list[str]:
    """Paragraphs in which all characters stand that do in `words`, and side by side those that do there.

    Each is of one script, since a sign beside a letter is not kerned where it is taken for part of another script.
    """
    pairs = {word[at : at + 2] for word in words if word for at in range(max(1, len(word) - 1))}
    scripts: dict[str, list[str]] = {}
    for pair in sorted(pairs):
        letters = [unicodedata.name(c, "") for c in pair if c.isalpha()]
        scripts.setdefault(letters[0].split(" ")[0] if letters else "", []).append(pair)
    return [" ".join(found) for found in scripts.values()]


class Face:
    """What the fonts of the first page of a specimen show: `name` begins the names of its fonts as resources."""

    def __init__(self, made: Pdf, name: str) -> None:
        self.fonts: dict[str, Any] = {}
        self._glyphs: dict[str, tuple[str, str, float]] = {}  # font, code in hexadecimal, width
        self._kerning: dict[str, float] = {}
        self._words: dict[tuple[str, float], tuple[str, float]] = {}
        known: dict[str, dict[bytes, str]] = {}
        for key, font in made.pages[0].Resources.Font.items():
            said = f"/{name}{key[1:]}"
            self.fonts[said] = font
            widths = _widths(font)
            codes = {bytes.fromhex(a.decode()): b for a, b in _MAPPED.findall(font.ToUnicode.read_bytes())}
            known[key] = {code: bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in codes.items()}
            for code, character in known[key].items():
                self._glyphs.setdefault(character, (said, code.hex(), widths.get(int.from_bytes(code), 0.0)))
        self.first = next(iter(self.fonts))
        self._learn(made, known)

    def _learn(self, made: Pdf, known: dict[str, dict[bytes, str]]) -> None:
        """The kerning between the characters of the specimen, in thousandths of the size."""
        from pikepdf import String, parse_content_stream

        codes: dict[bytes, str] = {}
        for instruction in parse_content_stream(made.pages[0], "Tf TJ"):
            operands = instruction.operands
            if str(instruction.operator) == "Tf":
                codes = known[str(operands[0])]
                continue
            before, space = "", 0.0
            for part in operands[0]:
                if not isinstance(part, String):
                    space = float(part)
                    continue
                data = bytes(part)
                for at in range(0, len(data), 2):
                    character = codes.get(data[at : at + 2], "")
                    if space:
                        self._kerning[before + character] = space
                    before, space = character, 0.0

    def has(self, words: Iterable[str]) -> bool:
        """Whether there is a glyph for each character of `words`."""
        return set(" ").union(*words) <= self._glyphs.keys()

    def shown(self, text: str, size: float) -> str:
        """The inside of a `TJ` array that shows `text` in `size` points; the font is `first`, before and after."""
        return self.word(" ", size)[0].join([self.word(word, size)[0] for word in text.split(" ")])

    def width(self, text: str, size: float) -> float:
        """How wide `text` is in `size` points; in points."""
        words = text.split(" ")
        return sum([self.word(word, size)[1] for word in words]) + (len(words) - 1) * self.word(" ", size)[1]

    def word(self, text: str, size: float) -> tuple[str, float]:
        """Both of a text that is one word, or a space."""
        if (found := self._words.get((text, size))) is None:
            found = self._words[text, size] = self._set(text, size)
        return found

    def _set(self, text: str, size: float) -> tuple[str, float]:
        out, width, font, before = "<", 0.0, self.first, ""
        for character in text:
            name, code, advance = self._glyphs[character]
            if name != font:
                out += f">]TJ{name} {size:g} Tf[<"
                font = name
            elif space := self._kerning.get(before + character):
                out += f">{space:g}<"
                width -= space
            out += code
            width += advance
            before = character
        if font != self.first:
            out += f">]TJ{self.first} {size:g} Tf[<"
        return out + ">", width * size / 1000


def _widths(font: Any) -> dict[int, float]:
    """Widths by code from `/W`, in the form typst writes: first code, last code, width (ISO 32000-1 §9.7.4.3)."""
    said = list(font.DescendantFonts[0].W)
    found: dict[int, float] = {}
    for first, last, width in zip(said[::3], said[1::3], said[2::3], strict=True):
        found.update(dict.fromkeys(range(int(first), int(last) + 1), float(width)))
    return found
