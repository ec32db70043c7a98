"""The words on the screens: English in the code, other languages from the gettext catalogues in `locale`."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from importlib import resources

LANGUAGES = ("en", "fr")

Plural = tuple[str, str]

_messages: dict[str, str] = {}
_language = "en"


def N_(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text


def NN_(one: str, many: str) -> Plural:
    """Marks a text with `{count}` for one and for many, which `some` shows."""
    return one, many


def some(plural: Plural, number: int, **more: object) -> str:
    """The text for so many, in the language chosen; French counts nothing as one (CLDR plural rules)."""
    one = number in (0, 1) if _language == "fr" else number == 1
    return _(plural[0] if one else plural[1]).format(count=count(number), **more)


def _(text: str) -> str:
    """The text in the language chosen."""
    return _messages.get(text, text)


def colon(label: str) -> str:
    """A label before what it labels: French sets a space before the colon."""
    return _("{label}:").format(label=label)


def language() -> str:
    """The language chosen: two letters (ISO 639-1)."""
    return _language


def choose(name: str | None, environ: Mapping[str, str] = os.environ) -> None:
    """Speak `name`, or what the locale says (POSIX: LC_ALL, LC_MESSAGES, LANG), or English."""
    global _language
    said = name or environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or "en"
    short = said[:2].lower()
    _language = short if short in LANGUAGES else "en"
    _messages.clear()
    if _language != "en":
        _messages.update(catalogue(_language))


def catalogue(name: str) -> dict[str, str]:
    """The translated texts of a language, by their English."""
    text = (resources.files("tui") / "locale" / f"{name}.po").read_text(encoding="utf-8")
    return {source: target for source, target in parse(text) if source and target}


def parse(text: str) -> Iterator[tuple[str, str]]:
    """The (msgid, msgstr) pairs of a catalogue in gettext's PO format; the plural of an entry is a pair of its own."""
    entry: dict[str, str] = {}
    key = ""
    for line in [*text.splitlines(), 'msgid ""']:
        word, _space, rest = line.strip().partition(" ")
        if word == "msgid" and entry:
            yield entry["msgid"], entry.get("msgstr", entry.get("msgstr[0]", ""))
            if "msgid_plural" in entry:
                yield entry["msgid_plural"], entry.get("msgstr[1]", "")
            entry = {}
        if word.startswith("msg"):
            key, entry[word] = word, ast.literal_eval(rest)
        elif line.startswith('"'):
            entry[key] += ast.literal_eval(line.strip())


def count(number: int) -> str:
    """A number as the language writes it: 1,204 or 1 204."""
    return f"{number:,}".replace(",", "\u00a0" if _language == "fr" else ",").replace("\u00a0", " ")
