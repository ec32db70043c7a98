"""Invoices inside PDFs: which file counts, what the page adds, and what hostile PDFs cannot do."""

from __future__ import annotations

import io
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import pytest
from pikepdf import Array, AttachedFileSpec, Dictionary, Name, NameTree, Pdf, Stream, String

from gateway import jobs
from gateway.model import ReadDocument
from gateway.readers import facturx, read
from gateway.readers.xml import MAX_SIZE

GOLDEN = Path(__file__).parent.parent / "golden"
HYBRID = (GOLDEN / "reader-42-factur-x/in.pdf").read_bytes()
PAGE = (GOLDEN / "reader-20-pdf-french/in.pdf").read_bytes()
CII = (GOLDEN / "reader-40-cii-whole/in.xml").read_bytes()
ZUGFERD = (GOLDEN / "reader-41-zugferd-1/in.xml").read_bytes()
UBL = (GOLDEN / "reader-01-whole-invoice/in.xml").read_bytes()


def holding(*files: tuple[str, bytes], page: bytes = PAGE) -> bytes:
    """`page` with files inside."""
    with Pdf.open(io.BytesIO(page)) as pdf:
        for name, content in files:
            pdf.attachments[name] = AttachedFileSpec(pdf, content, filename=name, relationship=Name.Unspecified)
        written = io.BytesIO()
        pdf.save(written)
    return written.getvalue()


def with_stream(name: str, raw: bytes, **entries: Any) -> bytes:
    """`PAGE` with a file inside whose stream is `raw` as it stands."""
    with Pdf.open(io.BytesIO(PAGE)) as pdf:
        stream = Stream(pdf, b"")
        stream.write(raw, filter=entries.pop("filter", None), decode_parms=entries.pop("parms", None))
        for key, value in entries.items():
            stream[f"/{key}"] = value
        specification = pdf.make_indirect(
            Dictionary(Type=Name.Filespec, F=String(name), UF=String(name), EF=Dictionary(F=stream, UF=stream))
        )
        tree = NameTree.new(pdf)
        tree[name] = specification
        pdf.Root.Names = Dictionary(EmbeddedFiles=tree.obj)
        written = io.BytesIO()
        pdf.save(written, compress_streams=False)
    return written.getvalue()


def reading(data: bytes) -> ReadDocument:
    (document,) = read("x.pdf", "", (), data)
    return document


def test_the_xml_wins_and_a_disagreement_is_a_note() -> None:
    document = reading(HYBRID)
    assert (document.format, document.number, document.payable) == ("facturx", "C-2026/0815", "22.00")
    assert document.invoice is not None
    assert document.customer_numbers == ("0010427", "4000002000006", "K-77")
    assert "The page says number C-2026/9999, Factur-X.XML says C-2026/0815; the XML counts." in document.notes
    assert not [note for note in document.notes if "to pay" in note]
    places = {found.field: found.where for found in document.evidence}
    assert places["number"] == "Factur-X.XML:/CrossIndustryInvoice/rsm:ExchangedDocument/ram:ID"
    assert places["customer_number"].startswith("page 1")


def test_an_amount_that_differs_is_a_note() -> None:
    changed = CII.replace(b"<ram:DuePayableAmount>22.00", b"<ram:DuePayableAmount>23.00")
    notes = reading(holding(("factur-x.xml", changed))).notes
    assert "The page says 1 200,00 to pay, factur-x.xml says 23.00; the XML counts." in notes


@pytest.mark.parametrize("name", ["factur-x.xml", "ZUGFeRD-invoice.xml", "xrechnung.xml", "anything", "invoice.dat"])
def test_the_content_decides_and_not_the_name(name: str) -> None:
    assert reading(holding(("readme.txt", b"<no xml"), (name, CII))).number == "C-2026/0815"


@pytest.mark.parametrize(
    ("content", "format_", "number"), [(ZUGFERD, "facturx", "Z1-77"), (UBL, "pdf", None), (CII, "facturx", None)]
)
def test_every_syntax(content: bytes, format_: str, number: str | None) -> None:
    document = reading(holding(("invoice.xml", content)))
    assert document.format == format_
    assert document.invoice == read("", "", (), content)[0].invoice
    assert number is None or document.number == number


def test_of_several_invoices_the_best_named_counts() -> None:
    """The list in the PDF is sorted by name: there the best one stands last."""
    document = reading(holding(("a.xml", ZUGFERD), ("b.xml", UBL), ("factur-x.xml", CII)))
    assert document.number == "C-2026/0815"
    assert "The PDF holds 3 invoices as XML; factur-x.xml counts, and not a.xml, b.xml." in document.notes


def test_a_file_that_only_the_catalogue_names() -> None:
    with Pdf.open(io.BytesIO(holding(("factur-x.xml", CII)))) as pdf:
        pdf.Root.AF = Array([pdf.attachments["factur-x.xml"].obj])
        del pdf.Root.Names
        written = io.BytesIO()
        pdf.save(written)
    assert reading(written.getvalue()).number == "C-2026/0815"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (CII[:3000], "factur-x.xml inside the PDF cannot be read. "),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "has a DOCTYPE"),
    ],
)
def test_a_broken_file_leaves_the_page(content: bytes, said: str) -> None:
    document = reading(holding(("factur-x.xml", content)))
    assert (document.format, document.number) == ("pdf", "FA-2026/031")
    assert [note for note in document.notes if said in note]


def test_other_xml_is_nobodys_business() -> None:
    document = reading(holding(("data.xml", b"<a/>")))
    assert (document.format, document.number, document.notes) == ("pdf", "FA-2026/031", ())


def test_a_name_that_promises_an_invoice_is_noted() -> None:
    document = reading(holding(("zugferd-invoice.xml", b"<Invoice/>")))
    assert document.number == "FA-2026/031"
    assert document.notes == ("zugferd-invoice.xml inside the PDF is no document that we read: its root is Invoice.",)


@pytest.mark.parametrize("filters", [Name.FlateDecode, Array([Name.FlateDecode])])
def test_a_bomb_is_not_unpacked(filters: Any) -> None:
    bomb = with_stream("factur-x.xml", zlib.compress(b"<a>" + b" " * (4 * MAX_SIZE)), filter=filters)
    tracemalloc.start()
    try:
        document = reading(bomb)
        assert tracemalloc.get_traced_memory()[1] < 3 * MAX_SIZE
    finally:
        tracemalloc.stop()
    assert document.number == "FA-2026/031"
    assert document.notes == (
        "factur-x.xml inside the PDF is damaged, packed unusually, or larger than 20 million bytes.",
    )


def test_bombs_in_bombs_are_not_opened() -> None:
    bomb = zlib.compress(zlib.compress(CII))
    filters = Array([Name.FlateDecode, Name.FlateDecode])
    document = reading(with_stream("factur-x.xml", bomb, filter=filters))
    assert document.format == "pdf"
    assert [note for note in document.notes if "packed unusually" in note]


def test_a_size_that_lies_changes_nothing() -> None:
    lying = with_stream("factur-x.xml", zlib.compress(CII), filter=Name.FlateDecode, Params=Dictionary(Size=3))
    assert reading(lying).number == "C-2026/0815"


def test_a_file_in_a_strange_place_is_no_error() -> None:
    with Pdf.open(io.BytesIO(PAGE)) as pdf:
        pdf.Root.Names = Dictionary(EmbeddedFiles=Array([1, 2]))
        pdf.Root.AF = Array([Dictionary(EF=Dictionary(F=7)), 8])
        written = io.BytesIO()
        pdf.save(written)
    assert reading(written.getvalue()).number == "FA-2026/031"


def test_a_thousand_files_are_not_looked_at() -> None:
    many = [(f"{number:04}.txt", b"x") for number in range(facturx.MAX_FILES)]
    assert reading(holding(*many, ("zzzz.xml", CII))).format == "pdf"


def test_the_pdf_itself_is_the_source() -> None:
    options = {"now": "2026-11-24T09:30:05+00:00"}
    made, data = jobs.convert("F1.pdf", "pdf", "en", options, HYBRID)
    assert made == {"name": "F1.pdf", "media_type": "application/pdf", "notes": []}
    assert data == HYBRID
