"""Finvoice 1.3 to 3.0 (Finance Finland), the format of Finnish banks: invoices whole, in the terms of EN 16931."""

from __future__ import annotations

from gateway import doctypes
from gateway.doctypes.invoice import INVOICE
from gateway.errors import Unreadable
from gateway.model import ReadDocument
from gateway.readers.finvoice_invoice import invoice_of, type_code_of
from gateway.readers.finvoice_paths import FINVOICE, date_in, decimal_in
from gateway.readers.header import Header, Places
from gateway.readers.item import Item

_EPI = "EpiDetails/EpiPaymentInstructionDetails/EpiInstructedAmount"
_TOTAL = "InvoiceDetails/InvoiceTotalVatIncludedAmount"

PLACES = Places(
    profile=("@Version",),
    number=("InvoiceDetails/InvoiceNumber",),
    issue_date=("InvoiceDetails/InvoiceDate",),
    due_date=("InvoiceDetails/PaymentTermsDetails/InvoiceDueDate", "EpiDetails//EpiDateOptionDate"),
    customer_numbers=(
        "InvoiceDetails/SellersBuyerIdentifier",
        "BuyerPartyDetails/BuyerCode",
        "InvoiceRecipientPartyDetails/InvoiceRecipientCode",
        "BuyerPartyDetails/BuyerPartyIdentifier",
    ),
    emails=(
        "BuyerCommunicationDetails/BuyerEmailaddressIdentifier",
        "InvoiceRecipientCommunicationDetails/InvoiceRecipientEmailaddressIdentifier",
    ),
    own_emails=(
        "SellerCommunicationDetails/SellerEmailaddressIdentifier",
        "SellerInformationDetails/SellerCommonEmailaddressIdentifier",
    ),
    seller=("SellerPartyDetails/SellerOrganisationName",),
    buyer=("BuyerPartyDetails/BuyerOrganisationName",),
    currency=(f"{_TOTAL}/@AmountCurrencyIdentifier", f"{_EPI}/@AmountCurrencyIdentifier"),
    # What is transferred; a credit note transfers nothing and states its total.
    payable=(_EPI, _TOTAL),
    language=("InvoiceRecipientLanguageCode",),
)


class FinvoiceReader:
    """Invoices whose root is a Finvoice."""

    name = "finvoice"

    def sniff(self, item: Item) -> bool:
        """By the root's name; Finvoice has no namespace."""
        return item.root is not None and item.root.tag == "Finvoice"

    def read(self, item: Item) -> list[ReadDocument]:
        """One document: the header fields with their evidence, and the invoice."""
        said = FINVOICE.value(item.root, "InvoiceDetails/InvoiceTypeCode") or ""
        if said and not said.startswith("INV"):
            raise Unreadable("unknown-type", f"Finvoice of the type {said[:20]} is no invoice.")
        header = Header(item, FINVOICE, PLACES, date=date_in, decimal=decimal_in)
        header.first("type_code", ("InvoiceDetails/InvoiceTypeCodeUN", "InvoiceDetails/InvoiceTypeCode"))
        code = type_code_of(item.root)
        subtype = doctypes.invoice_subtype(code) if code else "invoice"
        if subtype is None and code != "325":  # a proforma invoice is none of EN 16931
            header.notes.append(f"The type code {code!r} is no invoice code of UNTDID 1001.")
        fields = header.fields()
        invoice = invoice_of(item.root, header.notes) if item.whole else None
        return [
            ReadDocument(
                format="finvoice",
                type=INVOICE.name,
                subtype=subtype or "invoice",
                invoice=invoice,
                notes=tuple(dict.fromkeys(header.notes)),
                **fields,
            )
        ]
