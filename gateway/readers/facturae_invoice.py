"""A Facturae in the terms of EN 16931-1."""

from __future__ import annotations

from typing import Any

from gateway.en16931 import Invoice, Line, Note, PaymentMeans, Reference, Totals, VatBreakdown
from gateway.readers.facturae_codes import EVENTS, TAXES, category_of, means_of
from gateway.readers.facturae_line import allowances_charges_of, event_of, lines_of, period_of
from gateway.readers.facturae_party import FACTURAE, buyer_of, seller_of
from gateway.readers.xpath import embedded_object

INVOICE_PATH = "Invoices/Invoice"
_SELF_BILLED = "AF"  # InvoiceDocumentType: autofactura
_CORRECTIVE = ("OR", "CR")  # InvoiceClass: original and copy
_TOTALS = f"{INVOICE_PATH}/InvoiceTotals"

# Elements that are met and that EN 16931 has no term for; kept by path and value.
_WITHOUT_TERM = (
    f"{INVOICE_PATH}/InvoiceHeader/InvoiceClass",
    f"{INVOICE_PATH}/InvoiceHeader/Corrective/ReasonDescription",
    f"{INVOICE_PATH}/InvoiceHeader/Corrective/CorrectionMethodDescription",
    f"{INVOICE_PATH}/InvoiceIssueData/ExchangeRateDetails/ExchangeRate",
    f"{INVOICE_PATH}/TaxesWithheld/Tax/TaxTypeCode",
    f"{INVOICE_PATH}/TaxesWithheld/Tax/TaxAmount/TotalAmount",
    f"{INVOICE_PATH}/TaxesOutputs/Tax/EquivalenceSurchargeAmount/TotalAmount",
    f"{_TOTALS}/TotalOutstandingAmount",
    f"{_TOTALS}/TotalFinancialExpenses",
    f"{_TOTALS}/AmountsWithheld/WithholdingAmount",
    "Parties/BuyerParty/AdministrativeCentres/AdministrativeCentre/CentreCode",
    "FileHeader/ThirdParty/TaxIdentification/TaxIdentificationNumber",
    f"{INVOICE_PATH}/PaymentDetails/Installment[position() > 1]/InstallmentDueDate",
)


def number_of(root: Any) -> str | None:
    """BT-1: series and number are one number (Reglamento de facturación, art. 6)."""
    header = f"{INVOICE_PATH}/InvoiceHeader"
    return _joined(root, f"{header}/InvoiceSeriesCode", f"{header}/InvoiceNumber")


def type_code_of(root: Any) -> str:
    """BT-3: self-billed, corrective, or an invoice."""
    if FACTURAE.value(root, f"{INVOICE_PATH}/InvoiceHeader/InvoiceDocumentType") == _SELF_BILLED:
        return "389"
    return "384" if FACTURAE.value(root, f"{INVOICE_PATH}/InvoiceHeader/InvoiceClass") in _CORRECTIVE else "380"


def invoice_of(root: Any, notes: list[str]) -> Invoice:
    """The content of `root`; what EN 16931 has no place for is noted."""
    node = FACTURAE.node(root, INVOICE_PATH)
    if node is None:
        return Invoice(seller=seller_of(root), buyer=buyer_of(root))
    issue = "InvoiceIssueData"
    currency, other = (FACTURAE.value(node, f"{issue}/{name}") for name in ("InvoiceCurrencyCode", "TaxCurrencyCode"))
    _note_what_is_left(node, notes)
    lines = lines_of(node, notes)
    return Invoice(
        number=number_of(root),
        issue_date=FACTURAE.date(node, f"{issue}/IssueDate"),
        type_code=type_code_of(root),
        currency=currency,
        accounting_currency=other if other != currency else None,
        tax_point_date=FACTURAE.date(node, f"{issue}/OperationDate"),
        due_date=FACTURAE.date(node, "PaymentDetails/Installment/InstallmentDueDate"),
        contract=FACTURAE.value(node, f"{issue}/ReceiverContractReference"),
        order=FACTURAE.value(node, f"{issue}/ReceiverTransactionReference"),
        tender=FACTURAE.value(node, f"{issue}/FileReference"),
        despatch_advice=FACTURAE.value(
            node, "Items/InvoiceLine/DeliveryNotesReferences/DeliveryNote/DeliveryNoteNumber"
        ),
        notes=_notes(node),
        preceding=_preceding(node),
        seller=seller_of(root),
        buyer=buyer_of(root),
        period=period_of(FACTURAE.node(node, f"{issue}/InvoicingPeriod")),
        payment=_payment(node),
        allowances_charges=allowances_charges_of(
            node, "InvoiceTotals/GeneralDiscounts/Discount", "InvoiceTotals/GeneralSurcharges/Charge"
        ),
        totals=_totals(node),
        vat=_vat(node, lines),
        supporting=_supporting(node),
        lines=lines,
        extensions=tuple((path, value) for path in _WITHOUT_TERM for value in FACTURAE.values(root, path)),
    )


def _joined(node: Any, *paths: str) -> str | None:
    return "".join(value for path in paths if (value := FACTURAE.value(node, path))) or None


def _note_what_is_left(node: Any, notes: list[str]) -> None:
    if FACTURAE.nodes(node, "TaxesWithheld/Tax"):
        notes.append("Part of the tax is withheld (TaxesWithheld); EN 16931 has no place for it.")
    if FACTURAE.nodes(node, "TaxesOutputs/Tax/EquivalenceSurchargeAmount"):
        notes.append("An equivalence surcharge is charged beside the tax; EN 16931 has no place for it.")
    if len(FACTURAE.nodes(node, "PaymentDetails/Installment")) > 1:
        notes.append("Of several due dates the first counts.")


def _notes(node: Any) -> tuple[Note, ...]:
    paths = ("InvoiceIssueData/InvoiceDescription", "AdditionalData/InvoiceAdditionalInformation")
    texts = [FACTURAE.text(node, path) for path in paths]
    texts += [FACTURAE.text(each, ".") for each in FACTURAE.nodes(node, "LegalLiterals/LegalReference")]
    return tuple(Note(text=text) for text in texts if text)


def _preceding(node: Any) -> tuple[Reference, ...]:
    """BG-3: the invoice that a corrective one corrects."""
    corrective = "InvoiceHeader/Corrective"
    number = _joined(node, f"{corrective}/InvoiceSeriesCode", f"{corrective}/InvoiceNumber")
    date = FACTURAE.date(node, f"{corrective}/InvoiceIssueDate")
    return (Reference(id=number, date=date),) if number else ()


def _payment(node: Any) -> tuple[PaymentMeans, ...]:
    """BG-16: one for each instalment that says how it is paid; the same ones once."""
    account = "AccountToBeCredited"
    means = (
        PaymentMeans(
            code=means_of(FACTURAE.value(each, "PaymentMeans")),
            text=FACTURAE.text(each, "CollectionAdditionalInformation"),
            reference=FACTURAE.value(each, "PaymentReconciliationReference"),
            account=FACTURAE.value(each, f"{account}/IBAN") or FACTURAE.value(each, f"{account}/AccountNumber"),
            bic=FACTURAE.value(each, f"{account}/BIC"),
            debited_account=FACTURAE.value(each, "AccountToBeDebited/IBAN | AccountToBeDebited/AccountNumber"),
        )
        for each in FACTURAE.nodes(node, "PaymentDetails/Installment")
    )
    return tuple(dict.fromkeys(means))


def _totals(node: Any) -> Totals:
    """BG-22."""
    stated = {
        "lines": "TotalGrossAmount",
        "allowances": "TotalGeneralDiscounts",
        "charges": "TotalGeneralSurcharges",
        "without_vat": "TotalGrossAmountBeforeTaxes",
        "vat": "TotalTaxOutputs",
        "with_vat": "InvoiceTotal",
        "paid": "TotalPaymentsOnAccount",
        "payable": "TotalExecutableAmount",
    }
    return Totals(**{field: FACTURAE.decimal(node, f"InvoiceTotals/{name}") for field, name in stated.items()})


def _vat(node: Any, lines: tuple[Line, ...]) -> tuple[VatBreakdown, ...]:
    """BG-23. Why there is no tax stands at the lines: it is the breakdown's where all lines without a rate agree."""
    events = {event_of(line) for line in FACTURAE.nodes(node, "Items/InvoiceLine") if event_of(line)}
    event = events.pop() if len(events) == 1 and all(line.vat_rate or line.vat_category for line in lines) else None
    reason = FACTURAE.text(node, "Items/InvoiceLine/SpecialTaxableEvent/SpecialTaxableEventReason")
    found = []
    for tax in FACTURAE.nodes(node, "TaxesOutputs/Tax"):
        kind, rate = FACTURAE.value(tax, "TaxTypeCode"), FACTURAE.decimal(tax, "TaxRate")
        category = category_of(kind, rate, event) if kind in TAXES else None
        found.append(
            VatBreakdown(
                category=category,
                rate=rate,
                taxable=FACTURAE.decimal(tax, "TaxableBase/TotalAmount"),
                amount=FACTURAE.decimal(tax, "TaxAmount/TotalAmount"),
                exemption_reason=reason if category in EVENTS.values() else None,
            )
        )
    return tuple(found)


def _supporting(node: Any) -> tuple[Reference, ...]:
    """BG-24: attachments, which have no names."""
    found = []
    for place, each in enumerate(FACTURAE.nodes(node, "AdditionalData/RelatedDocuments/Attachment"), 1):
        form = (FACTURAE.value(each, "AttachmentFormat") or "bin").lower()
        name = f"attachment-{place}.{form}"
        embedded = embedded_object(FACTURAE.node(each, "AttachmentData"))
        kinds = {"pdf": "application/pdf", "xml": "application/xml"}
        embedded |= {"file_name": name, "media_type": kinds.get(form)}
        found.append(Reference(id=name, description=FACTURAE.text(each, "AttachmentDescription"), **embedded))
    return tuple(found)
