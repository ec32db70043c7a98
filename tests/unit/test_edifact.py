"""EDIFACT: taking interchanges apart, what INVOIC says, and what cannot be written."""

from __future__ import annotations

import datetime as dt
import logging
import warnings
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydifact.segmentcollection import RawSegmentCollection

from gateway import formats
from gateway.en16931 import Identifier, Invoice, Note, PaymentMeans
from gateway.errors import Unconvertible, Unreadable
from gateway.formats import is_already
from gateway.formats.edifact import edifact_d96a
from gateway.model import Attachment, ReadDocument
from gateway.readers import read
from gateway.readers.edifact_groups import date_in, number
from gateway.readers.edifact_syntax import parse
from tests import invoices

GOLDEN = Path(__file__).parent.parent / "golden"
D96A = (GOLDEN / "reader-52-edifact-d96a/in.edi").read_bytes()
SOURCE = Attachment(name="F-1.xml", media_type="application/xml", content=b"<x/>")
OPTIONS = formats.Options(language="en", now=invoices.NOW)
BUYER = msgspec.structs.replace(invoices.BUYER, identifiers=(Identifier(value="4012345000009", scheme="0088"),))

TOTALS = invoices.invoice().totals


def invoice(**terms: Any) -> Invoice:
    return invoices.invoice(**({"buyer": BUYER} | terms))


def made(content: Invoice) -> tuple[bytes, tuple[str, ...]]:
    attachment = edifact_d96a.write(invoices.read(content), SOURCE, OPTIONS)
    return attachment.content, attachment.notes


def again(content: Invoice) -> Invoice:
    found = read("", "", (), made(content)[0])[0].invoice
    assert found is not None
    return found


def refusal(data: bytes) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read("", "", (), data)
    return caught.value


# --- the syntax --------------------------------------------------------------------------------------------


def test_a_release_character_makes_text_of_what_follows() -> None:
    segments = parse(b"UNB+UNOA:1+A?+?:?'??+B'FTX+AAI+++100?' a:?:b'").segments
    assert segments[0].at(1) == "A+:'?"
    assert segments[1].all(3) == ["100' a", ":b"]


def test_una_names_the_separators_and_blanks_are_no_release_character() -> None:
    segments = parse(b"UNA|*,# ~\r\nUNB*UNOC|3*X~\r\nMOA*77|1,5*#*#~~").segments
    assert (segments[0].at(0, 1), segments[1].at(0, 1), segments[1].at(1)) == ("3", "1,5", "*~")
    assert parse(b"UNA:+.  'UNB+UNOC:3+A B?'").segments[0].at(1) == "A B?"


@pytest.mark.parametrize(
    ("charset", "encoding", "text"),
    [
        ("UNOC", "iso-8859-1", "Åström"), ("UNOD", "iso-8859-2", "Łódź"), ("UNOE", "iso-8859-5", "Москва"),
        ("UNOF", "iso-8859-7", "Αθήνα"), ("UNOK", "iso-8859-9", "İzmir"), ("UNOY", "utf-8", "Łódź Αθήνα"),
        ("UNOW", "utf-8", "Åström"), ("UNOA", "cp1252", "Åström €"), ("UNOY", "cp1252", "’s"),
    ],
)  # fmt: skip
def test_characters_are_those_that_unb_names_or_windows(charset: str, encoding: str, text: str) -> None:
    interchange = parse(f"UNB+{charset}:3+{text}'".encode(encoding))
    assert interchange.segments[0].at(1) == text
    assert bool(interchange.notes) == (encoding == "cp1252")


def test_an_object_between_uno_and_unp_is_no_segment() -> None:
    segments = parse(b"UNB+UNOW:4+A'UNO+P1+1:Doc+13:application/pdf+9'a'b+c?:''UNP+9+P1'UNZ+0+1'").segments
    assert [segment.tag for segment in segments] == ["UNB", "UNO", "UNP", "UNZ"]
    assert segments[1].data == b"a'b+c?:''"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"UNT+102+1'", b"UNT+92+1'", "UNT counts 92, and there are 102"),
        (b"UNZ+1+REF1'", b"UNZ+2+REF1'", "UNZ counts 2, and there are 1"),
        (b"UNZ+1+REF1'", b"", "UNZ. is missing"),
        (b"UNT+102+1'", b"", "1 message headers .UNH. and 0 ends"),
        (b"UNZ+1+REF1'", b"UNZ+1+REF1", "last segment is cut off"),
        (b"CUX+2", b"cux+2", "'cux' is no segment"),
        (b"UNB+UNOC", b"XXX+UNOC", "does not start with UNB"),
    ],
)
def test_what_is_broken_or_cut_is_refused(old: bytes, new: bytes, words: str) -> None:
    assert old in D96A
    error = refusal(D96A.replace(old, new))
    assert error.cause == "malformed-edifact"
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(error.sentence)


def test_references_that_do_not_match_are_noted() -> None:
    (document,) = read("", "", (), D96A.replace(b"UNZ+1+REF1'", b"UNZ+1+OTHER'"))
    assert "UNZ ends OTHER, and what began is REF1." in document.notes


def test_another_message_is_no_invoice_and_an_interchange_with_two_gives_two() -> None:
    assert refusal(D96A.replace(b"INVOIC:D", b"ORDERS:D")).cause == "unknown-type"
    start, end = D96A.index(b"UNH"), D96A.index(b"UNZ")
    second = D96A[start:end].replace(b"2026-00815", b"2026-00816")
    both = D96A[:end] + second + b"UNZ+2+REF1'"
    assert [document.number for document in read("", "", (), both)] == ["2026-00815", "2026-00816"]


def theirs(data: bytes) -> list[tuple[str, list[list[str]]]]:
    """The segments as `pydifact` sees them."""
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = data.decode("iso-8859-1").replace("\r\n", "\n")
        found = RawSegmentCollection.from_str(text).segments
    logging.disable(logging.NOTSET)
    return [(each.tag, [[part] if isinstance(part, str) else list(part) for part in each.elements]) for each in found]


def ours(data: bytes) -> list[tuple[str, list[list[str]]]]:
    return [(each.tag, [list(element) for element in each.elements]) for each in parse(data).segments]


@pytest.mark.parametrize("file", [*GOLDEN.glob("*-edifact*/out.edi"), *GOLDEN.glob("reader-52-*/in.edi")], ids=str)
def test_another_library_takes_it_apart_as_we_do(file: Path) -> None:
    data = file.read_bytes()
    known = [each for each in theirs(data) if each[0] not in ("UNA", "UNB", "UNZ")]
    assert known == [each for each in ours(data) if each[0] not in ("UNB", "UNZ")]
    assert len(known) > 50


# --- INVOIC ------------------------------------------------------------------------------------------------


def test_dates_and_numbers() -> None:
    assert (
        date_in("20260815", "102") == date_in("202608150930", "203") == date_in("260815", "101") == dt.date(2026, 8, 15)
    )
    assert date_in("930815", "101") == dt.date(1993, 8, 15)
    assert (date_in("20260231", "102"), date_in("2026", "602"), date_in(None, None)) == (None, None, None)
    assert (number("1,5", "."), number("1.5", ","), number("-2", "."), number("2-", ".")) == (
        D("1.5"),
        D("1.5"),
        D(-2),
        D(-2),
    )
    assert (number("1.000,5", "."), number("", "."), number("x", ".")) == (None, None, None)


def test_what_cannot_be_read_is_noted() -> None:
    (document,) = read(
        "", "", (), D96A.replace(b"DTM+13:20260914", b"DTM+13:20260931").replace(b"MOA+9:1000.00", b"MOA+9:1,0.0")
    )
    assert (document.due_date, document.payable) == (None, None)
    assert "DTM+13 is '20260931', which is no date." in document.notes
    assert "MOA+9 is '1,0.0', which is no number." in document.notes


def test_the_sellers_own_address_is_never_the_buyers() -> None:
    (document,) = read("", "", (), D96A.replace(b"einkauf@lindner.example", b"Faktura@Nordvik.example"))
    assert document.emails == ("rechnung@lindner.example",)
    assert any("own address" in note for note in document.notes)


@pytest.mark.parametrize(
    ("term", "terms"),
    [
        ("BT-46", {"buyer": msgspec.structs.replace(invoices.BUYER, account_id=None)}),
        ("BT-1", {"number": "F" * 36}),
        ("BT-1", {"number": "Φ-1"}),
        ("BT-44", {"buyer": msgspec.structs.replace(BUYER, name="Ελληνική Εταιρεία")}),
        ("BT-114", {"totals": msgspec.structs.replace(TOTALS, rounding=D("0.01"), payable=D("125.01"))}),
        ("BT-151", {"lines": (invoices.line(1, vat_category="AE"),)}),
        ("BT-146", {"lines": (invoices.line(1, price=D("1.123456789012345")),)}),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_held(term: str, terms: dict[str, Any]) -> None:
    with pytest.raises(Unconvertible) as caught:
        made(invoice(**terms))
    assert caught.value.term == term


def test_characters_beyond_latin_1_are_named() -> None:
    data, notes = made(invoice(notes=(Note(text="Πληρωμή – “soon” 5 €"),)))
    assert b'- "soon" 5 EUR' in data
    assert any("“–” is written “-”" in note for note in notes)
    assert any("Πληρωμή" in note for note in notes)


def test_separators_in_texts_come_back() -> None:
    text = "It's 100 % + more: why? Don't ask"
    assert again(invoice(notes=(Note(text=text, subject="AAI"),))).notes == (Note(text=text, subject="AAI"),)
    assert again(invoice(number="F+1:2'3")).number == "F+1:2'3"


def test_a_line_whose_identifier_is_no_number_keeps_it() -> None:
    found = again(invoice(lines=(msgspec.structs.replace(invoices.line(1), id="1.2a"),)))
    assert found.lines[0].id == "1.2a"


def test_a_later_payment_means_becomes_the_wider_one_and_is_named() -> None:
    _, notes = made(invoice(payment=(PaymentMeans(code="58", account="DE02500105170137075030"),)))
    assert any("(BT-81); 58" in note for note in notes)
    assert again(invoice()).payment[0].code == "30"


def test_d96a_goes_as_it_came_and_other_directories_are_written_anew() -> None:
    documents: list[ReadDocument] = [
        read("", "", (), next(GOLDEN.glob(f"reader-5{number}-*/in.edi")).read_bytes())[0] for number in (2, 3, 4)
    ]
    assert [is_already(document, b"", "edifact-d96a") for document in documents] == [True, False, False]
