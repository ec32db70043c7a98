"""An invoice in the terms of EN 16931 as ISDOC 6.0.2, by its schema and documentation."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal

from gateway import doctypes
from gateway.en16931 import Invoice, PaymentMeans, VatBreakdown, negated
from gateway.errors import Unconvertible
from gateway.formats.fitting import Fitting
from gateway.formats.isdoc_line import DELIVERY, ORDER, write_lines
from gateway.formats.isdoc_party import NAME, write_party
from gateway.formats.xmlout import Node

_SPACE = "http://isdoc.cz/namespace/2013"
_VERSION = "6.0.2"
_SYSTEM = "document-mail-gateway"
_TYPES = {"380": "1", "381": "2", "383": "3", "325": "4", "386": "5"}  # UNTDID 1001 to DocumentType
_SUBTYPES = {"credit_note": "2", "debit_note": "3", "prepayment": "5"}
_INVOICE = "1"
# UNTDID 4461 to the codes that the schema knows; 42 is a payment to an account, 49 a direct debit
_MEANS = {"10": "10", "20": "20", "30": "42", "31": "42", "42": "42", "58": "42", "48": "48", "54": "48", "55": "48",
          "49": "49", "59": "49", "50": "50", "97": "97"}  # fmt: skip
_TO_ACCOUNT = "42"
_OUTSIDE, _REVERSE = "O", "AE"  # UNTDID 5305
_SYMBOL = re.compile(r"\d{1,10}", re.ASCII)  # variable symbol of Czech payments
_CZECH = re.compile(r"CZ\d{2}(\d{4})(\d{6})(\d{10})", re.ASCII)  # IBAN: bank, prefix, account
_IBAN = re.compile(r"[A-Z]{2}\d{2}[0-9A-Z]{1,30}", re.ASCII)
_NATIONAL = re.compile(r"([\d-]+)/(\d{4})", re.ASCII)
_NOTHING = Decimal(0)


def written(invoice: Invoice, lost: list[str]) -> bytes:
    """The bytes; what ISDOC cannot hold is left out, and a sentence about it goes to `lost`."""
    fit = Fitting(NAME, lost)
    _leave(invoice, fit)
    subtype = doctypes.invoice_subtype(invoice.type_code or "") or ""
    if subtype == "credit_note":
        invoice = negated(invoice)  # amounts that are given back have a minus sign
    root = Node.root("Invoice", {}, default=None)
    root.element.set("version", _VERSION)
    kind = _TYPES.get(invoice.type_code or "")
    fit.leave("the type code (BT-3)", invoice.type_code if kind is None else None)
    root.put("DocumentType", kind or _SUBTYPES.get(subtype, _INVOICE))
    root.put("ID", invoice.number)
    root.put("UUID", _identity(invoice))
    root.put("IssuingSystem", _SYSTEM)
    root.put("IssueDate", invoice.issue_date)
    root.put("TaxPointDate", invoice.tax_point_date)
    root.put("VATApplicable", "false" if all(vat.category == _OUTSIDE for vat in invoice.vat) else "true")
    root.open("ElectronicPossibilityAgreementReference", keep=True)
    root.put("Note", _note(invoice, fit))
    root.put("LocalCurrencyCode", invoice.currency)
    root.put("CurrRate", "1")
    root.put("RefCurrRate", "1")
    write_party(root, "AccountingSupplierParty", invoice.seller, fit, "the seller")
    write_party(root, "AccountingCustomerParty", invoice.buyer, fit, "the buyer")
    _references(root, invoice)
    if invoice.deliver_to:
        write_party(root, "Delivery", invoice.deliver_to, fit, "the place of delivery")
    write_lines(root, invoice, fit)
    _taxes(root.open("TaxTotal"), invoice, fit)
    _totals(root.open("LegalMonetaryTotal"), invoice)
    _payment(root.open("PaymentMeans"), invoice, fit)
    return _qualified(root).bytes()


def _qualified(root: Node) -> Node:
    """The same with the one namespace of ISDOC on every element."""
    whole = Node.root("isdoc:Invoice", {"isdoc": _SPACE}, default="isdoc")
    for key, value in root.element.attrib.items():
        whole.element.set(key, value)
    whole.element.extend(list(root.element))
    for element in whole.element.iterdescendants():
        element.tag = f"{{{_SPACE}}}{element.tag}"
    return whole


def _identity(invoice: Invoice) -> str:
    """A UUID that the same invoice has every time: of its seller, number and date."""
    seller = invoice.seller.vat_id or invoice.seller.name
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{_SPACE}#{seller}#{invoice.number}#{invoice.issue_date}")).upper()


def _note(invoice: Invoice, fit: Fitting) -> str:
    for note in invoice.notes:
        fit.leave("the subject of a text (BT-21)", note.subject)
    texts = [note.text for note in invoice.notes]
    if invoice.payment_terms:
        fit.lost.append(f"{NAME} has no place for the terms of payment (BT-20); they stand in the note.")
        texts.append(invoice.payment_terms)
    if len(texts) > 1:
        fit.lost.append(f"{NAME} holds one note; {len(texts)} texts stand in it one after the other.")
    return "\n".join(texts)


def _references(root: Node, invoice: Invoice) -> None:
    """BT-13, BT-14, BT-16 and BG-3. The schema wants the seller's number of an order; empty where it is not stated."""
    if invoice.order or invoice.sales_order:
        order = root.open("OrderReferences/OrderReference")
        order.element.set("id", ORDER)
        order.open("SalesOrderID", keep=True).element.text = invoice.sales_order
        order.put("ExternalOrderID", invoice.order)
    if invoice.despatch_advice:
        delivery = root.open("DeliveryNoteReferences/DeliveryNoteReference")
        delivery.element.set("id", DELIVERY)
        delivery.put("ID", invoice.despatch_advice)
    originals = root.open("OriginalDocumentReferences")
    for number, reference in enumerate(invoice.preceding, 1):
        original = originals.open("OriginalDocumentReference")
        original.element.set("id", f"original-{number}")
        original.put("ID", reference.id)
        original.put("IssueDate", reference.date)


def _taxes(total: Node, invoice: Invoice, fit: Fitting) -> None:
    """BG-23: nothing is claimed already, so the difference is the whole."""
    for vat in invoice.vat:
        node = total.open("TaxSubTotal")
        taxable, tax = vat.taxable or _NOTHING, vat.amount or _NOTHING
        amounts = (("TaxableAmount", taxable), ("TaxAmount", tax), ("TaxInclusiveAmount", taxable + tax))
        for name, amount in amounts:
            node.put(name, amount)
        for name, _ in amounts:
            node.put(f"AlreadyClaimed{name}", _NOTHING)
        for name, amount in amounts:
            node.put(f"Difference{name}", amount)
        _tax_category(node.open("TaxCategory"), vat, fit)
    total.put("TaxAmount", invoice.totals.vat)


def _tax_category(node: Node, vat: VatBreakdown, fit: Fitting) -> None:
    node.put("Percent", vat.rate or _NOTHING)
    node.put("VATApplicable", "false" if vat.category == _OUTSIDE else "true")
    node.put("LocalReverseChargeFlag", "true" if vat.category == _REVERSE else None)
    if vat.category not in ("S", _OUTSIDE, _REVERSE):
        fit.leave("VAT categories without a rate other than O and AE (BT-118)", vat.category)
    fit.leave("the reason for no VAT (BT-120)", vat.exemption_reason)
    fit.leave("the code of a reason for no VAT (BT-121)", vat.exemption_code)


def _totals(node: Node, invoice: Invoice) -> None:
    """BG-22; what is paid already stands as a deposit, with a minus sign as the samples of the standard have it."""
    totals = invoice.totals
    node.put("TaxExclusiveAmount", totals.without_vat)
    node.put("TaxInclusiveAmount", totals.with_vat)
    node.put("AlreadyClaimedTaxExclusiveAmount", _NOTHING)
    node.put("AlreadyClaimedTaxInclusiveAmount", _NOTHING)
    node.put("DifferenceTaxExclusiveAmount", totals.without_vat)
    node.put("DifferenceTaxInclusiveAmount", totals.with_vat)
    node.put("PayableRoundingAmount", totals.rounding)
    node.put("PaidDepositsAmount", totals.paid.copy_negate() if totals.paid else _NOTHING)
    node.put("PayableAmount", totals.payable)


def _payment(node: Node, invoice: Invoice, fit: Fitting) -> None:
    """BG-16 and BG-17: the first account as the payment, the others beside it."""
    chosen = next((means for means in invoice.payment if means.account), None) or next(iter(invoice.payment), None)
    if chosen is None:
        return
    payment = node.open("Payment")
    payment.put("PaidAmount", invoice.totals.payable)
    code = _TO_ACCOUNT if chosen.account else _MEANS.get(chosen.code or "")
    if code is None:
        sentence = f"{NAME} has no code for the payment means {chosen.code or 'that is not stated'} (BT-81)"
        raise Unconvertible("BT-81", f"{sentence} without an account.")
    fit.leave("the code of the payment means (BT-81)", chosen.code if chosen.code != code else None)
    payment.put("PaymentMeansCode", code)
    symbol = chosen.reference if _SYMBOL.fullmatch(chosen.reference or "") else None
    fit.leave("references that are no variable symbol (BT-83)", chosen.reference if symbol is None else None)
    if chosen.account:
        details = payment.open("Details")
        details.put("PaymentDueDate", invoice.due_date)
        _account(details, chosen)
        details.put("VariableSymbol", symbol)
    else:
        fit.leave("the due date without an account (BT-9)", invoice.due_date)
        fit.leave("a payment reference without an account (BT-83)", symbol)
    others = [means for means in invoice.payment if means.account and means is not chosen]
    accounts = node.open("AlternateBankAccounts")
    for means in others:
        _account(accounts.open("AlternateBankAccount"), means)
        fit.leave("a second payment reference (BT-83)", means.reference if means.reference != symbol else None)
    for means in invoice.payment:
        _leave_means(means, fit)


def _account(node: Node, means: PaymentMeans) -> None:
    """The parts of an account, all of which the schema wants: those of a Czech IBAN follow from it."""
    account = "".join((means.account or "").split())
    czech, national = _CZECH.fullmatch(account), _NATIONAL.fullmatch(account)
    number, bank, iban = account, "", ""
    if czech:
        bank, prefix, own = czech.groups()
        number = "-".join(part for part in (prefix.lstrip("0"), own.lstrip("0")) if part)
        iban = account
    elif national:
        number, bank = national.groups()
    elif _IBAN.fullmatch(account):
        number, iban = "", account
    for name, value in (("ID", number), ("BankCode", bank), ("Name", ""), ("IBAN", iban), ("BIC", means.bic or "")):
        node.open(name, keep=True).element.text = value or None


def _leave_means(means: PaymentMeans, fit: Fitting) -> None:
    for term, said in (
        ("BT-82", means.text),
        ("BT-85", means.account_name),
        ("BT-87", means.card),
        ("BT-89", means.mandate),
        ("BT-90", means.creditor),
        ("BT-91", means.debited_account),
    ):
        fit.leave(term, said)


def _leave(invoice: Invoice, fit: Fitting) -> None:
    """What has no place at all."""
    period = invoice.period
    for term, said in (
        ("BT-6, BT-111", invoice.accounting_currency),
        ("BT-8", invoice.tax_point_code),
        ("BT-10", invoice.buyer_reference),
        ("BT-11", invoice.project),
        ("BT-12 without its date", invoice.contract),
        ("BT-15", invoice.receiving_advice),
        ("BT-17", invoice.tender),
        ("BT-18", invoice.invoiced_object and invoice.invoiced_object.value),
        ("BT-19", invoice.accounting_reference),
        ("BT-72", invoice.delivery_date),
        ("BG-10", invoice.payee and invoice.payee.name),
        ("BG-11", invoice.tax_representative and invoice.tax_representative.name),
        ("BG-14", period and f"{period.start} to {period.end}"),
        *(("BG-24", each.file_name or each.uri or each.id) for each in invoice.supporting),
    ):
        fit.leave(term, said)
