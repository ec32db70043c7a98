"""CSV: every term has its column or is named, numbers stay numbers, and no text becomes a formula."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import formats
from gateway.en16931 import AllowanceCharge, Identifier, Invoice, Line, Note, Party, PaymentMeans, Reference, Totals
from gateway.errors import Unconvertible
from gateway.formats.csvcolumns import DOCUMENT, LINE
from gateway.formats.csvlines import BETWEEN, csv_lines, guarded, unguarded
from gateway.model import ReadDocument
from tests import invoices

OPTIONS = formats.Options(language="en", now=invoices.NOW)
FORMULA = re.compile(r"[=+\-@\t\r＝＋－＠]")


def rows(content: Invoice) -> list[dict[str, str]]:
    """The rows as Python's csv reads them."""
    made = csv_lines.write(invoices.read(content), invoices.SOURCE, OPTIONS)
    assert made.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(made.content.decode("utf-8-sig"), newline=""), strict=True))


def test_a_row_for_each_line_with_the_document_on_each() -> None:
    lines = (invoices.line(1), invoices.line(2, name="Éclairage", quantity=D("-2.50"), amount=D("-250.00")))
    first, second = rows(invoices.invoice(lines=lines, type_code="381"))
    assert first["Invoice number"] == second["Invoice number"] == "F-1042"
    assert first["Invoice type code"] == "381"
    assert first["Payment due date"] == "2026-12-20"
    assert second["Invoiced quantity"] == "-2.50"
    assert (second["Invoice line net amount"], second["Item name"]) == ("-250.00", "Éclairage")


@pytest.mark.parametrize("text", ["1E+3", "0.10", "-1234567890123456.123456789", "100", "0.000", "-0.00", "1E-7"])
def test_amounts_stand_as_they_are_written_and_unquoted(text: str) -> None:
    content = invoices.invoice(totals=Totals(payable=D(text)))
    assert rows(content)[0]["Amount due for payment"] == f"{D(text):f}"
    assert f",{D(text):f},".encode() in csv_lines.write(invoices.read(content), invoices.SOURCE, OPTIONS).content


def test_several_values_stand_in_one_cell_in_the_order_of_their_neighbours() -> None:
    means = (PaymentMeans(code="30", account="1"), PaymentMeans(code="58", account="2", bic="XXXXSESS"))
    notes = (Note(text="a"), Note(text="b", subject="AAI"))
    (row,) = rows(invoices.invoice(payment=means, notes=notes))
    assert row["Payment means type code"].split(BETWEEN) == ["30", "58"]
    assert row["Payment service provider identifier"].split(BETWEEN) == ["", "XXXXSESS"]
    assert row["Invoice note subject code"].split(BETWEEN) == ["", "AAI"]


def test_allowances_charges_and_vat_say_all_they_are_made_of() -> None:
    entry = AllowanceCharge(is_charge=False, amount=D("5.00"), base=D("100.00"), percent=D(5), vat_category="S")
    full = msgspec.structs.replace(entry, is_charge=True, vat_rate=D(25), reason="Freight", reason_code="FC")
    (row,) = rows(
        invoices.invoice(allowances_charges=(entry, full), lines=(invoices.line(1, allowances_charges=(entry,)),))
    )
    assert row["Document level allowances and charges"] == (
        "allowance 5.00; 5 % of 100.00; VAT S | charge 5.00; 5 % of 100.00; VAT S 25 %; Freight [FC]"
    )
    assert row["Invoice line allowances and charges"] == "allowance 5.00; 5 % of 100.00; VAT S"
    assert row["VAT breakdown"] == "VAT S 25 %; 25.00 on 100.00"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("x")', '\'=HYPERLINK("x")'),
        ("+46 90", "'+46 90"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("＝1+1", "'＝1+1"),
        ("'=1", "''=1"),
        ("a;=1", "a;'=1"),  # where Excel separates by ;
        ('a;"=1;', "a;\"'=1;"),
        ("a\n=1", "a\n'=1"),
        ("Nuts, -20 %", "Nuts, -20 %"),
        ("rock 'n' roll", "rock 'n' roll"),
        ("a-b=c", "a-b=c"),
    ],
)
def test_what_a_spreadsheet_would_take_for_a_formula_has_an_apostrophe(text: str, cell: str) -> None:
    assert guarded(text) == cell
    assert unguarded(cell) == text
    (row,) = rows(invoices.invoice(buyer_reference=text, lines=(invoices.line(1, name=text),)))
    assert row["Buyer reference"] == row["Item name"] == cell


_HOSTILE = st.text(st.one_of(st.sampled_from("=+-@\t\r\n'\",; |＝0a"), st.characters(exclude_categories=["Cs"])))


@settings(max_examples=300, deadline=None)
@given(_HOSTILE, st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_any_text_comes_back_and_none_is_a_formula(text: str, amount: D) -> None:
    content = invoices.invoice(
        seller=msgspec.structs.replace(invoices.SELLER, trading_name=text),
        lines=(invoices.line(1, note=text, amount=amount),),
    )
    (row,) = rows(content)
    assert unguarded(row["Seller trading name"]) == unguarded(row["Invoice line note"]) == text
    assert D(row["Invoice line net amount"]) == amount
    for separator in ("\0", ";", ","):  # as one cell, and as the Excel of any country cuts it
        for cell in row["Seller trading name"].split(separator):
            assert not FORMULA.match(cell.lstrip('"'))


def test_every_term_has_a_column_or_is_named() -> None:
    """What the model holds and no column has: what names a profile, and what has no term."""
    assert without_column(Invoice, {column.path for column in DOCUMENT}) == {"specification", "process", "extensions"}
    assert without_column(Line, {column.path for column in LINE}) == set()
    for kind, path in ((PaymentMeans, "payment"), (Note, "notes"), (Reference, "supporting")):
        held = {column.path.removeprefix(f"{path}.") for column in DOCUMENT if column.path.startswith(f"{path}.")}
        lacks = {"card_network", "date", "file_name", "media_type", "size", "content"}  # no term; a preceding invoice's
        assert without_column(kind, held) <= lacks
    titles = [column.title for column in (*DOCUMENT, *LINE)]
    assert len(set(titles)) == len(titles)
    assert not any(FORMULA.match(title) for title in titles)


def without_column(kind: type[msgspec.Struct], paths: set[str]) -> set[str]:
    heads = {path.partition(".")[0] for path in paths} | {"lines"}
    return set(kind.__struct_fields__) - heads


def test_every_column_leads_to_a_place_of_the_model() -> None:
    """A whole invoice, of which each attribute holds its own path: every cell says its place."""
    content = filled(Invoice, "")
    made = csv_lines.write(ReadDocument(format="ubl", invoice=content), invoices.SOURCE, OPTIONS)
    (row,) = csv.DictReader(io.StringIO(made.content.decode("utf-8-sig"), newline=""))
    for column in DOCUMENT:
        if column.path not in ("vat", "allowances_charges"):
            assert row[column.title] in (column.path, "1", "2026-01-01"), column
    for column in LINE:
        if column.path != "allowances_charges":
            assert row[column.title] in (f"lines.{column.path}", "1", "2026-01-01", "lines: lines"), column


def filled(kind: Any, path: str) -> Any:
    """A struct in which every text is the path to it, every number 1 and every date the same."""
    values: dict[str, Any] = {}
    for field in msgspec.inspect.type_info(kind).fields:
        values[field.name] = value_of(field.type, f"{path}.{field.name}".lstrip("."))
    return kind(**values)


def value_of(kind: Any, path: str) -> Any:
    kinds = getattr(kind, "types", (kind,))
    for each in kinds:
        name = type(each).__name__
        if name == "StructType":
            return filled(each.cls, path)
        if name == "VarTupleType":
            return (value_of(each.item_type, path),)
        if name == "TupleType":
            return (path.partition(".")[0],) * 2
        simple = {"StrType": path, "DecimalType": D(1), "DateType": dt.date(2026, 1, 1), "BoolType": True, "IntType": 1}
        if name in simple | {"BytesType": b""}:
            return simple.get(name, b"")
    raise AssertionError((path, kinds))


def test_files_have_no_place() -> None:
    document = Reference(id="DOC-1", file_name="hours.pdf", content=b"%PDF", size=4)
    made = csv_lines.write(invoices.read(invoices.invoice(supporting=(document,))), invoices.SOURCE, OPTIONS)
    assert made.notes == ("CSV has no place for files (BT-125); hours.pdf was left out.",)
    assert made.name == "F-1042.csv"


def test_what_has_no_term_is_named() -> None:
    payee = Party(name="Bank", identifiers=(Identifier(value="1"),), vat_id="SE1")
    made = csv_lines.write(invoices.read(invoices.invoice(payee=payee)), invoices.SOURCE, OPTIONS)
    assert made.notes == ("EN 16931 has no place for more of the payee: VAT number.",)


@pytest.mark.parametrize(
    ("term", "terms"),
    [
        ("BT-1", {"number": None}),
        ("BG-25", {"lines": ()}),
        ("BT-5", {"currency": None}),
        ("BT-27", {"seller": Party()}),
    ],
)
def test_without_these_there_is_nothing_to_import(term: str, terms: dict[str, Any]) -> None:
    with pytest.raises(Unconvertible, match=r"CSV needs the .*\.") as refusal:
        csv_lines.write(invoices.read(invoices.invoice(**terms)), invoices.SOURCE, OPTIONS)
    assert refusal.value.term == term


def test_an_order_is_no_invoice() -> None:
    with pytest.raises(Unconvertible, match="this is order") as refusal:
        csv_lines.write(ReadDocument(format="ubl", type="order"), invoices.SOURCE, OPTIONS)
    assert refusal.value.term == "type"
