"""The sender's own PDF as the page of a Factur-X: only where it is PDF/A-3b or becomes it with its pages untouched."""

from __future__ import annotations

import io
from collections.abc import Callable

import facturx
import pikepdf
import pypdfium2
import pytest
from pikepdf import Pdf, pdfa

from bench import samples
from gateway import formats
from gateway.formats import ownpage
from gateway.formats.pdf import set_page
from gateway.model import Attachment
from gateway.readers import read as read_file
from tests import pdf_text
from tests.invoices import NOW, SOURCE, invoice, read

OPTIONS = formats.Options(language="sv", now=NOW)


def senders(language: str = "fr") -> bytes:
    """A PDF that a sender may have made: fonts inside, of no standard that it names."""
    content = invoice()
    options = formats.Options(language=language, now=NOW)
    with Pdf.open(io.BytesIO(set_page(read(content), content, options))) as pdf:
        del pdf.Root.Metadata
        del pdf.Root.OutputIntents
        written = io.BytesIO()
        pdf.save(written)
    return written.getvalue()


def changed(change: Callable[[Pdf], None], **how: object) -> bytes:
    with Pdf.open(io.BytesIO(senders())) as pdf:
        change(pdf)
        written = io.BytesIO()
        pdf.save(written, **how)  # type: ignore[arg-type]
    return written.getvalue()


def made(page: bytes | None, target: str = "facturx") -> Attachment:
    options = formats.Options(language="sv", now=NOW, page=page)
    return formats.convert(read(invoice()), SOURCE, target, options)


def pixels(data: bytes) -> bytes:
    return bytes(pypdfium2.PdfDocument(data)[0].render(scale=1).to_pil().tobytes())


def test_a_pdf_that_becomes_pdf_a_is_the_page() -> None:
    own = senders()
    attachment = made(own)
    assert attachment.has_own_page
    assert attachment.notes == ("Its page is the sender's own PDF, made PDF/A-3b.",)
    assert pixels(attachment.content) == pixels(own)
    assert "Facture" in pdf_text.pages(attachment.content)[0]
    name, _ = facturx.get_xml_from_pdf(attachment.content, check_xsd=True)
    assert name == "factur-x.xml"
    document = read_file("", "", (), attachment.content)[0]
    assert formats.is_already(document, attachment.content, "facturx")


def test_what_it_becomes_is_pdf_a_and_says_what_is_inside() -> None:
    with Pdf.open(io.BytesIO(made(senders()).content)) as pdf:
        findings = pdfa.check(pdf, "3b").findings
        with pdf.open_metadata() as metadata:
            prefix = "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}"
            assert metadata[prefix + "ConformanceLevel"] == "EN 16931"
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")
    # Not on the list of what `pikepdf.pdfa` allows: extension schemas. What it does not look at: files inside.
    assert {found.rule for found in findings if found.kind == "violation"} <= {"ISO_19005_3:6.6.2.3.1-1"}
    assert {found.rule for found in findings if found.kind != "violation"} <= {
        "pikepdf:embedded-file",
        "pikepdf:associated-files",
    }


def test_the_same_gives_the_same_bytes() -> None:
    own = senders()
    assert made(own).content == made(own).content


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (samples.pdf(1), "not embedded"),
        (changed(lambda pdf: None, encryption=pikepdf.Encryption(owner="o", user="")), "it is encrypted"),
        (changed(lambda pdf: setattr(pdf.Root, "AcroForm", pikepdf.Dictionary(Fields=[]))), "signed or a form"),
        (changed(lambda pdf: pdf.attachments.__setitem__("a.txt", b"x")), "files inside"),
        (changed(lambda pdf: pdf.pages.extend([pdf.pages[0]] * 200)), "more than 200 pages"),
        (b"%PDF-1.7 is none", "cannot be taken apart"),
        (b"%PDF-1.7" + b" " * (20 << 20), "too large"),
    ],
)
def test_what_cannot_become_it_stays_beside_and_says_why(page: bytes, why: str) -> None:
    attachment = made(page)
    assert not attachment.has_own_page
    assert attachment.content == made(None).content
    (note,) = attachment.notes
    assert note.startswith("The sender's own PDF goes beside it, since it cannot become PDF/A-3b: ")
    assert why in note


def test_without_a_page_of_the_sender_nothing_is_said() -> None:
    assert made(None).notes == ()
    assert ownpage.sound(senders(), NOW)[1] == ""
