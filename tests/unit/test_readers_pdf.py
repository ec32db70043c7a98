"""Text PDFs: values, patterns, titles, pages. Whole documents are in tests/golden, broken ones in tests/hostile."""

from __future__ import annotations

import datetime as dt
import io
import time
from typing import Any

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from gateway.model import Pattern, ReadDocument
from gateway.readers import pdfvalues, read

Placed = tuple[float, float, str]  # mm from the left, mm from the top, text


def pdf(*pages: list[Placed]) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1)
    for page in pages:
        canvas.setFont("Helvetica", 10)
        for left, top, text in page:
            canvas.drawString(left * mm, A4[1] - top * mm, text)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def look(*lines: str | Placed, patterns: tuple[Pattern, ...] = ()) -> ReadDocument:
    placed = [(20.0, 20.0 + 8 * row, line) if isinstance(line, str) else line for row, line in enumerate(lines)]
    (document,) = read("", "", patterns, pdf(placed))
    return document


# --- values ---


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-03-04", "2026-03-04"),
        ("2026/3/4", "2026-03-04"),
        ("20260304", "2026-03-04"),
        ("04.03.2026", "2026-03-04"),
        ("4.3.26", "2026-03-04"),
        ("04-03-2026 and more", "2026-03-04"),
        ("14/03/2026", "2026-03-14"),
        ("03/14/2026", "2026-03-14"),
        ("04/04/2026", "2026-04-04"),
        ("03/04/2026", None),
        ("4 mars 2026", "2026-03-04"),
        ("1er février 2026", "2026-02-01"),
        ("4. März 2026", "2026-03-04"),
        ("4 maj 2026", "2026-05-04"),
        ("March 4, 2026", "2026-03-04"),
        ("Mar. 4th 2026", "2026-03-04"),
        ("31.02.2026", None),
        ("4 Brumaire 2026", None),
        ("tomorrow", None),
    ],
)
def test_dates(text: str, iso: str | None) -> None:
    assert pdfvalues.date(text) == iso


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("1.234,50 EUR", "1.234,50", "EUR"),
        ("EUR 1,234.50", "1,234.50", "EUR"),
        ("€ 12", "12", "EUR"),
        ("1 234,50 €", "1 234,50", "EUR"),
        ("£99.00", "99.00", "GBP"),
        ("SEK 1 250:00", "1 250:00", "SEK"),
        ("-12,50 CHF", "-12,50", "CHF"),
        ("1'234.50", "1'234.50", None),
        ("$5", "5", None),
        ("100 kr", "100", None),
        ("ABC 5", "5", None),
        ("free", None, None),
    ],
)
def test_amounts(text: str, amount: str | None, currency: str | None) -> None:
    assert (pdfvalues.amount(text), pdfvalues.currency(text)) == (amount, currency)


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("F-2026/17", "F-2026/17"),
        ("# 17.", "17"),
        ("2026 000 17", "2026 000 17"),
        ("17 of 18 pages", "17"),
        ("none", None),
        ("_17", None),
        ("", None),
    ],
)
def test_identifiers(text: str, identifier: str | None) -> None:
    assert pdfvalues.identifier(text) == identifier


# --- labels ---


@pytest.mark.parametrize(
    "line",
    [
        "Customer number: 0042",
        "CUSTOMER  NO. 0042",
        "Kundennummer0042",
        "N° client : 0042",
        "Kundnr 0042",
        "Kd.-Nr.: 0042",
    ],
)
def test_default_labels(line: str) -> None:
    expected = () if line == "Kundennummer0042" else ("0042",)
    assert look(line).customer_numbers == expected


def test_a_value_in_the_next_column_or_below() -> None:
    assert look((20, 30, "Customer number"), (90, 30, "K-1")).customer_numbers == ("K-1",)
    assert look((20, 30, "Customer number"), (20, 35, "K-2")).customer_numbers == ("K-2",)
    assert look((20, 30, "Customer number"), (90, 35, "K-3")).customer_numbers == ()
    assert look((20, 30, "Customer number"), (20, 60, "K-4")).customer_numbers == ()


def test_a_label_is_no_value() -> None:
    line = [(20, 30, "Invoice number"), (90, 30, "Customer no 2")]
    document = look(*line, (20, 35, "F-1"))
    assert (document.number, document.customer_numbers) == ("F-1", ("2",))


def test_all_customer_numbers_are_candidates() -> None:
    document = look("Customer number: 1", "Kundennummer: 2", "Customer number: 1")
    assert document.customer_numbers == ("1", "2")


def test_an_address_on_the_page_is_not_taken() -> None:
    assert look("Invoice 1", "E-mail: a@b.example", "Customer e-mail: c@d.example").emails == ()


def test_a_date_that_may_be_two_is_read_where_the_language_decides() -> None:
    assert look("Facture 1", "Date : 03/04/2026").issue_date == dt.date(2026, 4, 3)
    assert look("Invoice 1", "Invoice date: 03/04/2026").issue_date is None
    assert look("Invoice 1", "Invoice date: 03/14/2026").issue_date == dt.date(2026, 3, 14)


# --- patterns of a source ---


def test_a_regex_without_group_gives_its_match() -> None:
    document = look("Order K77 and K78", patterns=(Pattern(field="customer_number", regex=r"K\d+"),))
    assert document.customer_numbers == ("K77", "K78")


def test_a_regex_sees_lines_and_columns() -> None:
    pattern = Pattern(field="number", regex=r"^No  (\S+)$")
    document = look((20, 30, "No"), (90, 30, "A 1"), (20, 40, "No"), (90, 40, "B1"), patterns=(pattern,))
    assert document.number == "B1"


def test_a_regex_that_never_ends_is_left_out() -> None:
    evil = Pattern(field="customer_number", regex=r"(a|aa)+$")
    started = time.perf_counter()
    pages: list[list[Placed]] = [[(20.0, 30.0, "a" * 80 + "b"), (20.0, 40.0, "Invoice number 17")]] * 40
    (document,) = read("", "", (evil,), pdf(*pages))
    assert time.perf_counter() - started < 6
    assert (document.number, document.customer_numbers) == ("17", ())
    assert [note for note in document.notes if "took too long" in note] == list(document.notes)


def test_a_regex_that_is_none_is_left_out() -> None:
    document = look("Customer number 1", patterns=(Pattern(field="customer_number", regex="("),))
    assert document.customer_numbers == ()
    assert "is no regular expression" in document.notes[0]


def test_a_page_that_is_not_there_gives_nothing() -> None:
    pattern = Pattern(field="number", label=("No",), page=3)
    assert look("No 17", patterns=(pattern,)).number is None


def test_pages_are_counted_from_both_ends() -> None:
    pages = [[(20.0, 30.0, f"No {number}")] for number in range(1, 5)]

    def on(page: int | None) -> str | None:
        return read("", "", (Pattern(field="number", label=("No",), page=page),), pdf(*pages))[0].number

    assert [on(page) for page in (None, 1, 3, -1, -2)] == ["1", "1", "3", "4", "3"]


def test_an_area_limits_a_label() -> None:
    lines: list[Any] = [(20, 30, "No 1"), (120, 30, "No 2")]
    assert look(*lines, patterns=(Pattern(field="number", label=("No",), area=(100, 20, 200, 40)),)).number == "2"


def test_a_type_by_pattern() -> None:
    def kind(text: str) -> tuple[str, str | None]:
        document = look("Invoice", text, patterns=(Pattern(field="type", regex="Art: (.*)"),))
        return document.type, document.subtype

    assert kind("Art: reminder") == ("reminder", None)
    assert kind("Art: Gutschrift 5") == ("invoice", "credit_note")
    assert kind("Art: Postkarte") == ("other", None)


# --- titles ---


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["Invoice", "Order 17", "Delivery note 5"], "invoice"),
        (["Order 17", "Delivery note 5", "Invoice 3"], "invoice"),
        (["Invoice 3", "Payment reminder"], "reminder"),
        (["Order date 2026-01-01"], "other"),
        (["Bestellung: 17"], "other"),
        (["Order confirmation 17", "Order 17"], "order_response"),
        (["Lieferschein"], "despatch_advice"),
        (["Statement of account"], "statement"),
        (["Hello"], "other"),
    ],
)
def test_titles(lines: list[str], kind: str) -> None:
    assert look(*lines).type == kind


def test_a_title_at_the_foot_of_the_page_is_none() -> None:
    assert look((20, 280, "Invoice")).type == "other"


def test_the_number_in_a_title_is_the_last_resort() -> None:
    assert look("Credit note G-7").number == "G-7"
    assert look("Credit note G-7", "Credit note number: G-8").number == "G-8"


def test_an_encrypted_pdf_that_opens_without_a_password_is_read() -> None:
    pikepdf = pytest.importorskip("pikepdf")
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf([(20, 30, "Invoice 17")]))) as document:
        document.save(out, encryption=pikepdf.Encryption(user="", owner="secret"))
    assert read("", "", (), out.getvalue())[0].number == "17"


def test_a_long_document_is_read_in_time() -> None:
    page: list[Placed] = [(20.0, 20.0 + 4 * row, "one two three four five six") for row in range(60)]
    content = pdf(*[page] * 300)
    started = time.perf_counter()
    assert read("", "", (Pattern(field="number", label=("Nowhere",)),), content)[0].number is None
    assert time.perf_counter() - started < 10
