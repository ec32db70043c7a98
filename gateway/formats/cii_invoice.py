"""An invoice in the terms of EN 16931 as UN/CEFACT CrossIndustryInvoice (D16B), by the binding of CEN/TS 16931-3-3."""

from __future__ import annotations

from gateway.en16931 import Invoice, PaymentMeans, Reference, VatBreakdown
from gateway.formats.cii_line import allowance_charge, put_date, write_lines, write_period
from gateway.formats.cii_party import write_buyer, write_deliver_to, write_payee, write_representative, write_seller
from gateway.formats.demands import Profile, cents
from gateway.formats.ubl_invoice import embeddable
from gateway.formats.xmlout import Node

_UNECE = "urn:un:unece:uncefact:data:standard:"
SPACES = {
    "rsm": f"{_UNECE}CrossIndustryInvoice:100",
    "ram": f"{_UNECE}ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_UNECE}UnqualifiedDataType:100",
    "qdt": f"{_UNECE}QualifiedDataType:100",
}
_TAX_POINTS = {"3": "5", "35": "29", "432": "72"}  # BT-8: UNTDID 2005 as EN 16931 names it, to 2475 as CII does


def written(invoice: Invoice, profile: Profile, lost: list[str]) -> bytes:
    """The bytes; what CII or the profile cannot hold is left out, and a sentence about it goes to `lost`."""
    root = Node.root("rsm:CrossIndustryInvoice", SPACES)
    context = root.open("rsm:ExchangedDocumentContext")
    context.put("ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID", profile.process or invoice.process)
    context.put("ram:GuidelineSpecifiedDocumentContextParameter/ram:ID", profile.specification)
    document = root.open("rsm:ExchangedDocument")
    document.put("ram:ID", invoice.number)
    document.put("ram:TypeCode", invoice.type_code)
    put_date(document, "ram:IssueDateTime/udt:DateTimeString", invoice.issue_date)
    for note in invoice.notes:
        node = document.open("ram:IncludedNote")
        node.put("ram:Content", note.text)
        node.put("ram:SubjectCode", note.subject)
    transaction = root.open("rsm:SupplyChainTradeTransaction")
    write_lines(transaction, invoice, lost)
    _agreement(transaction.open("ram:ApplicableHeaderTradeAgreement"), invoice, lost)
    _delivery(transaction.open("ram:ApplicableHeaderTradeDelivery", keep=True), invoice)
    _settlement(transaction.open("ram:ApplicableHeaderTradeSettlement"), invoice, lost)
    return root.bytes()


def _agreement(agreement: Node, invoice: Invoice, lost: list[str]) -> None:
    agreement.put("ram:BuyerReference", invoice.buyer_reference)
    write_seller(agreement, invoice.seller, lost)
    write_buyer(agreement, invoice.buyer, lost)
    write_representative(agreement, invoice)
    agreement.put("ram:SellerOrderReferencedDocument/ram:IssuerAssignedID", invoice.sales_order)
    agreement.put("ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID", invoice.order)
    agreement.put("ram:ContractReferencedDocument/ram:IssuerAssignedID", invoice.contract)
    for reference in invoice.supporting:
        _supporting(agreement.open("ram:AdditionalReferencedDocument"), reference, lost)
    if invoice.tender:
        tender = agreement.open("ram:AdditionalReferencedDocument")
        tender.put("ram:IssuerAssignedID", invoice.tender)
        tender.put("ram:TypeCode", "50")
    if invoice.invoiced_object:
        thing = agreement.open("ram:AdditionalReferencedDocument")
        thing.put("ram:IssuerAssignedID", invoice.invoiced_object.value)
        thing.put("ram:TypeCode", "130")
        thing.put("ram:ReferenceTypeCode", invoice.invoiced_object.scheme)
    if invoice.project:
        project = agreement.open("ram:SpecifiedProcuringProject")
        project.put("ram:ID", invoice.project)
        project.put("ram:Name", "Project reference")  # the words that CEN/TS 16931-3-3 sets for BT-11


def _supporting(node: Node, reference: Reference, lost: list[str]) -> None:
    """BG-24."""
    node.put("ram:IssuerAssignedID", reference.id or reference.file_name)
    node.put("ram:URIID", reference.uri)
    node.put("ram:TypeCode", "916")
    node.put("ram:Name", reference.description)
    if embeddable(reference, lost):
        name = reference.file_name or reference.id
        node.put("ram:AttachmentBinaryObject", reference.content, mimeCode=reference.media_type, filename=name)


def _delivery(delivery: Node, invoice: Invoice) -> None:
    write_deliver_to(delivery, invoice)
    event = "ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime/udt:DateTimeString"
    put_date(delivery, event, invoice.delivery_date)
    delivery.put("ram:DespatchAdviceReferencedDocument/ram:IssuerAssignedID", invoice.despatch_advice)
    delivery.put("ram:ReceivingAdviceReferencedDocument/ram:IssuerAssignedID", invoice.receiving_advice)


def _settlement(settlement: Node, invoice: Invoice, lost: list[str]) -> None:
    means = invoice.payment
    settlement.put("ram:CreditorReferenceID", _single("BT-90", [each.creditor for each in means], lost))
    settlement.put("ram:PaymentReference", _single("BT-83", [each.reference for each in means], lost))
    settlement.put("ram:TaxCurrencyCode", invoice.accounting_currency)
    settlement.put("ram:InvoiceCurrencyCode", invoice.currency)
    write_payee(settlement, invoice)
    for each in means:
        _means(settlement, each)
    for vat in invoice.vat:
        _vat(settlement, vat, invoice, is_first=vat is invoice.vat[0])
    write_period(settlement, invoice.period)
    for entry in invoice.allowances_charges:
        allowance_charge(settlement, entry)
    terms = settlement.open("ram:SpecifiedTradePaymentTerms")
    terms.put("ram:Description", invoice.payment_terms)
    put_date(terms, "ram:DueDateDateTime/udt:DateTimeString", invoice.due_date)
    terms.put("ram:DirectDebitMandateID", _single("BT-89", [each.mandate for each in means], lost))
    _totals(settlement, invoice)
    for reference in invoice.preceding:
        node = settlement.open("ram:InvoiceReferencedDocument")
        node.put("ram:IssuerAssignedID", reference.id)
        put_date(node, "ram:FormattedIssueDateTime/qdt:DateTimeString", reference.date)
    settlement.put("ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID", invoice.accounting_reference)


def _single(term: str, values: list[str | None], lost: list[str]) -> str | None:
    """The value that all payment means share in CII; others are lost."""
    stated = list(dict.fromkeys(value for value in values if value))
    lost.extend(f"{other} ({term}) has no place beside {stated[0]}." for other in stated[1:])
    return stated[0] if stated else None


def _means(settlement: Node, means: PaymentMeans) -> None:
    if not means.code:
        return
    node = settlement.open("ram:SpecifiedTradeSettlementPaymentMeans")
    node.put("ram:TypeCode", means.code)
    node.put("ram:Information", means.text)
    card = node.open("ram:ApplicableTradeSettlementFinancialCard")
    card.put("ram:ID", means.card)
    card.put("ram:CardholderName", means.card_holder)
    node.put("ram:PayerPartyDebtorFinancialAccount/ram:IBANID", means.debited_account)
    if means.account:
        account = node.open("ram:PayeePartyCreditorFinancialAccount")
        is_iban = means.account[:2].isalpha() and means.account[2:4].isdigit()
        if is_iban:
            account.put("ram:IBANID", means.account)
        account.put("ram:AccountName", means.account_name)
        if not is_iban:
            account.put("ram:ProprietaryID", means.account)
    node.put("ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID", means.bic)


def _vat(settlement: Node, vat: VatBreakdown, invoice: Invoice, *, is_first: bool) -> None:
    """BG-23; BT-7 and BT-8 are the document's and stand in the first (rule CII-SR-461)."""
    node = settlement.open("ram:ApplicableTradeTax")
    node.put("ram:CalculatedAmount", cents(vat.amount))
    node.put("ram:TypeCode", "VAT")
    node.put("ram:ExemptionReason", vat.exemption_reason)
    node.put("ram:BasisAmount", cents(vat.taxable))
    node.put("ram:CategoryCode", vat.category)
    node.put("ram:ExemptionReasonCode", vat.exemption_code)
    if is_first:
        put_date(node, "ram:TaxPointDate/udt:DateString", invoice.tax_point_date)
        code = invoice.tax_point_code
        node.put("ram:DueDateTypeCode", _TAX_POINTS.get(code, code) if code else None)
    node.put("ram:RateApplicablePercent", vat.rate)


def _totals(settlement: Node, invoice: Invoice) -> None:
    totals = invoice.totals
    node = settlement.open("ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    node.put("ram:LineTotalAmount", cents(totals.lines))
    node.put("ram:ChargeTotalAmount", cents(totals.charges))
    node.put("ram:AllowanceTotalAmount", cents(totals.allowances))
    node.put("ram:TaxBasisTotalAmount", cents(totals.without_vat))
    node.put("ram:TaxTotalAmount", cents(totals.vat), currencyID=invoice.currency)
    accounting = cents(totals.vat_accounting_currency)
    node.put("ram:TaxTotalAmount", accounting, currencyID=invoice.accounting_currency)
    node.put("ram:RoundingAmount", cents(totals.rounding))
    node.put("ram:GrandTotalAmount", cents(totals.with_vat))
    node.put("ram:TotalPrepaidAmount", cents(totals.paid))
    node.put("ram:DuePayableAmount", cents(totals.payable))
