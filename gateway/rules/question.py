"""What a rule is asked and what it answers."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.directory import number_key
from gateway.model import Envelope, Fields, ReadDocument, Recipient, Step, Value
from gateway.settings import Business


class Hold(Value, frozen=True, kw_only=True):
    """Why a rule gives no address. Of several the lowest `rank` becomes the document's cause."""

    cause: str
    sentence: str
    rank: int
    adds: bool = False  # its sentence is worth saying beside another's

    @classmethod
    def no_number(cls) -> Hold:
        """Neither number nor address (R11)."""
        return cls(cause="no-customer-number", sentence="No customer number was found in the document.", rank=9)


class Finding(Value, frozen=True, kw_only=True):
    """A rule's answer: addresses, or the hold it would cause; `final` ends the search even so."""

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    recipient: Recipient | None = None
    steps: tuple[Step, ...] = ()
    hold: Hold | None = None
    final: bool = False


class Question(Value, frozen=True, kw_only=True):
    """A document that wants addresses, with all that is known of it."""

    reading: ReadDocument
    fields: Fields
    numbers: tuple[str, ...]  # candidates, best first
    type: str
    rows: tuple[Recipient, ...]
    business: Business
    envelope: Envelope | None = None

    @property
    def addresses(self) -> list[tuple[str, str]]:
        """The fields that may name the addressee, best first: text, and where it stands. What the sender said beats
        the document. Addresses from one place are one field with several addresses (S4); from two places they are
        alternatives."""
        if self.fields.emails:
            return [("; ".join(self.fields.emails), self.where("email", self.fields.emails[0]))]
        places: dict[str, list[str]] = {}
        for email in self.reading.emails:
            places.setdefault(self.where("email", email) or email, []).append(email)
        return [("; ".join(emails), self.where("email", emails[0])) for emails in places.values()]

    def where(self, field: str, value: str) -> str:
        """Where `value` was found: what the reader or the sender gave as evidence, else empty."""
        said = dict(self.fields.origin)
        if value and value in (self.fields.customer_number, *self.fields.emails) and said:
            return said.get({"customer_number": "customer_number", "email": "emails"}[field], said.get(field, ""))
        return next(
            (found.where for found in self.reading.evidence if _is_of(found.field, field, value, found.value)), ""
        )

    def said(self) -> Iterator[Step]:
        """What the sender said beside the document and so overrules what stands in it."""
        pairs = (
            ("customer number", self.fields.customer_number, self.reading.customer_numbers),
            ("e-mail address", "; ".join(self.fields.emails) or None, self.reading.emails),
            ("document type", self.fields.type, (self.reading.type,)),
        )
        origin = ", ".join(dict.fromkeys(where for _, where in self.fields.origin))
        for what, value, inside in pairs:
            if value is None:
                continue
            yield Step(rule="sender", text=f"{what} {value}", result="found", where=origin)
            lost = "; ".join(text for text in inside if text != value)
            if lost:
                yield Step(rule="sender", text=f"the document's own {what} {lost}", result="lost")

    def row_events(self) -> Iterator[str]:
        """The events "a row with this number was saved", for every candidate."""
        for number in self.numbers:
            if number_key(number):
                yield f"recipient:{self.business.company}:{number_key(number)}"

    def setting_events(self) -> Iterator[str]:
        """The event "a resolve setting changed", where one could give this document an address."""
        if self.addresses or self.rows:
            yield f"setting:{self.business.company}:resolve"


def _is_of(found: str, field: str, value: str, found_value: str) -> bool:
    return found.rstrip("s") == field and found_value.strip() == value.strip()
