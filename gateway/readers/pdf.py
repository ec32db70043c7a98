"""PDF (ISO 32000): an invoice inside counts, then the fields that patterns find; else there are no fields."""

from __future__ import annotations

import ctypes
import datetime as dt
import re
from typing import Any, NamedTuple

import pypdfium2
from pypdfium2 import raw

from gateway import doctypes
from gateway.doctypes.invoice import INVOICE
from gateway.errors import Unreadable
from gateway.model import Found, ReadDocument
from gateway.readers.facturx import embedded_in, joined
from gateway.readers.item import Item
from gateway.readers.pdfbombs import refuse_bombs
from gateway.readers.pdffields import Fields
from gateway.readers.pdfmatch import Hit
from gateway.readers.pdftext import Cell, Page, read_page

MAX_PAGES = 2_000
MAX_PAGE_SIDE = 14_400  # points; ISO 32000-1 annex C.2
_HEADER = re.compile(rb"%PDF-\d")
_WITHIN = 1024  # bytes; ISO 32000-1 annex H.3 notes 13 and 18: where viewers look for the header and for the end
_TITLES_WITHIN = 0.45  # of the first page's height
_LEAST_NAMED = ("reminder", "statement", "invoice", "order_response", "despatch_advice", "order")
_VALUE = re.compile(r":|\S*\d")
_TITLE_NUMBER = re.compile(r"(?=\S*\d)[^\W_][\w./-]*")


class PdfReader:
    """Everything that starts like a PDF."""

    name = "pdf"

    def sniff(self, item: Item) -> bool:
        """A PDF header within the first kilobyte."""
        return item.root is None and is_pdf(item.data)

    def read(self, item: Item) -> list[ReadDocument]:
        """One document; Unreadable when it is encrypted, damaged, or larger than pages are."""
        document = open_pdf(item.data)
        try:
            fields = Fields(item.patterns, len(document), lambda number: read_page(document, number))
            return [joined(_document(fields, _language(document)), embedded_in(item))]
        except pypdfium2.PdfiumError as error:
            raise Unreadable("pdf-damaged", f"The PDF is damaged: {str(error)[:200].rstrip('.')}.") from None
        finally:
            document.close()


def is_pdf(data: bytes) -> bool:
    """A PDF header within the first kilobyte."""
    return _HEADER.search(data, 0, _WITHIN) is not None


def open_pdf(data: bytes) -> Any:
    """The `pypdfium2.PdfDocument`; Unreadable when it is encrypted, damaged, a bomb, or larger than pages are."""
    if b"%%EOF" not in data[-_WITHIN:]:
        raise Unreadable("pdf-damaged", "The PDF has no end: it was cut off on its way.")
    refuse_bombs(data)
    document = _open(data)
    try:
        _refuse_size(document)
    except BaseException:
        document.close()
        raise
    return document


def _open(data: bytes) -> Any:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise Unreadable("encrypted", "The PDF opens with a password only.") from None
        if error.err_code == raw.FPDF_ERR_SECURITY:
            raise Unreadable("encrypted", "The PDF is encrypted in a way that we do not know.") from None
        raise Unreadable("pdf-damaged", "The PDF is damaged and cannot be opened.") from None


def _refuse_size(document: Any) -> None:
    pages = len(document)
    if pages == 0:
        raise Unreadable("pdf-damaged", "The PDF has no page.")
    if pages > MAX_PAGES:
        raise Unreadable("too-many-pages", f"The PDF has {pages} pages; {MAX_PAGES} are the most that we read.")
    for index in range(pages):
        try:
            width, height = document.get_page_size(index)
        except pypdfium2.PdfiumError:
            raise Unreadable("pdf-damaged", f"Page {index + 1} of the PDF cannot be found.") from None
        if not (0 < width <= MAX_PAGE_SIDE and 0 < height <= MAX_PAGE_SIDE):
            size = f"{width:.0f} × {height:.0f} points"
            raise Unreadable("page-too-large", f"Page {index + 1} is {size}; a side has at most {MAX_PAGE_SIDE}.")


def _document(fields: Fields, language: str | None) -> ReadDocument:
    kind, subtype = _kind(fields)
    evidence = fields.evidence()
    if language:
        evidence += (Found(field="language", value=language, where="/Root/Lang"),)
    return ReadDocument(
        format="pdf",
        type=kind,
        subtype=subtype,
        number=fields.value("number"),
        issue_date=_date(fields.value("issue_date")),
        due_date=_date(fields.value("due_date")),
        customer_numbers=fields.values("customer_number"),
        emails=fields.values("email"),
        currency=fields.value("currency"),
        payable=fields.value("payable"),
        language=language,
        evidence=evidence,
        notes=tuple(fields.notes),
    )


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _kind(fields: Fields) -> tuple[str, str | None]:
    """Type and subtype: what a pattern or the tag says, else what the title says."""
    said = fields.value("type")
    if said is not None:
        if said.casefold() in doctypes.names():
            return said.casefold(), None
        revealed = doctypes.reveal(said)
        if revealed is None:
            fields.notes.append(f"The type field says {said!r}, which names no document type.")
            return "other", None
        return revealed[0].name, revealed[1]
    title = _title(fields.page(1))
    if title is None:
        return "other", None
    fields.hits["type"] = [title.hit]
    number = _TITLE_NUMBER.search(title.text) if "number" not in fields.hits else None
    if number:
        fields.hits["number"] = [title.hit._replace(value=number[0])]
    return title.kind, title.subtype


class _Title(NamedTuple):
    """A line that announces a type."""

    rank: int
    kind: str
    subtype: str | None
    text: str  # the whole cell when it is nothing but a title, perhaps with its number
    hit: Hit


def _title(page: Page) -> _Title | None:
    """The best title near the top; the first one where several are as good.

    Documents name others: an invoice has a line `Order 17`, a reminder one `Invoice 4711`. So a bare title wins over
    one with a number, and among those the type that is named least in documents of other types.
    """
    best: _Title | None = None
    for line in page.lines():
        if min(cell.box.top for cell in line.cells) > page.height * _TITLES_WITHIN:
            break
        for cell, beside in zip(line.cells, (*line.cells[1:], None), strict=True):
            found = _title_of(cell, page)
            if found and beside and found.kind != INVOICE.name and _VALUE.match(beside.text):
                continue  # `Order | 17`: a field
            if found and (best is None or found.rank < best.rank):
                best = found
    return best


def _title_of(cell: Cell, page: Page) -> _Title | None:
    words = cell.text.split(" ")
    spaced = len(words) > 4 and all(len(word) == 1 for word in words)  # I N V O I C E
    text = "".join(words) if spaced else cell.text
    revealed = doctypes.reveal(text)
    if revealed is None:
        return None
    kind, subtype, extent = revealed
    if extent == "start" and kind is not INVOICE:
        return None  # `Order date`, `Delivery note of …`: said of something else
    order = _LEAST_NAMED.index(kind.name) if kind.name in _LEAST_NAMED else len(_LEAST_NAMED)
    rank = {"title": 0, "numbered": 1, "start": 2}[extent] * 100 + order
    hit = Hit(kind.name, page.number, cell.box)
    return _Title(rank, kind.name, subtype, "" if extent == "start" else text, hit)


def _language(document: Any) -> str | None:
    """The language that the catalogue declares (ISO 32000-1 §14.9.2.1)."""
    text = ctypes.create_string_buffer(64)
    buffer = ctypes.cast(text, ctypes.POINTER(ctypes.c_ushort))
    size = raw.FPDFCatalog_GetLanguage(document, buffer, len(text))
    if not 2 < size <= len(text):
        return None
    language = text.raw[: size - 2].decode("utf-16-le", "replace").lower()
    code = language.replace("_", "-").partition("-")[0]
    return code if len(code) == 2 and code.isalpha() and code.isascii() else None
