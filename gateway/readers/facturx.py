"""Documents inside PDFs: Factur-X, ZUGFeRD 1.0 and 2, Order-X, and whatever else is XML that we read, as embedded
files (ISO 32000-1 §7.11.4). An invoice counts before any other.

An embedded file is taken for what its bytes are. Its name and its AFRelationship decide only which of several counts:
the corpus of public samples has every relationship and any spelling of the names. Nothing is unpacked beyond what we
read of an XML file.
"""

from __future__ import annotations

import dataclasses
import io
import re
import zlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from gateway.doctypes.invoice import INVOICE
from gateway.doctypes.other import OTHER
from gateway.errors import Unreadable, in_words
from gateway.model import ReadDocument
from gateway.readers.item import Item
from gateway.readers.unwrapping import unwrap
from gateway.readers.xml import MAX_SIZE, looks_like_xml
from gateway.readers.xpath import clean, decimal_of

MAX_FILES = 100  # embedded files that are looked at
MAX_INVOICES = 5  # of which the content is parsed
NAMES = (  # Factur-X 1.0 §6, ZUGFeRD 1.0 and 2.0, Order-X left out; in the order of precedence
    "factur-x.xml",
    "xrechnung.xml",
    "zugferd-invoice.xml",
    "zugferd_invoice.xml",
)

_CENTS = re.compile(r"(-?\d[\d .,'’\u00a0\u202f]*)[.,:](\d\d)")
_DAMAGES = (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError, NotImplementedError)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Embedded:
    """The document inside a PDF, and what was odd on the way to it; without `document` there is none."""

    name: str = ""
    document: ReadDocument | None = None
    notes: tuple[str, ...] = ()


def embedded_in(item: Item) -> Embedded:
    """The document that the PDF `item` carries as an embedded file. Never raises for what the PDF holds."""
    if b"/Filespec" not in item.data and b"/EF" not in item.data and b"/ObjStm" not in item.data:
        return Embedded()
    from pikepdf import PdfError

    notes: list[str] = []
    try:
        found = sorted(_xml_files(item.data, notes), key=lambda file: _rank(file[0]))
    except (PdfError, *_DAMAGES) as error:
        why = in_words(error) if isinstance(error, PdfError) else "their list is damaged"
        return Embedded(notes=(f"The files inside the PDF cannot be listed: {why}.",))
    read = [inside for file in found[:MAX_INVOICES] if (inside := _document(item, *file, notes))]
    invoices = [(name, document) for name, document in read if document.type == INVOICE.name]
    if not read:
        return Embedded(notes=tuple(notes))
    (name, document), *others = invoices or read
    if others:
        also, what = ", ".join(other for other, _ in others), "invoices" if invoices else "documents"
        notes.append(f"The PDF holds {len(others) + 1} {what} as XML; {name} counts, and not {also}.")
    return Embedded(name=name, document=document, notes=tuple(notes))


def only_xml(data: bytes) -> bytes:
    """`data` itself, or of a PDF that we wrote the first XML file inside."""
    if not data.startswith(b"%PDF-"):
        return data
    return next(content for _, content in _xml_files(data, []))


def _rank(name: str) -> int:
    lowered = name.casefold()
    return NAMES.index(lowered) if lowered in NAMES else len(NAMES)


def _xml_files(data: bytes, notes: list[str]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each embedded XML file, one time each."""
    from pikepdf import Pdf

    with Pdf.open(io.BytesIO(data)) as pdf:
        seen: set[tuple[int, int]] = set()
        for specification in _specifications(pdf):
            stream = _stream(specification)
            if stream is None or stream.objgen in seen:
                continue
            seen.add(stream.objgen)
            name = _name(specification)
            content = _unpacked(stream)
            if content is None and name.casefold().endswith(".xml"):
                limit = f"{MAX_SIZE // 1_000_000} million bytes"
                notes.append(f"{name} inside the PDF is damaged, packed unusually, or larger than {limit}.")
            elif content is not None and looks_like_xml(content):
                yield name, content


def _specifications(pdf: Any) -> Iterator[Any]:
    """File specifications: of the name tree EmbeddedFiles, then those that only the catalogue's AF names."""
    from pikepdf import Array, NameTree

    names = pdf.Root.get("/Names", {}).get("/EmbeddedFiles")
    count = 0
    if names is not None:
        for _, specification in NameTree(names, auto_repair=False).items():
            count += 1
            if count > MAX_FILES:
                return
            yield specification
    associated = pdf.Root.get("/AF")
    if isinstance(associated, Array):
        yield from list(associated)[:MAX_FILES]


def _stream(specification: Any) -> Any | None:
    from pikepdf import Dictionary, Stream

    files = specification.get("/EF") if isinstance(specification, Dictionary) else None
    if not isinstance(files, Dictionary):
        return None
    stream = files.get("/UF", files.get("/F"))
    return stream if isinstance(stream, Stream) else None


def _name(specification: Any) -> str:
    """The file name, without folders."""
    for key in ("/UF", "/F"):
        value = specification.get(key)
        name = clean(str(value).replace("\\", "/").rpartition("/")[2]) if value is not None else None
        if name:
            return name[:100]
    return "a file without a name"


def _unpacked(stream: Any) -> bytes | None:
    """The bytes of an embedded file; None when it is too large, damaged, or packed by anything but deflate.

    Sizes that the PDF states are not believed: unpacking stops when it has given more than `MAX_SIZE` bytes.
    """
    from pikepdf import Array, Name

    filters = stream.get("/Filter")
    if isinstance(filters, Array):
        if len(filters) > 1:
            return None
        filters = filters[0] if len(filters) else None
    raw = stream.read_raw_bytes()
    if filters is None:
        return raw if len(raw) <= MAX_SIZE else None
    if filters != Name.FlateDecode or stream.get("/DecodeParms") is not None:
        return None
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(raw, MAX_SIZE + 1)
    except zlib.error:
        return None
    return content if len(content) <= MAX_SIZE else None


def _document(item: Item, name: str, content: bytes, notes: list[str]) -> tuple[str, ReadDocument] | None:
    """The reading of an embedded XML file, if it is a document of a type that we read."""
    from gateway.readers.table import READERS  # which holds the reader that asks

    file = dataclasses.replace(item, data=content, name=name, root=None, path=f"{name}:")
    try:
        inner = unwrap(file)
        if len(inner) > 1:
            notes.append(f"{name} inside the PDF holds {len(inner)} documents and is left alone.")
            return None
        reader = next((reader for reader in READERS if inner[0].root is not None and reader.sniff(inner[0])), None)
        document = reader.read(inner[0])[0] if reader and reader.name != "other" else None
    except Unreadable as error:
        notes.append(f"{name} inside the PDF cannot be read. {error.sentence}")
        return None
    if document is None and _rank(name) < len(NAMES):
        root = inner[0].path.rpartition("/")[2]
        notes.append(f"{name} inside the PDF is no document that we read: its root is {root}.")
    return (name, document) if document else None


def joined(page: ReadDocument, embedded: Embedded) -> ReadDocument:
    """What the XML says; further customer numbers, addresses and the language may come from the page.

    A number or an amount that the page shows otherwise is a note.
    The format is `facturx` for a Cross Industry Invoice, whatever its version, and `pdf` for any other.
    """
    inner = embedded.document
    if inner is None or (inner.type not in (INVOICE.name, page.type) and page.type != OTHER.name):
        # An order inside a PDF that calls itself an invoice is what the invoice refers to.
        return msgspec.structs.replace(page, notes=(*page.notes, *embedded.notes))
    numbers = tuple(dict.fromkeys((*inner.customer_numbers, *page.customer_numbers)))
    emails = {email.casefold(): email for email in (*page.emails, *inner.emails)}
    ordered = dict.fromkeys(email.casefold() for email in (*inner.emails, *page.emails))
    known = {found.field for found in inner.evidence}
    added = {
        "customer_number": set(numbers) - set(inner.customer_numbers),
        "email": {emails[key] for key in ordered} - set(inner.emails),
    }
    evidence = tuple(
        found
        for found in page.evidence
        if (found.value in added[found.field] if found.field in added else found.field not in known)
        and found.field in (*added, "language")
    )
    return msgspec.structs.replace(
        inner,
        format="facturx" if inner.format == "cii" else "pdf",
        customer_numbers=numbers,
        emails=tuple(emails[key] for key in ordered),
        language=inner.language or page.language,
        evidence=(*inner.evidence, *evidence),
        notes=(*inner.notes, *embedded.notes, *_disagreements(page, inner, embedded.name)),
    )


def _disagreements(page: ReadDocument, inner: ReadDocument, name: str) -> list[str]:
    notes = []
    if page.number and inner.number and page.number != inner.number:
        notes.append(f"The page says number {page.number}, {name} says {inner.number}; the XML counts.")
    seen, stated = _amount(page.payable), decimal_of(inner.payable)
    if seen is not None and stated is not None and seen != stated:
        notes.append(f"The page says {page.payable} to pay, {name} says {inner.payable}; the XML counts.")
    return notes


def _amount(text: str | None) -> Decimal | None:
    """An amount on a page whose cents can be told from its thousands; None for any other."""
    match = _CENTS.fullmatch(text or "")
    return Decimal(re.sub(r"[^\d-]", "", match[1]) + "." + match[2]) if match else None
