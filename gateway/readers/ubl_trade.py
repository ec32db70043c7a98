"""A UBL document other than an invoice, in the terms of `gateway.trade`."""

from __future__ import annotations

from typing import Any

from lxml import etree

from gateway.en16931 import Address, Party
from gateway.readers.ubl_party import address_of, party_of
from gateway.readers.ubl_paths import UBL
from gateway.readers.ubl_roles import Roles
from gateway.readers.ubl_trade_places import FACTS, LINES, OTHERS, SUMS, TOTAL, LinePlaces
from gateway.trade import Fact, Role, Sum, Trade, TradeLine


def trade_of(root: Any, roles: Roles, currency: str | None) -> Trade:
    """The content of `root`; what is not in the tables of `ubl_trade_places` is left out."""
    name = etree.QName(root).localname
    addressees = [party for role in roles.addressees if (party := party_of(root, _holder(role.party))) != Party()]
    sender = party_of(root, _holder(roles.sender))
    addressee = addressees[0] if addressees else Party()
    return Trade(
        number=UBL.value(root, "cbc:ID"),
        issue_date=UBL.date(root, "cbc:IssueDate"),
        currency=currency or UBL.value(root, ".//@currencyID"),
        sender=sender,
        addressee=addressee,
        others=_others(root, (sender, addressee)),
        facts=_facts(root, name),
        lines=_lines(root, LINES[name]) if name in LINES else (),
        sums=_sums(root),
        notes=tuple(text for node in UBL.nodes(root, "cbc:Note")[:50] if (text := UBL.text(node, "."))),
    )


def _holder(path: str) -> str:
    """The element around cac:Party, which has the account number; the path itself where there is none around."""
    return path.removesuffix("/cac:Party")


def _others(root: Any, known: tuple[Party, ...]) -> tuple[Role, ...]:
    found = [Role(label=label, party=party_of(root, path)) for label, path in OTHERS]
    place = UBL.node(root, "cac:Delivery/cac:DeliveryLocation | cac:Shipment/cac:Delivery/cac:DeliveryAddress")
    address = _place(place)
    if address:
        found.append(Role(label="delivery_place", party=Party(name=UBL.value(place, "cbc:Name"), address=address)))
    kept: list[Role] = []
    for role in found:
        if role.party not in (Party(), *known, *(other.party for other in kept)):
            kept.append(role)
    return tuple(kept)


def _place(node: Any) -> Address | None:
    if node is None:
        return None
    inner = UBL.node(node, "cac:Address")
    return address_of(node if inner is None else inner)


def _facts(root: Any, name: str) -> tuple[Fact, ...]:
    found = []
    for label, kind, paths in FACTS.get(name, FACTS["Catalogue"]):
        for path in paths:
            fact = _fact(root, label, kind, path)
            if fact:
                found.append(fact)
                break
    return tuple(found)


def _fact(root: Any, label: str, kind: str, path: str) -> Fact | None:
    if kind in ("date", "period"):
        ends = (path,) if kind == "date" else (f"{path}/cbc:StartDate", f"{path}/cbc:EndDate")
        dates = tuple(dict.fromkeys(day for end in ends if (day := UBL.date(root, end))))
        return Fact(label=label, dates=dates) if dates else None
    if kind == "measure":
        amount = UBL.decimal(root, path)
        return None if amount is None else Fact(label=label, amount=amount, unit=UBL.value(root, f"{path}/@unitCode"))
    text = UBL.text(root, path)
    return Fact(label=label, text=text, code=kind.removeprefix("code:") if ":" in kind else None) if text else None


def _lines(root: Any, places: LinePlaces) -> tuple[TradeLine, ...]:
    return tuple(_line(node, places) for node in UBL.nodes(root, places.lines))


def _line(node: Any, places: LinePlaces) -> TradeLine:
    item = UBL.node(node, places.item)
    quantities = [path for path in places.quantity if UBL.decimal(node, path) is not None]
    numbers: dict[str, Any] = {
        field: next((value for path in getattr(places, field) if (value := UBL.decimal(node, path)) is not None), None)
        for field in ("quantity", "outstanding", "price", "debit", "credit", "amount")
    }
    return TradeLine(
        id=_first(node, places.id) or "",
        **(_item(item) if item is not None else {}),
        notes=tuple(text for path in places.notes if (text := UBL.text(node, path))),
        status=_first(node, places.status),
        reference=" / ".join(text for path in places.reference if (text := UBL.value(node, path))) or None,
        date=next((day for path in places.date if (day := UBL.date(node, path))), None),
        unit=UBL.value(node, f"{quantities[0]}/@unitCode") if quantities else None,
        **numbers,
    )


def _item(item: Any) -> dict[str, Any]:
    return {
        "name": UBL.text(item, "cbc:Name"),
        "description": UBL.text(item, "cbc:Description"),
        "seller_item_id": UBL.value(item, "cac:SellersItemIdentification/cbc:ID"),
        "buyer_item_id": UBL.value(item, "cac:BuyersItemIdentification/cbc:ID"),
        "standard_item_id": UBL.value(item, "cac:StandardItemIdentification/cbc:ID"),
    }


def _first(node: Any, paths: tuple[str, ...]) -> str | None:
    return next((value for path in paths if (value := UBL.value(node, path))), None)


def _sums(root: Any) -> tuple[Sum, ...]:
    return tuple(
        Sum(label=label, amount=amount, payable=payable)
        for label, path, payable in SUMS
        if (amount := UBL.decimal(root, path.format(total=TOTAL))) is not None
    )
