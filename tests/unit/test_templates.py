"""Templates of subjects and texts: what they may say, what they give, and that they cannot do harm."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway import doctypes, templates, wording
from gateway.errors import Refused

VALUES = {
    "type": "Invoice",
    "number": "4711",
    "issue_date": "2026-11-24",
    "due_date": "2026-12-24",
    "payable": "12.50",
    "currency": "EUR",
    "seller": "Säljare AB",
    "sender_name": "Acme",
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("plain text", "plain text"),
        ("{{ type }} {{ number }}", "Invoice 4711"),
        ("{{type}}-{{ number|upper }}", "Invoice-4711"),
        ("{{ seller | upper }} {{ seller|lower|trim }}", "SÄLJARE AB säljare ab"),
        ("{{ buyer }}|{{ buyer | default('nobody') }}|{{ seller | default(type) }}", "|nobody|Säljare AB"),
        ("{{ buyer | default(number) }}", "4711"),
        ("{% if buyer %}a{% elif due_date %}b{{ due_date }}{% else %}c{% endif %}", "b2026-12-24"),
        ("{% if buyer %}a{% else %}c{% endif %}", "c"),
        ("{% if buyer %}a{% endif %}", ""),
        ("{% if not buyer and number %}a{% endif %}{% if buyer or number %}b{% endif %}", "ab"),
        ("{% if payable == '12.50' %}a{% endif %}{% if currency != 'EUR' %}b{% endif %}", "a"),
        ("{% if number == payable %}a{% else %}b{% endif %}", "b"),
        ("{# a note #}x", "x"),
        ("{% raw %}{{ number }}{% endraw %}", "{{ number }}"),
        ("{{ '{{ number }}' }}", "{{ number }}"),
    ],
)
def test_what_a_template_gives(template: str, text: str) -> None:
    templates.check(template)
    assert templates.render(template, VALUES) == text


def test_values_are_data() -> None:
    values = {"number": "{{ seller }}{% for x in y %}", "seller": "S"}
    assert templates.render("{{ number }}", values) == "{{ seller }}{% for x in y %}"
    assert templates.render("<{{ number }}>", {"number": "<b>&"}) == "<<b>&>"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ nubmer }}", ["'nubmer'", "line 1", "did you mean number?"]),
        ("a\nb {{ sellre }}", ["'sellre'", "line 2", "did you mean seller?"]),
        ("{{ xyzzy }}", ["'xyzzy'", "there are: type, number"]),
        ("{% if nubmer %}{% endif %}", ["'nubmer'"]),
        ("{% if number == 'x' %}{{ nubmer }}{% endif %}", ["'nubmer'"]),
        ("{% if number %}{% else %}{{ nubmer }}{% endif %}", ["'nubmer'"]),
        ("{% if number %}{% elif nubmer %}{% endif %}", ["'nubmer'"]),
        ("{{ number | default(nubmer) }}", ["'nubmer'"]),
        ("{{ number | uper }}", ["filter 'uper'", "did you mean upper?"]),
        ("{{ number | upper('x') }}", ["without arguments"]),
        ("{{ number | default }}", ["default(text)"]),
        ("{{ number | default('a', true) }}", ["default(text)"]),
        ("{{ number", ["line 1"]),
        ("{% if number %}", ["line 1"]),
        ("{{ number.upper() }}", ["calls"]),
        ("{{ number.__class__ }}", ["attributes"]),
        ("{{ number['x'] }}", ["subscripts"]),
        ("{{ range(9) }}", ["calls"]),
        ("{{ 'a' * 999999999 }}", ["arithmetic"]),
        ("{{ 9 ** 9 ** 9 }}", ["arithmetic"]),
        ("{{ 'a' ~ 'b' }}", ["joining"]),
        ("{{ -number }}", ["arithmetic"]),
        ("{{ 1 }}", ["Const"]),
        ("{{ [1] }}", ["List"]),
        ("{{ number if number }}", ["CondExpr"]),
        ("{{ number == seller }}", ["Compare"]),
        ("{% if number > 'x' %}{% endif %}", ["== and !="]),
        ("{% if 'a' < 'b' < 'c' %}{% endif %}", ["== and !="]),
        ("{% if number is defined %}{% endif %}", ["tests"]),
        ("{% for x in number %}{% endfor %}", ["loops"]),
        ("{% set x = 1 %}", ["assignments"]),
        ("{% macro x() %}{% endmacro %}", ["macros"]),
        ("{% filter upper %}{% endfilter %}", ["filter blocks"]),
        ("{% include '/etc/passwd' %}", ["Include"]),
        ("{% import 'x' as y %}", ["Import"]),
        ("{% extends 'x' %}", ["Extends"]),
        ("{% block x %}{% endblock %}", ["Block"]),
        ("x" * 20_001, ["20001 characters"]),
        ("{{ " + "(" * 9000, ["too deep"]),
        ("{{ " + "9" * 9000 + " }}", ["number"]),
        ("{% if number %}" * 13 + "{% endif %}" * 13, ["nests more than 12"]),
        ("{{ number" + "|upper" * 13 + " }}", ["nests more than 12"]),
        ("{% if " + "not " * 13 + "number %}{% endif %}", ["nests more than 12"]),
    ],
)
def test_what_a_template_may_not_say(template: str, words: list[str]) -> None:
    for use in (templates.check, lambda text: templates.render(text, VALUES)):
        with pytest.raises(Refused) as error:
            use(template)
        for word in words:
            assert word in error.value.sentence
        assert len(error.value.sentence) < 400


def test_a_subject_is_one_line_of_250_characters() -> None:
    assert templates.render_subject(" {{ type }}\n\t {{ buyer }} {{ number }} \r\n", VALUES) == "Invoice 4711"
    subject = templates.render_subject("{{ number }} {{ number }}", {"number": "å" * 9000})
    assert subject == "å" * 249 + "…"
    assert templates.render_subject("{{ number }}", {"number": "x" * 250}) == "x" * 250


def test_a_text_is_bounded_and_tidy() -> None:
    assert len(templates.render("{{ number }}" * 1500, {"number": "å" * 100_000}).encode()) == 20_000
    assert templates.render("a  \r\n\n\n\n\nb\n{{ buyer }}\n", VALUES) == "a\n\nb"


def test_upper_case_cannot_outgrow_the_bound() -> None:
    assert len(templates.render("{{ number|upper }}" * 1000, {"number": "ΐ" * 20_000}).encode()) <= 20_000


@pytest.mark.parametrize("language", wording.LANGUAGES)
@pytest.mark.parametrize("kind", ["invoice", "order", "other"])
def test_built_in_subjects_tell_type_and_number(language: str, kind: str) -> None:
    label = doctypes.find(kind).label(language)
    subject = templates.render_subject(wording.DEFAULT_SUBJECT[language], {"type": label, "number": "4711"})
    assert subject == f"{label} 4711"
    whole = templates.render_subject(wording.DEFAULT_SUBJECT[language], {**VALUES, "type": label})
    assert whole.startswith(f"{label} 4711 ")
    assert whole.endswith(" Säljare AB")


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_built_in_texts_tell_all_they_know_and_leave_no_gap(language: str) -> None:
    label = doctypes.find("invoice").label(language, "credit_note")
    text = templates.render(wording.DEFAULT_BODY[language], {**VALUES, "type": label})
    for word in (label, "4711", "2026-11-24", "2026-12-24", "12.50 EUR", "Säljare AB", "Acme"):
        assert word in text
    assert len(text.splitlines()) == 6
    bare = templates.render(wording.DEFAULT_BODY[language], {"type": label})
    assert f"{label}." in bare
    assert "  " not in bare
    assert " ." not in bare
    assert " ," not in bare


def test_every_language_has_both_texts() -> None:
    assert set(wording.DEFAULT_SUBJECT) == set(wording.DEFAULT_BODY) == set(wording.LANGUAGES)


hostile = st.lists(
    st.sampled_from(
        [
            *(
                "{{",
                "}}",
                "{%",
                "%}",
                "{#",
                "#}",
                " ",
                "\n",
                "number",
                "seller",
                "if",
                "elif",
                "else",
                "endif",
                "for",
                "in",
            ),
            *(
                "(",
                ")",
                "[",
                "]",
                "{",
                "}",
                "'",
                '"',
                "\\",
                "|",
                ".",
                "*",
                "**",
                "~",
                "==",
                "not",
                "and",
                "or",
                "default",
            ),
            *(
                "upper",
                "range",
                "raw",
                "endraw",
                "set",
                "block",
                "-",
                "+",
                "9" * 50,
                "1e999",
                "\\N{x}",
                "\\x",
                "\x00",
                "é",
            ),
            *(
                "{{ number }}",
                "{% if number %}",
                "{% endif %}",
                "{{ '",
                "' }}",
                "{% raw %}",
                "{{ number|default('",
                "') }}",
            ),
        ]
    )
    | st.text(max_size=3),
    max_size=60,
).map("".join)


@settings(max_examples=600, deadline=None)
@given(hostile, st.integers(1, 40))
@example("{{ number|default(" * 400, 1)
@example("{%-" * 6000, 1)
@example("{{ 'a'" + "'a'" * 4000 + " }}", 1)
@example("{% if " + "(" * 5000 + "number", 1)
@example("{% if " + "number or " * 1900 + "number %}{% endif %}", 1)
@example("{{" + " " * 19_990, 1)
@example("{% raw %}" * 2200, 1)
@example("{{ '" + "\\" * 19_000 + "' }}", 1)
@example("{{ number }}" * 1600, 1)
def test_any_template_gives_a_text_or_a_refusal_and_soon(template: str, times: int) -> None:
    start = time.perf_counter()
    try:
        text = templates.render(template * times, {"number": "å" * 5000, "seller": "{{ number }}"})
        subject = templates.render_subject(template * times, {"number": "å" * 5000})
    except Refused:
        pass
    else:
        assert len(text.encode()) <= 20_000
        assert len(subject) <= 250
        assert "\n" not in subject
    assert time.perf_counter() - start < 2
