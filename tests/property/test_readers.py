"""Whatever the bytes are: documents or `Unreadable`, nothing else, and never for long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import mime, readers
from gateway.errors import Unreadable
from gateway.model import ReadDocument

CAUSES = {
    "empty",
    "encrypted",
    "doctype",
    "malformed-edifact",
    "malformed-xml",
    "too-deep",
    "too-large",
    "encoding",
    "not-a-document",
    "pdf-damaged",
    "page-too-large",
    "too-many-pages",
    "unknown-type",
    "signature-damaged",
    "archive-damaged",
}
GOLDEN = sorted((Path(__file__).parent.parent / "golden").glob("reader-*/in.*"))
SAMPLES = [path.read_bytes() for path in GOLDEN]
CALM = settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.too_slow])

places = st.floats(0, 1)
mutations = st.lists(
    st.tuples(st.sampled_from(["cut", "insert", "replace", "repeat"]), places, st.binary(max_size=40)), max_size=6
)
tags = st.one_of(
    st.sampled_from([b"<", b">", b"</", b"/>", b"<!DOCTYPE a>", b"<![CDATA[", b"]]>", b"<!--", b"&#0;", b"&amp;"]),
    st.sampled_from([b"<cbc:ID>", b"</cbc:ID>", b"<cac:InvoiceLine>", b"\0", b"\xe9", b"\xff\xfe", b"<?xml"]),
    st.sampled_from([b"%PDF-1.7\n", b"stream\n", b"endobj\n", b"%%EOF\n", b"xref\n", b"1 0 obj", b"<<", b">>"]),
)


def mutate(data: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    for what, place, piece in changes:
        at = int(place * len(data))
        if what == "cut":
            data = data[:at]
        elif what == "insert":
            data = data[:at] + piece + data[at:]
        elif what == "replace":
            data = data[:at] + piece + data[at + len(piece) :]
        else:
            data = data[:at] + data[at : at + 200] * 5 + data[at:]
    return data


def attempt(function: Callable[..., Any], *args: Any) -> Any:
    """What `function` gives, or the Unreadable that it raises, which has a known cause and a sentence."""
    try:
        return function(*args)
    except Unreadable as error:
        unreadable = error
    assert unreadable.cause in CAUSES
    assert unreadable.sentence.endswith(".")
    return unreadable


def check(data: bytes) -> None:
    documents = attempt(readers.read, "name", "a/b", (), data)
    if isinstance(documents, Unreadable):
        return
    assert documents
    encoded = msgspec.json.encode(documents)
    assert msgspec.json.decode(encoded, type=list[ReadDocument]) == documents
    for document in documents:
        values = (document.number, document.seller, document.buyer, document.payable, *document.customer_numbers)
        assert all("\n" not in value and len(value) <= 300 for value in values if value)


@CALM
@given(st.binary(max_size=500))
def test_any_bytes(data: bytes) -> None:
    check(data)


@CALM
@given(st.lists(st.one_of(tags, st.binary(max_size=8)), max_size=40).map(b"".join))
def test_bytes_that_look_like_xml_or_pdf(data: bytes) -> None:
    check(data)
    check(b"%PDF-1.7\n" + data + b"\n%%EOF")


@CALM
@given(st.sampled_from(SAMPLES), mutations)
def test_documents_gone_wrong(sample: bytes, changes: list[tuple[str, float, bytes]]) -> None:
    check(mutate(sample, changes))


@CALM
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_any_text_in_an_invoice(number: str, mail: str, amount: str) -> None:
    allowed = [
        "".join(char for char in text if char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd")
        for text in (number, mail, amount)
    ]
    number, mail, amount = (text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for text in allowed)
    sample = SAMPLES[1].decode()
    data = sample.replace("G-17", number).replace("Buchhaltung@Kunde.example", mail).replace("-12.50", amount)
    (document,) = readers.read("", "", (), data.encode())
    assert document.number == (" ".join(allowed[0].split()) or None)
    check(data.encode())


# --- mails ---

lines = st.one_of(
    st.sampled_from([b"", b"--b", b"--b--", b"JVBERi0=", b"From: a@b.example", b" folded", b"Subject: =?x?b?//?="]),
    st.sampled_from([b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: message/rfc822"]),
    st.sampled_from([b"Content-Type: application/pdf; name=a.pdf", b"Content-Transfer-Encoding: base64"]),
    st.sampled_from([b"Content-Disposition: attachment; filename*0*=utf-8''%E9; filename*9=x", b"To: =?utf-8?q?=C3?="]),
)


@CALM
@given(st.lists(st.one_of(lines, st.binary(max_size=30)), max_size=40).map(b"\r\n".join))
def test_any_mail(message: bytes) -> None:
    taken_apart = attempt(mime.split, message)
    if isinstance(taken_apart, Unreadable):
        return
    summary, parts, data = taken_apart
    assert msgspec.json.decode(msgspec.json.encode(summary), type=mime.MailSummary) == summary
    assert sum(part.size for part in parts) == len(data)
    for part in parts:
        assert part.name
        assert not set(part.name) & set("/\\\r\n\0")
        assert part.extra_of is None or (parts[part.extra_of].is_document and not part.is_document)
