"""`gateway.formats.words`: numbers, dates and units in four languages; no digit is ever lost or added."""

import datetime as dt
import tomllib
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import resources
from gateway.formats import words
from gateway.formats.words import LANGUAGES, Words


def flat(section, path=()):
    return (
        {path: section}
        if not isinstance(section, dict)
        else {k: v for name, value in section.items() for k, v in flat(value, (*path, name)).items()}
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_label_and_the_same_places(language):
    english, other = (
        flat(tomllib.loads(resources.read_text(f"formats/labels/{name}.toml"))) for name in ("en", language)
    )
    assert english.keys() == other.keys()
    for key, text in english.items():
        assert other[key], key
        if key[0] != "date" and isinstance(text, str):
            assert places(other[key]) == places(text), key


def places(text):
    import string

    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(
    ("language", "amount", "date"),
    [
        ("en", "1,234.56", "5 Nov 2026"),
        ("fr", "1\u202f234,56", "05/11/2026"),
        ("de", "1.234,56", "05.11.2026"),
        ("sv", "1\u00a0234,56", "2026-11-05"),
    ],
)
def test_numbers_and_dates_are_written_as_the_language_does(language, amount, date):
    spoken = Words(language)
    assert spoken.amount(D("1234.56"), "EUR") == amount
    assert spoken.date(dt.date(2026, 11, 5)) == date


def test_a_region_is_ignored_and_an_unknown_language_is_english():
    assert Words("fr-CA").language == "fr"
    assert Words("sv_FI").language == "sv"
    assert Words("zz").language == Words("").language == "en"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("5", "5.00"),
        ("5.1", "5.10"),
        ("5.123456", "5.123456"),
        ("-1234567.8", "−1,234,567.80"),
        ("1E+3", "1,000.00"),
        ("0E-5", "0.00000"),
        ("999999999999999999.999999999999", "999,999,999,999,999,999.999999999999"),
        ("-0.00", "0.00"),
        ("-0.1234567890123456789012345678901", "−0.1234567890123456789012345678901"),
        ("NaN", "NaN"),
    ],
)
def test_amounts_have_two_decimals_or_all_that_were_written(written, shown):
    assert Words("en").amount(D(written), "EUR") == shown


def test_currencies_without_cents_get_none():
    assert Words("en").amount(D("1500"), "JPY") == "1,500"


def test_quantities_and_prices_lose_only_zeros_that_say_nothing():
    spoken = Words("en")
    assert [spoken.plain(D(text)) for text in ("3.000", "2.50", "100", "0.0")] == ["3", "2.5", "100", "0"]
    assert [spoken.price(D(text), "EUR") for text in ("3.0000", "0.0425", "7")] == ["3.00", "0.0425", "7.00"]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20), st.integers(0, 4))
def test_a_number_reads_back_as_what_it_was(value, minimum):
    shown = Words("en").number(value, minimum)
    assert D(shown.replace(",", "").replace(words.MINUS, "-")) == value


def test_decimal_marks_align_by_what_stands_invisibly_behind():
    column = Words("de").aligned(["1", "2,5", "1.000,125", ""])
    assert column == [["1", ",000"], ["2,5", "00"], ["1.000,125", ""], ["", ""]]


def test_units_are_words_where_there_is_one():
    assert [Words("en").unit(code) for code in ("C62", "HUR", "KGM", "MTK", "ZZZ", None)] == [
        "pcs", "h", "kg", "m²", "ZZZ", "",
    ]  # fmt: skip
    assert Words("sv").unit("H87") == "st"


def test_an_iban_is_in_groups_of_four_and_another_account_as_it_is():
    assert words.account("se49 5000 0000 0123 4000 9876") == ("SE49 5000 0000 0123 4000 9876", True)
    assert words.account("5050-1055") == ("5050-1055", False)
