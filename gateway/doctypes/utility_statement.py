"""What was metered and supplied, beside the invoice for it."""

from __future__ import annotations

from gateway.doctypes.kind import UBL, DocumentType, titles

UTILITY_STATEMENT = DocumentType(
    name="utility_statement",
    labels={
        "en": "Utility statement",
        "fr": "Relevé de consommation",
        "de": "Verbrauchsabrechnung",
        "sv": "Förbrukningsspecifikation",
    },
    roots={f"{{{UBL}UtilityStatement-2}}UtilityStatement": None},
    words=titles(
        None, "utility statement", "relevé de consommation", "verbrauchsabrechnung", "förbrukningsspecifikation"
    ),
)
