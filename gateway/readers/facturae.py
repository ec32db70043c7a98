"""Facturae 3.2 to 3.2.2 (Spain): invoices whole, in the terms of EN 16931.

Of several invoices in a file each has become a file of its own before (`gateway.readers.batches`).
"""

from __future__ import annotations

import re

from gateway import doctypes
from gateway.doctypes.invoice import INVOICE
from gateway.model import Found, ReadDocument
from gateway.readers.facturae_invoice import INVOICE_PATH, invoice_of, number_of, type_code_of
from gateway.readers.facturae_party import FACTURAE, name_of
from gateway.readers.header import Header, Places
from gateway.readers.item import Item

_ROOT = re.compile(r"\{http://www\.facturae\.(?:es|gob\.es)/[^}]*\}Facturae")
_SELLER, _BUYER = "Parties/SellerParty", "Parties/BuyerParty"
_ISSUE = f"{INVOICE_PATH}/InvoiceIssueData"

PLACES = Places(
    profile=("FileHeader/SchemaVersion",),
    number=(f"{INVOICE_PATH}/InvoiceHeader/InvoiceNumber",),
    issue_date=(f"{_ISSUE}/IssueDate",),
    due_date=(f"{INVOICE_PATH}/PaymentDetails/Installment/InstallmentDueDate",),
    customer_numbers=(
        f"{_BUYER}/PartyIdentification",
        f"{_BUYER}/TaxIdentification/TaxIdentificationNumber",
        f"{_BUYER}/AdministrativeCentres/AdministrativeCentre/CentreCode",
    ),
    emails=(
        f"{_BUYER}/*/ContactDetails/ElectronicMail",
        f"{_BUYER}/AdministrativeCentres/AdministrativeCentre/ContactDetails/ElectronicMail",
    ),
    own_emails=(f"{_SELLER}//ElectronicMail",),
    seller=(f"{_SELLER}/LegalEntity/CorporateName", f"{_SELLER}/Individual/Name"),
    buyer=(f"{_BUYER}/LegalEntity/CorporateName", f"{_BUYER}/Individual/Name"),
    currency=(f"{_ISSUE}/InvoiceCurrencyCode", "FileHeader/Batch/InvoiceCurrencyCode"),
    payable=(
        f"{INVOICE_PATH}/InvoiceTotals/TotalExecutableAmount",
        f"{INVOICE_PATH}/InvoiceTotals/InvoiceTotal",
    ),
    language=(f"{_ISSUE}/LanguageName",),
)


class FacturaeReader:
    """Invoices whose root is a Facturae."""

    name = "facturae"

    def sniff(self, item: Item) -> bool:
        """By the root's qualified name, of any version of the format."""
        return item.root is not None and _ROOT.fullmatch(item.root.tag) is not None

    def read(self, item: Item) -> list[ReadDocument]:
        """One document: the header fields with their evidence, and the invoice."""
        header = Header(item, FACTURAE, PLACES)
        header.first("type_code", (f"{INVOICE_PATH}/InvoiceHeader/InvoiceClass",))
        header.first("type_code", (f"{INVOICE_PATH}/InvoiceHeader/InvoiceDocumentType",))
        fields = header.fields()
        whole = {
            "number": number_of(item.root),
            "seller": name_of(FACTURAE.node(item.root, _SELLER)),
            "buyer": name_of(FACTURAE.node(item.root, _BUYER)),
        }
        fields["evidence"] = tuple(
            Found(field=each.field, value=whole.get(each.field) or each.value, where=each.where)
            for each in fields["evidence"]
        )
        invoice = invoice_of(item.root, header.notes) if item.whole else None
        return [
            ReadDocument(
                format="facturae",
                type=INVOICE.name,
                subtype=doctypes.invoice_subtype(type_code_of(item.root)) or "invoice",
                invoice=invoice,
                notes=tuple(dict.fromkeys(header.notes)),
                **(fields | whole),
            )
        ]
