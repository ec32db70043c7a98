"""The words on the screens: English in the code, other languages from the gettext catalogues in `locale`."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from importlib import resources

LANGUAGES = ("en", "fr")

_messages: dict[str, str] = {}
_language = "en"


def N_(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text


def _(text: str) -> str:
    """The text in the language chosen."""
    return _messages.get(text, text)


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
    """The (msgid, msgstr) pairs of a catalogue in gettext's PO format."""
    source = target = ""
    into = ""
    for line in [*text.splitlines(), 'msgid ""']:
        word, _space, rest = line.strip().partition(" ")
        if word == "msgid":
            if into == "msgstr":
                yield source, target
            into, source, target = "msgid", ast.literal_eval(rest), ""
        elif word == "msgstr":
            into, target = "msgstr", ast.literal_eval(rest)
        elif line.startswith('"'):
            piece = ast.literal_eval(line.strip())
            source, target = (source + piece, target) if into == "msgid" else (source, target + piece)


def count(number: int) -> str:
    """A number as the language writes it: 1,204 or 1 204."""
    return f"{number:,}".replace(",", "\u00a0" if _language == "fr" else ",").replace("\u00a0", " ")
