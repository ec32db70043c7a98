"""The directory's own rules: which numbers are the same, what a row may hold, which row a document meets."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Literal

from gateway import address, templates
from gateway.constants import check_constants
from gateway.errors import Refused
from gateway.model import Recipient, Value

ANY = "any"  # a row for every type that has none of its own (S6)
MAX_ADDRESSES = 50  # To or Cc of one row

# What spreadsheets and ERP systems put around a number without anybody seeing it.
_SPACE = (
    " \t\r\n\f\v\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
)

_ASCII_SPACE = "".join(filter(str.isascii, _SPACE))

_FIELDS = ("number", "email", "cc", "type", "format", "name", "language", "attach", "file_name", "constants")
ADVANCED = ("format", "attach", "file_name", "constants")  # what only an advanced company's rows may have (R25, R27)
ATTACH = ("alone", "with-pdf", "pdf")  # the document alone; with a PDF of it; the PDF instead of it
MAX_FILE_NAME = 200  # characters of its template


def clean_number(number: str) -> str:
    """The number as text: NFC, trimmed of white space and invisible characters; leading zeros are kept (R20)."""
    if number.isascii():  # is in NFC (Unicode UAX #15 §1.2)
        return number.strip(_ASCII_SPACE)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", number).strip(_SPACE))


def number_key(number: str) -> str:
    """The key that a number is looked up by: cleaned, upper case, without leading zeros (S13).

    Two numbers with one key may still be two customers: `match` decides.
    """
    if number.isascii():
        bare = number.strip(_ASCII_SPACE).upper().lstrip("0" + _ASCII_SPACE)
        return bare or ("0" if "0" in number else "")
    key = clean_number(unicodedata.normalize("NFC", clean_number(number).upper())).lstrip("0" + _SPACE)
    return key or ("0" if "0" in number else "")


def search_key(text: str) -> str:
    """What a search compares: no case, no accents, so that kopare finds Köpare (Unicode §5.18)."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char)).casefold()


def search_text(row: Recipient) -> str:
    """All that a search looks through in a row, folded: number, name, addresses, one a line."""
    return search_key("\n".join((row.number, row.name or "", *row.email, *row.cc)))


# --- a row -----------------------------------------------------------------------------------------------


def check_recipient(
    values: Mapping[str, object], *, types: Sequence[str], formats: Sequence[str], advanced: bool = True
) -> Recipient:
    """The row that `values` describe, by the names of `model.Recipient`.

    `email` and `cc` are lists or texts with `;` or `,` between the addresses (S4), `constants` one with `;`. `types`
    and `formats` are the names that may be chosen; only an `advanced` company may give what is in `ADVANCED` (R27).
    Refused with the field at fault.
    """
    _check_names(values)
    for name in () if advanced else ADVANCED:
        if values.get(name):
            only = "a format can" if name == "format" else f"{name} can"
            sentence = f"{only} only be chosen when the company is advanced: set `advanced` true first."
            raise Refused(sentence[:1].upper() + sentence[1:], name)
    emails = _addresses(values.get("email"), "email")
    if not emails:
        raise Refused("The e-mail address is missing.", "email")
    return Recipient(
        number=_number(values.get("number")),
        email=emails,
        cc=tuple(item for item in _addresses(values.get("cc"), "cc") if item not in emails),
        type=_one_of(values.get("type"), (*types, ANY), "type", "document type") or ANY,
        format=_one_of(values.get("format"), formats, "format", "format to choose"),
        name=_name(values.get("name")),
        language=_language(values.get("language")),
        attach=_one_of(values.get("attach"), ATTACH, "attach", "way to attach"),
        file_name=_file_name(values.get("file_name")),
        constants=check_constants(values.get("constants")),
    )


def _check_names(values: Mapping[str, object]) -> None:
    for name in values:
        if name not in _FIELDS:
            near = difflib.get_close_matches(name, _FIELDS, 1, 0.5)
            hint = f"; the nearest is {near[0]}" if near else ""
            raise Refused(f"A recipient has no field {name!r}{hint}.", name)


def _text(value: object, field: str, limit: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(f"The {field} is a text.", field)
    text = clean_number(value)
    if not text.isprintable() and any(unicodedata.category(char)[0] == "C" for char in text):
        raise Refused(f"The {field} may not contain line ends, control or invisible characters.", field)
    if len(text) > limit:
        raise Refused(f"The {field} may have {limit} characters, this has {len(text)}.", field)
    return text


def _number(value: object) -> str:
    number = _text(value, "number", 100)
    if not number:
        raise Refused("The customer number is missing.", "number")
    return number


def _name(value: object) -> str | None:
    return _text(value, "name", 200) or None


def _language(value: object) -> str | None:
    if value is None:
        return None
    language = _text(value, "language", 20).lower()
    if language and not re.fullmatch("[a-z]{2}", language):
        raise Refused(f"The language is a code of two letters such as fr, not {language!r}.", "language")
    return language or None


def _one_of(value: object, names: Sequence[str], field: str, what: str) -> str | None:
    if value is None:
        return None
    name = _text(value, field, 100).lower()
    if name and name not in names:
        near = difflib.get_close_matches(name, names, 1, 0.5)
        hint = f"the nearest is {near[0]}" if near else "there are " + ", ".join(names)
        raise Refused(f"There is no {what} {name!r}; {hint}.", field)
    return name or None


def _file_name(value: object) -> str | None:
    """A template for file names; what comes out of it is made safe when it is used."""
    if value is None:
        return None
    text = _text(value, "file_name", MAX_FILE_NAME)
    try:
        templates.check(text)
    except Refused as error:
        raise Refused(f"The file name: {error.sentence}", "file_name") from error
    return text or None


def _addresses(value: object, field: str) -> tuple[str, ...]:
    items = _split(value, field)
    if len(items) > MAX_ADDRESSES:
        raise Refused(f"A row may have {MAX_ADDRESSES} addresses in {field}, this has {len(items)}.", field)
    if len(items) == 1:
        return (_address(items[0], field),)
    return tuple(dict.fromkeys(_address(item, field) for item in items))


def _split(value: object, field: str) -> Sequence[str]:
    if value is None:
        return ()
    if isinstance(value, str):
        return address.split_list(value)
    texts = value
    if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) for text in texts):
        raise Refused(f"{field} is a text or a list of texts.", field)
    return [item for text in texts for item in address.split_list(text)]


def _address(item: str, field: str) -> str:
    try:
        parsed = address.parse(item)
    except Refused as error:
        raise Refused(error.sentence, field) from error
    if "." not in parsed.rpartition("@")[2]:
        raise Refused(f"{item!r} is not an e-mail address: its domain has no dot", field)
    return parsed


# --- meeting a document ----------------------------------------------------------------------------------


class Match(Value, frozen=True, kw_only=True):
    """What the directory says to a document's numbers."""

    row: Recipient | None = None
    number: str | None = None  # the document's number that met the row
    how: Literal["exact", "normalised"] | None = None
    ambiguous: tuple[Recipient, ...] = ()  # different rows that only normalisation makes equal
    others: tuple[Recipient, ...] = ()  # rows with the number that were passed over: other type, other spelling


def match(candidates: Sequence[str], rows: Sequence[Recipient], doc_type: str, normalise: bool) -> Match:
    """Find the row for the numbers `candidates`, best first, among the company's `rows` with the same keys (S13).

    The number as written comes first, for every candidate; then, when the company normalises, the key. A row of the
    document's type beats one for `any` (S6); rows of other types never match (R23). Two different numbers that only
    normalisation makes equal are ambiguous: nobody guesses.
    """
    numbers = [clean_number(candidate) for candidate in candidates]
    fitting = [row for row in rows if row.type in (doc_type, ANY)]
    for number in numbers:
        exact = [row for row in fitting if clean_number(row.number) == number]
        if exact:
            return Match(row=_specific(exact), number=number, how="exact", others=_others(number, rows, exact))
    for number in numbers if normalise else ():
        same = [row for row in fitting if number_key(row.number) == number_key(number)]
        if len({row.number for row in same}) > 1:
            return Match(number=number, ambiguous=tuple(same))
        if same:
            return Match(row=_specific(same), number=number, how="normalised", others=_others(number, rows, same))
    keys = {number_key(number) for number in numbers}
    return Match(others=tuple(row for row in rows if number_key(row.number) in keys))


def _specific(rows: Sequence[Recipient]) -> Recipient:
    return min(rows, key=lambda row: row.type == ANY)


def _others(number: str, rows: Sequence[Recipient], met: Sequence[Recipient]) -> tuple[Recipient, ...]:
    winner = _specific(met)
    return tuple(row for row in rows if row is not winner and number_key(row.number) == number_key(number))
