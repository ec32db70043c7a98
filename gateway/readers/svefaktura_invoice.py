"""A Svefaktura 1.0 in the terms of EN 16931-1, by the SFTI Basic Invoice schema and its business rules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.en16931 import (
    AllowanceCharge,
    Identifier,
    Invoice,
    Line,
    Note,
    Party,
    PaymentMeans,
    Period,
    Reference,
    Totals,
    VatBreakdown,
)
from gateway.readers.derived import bad_numbers, percent_of, sums_of
from gateway.readers.svefaktura_party import address_of, party_of, payee_of
from gateway.readers.svefaktura_paths import SVEFAKTURA, identifiers_of
from gateway.readers.units import SWEDISH, noted_unit

# What kind of document an AdditionalDocumentReference is: UNTDID 1153, as the scheme of its identifier.
_CONTRACT, _PROJECT, _DESPATCH, _RECEIPT, _ATTACHED = "CT", "AEP", "DQ", "ALO", "ATS"
_NUMBERS = "//*[contains(local-name(), 'Amount') or contains(local-name(), 'Quantity')][not(*)]"

# Elements that are met and that EN 16931 has no term for; kept by path and value.
_WITHOUT_TERM = (
    "cac:PaymentTerms/cbc:PenaltySurchargePercent",
    "cac:DeliveryTerms/cbc:SpecialTerms",
    "cac:ExchangeRate/cbc:CalculationRate",
    "cac:SellerParty/cac:Party/cac:PartyTaxScheme/cac:RegistrationAddress/cbc:CityName",
    "cac:InvoiceLine/cac:DespatchLineReference/cac:DocumentReference/cac:ID",
    "cac:InvoiceLine/cac:Delivery/cbc:ActualDeliveryDateTime",
)


def invoice_of(root: Any, notes: list[str]) -> Invoice:
    """The content of `root`; what cannot be read as its type is left out, and a sentence about it goes to `notes`."""
    bad_numbers(SVEFAKTURA, root, _NUMBERS, notes)
    entries = _allowances_charges(root)
    start = SVEFAKTURA.date(root, "sfti:InvoicingPeriod/cbc:StartDateTime")
    end = SVEFAKTURA.date(root, "sfti:InvoicingPeriod/cbc:EndDateTime")
    note = SVEFAKTURA.text(root, "cbc:Note")
    return Invoice(
        number=SVEFAKTURA.value(root, "sfti:ID"),
        issue_date=SVEFAKTURA.date(root, "cbc:IssueDate"),
        type_code=SVEFAKTURA.value(root, "sfti:InvoiceTypeCode"),
        currency=SVEFAKTURA.value(root, "sfti:InvoiceCurrencyCode")
        or SVEFAKTURA.value(root, "cac:LegalTotal/cbc:TaxInclusiveTotalAmount/@amountCurrencyID"),
        accounting_currency=SVEFAKTURA.value(root, "sfti:TaxCurrencyCode"),
        tax_point_date=SVEFAKTURA.date(root, "sfti:TaxPointDate"),
        due_date=SVEFAKTURA.date(root, "cac:PaymentMeans/cbc:DuePaymentDate"),
        **_references(root, notes),
        payment_terms=SVEFAKTURA.text(root, "cac:PaymentTerms/cbc:Note"),
        notes=(Note(text=note),) if note else (),
        seller=party_of(root, "cac:SellerParty"),
        buyer=party_of(root, "cac:BuyerParty"),
        payee=payee_of(root),
        deliver_to=_deliver_to(root),
        delivery_date=SVEFAKTURA.date(root, "cac:Delivery/cbc:ActualDeliveryDateTime"),
        period=Period(start=start, end=end) if start or end else None,
        payment=_payment(root),
        allowances_charges=entries,
        totals=_totals(root, entries),
        vat=tuple(map(_vat, SVEFAKTURA.nodes(root, "cac:TaxTotal/cac:TaxSubTotal"))),
        lines=tuple(_line(node, notes) for node in SVEFAKTURA.nodes(root, "cac:InvoiceLine")),
        extensions=tuple((path, value) for path in _WITHOUT_TERM for value in SVEFAKTURA.values(root, path)),
    )


def _references(root: Any, notes: list[str]) -> dict[str, Any]:
    """BT-10 to BT-16, BG-3 and BG-24. The order stands at the lines: BT-13 is what all that name one name."""
    documents = identifiers_of(root, "sfti:AdditionalDocumentReference/cac:ID")
    by_kind = {identifier.scheme: identifier.value for identifier in reversed(documents)}
    known = (_CONTRACT, _PROJECT, _DESPATCH, _RECEIPT)
    orders = list(dict.fromkeys(SVEFAKTURA.values(root, "cac:InvoiceLine//cac:OrderReference/cac:BuyersID")))
    if len(orders) > 1:
        notes.append(f"The lines name {len(orders)} orders ({', '.join(orders[:5])}); EN 16931 has room for one.")
    requisitions = SVEFAKTURA.values(root, "sfti:RequisitionistDocumentReference/cac:ID")
    if len(requisitions) > 1:
        notes.append(f"A second buyer reference, {requisitions[1]}, has no term.")
    return {
        "buyer_reference": requisitions[0] if requisitions else None,
        "contract": by_kind.get(_CONTRACT),
        "project": by_kind.get(_PROJECT),
        "despatch_advice": by_kind.get(_DESPATCH),
        "receiving_advice": by_kind.get(_RECEIPT),
        "order": orders[0] if len(orders) == 1 else None,
        "preceding": tuple(
            Reference(id=value) for value in SVEFAKTURA.values(root, "sfti:InitialInvoiceDocumentReference/cac:ID")
        ),
        "supporting": tuple(
            Reference(id=identifier.value) for identifier in documents if identifier.scheme not in known
        ),
    }


def _deliver_to(root: Any) -> Party | None:
    party = Party(
        identifiers=identifiers_of(root, "cac:Delivery/cac:DeliveryAddress/cac:ID"),
        address=address_of(SVEFAKTURA.node(root, "cac:Delivery/cac:DeliveryAddress")),
    )
    return party if party != Party() else None


def _payment(root: Any) -> tuple[PaymentMeans, ...]:
    """BG-16, BG-17. The institution says what the account is: a BIC, BGABSESS for bankgiro, PGSISESS for plusgiro."""
    account = "cac:PayeeFinancialAccount"
    found = (
        PaymentMeans(
            code=SVEFAKTURA.value(node, "cac:PaymentMeansTypeCode"),
            reference=SVEFAKTURA.value(node, f"{account}/cac:PaymentInstructionID"),
            account=SVEFAKTURA.value(node, f"{account}/cac:ID"),
            bic=SVEFAKTURA.value(node, f"{account}/cac:FinancialInstitutionBranch/cac:FinancialInstitution/cac:ID"),
        )
        for node in SVEFAKTURA.nodes(root, "cac:PaymentMeans")
    )
    return tuple(means for means in found if means.account or means.reference or means.bic)


def _allowances_charges(root: Any) -> tuple[AllowanceCharge, ...]:
    """BG-20 and BG-21; the reason is the name of its code. One without an amount says nothing."""
    found = []
    for node in SVEFAKTURA.nodes(root, "sfti:AllowanceCharge"):
        amount = SVEFAKTURA.decimal(node, "cbc:Amount")
        if amount is None:
            continue
        base = SVEFAKTURA.decimal(node, "cac:AllowanceChargeBaseAmount")
        found.append(
            AllowanceCharge(
                is_charge=_is_charge(node),
                amount=amount,
                base=base,
                percent=percent_of(SVEFAKTURA.decimal(node, "cbc:MultiplierFactorNumeric"), base, amount),
                vat_category=SVEFAKTURA.value(node, "cac:TaxCategory/cac:ID"),
                vat_rate=SVEFAKTURA.decimal(node, "cac:TaxCategory/cbc:Percent"),
                reason=SVEFAKTURA.text(node, "cac:ReasonCode/@name"),
            )
        )
    return tuple(found)


def _is_charge(node: Any) -> bool:
    return SVEFAKTURA.value(node, "cbc:ChargeIndicator") in ("true", "1")


def _totals(root: Any, entries: tuple[AllowanceCharge, ...]) -> Totals:
    """BG-22. The total with VAT of a Svefaktura is what is to be paid: BT-114 is in it already."""
    total = "cac:LegalTotal"
    payable = SVEFAKTURA.decimal(root, f"{total}/cbc:TaxInclusiveTotalAmount")
    rounding = SVEFAKTURA.decimal(root, f"{total}/cac:RoundOffAmount")
    subtotal = SVEFAKTURA.nodes(root, "cac:TaxTotal/cac:TaxSubTotal")
    accounting = [SVEFAKTURA.decimal(node, "cac:TaxCurrencyTaxAmount") for node in subtotal]
    stated = [amount for amount in accounting if amount is not None]
    return Totals(
        lines=SVEFAKTURA.decimal(root, f"{total}/cbc:LineExtensionTotalAmount"),
        **sums_of(entries),
        without_vat=SVEFAKTURA.decimal(root, f"{total}/cbc:TaxExclusiveTotalAmount"),
        vat=SVEFAKTURA.decimal(root, "cac:TaxTotal/cbc:TotalTaxAmount"),
        vat_accounting_currency=sum(stated, Decimal(0)) if stated and len(stated) == len(accounting) else None,
        with_vat=None if payable is None else payable - (rounding or 0),
        rounding=rounding,
        payable=payable,
    )


def _vat(node: Any) -> VatBreakdown:
    return VatBreakdown(
        category=SVEFAKTURA.value(node, "cac:TaxCategory/cac:ID"),
        rate=SVEFAKTURA.decimal(node, "cac:TaxCategory/cbc:Percent"),
        taxable=SVEFAKTURA.decimal(node, "cbc:TaxableAmount"),
        amount=SVEFAKTURA.decimal(node, "cbc:TaxAmount"),
        exemption_reason=SVEFAKTURA.text(node, "cac:TaxCategory/cbc:ExemptionReason"),
    )


def _line(node: Any, notes: list[str]) -> Line:
    item = "cac:Item"
    standard = identifiers_of(node, f"{item}/cac:StandardItemIdentification/cac:ID")
    amount = SVEFAKTURA.decimal(node, "cac:AllowanceCharge/cbc:Amount")
    entry = () if amount is None else (_line_entry(node, amount),)
    return Line(
        id=SVEFAKTURA.value(node, "cac:ID") or "",
        note=SVEFAKTURA.text(node, "cbc:Note"),
        name=SVEFAKTURA.text(node, f"{item}/cbc:Description"),
        seller_item_id=SVEFAKTURA.value(node, f"{item}/cac:SellersItemIdentification/cac:ID"),
        buyer_item_id=SVEFAKTURA.value(node, f"{item}/cac:BuyersItemIdentification/cac:ID"),
        standard_item_id=_gtin(standard[0]) if standard else None,
        quantity=SVEFAKTURA.decimal(node, "cbc:InvoicedQuantity"),
        unit=noted_unit(SVEFAKTURA.value(node, "cbc:InvoicedQuantity/@quantityUnitCode"), SWEDISH, notes),
        price=SVEFAKTURA.decimal(node, f"{item}/cac:BasePrice/cbc:PriceAmount"),
        price_base_quantity=SVEFAKTURA.decimal(node, f"{item}/cac:BasePrice/cbc:BaseQuantity"),
        amount=SVEFAKTURA.decimal(node, "cbc:LineExtensionAmount"),
        vat_category=SVEFAKTURA.value(node, f"{item}/cac:TaxCategory/cac:ID"),
        vat_rate=SVEFAKTURA.decimal(node, f"{item}/cac:TaxCategory/cbc:Percent"),
        order_line=SVEFAKTURA.value(node, "cac:OrderLineReference/cac:BuyersLineID"),
        allowances_charges=entry,
    )


def _line_entry(node: Any, amount: Decimal) -> AllowanceCharge:
    base = SVEFAKTURA.decimal(node, "cac:AllowanceCharge/cac:AllowanceChargeBaseAmount")
    is_charge = _is_charge(SVEFAKTURA.node(node, "cac:AllowanceCharge"))
    return AllowanceCharge(is_charge=is_charge, amount=amount, base=base)


def _gtin(identifier: Identifier) -> Identifier:
    """The agency GS1 (9) of an item's number means a GTIN: ISO 6523 0160, not the 0088 of its locations."""
    is_gs1 = identifier.scheme in ("0088", "GTIN", "EAN")
    return Identifier(value=identifier.value, scheme="0160") if is_gs1 else identifier
