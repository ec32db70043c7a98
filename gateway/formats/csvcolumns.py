"""The columns of CSV: each a term of EN 16931-1 under its name there, and where the model has it."""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """A column: the term, its heading, and the path of attributes below the invoice or the line."""

    term: str  # none for the customer number, which EN 16931 does not know
    title: str
    path: str


def _party(of: str, path: str, terms: dict[str, str]) -> tuple[Column, ...]:
    """The columns of a party that stands at `path`."""
    return tuple(Column(term, f"{of} {_PARTY[place]}", f"{path}.{place}") for place, term in terms.items())


_PARTY = {
    "name": "name",
    "trading_name": "trading name",
    "identifiers.value": "identifier",
    "identifiers.scheme": "identifier scheme",
    "account_id": "customer number",
    "legal_id.value": "legal registration identifier",
    "legal_id.scheme": "legal registration identifier scheme",
    "vat_id": "VAT identifier",
    "tax_id": "tax registration identifier",
    "legal_form": "additional legal information",
    "endpoint.value": "electronic address",
    "endpoint.scheme": "electronic address scheme",
    "address.line1": "address line 1",
    "address.line2": "address line 2",
    "address.line3": "address line 3",
    "address.city": "city",
    "address.post_code": "post code",
    "address.subdivision": "country subdivision",
    "address.country": "country code",
    "contact.name": "contact point",
    "contact.phone": "contact telephone number",
    "contact.email": "contact email address",
}

_SELLER = {
    "name": "BT-27", "trading_name": "BT-28", "identifiers.value": "BT-29", "identifiers.scheme": "BT-29-1",
    "legal_id.value": "BT-30", "legal_id.scheme": "BT-30-1", "vat_id": "BT-31", "tax_id": "BT-32",
    "legal_form": "BT-33", "endpoint.value": "BT-34", "endpoint.scheme": "BT-34-1", "address.line1": "BT-35",
    "address.line2": "BT-36", "address.line3": "BT-162", "address.city": "BT-37", "address.post_code": "BT-38",
    "address.subdivision": "BT-39", "address.country": "BT-40", "contact.name": "BT-41", "contact.phone": "BT-42",
    "contact.email": "BT-43",
}  # fmt: skip
_BUYER = {
    "name": "BT-44", "trading_name": "BT-45", "account_id": "", "identifiers.value": "BT-46",
    "identifiers.scheme": "BT-46-1", "legal_id.value": "BT-47", "legal_id.scheme": "BT-47-1", "vat_id": "BT-48",
    "endpoint.value": "BT-49", "endpoint.scheme": "BT-49-1", "address.line1": "BT-50", "address.line2": "BT-51",
    "address.line3": "BT-163", "address.city": "BT-52", "address.post_code": "BT-53", "address.subdivision": "BT-54",
    "address.country": "BT-55", "contact.name": "BT-56", "contact.phone": "BT-57", "contact.email": "BT-58",
}  # fmt: skip
_PAYEE = {
    "name": "BT-59", "identifiers.value": "BT-60", "identifiers.scheme": "BT-60-1", "legal_id.value": "BT-61",
    "legal_id.scheme": "BT-61-1",
}  # fmt: skip
_REPRESENTATIVE = {
    "name": "BT-62", "vat_id": "BT-63", "address.line1": "BT-64", "address.line2": "BT-65", "address.line3": "BT-164",
    "address.city": "BT-66", "address.post_code": "BT-67", "address.subdivision": "BT-68", "address.country": "BT-69",
}  # fmt: skip
_DELIVER_TO = {
    "name": "BT-70", "identifiers.value": "BT-71", "identifiers.scheme": "BT-71-1", "address.line1": "BT-75",
    "address.line2": "BT-76", "address.line3": "BT-165", "address.city": "BT-77", "address.post_code": "BT-78",
    "address.subdivision": "BT-79", "address.country": "BT-80",
}  # fmt: skip

DOCUMENT: tuple[Column, ...] = (
    Column("BT-1", "Invoice number", "number"),
    Column("BT-2", "Invoice issue date", "issue_date"),
    Column("BT-3", "Invoice type code", "type_code"),
    Column("BT-5", "Invoice currency code", "currency"),
    Column("BT-9", "Payment due date", "due_date"),
    Column("BT-106", "Sum of invoice line net amount", "totals.lines"),
    Column("BT-107", "Sum of allowances on document level", "totals.allowances"),
    Column("BT-108", "Sum of charges on document level", "totals.charges"),
    Column("BT-109", "Invoice total amount without VAT", "totals.without_vat"),
    Column("BT-110", "Invoice total VAT amount", "totals.vat"),
    Column("BT-112", "Invoice total amount with VAT", "totals.with_vat"),
    Column("BT-113", "Paid amount", "totals.paid"),
    Column("BT-114", "Rounding amount", "totals.rounding"),
    Column("BT-115", "Amount due for payment", "totals.payable"),
    Column("BT-6", "VAT accounting currency code", "accounting_currency"),
    Column("BT-111", "Invoice total VAT amount in accounting currency", "totals.vat_accounting_currency"),
    Column("BG-23", "VAT breakdown", "vat"),
    Column("BG-20, BG-21", "Document level allowances and charges", "allowances_charges"),
    Column("BT-7", "Value added tax point date", "tax_point_date"),
    Column("BT-8", "Value added tax point date code", "tax_point_code"),
    Column("BT-10", "Buyer reference", "buyer_reference"),
    Column("BT-11", "Project reference", "project"),
    Column("BT-12", "Contract reference", "contract"),
    Column("BT-13", "Purchase order reference", "order"),
    Column("BT-14", "Sales order reference", "sales_order"),
    Column("BT-15", "Receiving advice reference", "receiving_advice"),
    Column("BT-16", "Despatch advice reference", "despatch_advice"),
    Column("BT-17", "Tender or lot reference", "tender"),
    Column("BT-18", "Invoiced object identifier", "invoiced_object.value"),
    Column("BT-18-1", "Invoiced object identifier scheme", "invoiced_object.scheme"),
    Column("BT-19", "Buyer accounting reference", "accounting_reference"),
    Column("BT-20", "Payment terms", "payment_terms"),
    Column("BT-21", "Invoice note subject code", "notes.subject"),
    Column("BT-22", "Invoice note", "notes.text"),
    Column("BT-25", "Preceding invoice reference", "preceding.id"),
    Column("BT-26", "Preceding invoice issue date", "preceding.date"),
    *_party("Seller", "seller", _SELLER),
    *_party("Buyer", "buyer", _BUYER),
    *_party("Payee", "payee", _PAYEE),
    *_party("Seller tax representative", "tax_representative", _REPRESENTATIVE),
    *_party("Deliver to", "deliver_to", _DELIVER_TO),
    Column("BT-72", "Actual delivery date", "delivery_date"),
    Column("BT-73", "Invoicing period start date", "period.start"),
    Column("BT-74", "Invoicing period end date", "period.end"),
    Column("BT-81", "Payment means type code", "payment.code"),
    Column("BT-82", "Payment means text", "payment.text"),
    Column("BT-83", "Remittance information", "payment.reference"),
    Column("BT-84", "Payment account identifier", "payment.account"),
    Column("BT-85", "Payment account name", "payment.account_name"),
    Column("BT-86", "Payment service provider identifier", "payment.bic"),
    Column("BT-87", "Payment card primary account number", "payment.card"),
    Column("BT-88", "Payment card holder name", "payment.card_holder"),
    Column("BT-89", "Mandate reference identifier", "payment.mandate"),
    Column("BT-90", "Bank assigned creditor identifier", "payment.creditor"),
    Column("BT-91", "Debited account identifier", "payment.debited_account"),
    Column("BT-122", "Supporting document reference", "supporting.id"),
    Column("BT-123", "Supporting document description", "supporting.description"),
    Column("BT-124", "External document location", "supporting.uri"),
)

LINE: tuple[Column, ...] = (
    Column("BT-126", "Invoice line identifier", "id"),
    Column("BT-153", "Item name", "name"),
    Column("BT-154", "Item description", "description"),
    Column("BT-129", "Invoiced quantity", "quantity"),
    Column("BT-130", "Invoiced quantity unit of measure code", "unit"),
    Column("BT-146", "Item net price", "price"),
    Column("BT-149", "Item price base quantity", "price_base_quantity"),
    Column("BT-148", "Item gross price", "gross_price"),
    Column("BT-147", "Item price discount", "price_discount"),
    Column("BT-131", "Invoice line net amount", "amount"),
    Column("BT-151", "Invoiced item VAT category code", "vat_category"),
    Column("BT-152", "Invoiced item VAT rate", "vat_rate"),
    Column("BG-27, BG-28", "Invoice line allowances and charges", "allowances_charges"),
    Column("BT-155", "Item Seller's identifier", "seller_item_id"),
    Column("BT-156", "Item Buyer's identifier", "buyer_item_id"),
    Column("BT-157", "Item standard identifier", "standard_item_id.value"),
    Column("BT-157-1", "Item standard identifier scheme", "standard_item_id.scheme"),
    Column("BT-158", "Item classification identifier", "classifications.value"),
    Column("BT-158-1", "Item classification identifier scheme", "classifications.scheme"),
    Column("BT-158-2", "Item classification identifier scheme version", "classifications.version"),
    Column("BT-159", "Item country of origin", "origin"),
    Column("BG-32", "Item attributes", "attributes"),
    Column("BT-127", "Invoice line note", "note"),
    Column("BT-128", "Invoice line object identifier", "object_id.value"),
    Column("BT-128-1", "Invoice line object identifier scheme", "object_id.scheme"),
    Column("BT-132", "Referenced purchase order line reference", "order_line"),
    Column("BT-133", "Invoice line Buyer accounting reference", "accounting_reference"),
    Column("BT-134", "Invoice line period start date", "period.start"),
    Column("BT-135", "Invoice line period end date", "period.end"),
)
