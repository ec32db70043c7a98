"""What a recipient's row may say of the recipient where its invoices do not: terms of EN 16931, `TERM=VALUE` each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from gateway.en16931 import Address, Identifier, Invoice
from gateway.errors import Refused

MAX_VALUE = 200  # characters
_FIELD = "constants"


class Term(NamedTuple):
    """A term that may be a constant: its words, and what a value looks like."""

    words: str
    form: str = r".+"
    example: str = ""  # of a value, where the form is not obvious


TERMS: Mapping[str, Term] = {
    "BT-10": Term("buyer reference"),  # the Leitweg-ID of German authorities
    "BT-11": Term("project reference"),
    "BT-12": Term("contract reference"),
    "BT-13": Term("order reference"),
    "BT-19": Term("buyer's accounting reference"),
    "BT-47": Term("buyer's registration", r"([0-9]{4}:)?[^:]+", "0007:5560000001"),  # ISO 6523 ICD
    "BT-48": Term("buyer's VAT number"),
    "BT-49": Term("buyer's electronic address", r"([0-9]{4}|EM|AN|AQ|AS|AU):.+", "0204:04011000-12345-34"),  # EAS
    "BT-52": Term("buyer's city"),
    "BT-53": Term("buyer's post code"),
    "BT-55": Term("buyer's country", r"[A-Z]{2}", "DE"),
}
_OF_INVOICE = {
    "BT-10": "buyer_reference",
    "BT-11": "project",
    "BT-12": "contract",
    "BT-13": "order",
    "BT-19": "accounting_reference",
}
_OF_ADDRESS = {"BT-52": "city", "BT-53": "post_code", "BT-55": "country"}


def check_constants(value: object) -> tuple[str, ...]:
    """The constants that `value`, a list of texts or a text with `;` between them, states; in the terms' order.

    Refused, field `constants`, for a term that cannot be one, a value of another form, and a term twice.
    """
    if value is None:
        return ()
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)) or not all(isinstance(each, str) for each in texts):
        raise Refused("The constants are a text or a list of texts.", _FIELD)
    found: dict[str, str] = {}
    for item in (item.strip() for text in texts for item in re.split(r"[;\n]", text)):
        if item:
            name, constant = _one(item)
            if name in found:
                raise Refused(f"The constants have {name} twice.", _FIELD)
            found[name] = constant
    return tuple(f"{name}={found[name]}" for name in TERMS if name in found)


def _one(item: str) -> tuple[str, str]:
    name, _, value = (part.strip() for part in unicodedata.normalize("NFC", item).partition("="))
    name = name.upper().replace("BT ", "BT-")
    term = TERMS.get(name)
    if term is None:
        known = ", ".join(f"{each} ({term.words})" for each, term in TERMS.items())
        raise Refused(f"A constant is TERM=VALUE with one of {known}; {item[:60]!r} is none.", _FIELD)
    if any(unicodedata.category(char)[0] == "C" for char in value) or len(value) > MAX_VALUE:
        sentence = f"The constant {name} has up to {MAX_VALUE} characters, none of them a control character."
        raise Refused(sentence, _FIELD)
    if not re.fullmatch(term.form, value):
        like = f"is like {name}={term.example}" if term.example else "has a value"
        raise Refused(f"The constant {name} {like}, not {item[:60]!r}.", _FIELD)
    return name, value


def completed(invoice: Invoice, constants: Sequence[str]) -> tuple[Invoice, tuple[str, ...]]:
    """`invoice` with the constants that it lacks, and a sentence for each that was used. What it says itself stays."""
    used = []
    for constant in constants:
        name, _, value = constant.partition("=")
        changed = _with(invoice, name, value)
        if changed is not invoice:
            invoice = changed
            used.append(f"The {TERMS[name].words} ({name}) {value} is the recipient's constant: the document has none.")
    return invoice, tuple(used)


def _with(invoice: Invoice, name: str, value: str) -> Invoice:
    """`invoice` with this one; the same object where it says something there."""
    if name in _OF_INVOICE:
        field = _OF_INVOICE[name]
        return invoice if getattr(invoice, field) else msgspec.structs.replace(invoice, **{field: value})
    buyer = invoice.buyer
    if name in _OF_ADDRESS:
        address, field = buyer.address or Address(), _OF_ADDRESS[name]
        if getattr(address, field):
            return invoice
        buyer = msgspec.structs.replace(buyer, address=msgspec.structs.replace(address, **{field: value}))
    elif name == "BT-48":
        buyer = buyer if buyer.vat_id else msgspec.structs.replace(buyer, vat_id=value)
    else:
        field = "legal_id" if name == "BT-47" else "endpoint"
        scheme, colon, rest = value.partition(":")
        identifier = Identifier(value=rest, scheme=scheme) if colon else Identifier(value=value)
        if getattr(buyer, field) is None:
            buyer = msgspec.structs.replace(buyer, **{field: identifier})
    return invoice if buyer is invoice.buyer else msgspec.structs.replace(invoice, buyer=buyer)


def hint(term: str) -> str:
    """What a person can do about a document that is held for `term`: a sentence, empty where a constant is no help."""
    found = TERMS.get(term)
    return f" The recipient's row can give it: constant {term}={found.example or '…'}." if found else ""
