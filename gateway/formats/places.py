"""Where formats other than UBL and CII have the terms that may stand in the way: for the sentences of a held document.

Filled by format name; a term that is not here has no element of its own there.
"""

from __future__ import annotations

from gateway.formats.places_national import SVEFAKTURA

_EPI = "EpiDetails/EpiPaymentInstructionDetails"
_VAT = "InvoiceDetails/VatSpecificationDetails"

FINVOICE = {
    "BT-1": "InvoiceDetails/InvoiceNumber",
    "BT-2": "InvoiceDetails/InvoiceDate",
    "BT-3": "InvoiceDetails/InvoiceTypeCode",
    "BT-5": "InvoiceDetails/InvoiceTotalVatIncludedAmount/@AmountCurrencyIdentifier",
    "BT-9": "InvoiceDetails/PaymentTermsDetails/InvoiceDueDate",
    "BT-10": "InvoiceDetails/BuyerReferenceIdentifier",
    "BT-27": "SellerPartyDetails/SellerOrganisationName",
    "BT-31": "SellerPartyDetails/SellerOrganisationTaxCode",
    "BT-34": "MessageTransmissionDetails/MessageSenderDetails/FromIdentifier",
    "BT-37": "SellerPartyDetails/SellerPostalAddressDetails/SellerTownName",
    "BT-38": "SellerPartyDetails/SellerPostalAddressDetails/SellerPostCodeIdentifier",
    "BT-40": "SellerPartyDetails/SellerPostalAddressDetails/CountryCode",
    "BT-41": "SellerContactPersonName",
    "BT-42": "SellerCommunicationDetails/SellerPhoneNumberIdentifier",
    "BT-43": "SellerCommunicationDetails/SellerEmailaddressIdentifier",
    "BT-44": "BuyerPartyDetails/BuyerOrganisationName",
    "BT-49": "MessageTransmissionDetails/MessageReceiverDetails/ToIdentifier",
    "BT-52": "BuyerPartyDetails/BuyerPostalAddressDetails/BuyerTownName",
    "BT-53": "BuyerPartyDetails/BuyerPostalAddressDetails/BuyerPostCodeIdentifier",
    "BT-55": "BuyerPartyDetails/BuyerPostalAddressDetails/CountryCode",
    "BT-81": f"{_EPI}/EpiPaymentMeansCode",
    "BT-84": "EpiDetails/EpiPartyDetails/EpiBeneficiaryPartyDetails/EpiAccountID",
    "BT-95": "InvoiceDetails/DiscountDetails/VatCategoryCode",
    "BT-97": "InvoiceDetails/DiscountDetails/FreeText",
    "BT-106": "InvoiceDetails/RowsTotalVatExcludedAmount",
    "BT-109": "InvoiceDetails/InvoiceTotalVatExcludedAmount",
    "BT-110": "InvoiceDetails/InvoiceTotalVatAmount",
    "BT-112": "InvoiceDetails/InvoiceTotalVatIncludedAmount",
    "BT-115": f"{_EPI}/EpiInstructedAmount",
    "BT-116": f"{_VAT}/VatBaseAmount",
    "BT-117": f"{_VAT}/VatRateAmount",
    "BT-118": f"{_VAT}/VatCode",
    "BT-119": f"{_VAT}/VatRatePercent",
    "BG-23": _VAT,
    "BG-25": "InvoiceRow",
    "BT-126": "InvoiceRow/RowPositionIdentifier",
    "BT-129": "InvoiceRow/InvoicedQuantity",
    "BT-130": "InvoiceRow/InvoicedQuantity/@QuantityUnitCodeUN",
    "BT-131": "InvoiceRow/RowVatExcludedAmount",
    "BT-139": "InvoiceRow/RowDiscountTypeText",
    "BT-146": "InvoiceRow/UnitPriceAmount",
    "BT-151": "InvoiceRow/RowVatCode",
    "BT-153": "InvoiceRow/ArticleName",
}

PLACES: dict[str, tuple[str, dict[str, str]]] = {  # by format: the root, and the places below it
    "finvoice": ("/Finvoice", FINVOICE),
    "svefaktura": ("/Invoice", SVEFAKTURA),
}
