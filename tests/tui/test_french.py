"""No English is left on a screen in another language."""

from __future__ import annotations

import re

import pytest

from gateway import settings
from tests.tui.conftest import Desk, screen, until
from tui import told, words
from tui.form import Form
from tui.pager import Pager
from tui.pages import PAGES
from tui.rows import RowsView

_FRENCH = "\n".join(words.catalogue("fr").values())
_ENGLISH = [  # "File" is a French word too
    source
    for source in words.catalogue("fr")
    if source and "{" not in source and len(source) > 3 and source not in _FRENCH
]


def left_over(text: str) -> list[str]:
    """The English texts that a French screen still says."""
    return [source for source in _ENGLISH if re.search(rf"(?<!\w){re.escape(source)}(?!\w)", text)]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_pages_speak_french(desk: Desk, size: tuple[int, int]) -> None:
    await desk.row("1001", "kund@example.com")
    await desk.document()
    await desk.document(hold="1002")
    words.choose("fr")
    async with desk.console().run_test(size=size) as pilot:
        for number, page in enumerate(PAGES, 1):
            await pilot.press(str(number))
            await until(pilot, lambda kind=page: isinstance(pilot.app.screen, kind))  # type: ignore[misc]
            await until(pilot, lambda: pilot.app.screen.query_one(RowsView).total)
            assert left_over(screen(pilot)) == [], page
            await pilot.press("question_mark")
            await until(pilot, lambda: isinstance(pilot.app.screen, Pager))
            assert left_over(screen(pilot)) == [], page
            await pilot.press("escape")
        for tab in range(4):
            await pilot.press("7", *["tab"] * tab)
            await pilot.pause()
            assert left_over(screen(pilot)) == []
        await pilot.press("2", "a")
        await until(pilot, lambda: isinstance(pilot.app.screen, Form))
        assert left_over(screen(pilot)) == []
        await pilot.press("ctrl+t")
        assert left_over(screen(pilot)) == []


def test_every_setting_has_a_label_and_a_translated_sentence() -> None:
    for setting in settings.SETTINGS:
        assert setting.help in told.SENTENCES
        words_ = [word for word in setting.key.split(".") if word not in ("TYPE", "LANG")]
        assert ".".join(words_) in told.LABELS
