"""SAP IDocs INVOIC01 and INVOIC02, in XML and flat, for routing and to be shown. Segments and qualifiers are those of
SAP's documentation of the basic types."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from decimal import Decimal
from typing import Any

from gateway.doctypes.invoice import INVOICE
from gateway.en16931 import Address, Contact, Identifier, Party
from gateway.errors import Unreadable
from gateway.model import ReadDocument
from gateway.readers import idocflat
from gateway.readers.header import Header, Places
from gateway.readers.item import Item
from gateway.readers.xpath import Paths, date_of, decimal_of
from gateway.trade import Fact, Role, Sum, Trade, TradeLine

_XPATH = Paths({})
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_BUYERS, _SELLERS = ("RE", "AG"), ("RS", "LF")  # PARVW: bill-to, sold-to; invoicing party, vendor
_SUBTYPES = {"CRME": "credit_note"}  # E1EDK01/BSART


def _partner(role: str) -> str:
    return f"IDOC/E1EDKA1[PARVW = '{role}']"


def _at(roles: tuple[str, ...], *below: str) -> tuple[str, ...]:
    return tuple(f"{_partner(role)}/{name}" for role in roles for name in below)


PLACES = Places(
    profile=("IDOC/EDI_DC40/IDOCTYP",),
    number=("IDOC/E1EDK01/BELNR", "IDOC/E1EDK02[QUALF = '009']/BELNR"),
    issue_date=(
        "IDOC/E1EDK03[IDDAT = '012']/DATUM",
        "IDOC/E1EDK02[QUALF = '009']/DATUM",
        "IDOC/E1EDK03[IDDAT = '024']/DATUM",
    ),
    customer_numbers=_at(_BUYERS, "PARTN", "ILNNR"),
    emails=_at(_BUYERS, "E1EDKA3/STDPN[contains(., '@')]"),
    own_emails=_at(_SELLERS, "E1EDKA3/STDPN[contains(., '@')]"),
    seller=_at(_SELLERS, "NAME1"),
    buyer=_at(_BUYERS, "NAME1"),
    currency=("IDOC/E1EDK01/CURCY",),
    payable=("IDOC/E1EDS01[SUMID = '011']/SUMME", "IDOC/E1EDS01[SUMID = '010']/SUMME"),
    language=_at(_BUYERS, "SPRAS_ISO"),
)


def date_in(text: str | None) -> dt.date | None:
    """A date as SAP writes it, CCYYMMDD; eight zeros are none."""
    match = _DATE.fullmatch(text or "")
    return date_of("-".join(match.groups())) if match else date_of(text)


def decimal_in(text: str | None) -> Decimal | None:
    """A number as SAP writes it: the minus stands behind."""
    written = (text or "").strip()
    return decimal_of(f"-{written[:-1].strip()}" if written.endswith("-") else written)


class IDocReader:
    """IDocs of the message type INVOIC."""

    name = "idoc"

    def sniff(self, item: Item) -> bool:
        """By the control record, whatever the root is called."""
        if item.root is None:
            return idocflat.is_flat(item.data)
        return item.root.find("IDOC/EDI_DC40") is not None

    def read(self, item: Item) -> list[ReadDocument]:
        """One document. Unreadable when it is of another message type."""
        odd: list[str] = []
        if item.root is None:
            item = dataclasses.replace(item, root=idocflat.element(item.data, odd))
        kind = _XPATH.value(item.root, "IDOC/EDI_DC40/MESTYP") or _XPATH.value(item.root, "IDOC/EDI_DC40/IDOCTYP") or ""
        if not kind.startswith("INVOIC"):
            raise Unreadable(
                "unknown-type", f"An IDoc of the type {kind[:30] or 'without a name'} is none that we read."
            )
        header = Header(item, _XPATH, PLACES, date=date_in, decimal=decimal_in)
        said = header.first("type_code", ("IDOC/E1EDK01/BSART",)) or ""
        fields = header.fields()
        return [
            ReadDocument(
                format="idoc",
                type=INVOICE.name,
                subtype=_SUBTYPES.get(said, "invoice"),
                trade=_trade(item.root, fields["currency"]) if item.whole else None,
                notes=tuple(dict.fromkeys((*odd, *header.notes))),
                **fields,
            )
        ]


def _trade(root: Any, currency: str | None) -> Trade:
    notes = [text for node in _XPATH.nodes(root, "IDOC/E1EDKT1")[:50] if (text := _joined(node, "E1EDKT2/TDLINE"))]
    return Trade(
        number=next((value for path in PLACES.number if (value := _XPATH.value(root, path))), None),
        issue_date=next((day for path in PLACES.issue_date if (day := date_in(_XPATH.value(root, path)))), None),
        currency=currency,
        sender=_first_party(root, _SELLERS),
        addressee=_first_party(root, _BUYERS),
        others=_others(root),
        facts=_facts(root),
        lines=tuple(map(_line, _XPATH.nodes(root, "IDOC/E1EDP01"))),
        sums=_sums(root),
        notes=tuple(notes),
    )


def _joined(node: Any, path: str) -> str:
    return "\n".join(_XPATH.values(node, path))


def _first_party(root: Any, roles: tuple[str, ...]) -> Party:
    node = next((node for role in roles if (node := _XPATH.node(root, _partner(role))) is not None), None)
    return _party(node) if node is not None else Party()


def _others(root: Any) -> tuple[Role, ...]:
    found = [(label, _XPATH.node(root, _partner(role))) for label, role in (("deliver_to", "WE"), ("payee", "RG"))]
    return tuple(Role(label=label, party=_party(node)) for label, node in found if node is not None)


def _party(node: Any) -> Party:
    address = Address(
        line1=_XPATH.value(node, "STRAS"),
        line2=_XPATH.value(node, "STRS2"),
        city=_XPATH.value(node, "ORT01"),
        post_code=_XPATH.value(node, "PSTLZ"),
        subdivision=_XPATH.value(node, "REGIO"),
        country=_XPATH.value(node, "LAND1") or _XPATH.value(node, "ISOAL"),
    )
    numbers = (_XPATH.value(node, "PARTN"), _XPATH.value(node, "ILNNR"))
    contact = Contact(
        name=_XPATH.value(node, "BNAME"),
        phone=_XPATH.value(node, "TELF1"),
        email=_XPATH.value(node, "E1EDKA3/STDPN[contains(., '@')]"),
    )
    return Party(
        name=" ".join(_XPATH.values(node, "NAME1 | NAME2")) or None,
        identifiers=tuple(Identifier(value=value) for value in numbers if value),
        address=address if address != Address() else None,
        contact=contact if contact != Contact() else None,
    )


def _facts(root: Any) -> tuple[Fact, ...]:
    texts = (
        ("order", "IDOC/E1EDK02[QUALF = '001']/BELNR"),
        ("sales_order", "IDOC/E1EDK02[QUALF = '002']/BELNR"),
        ("despatch_advice", "IDOC/E1EDK02[QUALF = '012']/BELNR"),
        ("document", "IDOC/E1EDK02[QUALF = '087']/BELNR"),
        ("payment_terms", "IDOC/E1EDK18/ZTERM_TXT"),
        ("delivery_terms", "IDOC/E1EDK17[QUALF = '001']/LKOND"),
    )
    return tuple(Fact(label=label, text=text) for label, path in texts if (text := _XPATH.text(root, path)))


def _line(node: Any) -> TradeLine:
    item = "E1EDP19[QUALF = '{}']/IDTNR"
    texts = _XPATH.values(node, "E1EDP19/KTEXT")
    quantity = decimal_in(_XPATH.value(node, "MENGE"))
    return TradeLine(
        id=(_XPATH.value(node, "POSEX") or "").lstrip("0"),
        name=texts[0] if texts else _XPATH.value(node, "E1EDPT1/E1EDPT2/TDLINE"),
        seller_item_id=_XPATH.value(node, item.format("002")),
        buyer_item_id=_XPATH.value(node, item.format("001")),
        standard_item_id=_XPATH.value(node, item.format("003")),
        reference=_XPATH.value(node, "E1EDP02[QUALF = '001']/BELNR"),
        quantity=quantity,
        unit=_XPATH.value(node, "MENEE"),
        price=decimal_in(_XPATH.value(node, "VPREI")),
        amount=decimal_in(_XPATH.value(node, "E1EDP26[QUALF = '003']/BETRG") or _XPATH.value(node, "NETWR")),
    )


def _sums(root: Any) -> tuple[Sum, ...]:
    found = (("without_vat", "010"), ("vat", "005"), ("payable", "011"))
    amounts = [
        (label, decimal_in(_XPATH.value(root, f"IDOC/E1EDS01[SUMID = '{code}']/SUMME"))) for label, code in found
    ]
    return tuple(
        Sum(label=label, amount=amount, payable=label == "payable") for label, amount in amounts if amount is not None
    )
