"""Files inside the parts of a mail, at the edges: what is opened, what is refused, and that time is bounded."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Mapping

import pytest

from gateway import mime
from gateway.errors import Unreadable
from gateway.mime import notices, said
from gateway.mime.values import Leaf
from gateway.mimeheader import Headers
from gateway.model import MailPattern
from tests.golden.make_mails import HEAD, PDF, XML, attached, mixed, uu, winmail, zipped


def parts(mail: bytes, **limits: int) -> list[mime.Part]:
    return mime.split(mail.replace(b"\n", b"\r\n"), mime.Options(limits=mime.Limits(**limits)))[1]


def found(mail: bytes, **limits: int) -> list[tuple[str, str]]:
    """Name of each document, and what is wrong with it."""
    return [(each.name, each.fault.cause if each.fault else "") for each in parts(mail, **limits) if each.is_document]


def archive(*names: str, method: int = zipfile.ZIP_DEFLATED, data: bytes = PDF) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as opened:
        for name in names:
            opened.writestr(name, data)
    return made.getvalue()


# --- archives ---


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (archive("a.pdf", method=zipfile.ZIP_LZMA), "zip-method"),
        (archive("a.pdf", method=zipfile.ZIP_BZIP2), "zip-method"),
        (archive("a.7z"), "too-deep"),
        (archive("deep/er/a.tar.gz"), "too-deep"),
        (archive("folder/"), "empty"),
        (archive("x.txt", "word/document.xml", "[Content_Types].xml"), "not-a-document"),
        (archive("a.pdf").replace(b"%PDF", b"%XXX"), "zip-damaged"),
    ],
)
def test_an_archive_that_is_not_opened_is_one_document_with_a_fault(data: bytes, cause: str) -> None:
    if cause == "zip-damaged":  # stored, so that the bytes can be found and the sum is wrong
        data = archive("a.pdf", method=zipfile.ZIP_STORED).replace(b"%PDF", b"%XXX")
    assert found(mixed(attached("a.zip", data))) == [("a.zip", cause)]


def test_an_archive_that_lies_about_its_size_gives_no_more_than_it_may() -> None:
    raw = bytearray(archive("a.pdf", data=b"\0" * 5000))
    place = raw.find(b"PK\x01\x02") + 24
    raw[place : place + 4] = (10).to_bytes(4, "little")
    assert found(mixed(attached("a.zip", bytes(raw))), unpacked=1000) == [("a.zip", "zip-damaged")]


def test_the_archives_of_one_mail_share_its_limits_and_one_that_is_refused_takes_nothing() -> None:
    large, small = archive(*(f"{number}.pdf" for number in range(4))), archive("a.pdf", "b.pdf")
    assert found(mixed(attached("l.zip", large), attached("s.zip", small)), entries=3) == [
        ("l.zip", "too-large"),
        ("a.pdf", ""),
        ("b.pdf", ""),
    ]
    again = mixed(attached("s.zip", small), attached("t.zip", archive("c.pdf", "d.pdf")))
    assert found(again, entries=3) == [("a.pdf", ""), ("b.pdf", ""), ("t.zip", "too-large")]
    assert found(again, unpacked=3 * len(PDF)) == [("a.pdf", ""), ("b.pdf", ""), ("t.zip", "too-large")]


def test_a_file_called_mimetype_pdf_is_no_office_file() -> None:
    assert found(mixed(attached("a.zip", archive("a-mimetype.pdf")))) == [("a-mimetype.pdf", "")]


def test_names_of_an_archive_lead_nowhere() -> None:
    names = ("C:\\temp\\a.pdf", "/etc/b.pdf", "../c.pdf", "d\u202efdp.exe", "...")
    assert [name for name, _ in found(mixed(attached("a.zip", archive(*names))))] == [
        "a.pdf",
        "b.pdf",
        "c.pdf",
        "dfdp.exe",
        "file",
    ]


# --- texts ---


def test_uuencode_in_the_text_part_of_a_mail_with_attachments() -> None:
    text = b"--b\nContent-Type: text/plain\n\n" + uu("F-1.pdf", PDF).encode() + b"\n"
    assert found(mixed(text, attached("F-2.pdf", PDF))) == [("F-1.pdf", ""), ("F-2.pdf", "")]


def test_uuencode_in_html_or_in_an_attached_text_is_text() -> None:
    coded = uu("F-1.pdf", PDF).encode()
    assert found(b"Content-Type: text/html\n\n" + coded) == []
    assert found(mixed(attached("list.txt", coded, "text/plain"))) == [("list.txt", "")]


def test_what_comes_after_a_hundred_files_in_a_text_is_not_lost() -> None:
    coded = (HEAD + "Subject: many\n\n" + "".join(uu(f"F-{n}.pdf", PDF) for n in range(103))).encode()
    documents = found(coded)
    assert documents[98:] == [("F-98.pdf", ""), ("F-99.pdf", ""), ("F-100.pdf", "uuencode")]


def test_what_outlook_hides_is_grouped_like_attachments_and_a_vcard_in_it_is_none() -> None:
    mail = mixed(attached("winmail.dat", winmail(("F-1.xml", XML), ("F-1.pdf", PDF), ("me.vcf", b"BEGIN:VCARD"))))
    assert found(mail) == [("F-1.xml", "")]
    assert [each.left_out for each in parts(mail)] == ["Outlook's own wrapping, and opened", "", "", "a visiting card"]


def test_the_files_of_a_mail_are_bounded_all_together() -> None:
    with pytest.raises(Unreadable, match=r"more than 3 files"):
        parts(mixed(attached("winmail.dat", winmail(*[(f"{n}.pdf", PDF) for n in range(4)]))), parts=2, entries=1)


# --- notices ---


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("Test", "device"),
        ("test e-mail", "device"),
        ("Scan test", "device"),
        ("Testmail", "device"),
        ("Message de test", "device"),
        ("[MFP] Toner is nearly empty", "device"),
        ("Replace Toner: Cyan", "device"),
        ("Paper Jam", "device"),
        ("Toner (schwarz) fast leer", "device"),
        ("Papierstau in Fach 2", "device"),
        ("Bourrage papier", "device"),
        ("Cartouche d'encre noire presque vide", "device"),
        ("Papperet är slut", ""),
        ("Färgpulver slut", "device"),
        ("Counter notification", "device"),
        ("Automatic reply: Invoice", "auto-reply"),
        ("Abwesenheitsnotiz: Rechnung", "auto-reply"),
        ("Réponse automatique : Facture", "auto-reply"),
        ("Autosvar: Faktura", "auto-reply"),
        ("Read: Invoice 17", "receipt"),
        ("Gelesen: Rechnung", "receipt"),
        ("Invoice 17", ""),
        ("Order of toner", ""),
        ("Test report and invoice", ""),
        ("Your paper on ink", ""),
        ("Delivery note 12", ""),
        ("Undeliverable: Invoice", ""),  # a person's subject, unless a machine wrote it
        ("", ""),
    ],
)
def test_subjects_of_mails_without_a_file(subject: str, kind: str) -> None:
    summary = mime.MailSummary(subject=subject)
    notice = notices.find(Headers([]), summary, (), False, ())
    assert (notice.kind if notice else "") == kind
    assert notices.find(Headers([]), summary, (), True, ()) is None  # with a file it is a document


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=b", "bounce"),
        ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b", "receipt"),
        ("Content-Type: multipart/mixed; boundary=b\nX-Failed-Recipients: a@b.example", "bounce"),
        ("Content-Type: multipart/mixed; boundary=b\nAuto-Submitted: auto-replied", "auto-reply"),
        ("Content-Type: multipart/mixed; boundary=b\nX-Autoreply: yes", "auto-reply"),
        ("Content-Type: multipart/mixed; boundary=b\nAuto-Submitted: auto-generated", ""),
    ],
)
def test_headers_that_a_standard_gives_this_meaning(header: str, kind: str) -> None:
    """Whatever the subject says."""
    mail = f"From: a@b.example\nSubject: About 17\n{header}\n\n--b\nContent-Type: text/plain\n\nHi\n--b--\n"
    notice = mime.split(mail.replace("\n", "\r\n").encode())[0].notice
    assert (notice.kind if notice else "") == kind


@pytest.mark.parametrize(
    ("part", "kind"), [("message/delivery-status", "bounce"), ("message/disposition-notification", "receipt")]
)
def test_parts_of_a_report_without_its_header(part: str, kind: str) -> None:
    mail = f"Subject: About 17\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: {part}\n\nx: y\n--b--\n"
    notice = mime.split(mail.replace("\n", "\r\n").encode())[0].notice
    assert notice is not None
    assert notice.kind == kind


def test_an_operators_pattern_that_takes_for_ever_is_met_by_nothing() -> None:
    started = time.perf_counter()
    summary = mime.MailSummary(subject="a" * 40 + "!")
    assert notices.find(Headers([]), summary, (), True, (r"^(a|a)*$",)) is None
    assert time.perf_counter() - started < 10.0


# --- what the mail says ---


def html(text: str) -> list[Leaf]:
    return [Leaf(Headers([("content-type", "text/html; charset=utf-8")]), "text/html", b"", data=text.encode())]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<p>Kunde: <b>17</b></p>", "17"),
        ("<head><title>Kunde: 1</title></head><body>Kunde&nbsp;: 17", "17"),
        ("<style>Kunde: 1</style><SCRIPT>Kunde: 2</SCRIPT>Kunde 17", "17"),
        ("<td>Kunde</td><td>17</td>", "17"),
        ("1 < 2, Kunde: 17", "17"),
        ("<p>Kundenliste: 17", ""),
    ],
)
def test_the_text_of_html(text: str, value: str) -> None:
    options = mime.Options(fields=(MailPattern(field="customer_number", where="body", label=("Kunde",)),))
    found = said.fields("", html(text), options)
    assert [each.value for each in found] == ([value] if value else [])


@pytest.mark.parametrize("rcpt", ["100234@gw.example", "100234@", "100234", "SE-100234@gw.example"])
def test_a_number_in_the_place_of_a_mailbox(rcpt: str) -> None:
    options = mime.Options(fields=(MailPattern(field="customer_number", where="rcpt"),), rcpt_to=("scan@gw", rcpt))
    (found,) = said.fields("", (), options)
    assert found.value == rcpt.partition("@")[0]
    assert found.where == "RCPT TO"


def test_a_field_whose_pattern_takes_for_ever_is_not_found() -> None:
    endless = MailPattern(field="number", where="subject", regex=r"^((?:a|a)*)$")
    options = mime.Options(fields=(endless, MailPattern(field="customer_number", where="subject", regex="(!)")))
    assert [each.field for each in said.fields("a" * 60 + "!", (), options)] == ["customer_number"]


def test_a_label_may_have_anything_in_it() -> None:
    options = mime.Options(fields=(MailPattern(field="number", where="subject", label=("No. (our)", "No.")),))
    (found,) = said.fields("Your no. (OUR): A/17, thank you", (), options)
    assert found.value == "A/17"


HOSTILE: Mapping[str, bytes] = {
    "begins": b"\r\n\r\n" + b"begin 644 x\r\n" * 500_000,
    "begins of base64": b"\r\n\r\n" + b"begin-base64 644 x\r\n" * 500_000,
    "ends": b"\r\n\r\nbegin 644 x\r\n" + b"end\r\nbegin 644 x\r\nM\r\n" * 300_000,
    "tags": b"Content-Type: text/html\r\n\r\n" + b"<script" * 100_000,
    "open tags": b"Content-Type: text/html\r\n\r\n" + b"<" * 1_000_000,
    "numbers": b"\r\n\r\n" + b"No. " * 200_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_is_bounded(name: str) -> None:
    patterns = (
        MailPattern(field="customer_number", where="body", label=("Kunde", "No.")),
        MailPattern(field="number", where="body", regex=r"(\d+)$"),
    )
    started = time.process_time()
    mime.split(HOSTILE[name], mime.Options(fields=patterns))
    assert time.process_time() - started < 10.0  # the square of it is minutes


def test_a_bomb_of_names_is_not_even_read() -> None:
    entry = b"PK\x01\x02" + b"\0" * 42
    data = b"PK\x03\x04" + entry * 400_000
    started = time.process_time()
    assert found(mixed(attached("a.zip", data))) == [("a.zip", "too-large")]
    assert time.process_time() - started < 10.0  # the square of it is minutes


def test_a_zip_is_told_by_its_bytes() -> None:
    assert found(mixed(attached("a.zip", PDF))) == [("a.zip", "")]
    assert found(mixed(attached("a.pdf", zipped({"F-1.pdf": PDF})))) == [("F-1.pdf", "")]
