"""ISDOC 5 and 6, the Czech invoice: whole, in the terms of EN 16931."""

from __future__ import annotations

from gateway import doctypes
from gateway.doctypes.invoice import INVOICE
from gateway.model import ReadDocument
from gateway.readers.header import Header, Places
from gateway.readers.isdoc_invoice import invoice_of
from gateway.readers.isdoc_paths import ISDOC, ROOT, SPACE, TYPES
from gateway.readers.item import Item
from gateway.readers.unqualified import without_namespace

_CUSTOMER, _SUPPLIER = "AccountingCustomerParty/Party", "AccountingSupplierParty/Party"

PLACES = Places(
    profile=("@version",),
    number=("ID",),
    issue_date=("IssueDate",),
    due_date=("PaymentMeans/Payment/Details/PaymentDueDate",),
    customer_numbers=(
        f"{_CUSTOMER}/PartyIdentification/UserID",
        "AnonymousCustomerParty/ID",
        f"{_CUSTOMER}/PartyIdentification/ID",
    ),
    emails=(f"{_CUSTOMER}/Contact/ElectronicMail", "BuyerCustomerParty/Party/Contact/ElectronicMail"),
    own_emails=(f"{_SUPPLIER}/Contact/ElectronicMail", "SellerSupplierParty/Party/Contact/ElectronicMail"),
    seller=(f"{_SUPPLIER}/PartyName/Name",),
    buyer=(f"{_CUSTOMER}/PartyName/Name",),
    currency=("ForeignCurrencyCode", "LocalCurrencyCode"),
    payable=("LegalMonetaryTotal/PayableAmountCurr", "LegalMonetaryTotal/PayableAmount"),
    language=("Note/@languageID",),
)


class IsdocReader:
    """Documents whose root is an ISDOC Invoice; some programs leave its namespace out."""

    name = "isdoc"

    def sniff(self, item: Item) -> bool:
        """By the root's qualified name, or without one by its version and the elements that every ISDOC has."""
        if item.root is None:
            return False
        if ROOT.fullmatch(item.root.tag):
            return True
        needed = ("DocumentType", "UUID", "LocalCurrencyCode")
        return item.root.tag == "Invoice" and bool(item.root.get("version")) and all(map(item.root.findtext, needed))

    def read(self, item: Item) -> list[ReadDocument]:
        """One document: the header fields with their evidence, and the invoice."""
        plain = without_namespace(item, SPACE)
        header = Header(plain, ISDOC, PLACES)
        kind = header.first("type_code", ("DocumentType",))
        if kind not in TYPES:
            header.notes.append(f"DocumentType is {kind!r}, which ISDOC does not know; it is read as an invoice.")
        fields = header.fields()
        invoice = invoice_of(plain.root, header.notes) if item.whole else None
        return [
            ReadDocument(
                format=self.name,
                type=INVOICE.name,
                subtype=doctypes.invoice_subtype(TYPES.get(kind or "", "380")) or "invoice",
                invoice=invoice,
                notes=tuple(dict.fromkeys(header.notes)),
                **fields,
            )
        ]
