"""Mails taken apart: what is a document, what belongs together, and the limits."""

from __future__ import annotations

import base64
import contextlib
import email.message
import email.policy
import time

import pytest

from gateway import mime, mimeheader
from gateway.errors import Unreadable

PDF = b"%PDF-1.4\n...\n%%EOF\n"
XML = b"<?xml version='1.0'?><Invoice/>"
EDI = b"UNA:+.? '\r\nUNB+UNOC:3+a+b+261124:1200+1'UNZ+0+1'"


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def part(headers: str, body: str) -> str:
    return f"--b\n{headers}\n\n{body}\n"


def mixed(*parts: str, headers: str = "") -> bytes:
    top = f"From: Accounts <accounts@seller.example>\n{headers}MIME-Version: 1.0\n"
    return crlf(top + "Content-Type: multipart/mixed; boundary=b\n\npreamble\n" + "".join(parts) + "--b--\nepilogue\n")


def attached(name: str, data: bytes, media_type: str = "application/octet-stream", extra: str = "") -> str:
    encoded = base64.encodebytes(data).decode()
    disposition = f'Content-Disposition: attachment; filename="{name}"'
    return part(f"Content-Type: {media_type}\nContent-Transfer-Encoding: base64\n{disposition}{extra}", encoded)


BODY = part("Content-Type: text/plain; charset=utf-8", "Dear customer,")


def documents(message: bytes) -> list[tuple[str, bytes]]:
    _, parts, data = mime.split(message)
    return [(each.name, data[each.offset : each.offset + each.size]) for each in parts if each.is_document]


# --- which parts are documents ---


def test_each_attachment_is_a_document_with_its_exact_bytes() -> None:
    binary = bytes(range(256)) * 40
    message = mixed(BODY, attached("a.pdf", PDF), attached("b.xml", XML), attached("c.bin", binary))
    assert documents(message) == [("a.pdf", PDF), ("b.xml", XML), ("c.bin", binary)]


def test_a_mail_without_attachment_has_no_document() -> None:
    assert documents(crlf("From: a@b.example\nSubject: Hi\n\nInvoice 17 is attached, or is it?\n")) == []
    alternative = (
        "Content-Type: multipart/alternative; boundary=b\n\n"
        + part("Content-Type: text/plain", "Hi")
        + part("Content-Type: text/html", "<p>Hi</p>")
        + "--b--\n"
    )
    assert documents(crlf(alternative)) == []


def test_a_mail_that_is_a_pdf_is_a_document() -> None:
    top = "From: a@b.example\nContent-Type: application/pdf; name=F1.pdf\nContent-Transfer-Encoding: base64\n\n"
    assert documents(crlf(top + base64.encodebytes(PDF).decode())) == [("F1.pdf", PDF)]


@pytest.mark.parametrize(
    "not_a_document",
    [
        part("Content-Type: image/png; name=logo.png\nContent-ID: <logo@x>", "aGk="),
        part("Content-Type: image/png; name=logo.png\nContent-Disposition: inline; filename=logo.png", "aGk="),
        part("Content-Type: text/html", "<?xml version='1.0'?><html/>"),
        attached("smime.p7s", b"signature", "application/pkcs7-signature"),
        attached("signature.asc", b"signature", "application/pgp-signature"),
        attached("me.vcf", b"BEGIN:VCARD", "text/vcard"),
        attached("invite.ics", b"BEGIN:VCALENDAR", "text/calendar"),
        attached("ATT00001.txt", b"confidential", "text/plain"),
        part("Content-Type: text/plain; name=footer.txt", "sent from my phone"),
        part("Content-Type: application/pdf", ""),
    ],
)
def test_what_accompanies_a_mail_is_no_document(not_a_document: str) -> None:
    assert documents(mixed(BODY, not_a_document, attached("a.pdf", PDF))) == [("a.pdf", PDF)]


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (part("Content-Type: application/pdf", "%PDF-1.4"), "part-2.pdf"),
        (part("Content-Type: application/xml", "<a/>"), "part-2.xml"),
        (part("Content-Type: application/octet-stream", "%PDF-1.4"), "part-2.pdf"),
        (part("Content-Type: application/octet-stream", "?"), "part-2.bin"),
        (part("Content-Type: text/plain; name=F1.xml", "<a/>"), "F1.xml"),
        (part("Content-Type: text/plain; name=F1", "%PDF-1.4"), "F1"),
        (attached("list.txt", b"a;b", "text/plain"), "list.txt"),
        (attached("scan.jpg", b"\xff\xd8\xff", "image/jpeg"), "scan.jpg"),
        (attached("page.html", b"<p>", "text/html"), "page.html"),
    ],
)
def test_nothing_that_may_be_a_document_is_lost(document: str, name: str) -> None:
    assert [found for found, _ in documents(mixed(BODY, document))] == [name]


def test_a_forwarded_mail_is_opened_and_a_report_is_not() -> None:
    inner = mixed(BODY, attached("inner.pdf", PDF)).decode().replace("\r\n", "\n").replace("--b", "--c")
    inner = inner.replace("boundary=b", "boundary=c")
    forwarded = part("Content-Type: message/rfc822", inner)
    assert documents(mixed(BODY, forwarded)) == [("inner.pdf", PDF)]
    report = mixed(BODY, forwarded).replace(b"multipart/mixed; boundary=b", b"multipart/report; boundary=b")
    assert documents(report) == []
    assert mime.split(report)[0].is_automatic


# --- attachments that belong together ---


def together(*names: str) -> list[tuple[str, bool, int | None]]:
    contents = {"pdf": PDF, "xml": XML, "edi": EDI}
    message = mixed(*(attached(name, contents.get(name[-3:], b"data")) for name in names))
    return [(each.name, each.is_document, each.extra_of) for each in mime.split(message)[1]]


def test_the_structured_one_of_the_same_base_name_is_the_document() -> None:
    assert together("F123.pdf", "f123.xml", "F124.pdf") == [
        ("F123.pdf", False, 1),
        ("f123.xml", True, None),
        ("F124.pdf", True, None),
    ]


def test_edifact_is_structured_too() -> None:
    assert together("F1.pdf", "F1.edi") == [("F1.pdf", False, 1), ("F1.edi", True, None)]
    assert [each[1] for each in together("F1.pdf", "F1.xml", "F1.edi")] == [True, True, True]
    assert documents(mixed(BODY, part('Content-Type: text/plain; name="f1.txt"', EDI.decode()))) != []


def test_a_flat_idoc_in_a_text_is_a_document() -> None:
    assert documents(mixed(BODY, part('Content-Type: text/plain; name="f1.txt"', "EDI_DC40  800\nE2EDK01\n"))) != []
    assert documents(mixed(BODY, part('Content-Type: text/plain; name="f1.txt"', "Our EDI_DC40 is broken.\n"))) == []


def test_without_xml_the_pdf_is_the_document() -> None:
    assert together("F1.csv", "F1.pdf") == [("F1.csv", False, 1), ("F1.pdf", True, None)]


def test_equal_names_and_equal_kinds_are_separate_documents() -> None:
    assert [each[2] for each in together("invoice.pdf", "invoice.pdf", "invoice.xml")] == [None, None, None]
    assert [each[2] for each in together("f1.csv", "F1.csv", "F1.pdf")] == [None, None, None]
    assert [each[1] for each in together("a.xml", "b.xml")] == [True, True]


def test_the_bytes_of_an_extra_are_there() -> None:
    _, parts, data = mime.split(mixed(attached("F1.pdf", PDF), attached("F1.xml", XML)))
    assert data[parts[0].offset :][: parts[0].size] == PDF
    assert data[parts[1].offset :][: parts[1].size] == XML


# --- encodings and names ---


@pytest.mark.parametrize(
    ("encoding", "body", "data"),
    [
        ("base64", "JVBE\nRi0=", b"%PDF-"),
        ("BASE64", "JVBE*RjAx", b"%PDF01"),
        ("base64", "JVBERi0", b"%PDF-"),
        ("base64", "JVBERi0xL", b"%PDF-1"),
        ("quoted-printable", "%PDF=2D=\n1", b"%PDF-1"),
        ("8bit", "%PDF-é", "%PDF-é".encode()),
        ("7bit", "%PDF-\nx", b"%PDF-\r\nx"),
        ("x-unknown", "%PDF-", b"%PDF-"),
    ],
)
def test_transfer_encodings(encoding: str, body: str, data: bytes) -> None:
    message = mixed(part(f"Content-Type: application/pdf\nContent-Transfer-Encoding: {encoding}", body))
    assert documents(message)[0][1] == data


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('filename="F 1.pdf"', "F 1.pdf"),
        ("filename=F1.pdf", "F1.pdf"),
        ('filename="a\\"b.pdf"', 'a"b.pdf'),
        ("filename*=UTF-8''F%C3%A9vrier.pdf", "Février.pdf"),
        ("filename*=iso-8859-1'fr'F%E9vrier.pdf", "Février.pdf"),
        ('filename*0="Fac"; filename*1="ture.pdf"', "Facture.pdf"),
        ("filename*1*=%A9.pdf; filename*0*=utf-8''Fact%C3", "Facté.pdf"),
        ('filename="=?utf-8?Q?F=C3=A9v?= =?utf-8?B?cmllci5wZGY=?="', "Février.pdf"),
        ("filename=plain.pdf; filename*=utf-8''b%C3%A9ton.pdf", "béton.pdf"),
        ('filename="Février.pdf"', "Février.pdf"),
        ("filename*=no-such-charset''a%C3%A9.pdf", "aé.pdf"),
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="C:\\\\temp\\\\F1.pdf"', "F1.pdf"),
        ('filename=".."', "part-1.pdf"),
        ('filename=""', "part-1.pdf"),
        ("filename*=utf-8''a%0D%0ABcc%3A%20x%40y.pdf", "a Bcc: x@y.pdf"),
        ("filename*=utf-8''fdp%E2%80%AEcod.exe", "fdp cod.exe"),
        (f'filename="{"x" * 300}.pdf"', "x" * 180 + ".pdf"),
    ],
)
def test_file_names(disposition: str, name: str) -> None:
    message = mixed(part(f"Content-Type: application/pdf\nContent-Disposition: attachment; {disposition}", "%PDF-"))
    assert [found for found, _ in documents(message)] == [name]


def test_the_standard_library_agrees() -> None:
    built = email.message.EmailMessage(policy=email.policy.SMTP)
    built["From"], built["Subject"] = "Büro <buero@seller.example>", "Rechnung für März"
    built.set_content("Hallo")
    built.add_attachment(PDF, maintype="application", subtype="pdf", filename="Rechnung März.pdf")
    built.add_attachment(XML, maintype="application", subtype="xml", filename="noch eine.xml")
    summary, _, _ = mime.split(built.as_bytes())
    assert (summary.from_address, summary.subject) == ("buero@seller.example", "Rechnung für März")
    assert documents(built.as_bytes()) == [("Rechnung März.pdf", PDF), ("noch eine.xml", XML)]


# --- boundaries ---


def test_boundaries() -> None:
    inner = "Content-Type: multipart/mixed; boundary=bb\n\n--bb\nContent-Type: application/pdf\n\n%PDF-1\n--bb--\n"
    assert documents(mixed(BODY, "--b\n" + inner)) == [("part-2.pdf", b"%PDF-1")]
    unclosed = mixed(part("Content-Type: application/pdf", "%PDF-2")).partition(b"--b--")[0]
    assert documents(unclosed) == [("part-1.pdf", b"%PDF-2\r\n")]
    assert documents(mixed("--b\n", part("Content-Type: application/pdf", "%PDF-3"))) == [("part-2.pdf", b"%PDF-3")]
    assert documents(crlf("Content-Type: multipart/mixed\n\n--b\n\nno boundary\n")) == []
    assert documents(b"Content-Type: application/pdf\n\n%PDF-4") == [("part-1.pdf", b"%PDF-4")]
    assert documents(b"\r\nno header at all") == []


# --- summary ---


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("From: a@b.example", "a@b.example"),
        ("From: =?utf-8?q?B=C3=BCro?= <a@b.example>", "a@b.example"),
        ('From: "x@evil.example, y" <a@b.example>', "a@b.example"),
        ("From: Bob (x@evil.example) <a@b.example>", "a@b.example"),
        ("From: a@b.example\nFrom: c@d.example", ""),
        ("From: a@b.example, c@d.example", ""),
        ("From: undisclosed", ""),
        ('From: "quoted local"@b.example', ""),
        ("Subject: nobody", ""),
    ],
)
def test_the_one_sender(headers: str, expected: str) -> None:
    assert mime.split(crlf(headers + "\n\nHi"))[0].from_address == expected


def test_summary() -> None:
    message = (
        b"Return-Path: <>\r\nFrom: a@b.example\r\nReply-To: r@b.example\r\nTo: x@y.example,\r\n z@y.example\r\n"
        b"Subject: Rechnung f\xfcr\r\n\tM\xc4rz\r\nMessage-ID: <1@b>\r\nDate: today\r\n"
        b"Auto-Submitted: Auto-Replied; x=y\r\n\r\nHi"
    )
    summary, _, _ = mime.split(message)
    assert summary == mime.MailSummary(
        from_address="a@b.example",
        reply_to="r@b.example",
        to=("x@y.example", "z@y.example"),
        subject="Rechnung für MÄrz",
        message_id="<1@b>",
        date="today",
        auto_submitted="auto-replied",
        is_automatic=True,
        null_return_path=True,
        notice=mime.Notice(kind="auto-reply", sentence="The mail is the answer of a machine and no document."),
        odd=("bad_date", "raw_header"),
    )
    assert not mime.split(b"Auto-Submitted: no\r\n\r\nHi")[0].is_automatic
    assert mime.split(b"Precedence: bulk\r\n\r\nHi")[0].is_automatic


def test_a_number_in_the_place_of_an_address_is_kept() -> None:
    summary, _, _ = mime.split(crlf("From: a@b.example\nTo: 100234@, 100235@;\nCc: 7\n\nHi"))
    assert summary.to == ("100234@", "100235@")


def test_8_bit_letters_in_the_header_of_a_part_are_counted() -> None:
    headers = "Date: Mon, 02 Mar 2026 09:41:00 +0000\nMessage-ID: <1@b>\n"
    raw = mixed(attached("F-\xe9t\xe9.pdf", PDF), headers=headers).replace("é".encode(), b"\xe9")
    summary, parts, _ = mime.split(raw)
    assert (summary.odd, parts[0].name) == (("raw_header",), "F-été.pdf")


def test_encoded_words_bring_no_line_ends_and_are_decoded_once() -> None:
    assert mimeheader.decode_words("=?utf-8?q?a=0D=0ABcc:_x?=") == "a Bcc: x"
    assert mimeheader.decode_words("=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3F=3D?=") == "=?utf-8?q?a?="
    assert mimeheader.decode_words("=?utf-8?b?%%%?= =?x?q?y?=") == "=?utf-8?b?%%%?==?x?q?y?="
    assert mimeheader.decode_words("=?rot13?q?n?=") == "=?rot13?q?n?="


# --- limits ---


def nested(depth: int) -> bytes:
    text = "Content-Type: application/pdf\n\n%PDF-"
    for level in range(depth):
        text = f"Content-Type: multipart/mixed; boundary=n{level}\n\n--n{level}\n{text}\n--n{level}--\n"
    return crlf(text)


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (b"", "empty"),
        (b" \r\n\r\n", "empty"),
        (nested(11), "too-deep"),
        (nested(5000), "too-deep"),
        (b"Content-Type: message/rfc822\r\n\r\n" * 12, "too-deep"),
        (b"X: y\r\n" * 201 + b"\r\nHi", "too-large"),
        (b"X: " + b"y" * 70_000 + b"\r\n\r\nHi", "too-large"),
        (mixed(part("X: " + "y" * 70_000, "Hi")), "too-large"),
        (mixed(*[BODY] * 101), "too-large"),
        (b"Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--", "encrypted"),
        (mixed(attached("smime.p7m", b"x", "application/pkcs7-mime; smime-type=enveloped-data")), "encrypted"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_limits(message: bytes, cause: str) -> None:
    with pytest.raises(Unreadable) as caught:
        mime.split(message)
    assert caught.value.cause == cause


@pytest.mark.parametrize(
    "message",
    [
        mixed(attached("big.pdf", PDF * 1_000_000)),
        b"Content-Type: multipart/mixed; boundary=-\r\n\r\n" + b"--- x\r\n" * 2_000_000,
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"\r\n--b     " * 2_000_000,
        b"Content-Type: a/b" + b"; a*1*=b" * 8000 + b"\r\n\r\nHi",
        b"From: " + b"(" * 60_000 + b"\r\n\r\nHi",
        b"Subject: " + b"=?utf-8?q?a?= " * 4000 + b"\r\n\r\nHi",
        b"Subject: " + b'"' * 60_000 + b"\r\n\r\nHi",
    ],
    ids=["20 MB", "near boundaries", "blank boundaries", "parameters", "comments", "words", "quotes"],
)
def test_time_is_bounded(message: bytes) -> None:
    started = time.perf_counter()
    with contextlib.suppress(Unreadable):
        mime.split(message)
    assert time.perf_counter() - started < 2.0


def test_within_the_limits() -> None:
    assert documents(nested(10)) == [("part-1.pdf", b"%PDF-")]
    assert len(mime.split(mixed(*[attached(f"{n}.pdf", PDF) for n in range(99)]))[1]) == 99
    with pytest.raises(Unreadable):
        mime.split(mixed(BODY, BODY, BODY), mime.Options(limits=mime.Limits(parts=2)))
