"""An ebInterface document in the terms of EN 16931-1, by the schemas and documentation of versions 3.0 to 6.1."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

from gateway.en16931 import (
    AllowanceCharge,
    Identifier,
    Invoice,
    Line,
    Note,
    Party,
    PaymentMeans,
    Period,
    Reference,
    Totals,
    VatBreakdown,
)
from gateway.readers.derived import bad_numbers, sums_of
from gateway.readers.ebinterface_line import entries_of, lines_of
from gateway.readers.ebinterface_party import party_of
from gateway.readers.ebinterface_paths import EBINTERFACE, TYPES, category_of, rate_of
from gateway.readers.stated import sum_of, vat_category_of

_NUMBERS = "//*[contains(local-name(), 'Amount') or local-name() = 'Quantity' or local-name() = 'UnitPrice'][not(*)]"
_TEXTS = (
    "Details/HeaderDescription | Details/ItemList/HeaderDescription | Details/ItemList/FooterDescription"
    " | Details/FooterDescription | Comment"
)
# Since 5.0, since 4.1, before that; and where nothing is taxed, before 4.1
_BREAKDOWN = "Tax/TaxItem | Tax/VAT/VATItem | Tax/VAT/Item | Tax/VAT[TaxExemption]"
_TRANSFER, _CARD, _DIRECT_DEBIT = "30", "48", "59"  # UNTDID 4461
# Keys of AdditionalInformation under which terms without an element of their own are written here, and read again
KEYS = {
    "buyer_reference": "BuyerReference",
    "project": "Project",
    "contract": "Contract",
    "receiving_advice": "ReceivingAdvice",
    "tender": "Tender",
}
OBJECT = "InvoicedObject"

# Elements that are met and that EN 16931 has no term for; kept by path and value.
_WITHOUT_TERM = (
    "@IsDuplicate",
    "@DocumentTitle",
    "OrderingParty/Address/Name",
    "OrderingParty/BillersOrderingPartyID",
    "InvoiceRecipient/SubOrganizationID",
    "Biller/ConsolidatorsBillerID",
    "Biller/Address/AdditionalInformation",
    "Details/BelowTheLineItem/LineItemAmount",
    "PaymentConditions/Discount/PaymentDate",
    "PaymentConditions/Discount/Percentage",
    "PaymentConditions/Discount/Amount",
    "PaymentConditions/MinimumPayment",
    "PaymentMethod/UniversalBankTransaction/BeneficiaryAccount/BankName",
    "CurrencyExchangeInformation/ExchangeRate",
)


def invoice_of(root: Any, notes: list[str]) -> Invoice:
    """The content of `root`; what cannot be read as its type is left out, and a sentence about it goes to `notes`."""
    bad_numbers(EBINTERFACE, root, _NUMBERS, notes)
    lines = lines_of(root, notes)
    entries = (
        *entries_of(EBINTERFACE.node(root, "ReductionAndSurchargeDetails | ReductionDetails"), notes),
        *_other_taxes(root, notes),
    )
    vat = tuple(_vat(node, notes) for node in EBINTERFACE.nodes(root, _BREAKDOWN))
    information = {
        hit.get("Key"): EBINTERFACE.value(hit, ".") for hit in EBINTERFACE.nodes(root, "AdditionalInformation")
    }
    known: dict[str, Any] = {term: information.pop(key, None) for term, key in KEYS.items()}
    invoiced = information.pop(OBJECT, None)
    seller, buyer = party_of(EBINTERFACE.node(root, "Biller")), party_of(EBINTERFACE.node(root, "InvoiceRecipient"))
    deliver_to = party_of(EBINTERFACE.node(root, "Delivery"))
    currency = EBINTERFACE.value(root, "@InvoiceCurrency")
    return Invoice(
        number=EBINTERFACE.value(root, "InvoiceNumber"),
        issue_date=EBINTERFACE.date(root, "InvoiceDate"),
        type_code=TYPES.get(EBINTERFACE.value(root, "@DocumentType") or "", "380"),
        currency=currency,
        accounting_currency=EBINTERFACE.value(root, "Tax/TaxItem/AccountingCurrencyAmount/@Currency"),
        due_date=EBINTERFACE.date(root, "PaymentConditions/DueDate"),
        **known,
        **_orders(root, notes),
        despatch_advice=EBINTERFACE.value(root, "Delivery/DeliveryID"),
        accounting_reference=EBINTERFACE.value(root, "InvoiceRecipient/AccountingArea"),
        invoiced_object=Identifier(value=invoiced) if invoiced else None,
        payment_terms=EBINTERFACE.text(root, "PaymentConditions/Comment"),
        notes=_notes(root, information),
        preceding=_preceding(root),
        seller=seller,
        buyer=buyer,
        deliver_to=deliver_to if deliver_to != Party() else None,
        delivery_date=EBINTERFACE.date(root, "Delivery/Date"),
        period=_period(root),
        payment=_payment(root),
        allowances_charges=entries,
        totals=_totals(root, lines, entries, vat, notes),
        vat=vat,
        lines=lines,
        extensions=tuple((path, value) for path in _WITHOUT_TERM for value in EBINTERFACE.values(root, path)),
    )


def _orders(root: Any, notes: list[str]) -> dict[str, Any]:
    """BT-13 and BT-14: the parties' references, or the one that all lines name."""
    found: dict[str, str | None] = {}
    for term, header, line in (
        ("order", "InvoiceRecipient/OrderReference/OrderID", "InvoiceRecipientsOrderReference/OrderID"),
        ("sales_order", "Biller/OrderReference/OrderID", "BillersOrderReference/OrderID"),
    ):
        stated = EBINTERFACE.value(root, header)
        named = list(dict.fromkeys(EBINTERFACE.values(root, f"Details/ItemList/ListLineItem/{line}")))
        if len(set(named) | ({stated} if stated else set())) > 1:
            notes.append(f"The lines name several orders ({', '.join(named[:5])}); EN 16931 has room for one.")
        found[term] = stated or (named[0] if len(named) == 1 else None)
    return found


def _notes(root: Any, information: dict[str | None, str | None]) -> tuple[Note, ...]:
    """BG-1: the texts before, between and after the lines, the comment, and what is said under a key."""
    texts = [EBINTERFACE.text(hit, ".") for hit in EBINTERFACE.nodes(root, _TEXTS)]
    texts += [f"{key}: {value}" if key else value for key, value in information.items() if value]
    return tuple(Note(text=text) for text in texts if text)


def _preceding(root: Any) -> tuple[Reference, ...]:
    """BG-3: what this document cancels, then what it is related to."""
    nodes = EBINTERFACE.nodes(root, "CancelledOriginalDocument | RelatedDocument")
    found = [
        Reference(id=number, date=EBINTERFACE.date(node, "InvoiceDate"))
        for node in nodes
        if (number := EBINTERFACE.value(node, "InvoiceNumber"))
    ]
    cancelled = EBINTERFACE.value(root, "@CancelledOriginalDocument")
    return (*([Reference(id=cancelled)] if cancelled else []), *found)


def _period(root: Any) -> Period | None:
    start, end = EBINTERFACE.date(root, "Delivery/Period/FromDate"), EBINTERFACE.date(root, "Delivery/Period/ToDate")
    return Period(start=start, end=end) if start or end else None


def _payment(root: Any) -> tuple[PaymentMeans, ...]:
    """BG-16 to BG-19. The method says the code of UNTDID 4461: a transfer, a SEPA direct debit, a card."""
    method = EBINTERFACE.node(root, "PaymentMethod")
    if method is None:
        return ()
    text = EBINTERFACE.text(method, "Comment")
    transfer = EBINTERFACE.node(method, "UniversalBankTransaction | self::*[BeneficiaryAccount]")
    debit, card = EBINTERFACE.node(method, "SEPADirectDebit"), EBINTERFACE.node(method, "PaymentCard")
    if transfer is not None:
        reference = EBINTERFACE.value(transfer, "PaymentReference")
        accounts = EBINTERFACE.nodes(transfer, "BeneficiaryAccount")
        return tuple(_account(node, text, reference) for node in accounts) or (
            PaymentMeans(code=_TRANSFER, text=text, reference=reference),
        )
    if debit is not None:
        return (
            PaymentMeans(
                code=_DIRECT_DEBIT,
                text=text,
                mandate=EBINTERFACE.value(debit, "MandateReference"),
                creditor=EBINTERFACE.value(debit, "CreditorID"),
                debited_account=EBINTERFACE.value(debit, "IBAN"),
                bic=EBINTERFACE.value(debit, "BIC"),
            ),
        )
    if card is not None:
        number, holder = EBINTERFACE.value(card, "PrimaryAccountNumber"), EBINTERFACE.value(card, "CardHolderName")
        return (PaymentMeans(code=_CARD, text=text, card=number, card_holder=holder),)
    return (PaymentMeans(text=text),) if text else ()


def _account(node: Any, text: str | None, reference: str | None) -> PaymentMeans:
    return PaymentMeans(
        code=_TRANSFER,
        text=text,
        reference=reference,
        account=EBINTERFACE.value(node, "IBAN") or EBINTERFACE.value(node, "BankAccountNr"),
        account_name=EBINTERFACE.value(node, "BankAccountOwner"),
        bic=EBINTERFACE.value(node, "BIC"),
    )


def _other_taxes(root: Any, notes: list[str]) -> list[AllowanceCharge]:
    """Taxes other than VAT, which the total holds: charges, as EN 16931 has no other place for them."""
    found = []
    for node in EBINTERFACE.nodes(root, "Tax/OtherTax"):
        amount = EBINTERFACE.decimal(node, "TaxAmount | Amount")
        if amount is not None:
            notes.append("Taxes other than VAT are read as charges.")
            found.append(AllowanceCharge(is_charge=True, amount=amount, reason=EBINTERFACE.text(node, "Comment")))
    return found


def _vat(node: Any, notes: list[str]) -> VatBreakdown:
    code, reason = category_of(node)
    rate = rate_of(node)
    amount = EBINTERFACE.decimal(node, "TaxAmount | Amount")
    category = vat_category_of(code, rate, notes)
    return VatBreakdown(
        category=category,
        rate=None if category == "O" else rate,
        taxable=EBINTERFACE.decimal(node, "TaxableAmount | TaxedAmount"),
        amount=Decimal(0) if amount is None and (not rate or category != "S") else amount,
        exemption_reason=reason if category != "S" else None,
    )


@dataclasses.dataclass(frozen=True)
class _Net:
    """The amounts that make up the total without VAT."""

    lines: Decimal | None
    allowances: Decimal | None
    charges: Decimal | None

    def total(self) -> Decimal | None:
        """BT-109 by rule BR-CO-13."""
        if self.lines is None:
            return None
        return self.lines - (self.allowances or 0) + (self.charges or 0)


def _totals(
    root: Any,
    lines: tuple[Line, ...],
    entries: tuple[AllowanceCharge, ...],
    vat: tuple[VatBreakdown, ...],
    notes: list[str],
) -> Totals:
    """BG-22. ebInterface states the total with VAT; what leads to it follows from the lines and the VAT breakdown."""
    net = _Net(lines=sum_of([line.amount for line in lines], notes), **sums_of(entries))
    with_vat = EBINTERFACE.decimal(root, "TotalGrossAmount")
    payable = EBINTERFACE.decimal(root, "PayableAmount")
    amounts = [entry.amount for entry in vat if entry.amount is not None]
    accounting = EBINTERFACE.decimal(root, "Tax/TaxItem/AccountingCurrencyAmount") if len(vat) == 1 else None
    return Totals(
        lines=net.lines,
        allowances=net.allowances,
        charges=net.charges,
        without_vat=net.total(),
        vat=sum(amounts, Decimal(0)) if len(amounts) == len(vat) and vat else None,
        vat_accounting_currency=accounting,
        with_vat=with_vat,
        paid=EBINTERFACE.decimal(root, "PrepaidAmount"),
        rounding=EBINTERFACE.decimal(root, "RoundingAmount"),
        payable=with_vat if payable is None else payable,  # before 4.1 the total is what is to be paid
    )
