"""Where UBL 2.x documents other than invoices have what a page shows; XPaths below the root, per root and per line."""

from __future__ import annotations

import dataclasses

# (label, kind, paths): kind is text, code:SECTION, date, period (a path of a cac:…Period), amount or measure
Places = tuple[tuple[str, str, tuple[str, ...]], ...]

_REFERENCES: Places = (
    ("order", "text", ("cac:OrderReference/cbc:ID",)),
    ("sales_order", "text", ("cbc:SalesOrderID", "cac:OrderReference/cbc:SalesOrderID")),
    ("quotation", "text", ("cac:QuotationDocumentReference/cbc:ID",)),
    ("contract", "text", ("cac:Contract/cbc:ID", "cac:ContractDocumentReference/cbc:ID")),
    ("project", "text", ("cac:ProjectReference/cbc:ID",)),
    ("tender", "text", ("cac:OriginatorDocumentReference/cbc:ID",)),
    ("customer_reference", "text", ("cbc:CustomerReference", "cbc:BuyerReference")),
    ("accounting_reference", "text", ("cbc:AccountingCost", "cbc:AccountingCostCode")),
)
_DELIVERY_TERMS: Places = (
    ("delivery_terms", "text", ("cac:DeliveryTerms/cbc:SpecialTerms", "cac:DeliveryTerms/cbc:ID")),
    ("payment_terms", "text", ("cac:PaymentTerms/cbc:Note",)),
)
_ORDER: Places = (
    ("sequence", "text", ("cbc:SequenceNumberID",)),
    *_REFERENCES,
    ("valid_until", "date", ("cac:ValidityPeriod/cbc:EndDate",)),
    ("requested_delivery", "period", ("cac:Delivery/cac:RequestedDeliveryPeriod", "cac:RequestedDeliveryPeriod")),
    ("reason", "text", ("cbc:CancellationNote",)),
    *_DELIVERY_TERMS,
)
_RESPONSE: Places = (
    ("answer", "code:answer", ("cbc:OrderResponseCode",)),
    ("answer", "code:accepted", ("cbc:AcceptedIndicator",)),
    ("reason", "text", ("cbc:RejectionNote",)),
    *_REFERENCES,
    ("promised_delivery", "period", ("cac:Delivery/cac:PromisedDeliveryPeriod",)),
    *_DELIVERY_TERMS,
)
_SHIPMENT = "cac:Shipment"
_DESPATCH: Places = (
    ("sent_on", "date", (f"{_SHIPMENT}/cac:Delivery/cac:Despatch/cbc:ActualDespatchDate",)),
    ("expected", "period", (f"{_SHIPMENT}/cac:Delivery/cac:EstimatedDeliveryPeriod",)),
    ("received_on", "date", (f"{_SHIPMENT}/cac:Delivery/cbc:ActualDeliveryDate",)),
    *_REFERENCES,
    ("despatch_advice", "text", ("cac:DespatchDocumentReference/cbc:ID",)),
    ("shipment", "text", (f"{_SHIPMENT}/cbc:ID",)),
    ("consignment", "text", (f"{_SHIPMENT}/cac:Consignment/cbc:ID",)),
    ("carrier", "text", (f"{_SHIPMENT}//cac:CarrierParty/cac:PartyName/cbc:Name",)),
    ("packages", "text", (f"{_SHIPMENT}/cbc:TotalTransportHandlingUnitQuantity",)),
    ("gross_weight", "measure", (f"{_SHIPMENT}/cbc:GrossWeightMeasure",)),
    ("gross_volume", "measure", (f"{_SHIPMENT}/cbc:GrossVolumeMeasure",)),
)
_CLAIM: Places = (
    ("due_date", "date", ("cac:PaymentMeans/cbc:PaymentDueDate", "cbc:DueDate")),
    ("reminder_number", "text", ("cbc:ReminderSequenceNumeric",)),
    ("period", "period", ("cac:ReminderPeriod", "cac:StatementPeriod")),
    ("account", "text", ("cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID",)),
    ("bic", "text", ("cac:PaymentMeans/cac:PayeeFinancialAccount/cac:FinancialInstitutionBranch/cbc:ID",)),
    ("payment_reference", "text", ("cac:PaymentMeans/cbc:PaymentID",)),
    *_REFERENCES,
    ("payment_terms", "text", ("cac:PaymentTerms/cbc:Note",)),
)
_OTHER: Places = (
    ("valid", "period", ("cac:ValidityPeriod", "cac:ForecastPeriod")),
    ("version", "text", ("cbc:VersionID",)),
    *_REFERENCES,
    ("answer", "code:answer", ("cac:DocumentResponse/cac:Response/cbc:ResponseCode",)),
    ("effective", "date", ("cac:DocumentResponse/cac:Response/cbc:EffectiveDate",)),
    ("document", "text", ("cac:DocumentResponse/cac:DocumentReference/cbc:ID",)),
    ("document_date", "date", ("cac:DocumentResponse/cac:DocumentReference/cbc:IssueDate",)),
    ("reason", "text", ("cac:DocumentResponse/cac:Response/cbc:Description",)),
)

FACTS: dict[str, Places] = {  # by the local name of the root; any other root has those of `Catalogue`
    "Order": _ORDER,
    "OrderChange": _ORDER,
    "OrderCancellation": _ORDER,
    "OrderResponse": _RESPONSE,
    "OrderResponseSimple": _RESPONSE,
    "DespatchAdvice": _DESPATCH,
    "ReceiptAdvice": _DESPATCH,
    "Reminder": _CLAIM,
    "Statement": _CLAIM,
    "UtilityStatement": _CLAIM,
    "Catalogue": _OTHER,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class LinePlaces:
    """Where the lines of a root stand, and what is in them; the first place that holds a value wins."""

    lines: str
    id: tuple[str, ...] = ("cbc:ID",)
    item: str = "cac:Item"
    status: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    quantity: tuple[str, ...] = ()
    outstanding: tuple[str, ...] = ()
    price: tuple[str, ...] = ("cac:Price/cbc:PriceAmount",)
    debit: tuple[str, ...] = ()
    credit: tuple[str, ...] = ()
    amount: tuple[str, ...] = ()
    notes: tuple[str, ...] = ("cbc:Note",)


_ORDER_LINE = LinePlaces(
    lines="cac:OrderLine/cac:LineItem",
    status=("cbc:LineStatusCode",),
    reference=("../cac:OrderLineReference/cbc:LineID",),
    date=(
        "cac:Delivery/cac:PromisedDeliveryPeriod/cbc:EndDate",
        "cac:Delivery/cac:RequestedDeliveryPeriod/cbc:EndDate",
        "cac:Delivery/cac:RequestedDeliveryPeriod/cbc:StartDate",
    ),
    quantity=("cbc:Quantity",),
    outstanding=("cbc:MaximumBackorderQuantity",),
    amount=("cbc:LineExtensionAmount",),
    notes=("cbc:Note", "../cbc:Note"),
)
_INVOICE_OF_LINE = (
    "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID",
    "cac:BillingReference/cac:CreditNoteDocumentReference/cbc:ID",
    "cac:BillingReference/cac:ReminderDocumentReference/cbc:ID",
)
_CLAIM_LINE = LinePlaces(
    lines="cac:ReminderLine | cac:StatementLine",
    reference=_INVOICE_OF_LINE,
    date=(
        "cac:BillingReference/cac:InvoiceDocumentReference/cbc:IssueDate",
        "cac:BillingReference/cac:CreditNoteDocumentReference/cbc:IssueDate",
    ),
    debit=("cbc:DebitLineAmount",),
    credit=("cbc:CreditLineAmount",),
    amount=("cbc:BalanceAmount", "cbc:Amount"),
    notes=("cbc:Note", "cbc:PaymentPurposeCode"),
)

LINES: dict[str, LinePlaces] = {
    "Order": _ORDER_LINE,
    "OrderChange": _ORDER_LINE,
    "OrderResponse": _ORDER_LINE,
    "DespatchAdvice": LinePlaces(
        lines="cac:DespatchLine",
        status=("cbc:LineStatusCode",),
        reference=("cac:OrderLineReference/cac:OrderReference/cbc:ID", "cac:OrderLineReference/cbc:LineID"),
        quantity=("cbc:DeliveredQuantity",),
        outstanding=("cbc:OutstandingQuantity", "cbc:BackorderQuantity"),
        notes=("cbc:Note", "cbc:OutstandingReason", "cbc:BackorderReason"),
    ),
    "ReceiptAdvice": LinePlaces(
        lines="cac:ReceiptLine",
        reference=("cac:DespatchLineReference/cbc:LineID", "cac:OrderLineReference/cbc:LineID"),
        date=("cbc:ReceivedDate",),
        quantity=("cbc:ReceivedQuantity",),
        outstanding=("cbc:ShortQuantity", "cbc:RejectedQuantity"),
        notes=("cbc:Note", "cbc:RejectReason", "cbc:ShortageActionCode"),
    ),
    "Reminder": _CLAIM_LINE,
    "Statement": _CLAIM_LINE,
    "Catalogue": LinePlaces(
        lines="cac:CatalogueLine",
        status=("cbc:ActionCode",),
        date=("cac:LineValidityPeriod/cbc:EndDate",),
        quantity=("cbc:MinimumOrderQuantity", "cbc:ContentUnitQuantity"),
        price=("cac:RequiredItemLocationQuantity/cac:Price/cbc:PriceAmount",),
    ),
    "Forecast": LinePlaces(
        lines="cac:ForecastLine",
        item="cac:SalesItem/cac:Item",
        date=("cac:ForecastPeriod/cbc:EndDate",),
        quantity=("cac:SalesItem/cbc:Quantity",),
    ),
    "ApplicationResponse": LinePlaces(
        lines="cac:DocumentResponse/cac:LineResponse | cac:DocumentResponse/cac:Response/cac:Status",
        id=("cac:LineReference/cbc:LineID", "cbc:StatusReasonCode"),
        status=("cac:Response/cbc:ResponseCode",),
        notes=("cac:Response/cbc:Description", "cbc:StatusReason", "cac:Condition/cbc:Description"),
    ),
}

SUMS = (  # (label, path, whether it is what is asked for)
    ("lines", "{total}/cbc:LineExtensionAmount", False),
    ("allowances", "{total}/cbc:AllowanceTotalAmount", False),
    ("charges", "{total}/cbc:ChargeTotalAmount", False),
    ("without_vat", "{total}/cbc:TaxExclusiveAmount", False),
    ("vat", "cac:TaxTotal/cbc:TaxAmount", False),
    ("with_vat", "{total}/cbc:TaxInclusiveAmount", False),
    ("paid", "{total}/cbc:PrepaidAmount", False),
    ("rounding", "{total}/cbc:PayableRoundingAmount", False),
    ("debits", "cbc:TotalDebitAmount", False),
    ("credits", "cbc:TotalCreditAmount", False),
    ("payable", "{total}/cbc:PayableAmount", True),
    ("balance", "cbc:TotalBalanceAmount", True),
)
TOTAL = "(cac:LegalMonetaryTotal | cac:AnticipatedMonetaryTotal)"

OTHERS = (  # (label, path): parties beside sender and addressee
    ("buyer", "cac:BuyerCustomerParty"),
    ("seller", "cac:SellerSupplierParty"),
    ("originator", "cac:OriginatorCustomerParty"),
    ("invoicee", "cac:AccountingCustomerParty"),
    ("supplier", "cac:AccountingSupplierParty"),
    ("deliver_to", "cac:DeliveryCustomerParty"),
    ("deliver_to", "cac:Delivery/cac:DeliveryParty"),
    ("sent_by", "cac:DespatchSupplierParty"),
    ("payee", "cac:PayeeParty"),
    ("contractor", "cac:ContractorCustomerParty"),
    ("issuer", "cac:DocumentResponse/cac:IssuerParty"),
)
