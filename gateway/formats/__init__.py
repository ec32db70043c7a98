"""Formats a document can leave in: one file and one line of the table each."""

from __future__ import annotations

from gateway.errors import Refused
from gateway.formats import pdf, ubl
from gateway.formats.contract import Format, Options
from gateway.model import Attachment, ReadDocument

__all__ = ["FORMATS", "Format", "Options", "choosable", "convert"]

FORMATS: tuple[Format, ...] = (pdf, ubl)


def choosable() -> list[dict[str, str]]:
    """What a user may choose for a document type or a recipient: `name`, `label`, `media_type`, and in
    a few words what is `read`, what we `write` and how that is `checked`."""
    return [
        {
            "name": entry.name,
            "label": entry.label,
            "media_type": entry.media_type,
            "read": entry.read,
            "write": entry.written,
            "checked": entry.checked,
        }
        for entry in FORMATS
    ]


def convert(document: ReadDocument, source: Attachment, target: str, options: Options) -> Attachment:
    """`document`, read from `source`, in the format named `target`.

    The bytes of `source` are returned untouched when they already are in that format, so that signatures inside
    stay intact. Raises Unconvertible where the format cannot hold the document, Refused for a name not in the table.
    """
    if target == document.format or (target == pdf.name and pdf.is_pdf(source)):
        return source
    chosen = next((entry for entry in FORMATS if entry.name == target), None)
    if chosen is None:
        names = ", ".join(entry.name for entry in FORMATS)
        raise Refused(f"There is no format {target!r}; there are {names}.", "format")
    return chosen.write(document, source, options)
