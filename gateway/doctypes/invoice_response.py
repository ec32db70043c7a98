"""What a buyer answers to an invoice, and what a system answers to any document."""

from __future__ import annotations

from gateway.doctypes.kind import UBL, DocumentType

INVOICE_RESPONSE = DocumentType(
    name="invoice_response",
    labels={"en": "Invoice response", "fr": "Réponse à la facture", "de": "Rechnungsantwort", "sv": "Fakturasvar"},
    roots={f"{{{UBL}ApplicationResponse-2}}ApplicationResponse": None},
)
