"""Delivery notes: what was sent off, to whom and when."""

from __future__ import annotations

from gateway.doctypes.kind import UBL, DocumentType, titles

DESPATCH_ADVICE = DocumentType(
    name="despatch_advice",
    labels={"en": "Delivery note", "fr": "Bon de livraison", "de": "Lieferschein", "sv": "Följesedel"},
    roots={f"{{{UBL}DespatchAdvice-2}}DespatchAdvice": None},
    codes={"270": None, "351": None},
    words=titles(None, "delivery note", "despatch advice", "dispatch advice", "packing slip", "bon de livraison")
    | titles(None, "avis d'expédition", "lieferschein", "lieferavis", "följesedel", "leveransavisering"),
)
