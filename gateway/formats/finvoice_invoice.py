"""An invoice in the terms of EN 16931 as Finvoice 3.0, by its schema and implementation guidelines."""

from __future__ import annotations

import re

from gateway import doctypes
from gateway.en16931 import AllowanceCharge, Invoice, PaymentMeans, Totals, VatBreakdown, negated
from gateway.formats.finvoice_line import adjustment, put_object, write_rows
from gateway.formats.finvoice_party import write_buyer, write_deliver_to, write_others, write_seller
from gateway.formats.finvoice_values import NAME, VATEX, amount, put_amount, put_date, put_percent
from gateway.formats.fitting import Fitting, wrapped
from gateway.formats.xmlout import Node

_REFERENCE, _NUMBER, _TEXT, _SHORT_TEXT, _SHORT = 70, 20, 512, 70, 35
_MOST_TERMS, _MOST_REASONS = 2, 3
# By subtype: InvoiceTypeCode of the SPY list (guidelines §10.5), InvoiceTypeText
_TYPES = {"credit_note": ("INV02", "CREDIT NOTE"), "self_billed": ("INV07", "SELF-BILLED INVOICE")}
_INVOICE = ("INV01", "INVOICE")
_SHARED_COSTS = "SHA"  # who bears the banks' charges: each its own, as in SEPA
_TOKEN = re.compile(r"[\w.:\-]{1,35}")  # the characters of an NMTOKEN
_FINNISH_REFERENCE = re.compile(r"\d{2,20}", re.ASCII)
_CREDITOR_REFERENCE = re.compile(r"RF\d\d[0-9A-Za-z]{1,21}", re.ASCII)  # ISO 11649
_IBAN = re.compile(r"[A-Z]{2}\d{2}[0-9A-Z]{1,30}", re.ASCII)
_BIC = re.compile(r"[0-9A-Z]{8}(?:[0-9A-Z]{3})?", re.ASCII)


def written(invoice: Invoice, lost: list[str]) -> bytes:
    """The bytes; what Finvoice cannot hold is left out, and a sentence about it goes to `lost`."""
    if doctypes.invoice_subtype(invoice.type_code or "") == "credit_note":
        invoice = negated(invoice)  # amounts that are given back have a minus sign
    fit = Fitting(NAME, lost)
    root = Node.root("Finvoice", {})
    root.element.set("Version", "3.0")
    write_seller(root, invoice.seller, fit)
    _information(root.open("SellerInformationDetails"), invoice, fit)
    write_buyer(root, invoice.buyer, fit)
    write_deliver_to(root, invoice, fit)
    delivery = root.open("DeliveryDetails")
    put_date(delivery, "DeliveryDate", invoice.delivery_date)
    delivery.put("DeliveryNoteIdentifier", fit.code("BT-16", invoice.despatch_advice, _REFERENCE))
    write_others(root, invoice, fit)
    _details(root.open("InvoiceDetails"), invoice, fit)
    _cards(root, invoice.payment[0] if invoice.payment else PaymentMeans(), fit)
    write_rows(root, invoice, fit)
    _payment_order(root.open("EpiDetails"), invoice, fit)
    _documents(root, invoice, fit)
    return root.bytes()


def _information(node: Node, invoice: Invoice, fit: Fitting) -> None:
    """BT-32, BT-33, and the accounts that have a BIC."""
    node.put("SellerTaxRegistrationText", fit.code("BT-32", invoice.seller.tax_id, _SHORT))
    node.put("SellerAdditionalLegalInfo", fit.text("BT-33", invoice.seller.legal_form, _TEXT))
    paid = next((means for means in invoice.payment if means.account), None)
    for means in invoice.payment:
        account = _account(means.account)
        if account and means.bic and _BIC.fullmatch(means.bic):
            details = node.open("SellerAccountDetails")
            details.put("SellerAccountID", account, IdentificationSchemeName=_scheme(account))
            details.put("SellerBic", means.bic, IdentificationSchemeName="BIC")
            details.put("SellerAccountName", fit.text("BT-85", means.account_name, _SHORT_TEXT))
        else:
            fit.leave("BT-85 without a BIC", means.account_name)
            fit.leave("a further account (BT-84) without a BIC", account if means is not paid else None)


def _details(details: Node, invoice: Invoice, fit: Fitting) -> None:
    """InvoiceDetails, in the order of the schema."""
    code, text = _TYPES.get(doctypes.invoice_subtype(invoice.type_code or "") or "", _INVOICE)
    details.put("InvoiceTypeCode", code)
    details.put("InvoiceTypeCodeUN", invoice.type_code)
    details.put("InvoiceTypeText", text)
    details.put("OriginCode", "Original")
    if invoice.invoiced_object:
        put_object(details, invoice.invoiced_object, "BT-18", fit)
    details.put("InvoiceNumber", fit.needed("BT-1", invoice.number, _NUMBER))
    put_date(details, "InvoiceDate", invoice.issue_date)
    _preceding(details, invoice, fit)
    if invoice.period:
        put_date(details, "InvoicingPeriodStartDate", invoice.period.start)
        put_date(details, "InvoicingPeriodEndDate", invoice.period.end)
    details.put("BuyersSellerIdentifier", fit.code("the number of the seller", invoice.seller.account_id, _REFERENCE))
    details.put("SellersBuyerIdentifier", fit.code("the customer number", invoice.buyer.account_id, _REFERENCE))
    for name, term, value in (
        ("OrderIdentifier", "BT-13", invoice.order),
        ("OrderConfirmationIdentifier", "BT-14", invoice.sales_order),
        ("AgreementIdentifier", "BT-12", invoice.contract),
        ("BuyerReferenceIdentifier", "BT-10", invoice.buyer_reference),
        ("ProjectReferenceIdentifier", "BT-11", invoice.project),
    ):
        details.put(name, fit.code(term, value, _REFERENCE))
    fit.leave("BT-15", invoice.receiving_advice)
    _totals(details, invoice.totals, invoice, fit)
    details.put("AccountDimensionText", fit.code("BT-19", invoice.accounting_reference, _SHORT))
    put_date(details, "VatPoint/VatPointDate", invoice.tax_point_date)
    details.put("VatPoint/VatPointDateCode", None if invoice.tax_point_date else invoice.tax_point_code)
    for vat in invoice.vat:
        _vat(details.open("VatSpecificationDetails"), vat, invoice.currency, fit)
    _texts(details, invoice, fit)
    for entry in invoice.allowances_charges:
        if not entry.is_charge:
            node = details.open("DiscountDetails")
            node.put("FreeText", fit.text("BT-97", entry.reason, _SHORT_TEXT))
            _adjustment(node, entry, invoice.currency, fit)
    for entry in invoice.allowances_charges:
        if entry.is_charge:
            node = details.open("ChargeDetails")
            node.put("ReasonText", fit.text("BT-104", entry.reason, _SHORT_TEXT))
            _adjustment(node, entry, invoice.currency, fit)
    details.put("TenderReference", fit.code("BT-17", invoice.tender, _REFERENCE))


def _adjustment(node: Node, entry: AllowanceCharge, currency: str | None, fit: Fitting) -> None:
    adjustment(node, entry, currency, fit)
    node.put("VatCategoryCode", entry.vat_category)
    put_percent(node, "VatRatePercent", entry.vat_rate, "BT-96")


def _preceding(details: Node, invoice: Invoice, fit: Fitting) -> None:
    """BG-3: the first in the fields of old, the others below."""
    for number, reference in enumerate(invoice.preceding):
        node = details if number == 0 else details.open("OriginalInvoiceReference")
        start = "OriginalInvoice" if number == 0 else "Invoice"
        node.put(f"{start}Number", fit.code("BT-25", reference.id, _NUMBER))
        put_date(node, f"{start}Date", reference.date)


def _totals(details: Node, totals: Totals, invoice: Invoice, fit: Fitting) -> None:
    for name, term, value in (
        ("RowsTotalVatExcludedAmount", "BT-106", totals.lines),
        ("DiscountsTotalVatExcludedAmount", "BT-107", totals.allowances),
        ("ChargesTotalVatExcludedAmount", "BT-108", totals.charges),
        ("InvoiceTotalVatExcludedAmount", "BT-109", totals.without_vat),
        ("InvoiceTotalVatAmount", "BT-110", totals.vat),
    ):
        put_amount(details, name, value, invoice.currency, term)
    accounting = totals.vat_accounting_currency
    put_amount(details, "InvoiceTotalVatAccountingAmount", accounting, invoice.accounting_currency, "BT-111")
    fit.leave("BT-6 without an amount in it (BT-111)", invoice.accounting_currency if accounting is None else None)
    for name, term, value in (
        ("InvoiceTotalVatIncludedAmount", "BT-112", totals.with_vat),
        ("InvoiceTotalRoundoffAmount", "BT-114", totals.rounding),
        ("InvoicePaidAmount", "BT-113", totals.paid),
    ):
        put_amount(details, name, value, invoice.currency, term)


def _vat(node: Node, vat: VatBreakdown, currency: str | None, fit: Fitting) -> None:
    put_amount(node, "VatBaseAmount", vat.taxable, currency, "BT-116")
    put_percent(node, "VatRatePercent", vat.rate, "BT-119")
    node.put("VatCode", vat.category)
    put_amount(node, "VatRateAmount", vat.amount, currency, "BT-117")
    pieces = wrapped(vat.exemption_reason, _SHORT_TEXT)
    for piece in pieces[:_MOST_REASONS]:
        node.put("VatFreeText", piece)
    fit.leave("so long a reason for no VAT (BT-120)", " ".join(pieces[_MOST_REASONS:]))
    node.put("VatExemptionReasonCode", fit.coded("BT-121", vat.exemption_code, VATEX))


def _texts(details: Node, invoice: Invoice, fit: Fitting) -> None:
    """BG-1 and BT-20; terms that are too long for their field stand among the free texts, and that is named."""
    terms = wrapped(invoice.payment_terms, _SHORT_TEXT)
    for note in invoice.notes:
        fit.leave("the subject of a text (BT-21)", note.subject)
        for piece in [note.text] if len(note.text) <= _TEXT else wrapped(note.text, _TEXT):
            details.put("InvoiceFreeText", piece)
    if len(terms) > _MOST_TERMS:
        fit.lost.append(f"{NAME} holds {_MOST_TERMS} × {_SHORT_TEXT} characters of BT-20; it stands as a free text.")
        for piece in wrapped(invoice.payment_terms, _TEXT):
            details.put("InvoiceFreeText", piece)
        terms = []
    node = details.open("PaymentTermsDetails")
    for piece in terms:
        node.put("PaymentTermsFreeText", piece)
    put_date(node, "InvoiceDueDate", invoice.due_date)


def _cards(root: Node, means: PaymentMeans, fit: Fitting) -> None:
    """BG-18 and BG-19."""
    if means.card and (number := fit.code("BT-87", means.card, 19)):
        card = root.open("PaymentCardInfo")
        card.put("PrimaryAccountNumber", number)
        card.put("CardHolderName", fit.text("BT-88", means.card_holder, _SHORT_TEXT))
    debit = root.open("DirectDebitInfo")
    debit.put("MandateReference", fit.code("BT-89", means.mandate, _SHORT))
    debit.put("CreditorIdentifier", fit.code("BT-90", means.creditor, _SHORT))
    debited = _account(means.debited_account)
    if debited:
        debit.put("DebitedAccountID", debited, IdentificationSchemeName=_scheme(debited))


def _payment_order(epi: Node, invoice: Invoice, fit: Fitting) -> None:
    """The EPI block: who is paid what by when, under which reference."""
    means = next(each for each in invoice.payment if each.account)
    account = fit.needed("BT-84", _account(means.account), 34)
    reference = means.reference or ""
    identification = epi.open("EpiIdentificationDetails")
    put_date(identification, "EpiDate", invoice.issue_date)
    stated = identification.open("EpiReference", keep=True)
    order = _remittance(reference)
    if _TOKEN.fullmatch(reference):
        stated.element.text = reference
    elif not order:
        identification.put("EpiOrderInfo", fit.code("BT-83", reference, _REFERENCE))
    parties = epi.open("EpiPartyDetails")
    bank = parties.open("EpiBfiPartyDetails", keep=True)
    if means.bic and _BIC.fullmatch(means.bic):
        bank.put("EpiBfiIdentifier", means.bic, IdentificationSchemeName="BIC")
    else:
        fit.leave("what is no BIC (BT-86)", means.bic)
    payee = (invoice.payee and invoice.payee.name) or invoice.seller.name
    beneficiary = parties.open("EpiBeneficiaryPartyDetails")
    beneficiary.put("EpiNameAddressDetails", payee if payee and 2 <= len(payee) <= _SHORT else None)
    beneficiary.put("EpiAccountID", account, IdentificationSchemeName=_scheme(account))
    instruction = epi.open("EpiPaymentInstructionDetails")
    if order:
        instruction.put("EpiRemittanceInfoIdentifier", reference, IdentificationSchemeName=order)
    payable = amount(invoice.totals.payable, "BT-115", 2) if invoice.totals.payable is not None else None
    instruction.put("EpiInstructedAmount", payable, AmountCurrencyIdentifier=invoice.currency)
    instruction.put("EpiCharge", _SHARED_COSTS, ChargeOption=_SHARED_COSTS)
    put_date(instruction, "EpiDateOptionDate", invoice.due_date)
    instruction.put("EpiPaymentMeansCode", means.code)
    instruction.put("EpiPaymentMeansText", fit.text("BT-82", means.text, _SHORT_TEXT))
    for other in invoice.payment:
        if other.reference and other.reference != reference:
            fit.leave("a second payment reference (BT-83)", other.reference)
        if other.text != means.text:
            fit.leave("the text of another payment means (BT-82)", other.text)


def _documents(root: Node, invoice: Invoice, fit: Fitting) -> None:
    """BG-24: links only; files travel beside a Finvoice, not inside."""
    linked = [reference for reference in invoice.supporting if reference.uri]
    for reference in linked:
        root.put("InvoiceUrlNameText", fit.text("BT-123", reference.description or reference.id, _TEXT))
        fit.leave("BT-122 beside a description", reference.id if reference.description else None)
    for reference in linked:
        root.put("InvoiceUrlText", fit.code("BT-124", reference.uri, _TEXT))
    for reference in invoice.supporting:
        if not reference.uri or reference.content:
            fit.leave("a document inside (BG-24)", reference.file_name or reference.id)


def _account(account: str | None) -> str | None:
    """Without the blanks that people write into account numbers."""
    return "".join((account or "").split()) or None


def _scheme(account: str) -> str:
    return "IBAN" if _IBAN.fullmatch(account) else "BBAN"


def _remittance(reference: str) -> str | None:
    """The scheme of a reference that banks process: RF by ISO 11649, or the Finnish one."""
    if _CREDITOR_REFERENCE.fullmatch(reference):
        return "ISO"
    return "SPY" if _FINNISH_REFERENCE.fullmatch(reference) else None
