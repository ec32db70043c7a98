"""What workers run (`gateway.workers`): plain functions; JSON-able values and bytes in, the same out.

A job gets its content as `blob`, the last argument, and may raise Unreadable, Unconvertible or Refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from gateway.errors import Unreadable
from gateway.model import Attachment, Pattern, ReadDocument


def split(options: Mapping[str, Any], blob: bytes) -> tuple[list[Any], bytes]:
    """Take the raw mail `blob` apart.

    Gives the `mime.MailSummary` and then each `mime.Part` as builtins, and the bytes that the parts' offsets count in.
    `options` are those of `mime.Options` that differ from its defaults.
    """
    from gateway import mime

    summary, parts, data = mime.split(blob, msgspec.convert(options, mime.Options))
    return [msgspec.to_builtins(summary), *map(msgspec.to_builtins, parts)], data


def inspect(name: str, media_type: str, patterns: Sequence[Any], blob: bytes) -> tuple[list[Any], bytes]:
    """What is in the file `blob`: its `ReadDocument`s as builtins, without the invoice's content."""
    from gateway import readers

    said = msgspec.convert(patterns, list[Pattern])
    documents = readers.read(name, media_type, said, blob, whole=False)
    return [msgspec.to_builtins(document) for document in documents], b""


def divide(name: str, blob: bytes) -> tuple[list[Any], bytes]:
    """The documents of the file `blob`, when it holds more than one, or one with other files beside it; else none.

    Each is a `dividing.Piece` as builtins; the bytes are those of all pieces and their extras, in that order.
    """
    from gateway import readers

    pieces: list[Any] = []
    data: list[bytes] = []
    for part in readers.divide(name, blob):
        if part.data is not None:
            data.append(part.data)
        data += [extra.data for extra in part.extras]
        origin = {"text": part.origin, "evidence": msgspec.to_builtins(part.evidence)} if part.origin else None
        extras = [{"name": extra.name, "size": len(extra.data)} for extra in part.extras]
        size = None if part.data is None else len(part.data)
        pieces.append({"name": part.name, "size": size, "origin": origin, "extras": extras})
    return pieces, b"".join(data)


def text_of(blob: bytes) -> tuple[list[str], bytes]:
    """The lines of text of the file `blob`, for a person at a screen."""
    from gateway.readers.plaintext import lines_of_text

    return lines_of_text(blob), b""


def convert(
    name: str, target: str, language: str, options: Mapping[str, Any], blob: bytes
) -> tuple[dict[str, Any], bytes]:
    """The file `blob`, called `name`, in the format `target`: the attachment's name and media type, what it cannot
    hold (`notes`), and its bytes.

    `options`: `now`, the time for the file's dates (RFC 3339); `accent`, a colour; `media_type`, what the sender called
    it; `constants`, what the recipient's row says where the document does not; `pages`, the folder of the company's own
    templates; `page`, how many bytes at the end of `blob` are a PDF that the sender made of the document. The source's
    own format gives its own bytes.
    """
    from gateway import formats, readers

    own = len(blob) - int(options.get("page") or 0)
    blob, page = blob[:own], blob[own:]
    documents = readers.read(name, "", (), blob)
    if len(documents) > 1:
        raise Unreadable("several-documents", f"The file holds {len(documents)} documents; one at a time is written.")
    (document,) = documents
    if set(document.wrapped) - {"sbdh"}:  # what is sent on is the document, not the archive or signature around it
        name, blob = readers.payload(name, blob)
        document = msgspec.structs.replace(document, wrapped=())
    kind = _media_type(document, str(options.get("media_type") or ""))
    source = Attachment(name=name, media_type=kind, content=blob)
    how = formats.Options(
        language=language,
        now=dt.datetime.fromisoformat(str(options["now"])),
        accent=str(options.get("accent") or formats.ACCENT),
        constants=tuple(map(str, options.get("constants") or ())),
        pages=Path(str(options["pages"])) if options.get("pages") else None,
        page=page or None,
    )
    made = formats.convert(document, source, target, how)
    said = {"name": made.name, "media_type": made.media_type, "notes": list(made.notes)}
    return said | ({"has_own_page": True} if made.has_own_page else {}), made.content


def check(target: str, blob: bytes) -> tuple[Any, bytes]:
    """`blob`, which `convert` gave in the format `target`, against the schemas and rules that are installed: a
    `formats.checking.Check`. Needs more address space than other jobs."""
    from gateway.formats import checking
    from gateway.readers.facturx import only_xml

    return msgspec.to_builtins(checking.check(target, only_xml(blob))), b""


def _media_type(document: ReadDocument, said: str) -> str:
    """By what the content is; what the sender called it only where that says nothing."""
    if document.format in ("pdf", "facturx"):
        return "application/pdf"
    if document.format == "edifact":
        return "application/EDIFACT"  # RFC 1767
    return "application/xml" if document.format != "other" else said or "application/octet-stream"


def read_list(options: Mapping[str, Any], blob: bytes) -> tuple[Any, bytes]:
    """Read the list of recipients `blob` (.xlsx or .csv): its `workbook.model.Summary`, and its findings and rows.

    `options` are those of `workbook.model.Options`.
    """
    from gateway.workbook import listing
    from gateway.workbook.model import Options

    summary, frames = listing.read(blob, msgspec.convert(options, Options))
    return msgspec.to_builtins(summary), frames


def mark_list(said: Mapping[str, Any], blob: bytes) -> tuple[None, bytes]:
    """The list `blob` as a workbook with a column of errors: `said` is what `workbook.report.Said` holds."""
    from gateway.workbook import report

    return None, report.mark(blob, msgspec.convert(said, report.Said))
