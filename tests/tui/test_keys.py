"""Every key, on a real store behind a real socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.errors import GatewayError, Refused, Temporary
from gateway.model import show_id
from gateway.store import recipients as stored
from gateway.store import schema, views
from tests.tui.conftest import Desk, line, screen, until
from tui.app import Console
from tui.dialogs import Ask, Confirm
from tui.field import Field
from tui.form import Form
from tui.pager import Pager
from tui.pages import PAGES
from tui.rows import RowsView

SIZE = (80, 24)


@pytest.mark.parametrize("number", range(1, len(PAGES) + 1))
async def test_number_keys_jump(desk: Desk, number: int) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press(str(number))
        await until(pilot, lambda: isinstance(pilot.app.screen, PAGES[number - 1]))


async def test_add_a_recipient_and_undo(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("2", "a")
        await until(pilot, lambda: isinstance(pilot.app.screen, Form) and pilot.app.focused)
        await pilot.press(*"1001", "tab", *"kund@example.com", "ctrl+s")
        await until(pilot, lambda: "Saved 1001" in line(pilot, "message"))
        rows = await desk.store.read(stored.list_recipients, stored.Filter())
        assert [(row["number"], row["email"]) for row in rows] == [("1001", ["kund@example.com"])]
        await pilot.press("u")
        await until(pilot, lambda: "Undone: add 1001" in line(pilot, "message"))
        assert await desk.store.read(stored.list_recipients, stored.Filter()) == []


async def test_what_the_gateway_refuses_is_said_at_its_field(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("2", "a")
        await until(pilot, lambda: isinstance(pilot.app.screen, Form) and pilot.app.focused)
        await pilot.press(*"1001", "tab", *"no address", "ctrl+s")
        await until(pilot, lambda: pilot.app.screen.query_one("#fault-email").display)
        assert pilot.app.focused is pilot.app.screen.query_one("#field-email")


async def test_what_and_how_are_on_the_tab_advanced(desk: Desk) -> None:
    await desk.row("1001", "a@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "1001" in screen(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Form) and pilot.app.focused)
        await pilot.press("ctrl+t", "tab", "right", "right", "tab", *"{{ number }}", "tab", *"BT-1=5", "ctrl+s")
        await until(pilot, lambda: pilot.app.screen.query_one("#fault-constants").display)
        assert pilot.app.focused is pilot.app.screen.query_one("#field-constants")
        await pilot.press("end", *["backspace"] * 2, *"0=L-1; BT-49=0204:991-1", "ctrl+s")
        await until(pilot, lambda: "Saved 1001" in line(pilot, "message"))
        (row,) = await desk.store.read(stored.list_recipients, stored.Filter())
        assert (row["attach"], row["file_name"]) == ("with-pdf", "{{ number }}")
        assert row["constants"] == ["BT-10=L-1", "BT-49=0204:991-1"]


async def test_edit_meets_another_admin(desk: Desk) -> None:
    row = await desk.row("1001", "a@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "1001" in screen(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Form) and pilot.app.focused)
        console = pilot.app
        assert isinstance(console, Console)
        await console.api.patch(f"/recipients/{show_id(row.id)}", {"email": "theirs@example.com"}, 1)
        await pilot.press("tab", "end", *["backspace"] * 13, *"mine@example.com", "ctrl+s")
        await until(pilot, lambda: "theirs@example" in screen(pilot))
        assert "mine@example" in screen(pilot)
        await pilot.press("m")
        await until(pilot, lambda: "Saved 1001" in line(pilot, "message"))
        (shown,) = await desk.store.read(stored.list_recipients, stored.Filter())
        assert shown["email"] == ["mine@example.com"]


async def test_delete_asks_first(desk: Desk) -> None:
    await desk.row("1001", "a@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "1001" in screen(pilot))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("n")
        await until(pilot, lambda: not isinstance(pilot.app.screen, Confirm))
        assert len(await desk.store.read(stored.list_recipients, stored.Filter())) == 1
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: "1 recipient deleted" in line(pilot, "message"))
        assert await desk.store.read(stored.list_recipients, stored.Filter()) == []


async def test_search_narrows_and_esc_goes_back(desk: Desk) -> None:
    for number in ("1001", "1002", "2001"):
        await desk.row(number, f"a{number}@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "3 of 3" in line(pilot, "count"))
        await pilot.press("slash", *"100")
        await until(pilot, lambda: "2 of 3" in line(pilot, "count"))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: "3 of 3" in line(pilot, "count"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, PAGES[0]))


async def test_held_document_goes_when_the_missing_row_is_added(desk: Desk) -> None:
    document = await desk.document(hold="1001")
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: "1 document will go" in line(pilot, "explain"))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, Form) and pilot.app.focused)
        await pilot.press("tab", *"kund@example.com", "ctrl+s")
        await until(pilot, lambda: "1 document goes on" in line(pilot, "message"))
    assert (await desk.store.read(views.show_document, document))["state"] == "received"


async def test_release_asks_with_the_count(desk: Desk) -> None:
    document = await desk.document(hold="1001")
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: pilot.app.screen.query_one("#rows").total == 1)  # type: ignore[attr-defined]
        await pilot.press("R")
        await until(pilot, lambda: "Release 1 document?" in screen(pilot))
        await pilot.press("y")
        await until(pilot, lambda: "1 document goes on" in line(pilot, "message"))
    assert (await desk.store.read(views.show_document, document))["state"] == "received"


@pytest.mark.parametrize("desk", ["worker"], indirect=True)
async def test_one_document_is_shown_with_everything(desk: Desk, tmp_path: Path) -> None:
    await desk.document()
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "å.xml" in screen(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Pager))
        await until(pilot, lambda: "a@example.com" in screen(pilot))
        await pilot.press("o")
        await until(pilot, lambda: "original bytes" in screen(pilot))
        await pilot.press("escape", "m")
        await until(pilot, lambda: "From: a@b.example" in screen(pilot) and "hello" in screen(pilot))
        await pilot.press("escape", "s")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        assert pilot.app.screen.query_one(Field).value == "å.xml"
        pilot.app.screen.query_one(Field).value = str(tmp_path / "saved.xml")
        await pilot.press("enter")
        await until(pilot, lambda: "14 bytes" in line(pilot, "pager-message"))
        assert (tmp_path / "saved.xml").read_bytes() == b"original bytes"
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        pilot.app.screen.query_one(Field).value = str(tmp_path / "saved.xml")
        await pilot.press("enter")
        await until(pilot, lambda: "cannot be saved: File exists" in line(pilot, "pager-message"))
        await pilot.press("C")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press(*"wrong", "enter")
        await until(pilot, lambda: "1 document cancelled" in line(pilot, "pager-message"))
        await pilot.press("escape", "o")
        await until(pilot, lambda: "original bytes" in screen(pilot))


async def test_sent_again_to_a_new_address_that_goes_into_the_directory(desk: Desk) -> None:
    await desk.row("1001", "old@example.com")
    document = await desk.document(hold="1001")
    await desk.store.write(_ended, document)
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "å.xml" in screen(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Pager))
        await pilot.press("n", *"new@example.com", "enter")
        await until(pilot, lambda: "old@example.com → new@example.com" in screen(pilot))
        await pilot.press("y")
        await until(pilot, lambda: "Saved 1001" in line(pilot, "pager-message"))
    (row,) = await desk.store.read(stored.list_recipients, stored.Filter())
    assert row["email"] == ["new@example.com"]
    assert (await desk.store.read(views.show_document, document))["state"] == "received"


def _ended(connection: Any, document_id: int) -> None:
    """It bounced; its customer number and type are known."""
    values = {"state": "bounced", "cause": None, "customer_number": "1001", "type": "invoice"}
    connection.execute(sa.update(schema.document).where(schema.document.c.id == document_id).values(values))


async def test_hold_and_release_a_delivery(desk: Desk) -> None:
    await desk.document()
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "a@example.com" in screen(pilot))
        await pilot.press("H")
        await until(pilot, lambda: "is held" in line(pilot, "message") and "HELD" in screen(pilot).split("\n")[3])
        await pilot.press("R")
        await until(pilot, lambda: "goes on" in line(pilot, "message"))
        await pilot.press("p")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press(*"stuck", "enter")
        await until(pilot, lambda: "paused" in line(pilot, "message"))
        await pilot.press("tab")
        await until(pilot, lambda: "paused by bertil · stuck" in line(pilot, "explain"))
        await pilot.press("P")
        await until(pilot, lambda: "used again" in line(pilot, "message"))
        await pilot.press("C")
        await until(pilot, lambda: "Cancel 1 delivery?" in screen(pilot))
        await pilot.press("n", "enter")
        await until(pilot, lambda: "a@example.com" in screen(pilot))
        assert line(pilot, "search-label") == " Queue · capture / "
        await pilot.press("escape")
        await until(pilot, lambda: "Next hops" in line(pilot, "search-label"))


async def test_setting_shows_the_difference_before_it_is_saved(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("7")
        await until(pilot, lambda: "Activate e-mail distribution" in screen(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "on → off" in screen(pilot))
        await pilot.press("y")
        await until(pilot, lambda: "distribution OFF" in line(pilot, "bar"))


@pytest.mark.parametrize("word", ["destinataires", "liste des destinataires", "recip"])
async def test_palette_finds_pages_by_our_words_and_the_vendors(desk: Desk, word: str) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("colon", *word.replace(" ", "_"))
        field = pilot.app.screen.query_one("#ask-text")
        field.value = word  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, PAGES[1]))


async def test_help_lists_the_keys_of_the_page(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("2", "question_mark")
        await until(pilot, lambda: "Duplicate" in screen(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, PAGES[1]))


async def test_gateway_that_is_down_is_a_banner(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "0 of 0" in line(pilot, "count"))
        await desk.stop()
        await pilot.press("r")
        await until(pilot, lambda: "GATEWAY DOWN" in line(pilot, "bar") and "gateway serve" in line(pilot, "bar"))
        assert "Nobody answers" in line(pilot, "message")
        await desk.server.start()
        await pilot.press("r")
        await until(pilot, lambda: "GATEWAY DOWN" not in line(pilot, "bar"))
        await until(pilot, lambda: line(pilot, "message").strip() == "")


async def test_a_gateway_that_ends_amid_an_answer_is_one_that_is_down(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "GATEWAY DOWN" not in line(pilot, "bar"))
        console = pilot.app
        assert isinstance(console, Console)
        console.reached(of_the_socket(Temporary("The connection to the gateway at /a/socket broke: reset.")))
        assert "broke" in console.bar(80).plain
        console.reached(of_the_socket(Refused("The gateway is not running (nobody answers at /a/socket).")))
        assert "gateway serve" in console.bar(80).plain


def of_the_socket(error: GatewayError) -> GatewayError:
    """As the client raises it."""
    error.__cause__ = ConnectionError()
    return error


@pytest.mark.parametrize(
    ("number", "key", "role"),
    [
        *(("2", "a", "directory"), ("2", "d", "directory"), ("3", "enter", "helpdesk")),
        *(("3", "C", "operator"), ("4", "H", "operator"), ("5", "R", "operator"), ("7", "enter", "admin")),
    ],
)
async def test_what_a_role_lacks_is_disabled_with_the_reason(desk: Desk, number: str, key: str, role: str) -> None:
    desk.roles = ("viewer",)
    await desk.row("1001", "a@example.com")
    await desk.document()
    await desk.document(hold="1002")
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press(number)
        await until(pilot, lambda: pilot.app.screen.query_one(RowsView).total and "(" in line(pilot, "keys"))
        await pilot.press(key)
        await until(pilot, lambda: f"This needs the role {role}." in line(pilot, "message"))
        assert isinstance(pilot.app.screen, PAGES[int(number) - 1])


async def test_question_mark_is_a_letter_in_a_field_and_help_is_f1(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("2", "slash", "question_mark")
        await until(pilot, lambda: pilot.app.screen.query_one("#search", Field).value == "?")
        assert line(pilot, "keys") == " Enter To the list  Esc Back  F1 Help"
        await pilot.press("escape", "a", "question_mark")
        await until(pilot, lambda: pilot.app.screen.query_one("#field-number", Field).value == "?")
        assert "F1 Help" in line(pilot, "form-more")
        for key in ("f1", "ctrl+g"):
            await pilot.press(key)
            await until(pilot, lambda: "Ctrl+S" in screen(pilot) and "mandatory; what is wrong" in screen(pilot))
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(pilot.app.screen, Form))
        assert pilot.app.screen.query_one("#field-number", Field).value == "?"
