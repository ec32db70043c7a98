"""What changed and is marked, in words, and what of it a terminal without UTF-8 shows."""

from __future__ import annotations

from gateway.model import show_id
from tests.tui.conftest import Desk, line, screen, until
from tui.app import Console
from tui.ascii import plain
from tui.changed import changes
from tui.dialogs import Confirm
from tui.form import Form
from tui.pages.recipients import Recipients


def test_what_was_looked_at_is_said_once() -> None:
    assert changes(None, {"what": "document"}) == ["looked at the document"]


def test_hashes_and_versions_are_nobodys_reading() -> None:
    found = changes(None, {"file": "list.xlsx", "sha256": "d3c7", "version": 3, "create": 2})
    assert found == ["file list.xlsx", "create 2"]


def test_what_is_cut_is_told_from_a_dot() -> None:
    assert plain("compta@…kopare.se · Ærø") == "compta@~kopare.se . Ero"


async def test_a_form_without_utf_8_has_a_line_at_its_left_only(desk: Desk) -> None:
    await desk.row("1001", "a@example.com")
    async with Console(desk.path, ascii_only=True).run_test(size=(120, 40)) as pilot:
        await pilot.press("2", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Form))
        await until(pilot, lambda: "Edit recipient" in screen(pilot))
        lines = screen(pilot).split("\n")
        assert {each[68] for each in lines[:40]} == {"|"}
        assert not any(each[119:] == "|" for each in lines)


async def test_star_marks_the_rows_that_were_never_read_too(desk: Desk) -> None:
    for number in range(100):
        await desk.row(f"1{number:02}", "a@example.com")
    async with desk.console().run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "100 of 100" in line(pilot, "count"))
        await pilot.press("asterisk")
        await until(pilot, lambda: "* 100 " in line(pilot, "count"))


async def test_what_was_written_is_not_lost_without_asking(desk: Desk) -> None:
    await desk.row("1001", "a@example.com")
    async with desk.console().run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "enter", *"77", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm) and "without saving?" in screen(pilot))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, Form) and "100177" in screen(pilot))
        await pilot.press("backspace", "backspace", "escape")  # as it was: nothing is lost
        await until(pilot, lambda: isinstance(pilot.app.screen, Recipients))


async def test_history_says_who_changed_what(desk: Desk) -> None:
    row = await desk.row("1001", "old@example.com")
    async with desk.console().run_test(size=(80, 24)) as pilot:
        await pilot.app.api.patch(f"/recipients/{show_id(row.id)}", {"email": "new@example.com"}, 1)  # type: ignore[attr-defined]
        await pilot.press("2", "h")
        await until(pilot, lambda: "e-mail old@example.com → new@example.com" in screen(pilot))
        assert "bertil  recipient.set" in screen(pilot)


def test_nothing_is_animated(desk: Desk) -> None:
    assert desk.console().animation_level == "none"
