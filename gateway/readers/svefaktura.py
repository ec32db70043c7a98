"""Svefaktura 1.0 (SFTI Basic Invoice): invoices whole, in the terms of EN 16931."""

from __future__ import annotations

from gateway import doctypes
from gateway.doctypes.invoice import INVOICE
from gateway.model import ReadDocument
from gateway.readers.header import Header, Places
from gateway.readers.item import Item
from gateway.readers.svefaktura_invoice import invoice_of
from gateway.readers.svefaktura_paths import INVOICE as ROOT
from gateway.readers.svefaktura_paths import SVEFAKTURA, day_in

VERSION = "1.0"

_BUYER = "cac:BuyerParty/cac:Party"
_SELLER = "cac:SellerParty/cac:Party"

PLACES = Places(
    number=("sfti:ID",),
    issue_date=("cbc:IssueDate",),
    due_date=("cac:PaymentMeans/cbc:DuePaymentDate",),
    customer_numbers=(f"{_BUYER}/cac:PartyIdentification/cac:ID",),
    emails=(f"{_BUYER}/cac:Contact/cbc:ElectronicMail",),
    own_emails=(
        f"{_SELLER}/cac:Contact/cbc:ElectronicMail",
        "cac:SellerParty/cac:AccountsContact/cbc:ElectronicMail",
    ),
    seller=(f"{_SELLER}/cac:PartyName/cbc:Name",),
    buyer=(f"{_BUYER}/cac:PartyName/cbc:Name",),
    currency=("sfti:InvoiceCurrencyCode", "cac:LegalTotal/cbc:TaxInclusiveTotalAmount/@amountCurrencyID"),
    payable=("cac:LegalTotal/cbc:TaxInclusiveTotalAmount",),
)


class SvefakturaReader:
    """Documents whose root is an SFTI Basic Invoice."""

    name = "svefaktura"

    def sniff(self, item: Item) -> bool:
        """By the root's qualified name."""
        return item.root is not None and item.root.tag == f"{{{ROOT}}}Invoice"

    def read(self, item: Item) -> list[ReadDocument]:
        """One document: the header fields with their evidence, and the invoice."""
        header = Header(item, SVEFAKTURA, PLACES, date=day_in)
        code = header.first("type_code", ("sfti:InvoiceTypeCode",))
        subtype = doctypes.invoice_subtype(code) if code else "invoice"
        if subtype is None:
            header.notes.append(f"sfti:InvoiceTypeCode {code!r} is no invoice code of UNTDID 1001.")
        fields = header.fields() | {"profile": header.found("profile", VERSION, "namespace-uri()")}
        return [
            ReadDocument(
                format=self.name,
                type=INVOICE.name,
                subtype=subtype or "invoice",
                invoice=invoice_of(item.root, header.notes) if item.whole else None,
                notes=tuple(dict.fromkeys(header.notes)),
                **(fields | {"evidence": (*header.evidence, *item.evidence)}),
            )
        ]
