"""An INVOIC message in the terms of EN 16931-1, by the recipes of `edifact_codes`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from gateway.en16931 import Identifier, Invoice, Note, Party, Reference, Totals, VatBreakdown
from gateway.readers import edifact_codes as codes
from gateway.readers.edifact_groups import (
    Group,
    Message,
    coded,
    date,
    date_in,
    every,
    free_text,
    is_cen,
    number,
    reference,
    started,
    texts,
)
from gateway.readers.edifact_line import allowances_charges_of, line_of, period_of, tax_of
from gateway.readers.edifact_party import party_of, payment_of
from gateway.readers.edifact_syntax import Segment
from gateway.readers.stated import sum_of
from gateway.readers.xpath import clean

_WITHOUT_TERM = ("TOD", "TDT", "PAC", "ALI", "GIS", "RCS")  # segments of the header kept by their texts
_OWN_TEXTS = (
    *codes.PAYMENT_TERMS,
    *codes.EXEMPTION,
    *codes.PAYMENT_TEXT,
    *codes.SPECIFICATION,
)
_NOT_A_SUBJECT = "GEN"  # entire transaction set: what CEN/TS 16931-3-4 writes where there is no subject


def currency_of(message: Message, codes_: Sequence[str]) -> str | None:
    """CUX C504 6345: code 2 is the reference currency, 6 the one of the accounts."""
    for segment in every(message.header, "CUX"):
        for element in range(len(segment.elements)):
            if segment.at(element) in codes_:
                return segment.at(element, 1)
    return None


def invoice_of(message: Message, release: str, mark: str, notes: list[str]) -> Invoice:
    """The content of the message of a directory (`96A`); what cannot be read is left out and noted."""
    head = message.header[0]
    header = [segment for group in message.header for segment in group if group and group[0].tag not in ("NAD", "ALC")]
    bgm = next((segment for segment in head if segment.tag == "BGM"), Segment("BGM"))
    _note_bad_values(message, mark, notes)
    taxes = started(message.header, "TAX")
    default_tax = taxes[0][0] if len(taxes) == 1 else None
    lines = tuple(
        line_of(groups, mark, default_tax, place, notes) for place, groups in enumerate(message.lines, 1) if groups
    )
    return Invoice(
        number=clean(bgm.at(1)),
        type_code=bgm.at(0),
        currency=currency_of(message, ("2",)),
        accounting_currency=currency_of(message, ("6",)),
        **_dates(header),
        **_references(head, message),
        payment_terms="\n".join(texts(header, codes.PAYMENT_TERMS)) or None,
        notes=_notes(header, release),
        specification=next(iter(texts(header, codes.SPECIFICATION)), None),
        **_parties(message, release, header),
        period=period_of(head),
        payment=payment_of(message),
        allowances_charges=allowances_charges_of(started(message.header, "ALC"), mark, notes, default_tax),
        totals=_totals(message, mark, [line.amount for line in lines], notes),
        vat=_vat(message, mark, _exemptions(header), notes),
        lines=lines,
        extensions=_extensions(message),
    )


def _dates(header: Group) -> dict[str, Any]:
    return {field: date(header, qualifiers) for field, qualifiers in codes.DATES.items()}


def _parties(message: Message, release: str, header: Group) -> dict[str, Any]:
    legal = [text for segment in header if _is_legal_form(segment, release) and (text := free_text(segment))]
    seller = party_of(message, codes.SELLER, release) or Party()
    return {
        "seller": msgspec.structs.replace(seller, legal_form=" ".join(legal) or None),
        "buyer": party_of(message, codes.BUYER, release) or Party(),
        "payee": party_of(message, codes.PAYEE, release),
        "tax_representative": party_of(message, codes.TAX_REPRESENTATIVE, release),
        "deliver_to": party_of(message, codes.DELIVER_TO, release),
    }


def _is_legal_form(segment: Segment, release: str) -> bool:
    is_own = is_cen(release) or segment.at(2) == codes.LEGAL_FORM_CODE
    return segment.tag == "FTX" and segment.at(0) in codes.LEGAL_FORM and is_own


def _references(head: Group, message: Message) -> dict[str, Any]:
    """BT-10 to BT-19, BG-3 and BG-24; some stand with the buyer."""
    buyer = [segment for group in started(message.header, "NAD") if group[0].at(0) in codes.BUYER for segment in group]
    found: dict[str, Any] = {
        field: reference(head, qualifiers) or reference(buyer, qualifiers)
        for field, qualifiers in codes.REFERENCES.items()
    }
    preceding, objects = [], []
    for at, segment in enumerate(head):
        following = head[at + 1] if at + 1 < len(head) else Segment("")
        if segment.tag == "RFF" and segment.at(0) in codes.PRECEDING and (number_ := clean(segment.at(0, 1))):
            when = following if following.tag == "DTM" else Segment("")
            preceding.append(Reference(id=number_, date=date_in(when.at(0, 1), when.at(0, 2))))
        elif segment.tag == "GIR" and (thing := clean(segment.at(1))):
            objects.append(thing)
    found["invoiced_object"] = Identifier(value=objects[0]) if objects else None
    found["preceding"] = tuple(preceding)
    found["supporting"] = tuple(_document(group) for group in started(message.header, "EFI"))
    return found


def _document(group: Group) -> Reference:
    """EFI: an external file, its address in COM (CEN/TS 16931-3-4)."""
    described = clean(group[0].at(0, 1))
    link = next((segment.at(0) for segment in group if segment.tag == "COM"), None)
    name = reference(group, ("ATS",)) or described or link or ""
    return Reference(id=name, description=described, uri=link, file_name=None if link else clean(group[0].at(0)))


def _notes(header: Group, release: str) -> tuple[Note, ...]:
    """BG-1: every free text that is not the recipe of another term."""
    found = []
    for segment in header:
        subject = segment.at(0) if segment.tag == "FTX" else None
        own = subject in _OWN_TEXTS or _is_legal_form(segment, release)
        if segment.tag == "FTX" and not own and (text := free_text(segment)):
            found.append(Note(text=text, subject=None if subject == _NOT_A_SUBJECT else subject))
    return tuple(found)


def _totals(message: Message, mark: str, amounts: list[Decimal | None], notes: list[str]) -> Totals:
    """BG-22: the MOA of the summary that are below no TAX or ALC."""
    group = message.summary[0]
    currency = currency_of(message, ("2",))
    other = [segment for segment in group if segment.tag == "MOA" and (segment.at(0, 2) or currency) != currency]
    own = [segment for segment in group if segment not in other]
    found: dict[str, Decimal | None] = {}
    for field, qualifiers in codes.TOTALS.items():
        segment = coded(own, "MOA", qualifiers)
        found[field] = number(segment.at(0, 1), mark) if segment else None
    accounts = coded(other, "MOA", codes.TOTALS["vat"])
    if accounts and found["vat_accounting_currency"] is None:
        found["vat_accounting_currency"] = number(accounts.at(0, 1), mark)
    if found["lines"] is None:
        found["lines"] = sum_of(amounts, notes)
    if found["payable"] is None and found["paid"] is None:
        found["payable"] = found["with_vat"]  # with nothing paid, what is due is the invoice's amount
    return Totals(**found)


def _exemptions(header: Group) -> dict[str | None, str]:
    """The reasons why there is no VAT, by the category that they name, or None."""
    found: dict[str | None, str] = {}
    for segment in header:
        if segment.tag == "FTX" and segment.at(0) in codes.EXEMPTION and (text := free_text(segment)):
            category = segment.at(2)
            found[category] = f"{found[category]} {text}" if category in found else text
    return found


def _vat(message: Message, mark: str, reasons: dict[str | None, str], notes: list[str]) -> tuple[VatBreakdown, ...]:
    """BG-23: TAX in the summary with its amounts; a reason that names no category goes to the first without tax."""
    found = []
    for group in started(message.summary, "TAX"):
        category, rate = tax_of(group[0], mark, notes)
        taxable, amount = coded(group, "MOA", codes.TAXABLE), coded(group, "MOA", codes.TAX)
        is_untaxed = not rate and category not in ("S", "Z")
        found.append(
            VatBreakdown(
                category=category,
                rate=rate,
                taxable=number(taxable.at(0, 1), mark) if taxable else None,
                amount=number(amount.at(0, 1), mark) if amount else None,
                exemption_reason=reasons.pop(category, None) or (reasons.pop(None, None) if is_untaxed else None),
            )
        )
    return tuple(found)


def _extensions(message: Message) -> tuple[tuple[str, str], ...]:
    """Segments of the header without a term, by tag and texts."""
    return tuple(
        (segment.tag, " ".join(part for element in segment.elements for part in element if part))
        for group in message.header
        for segment in group
        if segment.tag in _WITHOUT_TERM
    )


def _note_bad_values(message: Message, mark: str, notes: list[str]) -> None:
    """A sentence for each amount, quantity or price that is no number, and each date that is none."""
    sections = [*message.header, *message.summary, *(group for groups in message.lines for group in groups)]
    for segment in (segment for group in sections for segment in group):
        value = segment.at(0, 1)
        if segment.tag in ("MOA", "QTY", "PRI") and value and number(value, mark) is None and len(notes) < 20:
            notes.append(f"{segment.tag}+{segment.at(0)} is {value!r}, which is no number.")
