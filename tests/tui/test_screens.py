"""What the screens look like, at both sizes, in both languages and without colour: compared with files in `screens/`.

Each screen is there as text, which is read in the review, and as SVG, which shows colours and marks too.
`GOLDEN=write` writes them again; `PICTURES=docs/pictures` writes the pictures of the documentation.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from textual.pilot import Pilot

from gateway import settings
from gateway.admin import health
from gateway.store import schema
from tests.tui.conftest import Desk, line, screen, until
from tests.tui.pictures import colours, picture, told_by_colour
from tui import states, told, words
from tui.app import Console
from tui.conflict import Conflicted
from tui.dialogs import Ask, Confirm
from tui.field import Field
from tui.form import Form
from tui.pager import Pager
from tui.pages import PAGES
from tui.pages.batches import Batches
from tui.pages.importing import Importing
from tui.rows import RowsView

FOLDER = Path(__file__).parent / "screens"
PICTURES = os.environ.get("PICTURES")
PICTURED = {"home": 80, "recipients": 80, "form": 120, "document": 80, "held": 80, "settings": 80}  # columns

worker = pytest.mark.parametrize("desk", ["worker"], indirect=True)
sizes = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")

_CATALOGUE = words.catalogue("fr")
_FRENCH = "\n".join(_CATALOGUE.values())
_ENGLISH = [text for text in _CATALOGUE if len(text) > 3 and "{" not in text and text not in _FRENCH]  # "File" is both


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch, now: dt.datetime) -> Iterator[None]:
    """A clock that stands still in UTC, and a disk that is half full."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _path: _Disk(free=20 << 30, total=40 << 30))
    monkeypatch.setattr(states, "clock", lambda: now)
    yield
    monkeypatch.undo()
    time.tzset()


class _Disk(NamedTuple):
    free: int
    total: int


async def fill(desk: Desk) -> None:
    """A directory, a queue and something that needs a person."""
    await desk.row("1001", "facturation@kopare.se", cc=("compta@kopare.se",), name="Köpare AB", language="sv")
    await desk.row("1002", "norr@kopare.se", name="Köpare Norr AB", format="pdf")
    await desk.row("7", "regnskab@havnens-mobler.example", name="Havnens Møbler ApS")
    for number, hold in enumerate((None, "1003", "1003", "2040", None)):
        document = await desk.document(hold)
        values = {"number": f"F-2093{number}", "type": "invoice", "customer_number": hold or "1001"}
        if number == 4:  # the newest, which is opened
            values |= {"trace": TRACE, "reading": READING}
        await desk.store.write(_set, schema.document, document, values)


TRACE = [
    {"rule": "customer_number", "text": "customer number 1001", "result": "found", "where": "/CreditNote/cbc:ID"},
    {"rule": "customer_number", "text": "row 1001 for type invoice", "result": "found", "where": "directory"},
    {"rule": "customer_number", "text": "gives a@example.com", "result": "chosen"},
    {"rule": "document_address", "text": "address ap@kopare.se", "result": "found", "where": "/CreditNote/cbc:Contact"},
    {"rule": "document_address", "text": "would give ap@kopare.se", "result": "lost"},
]
READING = {
    **{"format": "ubl", "type": "invoice", "number": "F-20934", "issue_date": "2026-03-01", "due_date": "2026-03-31"},
    **{"customer_numbers": ["1001"], "seller": "Fabrique Éclair", "buyer": "Köpare AB", "currency": "EUR"},
    **{"payable": "1204.50", "language": "sv"},
}


def _set(connection: Any, table: sa.Table, id_: int, values: dict[str, Any]) -> None:
    connection.execute(sa.update(table).where(table.c.id == id_).values(values))


def same_every_time(text: str) -> str:
    """The text of a screen, or its picture, without ids."""
    text = re.sub(r"\b[0-9a-hjkmnp-tv-z]{13}\b", "0" * 13, text)
    return "\n".join(line.rstrip() for line in text.split("\n")) + "\n"


def left_over(text: str) -> list[str]:
    """The English texts that a French screen still says."""
    return [source for source in _ENGLISH if re.search(rf"(?<!\w){re.escape(source)}(?!\w)", text)]


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def matches(file: Path, shown: str) -> bool:
    """Whether the screen is the one in the file; writes it where that is asked for."""
    if os.environ.get("GOLDEN") == "write":
        write(file, shown)
    return file.exists() and file.read_text() == shown


async def walk(pilot: Pilot[Any]) -> AsyncIterator[str]:
    """Go through the screens; the name of each, when it is there."""
    for number, page in enumerate(PAGES, 1):
        await pilot.press(str(number))
        await until(pilot, lambda kind=page: isinstance(pilot.app.screen, kind))  # type: ignore[misc]
        await until(pilot, lambda: pilot.app.screen.query_one(RowsView).total and line(pilot, "explain").strip())
        yield page.__name__.lower()
    for tab in ("sending", "per-document", "templates"):
        await pilot.press("7" if tab == "sending" else "tab", *(["tab"] if tab == "sending" else []))
        await pilot.pause()
        await until(pilot, lambda: pilot.app.screen.query_one(RowsView).total)
        yield f"settings-{tab}"
    await pilot.press("2", "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, Form) and pilot.app.focused)
    yield "form"
    await pilot.press("f1")
    await until(pilot, lambda: isinstance(pilot.app.screen, Pager))
    yield "form-help"
    await pilot.press("escape", "ctrl+t")
    yield "form-advanced"
    await pilot.press("escape", "d")
    await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
    yield "delete"
    await pilot.press("n", "question_mark")
    await until(pilot, lambda: isinstance(pilot.app.screen, Pager))
    yield "help"
    await pilot.press("escape", "3", "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, Pager))
    yield "document"
    await pilot.press("escape", "4", "tab")
    await until(pilot, lambda: pilot.app.screen.query_one(RowsView).total == 1)
    yield "hops"
    await pilot.press("colon")
    await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
    yield "palette"
    await pilot.press("escape")


LISTS = {  # a list that can be imported, and one that cannot
    "import": "customer_number;email;name\n1001;nouveau@kopare.se;Köpare AB\n1002;norr@kopare.se;\n3000;k@å.example;\n",
    "import-errors": "customer_number;email;phone\n1001;facturation@;1\n;two@example.com;2\n1002;a@example.com;3\n",
}


async def walk_lists(desk: Desk, pilot: Pilot[Any], folder: Path) -> AsyncIterator[str]:
    """What a list would change, what is wrong with one, and the lists that were imported."""
    await pilot.press("2")
    for name, text in LISTS.items():
        file = folder / "clients.csv"
        file.write_text(text)
        await pilot.app.push_screen(Importing(file, "invoice"))
        await until(pilot, lambda: pilot.app.screen.query_one(RowsView).row and line(pilot, "message").strip())
        yield name
        await pilot.press(*(["enter", "y"] if name == "import" else ["escape"]))
        await until(pilot, lambda: isinstance(pilot.app.screen, PAGES[1]))
    await desk.store.write(lambda connection: connection.execute(sa.update(schema.batch).values(created_at=desk.now)))
    await pilot.press("B")
    await until(pilot, lambda: isinstance(pilot.app.screen, Batches) and pilot.app.screen.rows.row)
    yield "batches"
    await pilot.press("escape")


async def walk_trouble(desk: Desk, pilot: Pilot[Any]) -> AsyncIterator[str]:
    """Somebody else saved first, a role that may not, a gateway that is gone."""
    await until(pilot, lambda: isinstance(pilot.app.screen, PAGES[1]) and pilot.app.screen.query_one(RowsView).row)
    row = pilot.app.screen.query_one(RowsView).row
    assert row is not None
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, Form) and pilot.app.focused)
    pilot.app.screen.query_one("#field-email", Field).value = "moi@havnens-mobler.example"
    console = pilot.app
    assert isinstance(console, Console)
    theirs = {"email": "autre@havnens-mobler.example", "name": "Havnens"}
    await console.api.patch(f"/recipients/{row['id']}", theirs, row["version"])
    await pilot.press("ctrl+s")
    await until(pilot, lambda: isinstance(pilot.app.screen, Conflicted))
    yield "conflict"
    await pilot.press("escape", "escape", "y")
    await until(pilot, lambda: isinstance(pilot.app.screen, PAGES[1]))
    desk.roles = ("viewer",)
    console.look()
    await until(pilot, lambda: "(" in line(pilot, "keys"))
    await pilot.press("d")
    await until(pilot, lambda: "directory" in line(pilot, "message"))
    yield "role"
    await desk.stop()
    await pilot.press("r")
    await until(pilot, lambda: console.fault is not None and line(pilot, "message").strip())
    yield "down"


async def walk_all(desk: Desk, pilot: Pilot[Any], folder: Path) -> AsyncIterator[str]:
    """Every picture, one after the other."""
    for part in (walk(pilot), walk_lists(desk, pilot, folder), walk_trouble(desk, pilot)):
        async for name in part:
            await pilot.pause()
            yield name


@pytest.mark.usefixtures("still")
@worker
@pytest.mark.parametrize("language", words.LANGUAGES)
@sizes
async def test_golden_screens(desk: Desk, size: tuple[int, int], language: str, tmp_path: Path) -> None:
    await fill(desk)
    words.choose(language)
    wrong, folder = [], FOLDER / f"{size[0]}x{size[1]}-{language}"
    async with desk.console().run_test(size=size) as pilot:
        async for name in walk_all(desk, pilot, tmp_path):
            shown, drawn = same_every_time(screen(pilot)), same_every_time(picture(pilot.app))
            assert language == "en" or left_over(shown) == [], shown
            assert [*(each for rows in pilot.app.screen.query(RowsView) for each in told_by_colour(rows))] == []
            if not matches(folder / f"{name}.txt", shown):
                wrong.append(f"{name}:\n{shown}")
            elif not matches(folder / f"{name}.svg", drawn):
                wrong.append(f"{name}.svg: its colours or marks are others")
            if PICTURES and language == "en" and size[0] == PICTURED.get(name):
                write(Path(PICTURES, f"{name}.svg"), drawn)
    assert not wrong, "\n".join(wrong)


@pytest.mark.usefixtures("still")
@worker
@sizes
async def test_golden_screens_without_colour(
    desk: Desk, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR (no-color.org): every screen says the same words, and has no colour."""
    monkeypatch.setenv("NO_COLOR", "1")
    await fill(desk)
    wrong, folder = [], f"{size[0]}x{size[1]}-en"
    async with desk.console().run_test(size=size) as pilot:
        async for name in walk_all(desk, pilot, tmp_path):
            drawn = same_every_time(picture(pilot.app))
            assert colours(drawn) == set(), name
            assert same_every_time(screen(pilot)) == (FOLDER / folder / f"{name}.txt").read_text()
            if not matches(FOLDER / f"{folder}-no-color" / f"{name}.svg", drawn):
                wrong.append(name)
    assert wrong == []


def test_every_setting_has_a_label_and_a_translated_sentence() -> None:
    for setting in settings.SETTINGS:
        assert setting.help in told.SENTENCES
        names = [word for word in setting.key.split(".") if word not in ("TYPE", "LANG")]
        assert ".".join(names) in told.LABELS
