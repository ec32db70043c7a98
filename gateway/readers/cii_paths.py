"""The vocabularies of UN/CEFACT Cross Industry Invoices: D16B and D22B, and ZUGFeRD 1.0, made from an earlier one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from typing import Any

from gateway.readers.xpath import Paths, date_of

_UNECE = "urn:un:unece:uncefact:data:standard:"
_DATE = re.compile(
    r"(\d{4})(\d{2})(\d{2})(?:\d{4})?", re.ASCII
)  # UNTDID 2379: 102 CCYYMMDD, 203 with hours and minutes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one version calls the parts of an invoice."""

    root: str  # Clark notation
    xpath: Paths
    context: str
    document: str
    transaction: str
    agreement: str
    delivery: str
    settlement: str
    summation: str  # below the settlement
    line_part: str  # what stands between `Specified` and `Agreement`, `Delivery`, `Settlement` in a line
    line_summation: str

    def date(self, node: Any, path: str) -> dt.date | None:
        """The date in the DateTimeString or DateString below `path`."""
        return date_in(self.date_text(node, path))

    def date_text(self, node: Any, path: str) -> str | None:
        """The text of that date as written."""
        return self.xpath.value(node, f"{path}//*[local-name() = 'DateTimeString' or local-name() = 'DateString']") or (
            self.xpath.value(node, path)
        )


def date_in(text: str | None) -> dt.date | None:
    """A date as CII writes it (UNTDID 2379 code 102 or 203), or an xsd:date; None when it is none."""
    match = _DATE.fullmatch(text or "")
    try:
        return dt.date(*map(int, match.groups())) if match else date_of((text or "")[:10])
    except ValueError:
        return None


D16B = Dialect(
    root=f"{{{_UNECE}CrossIndustryInvoice:100}}CrossIndustryInvoice",
    xpath=Paths(
        {
            "rsm": f"{_UNECE}CrossIndustryInvoice:100",
            "ram": f"{_UNECE}ReusableAggregateBusinessInformationEntity:100",
            "udt": f"{_UNECE}UnqualifiedDataType:100",
            "qdt": f"{_UNECE}QualifiedDataType:100",
        }
    ),
    context="rsm:ExchangedDocumentContext",
    document="rsm:ExchangedDocument",
    transaction="rsm:SupplyChainTradeTransaction",
    agreement="rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeAgreement",
    delivery="rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeDelivery",
    settlement="rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement",
    summation="ram:SpecifiedTradeSettlementHeaderMonetarySummation",
    line_part="ram:SpecifiedLineTrade",
    line_summation="ram:SpecifiedTradeSettlementLineMonetarySummation",
)

_FERD = "rsm:SpecifiedSupplyChainTradeTransaction/ram:ApplicableSupplyChainTrade"

ZUGFERD_1 = Dialect(
    root="{urn:ferd:CrossIndustryDocument:invoice:1p0}CrossIndustryDocument",
    xpath=Paths(
        {
            "rsm": "urn:ferd:CrossIndustryDocument:invoice:1p0",
            "ram": f"{_UNECE}ReusableAggregateBusinessInformationEntity:12",
            "udt": f"{_UNECE}UnqualifiedDataType:15",
            "qdt": f"{_UNECE}QualifiedDataType:12",
        }
    ),
    context="rsm:SpecifiedExchangedDocumentContext",
    document="rsm:HeaderExchangedDocument",
    transaction="rsm:SpecifiedSupplyChainTradeTransaction",
    agreement=f"{_FERD}Agreement",
    delivery=f"{_FERD}Delivery",
    settlement=f"{_FERD}Settlement",
    summation="ram:SpecifiedTradeSettlementMonetarySummation",
    line_part="ram:SpecifiedSupplyChainTrade",
    line_summation="ram:SpecifiedTradeSettlementMonetarySummation",
)

DIALECTS = {dialect.root: dialect for dialect in (D16B, ZUGFERD_1)}
