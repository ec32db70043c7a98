"""Two people on one directory, a gateway that goes and comes, and a company that may less."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.errors import Refused
from gateway.smtp.quirks import Quirk
from gateway.store import companies, schema
from gateway.store import recipients as stored
from tests.tui.conftest import WHO, Desk, line, screen, until
from tests.tui.keys import SIZE, answer, away, on, page, says
from tests.tui.test_tty import fill
from tui.app import Console
from tui.conflict import Conflicted
from tui.dialogs import Ask
from tui.field import Field
from tui.form import Choice, Form
from tui.pages import PAGES, home
from tui.pages.document import DocumentView
from tui.pages.held import Held
from tui.pages.recipients import Recipients
from tui.rows import RowsView


async def test_two_admins_on_one_row(desk: Desk) -> None:
    """Who saves second sees what stood there, theirs and mine in one line, and may go back; nothing is lost."""
    await desk.row("1001", "base@example.com", name="Kund")
    async with desk.console().run_test(size=SIZE) as anna, desk.console().run_test(size=SIZE) as bertil:
        for pilot in (anna, bertil):
            await page(pilot, 2, 1)
            await pilot.press("enter")
            await until(pilot, on(pilot, Form))
        anna.app.screen.query_one("#field-email", Field).value = "anna@example.com"
        bertil.app.screen.query_one("#field-email", Field).value = "bertil@example.com"
        await anna.press("ctrl+s")
        await until(anna, says(anna, "Saved 1001"))
        await until(bertil, on(bertil, Form))
        await bertil.press("ctrl+s")
        await until(bertil, on(bertil, Conflicted))
        (shown,) = [each for each in screen(bertil).split("\n") if "base@example.com" in each and "E-mail" in each]
        assert shown.index("base@") < shown.index("anna@") < shown.index("bertil@")
        assert "Kund" not in str(bertil.app.screen.query("Static")[1].render())  # only what differs
        await bertil.press("escape")
        await until(bertil, on(bertil, Form))
        assert bertil.app.screen.query_one("#field-email", Field).value == "bertil@example.com"
        await bertil.press("ctrl+s")
        await until(bertil, on(bertil, Conflicted))
        await bertil.press("m")
        await until(bertil, says(bertil, "Saved 1001"))
    (row,) = await desk.store.read(stored.list_recipients, stored.Filter())
    assert (row["email"], row["name"]) == (["bertil@example.com"], "Kund")


async def test_what_another_does_is_seen_without_a_key(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        await page(pilot, 2)
        await until(pilot, says(pilot, "0 of 0", "count"))
        await desk.row("1001", "a@example.com")
        await until(pilot, lambda: "a@example.com" in screen(pilot))
        await desk.document(hold="2002")
        await until(pilot, says(pilot, "HELD 1", "bar"))


async def test_screens_that_start_before_the_gateway(desk: Desk) -> None:
    """A banner that says how to start it and no traceback; when it comes, the screens come by themselves."""
    await desk.stop()
    async with desk.console().run_test(size=SIZE) as pilot:
        await until(pilot, says(pilot, "GATEWAY DOWN", "bar"))
        assert "start it with `gateway serve` or `systemctl start gateway`" in screen(pilot)
        for number in "2345678":  # no page is worse off
            await pilot.press(number)
            await until(pilot, says(pilot, "GATEWAY DOWN", "bar"))
        assert "Traceback" not in screen(pilot)
        await desk.server.start()
        await until(pilot, lambda: "GATEWAY DOWN" not in line(pilot, "bar"))


async def test_basic_company_sees_the_format_locked_and_why(desk: Desk) -> None:
    await desk.row("1001", "a@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        console = pilot.app
        assert isinstance(console, Console)
        await console.api.put("/settings/advanced", {"value": False}, company="default")
        await page(pilot, 2, 1)
        await pilot.press("enter")
        await until(pilot, on(pilot, Form))
        await pilot.press("ctrl+t")
        await until(
            pilot, lambda: "Only an advanced company chooses formats: setting “advanced” is off." in screen(pilot)
        )
        assert "Format: PDF" in screen(pilot)
        assert not pilot.app.screen.query("#tab-advanced Choice, #tab-advanced Field")
        await away(pilot, Recipients)
        await pilot.press("i")
        await until(pilot, says(pilot, "Only an advanced company imports lists: setting “advanced” is off."))
        assert type(pilot.app.screen) is Recipients
        with pytest.raises(Refused, match="only be chosen when the company is advanced"):
            await console.api.post("/recipients", {"number": "2", "email": "b@example.com", "format": "ubl"})
        await pilot.press("7", "tab")
        await until(pilot, lambda: pilot.app.screen.query_one(RowsView).total == 3)
        await until(pilot, lambda: screen(pilot).count("locked") == 3)
        await pilot.press("enter")
        await until(pilot, says(pilot, "Only an advanced company may choose this"))


async def test_advanced_company_may_choose_every_format(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        console = pilot.app
        assert isinstance(console, Console)
        installed = [each["name"] for each in (await console.api.get("/choices"))["formats"]]
        await page(pilot, 2)
        await pilot.press("a")
        await until(pilot, on(pilot, Form))
        shown = [value for value, _label in pilot.app.screen.query_one("#field-format", Choice).options]
        assert shown == ["", *installed]
        await pilot.press("escape")
        await until(pilot, on(pilot, Recipients))
        await pilot.press("7", "tab", "tab")
        await until(pilot, lambda: "Format · Invoice" in screen(pilot))
        await pilot.press("enter")
        await until(pilot, on(pilot, Ask))
        asked = pilot.app.screen
        assert isinstance(asked, Ask)
        assert list(asked.known) == installed


async def test_queue_is_searched_by_address_state_and_hop(desk: Desk) -> None:
    await desk.document()
    async with desk.console().run_test(size=SIZE) as pilot:
        await page(pilot, 4, 1)
        await pilot.press("slash")
        await until(pilot, says(pilot, "hop:"))
        for text, found in (("EXAMPLE", "1 of 1"), ("nobody", "0 of 1"), ("state:wait", "1 of 1"), ("hop:x", "0 of 1")):
            pilot.app.screen.query_one("#search", Field).value = text
            await until(pilot, says(pilot, found, "count"))
        await pilot.press("escape", "escape", "tab")
        await until(pilot, lambda: "Next hops" in line(pilot, "search-label"))
        await pilot.press("slash")  # the next hops are few
        await pilot.press("tab")
        await until(pilot, says(pilot, "1 of 1", "count"))


async def test_twelve_documents_will_go(desk: Desk) -> None:
    """What the screen says before is what happens then."""
    for _ in range(12):
        await desk.document(hold="1001")
    async with desk.console().run_test(size=SIZE) as pilot:
        await page(pilot, 5, 1)
        await until(pilot, says(pilot, "12 documents will go.", "explain"))
        await pilot.press("a")
        await until(pilot, on(pilot, Form))
        pilot.app.screen.query_one("#field-email", Field).value = "kund@example.com"
        await pilot.press("ctrl+s")
        await until(pilot, says(pilot, "12 documents go on."))
        assert type(pilot.app.screen) is Held


async def test_undo_of_a_change_that_another_changed_since_is_refused(desk: Desk) -> None:
    row = await desk.row("1001", "a@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        await page(pilot, 2, 1)
        await pilot.press("b")
        await answer(pilot, "name=mine")
        await pilot.press("y")
        await until(pilot, says(pilot, "1 recipient changed"))
        (now_,) = await desk.store.read(stored.list_recipients, stored.Filter())
        theirs = (await desk.store.read(stored.load, row.id))[0]
        await desk.store.write(stored.change, theirs, now_["version"], WHO, desk.now)
        await pilot.press("u")
        await until(pilot, says(pilot, "was changed meanwhile: nothing is undone"))


MAIL = b"\r\n".join(
    (
        *(b"From: a@b.example", b"MIME-Version: 1.0", b"Content-Type: multipart/mixed; boundary=x", b""),
        *(b"--x", b"", b"hello", b"--x", b"Content-Type: application/pdf"),
        *(b'Content-Disposition: attachment; filename="../F-1.pdf"', b"", b"%PDF-1", b"--x--", b""),
    )
)


async def test_the_file_that_was_sent_is_saved_under_a_name_that_leaves_no_folder(desk: Desk, tmp_path: Path) -> None:
    await desk.document(sent=MAIL)
    async with desk.console().run_test(size=SIZE) as pilot:
        await page(pilot, 3, 1)
        await pilot.press("enter")
        await until(pilot, on(pilot, DocumentView))
        await pilot.press("f")
        await until(pilot, on(pilot, Ask))
        assert pilot.app.screen.query_one(Field).value == "·F-1.pdf"
        await answer(pilot, str(tmp_path / "sent.pdf"))
        await until(pilot, says(pilot, "6 bytes", "pager-message"))
    assert (tmp_path / "sent.pdf").read_bytes() == b"%PDF-1"


async def test_all_of_a_next_hop_are_held_and_released_after_asking(desk: Desk) -> None:
    for _ in range(2):
        await desk.document()
    async with desk.console().run_test(size=SIZE) as pilot:
        await page(pilot, 4, 2)
        await pilot.press("tab")
        await until(pilot, lambda: "Next hops" in line(pilot, "search-label"))
        await until(pilot, lambda: pilot.app.screen.query_one(RowsView).total == 1)
        for key, asks, done in (("H", "Hold 2", "2 deliveries are held"), ("R", "Release 2", "2 deliveries go on")):
            await pilot.press(key)
            await until(pilot, lambda asks=asks: f"{asks} deliveries?" in screen(pilot))  # type: ignore[misc]
            await pilot.press("y")
            await until(pilot, says(pilot, done))


async def test_what_clients_of_a_source_do_is_said(desk: Desk) -> None:
    desk.quirks.append(Quirk(name="bare_lf", count=1204, last_seen=desk.now))
    async with desk.console().run_test(size=SIZE) as pilot:
        await page(pilot, 6, 2)
        await until(pilot, says(pilot, "its clients: bare_lf ×1,204", "explain"))
        await pilot.press("enter")
        await until(pilot, lambda: "1,204 times, last 2026-03-02" in screen(pilot))


def test_home_names_what_goes_wrong_slowly() -> None:
    """A certificate that ends, a DKIM record that is missing, a disk that fills, a hop that is paused, no room."""
    health = {
        "disk": {"free": 1 << 30, "total": 100 << 30},
        "certificates": [{"file": "old.pem", "days": 5}, {"file": "new.pem", "days": 61}],
        "dkim": [{"selector": "gw1", "state": "published"}, {"selector": "gw2", "state": "missing"}],
    }
    status = {"held": {}, "documents": {"bounced": 2}, "no_room": "the disk is full", "paused": ["relay.example"]}
    needs = [(row["state"], row["text"]) for row in home._needs(status, health)]
    assert needs == [
        ("BNC", "no address took it"),
        ("!", "takes nothing in: the disk is full"),
        ("!", "relay.example is paused"),
        ("!", "disk 1 % free, 1 GiB"),
        ("!", "certificate 5 days  old.pem"),
        ("!", "DKIM gw2: the DNS has no record"),
    ]
    fine = [row["text"] for row in home._healthy(health) if row["state"] != "!"]
    assert fine == ["certificate 61 days  new.pem", "DKIM gw1: the DNS has the record"]


async def test_numbers_are_those_of_the_company_that_is_shown(desk: Desk) -> None:
    """Another company's documents for the same number, and one of another type, are in no promise."""
    for type_ in ("invoice", "invoice", "order"):
        await desk.store.write(_typed, await desk.document(hold="1001"), "default", type_)
    for _number in range(3):
        await desk.store.write(_typed, await desk.document(hold="1001"), "other", "invoice")
    async with desk.console().run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "HELD 3" in line(pilot, "bar") and "1001 ×3" in screen(pilot))
        await pilot.press("5")
        await until(pilot, lambda: "customer 1001, Invoice: 2 documents will go." in line(pilot, "explain"))
        await pilot.press("a", "tab", *"a@example.com", "ctrl+s")
        await until(pilot, lambda: "2 documents go on." in line(pilot, "message"))
        await pilot.press("colon", *"company other", "enter")
        await until(pilot, lambda: "HELD 3" in line(pilot, "bar") and "other" in line(pilot, "bar"))
        await until(pilot, lambda: "Invoice: 3 documents will go." in line(pilot, "explain"))
        await pilot.press("R")
        await until(pilot, lambda: "Release 3 documents?" in screen(pilot))
        await pilot.press("y")
        await until(pilot, lambda: "3 documents go on." in line(pilot, "message"))


def _typed(connection: Any, document: int, company: str, type_: str) -> None:
    """A held document of a company and type, which waits for a row of that company."""
    id_ = companies.ensure_company(connection, company, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    values = {"company_id": id_, "type": type_}
    connection.execute(sa.update(schema.document).where(schema.document.c.id == document).values(values))
    mine = schema.wake.c.document_id == document
    connection.execute(sa.update(schema.wake).where(mine).values(key=f"recipient:{company}:1001"))


async def test_enter_on_home_goes_where_the_line_is_dealt_with(desk: Desk) -> None:
    await desk.document(hold="1001")
    await desk.document()
    async with desk.console().run_test(size=SIZE) as pilot:
        for text, number in (("1001 ×1", 5), ("local", 6), ("capture", 4), ("Activate", 7)):
            await pilot.press("1")
            await until(pilot, lambda text=text: text in screen(pilot))  # type: ignore[misc]
            rows = pilot.app.screen.query_one(RowsView)
            rows.cursor = next(y for y in range(rows.total) if text in str((rows.row_at(y) or {}).get("text")))
            await pilot.press("enter")
            await until(pilot, on(pilot, PAGES[number - 1]))


async def test_a_gateway_that_goes_is_said_without_a_key(desk: Desk) -> None:
    async with desk.console().run_test(size=SIZE) as pilot:
        await page(pilot, 2)
        await until(pilot, lambda: "0 of 0" in line(pilot, "count"))
        await desk.stop()
        await until(pilot, lambda: "GATEWAY DOWN" in line(pilot, "bar"))


async def test_the_count_of_all_is_asked_for_where_a_page_begins_with_a_search(desk: Desk) -> None:
    for number in ("1001", "1002", "1003"):
        await desk.row(number, "a@example.com")
    async with desk.console().run_test(size=SIZE) as pilot:
        await until(pilot, lambda: line(pilot, "explain") or True)
        desk.answering.clear()  # the list without a search never comes
        pilot.app.action_page(2)  # type: ignore[attr-defined]
        await until(pilot, lambda: isinstance(pilot.app.screen, Recipients) and pilot.app.screen.is_mounted)
        pilot.app.screen.look_for("1002")  # type: ignore[attr-defined]
        await until(pilot, lambda: pilot.app.screen.search == "1002")  # type: ignore[attr-defined]
        desk.answering.set()
        await until(pilot, lambda: "1 of 3" in line(pilot, "count"))


async def test_a_list_keeps_sixteen_pages(desk: Desk) -> None:
    await fill(desk, 1300)
    async with desk.console().run_test(size=SIZE) as pilot:
        await page(pilot, 2, 1300)
        rows = pilot.app.screen.query_one(RowsView)
        for place in range(0, 1300, 60):
            rows.cursor = place
            await until(pilot, lambda: rows.row is not None)
        assert len(rows._pages) <= 16


async def test_rows_are_asked_for_before_the_cursor_gets_there(desk: Desk) -> None:
    await fill(desk, 200)
    async with desk.console().run_test(size=SIZE) as pilot:
        await page(pilot, 2, 200)
        rows = pilot.app.screen.query_one(RowsView)
        rows.cursor = 50
        await until(pilot, lambda: 1 in rows._pages)
        desk.answering.clear()  # nothing more comes
        rows.cursor = 64
        assert rows.row is not None
        desk.answering.set()
