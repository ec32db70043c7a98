"""An invoice in the terms of EN 16931 as ebInterface 6.1, by its schema and documentation."""

from __future__ import annotations

import re

from gateway import doctypes
from gateway.en16931 import Invoice, PaymentMeans
from gateway.formats.demands import cents
from gateway.formats.ebinterface_line import write_entry, write_lines
from gateway.formats.ebinterface_party import write_biller, write_delivery, write_recipient
from gateway.formats.ebinterface_values import NAME, put_more, rate
from gateway.formats.fitting import Fitting
from gateway.formats.xmlout import Node

_SPACE = {"eb": "http://www.ebinterface.at/schema/6p1/"}
_SYSTEM = "document-mail-gateway"
# UNTDID 1001 to DocumentType; by code, else by subtype
_TYPES = {
    "380": "Invoice",
    "381": "CreditMemo",
    "389": "SelfBilling",
    "386": "InvoiceForAdvancePayment",
    "326": "InvoiceForPartialDelivery",
    "383": "SubsequentDebit",
}
_SUBTYPES = {"credit_note": "CreditMemo", "self_billed": "SelfBilling", "prepayment": "InvoiceForAdvancePayment"}
_REFERENCE, _LONGEST_OWNER = 35, 70
_STANDARD = "S"
_DIRECT_DEBITS = frozenset({"49", "59"})  # UNTDID 4461
_IBAN = re.compile(r"[A-Z]{2}\d{2}[0-9A-Z]{1,30}", re.ASCII)
_BIC = re.compile(r"[0-9A-Za-z]{8}(?:[0-9A-Za-z]{3})?", re.ASCII)


def written(invoice: Invoice, lost: list[str]) -> bytes:
    """The bytes; what ebInterface cannot hold is left out, and a sentence about it goes to `lost`."""
    fit = Fitting(NAME, lost)
    root = _Plain.root("eb:Invoice", _SPACE, default="eb")
    _attributes(root, invoice, fit)
    root.put("InvoiceNumber", invoice.number)
    root.put("InvoiceDate", invoice.issue_date)
    for reference in invoice.preceding:
        related = root.open("RelatedDocument")
        related.put("InvoiceNumber", reference.id)
        related.put("InvoiceDate", reference.date)
    _information(root, invoice, fit)
    write_delivery(root, invoice, fit)
    write_biller(root, invoice, fit)
    write_recipient(root, invoice, fit)
    write_lines(root, invoice, fit)
    _allowances_charges(root.open("ReductionAndSurchargeDetails"), invoice, fit)
    _taxes(root.open("Tax", keep=True), invoice, fit)
    totals = invoice.totals
    root.put("TotalGrossAmount", cents(totals.with_vat))
    root.put("PrepaidAmount", cents(totals.paid))
    root.put("RoundingAmount", cents(totals.rounding))
    root.put("PayableAmount", cents(totals.payable))
    _payment(root, invoice, fit)
    conditions = root.open("PaymentConditions")
    conditions.put("DueDate", invoice.due_date)
    conditions.put("Comment", invoice.payment_terms)
    for note in invoice.notes:
        fit.leave("the subject of a text (BT-21)", note.subject)
    if len(invoice.notes) > 1:
        fit.lost.append(f"{NAME} holds one text (BT-22); the {len(invoice.notes)} stand in it one after the other.")
    root.put("Comment", "\n".join(note.text for note in invoice.notes))
    return root.bytes()


class _Plain(Node):
    """Nodes whose names need no prefix: all stand in the one namespace."""

    def open(self, path: str, *, keep: bool = False) -> Node:
        node = super().open("/".join(f"eb:{name}" for name in path.split("/")), keep=keep)
        return _Plain(node.element, self._namespaces)


def _attributes(root: Node, invoice: Invoice, fit: Fitting) -> None:
    subtype = doctypes.invoice_subtype(invoice.type_code or "") or ""
    kind = _TYPES.get(invoice.type_code or "")
    if kind is None:
        fit.leave("the type code (BT-3)", invoice.type_code)
        kind = _SUBTYPES.get(subtype, "Invoice")
    root.element.set("GeneratingSystem", _SYSTEM)
    root.element.set("DocumentType", kind)
    root.element.set("InvoiceCurrency", invoice.currency or "")


def _information(root: Node, invoice: Invoice, fit: Fitting) -> None:
    """References that have no element, under the keys that our reader knows; and what has no place at all."""
    for key, value in (
        ("BuyerReference", invoice.buyer_reference),
        ("Project", invoice.project),
        ("Contract", invoice.contract),
        ("ReceivingAdvice", invoice.receiving_advice),
        ("Tender", invoice.tender),
        ("InvoicedObject", invoice.invoiced_object.value if invoice.invoiced_object else None),
    ):
        put_more(root, key, value)
    for reference in invoice.supporting:
        fit.leave("supporting documents (BG-24)", reference.file_name or reference.uri or reference.id)
    for term, said in (
        ("BT-7", invoice.tax_point_date),
        ("BT-8", invoice.tax_point_code),
        ("BG-10", invoice.payee and invoice.payee.name),
        ("BG-11", invoice.tax_representative and invoice.tax_representative.name),
    ):
        fit.leave(term, said)


def _allowances_charges(details: Node, invoice: Invoice, fit: Fitting) -> None:
    """BG-20 and BG-21, each with its VAT."""
    for entry in invoice.allowances_charges:
        node = details.open("Surcharge" if entry.is_charge else "Reduction")
        write_entry(node, entry, invoice.totals.lines, fit)
        tax = node.open("TaxItem")
        tax.put("TaxableAmount", cents(entry.amount))
        tax.put("TaxPercent", rate(entry.vat_rate, "BT-96"), TaxCategoryCode=entry.vat_category)


def _taxes(node: Node, invoice: Invoice, fit: Fitting) -> None:
    """BG-23; the VAT in the accounting currency stands at each rate, so only one rate has it (BT-111)."""
    accounting = invoice.totals.vat_accounting_currency
    if len(invoice.vat) > 1:
        fit.leave("the total VAT in the accounting currency (BT-111)", accounting)
    fit.leave("BT-6 without an amount in it (BT-111)", invoice.accounting_currency if accounting is None else None)
    for vat in invoice.vat:
        item = node.open("TaxItem")
        item.put("TaxableAmount", cents(vat.taxable))
        item.put("TaxPercent", rate(vat.rate, "BT-119"), TaxCategoryCode=vat.category)
        item.put("TaxAmount", cents(vat.amount))
        if len(invoice.vat) == 1:
            item.put("AccountingCurrencyAmount", cents(accounting), Currency=invoice.accounting_currency)
        item.put("Comment", vat.exemption_reason if vat.category != _STANDARD else None)
        fit.leave(
            "a reason for no VAT where there is VAT (BT-120)",
            vat.exemption_reason if vat.category == _STANDARD else None,
        )
        fit.leave("the code of a reason for no VAT (BT-121)", vat.exemption_code)


def _payment(root: Node, invoice: Invoice, fit: Fitting) -> None:
    """BG-16 to BG-19: one method, which the first payment means chooses."""
    if not invoice.payment:
        return
    first = invoice.payment[0]
    method = root.open("PaymentMethod", keep=True)
    method.put("Comment", first.text)
    if first.code in _DIRECT_DEBITS:
        _direct_debit(method, first, fit)
        kept: tuple[PaymentMeans, ...] = (first,)
    elif first.card:
        card = method.open("PaymentCard")
        card.put("PrimaryAccountNumber", first.card)
        card.put("CardHolderName", first.card_holder)
        kept = (first,)
    else:
        kept = tuple(means for means in invoice.payment if means.account)
        _transfer(method, kept, first.reference, fit)
    for means in invoice.payment:
        _leave(means, means in kept, first, fit)


def _direct_debit(method: Node, means: PaymentMeans, fit: Fitting) -> None:
    debit = method.open("SEPADirectDebit", keep=True)
    debit.put("BIC", means.bic if _BIC.fullmatch(means.bic or "") else None)
    debit.put("IBAN", _joined(means.debited_account))
    debit.put("CreditorID", fit.code("BT-90", means.creditor, _REFERENCE))
    debit.put("MandateReference", fit.code("BT-89", means.mandate, _REFERENCE))
    fit.leave("BT-84 beside a direct debit", means.account)
    fit.leave("BT-83 beside a direct debit", means.reference)


def _transfer(method: Node, accounts: tuple[PaymentMeans, ...], reference: str | None, fit: Fitting) -> None:
    if not accounts and not reference:
        method.open("OtherPayment", keep=True)
        return
    transfer = method.open("UniversalBankTransaction")
    for means in accounts:
        node = transfer.open("BeneficiaryAccount")
        account = _joined(means.account) or ""
        node.put("BIC", means.bic if _BIC.fullmatch(means.bic or "") else None)
        fit.leave("what is no BIC (BT-86)", means.bic if not _BIC.fullmatch(means.bic or "") else None)
        node.put("IBAN" if _IBAN.fullmatch(account) else "BankAccountNr", account)
        node.put("BankAccountOwner", fit.text("BT-85", means.account_name, _LONGEST_OWNER))
    if reference and any(not means.reference for means in accounts):
        fit.lost.append(f"{NAME} holds one payment reference (BT-83) for all accounts.")
    transfer.put("PaymentReference", fit.code("BT-83", reference, _REFERENCE))


def _leave(means: PaymentMeans, is_kept: bool, first: PaymentMeans, fit: Fitting) -> None:
    """What the chosen method does not say of `means`."""
    if not is_kept:
        fit.leave("a further payment means (BG-16)", means.account or means.card or means.mandate or means.code)
        return
    fit.leave("BT-82 of a further payment means", means.text if means.text != first.text else None)
    fit.leave("a second payment reference (BT-83)", means.reference if means.reference != first.reference else None)
    exact = means.code == ("59" if first.code in _DIRECT_DEBITS else "48" if first.card else "30")
    fit.leave("the code of the payment means (BT-81)", None if exact else means.code)
    if first.code not in _DIRECT_DEBITS:
        fit.leave("a mandate beside a transfer (BT-89)", means.mandate)
        fit.leave("a creditor beside a transfer (BT-90)", means.creditor)
        fit.leave("a debited account beside a transfer (BT-91)", means.debited_account)
        fit.leave("a card beside a transfer (BT-87)", means.card if not first.card else None)
    if first.card:
        fit.leave("an account beside a card (BT-84)", means.account)


def _joined(account: str | None) -> str | None:
    """Without the blanks that people write into account numbers."""
    return "".join((account or "").split()) or None
