"""Lines of an INVOIC message in the terms of EN 16931 (BG-25 to BG-32), and allowances and charges."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from gateway.en16931 import AllowanceCharge, Identifier, Line, Period
from gateway.readers import edifact_codes as codes
from gateway.readers.edifact_groups import (
    Group,
    coded,
    date,
    number,
    reference,
    started,
    texts,
)
from gateway.readers.edifact_syntax import Segment
from gateway.readers.stated import vat_category_of
from gateway.readers.xpath import clean, clean_text

_CHARGE = "C"  # ALC 5463


def line_of(groups: Sequence[Group], mark: str, default_tax: Segment | None, place: int, notes: list[str]) -> Line:
    """One LIN with its groups; `default_tax` is the tax of the whole message, `place` its number."""
    segments = [segment for group in groups if not group or group[0].tag != "ALC" for segment in group]
    lin = segments[0]
    tax = next((segment for segment in segments if segment.tag == "TAX"), default_tax)
    category, rate = tax_of(tax, mark, notes)
    quantity = coded(segments, "QTY", codes.QUANTITIES)
    amount = coded(segments, "MOA", codes.LINE_AMOUNT)
    origin = next((segment for segment in segments if segment.tag == "ALI"), None)
    alcs = started(groups, "ALC")
    return Line(
        id=reference(segments, ("LI",)) or lin.at(0) or str(place),
        note="\n".join(texts(segments, codes.LINE_NOTE)) or None,
        name=_description(segments, codes.NAME_TYPES) or _description(segments, codes.DESCRIPTION_TYPES),
        description=_description(segments, codes.DESCRIPTION_TYPES)
        if _description(segments, codes.NAME_TYPES)
        else None,
        **_numbers(segments),
        quantity=number(quantity.at(0, 1), mark) if quantity else None,
        unit=_unit(clean(quantity.at(0, 2))) if quantity else None,
        **_price(segments, alcs, mark),
        amount=number(amount.at(0, 1), mark) if amount else None,
        vat_category=category,
        vat_rate=rate,
        period=period_of(segments),
        order_line=_order_line(segments),
        object_id=_identifier(reference(segments, ("AVE",))),
        origin=origin.at(0) if origin else None,
        accounting_reference=reference(segments, ("AWQ",)),
        allowances_charges=allowances_charges_of(alcs, mark, notes, has_vat=False),
        attributes=_attributes(segments),
    )


def allowances_charges_of(
    groups: Sequence[Group], mark: str, notes: list[str], default_tax: Segment | None = None, *, has_vat: bool = True
) -> tuple[AllowanceCharge, ...]:
    """ALC groups (BG-20, BG-21, BG-27, BG-28); one without an amount says nothing."""
    found = []
    for group in groups:
        alc = group[0]
        amount = coded(group, "MOA", codes.ALLOWANCE_AMOUNT)
        value = number(amount.at(0, 1), mark) if amount else None
        if value is None:
            continue
        base = coded(group, "MOA", codes.ALLOWANCE_BASE)
        percent = next((segment for segment in group if segment.tag == "PCD"), None)
        tax = next((segment for segment in group if segment.tag == "TAX"), default_tax)
        category, rate = tax_of(tax, mark, notes) if has_vat else (None, None)
        found.append(
            AllowanceCharge(
                is_charge=alc.at(0) == _CHARGE,
                amount=value,
                base=number(base.at(0, 1), mark) if base else None,
                percent=number(percent.at(0, 1), mark) if percent else None,
                vat_category=category,
                vat_rate=rate,
                reason=clean_text(" ".join(alc.all(4, 3, 5))) or clean(alc.at(1)),
                reason_code=alc.at(1, 1) or alc.at(4),
            )
        )
    return tuple(found)


def tax_of(segment: Segment | None, mark: str, notes: list[str]) -> tuple[str | None, Decimal | None]:
    """TAX: the category (5305) and the rate (C243 5278)."""
    if segment is None:
        return None, None
    rate = number(segment.at(4, 3), mark)
    return vat_category_of(segment.at(5), rate, notes), rate


def period_of(segments: Group) -> Period | None:
    """DTM 167 and 168, or both dates in 263."""
    start, end = (date(segments, (code,)) for code in codes.PERIOD[:2])
    both = coded(segments, "DTM", codes.PERIOD[2:])
    if both and (text := both.at(0, 1)) and len(text.replace("-", "")) == 16:
        digits = text.replace("-", "")
        start = start or date([Segment("DTM", (("263", digits[:8]),))], ("263",))
        end = end or date([Segment("DTM", (("263", digits[8:]),))], ("263",))
    return Period(start=start, end=end) if start or end else None


def _unit(code: str | None) -> str | None:
    return codes.UNITS.get(code or "", code)


def _description(segments: Group, types: Sequence[str]) -> str | None:
    """IMD C273 7008, several segments one text."""
    parts = [
        " ".join(segment.all(2, 3, 5))
        for segment in segments
        if segment.tag == "IMD" and (segment.at(0) or "") in types
    ]
    return clean_text(" ".join(part for part in parts if part))


def _numbers(segments: Group) -> dict[str, Any]:
    """BG-31: LIN C212, and PIA C212 up to five times a segment."""
    lin = segments[0]
    pairs = [(clean(lin.at(2)), lin.at(2, 1))]
    for segment in segments:
        if segment.tag == "PIA":
            pairs += [(clean(segment.at(element)), segment.at(element, 1)) for element in range(1, 6)]
    stated = [(value, kind) for value, kind in pairs if value]
    known = (*codes.SELLERS_ITEM, *codes.BUYERS_ITEM, *codes.GTIN)

    def first(kinds: Sequence[str]) -> str | None:
        return next((value for value, kind in stated if kind in kinds), None)

    gtin = first(codes.GTIN)
    return {
        "seller_item_id": first(codes.SELLERS_ITEM),
        "buyer_item_id": first(codes.BUYERS_ITEM),
        "standard_item_id": Identifier(value=gtin, scheme=codes.GTIN_SCHEME) if gtin else None,
        "classifications": tuple(Identifier(value=value, scheme=kind) for value, kind in stated if kind not in known),
    }


def _price(segments: Group, alcs: Sequence[Group], mark: str) -> dict[str, Any]:
    """BG-29: the net price (AAA), beside it the gross one (AAB) and what is between them."""
    net, gross = coded(segments, "PRI", codes.NET_PRICE), coded(segments, "PRI", codes.GROSS_PRICE)
    main = net or gross
    discount = next((moa for group in alcs if (moa := coded(group, "MOA", codes.PRICE_DISCOUNT))), None)
    return {
        "price": number(main.at(0, 1), mark) if main else None,
        "gross_price": number(gross.at(0, 1), mark) if gross and net else None,
        "price_discount": number(discount.at(0, 1), mark) if discount else None,
        "price_base_quantity": number(main.at(0, 4), mark) if main else None,
    }


def _order_line(segments: Group) -> str | None:
    segment = coded(segments, "RFF", ("ON",))
    return clean(segment.at(0, 2)) if segment else None


def _identifier(value: str | None) -> Identifier | None:
    return Identifier(value=value) if value else None


def _attributes(segments: Group) -> tuple[tuple[str, str], ...]:
    """BG-32: FTX with name and value as components."""
    found = []
    for segment in segments:
        if segment.tag == "FTX" and segment.at(0) in codes.LINE_ATTRIBUTE:
            name, value = clean_text(segment.at(3)), clean_text(" ".join(segment.all(3, 1)))
            if name:
                found.append((name, value or ""))
    return tuple(found)
