"""The table of settings, its checks, and how a company's values are seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import doctypes, settings, templates
from gateway.errors import NotFound, Refused
from gateway.settings import Business

TYPES = ("invoice", "order")
FORMATS = ("pdf", "ubl")
DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def check(key: str, value: object) -> object:
    return settings.check(settings.find(key, TYPES), value, FORMATS)


@pytest.mark.parametrize(
    ("key", "given", "stored"),
    [
        ("distribution.active", "false", False),
        ("distribution.active", True, True),
        ("resolve.document_address", " TRUE ", True),
        ("resolve.order", "document, directory", "document,directory"),
        ("resolve.order", ["directory", "document"], "directory,document"),
        ("resolve.max_recipients", "7", 7),
        ("resolve.max_recipients", 1000, 1000),
        ("sender.prefix", "acme", "acme"),
        ("sender.prefix", "a.b_c+d-1", "a.b_c+d-1"),
        ("sender.prefix", "noreply", "noreply"),
        ("sender.prefix", "", None),
        ("sender.name", " Café AB ", "Café AB"),
        ("sender.reply_to", "Info@Example.COM", "Info@example.com"),
        ("sender.reply_to", "", None),
        ("format.invoice", "UBL", "ubl"),
        ("format.any", "ubl", "ubl"),
        ("format.invoice", None, None),
        ("language", "FR", "fr"),
        ("template.invoice.fr.subject", "Facture {{ number }}", "Facture {{ number }}"),
        ("template.any.nl.body", "Dag,\r\n\r\n{{ number }}", "Dag,\n\n{{ number }}"),
        ("advanced", "false", False),
    ],
)
def test_value_that_fits(key: str, given: object, stored: object) -> None:
    assert check(key, given) == stored


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("distribution.active", "yes"),
        ("distribution.active", ""),
        ("distribution.active", 1),
        ("resolve.order", "directory"),
        ("resolve.order", "directory,document,document"),
        ("resolve.order", 3),
        ("resolve.max_recipients", "0"),
        ("resolve.max_recipients", True),
        ("resolve.max_recipients", "1001"),
        ("resolve.max_recipients", "many"),
        ("sender.prefix", "acme@pageroonline.com"),
        ("sender.prefix", "acme@evil.example"),
        ("sender.prefix", "@"),
        ("sender.prefix", "acme\r\nBcc: x@example.com"),
        ("sender.prefix", "acme\n"),
        ("sender.prefix", "a b"),
        ("sender.prefix", " acme"),
        ("sender.prefix", "Acme"),
        ("sender.prefix", ".acme"),
        ("sender.prefix", "acme."),
        ("sender.prefix", "a..b"),
        ("sender.prefix", "å"),
        ("sender.prefix", "x" * 65),
        ("sender.prefix", "postmaster"),
        ("sender.prefix", "abuse"),
        ("sender.prefix", "bounces"),
        ("sender.prefix", "b+123"),
        ("sender.prefix", 5),
        ("sender.name", "Acme\r\nBcc: x@example.com"),
        ("sender.name", "ceo@bank.example"),
        ("sender.name", "Acme <x>"),
        ("sender.name", "A\u202eB"),
        ("sender.name", "x" * 101),
        ("sender.reply_to", "nobody"),
        ("sender.reply_to", "a@example.com\r\nBcc: b@example.com"),
        ("sender.reply_to", ["a@example.com"]),
        ("format.invoice", "docx"),
        ("format.invoice", 7),
        ("language", "french"),
        ("template.invoice.fr.subject", "two\nlines"),
        ("template.invoice.fr.subject", "x" * 401),
        ("template.invoice.fr.body", 7),
    ],
)
def test_value_that_does_not_fit_is_refused_by_key(key: str, given: object) -> None:
    with pytest.raises(Refused) as caught:
        check(key, given)
    assert caught.value.field == key


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("sender.prefx", "sender.prefix"),
        ("distribution.activ", "distribution.active"),
        ("format.invoise", "invoice"),
        ("format.TYPE", "invoice"),
        ("template.invoice.french.subject", "two small letters"),
        ("template.invoice.fr", "template"),
    ],
)
def test_unknown_key_names_the_nearest(key: str, near: str) -> None:
    with pytest.raises(NotFound) as caught:
        settings.find(key, TYPES)
    assert near in caught.value.sentence


def test_every_line_of_the_table_is_reached_by_its_keys() -> None:
    found = {settings.find(key, TYPES).setting.key for key in settings.all_keys(TYPES)}
    assert found == {setting.key for setting in settings.SETTINGS}


def test_defaults_are_those_of_the_contract() -> None:
    found = {key: settings.default_of(settings.find(key, TYPES), "noreply") for key in settings.all_keys(TYPES)}
    assert {key: value for key, value in found.items() if not key.startswith("template.")} == {
        "distribution.active": True,
        "resolve.document_address": False,
        "resolve.order": "directory,document",
        "resolve.normalise": False,
        "resolve.max_recipients": 50,
        "sender.prefix": "noreply",
        "sender.name": "",
        "sender.reply_to": "",
        "format.invoice": "pdf",
        "format.order": "pdf",
        "format.any": "pdf",
        "on_loss.invoice": "hold",
        "on_loss.order": "hold",
        "on_loss.any": "hold",
        "language": "en",
        "advanced": True,
    }
    assert Business.of("acme", {}, "noreply") == Business(company="acme")


def test_default_templates_are_valid_and_name_type_and_number() -> None:
    business = Business.of("acme", {}, "noreply")
    for language in settings.LANGUAGES:
        for text in (business.subject("invoice", language), business.body("invoice", language)):
            templates.check(text)
            assert "{{ type }}" in text
            assert "{{ number }}" in text


def test_stored_values_are_seen() -> None:
    values = {
        "distribution.active": False,
        "resolve.document_address": True,
        "resolve.order": "document,directory",
        "resolve.normalise": True,
        "resolve.max_recipients": 3,
        "sender.prefix": "acme",
        "sender.name": "Acme",
        "sender.reply_to": "info@acme.example",
        "language": "fr",
        "format.invoice": "ubl",
    }
    seen = Business.of("acme", values, "noreply")
    assert not seen.active
    assert seen.document_address
    assert seen.normalise
    assert (seen.order, seen.max_recipients, seen.language) == (("document", "directory"), 3, "fr")
    assert (seen.prefix, seen.sender_name, seen.reply_to) == ("acme", "Acme", "info@acme.example")


def test_format_of_the_row_beats_the_type_beats_any() -> None:
    seen = Business.of("acme", {"format.invoice": "ubl", "format.any": "cii"}, "noreply")
    assert seen.format("invoice", "pdf") == "pdf"
    assert seen.format("invoice") == "ubl"
    assert seen.format("order") == "cii"


def test_basic_company_gets_the_defaults_whatever_is_stored() -> None:
    stored = {"advanced": False, "sender.prefix": "acme", "sender.name": "A", "sender.reply_to": "a@b.example"}
    seen = Business.of("acme", {**stored, "format.invoice": "ubl"}, "noreply")
    assert (seen.prefix, seen.sender_name, seen.reply_to) == ("noreply", "", "")
    assert seen.format("invoice") == seen.format("invoice", "ubl") == "pdf"


def test_template_of_the_type_then_of_any_then_built_in_then_the_companys_language() -> None:
    values = {
        "template.any.fr.subject": "tous",
        "template.invoice.fr.subject": "facture",
        "template.any.nl.body": "dag",
    }
    seen = Business.of("acme", values, "noreply")
    assert seen.subject("invoice", "fr") == "facture"
    assert seen.subject("order", "fr") == "tous"
    assert seen.subject("order", "de") == settings.DEFAULT_SUBJECT["de"]
    assert seen.subject("order", "nl") == settings.DEFAULT_SUBJECT["en"]
    assert seen.body("order", "nl") == "dag"
    french = Business.of("acme", {**values, "language": "fr"}, "noreply")
    assert french.subject("order", "nl") == "tous"


def test_event_of_a_change() -> None:
    def event(key: str) -> str:
        return settings.event_of(settings.find(key, TYPES), "acme")

    assert event("distribution.active") == "setting:acme:distribution.active"
    assert event("resolve.order") == event("resolve.max_recipients") == "setting:acme:resolve"
    assert event("format.invoice") == event("advanced") == "setting:acme:format"
    assert event("template.any.fr.subject") == event("language") == "template:acme"


def test_every_setting_is_explained() -> None:
    text = DOCS.read_text()
    for setting in settings.SETTINGS:
        assert f"| `{setting.key}` |" in text
        assert setting.help in text
    for type_ in doctypes.names():
        assert f"`{type_}`" in text
    for variable in templates.VARIABLES:
        assert f"`{variable}`" in text
