"""Svefaktura 1.0: the order and number of elements of its schema, and every term back again but for the named losses.

No package carries the SFTI schema, so its sequences stand here in short: name, least and most of each child.
"""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from gateway.formats.svefaktura import svefaktura_1
from tests.interop import national
from tests.interop.national import CORPUS, GOLDEN

_PARTY = "PartyIdentification* PartyName Address PartyTaxScheme* Contact?"
_CATEGORY = "ID Percent? ExemptionReason? TaxScheme"
SEQUENCES = {
    "Invoice": "ID IssueDate InvoiceTypeCode Note? TaxPointDate? InvoiceCurrencyCode? TaxCurrencyCode? "
    "LineItemCountNumeric AdditionalDocumentReference* BuyerParty SellerParty Delivery? PaymentMeans?3 PaymentTerms? "
    "AllowanceCharge* ExchangeRate? TaxTotal* LegalTotal InvoiceLine+ RequisitionistDocumentReference+2 "
    "InitialInvoiceDocumentReference* DeliveryTerms? InvoicingPeriod?",
    "BuyerParty": "Party?",
    "SellerParty": "Party? AccountsContact?",
    "Party": _PARTY,
    "Address": "ID? Postbox? StreetName? Department? CityName? PostalZone? AddressLine? Country?",
    "RegistrationAddress": "ID? Postbox? StreetName? Department? CityName? PostalZone? AddressLine? Country?",
    "DeliveryAddress": "ID? Postbox? StreetName? Department? CityName? PostalZone? AddressLine? Country?",
    "AddressLine": "Line+7",
    "PartyTaxScheme": "RegistrationName? CompanyID ExemptionReason? RegistrationAddress? TaxScheme",
    "Contact": "Name? Telephone? Telefax? ElectronicMail?",
    "Delivery": "ActualDeliveryDateTime? DeliveryAddress?",
    "PaymentMeans": "PaymentMeansTypeCode DuePaymentDate? PayeeFinancialAccount? PayeePartyName?",
    "PayeeFinancialAccount": "ID? FinancialInstitutionBranch? PaymentInstructionID?",
    "PaymentTerms": "Note? PenaltySurchargePercent?",
    "AllowanceCharge": "ChargeIndicator ReasonCode? MultiplierFactorNumeric? Amount TaxCategory* "
    "AllowanceChargeBaseAmount?",
    "TaxTotal": "TotalTaxAmount TaxSubTotal*",
    "TaxSubTotal": "TaxableAmount TaxAmount TaxCategory TaxCurrencyTaxAmount? InitialInvoiceTaxAmount?",
    "TaxCategory": _CATEGORY,
    "LegalTotal": "LineExtensionTotalAmount TaxExclusiveTotalAmount? TaxInclusiveTotalAmount RoundOffAmount?",
    "InvoiceLine": "ID InvoicedQuantity? LineExtensionAmount Note? OrderLineReference? DespatchLineReference? "
    "Delivery? AllowanceCharge? Item",
    "OrderLineReference": "BuyersLineID? OrderReference?",
    "Item": "Description? BuyersItemIdentification? SellersItemIdentification? StandardItemIdentification? "
    "TaxCategory* BasePrice?",
    "BasePrice": "PriceAmount BaseQuantity?",
    "InvoicingPeriod": "StartDateTime? EndDateTime?",
}
# Each with the one ID or Name inside.
_HOLDERS = {
    "PartyIdentification", "PartyName", "TaxScheme", "Country", "PayeePartyName", "FinancialInstitutionBranch",
    "FinancialInstitution", "AdditionalDocumentReference", "RequisitionistDocumentReference", "OrderReference",
    "InitialInvoiceDocumentReference", "BuyersItemIdentification", "SellersItemIdentification",
    "StandardItemIdentification",
}  # fmt: skip
LACKS = {
    "accounting_reference", "allowances_charges.percent", "allowances_charges.reason_code",
    "allowances_charges.vat_category", "allowances_charges.reason", "buyer.address", "buyer.endpoint", "buyer.legal_id",
    "buyer.tax_id", "buyer.trading_name", "deliver_to.address", "deliver_to.name", "invoiced_object",
    "lines.accounting_reference", "lines.allowances_charges", "lines.allowances_charges.reason", "lines.attributes",
    "lines.classifications", "lines.description", "lines.gross_price", "lines.note", "lines.object_id", "lines.origin",
    "lines.period", "lines.price_discount", "lines.standard_item_id.scheme", "lines.vat_category", "notes",
    "notes.subject", "payee.identifiers", "payee.legal_id", "payment", "payment.account_name", "payment.bic",
    "payment.card", "payment.card_holder", "payment.code", "payment.creditor", "payment.debited_account",
    "payment.mandate", "payment.text", "preceding.date", "sales_order", "seller.address", "seller.endpoint",
    "seller.legal_form", "seller.legal_id", "seller.legal_id.scheme", "seller.tax_id", "seller.trading_name",
    "supporting.content", "supporting.description", "supporting.file_name", "supporting.media_type", "supporting.size",
    "supporting.uri", "tax_point_code", "tax_representative", "tender", "totals.allowances", "totals.charges",
    "totals.paid", "totals.vat_accounting_currency", "vat.category", "vat.exemption_code", "vat.exemption_reason",
}  # fmt: skip


def check(element: Any) -> None:
    """Every element of a Svefaktura has the children that its schema knows, in their order and number."""
    name = etree.QName(element).localname
    children = [etree.QName(child).localname for child in element]
    at = 0
    for wanted in SEQUENCES.get(name, "").split():
        child = wanted.rstrip("?*+0123456789")
        sign = wanted[len(child) :]
        most = int(sign[1:] or "1000000") if sign and sign != "?" else 1
        start = at
        while at < len(children) and children[at] == child and at - start < most:
            at += 1
        assert at > start or sign[:1] in ("?", "*"), f"{name} lacks {child}"
    assert at == len(children) or name in _HOLDERS, f"{name} has {children[at:]}"
    for child in element:
        check(child)


@pytest.mark.parametrize("case", ["reader-60-svefaktura-whole/in.xml", "write-30-svefaktura/out.xml"])
def test_goldens_are_built_as_the_schema_wants(case: str) -> None:
    check(etree.parse(str(GOLDEN / case)).getroot())


def test_what_stands_in_the_wrong_place_is_seen() -> None:
    root = etree.parse(str(GOLDEN / "write-30-svefaktura/out.xml")).getroot()
    root.append(root[1])
    with pytest.raises(AssertionError, match="Invoice lacks IssueDate"):
        check(root)


@pytest.mark.skipif(not CORPUS.exists(), reason=f"the corpus of sample files is not at {CORPUS}")
def test_every_invoice_goes_through_svefaktura_with_all_its_terms_or_is_held() -> None:
    seen = national.outcomes(svefaktura_1, check, LACKS)
    assert seen["written"] >= 75
    assert seen["BT-10"] >= 70
