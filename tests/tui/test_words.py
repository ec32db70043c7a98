"""The words of the screens: complete in every language, and safe."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import formats
from tests.tui.sentences import causes, likely, sentences
from tui import catalogue, words
from tui.catalogue import differences
from tui.causes import CAUSES
from tui.safe import safe
from tui.said import told
from tui.told import FORMATS, SENTENCES
from tui.traced import note_text, step_text


@pytest.mark.parametrize("language", [name for name in words.LANGUAGES if name != "en"])
def test_every_text_of_the_screens_has_a_translation(language: str) -> None:
    assert differences(language) == ([], [])


@pytest.mark.parametrize("language", [name for name in words.LANGUAGES if name != "en"])
def test_placeholders_survive_translation(language: str) -> None:
    for source, target in words.catalogue(language).items():
        if source and not source.startswith("Content"):
            assert set(re.findall(r"{\w+}", source)) == set(re.findall(r"{\w+}", target)), source


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LC_ALL": "en_GB.UTF-8", "LANG": "fr_FR.UTF-8"}, "en"),
        ({"LC_MESSAGES": "fr_CH.UTF-8", "LANG": "C"}, "fr"),
        ({}, "en"),
    ],
)
def test_language_follows_the_locale(environ: dict[str, str], expected: str) -> None:
    words.choose(None, environ)
    assert words.language() == expected
    words.choose("en")


def test_labels_of_formats_that_are_words_are_translated() -> None:
    labels = {each["label"] for each in formats.choosable()}
    assert {label for label in labels if re.search(r"\b[a-z]{2,}\b", label)} == set(FORMATS)
    assert set(FORMATS) <= set(words.catalogue("fr"))


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    for char in safe(text):
        assert unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def test_escape_sequences_become_dots() -> None:
    assert safe("a\x1b]0;title\x07b\x9b31m\u202ec\n") == "a·]0;title·b·31m·c·"


PARTS = {  # sentences of which a part is a text in itself
    "Row {} speaks {}.": "Row {} speaks of {} with other values: keep one.",
    "The spreadsheet made a date or time of this{}; {}.": "The spreadsheet made a date or time of this ({}); {}.",
    "No mail can go there: {}{}.": "No mail can go there: {} ({} addresses).",
    "The list has {} error{}: nothing is imported.": "The list has {} errors: nothing is imported.",
    "There is no {} {}; {}.": "There is no {} '{}'; {}.",
    "{} only be chosen when the company is advanced: set `advanced` true first.": (
        "{} can only be chosen when the company is advanced: set `advanced` true first."
    ),
}


def test_every_sentence_of_the_gateway_is_told_in_french() -> None:
    """Refusals, and why documents are held: a sentence that is written tomorrow without a translation fails here."""
    words.choose("fr")
    untold: dict[str, str] = {}
    for where, text in (*sentences(), *likely()):
        if not re.search(r"\w{3}", text):
            continue  # what another error said, which is a sentence of its own
        filled = PARTS.get(text, text).replace("{}", "F-77")
        if told(filled) == filled and text not in SENTENCES:
            untold[text] = where
    words.choose("en")
    assert untold == {}


def test_every_cause_is_told_in_words() -> None:
    assert {cause.partition(":")[0] for _where, cause in causes()} - set(CAUSES) == set()


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The number may have 100 characters, this has 101.", "numéro"),
        ("There is no document type 'bill'; the nearest is bill_of_lading.", "type de document"),
        ("A row may have 50 addresses in cc, this has 51.", "copie"),
        ("The way to attach is a text.", "pièces jointes"),
    ],
)
def test_fields_of_refusals_are_told_in_french(sentence: str, expected: str) -> None:
    words.choose("fr")
    shown = told(sentence)
    words.choose("en")
    assert expected in shown


def test_what_has_no_translation_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`make i18n`: for who translates, each missing text, and those that no screen says any more."""
    assert catalogue.main() == 0
    known = words.catalogue("fr")
    del known["Recipients"]
    known["Said no more"] = "N'est plus dit"
    monkeypatch.setattr(catalogue, "catalogue", lambda _language: known)
    assert catalogue.main() == 1
    assert capsys.readouterr().out == "fr: missing: 'Recipients'\nfr: not said any more: 'Said no more'\n"


def test_notes_of_readers_and_writers_are_told_where_they_are_shown() -> None:
    words.choose("fr")
    try:
        assert note_text("Of several due dates the first counts.") == "De plusieurs échéances, la première compte."
        left_out = "ISDOC 6 has no place for the sales order reference (BT-14); 17 was left out."
        assert step_text(left_out).startswith("ISDOC 6 n'a pas de place pour ")
        assert step_text("Checked: A. Not checked: B.") == "Vérifié : A. Non vérifié : B."
    finally:
        words.choose("en")
