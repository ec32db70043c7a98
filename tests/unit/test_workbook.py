"""Spreadsheets: what we write, the report into a workbook of others, and the small parts of reading."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from gateway.errors import Refused
from gateway.workbook import cells, headings, listing, model, report, sheet, writing
from tests.conftest import ROOT

LANGUAGES = ("en", "fr", "de", "sv")
OPTIONS = model.Options(type="invoice", types=("invoice", "order"), formats=("pdf", "ubl"), today="2026-03-02")
FORMULAS = ("=1+1", "+46 8", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "'=1")


def read(file: bytes) -> tuple[model.Summary, list[model.Finding], list[model.Listed]]:
    summary, frames = listing.read(file, OPTIONS)
    findings: list[model.Finding] = []
    start = 0
    for found, end in model.unpack(frames, model.Finding, 0, summary.finding_frames):
        findings += found
        start = end
    return summary, findings, [row for rows, _ in model.unpack(frames, model.Listed, start) for row in rows]


def xml_of(file: bytes, name: str = "xl/worksheets/sheet1.xml") -> str:
    with zipfile.ZipFile(io.BytesIO(file)) as package:
        return package.read(name).decode()


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# --- what we write ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_template_is_an_example_in_the_readers_language(language: str) -> None:
    file = writing.template(language, "invoice")
    made = load_workbook(io.BytesIO(file)).active
    assert made.title == headings.SHEET_NAMES[language]
    assert [cell.value.rstrip("*") for cell in made[1]] == [headings.WRITTEN[language][field] for field in model.FIELDS]
    assert [cell.value.endswith("*") for cell in made[1]] == [True, True, *[False] * 7]
    below = [row[0].value for row in made.iter_rows(min_row=2)]
    assert len(below) == 6
    assert all(value.startswith("#") for value in below)
    assert made.column_dimensions["A"].number_format == "@"
    assert {name: made.column_dimensions[name].width for name in "AB"} == {"A": 18, "B": 38}
    assert made["A1"].comment.text.splitlines()[0] == writing._CELL_NOTES[language]["number"]
    assert {"en": "Invoice", "fr": "Facture", "de": "Rechnung", "sv": "Faktura"}[language] in made["A1"].comment.text
    assert made.freeze_panes == "A2"
    assert (made.page_setup.orientation, made.sheet_properties.pageSetUpPr.fitToPage) == ("landscape", True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_template_as_it_is_has_no_row(language: str) -> None:
    with pytest.raises(Refused, match="no row with data"):
        read(writing.template(language))


def test_what_looks_like_a_formula_is_written_as_text() -> None:
    rows = [{"number": text, "email": [f"{text[0]}a@customer.example"], "cc": [], "name": text} for text in FORMULAS]
    file = writing.export(rows, "en")
    assert "<f>" not in xml_of(file)
    assert 't="inlineStr"' in xml_of(file)
    made = load_workbook(io.BytesIO(file)).active
    for row, text in zip(made.iter_rows(min_row=2), FORMULAS, strict=True):
        assert (row[0].value, row[0].data_type, row[0].number_format) == (text, "s", "@")
        assert row[3].value == text
    for line, text in zip(writing.export_csv(rows, "en").decode("utf-8-sig").splitlines()[1:], FORMULAS, strict=True):
        assert line.lstrip('"').startswith(f"'{text[:1]}")


def test_headings_are_bold_and_rows_are_not() -> None:
    made = load_workbook(io.BytesIO(writing.write_table([["a", "b"], ["c", "d"], ["e"]], "T"))).active
    assert [[cell.font.b for cell in row] for row in made.iter_rows(max_col=1)] == [[True], [False], [False]]
    assert [[cell.value for cell in row] for row in made] == [["a", "b"], ["c", "d"], ["e", None]]


def test_control_characters_of_a_list_do_not_stop_the_writing() -> None:
    made = load_workbook(io.BytesIO(writing.write_table([["a\x00b\x1bc\uffff"], [""]], "T"))).active
    assert made["A1"].value == "abc"


# --- the report ------------------------------------------------------------------------------------------


def said(sentences: dict[int, str], heading: int | None = 1, error_column: str | None = None) -> report.Said:
    return report.Said(sentences=sentences, heading=heading, error_column=error_column)


def test_the_report_is_the_same_workbook_with_a_column() -> None:
    source = (ROOT / "tests/golden/excel-40-libreoffice/list.xlsx").read_bytes()
    marked = report.mark(source, said({5: "A5: a <date> & more", 8: "A8: an error"}))
    old, new = zipfile.ZipFile(io.BytesIO(source)), zipfile.ZipFile(io.BytesIO(marked))
    with old, new:
        assert new.namelist() == old.namelist()
        assert [name for name in old.namelist() if new.read(name) != old.read(name)] == ["xl/worksheets/sheet1.xml"]
    column = [row[3].value for row in load_workbook(io.BytesIO(marked)).active.iter_rows()]
    assert column == ["Error", None, None, None, "A5: a <date> & more", None, None, "A8: an error", None]
    before, after = read(source), read(marked)
    assert after[1:] == before[1:]
    assert after[0].error_column == "D"


def test_the_report_leaves_the_other_sheets_alone() -> None:
    source = (ROOT / "tests/golden/excel-17-named-sheet/list.xlsx").read_bytes()
    marked = report.mark(source, said({1: "A1: x", 2: "A2: y", 3: "A3: z"}, heading=None))
    with zipfile.ZipFile(io.BytesIO(source)) as old, zipfile.ZipFile(io.BytesIO(marked)) as new:
        sheets = [name for name in old.namelist() if name.startswith("xl/worksheets/sheet")]
        assert len(sheets) > 1
        assert len([name for name in sheets if new.read(name) != old.read(name)]) == 1
    assert read(marked)[1:] == read(source)[1:]


def test_a_second_report_replaces_the_first() -> None:
    source = workbook(["customer_number", "Error", "email"], ["1", "B2: old", "x"], ["2", "B3: older", "b@b.example"])
    marked = report.mark(source, said({2: "C2: new"}, error_column="B"))
    rows = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(marked)).active]
    assert rows == [
        ["customer_number", None, "email", "Error"],
        ["1", None, "x", "C2: new"],
        ["2", None, "b@b.example", None],
    ]


def test_without_headings_the_import_passes_over_the_report() -> None:
    marked = report.mark(workbook(["1", "x"], ["2", "b@b.example"]), said({1: "B1: no address"}, heading=None))
    assert load_workbook(io.BytesIO(marked)).active["C1"].value == "# B1: no address"
    summary, findings, _ = read(marked)
    assert [finding.cell for finding in findings] == ["B1"]
    assert summary.errors == 1


def test_the_report_keeps_prefixes_and_counts_rows_that_have_no_number() -> None:
    source = (ROOT / "tests/golden/excel-26-strict/list.xlsx").read_bytes()
    marked = report.mark(source, said({4: "A4: wrong"}, heading=None))
    assert '<x:c r="C4" t="inlineStr"><x:is><x:t xml:space="preserve"># A4: wrong</x:t></x:is></x:c></x:row>' in xml_of(
        marked
    )
    assert read(marked)[1:] == read(source)[1:]


def test_a_csv_becomes_a_workbook() -> None:
    marked = report.mark(b"number;email\n1;x\n=2;b@b.example\n", said({2: "B2: no address"}))
    rows = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(marked)).active]
    assert rows == [["number", "email", "Error"], ["1", "x", "B2: no address"], ["=2", "b@b.example", None]]
    assert "<f>" not in xml_of(marked)


def test_a_sheet_in_another_encoding_has_no_report() -> None:
    source = workbook(["1", "x"])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                data = data.decode().encode("utf-16")
            new.writestr(name, data)
    assert read(out.getvalue())[0].errors == 1  # it is read all the same
    with pytest.raises(Refused, match="encoding"):
        report.mark(out.getvalue(), said({1: "B1: no address"}, heading=None))


# --- small parts of reading ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "text"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA"), (16384, "XFD")]
)
def test_letters(number: int, text: str) -> None:
    assert model.letters(number) == text
    assert model.column_of(text.lower()) == number


@pytest.mark.parametrize("text", ["", "A1", "XFE", "ÅA", "-"])
def test_letters_that_are_no_column(text: str) -> None:
    assert model.column_of(text) == 0


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("customer_number", "number"),
        ("#customer_number", "number"),
        ("  * Customer-Number : ", "number"),
        ("N° client", "number"),
        ("Nº de client", "number"),
        ("Numéro de client", "number"),
        ("NUME\u0301RO DE CLIENT", "number"),
        ("Kundennr.", "number"),
        ("Kund-ID", "number"),
        ("E_MAIL", "email"),
        ("Adresse électronique", "email"),
        ("E-Postadress", "email"),
        ("Kopia till", "cc"),
        ("Raison sociale", "name"),
        ("Språk", "language"),
        ("Gültig ab", "valid_from"),
        ("Giltig fr.o.m.", "valid_from"),
        ("Fehler", "error"),
        ("1001", None),
        ("a@customer.example", None),
        ("", None),
    ],
)
def test_headings(heading: str, field: str | None) -> None:
    assert headings.field_of(heading) == field


def test_every_heading_that_we_write_is_understood() -> None:
    for language, names in headings.WRITTEN.items():
        assert {headings.field_of(name) for name in names.values()} == {*model.FIELDS, "error"}
        assert headings.is_list_name(headings.SHEET_NAMES[language])


@pytest.mark.parametrize(
    ("number", "code", "is_date"),
    [
        (0, "General", False),
        (14, "General", True),
        (22, "", True),
        (47, "", True),
        (49, "@", False),
        (164, "yyyy\\-mm\\-dd", True),
        (165, "[h]:mm", True),
        (166, "0000000", False),
        (167, '#,##0.00 "dry"', False),
        (168, "[Red]-0;[Blue]0", False),
        (169, "_-* #,##0_h", False),
        (170, "0.00E+00", False),
        (171, "TT.MM.JJJJ", True),
    ],
)
def test_formats_that_show_dates(number: int, code: str, is_date: bool) -> None:
    assert cells.is_date_format(number, code) is is_date


@pytest.mark.parametrize(
    ("value", "since_1904", "day"),
    [
        ("46082", False, dt.date(2026, 3, 1)),
        ("44620.75", True, dt.date(2026, 3, 1)),
        ("2026-03-01T10:00:00", False, dt.date(2026, 3, 1)),
        ("0.5", False, None),
        ("1e9", False, None),
        ("x", False, None),
    ],
)
def test_days(value: str, since_1904: bool, day: dt.date | None) -> None:
    assert cells.date_of(cells.Cell("date", value, "General", since_1904)) == day


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("mailto:a@b.example", "a@b.example"),
        ("MAILTO: a%40b.example?subject=x", "a@b.example"),
        ("https://b.example", "https://b.example"),
        ("a@b.example", "a@b.example"),
    ],
)
def test_where_a_link_leads(target: str, address: str) -> None:
    assert sheet.address_of(target) == address


def test_one_link_over_a_column_warns_of_each_cell_once() -> None:
    one = listing.Listing(OPTIONS)
    one.take((n, {1: str(n), 2: f"a{n}@b.example"}) for n in range(1, 4))
    one.compare_links([("B1:B1048576", "mailto:a2@b.example")] * 3)
    summary, _ = one.result("")
    assert summary.warnings == 2


def test_columns_that_stand_in_one_are_named() -> None:
    with pytest.raises(Refused, match=r"All columns stand in one \('customer_number;email'\): part them"):
        read(workbook(["customer_number;email"], ["1;a@b.example"]))
    assert read(workbook(["1;a@b.example"]))[0].errors == 1  # may be a number, odd as it is


def test_a_cell_longer_than_a_spreadsheet_holds_is_an_error() -> None:
    lines = f"1;a@b.example;{'x' * 32_767}\n2;b@b.example;{'x' * 32_768}\n"
    _, findings, _ = read(f"number;email;name\n{lines}".encode())
    assert [(found.cell, found.code) for found in findings] == [("C2", "E-NAME"), ("C3", "E-LENGTH")]


def test_links_over_everything_are_compared_with_so_many_cells_only(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    compare = listing.Listing._compare_link
    monkeypatch.setattr(listing, "_LINKED_CELLS", 10)
    monkeypatch.setattr(
        listing.Listing, "_compare_link", lambda one, *given: (compared.append(given[0]), compare(one, *given))
    )
    one = listing.Listing(OPTIONS)
    one.take((n, {1: str(n), 2: "a@b.example"}) for n in range(1, 5))
    one.compare_links([("A1:XFD1048576", "mailto:a@b.example")] * 1000)
    assert compared == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]


def test_a_million_rows_are_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "ROW_LIMIT", 3)
    good = "".join(f"{number};a@b.example\n" for number in range(3))
    assert read(good.encode())[0].rows == 3
    with pytest.raises(Refused, match="more than 3 rows"):
        read((good + "4;a@b.example\n").encode())


def test_findings_beyond_the_limit_are_counted_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "FINDING_LIMIT", 3)
    summary, findings, _ = read(b"1;\n" * 5)
    assert (summary.errors, len(findings)) == (5, 3)


# --- anything at all -------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
ROWS = st.lists(st.lists(TEXT, max_size=4), max_size=6)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_any_text_in_any_cell_is_read_or_refused(rows: list[list[str]]) -> None:
    for file in (writing.write_table(rows, "T"), "\n".join(";".join(row) for row in rows).encode()):
        try:
            summary, findings, listed = read(file)
        except Refused:
            continue
        assert summary.errors + summary.warnings == len(findings)
        assert len(listed) <= summary.rows


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 20_000), st.integers(0, 255), st.sampled_from(["01-every-column", "12-links", "40-libreoffice"]))
def test_a_damaged_workbook_is_read_or_refused(place: int, value: int, name: str) -> None:
    data = bytearray((ROOT / f"tests/golden/excel-{name}/list.xlsx").read_bytes())
    data[place % len(data)] = value
    with contextlib.suppress(Refused):
        read(bytes(data))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 4000), st.binary(max_size=4))
def test_a_damaged_sheet_is_read_or_refused(place: int, piece: bytes) -> None:
    source = (ROOT / "tests/golden/excel-12-links/list.xlsx").read_bytes()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                at = place % len(data)
                data = data[:at] + piece + data[at + len(piece) :]
            new.writestr(name, data)
    for use in (read, lambda file: report.mark(file, said({1: "x"}))):
        with contextlib.suppress(Refused):
            use(out.getvalue())
