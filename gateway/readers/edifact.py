"""EDIFACT INVOIC (UN/EDIFACT D.93A, D.96A, D.01B, and D.14B of CEN/TS 16931-3-4): invoices whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from gateway import doctypes
from gateway.doctypes.invoice import INVOICE
from gateway.errors import Unreadable
from gateway.model import Found, ReadDocument
from gateway.readers import edifact_codes as codes
from gateway.readers.edifact_groups import Group, Message, coded, date_in, message, number
from gateway.readers.edifact_invoice import currency_of, invoice_of
from gateway.readers.edifact_party import emails_of, group_of, party_of
from gateway.readers.edifact_syntax import Interchange, Segment, is_edifact, message_of, parse
from gateway.readers.header import MAX_CANDIDATES
from gateway.readers.item import Item
from gateway.readers.xpath import clean

_INVOIC = "INVOIC"


class EdifactReader:
    """Interchanges with one INVOIC message; those with several have been taken apart before."""

    name = "edifact"

    def sniff(self, item: Item) -> bool:
        """By the first segment."""
        return item.root is None and is_edifact(item.data)

    def read(self, item: Item) -> list[ReadDocument]:
        """One document: the header fields with their evidence, and the invoice."""
        interchange = parse(item.data)
        segments, odd = message_of(interchange)
        kind = segments[0].at(1) or ""
        if kind != _INVOIC:
            raise Unreadable("unknown-type", f"The EDIFACT message {kind[:10]} is no type that we read.")
        return [_Reading(item, interchange, segments, odd).document()]


class _Reading:
    """One pass over one message; collects evidence and notes on the way."""

    def __init__(self, item: Item, interchange: Interchange, segments: Sequence[Segment], odd: Sequence[str]) -> None:
        self.item = item
        self.mark = interchange.decimal_mark
        self.identifier = segments[0]
        self.release = segments[0].at(1, 2) or ""
        self.message: Message = message(segments)
        self.notes = [*interchange.notes, *odd]
        self.evidence: list[Found] = []
        self.header: Group = [segment for group in self.message.header for segment in group]

    def document(self) -> ReadDocument:
        """The whole reading."""
        bgm = next((segment for segment in self.header if segment.tag == "BGM"), Segment("BGM"))
        profile = ".".join(part for part in (self.identifier.at(1, 1), self.release) if part)
        association = self.identifier.at(1, 4)
        return ReadDocument(
            format="edifact",
            profile=self.found("profile", f"{profile} {association}" if association else profile, "UNH S009"),
            type=INVOICE.name,
            subtype=self.subtype(bgm),
            number=self.found("number", clean(bgm.at(1)), "BGM 1004"),
            issue_date=self.date("issue_date"),
            due_date=self.date("due_date"),
            customer_numbers=self.customer_numbers(),
            emails=self.emails(),
            seller=self.name("seller", codes.SELLER),
            buyer=self.name("buyer", codes.BUYER),
            currency=self.found("currency", currency_of(self.message, ("2",)), "CUX+2"),
            payable=self.payable(),
            invoice=invoice_of(self.message, self.release, self.mark, self.notes) if self.item.whole else None,
            evidence=(*self.evidence, *self.item.evidence),
            notes=tuple(dict.fromkeys(self.notes)),
        )

    def found(self, field: str, value: str | None, where: str) -> str | None:
        """Keep the evidence that `value` stands at `where`."""
        if value:
            self.evidence.append(Found(field=field, value=value, where=where))
        return value

    def subtype(self, bgm: Segment) -> str:
        """By UNTDID 1001; an unknown code is an invoice all the same, since the message says so."""
        code = self.found("type_code", bgm.at(0), "BGM C002")
        subtype = doctypes.invoice_subtype(code) if code else "invoice"
        if subtype is None:
            self.notes.append(f"BGM {code!r} is no invoice code of UNTDID 1001.")
        return subtype or "invoice"

    def date(self, field: str) -> dt.date | None:
        """A date of the header; what is no date is noted and not used."""
        segment = coded(self.header, "DTM", codes.DATES[field])
        if segment is None:
            return None
        text, form = segment.at(0, 1), segment.at(0, 2)
        date = date_in(text, form)
        if date is None and text:
            self.notes.append(f"DTM+{segment.at(0)} is {text!r}, which is no date.")
        self.found(field, date.isoformat() if date else None, f"DTM+{segment.at(0)}")
        return date

    def name(self, field: str, roles: Sequence[str]) -> str | None:
        """The name of a party."""
        party = party_of(self.message, roles, self.release)
        group = group_of(self.message, roles)
        return self.found(field, party.name, f"NAD+{group[0].at(0)}") if party else None

    def customer_numbers(self) -> tuple[str, ...]:
        """The numbers that the seller gave the buyer, then the identification of buyer and invoicee."""
        numbers: dict[str, None] = {}
        for role in codes.BUYER:
            group = group_of(self.message, (role,))
            for code in codes.CUSTOMER_NUMBER:
                for segment in group:
                    if segment.tag == "RFF" and segment.at(0) == code:
                        self._number(numbers, clean(segment.at(0, 1)), f"NAD+{role}/RFF+{code}")
        for role in codes.BUYER:
            group = group_of(self.message, (role,))
            if group:
                self._number(numbers, clean(group[0].at(1)), f"NAD+{role} C082")
        return tuple(numbers)[:MAX_CANDIDATES]

    def _number(self, numbers: dict[str, None], value: str | None, where: str) -> None:
        if value and value not in numbers:
            self.found("customer_number", value, where)
            numbers[value] = None

    def emails(self) -> tuple[str, ...]:
        """The addresses of the buyer's contacts; one that the seller has too is never taken."""
        own = {mail.casefold() for mail in emails_of(group_of(self.message, codes.SELLER))}
        emails: dict[str, str] = {}
        for role in codes.BUYER:
            for mail in emails_of(group_of(self.message, (role,))):
                if "@" not in mail:
                    self.notes.append(f"NAD+{role}/COM is {mail!r}, which is no e-mail address.")
                elif mail.casefold() in own:
                    self.notes.append(
                        f"NAD+{role}/COM is {mail!r}, which is the sender's own address, and is not used."
                    )
                elif mail.casefold() not in emails:
                    self.found("email", mail, f"NAD+{role}/COM")
                    emails[mail.casefold()] = mail
        return tuple(emails.values())[:MAX_CANDIDATES]

    def payable(self) -> str | None:
        """The amount due, else the amount of the invoice."""
        segment = coded(self.message.summary[0], "MOA", codes.PAYABLE)
        amount = number(segment.at(0, 1), self.mark) if segment else None
        if segment is None or amount is None:
            return None
        return self.found("payable", f"{amount:f}", f"MOA+{segment.at(0)}")
