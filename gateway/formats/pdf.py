"""PDF/A-3b: a structured document set by typst, its original XML inside; a PDF goes as it came (ISO 19005-3)."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

if TYPE_CHECKING:
    import typst
    from pikepdf import Pdf

from gateway import resources
from gateway.en16931 import Invoice
from gateway.errors import Unconvertible
from gateway.formats import longpages, pagefolder, trade
from gateway.formats.contract import Options
from gateway.formats.page import compose
from gateway.model import Attachment, ReadDocument
from gateway.trade import Trade

TEMPLATE: Final = "invoice.typ"  # ours, and what a company's own is called in its folder
TRADE_TEMPLATE: Final = "trade.typ"  # the same for what is no invoice
_SPECIMEN: Final = "specimen.typ"

name: Final = "pdf"
label: Final = "PDF"
media_type: Final = "application/pdf"
read: Final = "a document inside; else text, by the patterns of the source"
written: Final = "as it came, from PDF; rendered, from every structured document that is read"
checked: Final = "our goldens: PDF/A-3b, text and positions, attachment"


def is_pdf(data: bytes) -> bool:
    """Whether `data` are a PDF; ISO 32000-1 §7.5.2, within the first 1024 bytes."""
    return b"%PDF-" in data[:1024]


def accepts(document: ReadDocument) -> bool:
    """Whether it came as a PDF."""
    return document.format in ("pdf", "facturx")


def write(document: ReadDocument, source: Attachment, options: Options) -> Attachment:
    """`document` as a rendered page with `source` attached; the same values give the same bytes.

    Raises Unconvertible with the term `type` when we do not know the content of `document`.
    """
    if document.invoice is not None:
        content = render(document, document.invoice, source, options)
    elif document.trade is not None:
        content = attached(_set_trade(document, document.trade, options), source, options.now, "/Source")
    else:
        raise Unconvertible("type", f"What this {document.type} says is not known, so no page can be made of it.")
    stem = PurePath(source.name).stem or "invoice"
    return Attachment(name=f"{stem}.pdf", media_type=media_type, content=content)


def render(document: ReadDocument, invoice: Invoice, source: Attachment, options: Options) -> bytes:
    """The page with `source` inside, as what it was made from (ISO 19005-3 §6.8, ISO 32000-2 table 43)."""
    return attached(set_page(document, invoice, options), source, options.now, "/Source")


def set_page(document: ReadDocument, invoice: Invoice, options: Options) -> bytes:
    """The page alone: PDF/A-3b without a file inside."""
    return _set(compose(document, invoice, _spoken(document, options)), TEMPLATE, options)


def _set_trade(document: ReadDocument, content: Trade, options: Options) -> bytes:
    """The page of what is no invoice."""
    return _set(trade.compose(document, content, _spoken(document, options)), TRADE_TEMPLATE, options)


def _spoken(document: ReadDocument, options: Options) -> Options:
    """`options` in UTC and in the document's language where they name none."""
    language = options.language or document.language or ""
    return msgspec.structs.replace(options, now=options.now.astimezone(dt.UTC), language=language)


def _set(data: dict[str, Any], template: str, options: Options) -> bytes:
    """The page of `data` by the company's own `template`, else by ours."""
    files = {"page.json": msgspec.json.encode(data)}
    own = pagefolder.template(options.pages, template) if options.pages else None
    # The binding takes a mapping of file names to bytes as its input; its type stubs do not say so.
    compile_ = cast(Callable[..., bytes], _compiler().compile)
    if own is not None and options.pages:
        return pagefolder.compiled(compile_, options.pages, template, own, {**files, "builtin.typ": _ours(template)})
    if template == TEMPLATE and longpages.is_long(data):
        return longpages.joined(data, _typst(compile_))
    return compile_({**files, "main.typ": _ours(template)}, format="pdf", pdf_standards=["a-3b"])


def _typst(compile_: Callable[..., bytes]) -> longpages.Typst:
    """What long pages are made with. No tags: those of several parts cannot be joined, and level B asks for none."""
    import typst

    def set_(template: str, data: Mapping[str, Any]) -> bytes:
        files = {"main.typ": _ours(template), "page.json": msgspec.json.encode(data)}
        return compile_(files, format="pdf", pdf_standards=["a-3b"], pdf_tags=False)

    def places(data: Mapping[str, Any]) -> Any:
        files = {"main.typ": _ours(TEMPLATE), "page.json": msgspec.json.encode(data)}
        asked = typst.Compiler(cast(bytes, files), font_paths=_fonts())  # it asks only of what it was made with
        return msgspec.json.decode(asked.query("<place>", field="value"))

    return longpages.Typst(
        page=lambda data: set_(TEMPLATE, data),
        places=places,
        specimen=lambda texts, figures: set_(_SPECIMEN, {"texts": texts, "figures": figures}),
        nothing=lambda: compile_({"main.typ": b""}),
    )


def attached(
    page: bytes,
    file: Attachment,
    now: dt.datetime,
    relationship: str,
    amend: Callable[[Pdf], None] = lambda pdf: None,
) -> bytes:
    """`page` with `file` inside under the AFRelationship `relationship`; `amend` may change the PDF further.

    The typst binding takes text files only, and what comes in may be of any encoding. Writing the file again also
    packs its structure into object streams, which makes it half as large.
    """
    from pikepdf import AttachedFileSpec, Name, ObjectStreamMode, Pdf

    stored, date = _safe_name(file.name), f"D:{now.astimezone(dt.UTC):%Y%m%d%H%M%S}Z"
    with Pdf.open(io.BytesIO(page)) as pdf:
        pdf.attachments[stored] = AttachedFileSpec(
            pdf,
            file.content,
            filename=stored,
            mime_type=file.media_type,
            creation_date=date,
            mod_date=date,
            relationship=Name(relationship),
        )
        amend(pdf)
        written = io.BytesIO()
        pdf.save(written, object_stream_mode=ObjectStreamMode.generate, deterministic_id=True)
    return written.getvalue()


def _safe_name(wanted: str) -> str:
    """A file name any reader of PDF can store: letters, digits and `._-`."""
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", PurePath(wanted.replace("\\", "/")).name).strip(".-")[-80:]
    return kept or "source.xml"


@cache
def _ours(template: str) -> bytes:
    return resources.read_bytes(f"formats/{template}")


@cache
def _compiler() -> typst.Compiler:
    """One compiler per process: it keeps fonts and the parsed template. It sees our fonts, no others, and no disk."""
    import typst  # a large library that only workers need

    return typst.Compiler(cast(bytes, {"main.typ": b""}), font_paths=_fonts())


@cache
def _fonts() -> typst.Fonts:
    import typst

    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(resources.path("fonts"))]
    )
