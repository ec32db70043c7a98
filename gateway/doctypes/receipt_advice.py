"""What the receiver says of goods that came; it goes to the one who sent them."""

from __future__ import annotations

from gateway.doctypes.kind import UBL, DocumentType, titles

RECEIPT_ADVICE = DocumentType(
    name="receipt_advice",
    labels={
        "en": "Goods receipt",
        "fr": "Avis de réception",
        "de": "Wareneingangsmeldung",
        "sv": "Mottagningsavisering",
    },
    roots={f"{{{UBL}ReceiptAdvice-2}}ReceiptAdvice": None},
    words=titles(
        None, "receipt advice", "goods receipt", "avis de réception", "wareneingangsmeldung", "mottagningsavisering"
    ),
)
