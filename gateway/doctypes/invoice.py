"""Invoices, and every document that is booked like one: credit and debit notes, corrections, prepayments."""

from __future__ import annotations

from gateway.doctypes.kind import UBL, DocumentType, coded, titles

INVOICE = DocumentType(
    name="invoice",
    labels={"en": "Invoice", "fr": "Facture", "de": "Rechnung", "sv": "Faktura"},
    subtypes={
        "credit_note": {"en": "Credit note", "fr": "Avoir", "de": "Gutschrift", "sv": "Kreditfaktura"},
        "debit_note": {"en": "Debit note", "fr": "Note de débit", "de": "Lastschriftanzeige", "sv": "Debetnota"},
        "self_billed": {
            "en": "Self-billed invoice",
            "fr": "Autofacture",
            "de": "Gutschrift (Selbstabrechnung)",
            "sv": "Självfaktura",
        },
        "prepayment": {
            "en": "Prepayment invoice",
            "fr": "Facture d'acompte",
            "de": "Anzahlungsrechnung",
            "sv": "Förskottsfaktura",
        },
        "corrective": {
            "en": "Corrected invoice",
            "fr": "Facture rectificative",
            "de": "Rechnungskorrektur",
            "sv": "Rättad faktura",
        },
    },
    roots={f"{{{UBL}Invoice-2}}Invoice": None, f"{{{UBL}CreditNote-2}}CreditNote": "credit_note"},
    codes=coded("invoice", "71 82 102 130 202 203 204 211 218 219 295 326 331 380 382 385 387 388 390 393 394 395 457")
    | coded("invoice", "553 575 623 633 751 780 817 870 875 876 877 935")
    | coded("credit_note", "81 83 261 262 296 308 381 396 420 458 503 532")
    | coded("debit_note", "80 84 383 456 527")
    | coded("self_billed", "389 500 501 502")
    | coded("prepayment", "386")
    | coded("corrective", "384 471"),
    words=titles("invoice", "invoice", "tax invoice", "commercial invoice", "vat invoice", "facture", "rechnung")
    | titles("invoice", "faktura", "rechnungsnummer", "fakturanummer", "handelsrechnung", "warenrechnung")
    | titles("invoice", "schlussrechnung", "teilrechnung", "sammelrechnung", "monatsrechnung", "proforma invoice")
    | titles(
        "credit_note", "credit note", "credit memo", "credit invoice", "avoir", "facture d'avoir", "note de crédit"
    )
    | titles("credit_note", "gutschrift", "rechnungsgutschrift", "stornorechnung", "kreditfaktura", "kreditnota")
    | titles("debit_note", "debit note", "debit memo", "note de débit", "debetnota", "belastungsanzeige")
    | titles("self_billed", "self-billed invoice", "self billing invoice", "autofacture", "självfaktura")
    | titles("prepayment", "prepayment invoice", "facture d'acompte", "anzahlungsrechnung", "abschlagsrechnung")
    | titles("prepayment", "förskottsfaktura")
    | titles("corrective", "corrected invoice", "corrective invoice", "facture rectificative", "rechnungskorrektur"),
)
