"""The words of the screens: complete in every language, and safe."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import formats
from tui import words
from tui.catalogue import differences
from tui.safe import safe
from tui.told import FORMATS


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
