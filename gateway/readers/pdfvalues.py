"""What a field's value looks like on a page: each function gives the value at the start of a text, or None."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Callable

MAX_VALUE = 200  # characters

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier janv januar januari jän jänner",
            "february feb février févr fév februar februari",
            "march mar mars märz mrz maart",
            "april apr avril avr",
            "may mai maj",
            "june jun juin juni",
            "july jul juillet juil juli",
            "august aug août augusti",
            "september sep sept septembre",
            "october oct octobre oktober okt",
            "november nov novembre",
            "december dec décembre déc dezember dez",
        ),
        1,
    )
    for name in names.split()
}
_ISO = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?!\d)")
_DAY_FIRST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_DAY_FIRST_WORDS = (  # as casefold gives them
    *("facture", "avoir", "échéance"),
    *("rechnung", "gutschrift", "kundennummer"),
    *("faktura", "kundnr", "kundnummer"),
)
_DAY_FIRST_WORD = re.compile(rf"\b(?:{'|'.join(_DAY_FIRST_WORDS)})\b")
_DAY_NAMED = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|\.)?[ -]+([^\W\d_]{3,10})\.?,?[ -]+(\d{4})(?!\d)", re.IGNORECASE)
_MONTH_NAMED = re.compile(r"([^\W\d_]{3,10})\.?[ -]+(\d{1,2})(?:st|nd|rd|th)?,?[ -]+(\d{4})(?!\d)", re.IGNORECASE)
_COMPACT = re.compile(r"(20\d{2})(\d{2})(\d{2})(?!\d)")

_IDENTIFIER = re.compile(r"[#:]?\s*((?:[^\W_])[\w./\-]*)")
_DIGIT_GROUPS = re.compile(r"\d+(?: \d+)+")
_CODE = r"[A-Z]{3}"
_SYMBOLS = {"€": "EUR", "£": "GBP", "EURO": "EUR", "EUROS": "EUR"}
_NUMBER = r"(?:\d{1,3}(?:[ .,'’]\d{3})+(?!\d)|\d+)(?:[.,]\d{1,4}(?!\d)|:\d\d(?!\d))?"
_AMOUNT = re.compile(rf"(?:({_CODE}|[€£$]|kr\.?)\s*)?([-−–]?{_NUMBER}(?:[-−–](?!\d))?)\s*({_CODE}\b|[€£$]|kr\b)?")
# ISO 4217, those that invoices in Europe and with its partners are written in
CURRENCIES = frozenset(
    re.findall(
        "...",
        "AEDALLAUDBAMBGNBRLCADCHFCLPCNYCZKDKKEGPEURGBPHKDHUFIDRILSINRISKJPYKRWMADMDLMKDMXNMYR"
        "NOKNZDPHPPLNRONRSDRUBSARSEKSGDTHBTNDTRYTWDUAHUSDVNDZAR",
    )
)
# Bounded (RFC 5321 §4.5.3.1) and begun only where one can begin: `a@a@a@…` must not be gone through for each letter.
_IN_EMAIL = r"[^\s<>()\[\]:;,\"]"
_EMAIL = re.compile(rf"(?<!{_IN_EMAIL})(?:(?!@){_IN_EMAIL}){{1,64}}@(?:(?!@){_IN_EMAIL}){{1,255}}(?!{_IN_EMAIL})")
_AFTER_EMAIL = re.compile(r"[\W_]+$")  # the punctuation of the sentence around it
MAX_EMAILS = 20  # of one text


def identifier(text: str) -> str | None:
    """A number as people give to documents and customers: one word with a digit in it, or groups of digits."""
    if _DIGIT_GROUPS.fullmatch(text) and len(text) <= 40:
        return text
    match = _IDENTIFIER.match(text)
    value = match[1].rstrip("./-") if match else ""
    return value if any(char.isdigit() for char in value) and len(value) <= MAX_VALUE else None


def word(text: str) -> str | None:
    """One word, with or without a digit: for a label that the source itself has named."""
    match = _IDENTIFIER.match(text)
    return identifier(text) or (match[1].rstrip("./-")[:MAX_VALUE] if match else None)


def date(text: str, *, is_day_first: bool = False) -> str | None:
    """A date as ISO 8601.

    `03/04/2026` is in March or in April, depending on the country: it is none unless the caller knows.
    """
    if match := _ISO.match(text) or _COMPACT.match(text):
        return _iso(match[1], match[2], match[3])
    if match := _DAY_FIRST.match(text):
        day, month = match[1], match[3]
        if match[2] == "/" and not is_day_first:
            if int(day) <= 12 and int(month) <= 12 and day != month:
                return None
            if int(month) > 12:
                day, month = month, day
        return _iso(match[4], month, day)
    if match := _DAY_NAMED.match(text):
        return _iso(match[3], str(_MONTHS.get(match[2].casefold(), 0)), match[1])
    if match := _MONTH_NAMED.match(text):
        return _iso(match[3], str(_MONTHS.get(match[1].casefold(), 0)), match[2])
    return None


def day_first(text: str) -> str | None:
    """A date on a page in a language whose speakers all write the day first."""
    return date(text, is_day_first=True)


def is_day_first(text: str) -> bool:
    """Whether a page with this casefolded text is in such a language: by the words of its titles and labels."""
    return any(word in text for word in _DAY_FIRST_WORDS) and _DAY_FIRST_WORD.search(text) is not None


def _iso(year: str, month: str, day: str) -> str | None:
    try:
        return dt.date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day)).isoformat()
    except ValueError:
        return None


def amount(text: str) -> str | None:
    """An amount as written, without its currency."""
    match = _AMOUNT.match(text)
    return match[2] if match else None


def currency(text: str) -> str | None:
    """The ISO 4217 code at the start of a text or beside the amount there; `$` and `kr` may be several and are none."""
    match = _AMOUNT.match(text)
    sides = (match[1], match[3]) if match else (text[:5].strip(" .").upper(),)
    for side in sides:
        code = _SYMBOLS.get(side or "", side or "")
        if code in CURRENCIES:
            return code
    code = text[:3].upper()
    return code if code in CURRENCIES and not text[3:4].isalpha() else None


def email(text: str) -> str | None:
    """The addresses in a text, with `;` between them."""
    found = []
    for match in itertools.islice(_EMAIL.finditer(text), MAX_EMAILS):
        address = _AFTER_EMAIL.sub("", match[0])
        if address.partition("@")[2].find(".") > 0:
            found.append(address)
    return ";".join(found) or None


def anything(text: str) -> str | None:
    """The text itself."""
    return text[:MAX_VALUE].strip() or None


SHAPES: dict[str, Callable[[str], str | None]] = {
    "number": identifier,
    "customer_number": identifier,
    "issue_date": date,
    "due_date": date,
    "payable": amount,
    "currency": currency,
    "email": email,
    "type": anything,
}
