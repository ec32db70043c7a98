"""The routing fields of an XML document, read by a table of places: each value with its evidence."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from gateway import address
from gateway.model import Found
from gateway.readers.item import Item
from gateway.readers.xpath import Paths, date_of, decimal_of

MAX_CANDIDATES = 50


@dataclasses.dataclass(frozen=True, kw_only=True)
class Places:
    """Where a format has the routing fields: XPaths below the root, the first that holds a value wins.

    For customer numbers and addresses all places count, in their order. An address at one of `own_emails` is the
    sender's and never taken.
    """

    profile: tuple[str, ...] = ()
    number: tuple[str, ...]
    issue_date: tuple[str, ...]
    due_date: tuple[str, ...] = ()
    customer_numbers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    own_emails: tuple[str, ...] = ()
    seller: tuple[str, ...]
    buyer: tuple[str, ...]
    currency: tuple[str, ...]
    payable: tuple[str, ...]
    language: tuple[str, ...] = ()


class Header:
    """One pass over the header of one document; collects evidence and notes on the way."""

    def __init__(
        self,
        item: Item,
        xpath: Paths,
        places: Places,
        *,
        date: Callable[[str | None], dt.date | None] = date_of,
        decimal: Callable[[str | None], Decimal | None] = decimal_of,
    ) -> None:
        self.item = item
        self.root = item.root
        self._xpath = xpath
        self._places = places
        self._date = date
        self._decimal = decimal
        self.evidence: list[Found] = []
        self.notes: list[str] = []

    def fields(self) -> dict[str, Any]:
        """The fields of a `ReadDocument` that the table knows, the evidence among them."""
        places = self._places
        return {
            "profile": self.first("profile", places.profile),
            "number": self.first("number", places.number),
            "issue_date": self.date("issue_date", places.issue_date),
            "due_date": self.date("due_date", places.due_date),
            "customer_numbers": self._customer_numbers(),
            "emails": self._emails(),
            "seller": self.first("seller", places.seller),
            "buyer": self.first("buyer", places.buyer),
            "currency": self.first("currency", places.currency),
            "payable": self._payable(),
            "language": self._language(),
            "evidence": (*self.evidence, *self.item.evidence),
        }

    def found(self, field: str, value: str, path: str) -> str:
        """Keep the evidence that `value` stands at `path`."""
        self.evidence.append(Found(field=field, value=value, where=f"{self.item.path}/{path}"))
        return value

    def first(self, field: str, paths: tuple[str, ...]) -> str | None:
        """The first value at one of `paths`."""
        for path in paths:
            value = self._xpath.value(self.root, path)
            if value:
                return self.found(field, value, path)
        return None

    def date(self, field: str, paths: tuple[str, ...]) -> dt.date | None:
        """The first date at one of `paths`; what is no date is noted and not used."""
        for path in paths:
            text = self._xpath.value(self.root, path)
            date = self._date(text)
            if date:
                self.found(field, date.isoformat(), path)
                return date
            if text:
                self.notes.append(f"{path} is {text!r}, which is no date.")
        return None

    def _payable(self) -> str | None:
        """The first amount that is not zero, else the first, with a decimal point whatever the format writes; nothing
        is rounded."""
        stated: list[tuple[Decimal, str]] = []
        for path in self._places.payable:
            text = self._xpath.value(self.root, path)
            amount = self._decimal(text)
            if amount is not None:
                stated.append((amount, path))
            elif text:
                self.notes.append(f"{path} is {text!r}, which is no number.")
        chosen = next((each for each in stated if each[0]), stated[0] if stated else None)
        return self.found("payable", f"{chosen[0]:f}", chosen[1]) if chosen else None

    def _customer_numbers(self) -> tuple[str, ...]:
        numbers: dict[str, None] = {}
        for path in self._places.customer_numbers:
            for value in self._xpath.values(self.root, path):
                if value not in numbers:
                    numbers[self.found("customer_number", value, path)] = None
        return tuple(numbers)[:MAX_CANDIDATES]

    def _emails(self) -> tuple[str, ...]:
        own = {text.casefold() for path in self._places.own_emails for text in self._listed(path)}
        emails: dict[str, str] = {}
        for path in self._places.emails:
            for text in self._listed(path):
                if "@" not in text:
                    self.notes.append(f"{path} is {text!r}, which is no e-mail address.")
                elif text.casefold() in own:
                    self.notes.append(f"{path} is {text!r}, which is the sender's own address, and is not used.")
                elif text.casefold() not in emails:
                    emails[text.casefold()] = self.found("email", text, path)
        return tuple(emails.values())[:MAX_CANDIDATES]

    def _listed(self, path: str) -> list[str]:
        return [item for value in self._xpath.values(self.root, path) for item in address.split_list(value)]

    def _language(self) -> str | None:
        """ISO 639-1, or the ISO 639-2 codes that are met."""
        for path in self._places.language:
            value = (self._xpath.value(self.root, path) or "").lower()
            value = LANGUAGES.get(value, value)
            if len(value) == 2 and value.isalpha() and value.isascii():
                return self.found("language", value, path)
        return None


# ISO 639-2 to 639-1, for the languages that formats with three letters are written in.
LANGUAGES = {
    "eng": "en", "fra": "fr", "fre": "fr", "deu": "de", "ger": "de", "swe": "sv", "fin": "fi", "ita": "it", "spa": "es",
    "cat": "ca", "glg": "gl", "baq": "eu", "eus": "eu", "por": "pt", "nld": "nl", "dut": "nl", "dan": "da",
}  # fmt: skip
