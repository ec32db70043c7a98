"""Fields beside a dropped file: sidecars, file names, sub-folders, and how they come together."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.intake import sidecar
from gateway.model import Fields

ALL = {
    "customer_number": "001001",
    "emails": "a@example.com;b@example.com",
    "cc": "c@example.com",
    "type": "invoice",
    "number": "F-7",
    "issue_date": "2026-05-31",
    "format": "pdf",
    "language": "fr",
}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (
            "x.json",
            b'{"customer_number": "001001", "emails": ["a@example.com", "b@example.com"], "cc": "c@example.com",'
            b' "type": "invoice", "number": "F-7", "issue_date": "2026-05-31", "format": "pdf", "language": "fr"}',
        ),
        (
            "x.csv",
            b"customer_number,emails,cc,type,number,issue_date,format,language\r\n"
            b"001001,a@example.com;b@example.com,c@example.com,invoice,F-7,2026-05-31,pdf,fr\r\n",
        ),
        (
            "x.xml",
            b'<?xml version="1.0" encoding="ISO-8859-1"?><doc xmlns="urn:x"><customer-number>001001</customer-number>'
            b"<emails>a@example.com</emails><emails>b@example.com</emails><cc>c@example.com</cc><type> invoice </type>"
            b"<number><![CDATA[F-7]]></number><issue_date>2026-05-31</issue_date><format>pdf</format>"
            b"<language>fr</language><!-- no more --></doc>",
        ),
    ],
)
def test_each_kind_of_sidecar_gives_every_field(name: str, data: bytes) -> None:
    assert sidecar.read(name, data) == ALL
    fields = sidecar.combine(("sidecar", sidecar.read(name, data)))
    assert fields == Fields(
        customer_number="001001",
        emails=("a@example.com", "b@example.com"),
        cc=("c@example.com",),
        type="invoice",
        number="F-7",
        issue_date=dt.date(2026, 5, 31),
        format="pdf",
        language="fr",
        origin=tuple((field, "sidecar") for field in ALL),
    )


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"customer_number;number\n1;Zo\xeb\n", "Zoë"),
        ("customer_number\tnumber\n1\tZoë\n".encode("utf-8-sig"), "Zoë"),
        (b'Customer Number,number\n1,"a, ""b"""\n\n', 'a, "b"'),
        (b"customer_number;number\r1;x\r", "x"),
    ],
)
def test_csv_in_its_dialects(data: bytes, value: str) -> None:
    assert sidecar.read("x.csv", data) == {"customer_number": "1", "number": value}


def test_json_numbers_keep_their_digits_and_nulls_say_nothing() -> None:
    assert sidecar.read("x.JSON", b'\xef\xbb\xbf{"customer_number": 1001, "number": null, "cc": ""}') == {
        "customer_number": "1001"
    }


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("x.json", b"{", "It is no JSON in UTF-8"),
        ("x.json", b"\xff", "It is no JSON in UTF-8"),
        ("x.json", b"[" * 60_000, "It is no JSON in UTF-8: too deep"),
        ("x.json", b"[]", "Its JSON is no object with one member per field."),
        ("x.json", b'{"number": 1.5}', 'Its field "number" is neither text nor a whole number.'),
        ("x.json", b'{"number": true}', 'Its field "number" is neither text nor a whole number.'),
        ("x.json", b'{"emails": [1]}', 'Its field "emails" is neither text nor a whole number.'),
        ("x.json", b'{"number": "1", "Number": "2"}', 'It is no JSON in UTF-8: "Number" stands twice.'),
        ("x.json", b'{"custmer_number": "1"}', 'It has the unknown field "custmer_number"; did you mean customer_nu'),
        ("x.json", b'{"zzz\\n": "1"}', 'It has the unknown field "zzz"; known are customer_number, emails'),
        ("x.json", b" " * 65537, "A sidecar may have 64 KiB, this one has 64."),
        ("x.csv", b"", "A CSV sidecar has a header row and one row, this one has 0 rows."),
        ("x.csv", b"number\n1\n2\n", "A CSV sidecar has a header row and one row, this one has 3 rows."),
        ("x.csv", b"number;type\n1\n", "Its header has 2 columns, its row 1."),
        ("x.csv", b"number;number\n1;2\n", "Its header names a column twice."),
        ("x.csv", b'number\n"1\n', "It is no CSV"),
        ("x.xml", b"<a><number>1</number>", "It is no well-formed XML"),
        ("x.xml", b"<a><number>1</number><number>2</number></a>", 'Its field "number" stands twice.'),
        ("x.xml", b"<a><number><b>1</b></number></a>", "It is no flat list of elements."),
        ("x.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a><number>&b;</number></a>", "It is no flat list of elements."),
        ("x.xml", b'<?xml version="1.0" encoding="utf-7"?><a/>', "It is no well-formed XML"),
        (
            "x.xml",
            b"<a><numbr>1</numbr><type>order</type></a>",
            'It has the unknown field "numbr"; did you mean number',
        ),
    ],
)
def test_a_wrong_sidecar_says_what_is_wrong(name: str, data: bytes, sentence: str) -> None:
    with pytest.raises(Refused) as caught:
        sidecar.read(name, data)
    assert caught.value.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("type", "invoise", "'invoise' is no document type; did you mean invoice?"),
        ("type", "any", "'any' is no document type"),
        ("issue_date", "31.2.2026", '"31.2.2026" is no date such as 2026-05-31.'),
        ("language", "fra", '"fra" is no two-letter code of ISO 639-1.'),
        ("format", "../x", '"../x" is no name of a format.'),
        ("emails", "a@example.com; nonsense", "'nonsense' is not an e-mail address"),
        ("email", ";", "there is no address in it."),
        ("cc", ";".join(["a@example.com"] * 101), "101 addresses are more than 100."),
        ("number", "x" * 201, "is empty, longer than 200 characters or has control characters."),
        ("customer_number", "1\r\nBcc: x", "is empty, longer than 200 characters or has control characters."),
    ],
)
def test_a_wrong_value_names_its_field_and_place(field: str, text: str, sentence: str) -> None:
    with pytest.raises(Refused) as caught:
        sidecar.combine(("sidecar x.json", {field: text}))
    assert caught.value.field == field
    assert caught.value.sentence.startswith(f"Sidecar x.json gives a wrong {field}: ")
    assert sentence in caught.value.sentence


@pytest.mark.parametrize(("text", "value"), [("Order-Response", "order_response"), (" INVOICE ", "invoice")])
def test_types_are_found_in_any_spelling(text: str, value: str) -> None:
    assert sidecar.combine(("x", {"type": text})).type == value


@pytest.mark.parametrize("text", ["2026-05-31", "20260531", "31.05.2026", "31/05/2026"])
def test_dates_are_read_in_the_spellings_of_file_names(text: str) -> None:
    assert sidecar.combine(("x", {"issue_date": text})).issue_date == dt.date(2026, 5, 31)


def test_the_first_to_say_a_field_wins_and_each_keeps_its_origin() -> None:
    fields = sidecar.combine(
        ("sidecar", {"customer_number": "1"}),
        ("file name", {"customer_number": "2", "email": "n@example.com"}),
        ("folder", {"customer_number": "3", "type": "order"}),
    )
    assert (fields.customer_number, fields.emails, fields.type) == ("1", ("n@example.com",), "order")
    assert fields.origin == (("customer_number", "sidecar"), ("emails", "file name"), ("type", "folder"))


def test_email_and_emails_together_are_refused() -> None:
    with pytest.raises(Refused, match="both email and emails"):
        sidecar.combine(("x", {"email": "a@example.com", "emails": "b@example.com"}))


def test_sub_folders_are_type_and_customer() -> None:
    assert sidecar.from_folders(()) == {}
    assert sidecar.from_folders(("invoice",)) == {"type": "invoice"}
    assert sidecar.from_folders(("invoice", "1001")) == {"type": "invoice", "customer_number": "1001"}


def test_named_groups_of_the_file_name_are_fields() -> None:
    pattern = r"^(?P<type>[a-z]+)-(?P<number>\w+)(-(?P<language>..))?\.pdf$"
    assert sidecar.from_name(pattern, "invoice-7.pdf") == {"type": "invoice", "number": "7"}
    assert sidecar.from_name(pattern, "other.pdf") == {}
    assert sidecar.from_name(None, "invoice-7.pdf") == {}


def test_a_pattern_that_explodes_is_stopped() -> None:
    with pytest.raises(Refused, match="takes too long"):
        sidecar.from_name(r"^(?P<number>(a|aa)+)$", "a" * 60 + "!")


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("(", "file_name is no regular expression: "),
        ("x", "file_name has no named group; such are customer_number, "),
        ("(?P<numbr>x)", "file_name has the group numbr, which is no field; did you mean number?"),
    ],
)
def test_a_wrong_pattern_is_refused_at_start(pattern: str, sentence: str) -> None:
    with pytest.raises(Refused) as caught:
        sidecar.check_pattern(pattern)
    assert caught.value.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("data", "flat"),
    [
        (b"<a><number>1</number></a>", True),
        (b"<a><number>1</number><unknown/></a>", True),
        (b"<a><number>1</number><oops", True),  # a damaged sidecar is still one
        (b"<a><unknown>1</unknown></a>", False),
        (b"<a/>", False),
        (b"no xml", False),
        (b"<Invoice><ID>1</ID><Party><Name>x</Name></Party></Invoice>", False),
        (b"<number>1</number>", False),
        (b"<!DOCTYPE a><a><number>1</number></a>", False),
        (b"<a><number>1</number></a>" + b" " * 65536, False),
    ],
)
def test_what_xml_is_a_sidecar(data: bytes, flat: bool) -> None:
    assert sidecar.is_flat_xml(data) is flat


@given(st.sampled_from(("x.json", "x.csv", "x.xml")), st.binary(max_size=300))
def test_whatever_bytes_come_they_are_fields_or_refused(name: str, data: bytes) -> None:
    sidecar.is_flat_xml(data)
    try:
        raw = sidecar.read(name, data)
        sidecar.combine(("x", raw))
    except Refused as error:
        sentence = error.sentence
    else:
        sentence = ""
    assert "\n" not in sentence


@given(
    st.sampled_from(("x.csv", "x.xml", "x.json")),
    st.text(st.sampled_from("<>/&;,\"'\n\t!?[]{}:=ax number type\\")) | st.text(),
)
def test_whatever_text_comes_it_is_fields_or_refused(name: str, text: str) -> None:
    test_whatever_bytes_come_they_are_fields_or_refused.hypothesis.inner_test(name, text.encode("utf-8", "replace"))


def test_the_folder_door_loads_neither_lxml_nor_a_reader() -> None:
    code = (
        "import sys, gateway.intake.dropfolder; "
        "print([m for m in sys.modules if m.startswith(('lxml', 'pypdfium2', 'gateway.readers', 'fastapi'))])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
