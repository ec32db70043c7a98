"""Messages that we write, and mails that we pass on."""

from __future__ import annotations

import datetime as dt
import email.policy
import json
import os
import time
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import compose
from gateway.errors import Unconvertible
from gateway.model import Attachment, Peer

NOW = dt.datetime(2026, 11, 24, 13, 0, 5, tzinfo=dt.timezone(dt.timedelta(hours=1)))
KEY = b"k" * 32
GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("compose-*"))
TRACE = compose.Trace(peer=Peer(host="192.0.2.7", helo="erp.acme.example"), hostname="gw.example.net", submission_id=77)


def mail(**changes: Any) -> compose.Mail:
    values: dict[str, Any] = {
        "from_address": "acme@pageroonline.com",
        "sender_name": "Acme AB",
        "reply_to": "billing@acme.example",
        "to": ("ap@buyer.example",),
        "subject": "Invoice 4711",
        "body": "Hello\n\nplease find attached.\n",
        "date": NOW,
        "message_id": compose.message_id(1 << 40, 2, "pageroonline.com"),
        "attachments": (Attachment(name="Invoice-4711.pdf", media_type="application/pdf", content=b"%PDF-1.7"),),
    }
    return compose.Mail(**{**values, **changes})


def parse(content: bytes) -> Any:
    return BytesParser(policy=email.policy.default).parsebytes(content)


def text_of(part: Any) -> str:
    """The text of a part with plain line ends; the last one belongs to the boundary (RFC 2046 §5.1.1)."""
    return str(part.get_content()).replace("\r\n", "\n").removesuffix("\n")


def passed(content: bytes, **changes: Any) -> tuple[bytes, bytes]:
    """The new header block and the body."""
    values: dict[str, Any] = {
        "from_address": "acme@pageroonline.com",
        "sender_name": "",
        "reply_to": None,
        "message_id": "<m.d@pageroonline.com>",
        "date": NOW,
        "gateway": TRACE,
    }
    block, offset = compose.pass_through(content, **{**values, **changes})
    return block, content[offset:]


# --- our own messages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", GOLDEN, ids=lambda path: path.name)
def test_golden_messages(folder: Path) -> None:
    facts = json.loads((folder / "in.json").read_text())
    for attachment in facts.get("attachments", ()):
        attachment["content"] = attachment["content"].encode()
    written = compose.compose(msgspec.convert(facts, compose.Mail))
    target = folder / "out.eml"
    if os.environ.get("GOLDEN") == "write":
        target.write_bytes(written)
    assert written == target.read_bytes()


def test_golden_messages_are_there() -> None:
    assert len(GOLDEN) >= 4


def test_fields_of_a_message() -> None:
    message = parse(compose.compose(mail(cc=("x@y.example", "z@y.example"))))
    assert message["From"] == "Acme AB <acme@pageroonline.com>"
    assert message["Reply-To"] == "billing@acme.example"
    assert message["To"] == "ap@buyer.example"
    assert message["Cc"] == "x@y.example, z@y.example"
    assert message["Subject"] == "Invoice 4711"
    assert message["Date"] == "Tue, 24 Nov 2026 12:00:05 +0000"
    assert message["Message-ID"] == "<0000100000000.0000000000002@pageroonline.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["MIME-Version"] == "1.0"
    assert message.get_content_type() == "multipart/mixed"


def test_without_reply_to_and_cc_there_are_no_such_fields() -> None:
    message = parse(compose.compose(mail(reply_to=None)))
    assert "Reply-To" not in message
    assert "Cc" not in message


def test_text_and_attachment_come_back() -> None:
    content = bytes(range(256)) * 100
    attachment = Attachment(name="Räkning 1.xml", media_type="application/xml; charset=x", content=content)
    message = parse(compose.compose(mail(body="Hej Åsa\n.\nFrom here\nslut  \n", attachments=(attachment,))))
    text, file = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert text_of(text) == "Hej Åsa\n.\nFrom here\nslut  "
    assert file.get_content_type() == "application/xml"
    assert file.get_content_disposition() == "attachment"
    assert file.get_payload(decode=True) == content


def test_several_attachments_keep_their_order() -> None:
    files = tuple(Attachment(name=f"{n}.bin", media_type="x/y", content=bytes([n]) * n) for n in range(5))
    parts = list(parse(compose.compose(mail(attachments=files))).iter_attachments())
    assert [part.get_filename() for part in parts] == ["0.bin", "1.bin", "2.bin", "3.bin", "4.bin"]
    assert [part.get_payload(decode=True) for part in parts] == [bytes([n]) * n for n in range(5)]


def test_without_attachments_the_message_is_its_text() -> None:
    message = parse(compose.compose(mail(attachments=())))
    assert message.get_content_type() == "text/plain"
    assert text_of(message) == "Hello\n\nplease find attached."


@pytest.mark.parametrize(("body", "encoding"), [("Hej Åsa", "quoted-printable"), ("請求書をお送りします。", "base64")])
def test_the_text_stays_legible_where_it_can(body: str, encoding: str) -> None:
    text = next(parse(compose.compose(mail(body=body))).iter_parts())
    assert text["Content-Transfer-Encoding"] == encoding
    assert text_of(text) == body


def test_long_lines_and_controls_in_the_text() -> None:
    text = next(parse(compose.compose(mail(body="x" * 5000 + "\x1b[2J\u202e\ry"))).iter_parts())
    assert text_of(text) == "x" * 5000 + "[2J\ny"


def test_lines_end_in_crlf_and_are_short() -> None:
    written = compose.compose(mail(to=tuple(f"someone{n}@a-long-domain.example" for n in range(200)), body="å" * 9000))
    assert written.count(b"\n") == written.count(b"\r") == written.count(b"\r\n")
    assert max(map(len, written.split(b"\r\n"))) <= 78
    assert written.isascii()
    assert len(parse(written)["To"].addresses) == 200


def test_composing_twice_gives_the_same_bytes() -> None:
    assert compose.compose(mail()) == compose.compose(mail())


def test_boundaries_differ_between_messages() -> None:
    other = mail(message_id=compose.message_id(3, 2, "pageroonline.com"))
    assert parse(compose.compose(mail())).get_boundary() != parse(compose.compose(other)).get_boundary()


def test_an_attachment_cannot_end_its_part() -> None:
    boundary = parse(compose.compose(mail())).get_boundary()
    forged = f"\r\n--{boundary}--\r\nBcc: x\r\n"
    text, file = parse(
        compose.compose(
            mail(body=forged, attachments=(Attachment(name="a.txt", media_type="text/plain", content=forged.encode()),))
        )
    ).iter_parts()
    assert text_of(text) == forged.replace("\r\n", "\n").removesuffix("\n")
    assert file.get_payload(decode=True) == forged.encode()


@pytest.mark.parametrize(("body", "dotted"), [("Hello\n.sig\n", True), (".sig\n", True), ("a.b\n", False)])
def test_it_says_whether_a_line_begins_with_a_dot(body: str, dotted: bool) -> None:
    assert compose.compose(mail(body=body)).dotted is dotted
    assert compose.compose(mail(body=body, attachments=())).dotted is dotted


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 114, 57 * 16384 - 1, 57 * 16384, 57 * 16384 + 58])
def test_base64_stands_in_lines_of_76(size: int) -> None:
    content = os.urandom(size)
    files = (Attachment(name="a.pdf", media_type="application/pdf", content=content),)
    written = compose.compose(mail(attachments=files))
    part = next(parse(written).iter_attachments())
    assert part.get_content() == content
    encoded = written.rpartition(b"\r\n\r\n")[2].split(b"\r\n--=_")[0].split(b"\r\n") if size else []
    assert all(len(line) == 76 for line in encoded[:-1])
    assert len(encoded) == -(-size // 57)


@pytest.mark.parametrize(
    "media_type", ["message/rfc822", "multipart/mixed", "nonsense", "a/b\r\nBcc: x", "", "text/ html"]
)
def test_odd_media_types_become_octets(media_type: str) -> None:
    files = (Attachment(name="a.eml", media_type=media_type, content=b"From: x\n\n"),)
    part = next(parse(compose.compose(mail(attachments=files))).iter_attachments())
    assert part.get_content_type() == "application/octet-stream"


@pytest.mark.parametrize(
    "text", ["=?utf-8?q?x=0D=0ABcc=3A_evil=40e.example?=", "x\r\nBcc: evil@e.example", "x\rBcc: e\n\n y"]
)
def test_a_document_cannot_add_a_field(text: str) -> None:
    files = (Attachment(name=text, media_type=text, content=b""),)
    written = compose.compose(mail(subject=text, sender_name=text, body=text, attachments=files))
    message = parse(written)
    assert "Bcc" not in message
    assert not any(line.lower().startswith(b"bcc") for line in written.partition(b"\r\n\r\n")[0].split(b"\r\n"))
    assert len(message["From"].addresses) == 1


def test_the_header_is_checked_after_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder that lets a line end through is caught by the look at the finished block."""
    monkeypatch.setattr(compose.headers, "text_value", lambda text, used: text.encode())
    with pytest.raises(Unconvertible) as error:
        compose.compose(mail(subject="x\r\nBcc: evil@e.example"))
    assert error.value.term == "header"


@pytest.mark.parametrize(
    ("changes", "term"),
    [
        ({"to": ()}, "address"),
        ({"to": ("a@b>\r\nBcc: c@d",)}, "address"),
        ({"to": ("ä@b.se",)}, "address"),
        ({"cc": ("a@b, c@d",)}, "address"),
        ({"from_address": "acme"}, "address"),
        ({"reply_to": "x <a@b.se>"}, "address"),
        ({"message_id": "<a b@c>"}, "header"),
        ({"message_id": "<a@b>\r\nBcc: c"}, "header"),
    ],
)
def test_what_cannot_be_written_is_refused(changes: dict[str, Any], term: str) -> None:
    with pytest.raises(Unconvertible) as error:
        compose.compose(mail(**changes))
    assert error.value.term == term


def test_composing_is_fast() -> None:
    files = (Attachment(name="a.pdf", media_type="application/pdf", content=os.urandom(54_000)),)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        compose.compose(mail(attachments=files))
        times.append(time.perf_counter() - start)
    assert min(times) < 0.003  # ten times what it takes


# --- names and addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "number", "original", "extension", "name"),
    [
        ("Invoice", "4711", "x.xml", "pdf", "Invoice-4711.pdf"),
        ("Credit note", "2026/17", "x", "PDF", "Credit-note-2026_17.pdf"),
        ("Rechnung", "Ä 1", "", "xml", "Rechnung-Ä-1.xml"),
        ("Invoice", None, "scan 0001.tif", "pdf", "scan 0001.pdf"),
        ("Invoice", None, "../../etc/passwd", "pdf", "passwd.pdf"),
        ("Invoice", None, "C:\\temp\\a.xml", "xml", "a.xml"),
        ("Invoice", None, "", "pdf", "Invoice.pdf"),
        ("Invoice", None, ".hidden.pdf", "pdf", "hidden.pdf"),
        ("Invoice", "../../x", "", "pdf", "Invoice-.._.._x.pdf"),
        ("", None, "", "", "document"),
        ("Invoice", "1", "", "p/f", "Invoice-1"),
        ("Invoice", "\u202efdp.exe\x00", "", "pdf", "Invoice-fdp.exe.pdf"),
        ("Invoice", "A\u030a", "", "pdf", "Invoice-Å.pdf"),
        ("Invoice", None, "a\u00a0b\u00a0=", "", "a b"),
    ],
)
def test_attachment_name(kind: str, number: str | None, original: str, extension: str, name: str) -> None:
    assert compose.attachment_name(kind, number, original, extension) == name


def test_attachment_names_are_bounded_without_cutting_characters() -> None:
    name = compose.attachment_name("Invoice", "å" * 200, "", "pdf")
    assert len(name.encode()) <= 150
    assert name.endswith("å.pdf")
    surrogates = os.fsdecode(b"caf\xe9.pdf")
    assert compose.attachment_name("Invoice", None, surrogates, "pdf") == "caf.pdf"


def test_given_names_are_made_safe_too() -> None:
    for given, announced in [("../a\r\n.pdf", "a .pdf"), ("x" * 300 + ".pdf", "x" * 146 + ".pdf"), ("", "document")]:
        files = (Attachment(name=given, media_type="application/pdf", content=b""),)
        part = next(parse(compose.compose(mail(attachments=files))).iter_attachments())
        assert part.get_filename() == announced


def test_verp_comes_back() -> None:
    sender = compose.verp(123456789, KEY, "pageroonline.com")
    assert sender.startswith("b+")
    assert len(sender.partition("@")[0]) == 24
    assert compose.parse_verp(sender, KEY, "pageroonline.com") == 123456789
    assert compose.parse_verp(sender.upper(), KEY, "PageroOnline.com") == 123456789


def test_forged_verp_is_nobody() -> None:
    sender = compose.verp(123456789, KEY, "pageroonline.com")
    other = compose.verp(123456790, KEY, "pageroonline.com")
    for forged in (
        other[:15] + sender[15:],
        sender.replace("@pageroonline.com", "@evil.example"),
        compose.verp(123456789, b"x" * 32, "pageroonline.com"),
        "b+-@pageroonline.com",
        "noreply@pageroonline.com",
        "",
        "b+zzzzzzzzzzzzz-00000000@pageroonline.com",
        "b+uuuuuuuuuuuuu-00000000@pageroonline.com",
    ):
        assert compose.parse_verp(forged, KEY, "pageroonline.com") is None


# --- passing on ------------------------------------------------------------------------------------------

ORIGINAL = (
    b"Return-Path: <erp@acme.example>\r\n"
    b"Received: from a by b; x\r\n"
    b"From: =?utf-8?q?=C3=84cme?= <erp@acme.example>\r\n"
    b"To:  Buyer   <ap@buyer.example>\r\n"
    b"Bcc: secret@acme.example\r\n"
    b"Subject: =?utf-8?q?R=C3=A4kning?=\r\n\t4711\r\n"
    b"Date: Mon, 23 Nov 2026 10:00:00 +0100\r\n"
    b"Message-ID: <original@acme.example>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"DKIM-Signature: v=1; d=acme.example\r\n"
    b"Authentication-Results: acme.example; dkim=pass\r\n"
    b"Sender: boss@acme.example\r\n"
    b"X-Gateway-Id: 1\r\n"
    b"X-Erp: kept  as   it is\r\n"
)


def test_passing_on_rewrites_the_sender_and_keeps_the_rest() -> None:
    block, body = passed(ORIGINAL + b"\r\nbody \xe4\r\n", reply_to="erp@acme.example")
    assert block == (
        b"Received: from erp.acme.example ([192.0.2.7])\r\n by gw.example.net with ESMTP\r\n id 000000000002d;\r\n"
        b" Tue, 24 Nov 2026 12:00:05 +0000\r\n"
        b"Received: from a by b; x\r\n"
        b"From: =?utf-8?b?w4RjbWU=?= <acme@pageroonline.com>\r\n"
        b"To:  Buyer   <ap@buyer.example>\r\n"
        b"Subject: =?utf-8?q?R=C3=A4kning?=\r\n\t4711\r\n"
        b"Date: Mon, 23 Nov 2026 10:00:00 +0100\r\n"
        b"Message-ID: <original@acme.example>\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"X-Erp: kept  as   it is\r\n"
        b"Reply-To: erp@acme.example\r\n"
    )
    assert body == b"body \xe4\r\n"


@pytest.mark.parametrize(
    "name",
    [
        "Return-Path",
        "BCC",
        "Resent-Bcc",
        "Sender",
        "DKIM-Signature",
        "DomainKey-Signature",
        "Authentication-Results",
        "Content-Length",
        "X-Gateway-Anything",
    ],
)
def test_fields_that_would_tell_or_lie_are_removed(name: str) -> None:
    block, _ = passed(f"Subject: x\r\n{name}: secret\r\n more-secret\r\n\r\n".encode())
    assert b"secret" not in block


@pytest.mark.parametrize(
    "name",
    [
        "Subject",
        "To",
        "Cc",
        "Reply-To",
        "Date",
        "Message-ID",
        "In-Reply-To",
        "References",
        "MIME-Version",
        "Content-ID",
        "Content-Type",
        "Content-Transfer-Encoding",
        "Content-Description",
        "Content-Disposition",
        "Auto-Submitted",
    ],
)
def test_fields_that_may_stand_once_stand_once(name: str) -> None:
    block, _ = passed(f"{name}: first\r\nX: y\r\n{name.lower()}: second\r\n\r\n".encode())
    assert f"{name}: first\r\n".encode() in block
    assert b"second" not in block


def test_the_company_sender_name_goes_before_the_original() -> None:
    block, _ = passed(ORIGINAL + b"\r\n", sender_name="Acme Billing")
    assert b"\r\nFrom: Acme Billing <acme@pageroonline.com>\r\n" in block


def test_an_original_reply_to_stays() -> None:
    block, _ = passed(b"From: a@b.se\r\nReply-To: sales@acme.example\r\n\r\n", reply_to="erp@acme.example")
    assert block.count(b"Reply-To: ") == 1
    assert b"Reply-To: sales@acme.example\r\n" in block


def test_missing_fields_are_added() -> None:
    block, body = passed(b"\r\nhello")
    assert body == b"hello"
    assert parse(block + b"\r\n").keys() == ["Received", "From", "Date", "Message-ID", "MIME-Version"]
    assert b"Date: Tue, 24 Nov 2026 12:00:05 +0000\r\nMessage-ID: <m.d@pageroonline.com>\r\n" in block


def test_repeated_fields_are_reduced_to_the_first() -> None:
    fields = [b"From: a@b.se", b"From: c@b.se", b"Subject: one", b"subject: two", b"To: x@y", b"TO: z@y"]
    block, _ = passed(b"\r\n".join([*fields, b"X-A: 1", b"X-A: 2", b"", b""]))
    message = parse(block + b"\r\n")
    assert message.get_all("Subject") == ["one"]
    assert message.get_all("To") == ["x@y"]
    assert message.get_all("From") == ["acme@pageroonline.com"]
    assert message.get_all("X-A") == ["1", "2"]


def test_raw_text_in_the_header_is_encoded() -> None:
    block, _ = passed(b"From: B\xf6rje <a@b.se>\r\nSubject: R\xe4kning\r\nTo: \xc3\x85sa <x@y.se>\r\n\r\n")
    message = parse(block + b"\r\n")
    assert block.isascii()
    assert message["From"] == "Börje <acme@pageroonline.com>"
    assert message["Subject"] == "Räkning"
    assert message["To"] == "Åsa <x@y.se>"


def test_a_mail_without_an_empty_line_has_no_body() -> None:
    block, body = passed(b"Subject: x\r\n")
    assert body == b""
    assert b"Subject: x\r\n" in block


def test_a_hostile_greeting_stays_inside_received() -> None:
    trace = compose.Trace(peer=Peer(host="2001:db8::1", helo="x)\r\nBcc: e <"), hostname="gw.example", submission_id=1)
    block, _ = passed(b"\r\n", gateway=trace)
    assert block.startswith(b"Received: from xBcc:e ([IPv6:2001:db8::1])\r\n by gw.example ")


def test_lines_of_998_pass_and_longer_ones_do_not() -> None:
    fits = b"x" * 998 + b"\r\n"
    _, body = passed(b"Subject: x\r\n\r\n" + fits * 3 + b"y" * 998)
    assert len(body) == 3998
    for bad in (b"x" * 999 + b"\r\n", fits + b"y" * 999, b"a\r\n" * 500 + b"z" * 1500 + b"\r\nb"):
        with pytest.raises(Unconvertible) as error:
            passed(b"Subject: x\r\n\r\n" + bad)
        assert error.value.term == "line-length"


@pytest.mark.parametrize(
    ("header", "term"),
    [
        (b"X: y\r\n" * 201, "header"),
        (b"X: " + b"y " * 40000 + b"\r\n", "header"),
        (b"X: " + b"y" * 2000 + b"\r\n", "header"),
        (b"Received: x\r\n" * 31, "hops"),
    ],
)
def test_headers_beyond_measure_are_refused(header: bytes, term: str) -> None:
    with pytest.raises(Unconvertible) as error:
        passed(header + b"\r\nbody")
    assert error.value.term == term
