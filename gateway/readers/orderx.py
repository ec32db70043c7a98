"""Order-X 1.0 (UN/CEFACT SCRDM Cross Industry Order): orders, changes and responses, for routing and to be shown."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any

from gateway import doctypes
from gateway.doctypes.order import ORDER
from gateway.doctypes.order_response import ORDER_RESPONSE
from gateway.en16931 import Party
from gateway.model import ReadDocument
from gateway.readers.cii_party import party_of
from gateway.readers.cii_paths import Dialect, date_in
from gateway.readers.header import Header, Places
from gateway.readers.item import Item
from gateway.readers.xpath import Paths
from gateway.trade import Fact, Role, Sum, Trade, TradeLine

_ROOT = "{urn:un:unece:uncefact:data:SCRDMCCBDACIOMessageStructure:100}SCRDMCCBDACIOMessageStructure"
_UNECE = "urn:un:unece:uncefact:data:standard:"
_VERSION = "128"  # of the entities: D20B

_DOCUMENT = "rsm:ExchangedDocument"
_TRANSACTION = "rsm:SupplyChainTradeTransaction"
_AGREEMENT = f"{_TRANSACTION}/ram:ApplicableHeaderTradeAgreement"
_DELIVERY = f"{_TRANSACTION}/ram:ApplicableHeaderTradeDelivery"
_SETTLEMENT = f"{_TRANSACTION}/ram:ApplicableHeaderTradeSettlement"
_TOTALS = f"{_SETTLEMENT}/ram:SpecifiedTradeSettlementHeaderMonetarySummation"
_BUYER, _SELLER = f"{_AGREEMENT}/ram:BuyerTradeParty", f"{_AGREEMENT}/ram:SellerTradeParty"
_DATE = "/udt:DateTimeString"


class OrderXReader:
    """Documents whose root is a Cross Industry Order."""

    name = "orderx"

    def sniff(self, item: Item) -> bool:
        """By the root's qualified name."""
        return item.root is not None and item.root.tag == _ROOT

    def read(self, item: Item) -> list[ReadDocument]:
        """One document; the type code (UNTDID 1001) tells an order from the answer to one, and so who it is for."""
        dialect = _dialect(_version(item.root))
        code = dialect.xpath.value(item.root, f"{_DOCUMENT}/ram:TypeCode")
        kind, subtype = doctypes.by_code(code or "") or (ORDER, None)
        is_answer = kind is ORDER_RESPONSE
        sender, addressee = (_SELLER, _BUYER) if is_answer else (_BUYER, _SELLER)
        header = Header(item, dialect.xpath, _places(sender, addressee), date=date_in)
        if code and header.first("type_code", (f"{_DOCUMENT}/ram:TypeCode",)) and kind.name not in _KINDS:
            header.notes.append(f"ram:TypeCode {code!r} is no order of UNTDID 1001.")
            kind, subtype = ORDER, None
        fields = header.fields()
        trade = _trade(dialect, item.root, sender, addressee, fields["currency"]) if item.whole else None
        return [
            ReadDocument(
                format="orderx",
                type=kind.name,
                subtype=subtype,
                trade=trade,
                notes=tuple(dict.fromkeys(header.notes)),
                **fields,
            )
        ]


_KINDS = (ORDER.name, ORDER_RESPONSE.name)


def _version(root: Any) -> str:
    """The version of the entities, from the namespace that the file uses for them."""
    start = f"{_UNECE}ReusableAggregateBusinessInformationEntity:"
    found = [space for space in root.nsmap.values() if space and space.startswith(start)]
    return found[0].removeprefix(start)[:10] if found else _VERSION


@functools.lru_cache(maxsize=8)
def _dialect(version: str) -> Dialect:
    return Dialect(
        root=_ROOT,
        xpath=Paths(
            {
                "rsm": _ROOT[1:].partition("}")[0],
                "ram": f"{_UNECE}ReusableAggregateBusinessInformationEntity:{version}",
                "udt": f"{_UNECE}UnqualifiedDataType:{version}",
                "qdt": f"{_UNECE}QualifiedDataType:{version}",
            }
        ),
        context="rsm:ExchangedDocumentContext",
        document=_DOCUMENT,
        transaction=_TRANSACTION,
        agreement=_AGREEMENT,
        delivery=_DELIVERY,
        settlement=_SETTLEMENT,
        summation="ram:SpecifiedTradeSettlementHeaderMonetarySummation",
        line_part="ram:SpecifiedLineTrade",
        line_summation="ram:SpecifiedTradeSettlementLineMonetarySummation",
    )


def _places(sender: str, addressee: str) -> Places:
    endpoint = "ram:URIUniversalCommunication/ram:URIID[@schemeID = 'EM' or contains(., '@')]"
    contact = "ram:DefinedTradeContact/ram:EmailURIUniversalCommunication/ram:URIID"
    return Places(
        profile=("rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID",),
        number=(f"{_DOCUMENT}/ram:ID",),
        issue_date=(f"{_DOCUMENT}/ram:IssueDateTime{_DATE}",),
        customer_numbers=(f"{addressee}/ram:ID", f"{addressee}/ram:GlobalID"),
        emails=(f"{addressee}/{endpoint}", f"{addressee}/{contact}"),
        own_emails=(f"{sender}/{endpoint}", f"{sender}/{contact}"),
        seller=(f"{_SELLER}/ram:Name",),
        buyer=(f"{_BUYER}/ram:Name",),
        currency=(f"{_SETTLEMENT}/ram:OrderCurrencyCode", f"{_SETTLEMENT}/ram:InvoiceCurrencyCode"),
        payable=(f"{_TOTALS}/ram:GrandTotalAmount",),
        language=(f"{_DOCUMENT}/ram:LanguageID",),
    )


_FACTS = (  # (label, kind, path)
    ("customer_reference", "text", f"{_AGREEMENT}/ram:BuyerReference"),
    ("order", "text", f"{_AGREEMENT}/ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID"),
    ("sales_order", "text", f"{_AGREEMENT}/ram:SellerOrderReferencedDocument/ram:IssuerAssignedID"),
    ("quotation", "text", f"{_AGREEMENT}/ram:QuotationReferencedDocument/ram:IssuerAssignedID"),
    ("contract", "text", f"{_AGREEMENT}/ram:ContractReferencedDocument/ram:IssuerAssignedID"),
    ("answer", "answer", f"{_DOCUMENT}/ram:StatusCode"),
    ("requested_delivery", "date", f"{_DELIVERY}/ram:RequestedDeliverySupplyChainEvent/ram:OccurrenceDateTime{_DATE}"),
    ("delivery_terms", "text", f"{_AGREEMENT}/ram:ApplicableTradeDeliveryTerms/ram:DeliveryTypeCode"),
    ("payment_terms", "text", f"{_SETTLEMENT}/ram:SpecifiedTradePaymentTerms/ram:Description"),
    ("accounting_reference", "text", f"{_SETTLEMENT}/ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID"),
)
_OTHERS = (
    ("originator", f"{_AGREEMENT}/ram:BuyerRequisitionerTradeParty"),
    ("deliver_to", f"{_DELIVERY}/ram:ShipToTradeParty"),
    ("sent_by", f"{_DELIVERY}/ram:ShipFromTradeParty"),
    ("invoicee", f"{_SETTLEMENT}/ram:InvoiceeTradeParty"),
)
_SUMS = (
    ("lines", "LineTotalAmount"),
    ("charges", "ChargeTotalAmount"),
    ("allowances", "AllowanceTotalAmount"),
    ("without_vat", "TaxBasisTotalAmount"),
    ("vat", "TaxTotalAmount"),
    ("payable", "GrandTotalAmount"),
)


def _trade(dialect: Dialect, root: Any, sender: str, addressee: str, currency: str | None) -> Trade:
    xpath = dialect.xpath
    facts = [fact for label, kind, path in _FACTS if (fact := _fact(xpath, root, label, kind, path))]
    others = [(label, party_of(dialect, root, path)) for label, path in _OTHERS]
    sums = [(label, xpath.decimal(root, f"{_TOTALS}/ram:{name}")) for label, name in _SUMS]
    lines = xpath.nodes(root, f"{_TRANSACTION}/ram:IncludedSupplyChainTradeLineItem")
    notes = xpath.nodes(root, f"{_DOCUMENT}/ram:IncludedNote/ram:Content")[:50]
    return Trade(
        number=xpath.value(root, f"{_DOCUMENT}/ram:ID"),
        issue_date=date_in(xpath.value(root, f"{_DOCUMENT}/ram:IssueDateTime{_DATE}")),
        currency=currency,
        sender=party_of(dialect, root, sender) or Party(),
        addressee=party_of(dialect, root, addressee) or Party(),
        others=tuple(Role(label=label, party=party) for label, party in others if party),
        facts=tuple(facts),
        lines=tuple(_line(xpath, node, date_in) for node in lines),
        sums=tuple(
            Sum(label=label, amount=amount, payable=label == "payable") for label, amount in sums if amount is not None
        ),
        notes=tuple(text for node in notes if (text := xpath.text(node, "."))),
    )


def _fact(xpath: Paths, root: Any, label: str, kind: str, path: str) -> Fact | None:
    if kind == "date":
        day = date_in(xpath.value(root, path))
        return Fact(label=label, dates=(day,)) if day else None
    text = xpath.text(root, path)
    return Fact(label=label, text=text, code=kind if kind != "text" else None) if text else None


def _line(xpath: Paths, node: Any, date: Callable[[str | None], dt.date | None]) -> TradeLine:
    product, trade = "ram:SpecifiedTradeProduct", "ram:SpecifiedLineTrade"
    agreed, asked = f"{trade}Delivery/ram:AgreedQuantity", f"{trade}Delivery/ram:RequestedQuantity"
    quantity = agreed if xpath.decimal(node, agreed) is not None else asked
    event = f"{trade}Delivery/ram:RequestedDeliverySupplyChainEvent/ram:OccurrenceDateTime{_DATE}"
    document = "ram:AssociatedDocumentLineDocument"
    return TradeLine(
        id=xpath.value(node, f"{document}/ram:LineID") or "",
        name=xpath.text(node, f"{product}/ram:Name"),
        description=xpath.text(node, f"{product}/ram:Description"),
        notes=tuple(
            text
            for note in xpath.nodes(node, f"{document}/ram:IncludedNote")
            if (text := xpath.text(note, "ram:Content"))
        ),
        seller_item_id=xpath.value(node, f"{product}/ram:SellerAssignedID"),
        buyer_item_id=xpath.value(node, f"{product}/ram:BuyerAssignedID"),
        standard_item_id=xpath.value(node, f"{product}/ram:GlobalID"),
        status=xpath.value(node, f"{document}/ram:LineStatusCode"),
        reference=xpath.value(node, f"{trade}Agreement/ram:BuyerOrderReferencedDocument/ram:LineID"),
        date=date(xpath.value(node, event)),
        quantity=xpath.decimal(node, quantity),
        unit=xpath.value(node, f"{quantity}/@unitCode"),
        price=xpath.decimal(node, f"{trade}Agreement/ram:NetPriceProductTradePrice/ram:ChargeAmount"),
        amount=xpath.decimal(
            node, f"{trade}Settlement/ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"
        ),
    )
