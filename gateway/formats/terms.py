"""The terms of EN 16931 that may stand in the way of writing: what people call them and where each syntax has them."""

from __future__ import annotations

from typing import NamedTuple

from gateway.formats.places import PLACES
from gateway.model import ReadDocument

_AGREEMENT = "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement"
_SETTLEMENT = "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement"
_SUM = f"{_SETTLEMENT}/SpecifiedTradeSettlementHeaderMonetarySummation"
_SELLER, _BUYER = f"{_AGREEMENT}/SellerTradeParty", f"{_AGREEMENT}/BuyerTradeParty"
_S, _C = "AccountingSupplierParty/Party", "AccountingCustomerParty/Party"
_MEANS = f"{_SETTLEMENT}/SpecifiedTradeSettlementPaymentMeans"
_LINE = "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem"
_ALLOWANCE = f"{_SETTLEMENT}/SpecifiedTradeAllowanceCharge"


class Name(NamedTuple):
    """What a term is called, and its place below the root of UBL and of CII."""

    words: str
    ubl: str
    cii: str


NAMES: dict[str, Name] = {
    "BT-1": Name("invoice number", "ID", "ExchangedDocument/ID"),
    "BT-2": Name("issue date", "IssueDate", "ExchangedDocument/IssueDateTime"),
    "BT-3": Name("type code", "InvoiceTypeCode", "ExchangedDocument/TypeCode"),
    "BT-5": Name("currency", "DocumentCurrencyCode", f"{_SETTLEMENT}/InvoiceCurrencyCode"),
    "BT-9": Name("due date", "DueDate", f"{_SETTLEMENT}/SpecifiedTradePaymentTerms/DueDateDateTime"),
    "BT-10": Name("buyer reference", "BuyerReference", f"{_AGREEMENT}/BuyerReference"),
    "BT-27": Name("seller's name", f"{_S}/PartyLegalEntity/RegistrationName", f"{_SELLER}/Name"),
    "BT-31": Name(
        "seller's VAT number, tax number (BT-32), registration (BT-30) or identifier (BT-29)",
        f"{_S}/PartyTaxScheme/CompanyID",
        f"{_SELLER}/SpecifiedTaxRegistration/ID",
    ),
    "BT-34": Name(
        "seller's electronic address in one of its schemes",
        f"{_S}/EndpointID",
        f"{_SELLER}/URIUniversalCommunication/URIID",
    ),
    "BT-35": Name(
        "street of the seller's address", f"{_S}/PostalAddress/StreetName", f"{_SELLER}/PostalTradeAddress/LineOne"
    ),
    "BT-37": Name("seller's city", f"{_S}/PostalAddress/CityName", f"{_SELLER}/PostalTradeAddress/CityName"),
    "BT-38": Name("seller's post code", f"{_S}/PostalAddress/PostalZone", f"{_SELLER}/PostalTradeAddress/PostcodeCode"),
    "BT-40": Name(
        "seller's country", f"{_S}/PostalAddress/Country/IdentificationCode", f"{_SELLER}/PostalTradeAddress/CountryID"
    ),
    "BT-41": Name("seller's contact", f"{_S}/Contact/Name", f"{_SELLER}/DefinedTradeContact/PersonName"),
    "BT-42": Name(
        "telephone of the seller's contact",
        f"{_S}/Contact/Telephone",
        f"{_SELLER}/DefinedTradeContact/TelephoneUniversalCommunication/CompleteNumber",
    ),
    "BT-43": Name(
        "e-mail of the seller's contact",
        f"{_S}/Contact/ElectronicMail",
        f"{_SELLER}/DefinedTradeContact/EmailURIUniversalCommunication/URIID",
    ),
    "BT-44": Name("buyer's name", f"{_C}/PartyLegalEntity/RegistrationName", f"{_BUYER}/Name"),
    "BT-46": Name(
        "buyer's identifier, VAT number (BT-48), registration (BT-47) or customer number",
        f"{_C}/PartyIdentification/ID",
        f"{_BUYER}/ID",
    ),
    "BT-49": Name(
        "buyer's electronic address in one of its schemes",
        f"{_C}/EndpointID",
        f"{_BUYER}/URIUniversalCommunication/URIID",
    ),
    "BT-50": Name(
        "street of the buyer's address", f"{_C}/PostalAddress/StreetName", f"{_BUYER}/PostalTradeAddress/LineOne"
    ),
    "BT-52": Name("buyer's city", f"{_C}/PostalAddress/CityName", f"{_BUYER}/PostalTradeAddress/CityName"),
    "BT-53": Name("buyer's post code", f"{_C}/PostalAddress/PostalZone", f"{_BUYER}/PostalTradeAddress/PostcodeCode"),
    "BT-55": Name(
        "buyer's country", f"{_C}/PostalAddress/Country/IdentificationCode", f"{_BUYER}/PostalTradeAddress/CountryID"
    ),
    "BT-81": Name("payment means", "PaymentMeans/PaymentMeansCode", f"{_MEANS}/TypeCode"),
    "BT-84": Name(
        "account to pay to",
        "PaymentMeans/PayeeFinancialAccount/ID",
        f"{_MEANS}/PayeePartyCreditorFinancialAccount/IBANID",
    ),
    "BT-92": Name("amount of an allowance or a charge", "AllowanceCharge/Amount", f"{_ALLOWANCE}/ActualAmount"),
    "BT-95": Name(
        "VAT category of an allowance or a charge",
        "AllowanceCharge/TaxCategory/ID",
        f"{_ALLOWANCE}/CategoryTradeTax/CategoryCode",
    ),
    "BT-97": Name(
        "reason of an allowance or a charge, or its code (BT-98)",
        "AllowanceCharge/AllowanceChargeReason",
        f"{_ALLOWANCE}/Reason",
    ),
    "BT-106": Name("sum of the lines", "LegalMonetaryTotal/LineExtensionAmount", f"{_SUM}/LineTotalAmount"),
    "BT-107": Name("sum of the allowances", "LegalMonetaryTotal/AllowanceTotalAmount", f"{_SUM}/AllowanceTotalAmount"),
    "BT-108": Name("sum of the charges", "LegalMonetaryTotal/ChargeTotalAmount", f"{_SUM}/ChargeTotalAmount"),
    "BT-109": Name("total without VAT", "LegalMonetaryTotal/TaxExclusiveAmount", f"{_SUM}/TaxBasisTotalAmount"),
    "BT-110": Name("total VAT", "TaxTotal/TaxAmount", f"{_SUM}/TaxTotalAmount"),
    "BT-111": Name("total VAT in the accounting currency", "TaxTotal/TaxAmount", f"{_SUM}/TaxTotalAmount"),
    "BT-112": Name("total with VAT", "LegalMonetaryTotal/TaxInclusiveAmount", f"{_SUM}/GrandTotalAmount"),
    "BT-113": Name("amount paid", "LegalMonetaryTotal/PrepaidAmount", f"{_SUM}/TotalPrepaidAmount"),
    "BT-114": Name("rounding amount", "LegalMonetaryTotal/PayableRoundingAmount", f"{_SUM}/RoundingAmount"),
    "BT-115": Name("amount to pay", "LegalMonetaryTotal/PayableAmount", f"{_SUM}/DuePayableAmount"),
    "BT-116": Name(
        "taxable amount of a VAT category",
        "TaxTotal/TaxSubtotal/TaxableAmount",
        f"{_SETTLEMENT}/ApplicableTradeTax/BasisAmount",
    ),
    "BT-117": Name(
        "VAT amount of a category",
        "TaxTotal/TaxSubtotal/TaxAmount",
        f"{_SETTLEMENT}/ApplicableTradeTax/CalculatedAmount",
    ),
    "BT-118": Name(
        "VAT category", "TaxTotal/TaxSubtotal/TaxCategory/ID", f"{_SETTLEMENT}/ApplicableTradeTax/CategoryCode"
    ),
    "BT-119": Name(
        "rate of a VAT category",
        "TaxTotal/TaxSubtotal/TaxCategory/Percent",
        f"{_SETTLEMENT}/ApplicableTradeTax/RateApplicablePercent",
    ),
    "BG-23": Name("VAT breakdown", "TaxTotal/TaxSubtotal", f"{_SETTLEMENT}/ApplicableTradeTax"),
    "BG-25": Name("lines", "InvoiceLine", _LINE),
    "BT-126": Name("identifier of a line", "InvoiceLine/ID", f"{_LINE}/AssociatedDocumentLineDocument/LineID"),
    "BT-129": Name(
        "quantity of a line", "InvoiceLine/InvoicedQuantity", f"{_LINE}/SpecifiedLineTradeDelivery/BilledQuantity"
    ),
    "BT-130": Name("unit of a line", "InvoiceLine/InvoicedQuantity/@unitCode", f"{_LINE}/…/BilledQuantity/@unitCode"),
    "BT-131": Name("amount of a line", "InvoiceLine/LineExtensionAmount", f"{_LINE}/…/LineTotalAmount"),
    "BT-136": Name(
        "amount of an allowance or a charge of a line",
        "InvoiceLine/AllowanceCharge/Amount",
        f"{_LINE}/…/SpecifiedTradeAllowanceCharge/ActualAmount",
    ),
    "BT-139": Name(
        "reason of an allowance or a charge of a line, or its code (BT-140)",
        "InvoiceLine/AllowanceCharge/AllowanceChargeReason",
        f"{_LINE}/…/SpecifiedTradeAllowanceCharge/Reason",
    ),
    "BT-146": Name("price of a line", "InvoiceLine/Price/PriceAmount", f"{_LINE}/…/NetPriceProductTradePrice"),
    "BT-151": Name(
        "VAT category of a line", "InvoiceLine/Item/ClassifiedTaxCategory/ID", f"{_LINE}/…/ApplicableTradeTax"
    ),
    "BT-153": Name("name of an item", "InvoiceLine/Item/Name", f"{_LINE}/SpecifiedTradeProduct/Name"),
}


def place(term: str, document: ReadDocument) -> str:
    """Where `term` should stand in what came in: an XPath by local names."""
    if document.format in PLACES:
        root, below = PLACES[document.format]
        return f"{root}/{below[term]}" if term in below else f"{root}, which has no place for it"
    name = NAMES[term]
    if document.format in ("cii", "facturx"):
        return f"/CrossIndustryInvoice/{name.cii}"
    if document.subtype == "credit_note":
        return f"/CreditNote/{name.ubl.replace('Invoice', 'CreditNote', 1).replace('InvoicedQ', 'CreditedQ')}"
    return f"/Invoice/{name.ubl}"
