"""A Cross Industry Invoice in the terms of EN 16931-1, by the syntax binding of CEN/TS 16931-3-3."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lxml import etree

from gateway.en16931 import Invoice, Note, Party, PaymentMeans, Reference, Totals, VatBreakdown
from gateway.readers.cii_line import allowances_charges_of, lines_of, period_of
from gateway.readers.cii_party import identifier_of, party_of
from gateway.readers.cii_paths import Dialect
from gateway.readers.xpath import embedded_object

MAX_NOTES = 20
_NUMBERS = "//ram:*[contains(local-name(), 'Amount') or contains(local-name(), 'Quantity')][not(*)]"
_ID = "*[self::ram:IssuerAssignedID or self::ram:ID]"  # ZUGFeRD 1.0 says ID
_TENDER, _OBJECT = "50", "130"  # UNTDID 1001 as EN 16931-3-3 uses it for BT-17 and BT-18

_TAX_POINTS = {"5": "3", "29": "35", "72": "432"}  # UNTDID 2475 to 2005: invoice date, delivery date, date of payment

# Elements that are met and that EN 16931 has no term for; kept by path and value.
_WITHOUT_TERM = (
    "{document}/ram:Name",
    "{document}/ram:LanguageID",
    "{agreement}/ram:ApplicableTradeDeliveryTerms/ram:DeliveryTypeCode",
    "{delivery}/ram:DeliveryNoteReferencedDocument/ram:IssuerAssignedID",
    "{settlement}/ram:SpecifiedTradePaymentTerms/ram:ApplicableTradePaymentDiscountTerms/ram:CalculationPercent",
    "{settlement}/ram:InvoiceeTradeParty/ram:Name",
)


def invoice_of(dialect: Dialect, root: Any, notes: list[str]) -> Invoice:
    """The content of `root`; what cannot be read as its type is left out, and a sentence about it goes to `notes`."""
    _note_bad_numbers(dialect, root, notes)
    xpath, document, agreement = dialect.xpath, dialect.document, dialect.agreement
    settlement, delivery = dialect.settlement, dialect.delivery
    paid = xpath.node(root, settlement)
    return Invoice(
        number=xpath.value(root, f"{document}/ram:ID"),
        issue_date=dialect.date(root, f"{document}/ram:IssueDateTime"),
        type_code=xpath.value(root, f"{document}/ram:TypeCode"),
        currency=xpath.value(root, f"{settlement}/ram:InvoiceCurrencyCode"),
        accounting_currency=xpath.value(root, f"{settlement}/ram:TaxCurrencyCode"),
        tax_point_date=dialect.date(root, f"{settlement}/ram:ApplicableTradeTax/ram:TaxPointDate"),
        tax_point_code=_tax_point_code(xpath.value(root, f"{settlement}/ram:ApplicableTradeTax/ram:DueDateTypeCode")),
        due_date=dialect.date(root, f"{settlement}/ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime"),
        **_references(dialect, root),
        accounting_reference=xpath.value(root, f"{settlement}/ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID"),
        payment_terms=xpath.text(root, f"{settlement}/ram:SpecifiedTradePaymentTerms/ram:Description"),
        notes=tuple(
            Note(text=text, subject=(xpath.value(node, "ram:SubjectCode") or "").strip("#") or None)  # #AAI# as in UBL
            for node in xpath.nodes(root, f"{document}/ram:IncludedNote")
            if (text := xpath.text(node, "ram:Content"))
        ),
        process=xpath.value(root, f"{dialect.context}/ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID"),
        specification=xpath.value(root, f"{dialect.context}/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"),
        seller=party_of(dialect, root, f"{agreement}/ram:SellerTradeParty") or Party(),
        buyer=party_of(dialect, root, f"{agreement}/ram:BuyerTradeParty") or Party(),
        payee=party_of(dialect, root, f"{settlement}/ram:PayeeTradeParty"),
        tax_representative=party_of(dialect, root, f"{agreement}/ram:SellerTaxRepresentativeTradeParty"),
        deliver_to=party_of(dialect, root, f"{delivery}/ram:ShipToTradeParty"),
        delivery_date=dialect.date(root, f"{delivery}/ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime"),
        period=period_of(dialect, paid),
        payment=_payment(dialect, root),
        allowances_charges=allowances_charges_of(dialect, paid),
        totals=_totals(dialect, root),
        vat=tuple(_vat(dialect, node) for node in xpath.nodes(root, f"{settlement}/ram:ApplicableTradeTax")),
        lines=lines_of(dialect, root, notes),
        extensions=_extensions(dialect, root),
    )


def _tax_point_code(code: str | None) -> str | None:
    """BT-8 in the codes of UNTDID 2005, which EN 16931 names; CII uses those of UNTDID 2475."""
    return _TAX_POINTS.get(code, code) if code else None


def _extensions(dialect: Dialect, root: Any) -> tuple[tuple[str, str], ...]:
    places = {"document": dialect.document, "agreement": dialect.agreement}
    places |= {"delivery": dialect.delivery, "settlement": dialect.settlement}
    paths = [path.format(**places) for path in _WITHOUT_TERM]
    return tuple((path, value) for path in paths for value in dialect.xpath.values(root, path))


def _references(dialect: Dialect, root: Any) -> dict[str, Any]:
    """BT-10 to BT-18, BG-3 and BG-24."""
    xpath, agreement, delivery = dialect.xpath, dialect.agreement, dialect.delivery
    additional = f"{agreement}/ram:AdditionalReferencedDocument"
    objects = xpath.nodes(root, f"{additional}[ram:TypeCode = '{_OBJECT}']/{_ID}")
    supporting = xpath.nodes(root, f"{additional}[not(ram:TypeCode = '{_OBJECT}' or ram:TypeCode = '{_TENDER}')]")
    preceding = xpath.nodes(root, f"{dialect.settlement}/ram:InvoiceReferencedDocument")
    return {
        "buyer_reference": xpath.value(root, f"{agreement}/ram:BuyerReference"),
        "project": xpath.value(root, f"{agreement}/ram:SpecifiedProcuringProject/ram:ID"),
        "contract": xpath.value(root, f"{agreement}/ram:ContractReferencedDocument/{_ID}"),
        "order": xpath.value(root, f"{agreement}/ram:BuyerOrderReferencedDocument/{_ID}"),
        "sales_order": xpath.value(root, f"{agreement}/ram:SellerOrderReferencedDocument/{_ID}"),
        "receiving_advice": xpath.value(root, f"{delivery}/ram:ReceivingAdviceReferencedDocument/{_ID}"),
        "despatch_advice": xpath.value(root, f"{delivery}/ram:DespatchAdviceReferencedDocument/{_ID}"),
        "tender": xpath.value(root, f"{additional}[ram:TypeCode = '{_TENDER}']/{_ID}"),
        "invoiced_object": identifier_of(objects[0], xpath.value(objects[0], "../ram:ReferenceTypeCode"))
        if objects
        else None,
        "preceding": tuple(_reference(dialect, node) for node in preceding),
        "supporting": tuple(_reference(dialect, node) for node in supporting),
    }


def _reference(dialect: Dialect, node: Any) -> Reference:
    xpath = dialect.xpath
    embedded = xpath.node(node, "ram:AttachmentBinaryObject")
    return Reference(
        id=xpath.value(node, _ID) or "",
        date=dialect.date(node, "ram:FormattedIssueDateTime") or dialect.date(node, "ram:IssueDateTime"),
        description=xpath.text(node, "ram:Name"),
        uri=xpath.value(node, "ram:URIID"),
        **embedded_object(embedded),
    )


def _payment(dialect: Dialect, root: Any) -> tuple[PaymentMeans, ...]:
    xpath, settlement = dialect.xpath, dialect.settlement
    reference = xpath.value(root, f"{settlement}/ram:PaymentReference")
    mandate = xpath.value(root, f"{settlement}/ram:SpecifiedTradePaymentTerms/ram:DirectDebitMandateID")
    creditor = xpath.value(root, f"{settlement}/ram:CreditorReferenceID")
    account = "ram:PayeePartyCreditorFinancialAccount"
    means = tuple(
        PaymentMeans(
            code=xpath.value(node, "ram:TypeCode"),
            text=xpath.text(node, "ram:Information"),
            reference=reference,
            account=xpath.value(node, f"{account}/ram:IBANID") or xpath.value(node, f"{account}/ram:ProprietaryID"),
            account_name=xpath.value(node, f"{account}/ram:AccountName"),
            bic=xpath.value(node, "ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID"),
            card=xpath.value(node, "ram:ApplicableTradeSettlementFinancialCard/ram:ID"),
            card_holder=xpath.value(node, "ram:ApplicableTradeSettlementFinancialCard/ram:CardholderName"),
            mandate=mandate,
            creditor=creditor,
            debited_account=xpath.value(node, "ram:PayerPartyDebtorFinancialAccount/ram:IBANID"),
        )
        for node in xpath.nodes(root, f"{settlement}/ram:SpecifiedTradeSettlementPaymentMeans")
    )
    if not means and (reference or mandate or creditor):
        return (PaymentMeans(reference=reference, mandate=mandate, creditor=creditor),)
    return means


def _totals(dialect: Dialect, root: Any) -> Totals:
    xpath = dialect.xpath
    total = xpath.node(root, f"{dialect.settlement}/{dialect.summation}")
    if total is None:
        return Totals()
    vat, accounting = _vat_totals(dialect, root, total)
    return Totals(
        lines=xpath.decimal(total, "ram:LineTotalAmount"),
        allowances=xpath.decimal(total, "ram:AllowanceTotalAmount"),
        charges=xpath.decimal(total, "ram:ChargeTotalAmount"),
        without_vat=xpath.decimal(total, "ram:TaxBasisTotalAmount"),
        vat=vat,
        vat_accounting_currency=accounting,
        with_vat=xpath.decimal(total, "ram:GrandTotalAmount"),
        paid=xpath.decimal(total, "ram:TotalPrepaidAmount"),
        rounding=xpath.decimal(total, "ram:RoundingAmount"),
        payable=xpath.decimal(total, "ram:DuePayableAmount"),
    )


def _vat_totals(dialect: Dialect, root: Any, total: Any) -> tuple[Decimal | None, Decimal | None]:
    """BT-110 and BT-111: the total in the accounting currency, and the first of the others."""
    xpath, settlement = dialect.xpath, dialect.settlement
    currency = xpath.value(root, f"{settlement}/ram:InvoiceCurrencyCode")
    accounting_currency = xpath.value(root, f"{settlement}/ram:TaxCurrencyCode")
    vat: Decimal | None = None
    accounting: Decimal | None = None
    for node in xpath.nodes(total, "ram:TaxTotalAmount"):
        stated = node.get("currencyID")
        if accounting_currency and accounting_currency != currency and stated == accounting_currency:
            accounting = xpath.decimal(node, ".") if accounting is None else accounting
        elif vat is None:
            vat = xpath.decimal(node, ".")
    return vat, accounting


def _vat(dialect: Dialect, node: Any) -> VatBreakdown:
    xpath = dialect.xpath
    return VatBreakdown(
        category=xpath.value(node, "ram:CategoryCode"),
        rate=xpath.decimal(node, "ram:RateApplicablePercent | ram:ApplicablePercent"),
        taxable=xpath.decimal(node, "ram:BasisAmount"),
        amount=xpath.decimal(node, "ram:CalculatedAmount"),
        exemption_reason=xpath.text(node, "ram:ExemptionReason"),
        exemption_code=xpath.value(node, "ram:ExemptionReasonCode"),
    )


def _note_bad_numbers(dialect: Dialect, root: Any, notes: list[str]) -> None:
    """A sentence for each amount or quantity that is no number, as far as a person would read them."""
    for node in dialect.xpath.nodes(root, _NUMBERS)[:10_000]:
        value = dialect.xpath.value(node, ".")
        if value and dialect.xpath.decimal(node, ".") is None and len(notes) < MAX_NOTES:
            notes.append(f"{etree.QName(node).localname} is {value!r}, which is no number.")
