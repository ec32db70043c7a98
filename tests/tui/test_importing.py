"""The import screen: look, see what would change, import, take back."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from gateway.store import recipients as stored
from tests.tui.conftest import Desk, line, screen, until
from tui.app import Console
from tui.dialogs import Ask, Confirm
from tui.field import Field
from tui.pages.importing import Importing, files_like
from tui.pages.recipients import Recipients

worker = pytest.mark.parametrize("desk", ["worker"], indirect=True)


@worker
async def test_import_and_undo(desk: Desk, tmp_path: Path) -> None:
    await desk.row("1001", "old@example.com")
    file = tmp_path / "list.csv"
    file.write_text("customer_number;email\n1001;new@example.com\n1002;two@example.com\n1003;three@example.com\n")
    async with desk.console().run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "i")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        pilot.app.screen.query_one(Field).value = str(tmp_path / "li")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: pilot.app.screen.query_one(Field).value == "invoice")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Importing))
        await until(pilot, lambda: "create 2, update 1, unchanged 0" in line(pilot, "message"))
        assert "old@example.com → new@example.com" in screen(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        assert "Import 3 rows?" in screen(pilot)
        await pilot.press("y")
        await until(pilot, lambda: "Imported 3 rows." in line(pilot, "message"))
        rows = await desk.store.read(stored.list_recipients, stored.Filter())
        assert [row["email"][0] for row in rows] == ["new@example.com", "two@example.com", "three@example.com"]
        await pilot.press("u")
        await until(pilot, lambda: "Undone: import of list.csv" in line(pilot, "message"))
        (row,) = await desk.store.read(stored.list_recipients, stored.Filter())
        assert row["email"] == ["old@example.com"]


@worker
async def test_errors_are_shown_and_nothing_is_imported(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("customer_number;email\n1001;no address\n1002;two@example.com\n")
    async with desk.console().run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        pilot.app.push_screen(Importing(file, "invoice"))
        await until(pilot, lambda: "1 error: nothing will be imported" in line(pilot, "message"))
        assert "B2" in screen(pilot)
        await pilot.press("e")
        await until(pilot, lambda: "two@example.com" in screen(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "nothing will be imported" in line(pilot, "message"))
        assert isinstance(pilot.app.screen, Importing)
    assert await desk.store.read(stored.list_recipients, stored.Filter()) == []


def test_tab_completes_files(tmp_path: Path) -> None:
    (tmp_path / "list.csv").touch()
    (tmp_path / "lists").mkdir()
    (tmp_path / ".hidden").touch()
    assert files_like(f"{tmp_path}/li") == [f"{tmp_path}/list.csv", f"{tmp_path}/lists/"]
    assert files_like(f"{tmp_path}/") == [f"{tmp_path}/list.csv", f"{tmp_path}/lists/"]
    assert files_like(f"{tmp_path}/nowhere/x") == []


@worker
async def test_escape_does_not_wait_for_a_file_that_is_being_read(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("customer_number;email\n1001;new@example.com\n")
    async with desk.console().run_test(size=(80, 24)) as pilot:
        console = pilot.app
        assert isinstance(console, Console)
        console.patience = 60.0
        await pilot.press("2", "i")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        pilot.app.screen.query_one(Field).value = str(file)
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen.query_one(Field).value == "invoice")
        desk.answering.clear()
        for key in ("enter", "escape"):
            console.post_message(events.Key(key, None))
        await until(pilot, lambda: isinstance(pilot.app.screen, Recipients) and not console._typed)
        desk.answering.set()
