"""An ISDOC in the terms of EN 16931-1, by the schema and documentation of ISDOC 6.0.2."""

from __future__ import annotations

from decimal import Decimal, Inexact, localcontext
from typing import Any

from gateway import doctypes
from gateway.en16931 import (
    AllowanceCharge,
    Identifier,
    Invoice,
    Line,
    Note,
    Party,
    PaymentMeans,
    Reference,
    Totals,
    VatBreakdown,
    negated,
)
from gateway.readers.derived import bad_numbers
from gateway.readers.isdoc_party import party_of
from gateway.readers.isdoc_paths import ISDOC, TYPES, Money
from gateway.readers.stated import sum_of
from gateway.readers.units import CZECH, noted_unit

_NUMBERS = (
    "//*[contains(local-name(), 'Amount') or local-name() = 'InvoicedQuantity' or local-name() = 'UnitPrice'][not(*)]"
)
_GTIN = "0160"
_STANDARD, _REVERSE, _OUTSIDE = "S", "AE", "O"  # UNTDID 5305

# Elements that are met and that EN 16931 has no term for; kept by path and value.
_WITHOUT_TERM = (
    "UUID",
    "ElectronicPossibilityAgreementReference",
    "CurrRate",
    "FileReference",
    "ReferenceNumber",
    "BuyerCustomerParty/Party/PartyName/Name",
    "SellerSupplierParty/Party/PartyName/Name",
    "PaymentMeans/Payment/Details/ConstantSymbol",
    "PaymentMeans/Payment/Details/SpecificSymbol",
    "PaymentMeans/Payment/Details/Name",
)


def invoice_of(root: Any, notes: list[str]) -> Invoice:
    """The content of `root`; what cannot be read as its type is left out, and a sentence about it goes to `notes`."""
    bad_numbers(ISDOC, root, _NUMBERS, notes)
    money = Money(root)
    is_payer = ISDOC.value(root, "VATApplicable") != "false"
    lines = tuple(_line(node, money, is_payer, notes) for node in ISDOC.nodes(root, "InvoiceLines/InvoiceLine"))
    note = ISDOC.text(root, "Note")
    deliver_to = party_of(root, "Delivery")
    code = TYPES.get(ISDOC.value(root, "DocumentType") or "", "380")
    vat = tuple(_vat(node, money, is_payer) for node in ISDOC.nodes(root, "TaxTotal/TaxSubTotal[*]"))
    invoice = Invoice(
        number=ISDOC.value(root, "ID"),
        issue_date=ISDOC.date(root, "IssueDate"),
        type_code=code,
        currency=money.currency,
        accounting_currency=money.local if money.is_foreign else None,
        tax_point_date=ISDOC.date(root, "TaxPointDate"),
        due_date=ISDOC.date(root, "PaymentMeans/Payment/Details/PaymentDueDate"),
        **_references(root),
        notes=(Note(text=note),) if note else (),
        seller=party_of(root, "AccountingSupplierParty"),
        buyer=_buyer(root),
        deliver_to=deliver_to if deliver_to != Party() else None,
        payment=_payment(root),
        totals=_totals(root, lines, vat, money, notes),
        vat=vat,
        lines=lines,
        extensions=tuple((path, value) for path in _WITHOUT_TERM for value in ISDOC.values(root, path)),
    )
    is_credit = doctypes.invoice_subtype(code) == "credit_note"
    return _positive(invoice, notes) if is_credit else invoice


def _positive(invoice: Invoice, notes: list[str]) -> Invoice:
    """Czech programs write what a credit note gives back with a minus sign, EN 16931 without."""
    total = invoice.totals.with_vat
    if total is None or total >= 0:
        return invoice
    notes.append("The amounts of this credit note are written with a minus sign, and are read without.")
    return negated(invoice)


def _buyer(root: Any) -> Party:
    anonymous = ISDOC.value(root, "AnonymousCustomerParty/ID")
    return Party(account_id=anonymous) if anonymous else party_of(root, "AccountingCustomerParty")


def _references(root: Any) -> dict[str, Any]:
    """BT-12 to BT-16, BG-3 and BG-24. An order has the seller's number and the buyer's."""
    originals = ISDOC.nodes(root, "OriginalDocumentReferences/OriginalDocumentReference")
    return {
        "contract": ISDOC.value(root, "ContractReferences/ContractReference/ID"),
        "order": ISDOC.value(root, "OrderReferences/OrderReference/ExternalOrderID"),
        "sales_order": ISDOC.value(root, "OrderReferences/OrderReference/SalesOrderID"),
        "despatch_advice": ISDOC.value(root, "DeliveryNoteReferences/DeliveryNoteReference/ID"),
        "preceding": tuple(
            Reference(id=number, date=ISDOC.date(node, "IssueDate"))
            for node in originals
            if (number := ISDOC.value(node, "ID"))
        ),
        "supporting": tuple(
            Reference(id=name, file_name=name) for name in ISDOC.values(root, "SupplementsList/Supplement/Filename")
        ),
    }


def _payment(root: Any) -> tuple[PaymentMeans, ...]:
    """BG-16, BG-17: what is to be paid in each way, then the other accounts that may be paid to."""
    found = []
    for node in ISDOC.nodes(root, "PaymentMeans/Payment"):
        details = ISDOC.node(node, "Details")
        code = ISDOC.value(node, "PaymentMeansCode")
        found.append(PaymentMeans(code=code) if details is None else _account(details, code))
    code, reference = (found[0].code, found[0].reference) if found else (None, None)
    for node in ISDOC.nodes(root, "PaymentMeans/AlternateBankAccounts/AlternateBankAccount"):
        found.append(_account(node, code, reference))
    return tuple(dict.fromkeys(found))


def _account(node: Any, code: str | None, reference: str | None = None) -> PaymentMeans:
    number, bank = ISDOC.value(node, "ID"), ISDOC.value(node, "BankCode")
    national = f"{number}/{bank}" if number and bank else number
    return PaymentMeans(
        code=code,
        reference=ISDOC.value(node, "VariableSymbol") or ISDOC.value(node, "DocumentID") or reference,
        account=ISDOC.value(node, "IBAN") or national,
        bic=ISDOC.value(node, "BIC"),
    )


def _category(node: Any, is_payer: bool) -> str | None:
    """UNTDID 5305: ISDOC has rates, and says what is outside VAT and what the buyer owes; of other 0 % nothing."""
    if (ISDOC.decimal(node, "Percent") or 0) > 0:
        return _STANDARD
    if ISDOC.value(node, "LocalReverseChargeFlag") == "true" or ISDOC.node(node, "LocalReverseCharge") is not None:
        return _REVERSE
    applies = ISDOC.value(node, "VATApplicable")
    return _OUTSIDE if applies == "false" or (applies is None and not is_payer) else None


def _vat(node: Any, money: Money, is_payer: bool) -> VatBreakdown:
    category = ISDOC.node(node, "TaxCategory")
    code = None if category is None else _category(category, is_payer)
    return VatBreakdown(
        category=code,
        rate=None if category is None or code == _OUTSIDE else ISDOC.decimal(category, "Percent"),
        taxable=money.at(node, "TaxableAmount"),
        amount=money.at(node, "TaxAmount"),
    )


def _totals(
    root: Any, lines: tuple[Line, ...], vat: tuple[VatBreakdown, ...], money: Money, notes: list[str]
) -> Totals:
    """BG-22. What was taxed with deposits already is paid (BT-113), and so are other deposits."""
    total = ISDOC.node(root, "LegalMonetaryTotal")
    if total is None:
        return Totals()
    with_vat, payable = money.at(total, "TaxInclusiveAmount"), money.at(total, "PayableAmount")
    rounding, deposits = money.at(total, "PayableRoundingAmount"), money.at(total, "PaidDepositsAmount")
    claimed = money.at(total, "AlreadyClaimedTaxInclusiveAmount")
    rest = (with_vat or Decimal(0)) - (claimed or Decimal(0)) + (rounding or Decimal(0))
    # The samples of the standard write deposits with a minus sign, some programs without: what is to be paid tells.
    paid_before = deposits if deposits and payable == rest - deposits else -(deposits or Decimal(0))
    paid = (claimed or Decimal(0)) + paid_before
    amounts = [entry.amount for entry in vat if entry.amount is not None]
    stated = money.at(root, "TaxTotal/TaxAmount")
    return Totals(
        lines=sum_of([line.amount for line in lines], notes),
        without_vat=money.at(total, "TaxExclusiveAmount"),
        vat=sum(amounts, Decimal(0)) if amounts and len(amounts) == len(vat) else stated,
        vat_accounting_currency=ISDOC.decimal(root, "TaxTotal/TaxAmount") if money.is_foreign else None,
        with_vat=with_vat,
        paid=paid if claimed is not None or deposits is not None else None,
        rounding=rounding,
        payable=payable,
    )


def _line(node: Any, money: Money, is_payer: bool, notes: list[str]) -> Line:
    category = ISDOC.node(node, "ClassifiedTaxCategory")
    code = None if category is None else _category(category, is_payer)
    standard = ISDOC.value(node, "Item/CatalogueItemIdentification/ID")
    quantity, amount = ISDOC.decimal(node, "InvoicedQuantity"), money.at(node, "LineExtensionAmount")
    return Line(
        id=ISDOC.value(node, "ID") or "",
        note=ISDOC.text(node, "Note"),
        name=ISDOC.text(node, "Item/Description"),
        seller_item_id=ISDOC.value(node, "Item/SellersItemIdentification/ID"),
        buyer_item_id=ISDOC.value(node, "Item/BuyersItemIdentification/ID"),
        standard_item_id=Identifier(value=standard, scheme=_GTIN) if standard else None,
        quantity=quantity,
        unit=noted_unit(ISDOC.value(node, "InvoicedQuantity/@unitCode"), CZECH, notes),
        price=_price(node, quantity, amount, money, notes),
        amount=amount,
        vat_category=code,
        vat_rate=None if category is None or code == _OUTSIDE else ISDOC.decimal(category, "Percent"),
        order_line=ISDOC.value(node, "OrderReference/LineID"),
        allowances_charges=_discount(node, amount, money),
    )


def _price(
    node: Any, quantity: Decimal | None, amount: Decimal | None, money: Money, notes: list[str]
) -> Decimal | None:
    """BT-146. Unit prices are in the local currency; in another it is the amount per unit, where that is exact."""
    if not money.is_foreign:
        return ISDOC.decimal(node, "UnitPrice")
    if not quantity or amount is None:
        return None
    with localcontext() as context:
        context.traps[Inexact] = True
        try:
            return amount / quantity
        except Inexact:
            notes.append("A unit price is stated in the local currency only; it is left out of the content.")
            return None


def _discount(node: Any, amount: Decimal | None, money: Money) -> tuple[AllowanceCharge, ...]:
    """BG-27: what lies between the amount before discount and the line's own, which are in the local currency."""
    before = ISDOC.decimal(node, "LineExtensionAmountBeforeDiscount")
    if before is None or amount is None or money.is_foreign or before == amount:
        return ()
    is_charge = abs(amount) > abs(before)
    return (
        AllowanceCharge(is_charge=is_charge, amount=amount - before if is_charge else before - amount, base=before),
    )
