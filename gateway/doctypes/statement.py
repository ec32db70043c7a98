"""Statements of account."""

from __future__ import annotations

from gateway.doctypes.kind import UBL, DocumentType, titles

STATEMENT = DocumentType(
    name="statement",
    labels={"en": "Statement of account", "fr": "Relevé de compte", "de": "Kontoauszug", "sv": "Kontoutdrag"},
    roots={f"{{{UBL}Statement-2}}Statement": None},
    words=titles(None, "statement of account", "account statement", "customer statement", "relevé de compte")
    | titles(None, "kontoauszug", "kontoutdrag"),
)
