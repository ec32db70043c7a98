"""Every key of every screen does what it is for; a key without a test fails.

Each test names the class whose keys it presses; what a class inherits is tested with the class that binds it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.model import Recipient
from gateway.store import batches, companies
from gateway.store import recipients as stored
from tests.tui import keys as every
from tests.tui.conftest import WHO, Desk, screen, until
from tests.tui.keys import SIZE, Keys, answer, away, on, page, says
from tui.app import Console
from tui.conflict import Conflicted
from tui.dialogs import Ask, Confirm
from tui.field import Field
from tui.form import Choice, Form
from tui.page import Page
from tui.pager import Pager
from tui.pages import PAGES
from tui.pages.audit import Audit
from tui.pages.batches import Batches
from tui.pages.importing import Importing
from tui.pages.recipients import Recipients
from tui.rows import RowsView

ELSEWHERE = {(Console, "ctrl+l"): "test_ctrl_l_draws_everything_again"}  # what it does is seen on the line only
worker = pytest.mark.parametrize("desk", ["worker"], indirect=True)


async def emails(desk: Desk) -> list[str]:
    return [row["email"][0] for row in await desk.store.read(stored.list_recipients, stored.Filter())]


def test_every_class_with_keys_has_a_test() -> None:
    """The tests below say `Keys(pilot, CLASS)`."""
    text = "".join(file.read_text() for file in Path(__file__).parent.glob("test_every_key*.py"))
    tests = Path(__file__).with_name("test_tty.py").read_text()
    assert [name for name in ELSEWHERE.values() if f"async def {name}(" not in tests] == []
    assert {kind.__name__ for kind in every.kinds() if f"Keys(pilot, {kind.__name__})" not in text} == set()


# --- the application and what all pages share ------------------------------------------------------------


async def test_keys_of_the_application(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Console)
        await page(pilot, 8)
        for number, kind in enumerate(PAGES, 1):
            await keys.press(str(number), on(pilot, kind))
        await keys.press("question_mark", on(pilot, Pager))
        await away(pilot, Audit)
        for key in ("f1", "ctrl+g"):  # in a field too, where ? is a letter
            await pilot.press("slash")
            await keys.press(key, on(pilot, Pager))
            await away(pilot, Audit)
            await pilot.press("escape")  # out of the field
        for key in ("colon", "ctrl+p"):
            await keys.press(key, on(pilot, Ask))
            await away(pilot, Audit)
        await keys.press("u", says(pilot, "nothing to undo"))
        await keys.press("q", lambda: pilot.app._exit)
        keys.left -= {key for kind, key in ELSEWHERE if kind is Console}
        for key in ("ctrl+q", "ctrl+c"):
            async with desk.console().run_test(size=SIZE) as other:
                await other.press(key)
                await until(other, lambda app=other.app: app._exit)  # type: ignore[misc]
                keys.left.discard(key)
        keys.none_left()


async def test_keys_of_every_page(desk: Desk) -> None:
    await desk.row("1001", "a@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Page)
        await page(pilot, 2, 1)
        await keys.press("slash", lambda: isinstance(pilot.app.focused, Field))
        await keys.press("escape", lambda: isinstance(pilot.app.focused, RowsView))
        await keys.press("y", lambda: pilot.app.clipboard == "a@example.com")
        await keys.press("Y", lambda: isinstance(pilot.app.screen, Pager) and screen(pilot).strip().startswith("a@"))
        await away(pilot, Recipients)
        await keys.press("exclamation_mark", lambda: "gateway recipients delete 1001" in screen(pilot))
        await away(pilot, Recipients)
        await desk.row("1002", "b@example.com")
        await keys.press("r", says(pilot, "2 of 2", "count"))
        keys.none_left()


async def test_keys_of_every_list(desk: Desk) -> None:
    for number in range(60):
        await desk.row(f"{number:03}", f"a{number}@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, RowsView)
        await page(pilot, 2, 60)
        rows = pilot.app.screen.query_one(RowsView)
        for key, place in (("down", 1), ("j", 2), ("up", 1), ("k", 0)):
            await keys.press(key, lambda place=place: rows.cursor == place)  # type: ignore[misc]
        step = rows.size.height - 2
        for forward, back in (("pagedown", "pageup"), ("ctrl+f", "ctrl+b"), ("ctrl+d", "ctrl+u")):
            await keys.press(forward, lambda: rows.cursor == step)
            await keys.press(back, lambda: rows.cursor == 0)
        for last, first in (("end", "home"), ("G", "g")):
            await keys.press(last, lambda: rows.cursor == 59)
            await keys.press(first, lambda: rows.cursor == 0)
        await keys.press("space", lambda: len(rows.marks) == 1 and rows.cursor == 1)
        await pilot.press("escape")
        await keys.press("asterisk", lambda: len(rows.marks) == 60)
        await keys.press("enter", on(pilot, Form))
        keys.none_left()


async def test_keys_of_every_text(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Pager)
        await page(pilot, 2)
        shown = Pager("Text", [f"line {number}" for number in range(200)])
        await pilot.app.push_screen(shown)
        for key, first in (("down", 1), ("j", 2), ("up", 1), ("k", 0)):
            await keys.press(key, lambda first=first: shown.body.scroll_offset.y == first)  # type: ignore[misc]
        for down, up in (("pagedown", "pageup"), ("space", "b"), ("ctrl+f", "ctrl+b"), ("ctrl+d", "ctrl+u")):
            await keys.press(down, lambda: shown.body.scroll_offset.y == 20)
            await keys.press(up, lambda: shown.body.scroll_offset.y == 0)
        for last, begin in (("end", "home"), ("G", "g")):
            await keys.press(last, lambda: "line 199" in screen(pilot))
            await keys.press(begin, lambda: "line 0" in screen(pilot))
        await keys.press("q", on(pilot, Recipients))
        await pilot.press("question_mark")
        await until(pilot, on(pilot, Pager))
        await keys.press("escape", on(pilot, Recipients))
        keys.none_left()


async def test_keys_of_the_dialogs(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        await page(pilot, 2)
        said: list[object] = []
        keys = Keys(pilot, Confirm)
        for key, yes in (("y", True), ("o", True), ("n", False), ("escape", False)):
            await pilot.app.push_screen(Confirm("Really?"), said.append)
            await keys.press(key, on(pilot, Recipients))
            assert said.pop() is yes
        keys.none_left()
        keys = Keys(pilot, Ask)
        await pilot.app.push_screen(Ask("Which?", ["first", "second"]), said.append)
        await pilot.press("s", "e")
        await keys.press("tab", lambda: pilot.app.screen.query_one(Field).value == "second")
        await keys.press("escape", on(pilot, Recipients))
        assert said.pop() is None
        keys.none_left()
        keys = Keys(pilot, Conflicted)
        values = dict.fromkeys(Recipient.__struct_fields__, "1")
        for key, mine in (("m", True), ("n", False), ("escape", False)):
            await pilot.app.push_screen(Conflicted("Changed.", values, {"email": "2"}, values), said.append)
            await keys.press(key, on(pilot, Recipients))
            assert said.pop() is mine
        keys.none_left()


# --- recipients ------------------------------------------------------------------------------------------


async def test_keys_of_recipients(desk: Desk, tmp_path: Path) -> None:
    row = await desk.row("1001", "a@example.com")
    await desk.row("1002", "b@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Recipients)
        await page(pilot, 2, 2)
        for key, number in (("a", ""), ("enter", "1001"), ("e", "1001"), ("c", "1001")):
            await keys.press(key, on(pilot, Form))
            assert pilot.app.screen.query_one("#field-number", Field).value == number
            await away(pilot, Recipients)
        await keys.press("b", on(pilot, Ask))
        await away(pilot, Recipients)
        await keys.press("i", on(pilot, Ask))
        await away(pilot, Recipients)
        for key, name in (("x", "invoice.xlsx"), ("T", "exampleFile.xlsx")):
            await keys.press(key, on(pilot, Ask))
            await answer(pilot, "invoice")
            await until(pilot, lambda name=name: pilot.app.screen.query_one(Field).value == name)  # type: ignore[misc]
            await answer(pilot, str(tmp_path / name))
            await until(pilot, (tmp_path / name).exists)
            await until(pilot, says(pilot, name))
        await keys.press("B", on(pilot, Batches))
        await away(pilot, Recipients)
        await keys.press("d", on(pilot, Confirm))
        await pilot.press("y")
        await until(pilot, says(pilot, "1 recipient deleted"))
        await keys.press("u", says(pilot, "Undone: delete 1001"))
        assert await emails(desk) == ["a@example.com", "b@example.com"]
        assert (await desk.store.read(stored.load, row.id))[0].number == "1001"  # the same row, with its history
        await keys.press("h", lambda: "recipient.restore" in screen(pilot) and "anna" in screen(pilot))
        keys.none_left()


async def test_keys_of_the_form(desk: Desk) -> None:
    await desk.row("1001", "a@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Form)
        await page(pilot, 2, 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Form) and pilot.app.focused)
        await keys.press("down", lambda: pilot.app.focused is pilot.app.screen.query_one("#field-email"))
        await keys.press("up", lambda: pilot.app.focused is pilot.app.screen.query_one("#field-number"))
        await keys.press("tab", lambda: pilot.app.focused is pilot.app.screen.query_one("#field-email"))
        await keys.press("shift+tab", lambda: pilot.app.focused is pilot.app.screen.query_one("#field-number"))
        await keys.press("ctrl+t", lambda: pilot.app.screen.query_one("#tab-advanced").display)
        await keys.press("escape", on(pilot, Recipients))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Form) and pilot.app.focused)
        await keys.press("ctrl+d", lambda: "Delete 1 recipient?" in screen(pilot))
        await away(pilot, Recipients)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Form) and pilot.app.focused)
        await keys.press("ctrl+s", on(pilot, Recipients))
        keys.none_left()


async def test_keys_of_a_choice(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Choice)
        await page(pilot, 2)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, Form) and pilot.app.focused)
        choice = pilot.app.screen.query_one("#field-type", Choice)
        choice.focus()
        for key, value in (
            ("right", "order"),
            ("left", "invoice"),
            ("l", "order"),
            ("h", "invoice"),
            ("space", "order"),
        ):
            await keys.press(key, lambda value=value: choice.value == value)  # type: ignore[misc]
        keys.none_left()


async def test_keys_of_imported_lists(desk: Desk) -> None:
    def put(connection: Any) -> None:
        company = companies.company_id(connection, "default")
        for number in ("1", "2"):
            counts = {"create": 1, "update": 0}
            new = batches.NewBatch(
                company_id=company, type="invoice", file_name=f"list{number}.csv", sha256=bytes(32), counts=counts
            )
            row = Recipient(number=number, email=(f"{number}@example.com",), type="invoice")
            batches.write(connection, new, [batches.Planned("create", 2, row)], WHO, desk.now)

    await desk.store.write(put)
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Batches)
        await page(pilot, 2, 2)
        await pilot.press("B")
        await until(pilot, lambda: "list1.csv" in screen(pilot) and "list2.csv" in screen(pilot))
        await keys.press("enter", lambda: "Take back list2.csv?" in screen(pilot))
        await pilot.press("y")
        await until(pilot, says(pilot, "1 row is as it was before the list."))
        assert await emails(desk) == ["1@example.com"]
        (row,) = await desk.store.read(stored.list_recipients, stored.Filter())
        console = pilot.app
        assert isinstance(console, Console)
        await console.api.patch(f"/recipients/{row['id']}", {"name": "changed since"}, 1)
        await pilot.press("down")
        await keys.press("U", lambda: "Take back list1.csv?" in screen(pilot))
        await pilot.press("y")
        await until(pilot, lambda: "leave those" in screen(pilot))
        await pilot.press("y")
        await until(pilot, says(pilot, "0 rows are as they were before the list."))
        assert await emails(desk) == ["1@example.com"]
        keys.none_left()


@worker
async def test_keys_of_an_import(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("customer_number;email;phone\n1001;a@example.com;1\n1002;b@example.com;2\n")
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Importing)
        await page(pilot, 2)
        await pilot.app.push_screen(Importing(file, "invoice"))
        await until(pilot, says(pilot, "1 error: nothing will be imported"))
        await keys.press("e", lambda: "a@example.com" in screen(pilot))
        await keys.press("s", on(pilot, Ask))
        await answer(pilot, str(tmp_path / "errors.xlsx"))
        await until(pilot, (tmp_path / "errors.xlsx").exists)
        await until(pilot, says(pilot, "errors.xlsx"))
        await keys.press("c", says(pilot, "create 2"))
        await keys.press("enter", lambda: "Import 2 rows?" in screen(pilot))
        await pilot.press("y")
        await until(pilot, says(pilot, "Imported 2 rows."))
        assert await emails(desk) == ["a@example.com", "b@example.com"]
        keys.none_left()
