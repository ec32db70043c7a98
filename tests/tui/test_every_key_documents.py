"""Every key of the screens of documents, queue, settings and audit; see test_every_key."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from gateway.model import show_id
from gateway.store import audit, deliveries
from tests.tui.conftest import Desk, line, screen, until
from tests.tui.keys import SIZE, Keys, answer, away, on, page, says
from tui.app import Console
from tui.dialogs import Ask, Confirm
from tui.field import Field
from tui.form import Form
from tui.pager import Pager
from tui.pages.audit import Audit
from tui.pages.document import DocumentView
from tui.pages.documents import Documents
from tui.pages.held import Held
from tui.pages.heldlist import HeldList
from tui.pages.queue import Queue
from tui.pages.settings import TABS, Settings
from tui.pages.sources import Sources
from tui.rows import RowsView

worker = pytest.mark.parametrize("desk", ["worker"], indirect=True)

# --- documents -------------------------------------------------------------------------------------------


@worker
async def test_keys_of_documents(desk: Desk) -> None:
    await desk.document()
    await desk.document(hold="1001")
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Documents)
        await page(pilot, 3, 2)
        await keys.press("enter", on(pilot, DocumentView))
        await away(pilot, Documents)
        await keys.press("o", lambda: "original bytes" in screen(pilot))
        await away(pilot, Documents)
        await keys.press("R", lambda: "Release 1 document?" in screen(pilot))
        await pilot.press("y")
        await until(pilot, says(pilot, "1 document goes on"))
        await pilot.press("down")
        await keys.press("C", lambda: "Cancel 1 document?" in screen(pilot))
        await pilot.press("y")
        await answer(pilot, "wrong")
        await until(pilot, says(pilot, "1 document cancelled"))
        await keys.press("n", on(pilot, Ask))
        await answer(pilot, "new@example.com")
        await until(pilot, says(pilot, "1 document is sent again."))
        keys.none_left()


@worker
async def test_keys_of_one_document(desk: Desk, tmp_path: Path) -> None:
    await desk.document(hold="1001")
    await desk.document()
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, DocumentView)
        await page(pilot, 3, 2)
        await pilot.press("enter")
        await until(pilot, on(pilot, DocumentView))
        for key, text in (
            ("o", "original bytes"),
            ("m", "From: a@b.example"),
            ("exclamation_mark", "documents resend"),
            ("question_mark", "In every text"),
        ):
            await keys.press(key, lambda text=text: text in screen(pilot))  # type: ignore[misc]
            await away(pilot, DocumentView)
        await keys.press("y", says(pilot, "Copied: ", "pager-message"))
        await keys.press(
            "Y", lambda: screen(pilot).strip() == pilot.app.clipboard + "\n" * 22 + " Esc back   ↑ ↓ scroll"
        )
        await away(pilot, DocumentView)
        await keys.press("f", says(pilot, "carries no file", "pager-message"))
        await keys.press("s", on(pilot, Ask))
        await answer(pilot, str(tmp_path / "saved.xml"))
        await until(pilot, (tmp_path / "saved.xml").exists)
        await keys.press("t", says(pilot, "1 delivery is tried now", "pager-message"))
        await keys.press("C", on(pilot, Confirm))
        await pilot.press("y")
        await answer(pilot, "wrong")
        await until(pilot, says(pilot, "1 document cancelled", "pager-message"))
        await keys.press("n", on(pilot, Ask))
        await answer(pilot, "new@example.com")
        await until(pilot, says(pilot, "It is sent again.", "pager-message"))
        await away(pilot, Documents)
        await pilot.press("down", "enter")
        await until(pilot, on(pilot, DocumentView))
        await keys.press("R", lambda: "Release 1 document?" in screen(pilot))
        await pilot.press("y")
        await until(pilot, says(pilot, "1 document goes on", "pager-message"))
        keys.none_left()


async def test_keys_of_the_queue(desk: Desk) -> None:
    await desk.document()
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Queue)
        await page(pilot, 4, 1)
        await keys.press("enter", on(pilot, DocumentView))
        await away(pilot, Queue)
        await keys.press("t", says(pilot, "1 delivery is tried now"))
        await keys.press("H", says(pilot, "1 delivery is held"))
        await keys.press("R", says(pilot, "1 delivery goes on"))
        await keys.press("p", on(pilot, Ask))
        await answer(pilot, "maintenance")
        await until(pilot, says(pilot, "The next hop is paused."))
        await keys.press("tab", lambda: "paused by bertil" in line(pilot, "explain"))
        await keys.press("P", says(pilot, "The next hop is used again."))
        await pilot.press("tab")
        await until(pilot, lambda: "a@example.com" in screen(pilot))
        await keys.press("C", on(pilot, Confirm))
        await pilot.press("y")
        await answer(pilot, "wrong")
        await until(pilot, says(pilot, "1 delivery cancelled"))
        keys.none_left()
    (delivery,) = await desk.store.read(deliveries.list_deliveries, deliveries.Filter(state="cancelled"))
    assert delivery["recipient"] == "a@example.com"


async def test_keys_of_held(desk: Desk) -> None:
    for number in ("1001", "1001", "1002"):
        await desk.document(hold=number)
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Held)
        await page(pilot, 5, 2)
        await keys.press("enter", on(pilot, HeldList))
        await until(pilot, says(pilot, "2 of 2", "count"))
        await away(pilot, Held)
        await keys.press("a", on(pilot, Form))
        assert pilot.app.screen.query_one("#field-number", Field).value == "1001"
        await away(pilot, Held)
        await keys.press("R", lambda: "Release 2 documents?" in screen(pilot))
        await pilot.press("y")
        await until(pilot, says(pilot, "2 documents go on"))
        await until(pilot, lambda: pilot.app.screen.query_one(RowsView).total == 1)
        await keys.press("C", lambda: "Cancel 1 document?" in screen(pilot))
        await pilot.press("y")
        await answer(pilot, "wrong")
        await until(pilot, says(pilot, "1 document cancelled"))
        keys.none_left()
    (entry,) = await desk.store.read(audit.list_audit, audit.Filter(action="document.cancel"))
    assert entry["reason"] == "wrong"


async def test_keys_of_sources(desk: Desk) -> None:
    await desk.document()
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Sources)
        await page(pilot, 6, 2)
        await keys.press("enter", lambda: "127.0.0.0/8" in screen(pilot) and "Patterns for" in screen(pilot))
        await away(pilot, Sources)
        keys.none_left()


# --- settings and audit ----------------------------------------------------------------------------------


async def test_keys_of_settings(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Settings)
        await page(pilot, 7)
        await until(pilot, lambda: "▸General◂" in screen(pilot))
        await keys.press("tab", says(pilot, "Mails will show <noreply@pageroonline.com>"))
        await keys.press("shift+tab", lambda: "▸General◂" in screen(pilot))
        await keys.press("enter", lambda: "on → off" in screen(pilot))
        await pilot.press("y")
        await until(pilot, says(pilot, "Saved Activate"))
        await until(pilot, says(pilot, "distribution OFF", "bar"))
        await keys.press("d", lambda: "off → on" in screen(pilot))
        await pilot.press("y")
        await until(pilot, says(pilot, "distribution ON", "bar"))
        keys.none_left()


async def test_every_setting_is_on_one_tab(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        console = pilot.app
        assert isinstance(console, Console)
        for row in await console.api.get("/settings", company="default"):
            assert sum(row["key"].startswith(starts) for _name, starts in TABS) == 1, row["key"]


async def test_keys_of_the_audit(desk: Desk, tmp_path: Path) -> None:
    row = await desk.row("1001", "a@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        keys = Keys(pilot, Audit)
        await page(pilot, 8, 1)
        await keys.press(
            "enter", lambda: isinstance(pilot.app.screen, Pager) and "e-mail a@example.com" in screen(pilot)
        )
        await away(pilot, Audit)
        await keys.press("v", says(pilot, "The chain holds: 1 row"))
        await keys.press("x", on(pilot, Ask))
        await answer(pilot, str(tmp_path / "audit.jsonl"))
        await until(pilot, says(pilot, "Written: "))
        keys.none_left()
    text = await asyncio.to_thread((tmp_path / "audit.jsonl").read_text)
    (entry,) = [json.loads(each) for each in text.splitlines()]
    assert entry["object"] == show_id(row.id)
