"""Commands after `:`, and one value for many rows."""

from __future__ import annotations

import pytest

from gateway.store import companies, views
from gateway.store import recipients as stored
from tests.tui.conftest import Desk, line, screen, until
from tests.tui.keys import answer
from tui.dialogs import Ask, Confirm
from tui.field import Field
from tui.pages import PAGES

SIZE = (80, 24)


async def test_release_by_words(desk: Desk) -> None:
    first, second = await desk.document(hold="1001"), await desk.document(hold="1002")
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        pilot.app.screen.query_one(Field).value = "release cause=no-recipient:1001 source=local"
        await pilot.press("enter")
        await until(pilot, lambda: "Release 1 document?" in screen(pilot))
        await pilot.press("y")
        await until(pilot, lambda: "1 document goes on" in line(pilot, "message"))
    states = [(await desk.store.read(views.show_document, each))["state"] for each in (first, second)]
    assert states == ["received", "held"]


async def test_cancel_by_words_asks_with_the_count_and_for_a_reason(desk: Desk) -> None:
    document = await desk.document(hold="1001")
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("colon")
        await answer(pilot, "cancel cause=no-recipient")
        await until(pilot, lambda: "Cancel 1 document?" in screen(pilot))
        await pilot.press("y")
        await answer(pilot, "wrong")
        await until(pilot, lambda: "1 document cancelled" in line(pilot, "message"))
    assert (await desk.store.read(views.show_document, document))["state"] == "cancelled"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("release colour=red", "colour=red narrows nothing"),
        ("company nobody", "There is no company nobody; there are default, other."),
        ("nonsense", "There is no command nonsense"),
        ("cancel", "Nothing is held."),
        ("undo", "There is nothing to undo."),
    ],
)
async def test_what_is_wrong_with_a_command_is_said(desk: Desk, text: str, says: str) -> None:
    await desk.store.write(companies.ensure_company, "other", desk.now)
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        pilot.app.screen.query_one(Field).value = text
        await pilot.press("enter")
        await until(pilot, lambda: says in line(pilot, "message"))


async def test_page_with_a_search_and_another_company(desk: Desk) -> None:
    await desk.store.write(companies.ensure_company, "other", desk.now)
    await desk.row("1001", "a@example.com")
    await desk.row("2001", "b@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        pilot.app.screen.query_one(Field).value = "destinataires 200"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, PAGES[1]) and "1 of 2" in line(pilot, "count"))
        await pilot.press("escape", "colon")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        pilot.app.screen.query_one(Field).value = "company other"
        await pilot.press("enter")
        await until(pilot, lambda: "other" in line(pilot, "bar") and "0 of 0" in line(pilot, "count"))


async def test_one_value_for_all_marked_and_back(desk: Desk) -> None:
    for number in ("1001", "1002", "2001"):
        await desk.row(number, f"a{number}@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("2", "slash", *"100")
        await until(pilot, lambda: "2 of 3" in line(pilot, "count"))
        await pilot.press("enter", "asterisk")
        await until(pilot, lambda: "* 2" in line(pilot, "count"))
        await pilot.press("b")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press(*"language=sv", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm) and "Change 2 recipients?" in screen(pilot))
        await pilot.press("y")
        await until(pilot, lambda: "2 recipients changed" in line(pilot, "message"))
        rows = await desk.store.read(stored.list_recipients, stored.Filter())
        assert [row["language"] for row in rows] == ["sv", "sv", None]
        await pilot.press("u")
        await until(pilot, lambda: "Undone" in line(pilot, "message"))
        rows = await desk.store.read(stored.list_recipients, stored.Filter())
        assert [row["language"] for row in rows] == [None, None, None]


async def test_space_marks_and_esc_unmarks(desk: Desk) -> None:
    for number in ("1001", "1002"):
        await desk.row(number, f"a{number}@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "2 of 2" in line(pilot, "count"))
        await pilot.press("space")
        await until(pilot, lambda: "* 1" in line(pilot, "count") and screen(pilot).split("\n")[3].startswith("* 1001"))
        await pilot.press("escape")
        await until(pilot, lambda: "*" not in line(pilot, "count"))
