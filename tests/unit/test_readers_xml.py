"""`parse_xml`: encodings as they are met, and what is refused. Bombs are in tests/hostile."""

from __future__ import annotations

import pytest
from lxml import etree

from gateway.errors import Unreadable
from gateway.readers import xml
from gateway.readers.xml import looks_like_xml, parse_xml

TEXT = "<a>Köpare</a>"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        b"\r\n\t " + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        b"\xef\xbb\xbf<?xml version='1.0' encoding='iso-8859-1'?>" + TEXT.encode(),
        b"\n<?xml version='1.0' encoding='UTF-16'?>" + TEXT.encode(),
        b"<?xml version='1.0' encoding='UTF8'?>" + TEXT.encode(),
        *(
            f"<?xml version='1.0' encoding={quote}{name}{quote} standalone='yes'?>{TEXT}".encode(name)
            for name in ("ISO-8859-1", "ISO-8859-15", "windows-1252", "utf-8", "latin1", "cp1252")
            for quote in ("'", '"')
        ),
    ],
)
def test_encodings(data: bytes) -> None:
    assert looks_like_xml(data)
    assert parse_xml(data).text == "Köpare"


@pytest.mark.parametrize("declared", ["ISO-8859-1", "windows-1252", "WINDOWS-1252", "cp1252", "Windows_1252"])
def test_windows_letters_also_under_a_latin_1_declaration(declared: str) -> None:
    data = f"<?xml version='1.0' encoding='{declared}'?><a>5 €, “so”</a>".encode("cp1252")
    assert parse_xml(data).text == "5 €, “so”"


@pytest.mark.parametrize(
    ("declared", "text"), [("windows-1250", "Łódź"), ("windows-1253", "Αθήνα"), ("cp1251", "Київ")]
)
def test_other_windows_letters(declared: str, text: str) -> None:
    data = f"<?xml version='1.0' encoding='{declared}'?><a>{text}</a>".encode(declared.replace("windows-", "cp"))
    assert parse_xml(data).text == text


def test_the_euro_sign_of_latin_9() -> None:
    euro = "<?xml version='1.0' encoding='ISO-8859-15'?><a>5 €</a>".encode("iso-8859-15")
    assert parse_xml(euro).text == "5 €"


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("UTF-8_W/O_BOM", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("ISO8859-1", "iso-8859-1"),
        ("iso 8859-15", "iso-8859-15"),
        ("ISO_8859-1:1987", "iso-8859-1"),
        ("Latin-9", "iso-8859-15"),
        ("ANSI", "cp1252"),
        ("Windows1252", "cp1252"),
        ("x-cp1250", "cp1250"),
    ],
)
def test_names_that_no_registry_has(name: str, encoding: str) -> None:
    assert parse_xml(f"<?xml version='1.0' encoding='{name}'?><a>é</a>".encode(encoding)).text == "é"


@pytest.mark.parametrize("declared", ["iso-8859-7x", "utf-7", "8859", "cp", "1252", "ebcdic-cp-us"])
def test_names_that_mean_nothing(declared: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse_xml(f"<?xml version='1.0' encoding='{declared}'?><a/>".encode())
    assert caught.value.cause == "encoding"


def test_the_doctype_of_cxml_is_not_loaded() -> None:
    data = "<?xml version='1.0'?>\n<!DOCTYPE cXML SYSTEM 'http://xml.cxml.example/cXML.dtd'><cXML payloadID='1'/>"
    assert parse_xml(data.encode()).tag == "cXML"
    assert parse_xml(data.encode("utf-16")).tag == "cXML"
    for other in ("<!DOCTYPE cXML SYSTEM 'a' [<!ENTITY b 'c'>]>", "<!DOCTYPE cXML>", "<!DOCTYPE html SYSTEM 'a'>"):
        with pytest.raises(Unreadable) as caught:
            parse_xml(f"{other}<cXML/>".encode())
        assert caught.value.cause == "doctype"


@pytest.mark.parametrize(
    "data",
    [
        b"<?xml version='1.0' encoding='ascii'?><a>\xe9</a>",
        b"<a>\xe9</a>",
        b"<?xml version='1.0' encoding='rot13'?><a/>",
        b"<?xml version='1.0' encoding='idna'?><a/>",
        b"\xff\xfe<\x00a\x00\x00\xd8>\x00",
    ],
)
def test_wrong_encodings(data: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        parse_xml(data)
    assert caught.value.cause == "encoding"


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"%PDF-1.4", b"a < b", b"<", b"< a>", b"<1>", b"{}"])
def test_what_is_no_xml(data: bytes) -> None:
    assert not looks_like_xml(data)


def test_comments_and_instructions_split_no_text() -> None:
    root = parse_xml(b"<?p?><!--<!DOCTYPE a>--><a>one<!-- x -->two<?p q?>th<![CDATA[<r>]]>ee</a><!-- end -->")
    assert root.text == "onetwoth<r>ee"
    assert len(root) == 0


def test_a_doctype_in_text_or_comment_is_none() -> None:
    assert parse_xml(b"<a><![CDATA[<!DOCTYPE a>]]></a>").text == "<!DOCTYPE a>"
    with pytest.raises(Unreadable) as caught:
        parse_xml(b"<!-- never closed <!DOCTYPE a><a/>")
    assert caught.value.cause == "malformed-xml"


def test_what_the_scan_of_the_prolog_missed_would_be_seen_after_parsing() -> None:
    root = etree.fromstring(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")
    with pytest.raises(Unreadable) as caught:
        xml._refuse_shape(root)
    assert caught.value.cause == "doctype"


def test_an_embedded_attachment_may_exceed_ten_megabytes() -> None:
    assert len(parse_xml(b"<a>" + b"QUJD" * 3_000_000 + b"</a>").text) == 12_000_000


def test_limits_are_not_lower_than_they_say() -> None:
    assert parse_xml(b"<a>" * 100 + b"</a>" * 100) is not None
    assert len(parse_xml(b"<a " + b" ".join(b"b%d=''" % n for n in range(100)) + b"/>").attrib) == 100
    assert len(parse_xml(b"<a>" + b"<b/>" * 499_000 + b"</a>")) == 499_000
