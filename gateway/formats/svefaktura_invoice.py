"""An invoice in the terms of EN 16931 as Svefaktura 1.0, in the order of the SFTI Basic Invoice schema."""

from __future__ import annotations

from decimal import Decimal

from gateway.en16931 import AllowanceCharge, Invoice, Line, PaymentMeans, VatBreakdown
from gateway.errors import Unconvertible
from gateway.formats.demands import cents
from gateway.formats.fitting import Fitting
from gateway.formats.svefaktura_party import NAME, write_address, write_buyer, write_seller
from gateway.formats.xmlout import Node

_SPACES = {
    "sfti": "urn:sfti:documents:BasicInvoice:1:0",
    "cac": "urn:sfti:CommonAggregateComponents:1:0",
    "cbc": "urn:oasis:names:tc:ubl:CommonBasicComponents:1:0",
}
_MOST_MEANS = 3
_MEANS = "1"  # the one code of payment means that SFTI uses: the account says how to pay
_OTHER_REASON = "ZZZ"  # UN/EDIFACT 4465, mutually defined: the reason stands in its name
_STANDARD, _EXEMPT = "S", "E"
# The institutions of Swedish giro numbers, and what Peppol calls them in Sweden
_GIROS = {"SE:BANKGIRO": "BGABSESS", "SE:PLUSGIRO": "PGSISESS"}
_MIDNIGHT = "T00:00:00"


def written(invoice: Invoice, lost: list[str]) -> bytes:
    """The bytes; what Svefaktura cannot hold is left out, and a sentence about it goes to `lost`."""
    if invoice.totals.paid:
        paid = f"the amount paid (BT-113) is {invoice.totals.paid:f}"
        raise Unconvertible("BT-113", f"{NAME} has no place for what is paid already; {paid}.")
    fit = Fitting(NAME, lost)
    root = Node.root("sfti:Invoice", _SPACES, default="sfti")
    root.put("sfti:ID", invoice.number)
    root.put("cbc:IssueDate", invoice.issue_date)
    root.put("sfti:InvoiceTypeCode", invoice.type_code)
    for note in invoice.notes:
        fit.leave("the subject of a text (BT-21)", note.subject)
    root.put("cbc:Note", "\n".join(note.text for note in invoice.notes))
    root.put("sfti:TaxPointDate", invoice.tax_point_date)
    root.put("sfti:InvoiceCurrencyCode", invoice.currency)
    root.put("sfti:TaxCurrencyCode", invoice.accounting_currency)
    root.put("sfti:LineItemCountNumeric", str(len(invoice.lines)))
    _references(root, invoice, fit)
    write_buyer(root, invoice.buyer, fit)
    write_seller(root, invoice.seller, fit)
    _delivery(root, invoice, fit)
    _payment(root, invoice, fit)
    root.put("cac:PaymentTerms/cbc:Note", invoice.payment_terms)
    for entry in invoice.allowances_charges:
        _allowance_charge(root.open("sfti:AllowanceCharge"), entry, invoice, fit)
    _taxes(root.open("cac:TaxTotal"), invoice, fit)
    _totals(root.open("cac:LegalTotal"), invoice)
    for line in invoice.lines:
        _line(root.open("cac:InvoiceLine"), line, invoice, fit)
    root.put("sfti:RequisitionistDocumentReference/cac:ID", invoice.buyer_reference)
    for reference in invoice.preceding:
        root.put("sfti:InitialInvoiceDocumentReference/cac:ID", reference.id)
        fit.leave("the date of a preceding invoice (BT-26)", reference.date)
    if invoice.period:
        period = root.open("sfti:InvoicingPeriod")
        period.put("cbc:StartDateTime", invoice.period.start and f"{invoice.period.start}{_MIDNIGHT}")
        period.put("cbc:EndDateTime", invoice.period.end and f"{invoice.period.end}{_MIDNIGHT}")
    return root.bytes()


def _references(root: Node, invoice: Invoice, fit: Fitting) -> None:
    """What kind of document it is: UNTDID 1153, as the scheme of its identifier."""
    for kind, value in (
        ("CT", invoice.contract),
        ("AEP", invoice.project),
        ("DQ", invoice.despatch_advice),
        ("ALO", invoice.receiving_advice),
    ):
        root.put(
            "sfti:AdditionalDocumentReference/cac:ID",
            value,
            identificationSchemeID=kind,
            identificationSchemeAgencyName="SFTI",
        )
    for reference in invoice.supporting:
        root.put("sfti:AdditionalDocumentReference/cac:ID", reference.id)
        fit.leave("the description of a document (BT-123)", reference.description)
        fit.leave("the address of a document (BT-124)", reference.uri)
        fit.leave("a document inside (BT-125)", reference.file_name if reference.content else None)
    for term, said in (
        ("BT-8", invoice.tax_point_code),
        ("BT-14", invoice.sales_order),
        ("BT-17", invoice.tender),
        ("BT-18", invoice.invoiced_object and invoice.invoiced_object.value),
        ("BT-19", invoice.accounting_reference),
        ("BG-11", invoice.tax_representative and invoice.tax_representative.name),
    ):
        fit.leave(term, said)


def _delivery(root: Node, invoice: Invoice, fit: Fitting) -> None:
    delivery = root.open("cac:Delivery")
    if invoice.delivery_date:
        delivery.put("cbc:ActualDeliveryDateTime", f"{invoice.delivery_date}{_MIDNIGHT}")
    place = invoice.deliver_to
    if place is None:
        return
    fit.leave("the name of the place of delivery (BT-70)", place.name)
    address = delivery.open("cac:DeliveryAddress")
    for identifier in place.identifiers[:1]:
        address.put("cac:ID", identifier.value, identificationSchemeID=identifier.scheme)
    if place.address:
        write_address(address, place.address, fit)


def _payment(root: Node, invoice: Invoice, fit: Fitting) -> None:
    means = [each for each in invoice.payment if each.account or each.reference]
    for each in invoice.payment:
        fit.leave("codes of payment means (BT-81)", each.code if each.code != _MEANS else None)
        for term, said in (
            ("BT-82", each.text),
            ("BT-85", each.account_name),
            ("BT-87", each.card),
            ("BT-89", each.mandate),
            ("BT-90", each.creditor),
            ("BT-91", each.debited_account),
        ):
            fit.leave(term, said)
    for each in means[_MOST_MEANS:]:
        fit.leave(f"more than {_MOST_MEANS} payment means", each.account or each.reference)
    for each in means[:_MOST_MEANS] or ([PaymentMeans()] if invoice.due_date or invoice.payee else []):
        node = root.open("cac:PaymentMeans")
        node.put("cac:PaymentMeansTypeCode", _MEANS)
        node.put("cbc:DuePaymentDate", invoice.due_date)
        account = node.open("cac:PayeeFinancialAccount")
        account.put("cac:ID", each.account)
        institution = _GIROS.get(each.bic or "", each.bic)
        account.put("cac:FinancialInstitutionBranch/cac:FinancialInstitution/cac:ID", institution)
        account.put("cac:PaymentInstructionID", each.reference)
        node.put("cac:PayeePartyName/cbc:Name", invoice.payee.name if invoice.payee else None)
    if invoice.payee:
        fit.leave("the registration of the payee (BT-61)", invoice.payee.legal_id and invoice.payee.legal_id.value)
        fit.leave(
            "an identifier of the payee (BT-60)", invoice.payee.identifiers and invoice.payee.identifiers[0].value
        )


def _category(parent: Node, code: str | None, rate: Decimal | None, invoice: Invoice, fit: Fitting) -> None:
    """Svefaktura knows what has a rate (S) and what has none (E), and wants a reason for E; other categories of
    UNTDID 5305 are E there, and the reason says which."""
    known = _STANDARD if code == _STANDARD else _EXEMPT
    if code not in (_STANDARD, _EXEMPT):
        fit.leave("VAT categories other than S and E (BT-118)", code)
    if known == _EXEMPT and rate:
        raise Unconvertible("BT-119", f"{NAME} has no rate for the VAT category {code}; it is {rate:f}.")
    node = parent.open("cac:TaxCategory")
    node.put("cac:ID", known)
    node.put("cbc:Percent", rate)
    if known == _EXEMPT:
        node.put("cbc:ExemptionReason", _reason(code, invoice))
    node.put("cac:TaxScheme/cac:ID", "VAT")


def _reason(code: str | None, invoice: Invoice) -> str:
    stated = (vat.exemption_reason or vat.exemption_code for vat in invoice.vat if vat.category == code)
    found = next((reason for reason in stated if reason), None)
    if not found:
        words = f"the VAT category {code} has none"
        raise Unconvertible("BT-120", f"{NAME} needs the reason for what has no VAT (BT-120); {words}.")
    return found


def _allowance_charge(node: Node, entry: AllowanceCharge, invoice: Invoice, fit: Fitting) -> None:
    node.put("cbc:ChargeIndicator", "true" if entry.is_charge else "false")
    node.put("cac:ReasonCode", _OTHER_REASON, name=entry.reason or entry.reason_code)
    fit.leave("the code of a reason (BT-98)", entry.reason_code if entry.reason else None)
    fit.leave("the percentage of an allowance or a charge (BT-94)", entry.percent)
    node.put("cbc:Amount", cents(entry.amount), amountCurrencyID=invoice.currency)
    _category(node, entry.vat_category, entry.vat_rate, invoice, fit)
    node.put("cac:AllowanceChargeBaseAmount", cents(entry.base), amountCurrencyID=invoice.currency)


def _taxes(total: Node, invoice: Invoice, fit: Fitting) -> None:
    """BT-110, BT-111 and BG-23; the tax in the accounting currency stands at each rate, so only one rate has it."""
    total.put("cbc:TotalTaxAmount", cents(invoice.totals.vat), amountCurrencyID=invoice.currency)
    accounting = invoice.totals.vat_accounting_currency
    if len(invoice.vat) > 1:
        fit.leave("the total VAT in the accounting currency (BT-111)", accounting)
    for vat in invoice.vat:
        node = total.open("cac:TaxSubTotal")
        node.put("cbc:TaxableAmount", cents(vat.taxable), amountCurrencyID=invoice.currency)
        node.put("cbc:TaxAmount", cents(vat.amount), amountCurrencyID=invoice.currency)
        _category(node, vat.category, vat.rate, invoice, fit)
        _leave_code(vat, fit)
        if len(invoice.vat) == 1:
            node.put("cac:TaxCurrencyTaxAmount", cents(accounting), amountCurrencyID=invoice.accounting_currency)


def _leave_code(vat: VatBreakdown, fit: Fitting) -> None:
    fit.leave("the code of a reason for no VAT (BT-121)", vat.exemption_code if vat.exemption_reason else None)
    if vat.category == _STANDARD:
        fit.leave("a reason for no VAT where there is VAT (BT-120)", vat.exemption_reason)


def _totals(node: Node, invoice: Invoice) -> None:
    """What is to be paid is the total with VAT and rounding here."""
    totals, currency = invoice.totals, invoice.currency
    node.put("cbc:LineExtensionTotalAmount", cents(totals.lines), amountCurrencyID=currency)
    node.put("cbc:TaxExclusiveTotalAmount", cents(totals.without_vat), amountCurrencyID=currency)
    node.put("cbc:TaxInclusiveTotalAmount", cents(totals.payable), amountCurrencyID=currency)
    node.put("cac:RoundOffAmount", cents(totals.rounding), amountCurrencyID=currency)


def _line(node: Node, line: Line, invoice: Invoice, fit: Fitting) -> None:
    node.put("cac:ID", line.id)
    node.put("cbc:InvoicedQuantity", line.quantity, quantityUnitCode=line.unit)
    node.put("cbc:LineExtensionAmount", cents(line.amount), amountCurrencyID=invoice.currency)
    if line.description:
        words = "the item description (BT-154) beside the name; it stands among the notes of the line"
        fit.lost.append(f"{NAME} has no place for {words}.")
    node.put("cbc:Note", "\n".join(filter(None, (line.description, line.note))))
    order = node.open("cac:OrderLineReference")
    order.put("cac:BuyersLineID", line.order_line)
    order.put("cac:OrderReference/cac:BuyersID", invoice.order)
    _line_entry(node, line, invoice.currency, fit)
    item = node.open("cac:Item")
    item.put("cbc:Description", line.name)
    item.put("cac:BuyersItemIdentification/cac:ID", line.buyer_item_id)
    item.put("cac:SellersItemIdentification/cac:ID", line.seller_item_id)
    if line.standard_item_id:
        number, is_gtin = line.standard_item_id, line.standard_item_id.scheme in ("0160", "0088")
        item.put(
            "cac:StandardItemIdentification/cac:ID",
            number.value,
            identificationSchemeID=None if is_gtin else number.scheme,
            identificationSchemeAgencyID="9" if is_gtin else None,
        )
    _category(item, line.vat_category, line.vat_rate, invoice, fit)
    price = item.open("cac:BasePrice")
    price.put("cbc:PriceAmount", line.price, amountCurrencyID=invoice.currency)
    price.put("cbc:BaseQuantity", line.price_base_quantity, quantityUnitCode=line.unit)
    _without_place(line, fit)


def _line_entry(node: Node, line: Line, currency: str | None, fit: Fitting) -> None:
    """BG-27 or BG-28, of which a line has one, without its reason."""
    for number, entry in enumerate(line.allowances_charges):
        kind = "charge" if entry.is_charge else "allowance"
        if number:
            fit.leave(f"a second allowance or charge of a line, though its amount counts ({kind})", f"{entry.amount:f}")
            continue
        written = node.open("cac:AllowanceCharge")
        written.put("cbc:ChargeIndicator", "true" if entry.is_charge else "false")
        written.put("cbc:Amount", cents(entry.amount), amountCurrencyID=currency)
        written.put("cac:AllowanceChargeBaseAmount", cents(entry.base), amountCurrencyID=currency)
        fit.leave("the reason at a line (BT-139, BT-144)", entry.reason or entry.reason_code)
        fit.leave("the percentage at a line (BT-138, BT-143)", entry.percent)


def _without_place(line: Line, fit: Fitting) -> None:
    period = line.period and f"{line.period.start} to {line.period.end}"
    for term, said in (
        ("BT-128", line.object_id and line.object_id.value),
        ("BT-133", line.accounting_reference),
        ("BG-26", period),
        ("BT-147", line.price_discount or None),
        ("BT-148", line.gross_price if line.gross_price != line.price else None),
        ("BT-159", line.origin),
        ("BT-158", ", ".join(each.value for each in line.classifications)),
        ("BG-32", ", ".join(f"{name} {value}" for name, value in line.attributes)),
    ):
        fit.leave(term, said)
