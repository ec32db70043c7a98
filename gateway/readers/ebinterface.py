"""ebInterface 3.0 to 6.1 (AUSTRIAPRO), the Austrian invoice: whole, in the terms of EN 16931."""

from __future__ import annotations

from gateway import doctypes
from gateway.doctypes.invoice import INVOICE
from gateway.model import ReadDocument
from gateway.readers.ebinterface_invoice import invoice_of
from gateway.readers.ebinterface_paths import EBINTERFACE, SPACE, TYPES, VERSION
from gateway.readers.header import Header, Places
from gateway.readers.item import Item
from gateway.readers.unqualified import without_namespace

PLACES = Places(
    number=("InvoiceNumber",),
    issue_date=("InvoiceDate",),
    due_date=("PaymentConditions/DueDate",),
    customer_numbers=("InvoiceRecipient/BillersInvoiceRecipientID", "InvoiceRecipient/Address/AddressIdentifier"),
    emails=("InvoiceRecipient/Contact/Email", "InvoiceRecipient/Address/Email"),
    own_emails=("Biller/Contact/Email", "Biller/Address/Email"),
    seller=("Biller/Address/Name",),
    buyer=("InvoiceRecipient/Address/Name",),
    currency=("@InvoiceCurrency",),
    payable=("PayableAmount", "TotalGrossAmount"),
    language=("@Language",),
)


class EbInterfaceReader:
    """Documents whose root is an ebInterface Invoice of any version."""

    name = "ebinterface"

    def sniff(self, item: Item) -> bool:
        """By the root's qualified name."""
        return item.root is not None and VERSION.fullmatch(item.root.tag) is not None

    def read(self, item: Item) -> list[ReadDocument]:
        """One document: the header fields with their evidence, and the invoice."""
        match = VERSION.fullmatch(item.root.tag)
        version = ".".join(match.groups()) if match else ""
        plain = without_namespace(item, SPACE)
        header = Header(plain, EBINTERFACE, PLACES)
        kind = header.first("type_code", ("@DocumentType",))
        if kind not in TYPES:
            header.notes.append(f"@DocumentType is {kind!r}, which is none of the schema's; it is read as an invoice.")
        profile = header.found("profile", version, "namespace-uri()")
        fields = header.fields() | {"profile": profile}
        invoice = invoice_of(plain.root, header.notes) if item.whole else None
        return [
            ReadDocument(
                format=self.name,
                type=INVOICE.name,
                subtype=doctypes.invoice_subtype(TYPES.get(kind or "", "380")),
                invoice=invoice,
                notes=tuple(dict.fromkeys(header.notes)),
                **fields,
            )
        ]
