"""Formats a document can leave in: one file and one line of the table each."""

from __future__ import annotations

import msgspec

from gateway.constants import completed
from gateway.errors import Refused
from gateway.formats import original, pdf, ubl
from gateway.formats.cii_profiles import en16931_cii, xrechnung_cii
from gateway.formats.contract import ACCENT, Format, Options
from gateway.formats.csvlines import csv_lines
from gateway.formats.ebinterface import ebinterface_6
from gateway.formats.edifact import edifact_d96a
from gateway.formats.facturx import (
    FacturxFormat,
    facturx_basic_pdf,
    facturx_en16931,
    facturx_extended,
    facturx_xrechnung,
)
from gateway.formats.finvoice import finvoice_3
from gateway.formats.isdoc import isdoc_6
from gateway.formats.oioubl import oioubl_2
from gateway.formats.passedon import facturae, fatturapa
from gateway.formats.svefaktura import svefaktura_1
from gateway.formats.ubl_profiles import en16931_ubl, peppol_bis, xrechnung_ubl
from gateway.model import Attachment, ReadDocument

__all__ = ["ACCENT", "FORMATS", "Format", "Options", "choosable", "convert", "is_already"]

FORMATS: tuple[Format, ...] = (
    pdf,
    original,
    ubl,
    peppol_bis,
    en16931_ubl,
    en16931_cii,
    xrechnung_ubl,
    xrechnung_cii,
    facturx_en16931,
    facturx_basic_pdf,
    facturx_extended,
    facturx_xrechnung,
    finvoice_3,
    edifact_d96a,
    svefaktura_1,
    ebinterface_6,
    isdoc_6,
    oioubl_2,
    csv_lines,
    fatturapa,
    facturae,
)


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


def is_already(document: ReadDocument, data: bytes, target: str) -> bool:
    """Whether `data`, read as `document`, are in the format `target`, so that they go as they came (design D13).

    Told by the bytes for PDF, and by the specification that the document names (BT-24) for the profiles of EN 16931:
    the very one, or one that the target's readers have to accept. What came in an envelope is more than the document.
    """
    entry = _find(target)
    if entry is pdf:
        return pdf.is_pdf(data)
    if entry is original:
        return True
    if entry is None or not entry.accepts(document):
        return False
    return not document.wrapped or (entry is ubl and set(document.wrapped) == {"sbdh"})


def has_page(target: str) -> bool:
    """Whether what is written as `target` is a page with the document inside, for which the sender's own may serve."""
    return isinstance(_find(target), FacturxFormat)


def _find(name: str) -> Format | None:
    return next((entry for entry in FORMATS if entry.name == name), None)


def convert(document: ReadDocument, source: Attachment, target: str, options: Options) -> Attachment:
    """`document`, read from `source`, in the format named `target`.

    The bytes of `source` are returned untouched when they already are in that format, so that signatures inside
    stay intact. Raises Unconvertible where the format cannot hold the document, Refused for a name not in the table.
    """
    if is_already(document, source.content, target):
        return source
    chosen = _find(target)
    if chosen is None:
        names = ", ".join(entry.name for entry in FORMATS)
        raise Refused(f"There is no format {target!r}; there are {names}.", "format")
    if chosen is pdf or document.invoice is None or not options.constants:
        return chosen.write(document, source, options)
    invoice, used = completed(document.invoice, options.constants)
    made = chosen.write(msgspec.structs.replace(document, invoice=invoice), source, options)
    return msgspec.structs.replace(made, notes=(*used, *made.notes))
