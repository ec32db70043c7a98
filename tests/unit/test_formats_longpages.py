"""Invoices of very many lines: every line once and in order, the head and the sums once, with little work."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Mapping
from decimal import Decimal as D
from typing import Any

import pikepdf
import pytest

from gateway import formats, resources
from gateway.en16931 import Line
from gateway.formats import glyphs, longpages
from gateway.formats import pdf as format_pdf
from gateway.formats.page import compose
from tests import pdf_text
from tests.invoices import NOW, SOURCE, invoice, line, pdf, read

LONG = 2 * longpages.ROWS + 1


@pytest.fixture(scope="module")
def long() -> bytes:
    return pdf(invoice(lines=tuple(line(number) for number in range(1, LONG + 1))), "fr")


@pytest.fixture(scope="module")
def pages(long: bytes) -> list[str]:
    return pdf_text.pages(long)


def test_every_line_is_there_once_and_in_order(pages: list[str]) -> None:
    assert re.findall(r"Article (\d+)", "\n".join(pages)) == [str(number) for number in range(1, LONG + 1)]


def test_pages_are_counted_through(pages: list[str]) -> None:
    assert [re.findall(r"Page \d+", page)[-1] for page in pages] == [f"Page {n}" for n in range(1, len(pages) + 1)]
    assert len(pages) >= 19


def test_head_and_sums_stand_once(pages: list[str]) -> None:
    assert ["N° client" in page for page in pages].index(True) == 0
    assert sum("N° client" in page for page in pages) == 1
    assert [number for number, page in enumerate(pages) if "Total TTC" in page] == [len(pages) - 1]
    assert all("Désignation" in page for page in pages if "Article" in page)
    assert all("Nordvik Skog AB" in page for page in pages)


def test_it_is_pdf_a_with_the_original_inside(long: bytes) -> None:
    with pikepdf.open(io.BytesIO(long)) as document:
        (attached,) = document.attachments.values()
        assert attached.get_file().read_bytes() == SOURCE.content
        assert len(document.Root.OutputIntents) == 1
        assert "/StructTreeRoot" not in document.Root
        assert f"<xmpTPg:NPages>{len(document.pages)}</".encode() in document.Root.Metadata.read_bytes()
        with document.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")


def test_the_same_gives_the_same_bytes(long: bytes) -> None:
    assert pdf(invoice(lines=tuple(line(number) for number in range(1, LONG + 1))), "fr") == long


def test_parts_hold_all_rows_and_no_more_than_are_set_at_once() -> None:
    for count in (longpages.ROWS + 1, 2 * longpages.ROWS, LONG):
        data = {"lines": {"rows": list(range(count)), "scale": 1}, "title": "x"}
        assert longpages.is_long(data)
        made = list(longpages.parts(data))
        assert [row for part in made for row in part["lines"]["rows"]] == list(range(count))
        assert max(len(part["lines"]["rows"]) for part in made) == longpages.ROWS
        assert [part["part"]["first"] for part in made] == [True] + [False] * (len(made) - 1)
        assert [part["part"]["last"] for part in made] == [False] * (len(made) - 1) + [True]
    assert not longpages.is_long({"lines": {"rows": [0] * longpages.ROWS}})


# --- rows drawn, not set ---------------------------------------------------------------------------------

NAMES = (
    "Axe AVANT To. Ty, “LAVA”",
    "Łódź – Żywiec, Ģ ķ",
    "Ελληνικά προϊόντα",
    "Кабель ВВГ 3x2.5 ->",
    "Très long nom d’article " * 6,
    "https://seller.example/" + "abcdefgh" * 9 + "/x",
    "Schrauben-Muttern-Unterlegscheiben-Satz " * 3,
    "a ONLY-IN-THE-SECOND-FONT b",
)


def various(number: int, second: str) -> Line:
    """A line like no other: several scripts, texts that wrap, figures of all lengths, and what stands below."""
    name = NAMES[number % len(NAMES)].replace("ONLY-IN-THE-SECOND-FONT", second)
    terms: dict[str, Any] = {"name": name, "seller_item_id": f"AV-{number}/T."}
    terms |= {"quantity": D(number) / 8, "price": D(number) / 4, "amount": D(number) * number / 32}
    if number % 3 == 0:
        terms["description"] = "Wall-mounted; type AV/Te 11.7 – 230 V, " * (number % 11 + 1)
    if number % 7 == 0:
        terms["price_base_quantity"] = D(100)
    if number % 5 == 0:
        terms |= {"vat_category": "E", "vat_rate": D(0), "note": "line one\nline two"}
    return line(number, **terms)


def data_of(lines: tuple[Line, ...]) -> dict[str, Any]:
    content = invoice(lines=lines)
    return compose(read(content), content, formats.Options(language="fr", now=NOW))


class Watched:
    """Typst, and how many rows it was given, and how often it was made to forget."""

    def __init__(self) -> None:
        own = format_pdf._typst(format_pdf._compiler().compile)
        self.rows = self.forgot = 0

        def page(data: Mapping[str, Any]) -> bytes:
            self.rows += len(data["lines"]["rows"])
            return own.page(data)

        def nothing() -> object:
            self.forgot += 1
            return own.nothing()

        self.typst = own._replace(page=page, nothing=nothing)


def test_drawn_rows_stand_where_typst_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    inter, noto = (glyphs.code_points(resources.read_bytes(name)) for name in glyphs.FONTS)
    second = next(chr(code) for code in sorted(noto - inter) if chr(code).isalpha())
    data = data_of(tuple(various(number, second) for number in range(1, longpages.ROWS + 2)))
    watched = Watched()
    drawn = longpages.joined(data, watched.typst)
    assert watched.rows < 40
    monkeypatch.setattr(longpages, "ROWS", len(data["lines"]["rows"]))
    with contextlib.ExitStack() as opened:
        whole = longpages._set_in_parts(data, watched.typst, opened)
    assert len(pikepdf.open(io.BytesIO(drawn)).pages) == len(pikepdf.open(io.BytesIO(whole)).pages)
    for page in (0, 1):
        ours, theirs = (
            sorted(
                (word for word in pdf_text.words(made, page) if word.bottom < 270),
                key=lambda word: (word.text, round(word.top), round(word.left)),
            )
            for made in (drawn, whole)
        )
        assert [word.text for word in ours] == [word.text for word in theirs]
        for a, b in zip(ours, theirs, strict=True):
            assert (a.left, a.right) == pytest.approx((b.left, b.right), abs=0.05), a.text  # millimetres
            assert (a.top, a.bottom) == pytest.approx((b.top, b.bottom), abs=0.02), a.text


@pytest.mark.parametrize("odd", [{"name": "n\u0308 o\u0331"}, {"description": "tall " * 250}], ids=["marks", "tall"])
def test_what_cannot_be_drawn_is_set_in_parts(odd: dict[str, str]) -> None:
    count = longpages.ROWS + 1
    lines = [line(number) for number in range(1, count)]
    watched = Watched()
    made = longpages.joined(data_of((*lines, line(count, **odd))), watched.typst)
    assert (watched.rows, watched.forgot > 0) == (count, True)
    assert re.findall(r"Article (\d+)", "\n".join(pdf_text.pages(made)))[: count - 1] == [
        str(number) for number in range(1, count)
    ]


def test_rows_that_end_with_a_page_leave_the_sums_for_the_next() -> None:
    first, usual = (len(re.findall(r"Article \d+", page)) for page in pdf_text.pages(pages_of(longpages.ROWS + 1))[:2])
    count = first + usual * (longpages.ROWS // usual)
    for more, on_last in ((0, usual), (1, 1)):
        made = pdf_text.pages(pages_of(count + more))
        assert sum(len(re.findall(r"Article \d+", page)) for page in made) == count + more
        assert len(re.findall(r"Article \d+", [page for page in made if "Article" in page][-1])) == on_last
        assert [number for number, page in enumerate(made) if "Total TTC" in page] == [len(made) - 1]


def pages_of(count: int) -> bytes:
    return longpages.joined(data_of(tuple(line(number) for number in range(1, count + 1))), Watched().typst)
