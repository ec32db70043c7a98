"""The semantic model of an invoice: EN 16931-1 terms under readable names.

Amounts, quantities and rates are `Decimal`, made from the text as written, never from a float. Dates are
`datetime.date`. A term that the source does not state is None or empty: nothing is invented here.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TypeVar

import msgspec

_T = TypeVar("_T", bound=msgspec.Struct)


class Term(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all terms: immutable, compared by value, sent between processes by msgspec."""


class Identifier(Term, frozen=True, kw_only=True):
    """An identifier and, where stated, the scheme it belongs to (ISO 6523 ICD or EAS code)."""

    value: str
    scheme: str | None = None
    version: str | None = None  # of the scheme: BT-158-2


class Address(Term, frozen=True, kw_only=True):
    """A postal address (BG-5, BG-8, BG-12, BG-15)."""

    line1: str | None = None  # BT-35, BT-50
    line2: str | None = None  # BT-36, BT-51
    line3: str | None = None  # BT-162, BT-163
    city: str | None = None  # BT-37, BT-52
    post_code: str | None = None  # BT-38, BT-53
    subdivision: str | None = None  # BT-39, BT-54
    country: str | None = None  # BT-40, BT-55, ISO 3166-1 alpha-2


class Contact(Term, frozen=True, kw_only=True):
    """A contact person or desk (BG-6, BG-9)."""

    name: str | None = None  # BT-41, BT-56
    phone: str | None = None  # BT-42, BT-57
    email: str | None = None  # BT-43, BT-58


class Party(Term, frozen=True, kw_only=True):
    """Seller (BG-4), buyer (BG-7), payee (BG-10), tax representative (BG-11) or deliver-to party (BG-13)."""

    name: str | None = None  # BT-27, BT-44
    trading_name: str | None = None  # BT-28, BT-45
    identifiers: tuple[Identifier, ...] = ()  # BT-29, BT-46
    legal_id: Identifier | None = None  # BT-30, BT-47
    vat_id: str | None = None  # BT-31, BT-48
    tax_id: str | None = None  # BT-32
    legal_form: str | None = None  # BT-33
    endpoint: Identifier | None = None  # BT-34, BT-49
    account_id: str | None = None  # UBL SupplierAssignedAccountID or CustomerAssignedAccountID; no EN term
    address: Address | None = None
    contact: Contact | None = None


class Period(Term, frozen=True, kw_only=True):
    """An invoicing period (BG-14, BG-26)."""

    start: dt.date | None = None  # BT-73, BT-134
    end: dt.date | None = None  # BT-74, BT-135


class Reference(Term, frozen=True, kw_only=True):
    """A preceding invoice (BG-3) or a supporting document (BG-24)."""

    id: str
    date: dt.date | None = None  # BT-26
    description: str | None = None  # BT-123
    uri: str | None = None  # BT-124
    file_name: str | None = None  # BT-125-2
    media_type: str | None = None  # BT-125-1
    size: int | None = None  # bytes of the embedded object
    content: bytes | None = None  # BT-125, the embedded object; None when it is no base64


class Note(Term, frozen=True, kw_only=True):
    """A free text (BG-1)."""

    text: str  # BT-22
    subject: str | None = None  # BT-21, UNTDID 4451


class PaymentMeans(Term, frozen=True, kw_only=True):
    """How to pay (BG-16 to BG-19)."""

    code: str | None = None  # BT-81, UNTDID 4461
    text: str | None = None  # BT-82
    reference: str | None = None  # BT-83
    account: str | None = None  # BT-84, an IBAN or a national account
    account_name: str | None = None  # BT-85
    bic: str | None = None  # BT-86
    card: str | None = None  # BT-87
    card_holder: str | None = None  # BT-88
    card_network: str | None = None  # UBL CardAccount/NetworkID; no EN term
    mandate: str | None = None  # BT-89
    creditor: str | None = None  # BT-90
    debited_account: str | None = None  # BT-91


class AllowanceCharge(Term, frozen=True, kw_only=True):
    """An allowance (BG-20, BG-27) or a charge (BG-21, BG-28)."""

    is_charge: bool
    amount: Decimal  # BT-92, BT-99, BT-136, BT-141
    base: Decimal | None = None  # BT-93, BT-100
    percent: Decimal | None = None  # BT-94, BT-101
    vat_category: str | None = None  # BT-95, BT-102
    vat_rate: Decimal | None = None  # BT-96, BT-103
    reason: str | None = None  # BT-97, BT-104
    reason_code: str | None = None  # BT-98, BT-105


class VatBreakdown(Term, frozen=True, kw_only=True):
    """One VAT category and rate (BG-23)."""

    category: str | None = None  # BT-118
    rate: Decimal | None = None  # BT-119
    taxable: Decimal | None = None  # BT-116
    amount: Decimal | None = None  # BT-117
    exemption_reason: str | None = None  # BT-120
    exemption_code: str | None = None  # BT-121


class Totals(Term, frozen=True, kw_only=True):
    """Document totals (BG-22)."""

    lines: Decimal | None = None  # BT-106
    allowances: Decimal | None = None  # BT-107
    charges: Decimal | None = None  # BT-108
    without_vat: Decimal | None = None  # BT-109
    vat: Decimal | None = None  # BT-110
    vat_accounting_currency: Decimal | None = None  # BT-111
    with_vat: Decimal | None = None  # BT-112
    paid: Decimal | None = None  # BT-113
    rounding: Decimal | None = None  # BT-114
    payable: Decimal | None = None  # BT-115


class Line(Term, frozen=True, kw_only=True):
    """An invoice line (BG-25)."""

    id: str  # BT-126
    note: str | None = None  # BT-127
    name: str | None = None  # BT-153
    description: str | None = None  # BT-154
    seller_item_id: str | None = None  # BT-155
    buyer_item_id: str | None = None  # BT-156
    standard_item_id: Identifier | None = None  # BT-157
    quantity: Decimal | None = None  # BT-129
    unit: str | None = None  # BT-130, UN/ECE Recommendation 20
    price: Decimal | None = None  # BT-146
    gross_price: Decimal | None = None  # BT-148
    price_discount: Decimal | None = None  # BT-147
    price_base_quantity: Decimal | None = None  # BT-149
    amount: Decimal | None = None  # BT-131
    vat_category: str | None = None  # BT-151
    vat_rate: Decimal | None = None  # BT-152
    period: Period | None = None  # BG-26
    order_line: str | None = None  # BT-132
    object_id: Identifier | None = None  # BT-128
    classifications: tuple[Identifier, ...] = ()  # BT-158
    origin: str | None = None  # BT-159, ISO 3166-1 alpha-2
    accounting_reference: str | None = None  # BT-133
    allowances_charges: tuple[AllowanceCharge, ...] = ()  # BG-27, BG-28
    attributes: tuple[tuple[str, str], ...] = ()  # BG-32: BT-160, BT-161


class Invoice(Term, frozen=True, kw_only=True):
    """An invoice or credit note, complete in EN 16931 terms."""

    number: str | None = None  # BT-1
    issue_date: dt.date | None = None  # BT-2
    type_code: str | None = None  # BT-3, UNTDID 1001
    currency: str | None = None  # BT-5
    accounting_currency: str | None = None  # BT-6
    tax_point_date: dt.date | None = None  # BT-7
    tax_point_code: str | None = None  # BT-8
    due_date: dt.date | None = None  # BT-9
    buyer_reference: str | None = None  # BT-10
    project: str | None = None  # BT-11
    contract: str | None = None  # BT-12
    order: str | None = None  # BT-13
    sales_order: str | None = None  # BT-14
    receiving_advice: str | None = None  # BT-15
    despatch_advice: str | None = None  # BT-16
    tender: str | None = None  # BT-17
    invoiced_object: Identifier | None = None  # BT-18
    accounting_reference: str | None = None  # BT-19
    payment_terms: str | None = None  # BT-20
    notes: tuple[Note, ...] = ()  # BG-1
    process: str | None = None  # BT-23
    specification: str | None = None  # BT-24
    preceding: tuple[Reference, ...] = ()  # BG-3
    seller: Party = Party()  # BG-4
    buyer: Party = Party()  # BG-7
    payee: Party | None = None  # BG-10
    tax_representative: Party | None = None  # BG-11
    deliver_to: Party | None = None  # BG-13
    delivery_date: dt.date | None = None  # BT-72
    period: Period | None = None  # BG-14
    payment: tuple[PaymentMeans, ...] = ()  # BG-16
    allowances_charges: tuple[AllowanceCharge, ...] = ()  # BG-20, BG-21
    totals: Totals = Totals()  # BG-22
    vat: tuple[VatBreakdown, ...] = ()  # BG-23
    supporting: tuple[Reference, ...] = ()  # BG-24
    lines: tuple[Line, ...] = ()  # BG-25
    extensions: tuple[tuple[str, str], ...] = ()  # (path, value) read but without a term


def negated(invoice: Invoice) -> Invoice:
    """`invoice` with the other sign on every amount and quantity; prices and rates keep theirs.

    Some formats write credit notes with negative amounts, EN 16931 (code 381) with positive ones: the same statement.
    """
    return msgspec.structs.replace(
        invoice,
        totals=_minus(invoice.totals, *invoice.totals.__struct_fields__),
        vat=tuple(_minus(entry, "taxable", "amount") for entry in invoice.vat),
        allowances_charges=tuple(_minus(entry, "amount", "base") for entry in invoice.allowances_charges),
        lines=tuple(
            msgspec.structs.replace(
                _minus(line, "quantity", "amount"),
                allowances_charges=tuple(_minus(entry, "amount", "base") for entry in line.allowances_charges),
            )
            for line in invoice.lines
        ),
    )


def _minus(term: _T, *fields: str) -> _T:
    """`copy_negate` is exact whatever the length; a zero has no sign."""
    stated = {name: getattr(term, name) for name in fields}
    return msgspec.structs.replace(term, **{name: value.copy_negate() for name, value in stated.items() if value})
