"""Words in the search line, words after the colon, sentences of the gateway in French, and ASCII."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway import address
from gateway.errors import Refused
from gateway.store import schema
from tests.conftest import ROOT
from tests.tui.conftest import Desk, line, screen, until
from tests.tui.keys import SIZE, page
from tui import palette, said, states, traced, words
from tui.ascii import only_ascii, plain
from tui.searchwords import hint, parse


@pytest.fixture
def french() -> object:
    words.choose("fr")
    yield
    words.choose("en")


ALL = ("state", "since", "until", "customer_number", "address")


@pytest.mark.parametrize(
    ("text", "free", "found"),
    [
        ("kopare norr", "kopare norr", {}),
        ("state:held kopare", "kopare", {"state": "held"}),
        ("state:BNC", "", {"state": "bounced"}),
        ("state:wait", "", {"state": "received,queued"}),  # all that are shown so
        ("customer:1001 address:a@b.example", "", {"customer_number": "1001", "address": "a@b.example"}),
        ("since:2026-01-31", "", {"since": "2026-01-31"}),
        ("since:7d until:12h", "", {"since": "2026-02-23T09:41:00+00:00", "until": "2026-03-01T21:41:00+00:00"}),
        ("since:today", "", {"since": "2026-03-02T00:00:00+00:00"}),
        ("state:", "", {}),
        ("hop:relay", "hop:relay", {}),  # no filter of this list
        ("12:30", "12:30", {}),
    ],
)
def test_words_narrow(
    text: str, free: str, found: dict[str, str], now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "clock", lambda: now)
    assert parse(text, ALL) == (free, found)


def test_waiting_deliveries_are_queued_ones() -> None:
    assert parse("state:wait state:", ("state", "next_hop")) == ("", {"state": "queued"})


def test_words_in_french(french: None) -> None:
    assert parse("état:reten client:1001", ALL) == ("", {"state": "held", "customer_number": "1001"})
    assert parse("state:held", ALL) == ("", {"state": "held"})
    assert "client:…" in hint(ALL)


async def test_documents_are_found_by_state_time_customer_and_address(desk: Desk) -> None:
    ids = [await desk.document(), await desk.document(hold="1001"), await desk.document(hold="1002")]

    def put(connection: object) -> None:
        table = schema.document
        for place, id_ in enumerate(ids):
            values = {"customer_number": f"100{place}", "received_at": desk.now + dt.timedelta(days=place)}
            connection.execute(sa.update(table).where(table.c.id == id_).values(values))  # type: ignore[attr-defined]

    await desk.store.write(put)
    async with desk.console().run_test(size=SIZE) as pilot:
        await page(pilot, 3, 3)
        await pilot.press("slash")
        await until(pilot, lambda: "state:held" in line(pilot, "message"))
        for text, count in (
            ("state:held", "2 of 3"),
            ("state:wait", "1 of 3"),
            ("customer:1001", "1 of 3"),
            ("address:a@example.com", "1 of 3"),
            (f"since:{desk.now + dt.timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", "2 of 3"),
            (f"until:{desk.now + dt.timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", "1 of 3"),
        ):
            pilot.app.screen.query_one("#search").value = text  # type: ignore[attr-defined]
            await until(pilot, lambda count=count: count in line(pilot, "count"))  # type: ignore[misc]
        pilot.app.screen.query_one("#search").value = "state:nonsense"  # type: ignore[attr-defined]
        await until(pilot, lambda: "There is no state 'nonsense'" in line(pilot, "message"))
        assert "GATEWAY DOWN" not in line(pilot, "bar")  # it answers


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Répertoire client - Distribution par e-mail", (2, "")),
        ("Répertoire clients - Distribution des e-mails - Importer des adresses e-mail", (2, "import_list")),
        ("Paramètres - Paramètres - Paramètres de la société - Distribution par e-mail", (7, "show_tab(0)")),
        ("parametres > parametres > parametres de la societe > distribution par e-mail", (7, "show_tab(0)")),
        ("Ajouter un destinataire", (2, "add")),
        ("télécharger le fichier d’exemple", (2, "template")),
        ("Envoi", (7, "show_tab(1)")),
        ("recip", (2, "")),
    ],
)
def test_places_by_our_words_the_vendors_and_the_old_sites(text: str, place: tuple[int, str]) -> None:
    assert palette.find(text) == (place, "")


def test_places_with_a_search_and_none() -> None:
    assert palette.find("destinataires 200") == ((2, ""), "200")
    assert palette.find("nonsense") is None
    assert palette.find("  ") is None


async def test_a_word_of_the_vendor_does_it_at_once(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        for text, seen in (("ajouter un destinataire", "Add recipient"), ("modèles", "▸Templates◂")):
            await pilot.press("colon")
            await until(pilot, lambda: pilot.app.screen.query("#ask-text"))
            pilot.app.screen.query_one("#ask-text").value = text  # type: ignore[attr-defined]
            await pilot.press("enter")
            await until(pilot, lambda seen=seen: seen in screen(pilot))  # type: ignore[misc]
            await pilot.press("escape")


# --- the gateway's sentences -----------------------------------------------------------------------------


def test_what_the_gateway_says_is_told_in_french(french: None) -> None:
    with pytest.raises(Refused) as caught:
        address.parse("kund.example")
    assert said.told(caught.value.sentence) == "'kund.example' n'est pas une adresse e-mail : le @ manque"
    held = "Customer number 4001 has no recipient for documents of type invoice in the directory."
    assert said.told(held).startswith("Le numéro de client 4001 n'a pas de destinataire")
    assert said.told("The file is neither XML nor PDF.") == "Le fichier est : ni XML ni PDF."
    assert traced.step_text("no row for customer number 7 and type invoice").endswith("le client 7 et le type facture")
    assert traced.step_text("row 007 for type order is spelled differently") == (
        "la ligne 007 pour le type commande s'écrit autrement"
    )
    assert said.told("What nobody translated.") == "What nobody translated."


@pytest.mark.parametrize("known", [said.SAID, traced.TRACE], ids=["said", "traced"])
def test_the_gateway_still_says_these_sentences(known: tuple[str, ...]) -> None:
    """Each piece between the places stands in the code: a sentence that changed there has lost its translation."""
    code = "\n".join(file.read_text() for file in sorted(Path(ROOT, "gateway").rglob("*.py")))
    for sentence in known:
        pieces = [piece for piece in said._PLACE.split(sentence)[::2] if len(piece.strip()) > 3]
        for piece in pieces:
            words_ = piece.strip().rstrip(".").split(" now, ")[0]
            assert words_ in code, (sentence, piece)


async def test_a_fault_is_said_as_it_is_typed(desk: Desk, french: None) -> None:
    words.choose("fr")
    async with desk.console().run_test(size=SIZE) as pilot:
        await page(pilot, 2)
        await pilot.press("a")
        await until(pilot, lambda: pilot.app.focused and pilot.app.focused.id == "field-number")
        await pilot.press("tab", *"kund@")
        await until(pilot, lambda: "il n'y a rien après le @" in screen(pilot))
        await pilot.press(*"a.example")
        await until(pilot, lambda: "le @" not in screen(pilot))
        await pilot.press("tab", *"x; y")
        await until(pilot, lambda: "'x' n'est pas une adresse e-mail" in screen(pilot))


# --- terminals without UTF-8 -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "only"),
    [
        ({"LANG": "fr_FR.UTF-8"}, False),
        ({"LANG": "C"}, True),
        ({}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # put there by Python, PEP 538
        ({"LC_ALL": "C.UTF-8"}, False),
        ({"LANG": "sv_SE.ISO-8859-1"}, True),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "POSIX"}, True),
        ({"LANG": "C", "LC_CTYPE": "sv_SE.utf8"}, False),
    ],
)
def test_ascii_where_the_locale_has_no_utf8(environ: dict[str, str], only: bool) -> None:
    assert only_ascii(environ) is only


def test_letters_stay_readable_and_as_wide() -> None:
    assert plain("Köpare Ærø 株") == "Kopare Ero ??"
    assert plain("▸Général◂ …") == ">General< ~"
