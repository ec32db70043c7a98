"""Whatever a document or a mail says, the header holds our fields and no other (CVE-2024-6923 among others)."""

from __future__ import annotations

import datetime as dt
import email.header
import email.policy
import os
import re
from email.parser import BytesHeaderParser, BytesParser

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway import compose, headers
from gateway.errors import Unconvertible
from gateway.model import Attachment, Peer

EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "300"))
NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
OWN = [
    "from",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "auto-submitted",
    "mime-version",
    "content-type",
]

pieces = st.sampled_from(
    [
        *("\r\n", "\r", "\n", "\r\nBcc: evil@e.example", "\n\n", "\x00", "\x1b[31m", "\x85", "\u2028", "\u202e", "\v"),
        *(
            "=?",
            "?=",
            "=?utf-8?q?x=0D=0ABcc=3A_evil=40e?=",
            "=?utf-8?b?DQpCY2M6IGVAZQ==?=",
            "=",
            "?",
            '"',
            "\\",
            "<",
            ">",
        ),
        *(
            ",",
            ";",
            "(",
            ")",
            ":",
            "@",
            " ",
            "\t",
            "ä",
            "請求書",
            "😀",
            "A\u030a",
            "\ud800",
            "a" * 80,
            "../",
            "%0d%0a",
            "''",
        ),
    ]
)
hostile = st.lists(pieces | st.text(max_size=8), max_size=12).map("".join)
raw_pieces = st.sampled_from(
    [
        *(
            b"From: a@b\r\n",
            b"From: B\xe4 <c@d>\r\n",
            b"Subject: x\r\n",
            b"Subject: \xc3\xa4\r\n",
            b"To: ",
            b"Bcc: x@y\r\n",
        ),
        *(
            b"Received: x\r\n",
            b"\r\n",
            b"\r\n ",
            b"\r\n\t",
            b" ",
            b":",
            b"X-Gateway-Id: 1\r\n",
            b"Sender: s@t\r\n",
            b"\x00",
        ),
        *(
            b"DKIM-Signature: v=1\r\n",
            b"Return-Path: <>\r\n",
            b'Content-Type: text/plain; name="\xe4"\r\n',
            b"a" * 1200,
        ),
        *(
            b'"',
            b"<",
            b">",
            b"\\",
            b"\xff",
            b"\r",
            b"\n",
            b"Reply-To: r@s\r\n",
            b"Message-ID: <1@2>\r\n",
            b"=?utf-8?q?=0A?=",
        ),
    ]
)
raw = st.lists(raw_pieces | st.binary(max_size=6), max_size=20).map(b"".join)
quick = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def mail(sender: str, subject: str, body: str, name: str, media_type: str) -> compose.Mail:
    return compose.Mail(
        from_address="acme@example.com",
        sender_name=sender,
        reply_to="billing@acme.example",
        to=("a@b.example", "c@d.example"),
        cc=("e@f.example",),
        subject=subject,
        body=body,
        date=NOW,
        message_id=compose.message_id(1, 2, "example.com"),
        attachments=(Attachment(name=name, media_type=media_type, content=name.encode(errors="replace")),),
    )


@quick
@given(hostile, hostile, hostile, hostile, hostile)
def test_composed_mail_has_our_fields_only(sender: str, subject: str, body: str, name: str, media_type: str) -> None:
    written = compose.compose(mail(sender, subject, body, name, media_type))
    for policy in (email.policy.compat32, email.policy.SMTP):
        message = BytesParser(policy=policy).parsebytes(written)
        assert [field.lower() for field in message] == OWN
        text, attached = message.get_payload()
        assert [field.lower() for field in text] == ["content-type", "content-transfer-encoding"]
        assert sorted(map(str.lower, attached.keys())) == sorted(
            ["content-type", "content-transfer-encoding", "content-disposition"]
        )
        assert attached.get_payload(decode=True) == name.encode(errors="replace")
        lines = text.get_payload(decode=True).decode().replace("\r\n", "\n")
        assert lines.rstrip("\n") == headers.clean_lines(body).rstrip("\n")
    shown = str(email.header.make_header(email.header.decode_header(message["Subject"].replace("\r\n", ""))))
    assert headers.clean_text(shown) == headers.clean_text(subject)
    assert "\r" not in shown
    assert "\n" not in shown


@quick
@given(hostile, hostile, hostile)
def test_composed_mail_is_clean_on_the_wire(sender: str, subject: str, body: str) -> None:
    written = compose.compose(mail(sender, subject, body, subject, "application/pdf"))
    assert written.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", written)
    assert max(map(len, written.split(b"\r\n"))) <= 998
    assert written.dotted or not re.search(rb"^\.", written, re.MULTILINE)
    header, _, _ = written.partition(b"\r\n\r\n")
    assert max(map(len, header.split(b"\r\n"))) <= 78
    assert written == compose.compose(mail(sender, subject, body, subject, "application/pdf"))


@quick
@given(hostile, hostile, hostile, hostile)
def test_attachment_names_are_safe(kind: str, number: str, original: str, extension: str) -> None:
    for name in (
        compose.attachment_name(kind, number, original, extension),
        compose.attachment_name(kind, None, original, extension),
    ):
        assert 0 < len(name.encode()) <= 150
        assert not re.search(r'[\x00-\x1f\x7f-\x9f/\\:"<>|?*;%=\u202a-\u202e\u2066-\u2069]', name)
        assert not name.startswith((".", "-", " "))
        assert name == name.strip()


@quick
@given(raw, raw)
def test_passing_on_gives_a_sound_block_or_refuses(header: bytes, body: bytes) -> None:
    content = header + b"\r\n\r\n" + body
    try:
        block, offset = compose.pass_through(
            content,
            from_address="acme@example.com",
            sender_name="",
            reply_to="r@s.example",
            message_id="<1.2@example.com>",
            date=NOW,
            gateway=compose.Trace(peer=Peer(host="::1", helo="erp\r\nX: y"), hostname="gw.example", submission_id=3),
        )
    except Unconvertible:
        assume(False)
        return
    assert block.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", block)
    message = BytesHeaderParser().parsebytes(block)
    assert not message.defects
    names = [name.lower() for name in message]
    for name in ("from", "subject", "to", "date", "message-id", "mime-version", "reply-to", "content-type"):
        assert names.count(name) <= 1
    assert {"from", "date", "message-id", "mime-version", "reply-to", "received"} <= set(names)
    assert not set(names) & {"bcc", "sender", "return-path", "dkim-signature", "x-gateway-id"}
    assert "acme@example.com" in message["From"]
    assert content[offset:] in content


@quick
@given(st.binary(max_size=300))
def test_reading_foreign_values_never_fails(value: bytes) -> None:
    for text in (headers.display_name(value), headers.display_name(value + b" <a@b.se>")):
        assert text == headers.clean_text(text)
