"""A Finvoice in the terms of EN 16931-1, by the element descriptions of the Finvoice 3.0 implementation guidelines.

Versions before 3.0 lack some of the elements; what they do not say stays empty, but for what they define otherwise.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lxml import etree

from gateway import doctypes
from gateway.en16931 import (
    AllowanceCharge,
    Invoice,
    Note,
    PaymentMeans,
    Period,
    Reference,
    Totals,
    VatBreakdown,
    negated,
)
from gateway.readers.finvoice_line import is_text_row, lines_of, rows_of, text_of
from gateway.readers.finvoice_party import any_party_of, identifier_of, party_of, with_endpoints
from gateway.readers.finvoice_paths import FINVOICE, TYPES
from gateway.readers.stated import sum_of, vat_category_of

MAX_NOTES = 20
_CREDIT_TRANSFER = "30"  # UNTDID 4461; EPI is the electronic payment initiation of the banks, a credit transfer
_DETAILS = "InvoiceDetails"
_NUMBERS = "//*[contains(local-name(), 'Amount') or contains(local-name(), 'Quantity')][not(*)]"

# Elements that are met and that EN 16931 has no term for; kept by path and value.
_WITHOUT_TERM = (
    f"{_DETAILS}/OriginCode",
    f"{_DETAILS}/InvoiceClassification/ClassificationCode",
    f"{_DETAILS}/SellerReferenceIdentifier",
    f"{_DETAILS}/OrderDate",
    f"{_DETAILS}/OrdererName",
    f"{_DETAILS}/SalesPersonName",
    f"{_DETAILS}/NotificationIdentifier",
    f"{_DETAILS}/SellerAccountText",
    f"{_DETAILS}/ExchangeRate",
    f"{_DETAILS}/PaymentTermsDetails/CashDiscountDate",
    f"{_DETAILS}/PaymentTermsDetails/CashDiscountPercent",
    f"{_DETAILS}/PaymentTermsDetails/CashDiscountAmount",
    f"{_DETAILS}/PaymentTermsDetails/PaymentOverDueFineDetails/PaymentOverDueFinePercent",
    "InvoiceRecipientPartyDetails/InvoiceRecipientOrganisationName",
    "DeliveryDetails/WaybillIdentifier",
    "DeliveryDetails/DeliveryTermsText",
    "FactoringAgreementDetails/FactoringAgreementIdentifier",
    "VirtualBankBarcode",
)


def type_code_of(root: Any) -> str | None:
    """BT-3: UNTDID 1001 where it is stated (3.0), else what the SPY code means."""
    stated = FINVOICE.value(root, f"{_DETAILS}/InvoiceTypeCodeUN")
    return stated or TYPES.get(FINVOICE.value(root, f"{_DETAILS}/InvoiceTypeCode") or "")


def invoice_of(root: Any, notes: list[str]) -> Invoice:
    """The content of `root`; what cannot be read as its type is left out, and a sentence about it goes to `notes`."""
    _note_bad_numbers(root, notes)
    details = FINVOICE.node(root, _DETAILS)
    details = root if details is None else details
    code = type_code_of(root)
    is_credit = doctypes.invoice_subtype(code or "") == "credit_note"
    lines = lines_of(root, notes)
    buyer = party_of(root, "Buyer")
    accounting = "InvoiceTotalVatAccountingAmount"
    invoice = Invoice(
        number=FINVOICE.value(details, "InvoiceNumber"),
        issue_date=FINVOICE.date(details, "InvoiceDate"),
        type_code=code,
        currency=FINVOICE.value(details, "InvoiceTotalVatIncludedAmount/@AmountCurrencyIdentifier"),
        accounting_currency=FINVOICE.value(details, f"{accounting}/@AmountCurrencyIdentifier"),
        tax_point_date=FINVOICE.date(details, "VatPoint/VatPointDate"),
        tax_point_code=FINVOICE.value(details, "VatPoint/VatPointDateCode"),
        due_date=FINVOICE.date(details, "PaymentTermsDetails/InvoiceDueDate")
        or FINVOICE.date(root, "EpiDetails/EpiPaymentInstructionDetails/EpiDateOptionDate"),
        **_references(root, details),
        payment_terms=text_of(details, "PaymentTermsDetails/PaymentTermsFreeText", " "),
        notes=_notes(root, details),
        specification=FINVOICE.value(root, "MessageTransmissionDetails/MessageDetails/SpecificationIdentifier"),
        **with_endpoints(root, seller=party_of(root, "Seller"), buyer=buyer),
        payee=any_party_of(root, "PE"),
        tax_representative=any_party_of(root, "LC"),
        deliver_to=party_of(root, "Delivery") if FINVOICE.nodes(root, "DeliveryPartyDetails") else None,
        delivery_date=FINVOICE.date(root, "DeliveryDetails/DeliveryDate"),
        period=_period(root, details),
        payment=_payment(root),
        allowances_charges=_allowances_charges(details),
        totals=_totals(root, details, [line.amount for line in lines], is_credit, notes),
        vat=tuple(_vat(node, notes) for node in FINVOICE.nodes(details, "VatSpecificationDetails")),
        lines=lines,
        extensions=tuple((path, value) for path in _WITHOUT_TERM for value in FINVOICE.values(root, path)),
    )
    return _positive(invoice, notes) if is_credit else invoice


def _positive(invoice: Invoice, notes: list[str]) -> Invoice:
    """Finvoice writes what a credit note gives back with a minus sign (guidelines §10.5), EN 16931 without."""
    total = invoice.totals.with_vat
    if total is None or total >= 0:
        return invoice
    notes.append("The amounts of this credit note are written with a minus sign, and are read without.")
    return negated(invoice)


def _references(root: Any, details: Any) -> dict[str, Any]:
    """BT-10 to BT-19, BG-3 and BG-24."""
    originals = FINVOICE.nodes(details, "OriginalInvoiceReference")
    preceding = [(details, "OriginalInvoiceNumber", "OriginalInvoiceDate")]
    preceding += [(node, "InvoiceNumber", "InvoiceDate") for node in originals]
    names = FINVOICE.nodes(root, "InvoiceUrlNameText")
    urls = FINVOICE.values(root, "InvoiceUrlText")
    described = [FINVOICE.text(node, ".") for node in names] + [None] * len(urls)
    return {
        "buyer_reference": FINVOICE.value(details, "BuyerReferenceIdentifier"),
        "project": FINVOICE.value(details, "ProjectReferenceIdentifier"),
        "contract": FINVOICE.value(details, "AgreementIdentifier"),
        "order": FINVOICE.value(details, "OrderIdentifier"),
        "sales_order": FINVOICE.value(details, "OrderConfirmationIdentifier"),
        "despatch_advice": FINVOICE.value(root, "DeliveryDetails/DeliveryNoteIdentifier"),
        "tender": FINVOICE.value(details, "TenderReference"),
        "invoiced_object": identifier_of(details, "InvoicedObjectID"),
        "accounting_reference": FINVOICE.value(details, "AccountDimensionText | ProposedAccountText"),
        "preceding": tuple(
            Reference(id=number, date=FINVOICE.date(node, date))
            for node, path, date in preceding
            if (number := FINVOICE.value(node, path))
        ),
        "supporting": tuple(
            Reference(id=name or url, description=name, uri=url) for name, url in zip(described, urls, strict=False)
        ),
    }


def _notes(root: Any, details: Any) -> tuple[Note, ...]:
    """BG-1: free texts, and rows that are text only."""
    texts = [FINVOICE.text(node, ".") for node in FINVOICE.nodes(details, "InvoiceFreeText | InvoiceVatFreeText")]
    texts += [text_of(row, f"{prefix}RowFreeText", "\n") for row, prefix in rows_of(root) if is_text_row(row, prefix)]
    texts += [FINVOICE.text(node, ".") for node in FINVOICE.nodes(root, "SpecificationDetails/SpecificationFreeText")]
    return tuple(Note(text=text) for text in texts if text)


def _period(root: Any, details: Any) -> Period | None:
    """BG-14; before 3.0 the period of delivery was the only one."""
    delivery = "DeliveryDetails/DeliveryPeriodDetails"
    start = FINVOICE.date(details, "InvoicingPeriodStartDate") or FINVOICE.date(root, f"{delivery}/StartDate")
    end = FINVOICE.date(details, "InvoicingPeriodEndDate") or FINVOICE.date(root, f"{delivery}/EndDate")
    return Period(start=start, end=end) if start or end else None


def _payment(root: Any) -> tuple[PaymentMeans, ...]:
    """BG-16 to BG-19: the account of the payment order first, then the seller's others."""
    order = "EpiDetails/EpiPaymentInstructionDetails"
    code = FINVOICE.value(root, f"{order}/EpiPaymentMeansCode") or _CREDIT_TRANSFER
    shared: dict[str, Any] = {
        "code": code,
        "text": FINVOICE.text(root, f"{order}/EpiPaymentMeansText"),
        "reference": FINVOICE.value(root, f"{order}/EpiRemittanceInfoIdentifier")
        or FINVOICE.value(root, "EpiDetails/EpiIdentificationDetails/EpiReference")
        or FINVOICE.value(root, "EpiDetails/EpiIdentificationDetails/EpiOrderInfo"),
    }
    accounts: dict[str, tuple[str | None, str | None]] = {}  # account: BIC, name
    epi = FINVOICE.value(root, "EpiDetails/EpiPartyDetails/EpiBeneficiaryPartyDetails/EpiAccountID")
    if epi:
        accounts[epi] = (FINVOICE.value(root, "EpiDetails/EpiPartyDetails/EpiBfiPartyDetails/EpiBfiIdentifier"), None)
    for node in FINVOICE.nodes(root, "SellerInformationDetails/SellerAccountDetails"):
        if account := FINVOICE.value(node, "SellerAccountID"):
            bic = FINVOICE.value(node, "SellerBic") or accounts.get(account, (None, None))[0]
            accounts[account] = (bic, FINVOICE.value(node, "SellerAccountName"))
    first: dict[str, Any] = {
        "card": FINVOICE.value(root, "PaymentCardInfo/PrimaryAccountNumber"),
        "card_holder": FINVOICE.value(root, "PaymentCardInfo/CardHolderName"),
        "mandate": FINVOICE.value(root, "DirectDebitInfo/MandateReference"),
        "creditor": FINVOICE.value(root, "DirectDebitInfo/CreditorIdentifier"),
        "debited_account": FINVOICE.value(root, "DirectDebitInfo/DebitedAccountID"),
    }
    means = [
        PaymentMeans(account=account, bic=bic, account_name=name, **shared, **(first if number == 0 else {}))
        for number, (account, (bic, name)) in enumerate(accounts.items())
    ]
    if not means and (any(first.values()) or shared["reference"]):
        means = [PaymentMeans(**shared, **first)]
    return tuple(means)


def _allowances_charges(details: Any) -> tuple[AllowanceCharge, ...]:
    """BG-20 and BG-21; one without an amount says nothing."""
    return tuple(
        AllowanceCharge(
            is_charge=is_charge,
            amount=amount,
            base=FINVOICE.decimal(node, "BaseAmount"),
            percent=FINVOICE.decimal(node, "Percent"),
            vat_category=FINVOICE.value(node, "VatCategoryCode"),
            vat_rate=FINVOICE.decimal(node, "VatRatePercent"),
            reason=FINVOICE.text(node, "FreeText | ReasonText"),
            reason_code=FINVOICE.value(node, "ReasonCode"),
        )
        for is_charge, name in ((False, "DiscountDetails"), (True, "ChargeDetails"))
        for node in FINVOICE.nodes(details, name)
        if (amount := FINVOICE.decimal(node, "Amount")) is not None
    )


def _totals(root: Any, details: Any, amounts: list[Decimal | None], is_credit: bool, notes: list[str]) -> Totals:
    """BG-22. The sum of the rows has an element since 3.0; before, the rows are all there is."""
    with_vat = FINVOICE.decimal(details, "InvoiceTotalVatIncludedAmount")
    payable = FINVOICE.decimal(root, "EpiDetails/EpiPaymentInstructionDetails/EpiInstructedAmount")
    lines = FINVOICE.decimal(details, "RowsTotalVatExcludedAmount")
    if lines is None:
        lines = sum_of(amounts, notes)
    return Totals(
        lines=lines,
        allowances=FINVOICE.decimal(details, "DiscountsTotalVatExcludedAmount"),
        charges=FINVOICE.decimal(details, "ChargesTotalVatExcludedAmount"),
        without_vat=FINVOICE.decimal(details, "InvoiceTotalVatExcludedAmount"),
        vat=FINVOICE.decimal(details, "InvoiceTotalVatAmount"),
        vat_accounting_currency=FINVOICE.decimal(details, "InvoiceTotalVatAccountingAmount"),
        with_vat=with_vat,
        paid=FINVOICE.decimal(details, "InvoicePaidAmount"),
        rounding=FINVOICE.decimal(details, "InvoiceTotalRoundoffAmount"),
        payable=with_vat if is_credit and not payable else payable,
    )


def _vat(node: Any, notes: list[str]) -> VatBreakdown:
    rate = FINVOICE.decimal(node, "VatRatePercent")
    return VatBreakdown(
        category=vat_category_of(FINVOICE.value(node, "VatCode"), rate, notes),
        rate=rate,
        taxable=FINVOICE.decimal(node, "VatBaseAmount"),
        amount=FINVOICE.decimal(node, "VatRateAmount"),
        exemption_reason=text_of(node, "VatFreeText", " "),
        exemption_code=FINVOICE.value(node, "VatExemptionReasonCode"),
    )


def _note_bad_numbers(root: Any, notes: list[str]) -> None:
    """A sentence for each amount or quantity that is no number, as far as a person would read them."""
    for node in FINVOICE.nodes(root, _NUMBERS)[:10_000]:
        value = FINVOICE.value(node, ".")
        if value and FINVOICE.decimal(node, ".") is None and len(notes) < MAX_NOTES:
            notes.append(f"{etree.QName(node).localname} is {value!r}, which is no number.")
