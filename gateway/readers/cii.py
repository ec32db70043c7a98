"""Cross Industry Invoices (UN/CEFACT): EN 16931, XRechnung and Factur-X/ZUGFeRD 2 (D16B, D22B), and ZUGFeRD 1.0."""

from __future__ import annotations

import datetime as dt
from typing import Any

from gateway import address, doctypes
from gateway.doctypes.invoice import INVOICE
from gateway.model import Found, ReadDocument
from gateway.readers.cii_invoice import invoice_of
from gateway.readers.cii_paths import DIALECTS, date_in
from gateway.readers.item import Item
from gateway.readers.xpath import decimal_of

MAX_CANDIDATES = 50

_ENDPOINT = "ram:URIUniversalCommunication/ram:URIID[@schemeID = 'EM' or contains(., '@')]"
_CONTACT = "ram:DefinedTradeContact/ram:EmailURIUniversalCommunication/ram:URIID"


class CiiReader:
    """Invoices whose root is a Cross Industry Invoice."""

    name = "cii"

    def sniff(self, item: Item) -> bool:
        """By the root's qualified name."""
        return item.root is not None and item.root.tag in DIALECTS

    def read(self, item: Item) -> list[ReadDocument]:
        """One document: the header fields with their evidence, and the invoice."""
        return [_Reading(item).document()]


class _Reading:
    """One pass over one document; collects evidence and notes on the way."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.root = item.root
        self.dialect = DIALECTS[item.root.tag]
        self.buyer = f"{self.dialect.agreement}/ram:BuyerTradeParty"
        self.seller = f"{self.dialect.agreement}/ram:SellerTradeParty"
        self.evidence: list[Found] = []
        self.notes: list[str] = []

    def document(self) -> ReadDocument:
        """The whole reading."""
        dialect = self.dialect
        document, settlement = dialect.document, dialect.settlement
        guideline = f"{dialect.context}/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"
        return ReadDocument(
            format="cii",
            profile=self.first("profile", guideline),
            type=INVOICE.name,
            subtype=self.subtype(),
            number=self.first("number", f"{document}/ram:ID"),
            issue_date=self.date("issue_date", f"{document}/ram:IssueDateTime"),
            due_date=self.date("due_date", f"{settlement}/ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime"),
            customer_numbers=self.customer_numbers(),
            emails=self.emails(),
            seller=self.first("seller", f"{self.seller}/ram:Name"),
            buyer=self.first("buyer", f"{self.buyer}/ram:Name"),
            currency=self.first("currency", f"{settlement}/ram:InvoiceCurrencyCode"),
            payable=self.payable(),
            language=self.language(),
            invoice=invoice_of(dialect, self.root, self.notes) if self.item.whole else None,
            evidence=(*self.evidence, *self.item.evidence),  # last: the calls above have filled them
            notes=tuple(dict.fromkeys(self.notes)),
        )

    def found(self, field: str, value: str, path: str) -> str:
        """Keep the evidence that `value` stands at `path`."""
        self.evidence.append(Found(field=field, value=value, where=f"{self.item.path}/{path}"))
        return value

    def first(self, field: str, path: str) -> str | None:
        """The value at `path`."""
        value = self.dialect.xpath.value(self.root, path)
        return self.found(field, value, path) if value else None

    def date(self, field: str, path: str) -> dt.date | None:
        """The date at `path`; what is no date is noted and not used."""
        text = self.dialect.date_text(self.root, path)
        date = date_in(text)
        if date:
            self.found(field, date.isoformat(), path)
        elif text:
            self.notes.append(f"{path} is {text!r}, which is no date.")
        return date

    def subtype(self) -> str:
        """The subtype by UNTDID 1001; an unknown code is an invoice all the same, since the root says so."""
        code = self.first("type_code", f"{self.dialect.document}/ram:TypeCode")
        subtype = doctypes.invoice_subtype(code) if code else "invoice"
        if subtype is None:
            self.notes.append(f"ram:TypeCode {code!r} is no invoice code of UNTDID 1001.")
        return subtype or "invoice"

    def customer_numbers(self) -> tuple[str, ...]:
        """The buyer's identifiers: those that the seller gave (ram:ID) before those of a registry (ram:GlobalID)."""
        numbers: dict[str, None] = {}
        for path in (f"{self.buyer}/ram:ID", f"{self.buyer}/ram:GlobalID"):
            for node in self.dialect.xpath.nodes(self.root, path):
                value = self.dialect.xpath.value(node, ".")
                if value and value not in numbers:
                    scheme = (node.get("schemeID") or "").strip()
                    numbers[self.found("customer_number", value, path + _shown(scheme))] = None
        return tuple(numbers)[:MAX_CANDIDATES]

    def emails(self) -> tuple[str, ...]:
        """The buyer's addresses: the electronic address (BT-49) before the contact's (BT-58), lists split."""
        own = {text.casefold() for path in (_ENDPOINT, _CONTACT) for text in self.listed(f"{self.seller}/{path}")}
        emails: dict[str, str] = {}
        for path in (f"{self.buyer}/{_ENDPOINT}", f"{self.buyer}/{_CONTACT}"):
            for text in self.listed(path):
                if "@" not in text:
                    self.notes.append(f"{path} is {text!r}, which is no e-mail address.")
                elif text.casefold() in own:
                    self.notes.append(f"{path} is {text!r}, which is the sender's own address, and is not used.")
                elif text.casefold() not in emails:
                    emails[text.casefold()] = self.found("email", text, path)
        return tuple(emails.values())[:MAX_CANDIDATES]

    def listed(self, path: str) -> list[str]:
        """The items of every list of addresses at `path`."""
        return [
            item[7:] if item[:7].casefold() == "mailto:" else item
            for value in self.dialect.xpath.values(self.root, path)
            for item in address.split_list(value)
        ]

    def payable(self) -> str | None:
        """The amount to pay (BT-115), as written; before ZUGFeRD 2 it could be left out when nothing was paid."""
        total = f"{self.dialect.settlement}/{self.dialect.summation}"
        value = self.first("payable", f"{total}/ram:DuePayableAmount")
        if value and decimal_of(value) is None:
            self.notes.append(f"DuePayableAmount is {value!r}, which is no number.")
        return value

    def language(self) -> str | None:
        """The language that an EXTENDED invoice says it is in."""
        path = f"{self.dialect.document}/ram:LanguageID"
        value = (self.dialect.xpath.value(self.root, path) or "").lower().partition("-")[0]
        return self.found("language", value, path) if len(value) == 2 and value.isalpha() and value.isascii() else None


def _shown(scheme: Any) -> str:
    return f"[@schemeID={scheme[:40]!r}]" if scheme else ""
