"""`gateway.formats.glyphs`: what our fonts can show, and what happens to the rest."""

import pytest

from gateway import resources
from gateway.formats import glyphs
from gateway.formats.glyphs import BREAK, Page


@pytest.mark.parametrize("text", ["ÀÉßøåÆŒ", "ŁódźČžőțİ", "Ελληνικά", "Кириллица Ґґ", "€£₺₴₹№°²½–„“”…", "Tiếng Việt"])
def test_the_fonts_cover_the_scripts_of_europe(text):
    assert set(text) - {" "} <= glyphs.showable()


def test_the_code_points_are_those_of_the_fonts_tables():
    inter, noto = (glyphs.code_points(resources.read_bytes(name)) for name in glyphs.FONTS)
    assert (len(inter), len(noto)) == (2849, 2840)
    assert {0x25A1, 0xFFFD} & inter == {0x25A1}
    assert {0x25A1, 0xFFFD} & noto == {0xFFFD}
    assert 0x682A not in inter | noto


def test_what_has_no_glyph_is_replaced_and_remembered_once():
    page = Page()
    assert page.text("株式会社 Ålesund 株") == "□□□□ Ålesund □"
    assert "".join(page.missing) == "株式会社"


def test_controls_joiners_and_direction_overrides_go():
    assert Page().text("a\x00b\x1b[2J\u202e00.1\u2066c\u200dd\ufefe\r\n\te") == "ab[2J00.1cd\n e"
    assert Page().text("cafe\u0301") == "café"


def test_long_words_may_break_and_short_ones_not():
    assert Page().text("short words only here", 8) == "short words only here"
    assert Page().text("x" * 14, 12) == BREAK.join(["x" * 6, "x" * 6, "x" * 2])
    assert BREAK not in Page().text("two\nlines", 6)


def test_fonts_come_with_their_licences():
    folder = resources.path("fonts")
    assert sum(file.stat().st_size for file in folder.iterdir()) < 2 << 20
    for font in glyphs.FONTS:
        licence = (folder.parent / font.replace(".ttf", "-LICENSE.txt")).read_text()
        assert "SIL OPEN FONT LICENSE Version 1.1" in licence
