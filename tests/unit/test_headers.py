"""Header fields as bytes."""

from __future__ import annotations

import email.header
import email.policy
from email.parser import BytesParser

import pytest

from gateway import headers
from gateway.errors import Unconvertible

CONTROLS = "a\r\nb\x00c\x1bd\x9be\u202ef\u2028g\u2066h\x85i\tj\ufeff\x7f"


def decoded(value: bytes) -> str:
    """What Python's own decoder reads."""
    unfolded = value.decode("ascii").replace("\r\n", "")
    return str(email.header.make_header(email.header.decode_header(unfolded)))


def longest(value: bytes, used: int) -> int:
    lines = value.split(b"\r\n")
    return max(len(lines[0]) + used, *(len(line) for line in lines))


def test_clean_text_makes_one_line_without_controls() -> None:
    assert headers.clean_text(CONTROLS) == "a bcdef gh i j"


def test_clean_text_is_nfc() -> None:
    assert headers.clean_text("A\u030a") == "Å"


@pytest.mark.parametrize("text", ["=?utf-8?q?x=0D=0ABcc=3A_evil=40e?=", "a =?x", "=\x00?utf-8?q?x?=", "==??", "é=?a"])
def test_clean_text_breaks_encoded_words(text: str) -> None:
    assert "=?" not in headers.clean_text(text)


def test_clean_lines_keeps_lines_and_tabs_only() -> None:
    assert headers.clean_lines("a\r\nb\rc\u2028d\x85e\x1b[0m\x00\tf\vg") == "a\nb\nc\nd\ne[0m\tf g"


def test_text_value_keeps_short_ascii_plain() -> None:
    assert headers.text_value("Invoice 4711", 9) == b"Invoice 4711"


def test_text_value_folds_at_78() -> None:
    value = headers.text_value("word " * 60, 9)
    assert longest(value, 9) <= 78
    assert value.replace(b"\r\n", b"") == b" ".join([b"word"] * 60)


@pytest.mark.parametrize(
    "text", ["Räkning 4711", "請求書 " * 40, "ä" * 300, "a" * 300, "Rechnung für Ärzte & Söhne – 12 €", "😀" * 60, "é"]
)
def test_text_value_encodes_whole_characters_in_short_words(text: str) -> None:
    value = headers.text_value(text, 9)
    assert value.isascii()
    assert longest(value, 9) <= 76
    for word in value.split(b"\r\n "):
        assert len(word) <= 75
        decoded(word).encode()  # whole characters: each word is valid on its own
    assert decoded(value) == text.strip()


def test_text_value_prefers_the_shorter_encoding() -> None:
    assert b"?q?" in headers.text_value("Räkning nummer 4711", 9)
    assert b"?b?" in headers.text_value("請求書", 9)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Acme", b"Acme <a@b.example>"),
        ("Acme Inc.", b'"Acme Inc." <a@b.example>'),
        ('The "Acme" \\ Co', b'"The \\"Acme\\" \\\\ Co" <a@b.example>'),
        ("x, y <z@evil.example>", b'"x, y <z@evil.example>" <a@b.example>'),
        ("Ärlig Handel AB", b"=?utf-8?q?=C3=84rlig_Handel_AB?= <a@b.example>"),
        ("", b"a@b.example"),
        ("\x00\r\n", b"a@b.example"),
    ],
)
def test_mailbox(name: str, written: bytes) -> None:
    assert headers.mailbox(name, "a@b.example", 6) == written


def test_mailbox_folds_before_the_address() -> None:
    value = headers.mailbox("N" * 60, "address@domain.example", 6)
    assert longest(value, 6) <= 78
    assert value.endswith(b"\r\n <address@domain.example>")


@pytest.mark.parametrize(
    "address",
    ["a@b>,<c@d", "a@b\r\nBcc: c@d", "a b@c", "ä@b.se", "a@b@c", "", "a", "@b", '"a\r\n"@b', "a@b c", "a@é.se", "a@b;"],
)
def test_an_address_that_could_be_more_is_refused(address: str) -> None:
    with pytest.raises(Unconvertible) as error:
        headers.address_value(address)
    assert error.value.term == "address"


def test_quoted_local_parts_and_literals_are_addresses() -> None:
    assert headers.address_value('"a b"@c.example') == b'"a b"@c.example'
    assert headers.address_value("a@[IPv6:::1]") == b"a@[IPv6:::1]"


def test_address_list_folds_between_addresses() -> None:
    addresses = [f"recipient{n}@domain{n}.example" for n in range(100)]
    value = headers.address_list(addresses, 4)
    assert longest(value, 4) <= 78
    assert value.replace(b"\r\n", b"").decode().split(", ") == addresses


def test_parameter_in_ascii_is_plain() -> None:
    assert headers.parameter("filename", "Invoice-1.pdf") == [b'filename="Invoice-1.pdf"']


@pytest.mark.parametrize(
    "name", ["Räkning-1.pdf", "請求書.pdf", "ä" * 70 + ".pdf", 'a"b\\c.pdf', "Gutschrift–2 (neu).xml"]
)
@pytest.mark.parametrize("policy", [email.policy.compat32, email.policy.default], ids=["compat32", "default"])
def test_parameter_is_read_back(name: str, policy: email.policy.Policy) -> None:  # type: ignore[type-arg]
    lines = headers.parameter("filename", name)
    value = headers.with_parameters("attachment", lines)
    assert longest(value, 21) <= 78 + 80  # the plain likeness of a long name stays in one piece
    message = BytesParser(policy=policy).parsebytes(b"Content-Disposition: " + value + b"\r\n\r\n")
    only_extended = headers.with_parameters("attachment", lines[1:])
    true = BytesParser(policy=policy).parsebytes(b"Content-Disposition: " + only_extended + b"\r\n\r\n")
    assert true.get_filename() == name
    assert (message.get_filename() or "").endswith(name[-4:])


def test_parameter_has_a_likeness_for_old_readers() -> None:
    assert headers.parameter("filename", "Räkning.pdf")[0] == b'filename="Rakning.pdf"'
    assert headers.parameter("filename", "請求書.pdf")[0] == b'filename="document.pdf"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b" =?utf-8?q?R=C3=A4kning_1?=", "Räkning 1"),
        (b" =?iso-8859-1?Q?R=E4k?=\r\n =?iso-8859-1*sv?b?bmluZw==?=", "Räkning"),
        (b" R\xe4kning", "Räkning"),
        (b" R\xc3\xa4kning", "Räkning"),
        (b" =?utf-8?q?x=0D=0ABcc=3A_evil=40e?=", "x Bcc: evil@e"),
        (b" =?nonsense?q?x?=", "= ?nonsense?q?x?="),
        (b" =?unicode_escape?q?x?=", "= ?unicode_escape?q?x?="),
        (b" =?utf-8?b?a?=", "= ?utf-8?b?a?="),
        (b" =?zip?b?YWJj?=", "= ?zip?b?YWJj?="),
    ],
)
def test_a_name_is_decoded(value: bytes, text: str) -> None:
    assert headers.display_name(value + b" <a@b.se>") == text


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b" Acme AB <a@b.se>", "Acme AB"),
        (b' "Acme, \\"the\\" AB" <a@b.se>', 'Acme, "the" AB'),
        (b" a@b.se (Acme AB)", "Acme AB"),
        (b" =?utf-8?q?=C3=84?= <a@b.se>", "Ä"),
        (b" a@b.se", ""),
        (b" <a@b.se>", ""),
        (b' "unclosed', ""),
        (b"", ""),
        (b" \xc4rlig <a@b.se>", "Ärlig"),
    ],
)
def test_display_name(value: bytes, name: str) -> None:
    assert headers.display_name(value) == name


def test_repair_leaves_good_fields_alone() -> None:
    value = b"  =?utf-8?q?x?=\r\n\t  odd   spacing "
    assert headers.repair(b"sUbject", value) == b"sUbject:" + value


def test_repair_encodes_raw_text() -> None:
    assert decoded(headers.repair(b"Subject", b" R\xe4kning").partition(b": ")[2]) == "Räkning"
    assert decoded(headers.repair(b"Subject", "Räkning =?utf-8?q?=C3=A4?=".encode()).partition(b": ")[2]) == "Räkning ä"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Jürgen Müller <j@b.de>, x@y.z", [("Jürgen Müller", "j@b.de"), ("", "x@y.z")]),
        ('"Müller, Jürgen" <j@b.de>', [("Müller, Jürgen", "j@b.de")]),
        ("j@b.de (Jürgen)", [("Jürgen", "j@b.de")]),
    ],
)
def test_repair_keeps_addresses_beside_raw_names(value: str, shown: list[tuple[str, str]]) -> None:
    field = headers.repair(b"To", b" " + value.encode("latin-1"))
    message = BytesParser(policy=email.policy.default).parsebytes(field + b"\r\n\r\n")
    if "(" in value:  # names in comments are for people; that parser drops them
        assert b"(=?utf-8?q?J=C3=BCrgen?=)" in field
    else:
        assert [(a.display_name, a.addr_spec) for a in message["To"].addresses] == shown


@pytest.mark.parametrize("value", ["<jürgen@b.de>", "jürgen@b.de", "j@bücher.de"])
def test_repair_turns_addresses_beyond_ascii_into_an_empty_group(value: str) -> None:
    field = headers.repair(b"To", f" {value}".encode())
    assert field.endswith(b" :;")
    assert decoded(field.removeprefix(b"To: ").removesuffix(b" :;")) == value


def test_repair_writes_raw_parameters_anew() -> None:
    field = headers.repair(b"Content-Type", ' application/pdf; name="Räkning; 1.pdf"; x=y'.encode())
    message = BytesParser().parsebytes(field + b"\r\n\r\n")
    assert field.isascii()
    assert message.get_content_type() == "application/pdf"
    assert message.get_param("x") == "y"
    assert b"name*=utf-8''R%C3%A4kning%3B%201.pdf" in field


def test_repair_folds_lines_that_are_too_long() -> None:
    field = headers.repair(b"To", b" " + b", ".join(b"a%d@b.example" % n for n in range(200)))
    assert longest(field, 0) <= 78
    assert field.count(b"@") == 200


def test_repair_replaces_controls() -> None:
    assert headers.repair(b"X-A", b" a\x00b\x1bc\rd\ne") == b"X-A: a b c d e"


def test_repair_stays_quick_on_hostile_values() -> None:
    for value in ("ä" + '"' * 8000, "ä" + "<" * 8000, "ä" + '\\"' * 4000, "ä" + "(" * 8000, "ä" + '";' * 30000):
        for name in (b"To", b"Content-Type", b"Subject"):
            assert headers.repair(name, value.encode()).isascii()


def test_split_fields() -> None:
    block = b"A: 1\r\n 2\r\nno field\r\nB : x\r\n \r\n y\r\n: z"
    assert headers.split_fields(block) == [(b"A", b" 1\r\n 2"), (b"B", b" x\r\n y")]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (b"", []),
        (b"A: 1", ["A"]),
        (b"A: 1\n", ["A"]),
        (b"A: 1\r\nBcc: e\r\n", ["A"]),
        (b"A: 1\r\nA: 2\r\n", ["A"]),
        (b"A: 1\r\n", ["A", "B"]),
        (b"B: 1\r\nA: 2\r\n", ["A", "B"]),
        (b" A: 1\r\n", ["A"]),
        (b"A: 1\r\n\r\nB: 1\r\n", ["A", "B"]),
        (b"A: 1\r\n \t\r\n", ["A"]),
        (b"A: 1\nBcc: e\r\n", ["A"]),
        (b"A: 1\rBcc: e\r\n", ["A"]),
        (b"A: \xe4\r\n", ["A"]),
        (b"A: \x00\r\n", ["A"]),
        (b"A: " + b"x" * 996 + b"\r\n", ["A"]),
        (b"A 1: x\r\n", ["A 1"]),
        (b"text\r\n", ["text"]),
    ],
)
def test_check_header_refuses(block: bytes, expected: list[str]) -> None:
    with pytest.raises(Unconvertible) as error:
        headers.check_header(block, expected)
    assert error.value.term == "header"


def test_check_header_takes_what_is_expected() -> None:
    headers.check_header(b"a: 1\r\n 2\r\nReceived: x\r\nReceived: y\r\nB:\r\n", ["A", "Received", "Received", "B"])
    headers.check_header(b"A: " + b"x" * 995 + b"\r\n", ["A"])
