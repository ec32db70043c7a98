"""Documents that none of the other types fits."""

from __future__ import annotations

from gateway.doctypes.kind import DocumentType

OTHER = DocumentType(
    name="other",
    labels={"en": "Document", "fr": "Document", "de": "Dokument", "sv": "Dokument"},
)
