"""cXML 1.2 InvoiceDetailRequest: invoices and credit memos of the Ariba kind, for routing and to be shown."""

from __future__ import annotations

import datetime as dt
from typing import Any

from gateway.doctypes.invoice import INVOICE
from gateway.en16931 import Address, Contact, Identifier, Party
from gateway.model import ReadDocument
from gateway.readers.header import Header, Places
from gateway.readers.item import Item
from gateway.readers.xpath import Paths, date_of
from gateway.trade import Fact, Role, Sum, Trade, TradeLine

_XPATH = Paths({"xml": "http://www.w3.org/XML/1998/namespace"})
_BODY = "Request/InvoiceDetailRequest"
_HEADER = f"{_BODY}/InvoiceDetailRequestHeader"
_SUMMARY = f"{_BODY}/InvoiceDetailSummary"
_PARTNER = f"{_HEADER}/InvoicePartner"
_SUBTYPES = {"creditMemo": "credit_note", "lineLevelCreditMemo": "credit_note", "debitMemo": "debit_note"}
_BUYERS, _SELLERS = ("billTo", "soldTo"), ("from", "remitTo")


def _contacts(roles: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{_PARTNER}/Contact[@role = '{role}']" for role in roles)


def _at(roles: tuple[str, ...], below: str) -> tuple[str, ...]:
    return tuple(f"{contact}/{below}" for contact in _contacts(roles))


PLACES = Places(
    profile=("@version",),
    number=(f"{_HEADER}/@invoiceID",),
    issue_date=(f"{_HEADER}/@invoiceDate",),
    customer_numbers=(
        *(f"{_PARTNER}[Contact/@role = '{role}']/IdReference/@identifier" for role in _BUYERS),
        *_at(_BUYERS, "@addressID"),
        "Header/To/Credential/Identity",
    ),
    emails=_at(_BUYERS, "Email"),
    own_emails=_at(_SELLERS, "Email"),
    seller=_at(_SELLERS, "Name"),
    buyer=_at(_BUYERS, "Name"),
    currency=(f"{_SUMMARY}/DueAmount/Money/@currency", f"{_SUMMARY}/NetAmount/Money/@currency"),
    payable=(f"{_SUMMARY}/DueAmount/Money", f"{_SUMMARY}/NetAmount/Money"),
    language=("@xml:lang",),
)


def date_in(text: str | None) -> dt.date | None:
    """A dateTime (ISO 8601) or a date; the day where it was written, whatever the time zone."""
    return date_of((text or "")[:10])


class CxmlReader:
    """cXML with an InvoiceDetailRequest; other requests are of no type that we read."""

    name = "cxml"

    def sniff(self, item: Item) -> bool:
        """By the root's name and what is requested; cXML has no namespace."""
        return item.root is not None and item.root.tag == "cXML" and item.root.find(_HEADER) is not None

    def read(self, item: Item) -> list[ReadDocument]:
        """One document; @purpose says what it is."""
        header = Header(item, _XPATH, PLACES, date=date_in)
        purpose = header.first("type_code", (f"{_HEADER}/@purpose",)) or "standard"
        if item.root.find(_HEADER).get("operation") == "delete":
            header.notes.append("It takes back an invoice (operation 'delete').")
        fields = header.fields()
        return [
            ReadDocument(
                format="cxml",
                type=INVOICE.name,
                subtype=_SUBTYPES.get(purpose, "invoice"),
                trade=_trade(item.root, fields["currency"]) if item.whole else None,
                notes=tuple(dict.fromkeys(header.notes)),
                **fields,
            )
        ]


def _trade(root: Any, currency: str | None) -> Trade:
    lines = _XPATH.nodes(root, f"{_BODY}/*/*[self::InvoiceDetailItem or self::InvoiceDetailServiceItem]")
    comments = _XPATH.nodes(root, f"{_HEADER}/Comments")[:50]
    return Trade(
        number=_XPATH.value(root, f"{_HEADER}/@invoiceID"),
        issue_date=date_in(_XPATH.value(root, f"{_HEADER}/@invoiceDate")),
        currency=currency,
        sender=_first_party(root, _SELLERS),
        addressee=_first_party(root, _BUYERS),
        others=_others(root),
        facts=_facts(root),
        lines=tuple(map(_line, lines)),
        sums=_sums(root),
        notes=tuple(text for node in comments if (text := _XPATH.text(node, "."))),
    )


def _first_party(root: Any, roles: tuple[str, ...]) -> Party:
    node = next((node for path in _contacts(roles) if (node := _XPATH.node(root, path)) is not None), None)
    return _party(node) if node is not None else Party()


def _others(root: Any) -> tuple[Role, ...]:
    shipping = f"{_HEADER}/InvoiceDetailShipping/Contact"
    places = (("deliver_to", f"{shipping}[@role = 'shipTo']"), ("sent_by", f"{shipping}[@role = 'shipFrom']"))
    found = [(label, _XPATH.node(root, path)) for label, path in places]
    return tuple(Role(label=label, party=_party(node)) for label, node in found if node is not None)


def _party(node: Any) -> Party:
    """A Contact; its address, and the first identifiers beside it."""
    streets = [text for street in _XPATH.nodes(node, "PostalAddress/Street") if (text := _XPATH.value(street, "."))]
    line1, line2, line3 = (*streets, None, None, None)[:3]
    address = Address(
        line1=line1,
        line2=line2,
        line3=line3,
        city=_XPATH.value(node, "PostalAddress/City"),
        post_code=_XPATH.value(node, "PostalAddress/PostalCode"),
        subdivision=_XPATH.value(node, "PostalAddress/State"),
        country=_XPATH.value(node, "PostalAddress/Country/@isoCountryCode"),
    )
    numbers = [*_XPATH.values(node, "../IdReference/@identifier"), *_XPATH.values(node, "@addressID")]
    number = "Phone/TelephoneNumber"
    parts = [_XPATH.value(node, f"{number}/{name}") for name in ("CountryCode", "AreaOrCityCode", "Number")]
    phone = " ".join(part for part in parts if part)
    contact = Contact(phone=phone or None, email=_XPATH.value(node, "Email"))
    return Party(
        name=_XPATH.value(node, "Name"),
        identifiers=tuple(Identifier(value=value) for value in dict.fromkeys(numbers)),
        address=address if address != Address() else None,
        contact=contact if contact != Contact() else None,
    )


def _facts(root: Any) -> tuple[Fact, ...]:
    order = f"{_BODY}/InvoiceDetailOrder/InvoiceDetailOrderInfo"
    texts = (
        ("order", f"{order}/OrderReference/@orderID | {order}/OrderIDInfo/@orderID"),
        ("sales_order", f"{order}/SupplierOrderInfo/@orderID"),
        ("contract", f"{order}/MasterAgreementReference/@agreementID"),
        ("customer_reference", f"{_HEADER}/Extrinsic[@name = 'buyerReference']"),
        ("document", f"{_HEADER}/InvoiceIDInfo/@invoiceID"),
    )
    found = [Fact(label=label, text=text) for label, path in texts if (text := _XPATH.text(root, path))]
    due = date_in(_XPATH.value(root, f"{_HEADER}/Extrinsic[@name = 'dueDate']"))
    return (*found, *([Fact(label="due_date", dates=(due,))] if due else []))


def _line(node: Any) -> TradeLine:
    """An item of goods or services; what is in the reference to the ordered item stands there."""
    reference = "*[self::InvoiceDetailItemReference or self::InvoiceDetailServiceItemReference]"
    return TradeLine(
        id=_XPATH.value(node, "@invoiceLineNumber") or "",
        name=_XPATH.text(node, f"{reference}/Description/ShortName") or _XPATH.text(node, f"{reference}/Description"),
        seller_item_id=_XPATH.value(node, f"{reference}/ItemID/SupplierPartID"),
        buyer_item_id=_XPATH.value(node, f"{reference}/ItemID/BuyerPartID"),
        standard_item_id=_XPATH.value(node, f"{reference}/InvoiceDetailItemReferenceIndustry//EANID"),
        reference=_XPATH.value(node, f"{reference}/@lineNumber"),
        notes=tuple(text for text in (_XPATH.text(node, "Comments"),) if text),
        quantity=_XPATH.decimal(node, "@quantity"),
        unit=_XPATH.value(node, "UnitOfMeasure"),
        price=_XPATH.decimal(node, "UnitPrice/Money"),
        amount=_XPATH.decimal(node, "(SubtotalAmount | NetAmount | GrossAmount)/Money"),
    )


def _sums(root: Any) -> tuple[Sum, ...]:
    due = "DueAmount" if _XPATH.decimal(root, f"{_SUMMARY}/DueAmount/Money") is not None else "NetAmount"
    found = (
        ("lines", "SubtotalAmount"),
        ("charges", "ShippingAmount"),
        ("vat", "Tax"),
        ("with_vat", "GrossAmount"),
        ("paid", "DepositAmount"),
        ("payable", due),
    )
    return tuple(
        Sum(label=label, amount=amount, payable=label == "payable")
        for label, name in found
        if (amount := _XPATH.decimal(root, f"{_SUMMARY}/{name}/Money")) is not None
    )
