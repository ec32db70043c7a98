"""Numbers, rows and how they meet."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directory import check_recipient, clean_number, match, number_key
from gateway.errors import Refused
from gateway.model import Recipient

TYPES = ("invoice", "order")
FORMATS = ("pdf", "ubl")


def check(advanced: bool = True, **values: object) -> Recipient:
    given_ = {"number": "1001", "email": "a@example.com", **values}
    return check_recipient(given_, types=TYPES, formats=FORMATS, advanced=advanced)


def row(number: str, type_: str = "any") -> Recipient:
    return Recipient(number=number, email=(f"{type_}@example.com",), type=type_)


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("1001", "1001"),
        ("0001001", "1001"),
        ("\u00a0\u200b0001001\ufeff ", "1001"),
        ("ab-12", "AB-12"),
        ("000", "0"),
        ("", ""),
        ("0 7", "7"),
        ("e\u0301", "\u00c9"),
    ],
)
def test_number_key(number: str, key: str) -> None:
    assert number_key(number) == key


@given(st.text(max_size=20))
def test_number_key_is_stable(number: str) -> None:
    key = number_key(number)
    assert number_key(key) == key
    assert unicodedata.is_normalized("NFC", key)


def test_clean_number_keeps_leading_zeros_and_case() -> None:
    assert clean_number("\u00a0 00ab \u200b") == "00ab"


def test_a_row_says_what_and_how() -> None:
    found = check(attach="With-PDF", file_name=" {{ type }}-{{ number }} ", constants="bt-49=0204:1; BT-10=L")
    assert (found.attach, found.file_name) == ("with-pdf", "{{ type }}-{{ number }}")
    assert found.constants == ("BT-10=L", "BT-49=0204:1")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attach", "both"),
        ("file_name", "{{ nummer }}"),
        ("file_name", "{% for a in b %}"),
        ("file_name", "x" * 201),
        ("constants", "BT-1=5"),
    ],
)
def test_what_and_how_are_checked(field: str, value: str) -> None:
    with pytest.raises(Refused) as refused:
        check(**{field: value})
    assert refused.value.field == field


@pytest.mark.parametrize(("field", "value"), [("attach", "pdf"), ("file_name", "x"), ("constants", "BT-10=1")])
def test_what_and_how_are_for_advanced_companies(field: str, value: str) -> None:
    with pytest.raises(Refused, match="advanced") as refused:
        check(advanced=False, **{field: value})
    assert refused.value.field == field
    assert check(advanced=False, **{field: ""})


def test_row_is_normalised() -> None:
    found = check(
        number=" 0042 ",
        email="A@EXAMPLE.com; b@exämple.de,A@example.com",
        cc=["c@example.com", "b@xn--exmple-cua.de"],
        type="Invoice",
        format="PDF",
        name=" Acme ",
        language="FR",
    )
    assert found.number == "0042"
    assert found.email == ("A@example.com", "b@xn--exmple-cua.de")
    assert found.cc == ("c@example.com",)
    assert (found.type, found.format, found.name, found.language) == ("invoice", "pdf", "Acme", "fr")


def test_row_defaults() -> None:
    found = check()
    assert (found.cc, found.type, found.format, found.name, found.language) == ((), "any", None, None, None)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("number", None, "missing"),
        ("number", " \u00a0", "missing"),
        ("number", "10\n01", "control"),
        ("number", "9" * 101, "100 characters"),
        ("number", 1001, "text"),
        ("email", "", "missing"),
        ("email", " ; , ", "missing"),
        ("email", "a@example.com; nonsense", "nonsense"),
        ("email", "a@example.com\r\nBcc: x@example.com", "not an e-mail"),
        ("email", "a@localhost", "no dot"),
        ("email", 7, "text"),
        ("email", ";".join(f"a{n}@example.com" for n in range(51)), "50 addresses"),
        ("cc", "nonsense", "nonsense"),
        ("type", "invoise", "invoice"),
        ("format", "docx", "pdf, ubl"),
        ("language", "french", "two letters"),
        ("name", "a\x1b[2J", "control"),
        ("name", "a\u202eb", "invisible"),
        ("emial", "a@example.com", "email"),
    ],
)
def test_row_is_refused_by_field(field: str, value: object, says: str) -> None:
    with pytest.raises(Refused) as caught:
        check(**{field: value})
    assert caught.value.field == field
    assert says in caught.value.sentence


def test_basic_company_may_not_choose_a_format() -> None:
    with pytest.raises(Refused, match="advanced") as caught:
        check(advanced=False, format="pdf")
    assert caught.value.field == "format"
    assert check(advanced=False).format is None


def test_specific_type_beats_any() -> None:
    rows = [row("1001"), row("1001", "invoice"), row("1001", "order")]
    met = match(["1001"], rows, "invoice", False)
    assert met.row == rows[1]
    assert set(met.others) == {rows[0], rows[2]}
    assert match(["1001"], rows, "reminder", False).row == rows[0]


def test_number_as_written_comes_first() -> None:
    rows = [row("01001"), row("1001")]
    met = match(["1001"], rows, "invoice", True)
    assert (met.row, met.how) == (rows[1], "exact")
    assert match(["x", "1001"], rows, "invoice", True).row == rows[1]


def test_normalised_match() -> None:
    rows = [row("00ab")]
    assert match(["AB"], rows, "invoice", False).row is None
    met = match(["AB"], rows, "invoice", True)
    assert (met.row, met.how, met.number) == (rows[0], "normalised", "AB")


def test_different_numbers_with_one_key_are_ambiguous() -> None:
    rows = [row("01001"), row("001001", "invoice")]
    met = match(["1001"], rows, "invoice", True)
    assert met.row is None
    assert len(met.ambiguous) == 2
    same = [row("01001"), row("01001", "invoice")]
    assert match(["1001"], same, "invoice", True).row == same[1]


def test_nothing_matches_nothing() -> None:
    assert match([], [row("1")], "invoice", True).row is None
    assert match(["2"], [row("1")], "invoice", True).row is None


# --- short ways ------------------------------------------------------------------------------------------

ODD = st.sampled_from(" \t\r\n\f\v\x1c\u00a0\u200b\u0085+;,0aA")
ANY_TEXT = st.one_of(
    st.text(max_size=12), st.text(ODD, max_size=6), st.text(st.characters(max_codepoint=127), max_size=6)
)


@given(ANY_TEXT)
def test_text_of_ascii_alone_is_cleaned_as_any_other(text: str) -> None:
    """A zero-width space at the end, which goes, makes the long way of what may go the short one."""
    assert clean_number(text) == clean_number(text + "\u200b")
    assert number_key(text) == number_key(text + "\u200b")


@given(ANY_TEXT)
def test_a_character_without_a_shape_is_refused_wherever_it_stands(text: str) -> None:
    hidden = any(unicodedata.category(char)[0] == "C" for char in clean_number(text))
    if hidden:
        with pytest.raises(Refused, match="invisible"):
            check(name=text)
    else:
        assert check(name=text).name == (clean_number(text) or None)


def test_an_address_twice_is_one_and_one_alone_is_checked_as_well() -> None:
    assert check(email="a@b.example; a@B.example,c@d.example").email == ("a@b.example", "c@d.example")
    assert check(email=" a@b.example\u200b").email == ("a@b.example",)
    for wrong in ("a@example", "a b@c.example", "a@b.example c"):
        with pytest.raises(Refused, match="not an e-mail address"):
            check(email=wrong)
