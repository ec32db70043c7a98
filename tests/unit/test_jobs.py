"""The jobs as the pool runs them: JSON-able values and bytes, in and out."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pikepdf
import pytest

from gateway import jobs, mime
from gateway.errors import Unreadable
from gateway.model import Pattern, ReadDocument

GOLDEN = Path(__file__).parent.parent / "golden"
INVOICE = (GOLDEN / "reader-01-whole-invoice/in.xml").read_bytes()
PDF = (GOLDEN / "reader-22-pdf-patterns/in.pdf").read_bytes()
MAIL = (
    b"From: a@b.example\r\nSubject: =?utf-8?q?M=C3=A4rz?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: application/pdf; name=F1.pdf\r\n\r\n%PDF-\r\n"
    b"--b\r\nContent-Type: application/xml; name=F1.xml\r\n\r\n<a/>\r\n--b--\r\n"
)


def as_sent(value: Any) -> Any:
    """`value` after the way between two processes."""
    return json.loads(json.dumps(value))


def test_split() -> None:
    found, data = jobs.split({}, MAIL)
    summary, *parts = as_sent(found)
    assert msgspec.convert(summary, mime.MailSummary).subject == "März"
    pdf, xml = (msgspec.convert(part, mime.Part) for part in parts)
    assert (pdf.name, pdf.is_document, pdf.extra_of) == ("F1.pdf", False, 1)
    assert (xml.name, xml.is_document, data[xml.offset : xml.offset + xml.size]) == ("F1.xml", True, b"<a/>")
    with pytest.raises(Unreadable):
        jobs.split({"limits": {"parts": 1}}, MAIL)


def test_inspect_leaves_the_content_out() -> None:
    found, data = jobs.inspect("F1.xml", "text/xml", [], INVOICE)
    (document,) = msgspec.convert(as_sent(found), list[ReadDocument])
    assert (document.number, document.invoice, data) == ("F-2026-1", None, b"")
    assert {each.field for each in document.evidence} >= {"number", "customer_number", "email", "payable"}


def test_inspect_uses_the_patterns_of_the_source() -> None:
    pattern = msgspec.to_builtins(Pattern(field="number", label=("Kundnummer",)))
    found, _ = jobs.inspect("x.pdf", "", [pattern], PDF)
    assert found[0]["number"] == "9999"


def test_convert_to_the_own_format_gives_the_original_bytes() -> None:
    options = {"now": "2026-03-02T09:41:00Z"}
    made, data = jobs.convert("F1.xml", "ubl", "en", options, INVOICE)
    assert (as_sent(made), data) == ({"name": "F1.xml", "media_type": "application/xml", "notes": []}, INVOICE)
    made, data = jobs.convert("F1.bin", "pdf", "en", options, PDF)
    assert (made, data) == ({"name": "F1.bin", "media_type": "application/pdf", "notes": []}, PDF)


def page_alone(data: bytes) -> bytes:
    """The PDF `data` without the files inside, which would be read before its text."""
    with pikepdf.Pdf.open(io.BytesIO(data)) as pdf:
        for name in list(pdf.attachments):
            del pdf.attachments[name]
        written = io.BytesIO()
        pdf.save(written)
    return written.getvalue()


def test_convert_renders_the_whole_invoice() -> None:
    made, data = jobs.convert("F1.xml", "pdf", "fr", {"now": "2026-03-02T09:41:00+00:00", "accent": "#204060"}, INVOICE)
    assert made == {"name": "F1.pdf", "media_type": "application/pdf", "notes": []}
    assert data.startswith(b"%PDF-")
    found, _ = jobs.inspect("F1.pdf", "", [], page_alone(data))
    seen = {name: found[0][name] for name in ("type", "issue_date", "customer_numbers", "payable", "currency")}
    assert as_sent(seen) == {
        "type": "invoice",
        "issue_date": "2026-02-03",
        "customer_numbers": ["0010427"],
        "payable": "101,00",
        "currency": "EUR",
    }
