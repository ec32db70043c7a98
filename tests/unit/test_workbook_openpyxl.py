"""Workbooks of any kind, read by us and by openpyxl: the same text or a named error, never another number."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import warnings
import zipfile
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from gateway.errors import Refused
from gateway.workbook import listing, model
from gateway.workbook.cells import Cell, Content, Doubt, text_of, unescape
from gateway.workbook.package import Package
from gateway.workbook.sheet import Sheet

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
OPTIONS = model.Options(type="invoice", types=("invoice",), formats=("pdf",), today="2026-03-02")
FORMATS = ("General", "0000000", "@", "0.00", "yyyy-mm-dd", "[h]:mm", '0" d"', "000-000", "#,##0", "[Red]0;-0")

# --- workbooks of any kind -------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=8)
NUMBER = st.one_of(
    st.integers(-(10**18), 10**18).map(str),
    st.integers(0, 10**6).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**16), 10**16).map(lambda number: f"{number / 1000:.3f}"),
    st.sampled_from(
        ["1_000", "１２", "٣", "1.0", "+5", "1e15", "1E5", "-0", "00123", "999999999999999", "1000000000000000"]
    ),
)
NONE = st.sampled_from(["0x10", "1 ", ".5", "1e400", "NaN", "inf", "1,5", "1e1e1", "--1", "x", "1e-400"])
VALUES = {
    "n": st.integers(0, 60).flatmap(lambda odd: NUMBER if odd else NONE),
    "b": st.sampled_from(["0", "1"]),
    "e": st.sampled_from(["#N/A", "#REF!"]),
    "d": st.sampled_from(["2026-03-01", "2026-03-01T10:00:00", "10:00:00"]),
}
TEXTS = st.one_of(TEXT, NUMBER)
KIND = st.sampled_from(["", "", "n", "n", "str", "inlineStr", "s", "b", "e", "d", "x"])


@st.composite
def cells(draw: st.DrawFn) -> str:
    """A cell; COLUMN and ROW stand where its place is to come."""
    kind = draw(KIND)
    value = draw(VALUES.get(kind or "n", TEXTS))
    style = draw(st.integers(-1, len(FORMATS) - 1))
    place = draw(st.sampled_from([' r="COLUMNROW"'] * 60 + [""] * 3 + [' r="A7"', ' r="ROW"', ' r="$A$1"']))
    attributes = place + (f" t={quoteattr(kind)}" if kind else "") + (f' s="{style}"' if style >= 0 else "")
    formula = draw(st.sampled_from(["", "", "", "<f>A1</f>", "<f/>"]))
    if kind == "inlineStr":
        runs = draw(st.lists(TEXT, max_size=2))
        inside = f"<is>{item(value, runs)}</is>"
    elif kind == "s":
        inside = f"<v>{draw(st.sampled_from([0, 1, 2] * 20 + [-1, 3]))}</v>"
    else:
        inside = draw(st.sampled_from([f"<v>{escape(value)}</v>"] * 5 + ["", "<v/>"]))
    return f"<c{attributes}>{formula}{inside}</c>"


def item(text: str, runs: list[str]) -> str:
    if not runs:
        return f'<t xml:space="preserve">{escape(text)}</t>'
    return "".join(f"<r><t>{escape(run)}</t></r>" for run in runs) + '<rPh sb="0" eb="1"><t>read so</t></rPh>'


@st.composite
def workbooks(draw: st.DrawFn) -> bytes:
    """A workbook; now and then with a part missing or a relationship that leads nowhere."""
    rows = []
    for number, row in enumerate(draw(st.lists(st.lists(cells(), max_size=4), min_size=1, max_size=4)), 1):
        placed = [cell.replace("COLUMN", "ABCD"[at]).replace("ROW", str(number)) for at, cell in enumerate(row)]
        rows.append(
            f"<row{draw(st.sampled_from([f' r={chr(34)}{number}{chr(34)}'] * 6 + ['']))}>{''.join(placed)}</row>"
        )
    strings = [item(draw(TEXTS), draw(st.lists(TEXT, max_size=2))) for _ in range(3)]
    parts = parts_of("".join(rows), strings, draw(st.booleans()))
    damage = draw(st.sampled_from([None] * 60 + [*parts, "target", "id", "control"]))
    if damage in parts:
        del parts[damage]
    elif damage == "control":
        parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace("<v>", "<v>\x01", 1)
    elif damage is not None:
        old, new = {"target": ("sheet1.xml", "sheet9.xml"), "id": ('Id="r1"', 'Id="r7"')}[damage]
        parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(old, new)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return out.getvalue()


def parts_of(rows: str, strings: list[str], since_1904: bool) -> dict[str, str]:
    codes = "".join(f'<numFmt numFmtId="{164 + at}" formatCode={quoteattr(code)}/>' for at, code in enumerate(FORMATS))
    styles = "".join(f'<xf numFmtId="{164 + at}" fontId="0" fillId="0" borderId="0"/>' for at in range(len(FORMATS)))
    plain = "<fonts><font/></fonts><fills><fill><patternFill/></fill></fills><borders><border/></borders>"
    plain += '<cellStyleXfs><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    book = f'<workbookPr date1904="{int(since_1904)}"/><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets>'
    targets = (("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml"))
    kinds = (("workbook", "sheet.main"), ("worksheets/sheet1", "worksheet"), ("sharedStrings", "sharedStrings"))
    named = "".join(
        f'<Override PartName="/xl/{part}.xml" ContentType="{SHEET}.{kind}+xml"/>'
        for part, kind in (*kinds, ("styles", "styles"))
    )
    return {
        "[Content_Types].xml": f'<Types xmlns="{TYPES}"><Default Extension="xml" ContentType="a/b"/>{named}</Types>',
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}">{book}</workbook>',
        "xl/_rels/workbook.xml.rels": relations(*targets),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{"".join(f"<si>{text}</si>" for text in strings)}</sst>',
        "xl/styles.xml": (
            f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts>{plain}<cellXfs>{styles}</cellXfs></styleSheet>'
        ),
    }


def relations(*targets: tuple[str, str]) -> str:
    lines = (
        f'<Relationship Id="r{at}" Type="{DOCUMENT}/{kind}" Target="{to}"/>' for at, (kind, to) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}">{"".join(lines)}</Relationships>'


# --- both readers ----------------------------------------------------------------------------------------

Place = tuple[int, int]


def ours(file: bytes) -> dict[Place, Content] | None:
    """The cells by row and column; None when the workbook is refused."""
    try:
        rows = list(Sheet(Package(file)).rows())
    except Refused as refused:
        if refused.field != "file":
            raise
        return None
    return {(number, column): content for number, row in rows for column, content in row.items()}


def theirs(file: bytes) -> dict[Place, Any] | None:
    """The same by openpyxl; None when it gives up, in whatever way."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sheet = load_workbook(io.BytesIO(file), data_only=True).worksheets[0]
        return {
            (cell.row, cell.column): cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None
        }
    except Exception:
        return None


def said(content: Content) -> str | None:
    """The text that a list would take; None where it names an error instead."""
    try:
        return text_of(content)
    except Doubt:
        return None


def agrees(content: Content | None, value: Any) -> bool:
    """Whether our cell is openpyxl's value."""
    if content is None:
        return value in (None, "")
    if isinstance(content, str):
        return value is not None and content in (str(value), unescape(str(value)))
    if said(content) is None:
        return not (isinstance(content, Cell) and content.kind == "empty-formula" and value)
    return isinstance(value, (int, float)) and not isinstance(value, bool) and int(said(content) or "") == value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(workbooks())
def test_a_cell_is_what_openpyxl_reads_or_a_named_error(file: bytes) -> None:
    mine, other = ours(file), theirs(file)
    if mine is None or other is None:
        return
    for place in mine.keys() | other.keys():
        content, value = mine.get(place), other.get(place)
        assert agrees(content, value), (place, content, value)
        if isinstance(value, (dt.date, dt.time, dt.timedelta)):
            assert content is None or not isinstance(content, Cell) or said(content) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(workbooks())
def test_any_workbook_is_read_as_a_list_or_refused(file: bytes) -> None:
    with contextlib.suppress(Refused):
        summary, _ = listing.read(file, OPTIONS)
        assert summary.rows + summary.comments + summary.errors > 0


@pytest.mark.parametrize(
    "value", ["1_000", "１２", "٣", "0x10", " 1", "NaN", "inf", "-inf", "--1", "1e", "", "1e999999"]
)
def test_what_python_takes_for_a_number_and_xml_does_not_is_an_error(value: str) -> None:
    assert said(Cell("number", value)) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [("1", "1"), ("1.0", "1"), ("1E5", "100000"), ("+5", "5"), ("-7", "-7"), ("5.", "5"), ("1e14", "100000000000000")],
)
def test_whole_numbers_as_files_write_them(value: str, text: str) -> None:
    assert said(Cell("number", value)) == text
