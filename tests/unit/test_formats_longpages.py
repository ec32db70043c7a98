"""Invoices of very many lines: set in parts, with every line once and in order, and the head and the sums once."""

from __future__ import annotations

import io
import re

import pikepdf
import pytest

from gateway.formats import longpages
from tests import pdf_text
from tests.invoices import SOURCE, invoice, line, pdf

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
    assert len(pages) >= 20


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
