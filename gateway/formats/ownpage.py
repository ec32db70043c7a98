"""The sender's own PDF as the page of a Factur-X: only where it is PDF/A-3b or becomes it without a touch of its pages.

`pikepdf.pdfa` knows what conforms and approves of nothing else; it repairs structure and metadata, never what is drawn.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import TYPE_CHECKING

from gateway.errors import in_words, plain

if TYPE_CHECKING:
    from pikepdf import Pdf

_DATE = re.compile(rb"(<xmp:MetadataDate>)[^<]*")
_LARGEST = 20 << 20  # bytes; a larger file goes beside
_MOST_PAGES = 200


def sound(data: bytes, now: dt.datetime) -> tuple[bytes | None, str]:
    """`data`, a PDF, as PDF/A-3b (ISO 19005-3) with metadata of `now`; or None and why not, in a few words."""
    from pikepdf import ObjectStreamMode, Pdf, PdfError, pdfa

    if len(data) > _LARGEST:
        return None, "it is too large"
    try:
        with Pdf.open(io.BytesIO(data)) as pdf:
            if why := _unfit(pdf):
                return None, why
            _without_extras(pdf)
            pdfa.prepare(pdf, "3b")
            said = pdf.Root.Metadata.read_bytes()
            pdf.Root.Metadata.write(_DATE.sub(rb"\g<1>" + now.isoformat(timespec="seconds").encode(), said))
            found = pdfa.check(pdf, "3b").findings
            if found:
                return None, f"{plain(found[0].message)} ({found[0].rule.rpartition(':')[2]})"
            written = io.BytesIO()
            pdf.save(written, object_stream_mode=ObjectStreamMode.generate, deterministic_id=True)
    except (PdfError, ValueError, RuntimeError) as error:
        return None, f"it cannot be taken apart: {in_words(error)}"
    return written.getvalue(), ""


def _without_extras(pdf: Pdf) -> None:
    """Leave out what no page needs and the check does not look at: how a viewer opens the file, LibreOffice's checksum,
    and lists of the glyphs of subsets, which PDF/A-3 does not ask for (ISO 19005-3 §6.2.11.4.2)."""
    from pikepdf import Dictionary

    for name in ("/OpenAction", "/PageMode", "/PageLayout"):
        if name in pdf.Root:
            del pdf.Root[name]
    if "/DocChecksum" in pdf.trailer:
        del pdf.trailer["/DocChecksum"]
    for entry in pdf.objects:
        if isinstance(entry, Dictionary) and entry.get("/Type") == "/FontDescriptor" and "/CIDSet" in entry:
            del entry["/CIDSet"]


def _unfit(pdf: Pdf) -> str:
    """What forbids to write the PDF again, whatever its pages are like."""
    if pdf.is_encrypted:
        return "it is encrypted"
    if len(pdf.pages) > _MOST_PAGES:
        return f"it has more than {_MOST_PAGES} pages"
    if "/AcroForm" in pdf.Root or "/Perms" in pdf.Root:
        return "it is signed or a form, which writing it again would break"
    if pdf.attachments:
        return "it has files inside"
    return ""
