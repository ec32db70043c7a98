"""An invoice in the terms of EN 16931 as UBL 2.1 Invoice or CreditNote, by the syntax binding of CEN/TS 16931-3-2."""

from __future__ import annotations

import datetime as dt

from gateway import doctypes
from gateway.en16931 import Invoice, PaymentMeans, Reference, VatBreakdown
from gateway.formats.demands import Profile, cents
from gateway.formats.ubl_line import allowance_charge, period, write_lines
from gateway.formats.ubl_party import write_buyer, write_deliver_to, write_payee, write_representative, write_seller
from gateway.formats.xmlout import Node

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_NOT_KNOWN = "NA"  # Peppol BIS Billing 3.0 §6.2: what OrderReference/ID is when only the seller's order is known
MEDIA_TYPES = frozenset(  # BT-125-1, rule BR-CL-24
    {
        "application/pdf",
        "image/png",
        "image/jpeg",
        "text/csv",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.oasis.opendocument.spreadsheet",
    }
)


def written(invoice: Invoice, profile: Profile, lost: list[str]) -> bytes:
    """The bytes; what UBL or the profile cannot hold is left out, and a sentence about it goes to `lost`."""
    is_credit_note = doctypes.invoice_subtype(invoice.type_code or "") == "credit_note"
    kind = "CreditNote" if is_credit_note else "Invoice"
    spaces = {
        "doc": f"{_UBL}{kind}-2",
        "cac": f"{_UBL}CommonAggregateComponents-2",
        "cbc": f"{_UBL}CommonBasicComponents-2",
    }
    root = Node.root(f"doc:{kind}", spaces, default="doc")
    root.put("cbc:CustomizationID", profile.specification)
    root.put("cbc:ProfileID", profile.process or invoice.process)
    root.put("cbc:ID", invoice.number)
    root.put("cbc:IssueDate", invoice.issue_date)
    _dates_and_notes(root, invoice, profile, is_credit_note)
    root.put("cbc:DocumentCurrencyCode", invoice.currency)
    root.put("cbc:TaxCurrencyCode", invoice.accounting_currency)
    root.put("cbc:AccountingCost", invoice.accounting_reference)
    root.put("cbc:BuyerReference", invoice.buyer_reference)
    period(root, invoice.period, invoice.tax_point_code)
    _references(root, invoice, is_credit_note, lost)
    write_seller(root, invoice, lost)
    write_buyer(root, invoice, lost)
    write_payee(root, invoice)
    write_representative(root, invoice)
    write_deliver_to(root, invoice)
    _payment(root, invoice, is_credit_note, lost)
    root.put("cac:PaymentTerms/cbc:Note", invoice.payment_terms)
    for entry in invoice.allowances_charges:
        allowance_charge(root, entry, invoice.currency)
    _taxes(root, invoice)
    _totals(root, invoice)
    write_lines(root, invoice, is_credit_note, lost)
    return root.bytes()


def _dates_and_notes(root: Node, invoice: Invoice, profile: Profile, is_credit_note: bool) -> None:
    """BT-3, BT-7, BT-9 and BG-1, which the two roots order differently."""
    notes = [f"#{note.subject}#{note.text}" if note.subject else note.text for note in invoice.notes]
    if profile.one_note and len(notes) > 1:
        notes = ["\n".join(notes)]  # PEPPOL-EN16931-R002: one note; its text is kept whole
    if is_credit_note:
        root.put("cbc:TaxPointDate", invoice.tax_point_date)
        root.put("cbc:CreditNoteTypeCode", invoice.type_code)
    else:
        root.put("cbc:DueDate", invoice.due_date)
        root.put("cbc:InvoiceTypeCode", invoice.type_code)
    for note in notes:
        root.put("cbc:Note", note)
    if not is_credit_note:
        root.put("cbc:TaxPointDate", invoice.tax_point_date)


def _references(root: Node, invoice: Invoice, is_credit_note: bool, lost: list[str]) -> None:
    """BT-11 to BT-18, BG-3 and BG-24, in the order of the schema."""
    if invoice.order or invoice.sales_order:
        order = root.open("cac:OrderReference")
        order.put("cbc:ID", invoice.order or _NOT_KNOWN)
        order.put("cbc:SalesOrderID", invoice.sales_order)
    for reference in invoice.preceding:
        preceding = root.open("cac:BillingReference/cac:InvoiceDocumentReference")
        preceding.put("cbc:ID", reference.id)
        preceding.put("cbc:IssueDate", reference.date)
    root.put("cac:DespatchDocumentReference/cbc:ID", invoice.despatch_advice)
    root.put("cac:ReceiptDocumentReference/cbc:ID", invoice.receiving_advice)
    if not is_credit_note:
        root.put("cac:OriginatorDocumentReference/cbc:ID", invoice.tender)
    root.put("cac:ContractDocumentReference/cbc:ID", invoice.contract)
    if invoice.invoiced_object:
        additional = root.open("cac:AdditionalDocumentReference")
        additional.put("cbc:ID", invoice.invoiced_object.value, schemeID=invoice.invoiced_object.scheme)
        additional.put("cbc:DocumentTypeCode", "130")
    if is_credit_note and invoice.project:
        additional = root.open("cac:AdditionalDocumentReference")
        additional.put("cbc:ID", invoice.project)
        additional.put("cbc:DocumentTypeCode", "50")
    for reference in invoice.supporting:
        _supporting(root, reference, lost)
    if is_credit_note:
        root.put("cac:OriginatorDocumentReference/cbc:ID", invoice.tender)
    else:
        root.put("cac:ProjectReference/cbc:ID", invoice.project)


def _supporting(root: Node, reference: Reference, lost: list[str]) -> None:
    """BG-24; a file that the rules do not allow stays in the source."""
    node = root.open("cac:AdditionalDocumentReference")
    node.put("cbc:ID", reference.id or reference.file_name)
    node.put("cbc:DocumentDescription", reference.description)
    attachment = node.open("cac:Attachment")
    if embeddable(reference, lost):
        attachment.put(
            "cbc:EmbeddedDocumentBinaryObject",
            reference.content,
            mimeCode=reference.media_type,
            filename=reference.file_name or reference.id,
        )
    attachment.put("cac:ExternalReference/cbc:URI", reference.uri)


def embeddable(reference: Reference, lost: list[str]) -> bool:
    """Whether the file of `reference` can go along (BT-125); a sentence in `lost` where there is one that cannot."""
    if not reference.content:
        if reference.size is not None:
            lost.append(
                f"The file {reference.file_name or reference.id} (BT-125) is empty or damaged and was left out."
            )
        return False
    if reference.media_type not in MEDIA_TYPES:
        lost.append(
            f"The file {reference.file_name or reference.id} (BT-125) is {reference.media_type or 'of no type'}, "
            "which EN 16931 does not allow, and was left out."
        )
        return False
    return True


def _payment(root: Node, invoice: Invoice, is_credit_note: bool, lost: list[str]) -> None:
    """BG-16 to BG-19. A credit note has its due date here, and here only."""
    means = [each for each in invoice.payment if each.code]
    for number, each in enumerate(means):
        node = _means(root, each, invoice.due_date if is_credit_note and number == 0 else None)  # once: UBL-SR-45
        if number == 0:
            _mandate(node, each)
        elif (each.mandate or each.debited_account) and each.mandate != means[0].mandate:
            lost.append(f"The mandate {each.mandate} (BT-89) has no place beside that of the first payment means.")
    if is_credit_note and invoice.due_date and not means:
        lost.append("The due date (BT-9) has no place in a credit note without payment means.")
    for each in invoice.payment:
        if each.reference and not each.code:
            lost.append("The payment reference (BT-83) has no place without payment means (BT-81).")


def _means(root: Node, means: PaymentMeans, due: dt.date | None) -> Node:
    node = root.open("cac:PaymentMeans")
    node.put("cbc:PaymentMeansCode", means.code, name=means.text)
    node.put("cbc:PaymentDueDate", due)
    node.put("cbc:PaymentID", means.reference)
    if means.card:
        card = node.open("cac:CardAccount")
        card.put("cbc:PrimaryAccountNumberID", means.card)
        card.put("cbc:NetworkID", means.card_network or _NOT_KNOWN)  # the schema wants one; EN 16931 has no term for it
        card.put("cbc:HolderName", means.card_holder)
    if means.account:
        account = node.open("cac:PayeeFinancialAccount")
        account.put("cbc:ID", means.account)
        account.put("cbc:Name", means.account_name)
        account.put("cac:FinancialInstitutionBranch/cbc:ID", means.bic)
    return node


def _mandate(node: Node, means: PaymentMeans) -> None:
    """BG-19, of which a document has one (rule UBL-SR-55)."""
    if means.mandate or means.debited_account:
        mandate = node.open("cac:PaymentMandate")
        mandate.put("cbc:ID", means.mandate)
        mandate.put("cac:PayerFinancialAccount/cbc:ID", means.debited_account)


def _taxes(root: Node, invoice: Invoice) -> None:
    """BT-110 with BG-23, and BT-111 by itself."""
    total = root.open("cac:TaxTotal")
    total.put("cbc:TaxAmount", cents(invoice.totals.vat), currencyID=invoice.currency)
    for vat in invoice.vat:
        _subtotal(total, vat, invoice.currency)
    root.put(
        "cac:TaxTotal/cbc:TaxAmount",
        cents(invoice.totals.vat_accounting_currency),
        currencyID=invoice.accounting_currency,
    )


def _subtotal(total: Node, vat: VatBreakdown, currency: str | None) -> None:
    node = total.open("cac:TaxSubtotal")
    node.put("cbc:TaxableAmount", cents(vat.taxable), currencyID=currency)
    node.put("cbc:TaxAmount", cents(vat.amount), currencyID=currency)
    category = node.open("cac:TaxCategory")
    category.put("cbc:ID", vat.category)
    category.put("cbc:Percent", vat.rate)
    category.put("cbc:TaxExemptionReasonCode", vat.exemption_code)
    category.put("cbc:TaxExemptionReason", vat.exemption_reason)
    category.put("cac:TaxScheme/cbc:ID", "VAT")


def _totals(root: Node, invoice: Invoice) -> None:
    totals, currency = invoice.totals, invoice.currency
    node = root.open("cac:LegalMonetaryTotal")
    for name, amount in (
        ("LineExtensionAmount", totals.lines),
        ("TaxExclusiveAmount", totals.without_vat),
        ("TaxInclusiveAmount", totals.with_vat),
        ("AllowanceTotalAmount", totals.allowances),
        ("ChargeTotalAmount", totals.charges),
        ("PrepaidAmount", totals.paid),
        ("PayableRoundingAmount", totals.rounding),
        ("PayableAmount", totals.payable),
    ):
        node.put(f"cbc:{name}", cents(amount), currencyID=currency)
