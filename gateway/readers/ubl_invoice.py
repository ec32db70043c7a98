"""A UBL Invoice or CreditNote in the terms of EN 16931-1, by the syntax binding of CEN/TS 16931-3-2."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lxml import etree

from gateway.en16931 import (
    Invoice,
    Note,
    PaymentMeans,
    Reference,
    Totals,
    VatBreakdown,
)
from gateway.readers.ubl_line import allowances_charges_of, lines_of, period_of
from gateway.readers.ubl_party import delivery_of, identifier_of, party_of
from gateway.readers.ubl_paths import UBL
from gateway.readers.xpath import embedded_object

CREDIT_NOTE = "381"  # UNTDID 1001: what a CreditNote without a type code is

_SEPA = "/cac:PartyIdentification/cbc:ID[@schemeID = 'SEPA']"
_BRANCH = "cac:PayeeFinancialAccount/cac:FinancialInstitutionBranch"

MAX_NOTES = 20
# Peppol BIS Billing 3.0 §6.2: the schema wants an order where the seller's own is stated.
_ORDER_NOT_KNOWN = "cbc:ID = 'NA' and cbc:SalesOrderID"
_LINE = "(cac:InvoiceLine | cac:CreditNoteLine)"
_NUMBERS = (
    "cac:LegalMonetaryTotal/*",
    "cac:TaxTotal/cbc:TaxAmount",
    "cac:TaxTotal/cac:TaxSubtotal/*[self::cbc:TaxAmount or self::cbc:TaxableAmount]",
    "cac:AllowanceCharge/cbc:Amount",
    f"{_LINE}/*[self::cbc:InvoicedQuantity or self::cbc:CreditedQuantity or self::cbc:LineExtensionAmount]",
    f"{_LINE}/cac:AllowanceCharge/cbc:Amount",
    f"{_LINE}/cac:Price/cbc:PriceAmount",
)

# Elements that are met and that EN 16931 has no term for; kept by path and value.
_WITHOUT_TERM = (
    "cbc:UUID",
    "cbc:CopyIndicator",
    "cbc:IssueTime",
    "cbc:PricingCurrencyCode",
    "cbc:PaymentCurrencyCode",
    "cac:DeliveryTerms/cbc:ID",
    "cac:DeliveryTerms/cbc:SpecialTerms",
    "cac:PaymentTerms/cbc:SettlementDiscountPercent",
    "cac:PaymentTerms/cbc:PenaltySurchargePercent",
    "cac:TaxExchangeRate/cbc:CalculationRate",
    "ext:UBLExtensions/ext:UBLExtension/ext:ExtensionURI",
)


def invoice_of(root: Any, notes: list[str]) -> Invoice:
    """The content of `root`; what cannot be read as its type is left out, and a sentence about it goes to `notes`."""
    _note_bad_numbers(root, notes)
    currency = UBL.value(root, "cbc:DocumentCurrencyCode")
    accounting_currency = UBL.value(root, "cbc:TaxCurrencyCode")
    deliver_to, delivery_date = delivery_of(root)
    is_credit_note = etree.QName(root).localname == "CreditNote"
    return Invoice(
        number=UBL.value(root, "cbc:ID"),
        issue_date=UBL.date(root, "cbc:IssueDate"),
        type_code=UBL.value(root, "cbc:InvoiceTypeCode | cbc:CreditNoteTypeCode")
        or (CREDIT_NOTE if is_credit_note else None),
        currency=currency,
        accounting_currency=accounting_currency,
        tax_point_date=UBL.date(root, "cbc:TaxPointDate"),
        tax_point_code=UBL.value(root, "cac:InvoicePeriod/cbc:DescriptionCode"),
        due_date=UBL.date(root, "cbc:DueDate") or UBL.date(root, "cac:PaymentMeans/cbc:PaymentDueDate"),
        buyer_reference=UBL.value(root, "cbc:BuyerReference"),
        **_references(root),
        accounting_reference=UBL.value(root, "cbc:AccountingCost"),
        payment_terms=UBL.text(root, "cac:PaymentTerms/cbc:Note"),
        notes=tuple(_note(text) for text in UBL.nodes(root, "cbc:Note") if UBL.text(text, ".")),
        process=UBL.value(root, "cbc:ProfileID"),
        specification=UBL.value(root, "cbc:CustomizationID"),
        seller=party_of(root, "cac:AccountingSupplierParty"),
        buyer=party_of(root, "cac:AccountingCustomerParty"),
        payee=party_of(root, "cac:PayeeParty") if UBL.node(root, "cac:PayeeParty") is not None else None,
        tax_representative=party_of(root, "cac:TaxRepresentativeParty")
        if UBL.node(root, "cac:TaxRepresentativeParty") is not None
        else None,
        deliver_to=deliver_to,
        delivery_date=delivery_date,
        period=period_of(root),
        payment=_payment(root),
        allowances_charges=allowances_charges_of(root),
        totals=_totals(root, accounting_currency if accounting_currency != currency else None),
        vat=tuple(map(_vat, UBL.nodes(root, "cac:TaxTotal/cac:TaxSubtotal"))),
        lines=lines_of(root),
        extensions=tuple((path, value) for path in _WITHOUT_TERM for value in UBL.values(root, path)),
    )


def _references(root: Any) -> dict[str, Any]:
    """BT-11 to BT-18, BG-3 and BG-24."""
    objects = UBL.nodes(root, "cac:AdditionalDocumentReference[cbc:DocumentTypeCode = '130']/cbc:ID")
    projects = "cac:ProjectReference/cbc:ID | cac:AdditionalDocumentReference[cbc:DocumentTypeCode = '50']/cbc:ID"
    supporting = UBL.nodes(root, "cac:AdditionalDocumentReference[not(cbc:DocumentTypeCode = '130')]")
    return {
        "project": UBL.value(root, projects),
        "contract": UBL.value(root, "cac:ContractDocumentReference/cbc:ID"),
        "order": UBL.value(root, f"cac:OrderReference[not({_ORDER_NOT_KNOWN})]/cbc:ID"),
        "sales_order": UBL.value(root, "cac:OrderReference/cbc:SalesOrderID"),
        "receiving_advice": UBL.value(root, "cac:ReceiptDocumentReference/cbc:ID"),
        "despatch_advice": UBL.value(root, "cac:DespatchDocumentReference/cbc:ID"),
        "tender": UBL.value(root, "cac:OriginatorDocumentReference/cbc:ID"),
        "invoiced_object": identifier_of(objects[0]) if objects else None,
        "preceding": tuple(map(_reference, UBL.nodes(root, "cac:BillingReference/cac:InvoiceDocumentReference"))),
        "supporting": tuple(_reference(node) for node in supporting if UBL.value(node, "cbc:DocumentTypeCode") != "50"),
    }


def _reference(node: Any) -> Reference:
    embedded = UBL.node(node, "cac:Attachment/cbc:EmbeddedDocumentBinaryObject")
    return Reference(
        id=UBL.value(node, "cbc:ID") or "",
        date=UBL.date(node, "cbc:IssueDate"),
        description=UBL.text(node, "cbc:DocumentDescription"),
        uri=UBL.value(node, "cac:Attachment/cac:ExternalReference/cbc:URI"),
        **embedded_object(embedded),
    )


def _note(node: Any) -> Note:
    """BG-1; CEN/TS 16931-3-2 writes BT-21 into the text as `#AAI#text`."""
    text = UBL.text(node, ".") or ""
    head, _, rest = text[1:].partition("#")
    if text.startswith("#") and 0 < len(head) <= 3 and rest:
        return Note(text=rest.strip(), subject=head)
    return Note(text=text)


def _payment(root: Any) -> tuple[PaymentMeans, ...]:
    creditor = UBL.value(root, "(cac:PayeeParty | cac:AccountingSupplierParty/cac:Party)" + _SEPA)
    return tuple(
        PaymentMeans(
            code=UBL.value(node, "cbc:PaymentMeansCode"),
            text=UBL.value(node, "cbc:PaymentMeansCode/@name") or UBL.text(node, "cbc:InstructionNote"),
            reference=UBL.value(node, "cbc:PaymentID"),
            account=UBL.value(node, "cac:PayeeFinancialAccount/cbc:ID"),
            account_name=UBL.value(node, "cac:PayeeFinancialAccount/cbc:Name"),
            bic=UBL.value(node, f"{_BRANCH}/cbc:ID | {_BRANCH}/cac:FinancialInstitution/cbc:ID"),
            card=UBL.value(node, "cac:CardAccount/cbc:PrimaryAccountNumberID"),
            card_holder=UBL.value(node, "cac:CardAccount/cbc:HolderName"),
            card_network=UBL.value(node, "cac:CardAccount/cbc:NetworkID"),
            mandate=UBL.value(node, "cac:PaymentMandate/cbc:ID"),
            debited_account=UBL.value(node, "cac:PaymentMandate/cac:PayerFinancialAccount/cbc:ID"),
            creditor=creditor if UBL.node(node, "cac:PaymentMandate") is not None else None,
        )
        for node in UBL.nodes(root, "cac:PaymentMeans")
    )


def _totals(root: Any, accounting_currency: str | None) -> Totals:
    total = UBL.node(root, "cac:LegalMonetaryTotal")
    vat, accounting = _vat_totals(root, accounting_currency)
    if total is None:
        return Totals(vat=vat, vat_accounting_currency=accounting)
    return Totals(
        lines=UBL.decimal(total, "cbc:LineExtensionAmount"),
        allowances=UBL.decimal(total, "cbc:AllowanceTotalAmount"),
        charges=UBL.decimal(total, "cbc:ChargeTotalAmount"),
        without_vat=UBL.decimal(total, "cbc:TaxExclusiveAmount"),
        vat=vat,
        vat_accounting_currency=accounting,
        with_vat=UBL.decimal(total, "cbc:TaxInclusiveAmount"),
        paid=UBL.decimal(total, "cbc:PrepaidAmount"),
        rounding=UBL.decimal(total, "cbc:PayableRoundingAmount"),
        payable=UBL.decimal(total, "cbc:PayableAmount"),
    )


def _vat_totals(root: Any, accounting_currency: str | None) -> tuple[Decimal | None, Decimal | None]:
    """BT-110 and BT-111: the one total in the accounting currency, and the first of the others."""
    vat: Decimal | None = None
    accounting: Decimal | None = None
    for node in UBL.nodes(root, "cac:TaxTotal"):
        amount = UBL.decimal(node, "cbc:TaxAmount")
        if accounting_currency and UBL.value(node, "cbc:TaxAmount/@currencyID") == accounting_currency:
            accounting = amount if accounting is None else accounting
        elif vat is None:
            vat = amount
    return vat, accounting


def _vat(node: Any) -> VatBreakdown:
    return VatBreakdown(
        category=UBL.value(node, "cac:TaxCategory/cbc:ID"),
        rate=UBL.decimal(node, "cac:TaxCategory/cbc:Percent | cbc:Percent"),
        taxable=UBL.decimal(node, "cbc:TaxableAmount"),
        amount=UBL.decimal(node, "cbc:TaxAmount"),
        exemption_reason=UBL.text(node, "cac:TaxCategory/cbc:TaxExemptionReason"),
        exemption_code=UBL.value(node, "cac:TaxCategory/cbc:TaxExemptionReasonCode"),
    )


def _note_bad_numbers(root: Any, notes: list[str]) -> None:
    """A sentence for each amount, price or quantity that is no number, as far as a person would read them."""
    for path in _NUMBERS:
        for node in UBL.nodes(root, path)[:1000]:
            value = UBL.value(node, ".")
            if value and UBL.decimal(node, ".") is None and len(notes) < MAX_NOTES:
                notes.append(f"{etree.QName(node).localname} is {value!r}, which is no number.")
