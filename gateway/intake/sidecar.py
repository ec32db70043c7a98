"""Fields that come beside a dropped file: `x.json`, `x.csv` or `x.xml` next to `x.pdf`, its sub-folders, its name.

A sidecar names the fields of `FIELDS`. JSON is one object; CSV a header row and one row, divided by `;`, `,` or tab,
in UTF-8 or Windows-1252; XML a root element with one leaf element per field. Since an `x.xml` beside `x.pdf` may as
well be an e-invoice, XML is a sidecar only when it has that flat shape and knows at least one of our fields: a document
of any XML syntax is deeper. A field we do not know, or a value that cannot be one, refuses the pair: a document must
not go out with half of what its sender said.
"""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import io
import json
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from xml.parsers import expat

import msgspec
import regex

from gateway import address, doctypes
from gateway.errors import Refused
from gateway.model import Fields

MAX_SIZE = 64 << 10  # bytes
EXTENSIONS = (".json", ".csv", ".xml")
ALWAYS = (".json", ".csv")  # no document has these
FIELDS = ("customer_number", "emails", "email", "cc", "type", "number", "issue_date", "format", "language")
_LISTS = ("emails", "cc")
_MAX_VALUE = 200  # characters
_MAX_ADDRESSES = 100
_NAME_SECONDS = 0.2  # for the pattern of a source over one file name
_DATES = ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y")

Raw = Mapping[str, str]  # field: text as written; several addresses divided by `;`


class _NotFlat(Exception):
    """The XML is no list of fields."""


def is_flat_xml(data: bytes) -> bool:
    """Whether XML has the shape of a sidecar: leaf elements below the root, at least one of them a field of ours.

    Broken XML counts by what stands before the break, so that a damaged sidecar is not mistaken for a document.
    """
    if len(data) > MAX_SIZE:
        return False
    found: dict[str, str] = {}
    try:
        _walk(data, found)
    except _NotFlat:
        return False
    except (expat.ExpatError, ValueError, LookupError):
        return any(name in FIELDS for name in found)
    return any(name in FIELDS for name in found)


def read(name: str, data: bytes) -> Raw:
    """The fields of the sidecar `name`, as written. Refused with the reason when it is none."""
    if len(data) > MAX_SIZE:
        raise Refused(f"A sidecar may have {MAX_SIZE >> 10} KiB, this one has {len(data) >> 10}.")
    kind = os.path.splitext(name)[1].lower()
    raw = {".json": _json, ".csv": _csv, ".xml": _xml}[kind](data)
    for field in raw:
        if field not in FIELDS:
            near = difflib.get_close_matches(field, FIELDS, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(FIELDS)}."
            raise Refused(f"It has the unknown field {_quoted(field)}; {hint}", field)
    return raw


def _json(data: bytes) -> dict[str, str]:
    try:
        # Not msgspec: a name given twice must be refused, not the first one lost.
        parsed = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_pairs)
    except (ValueError, RecursionError) as error:
        reason = "too deep" if isinstance(error, RecursionError) else error
        raise Refused(f"It is no JSON in UTF-8: {reason}.") from error
    if not isinstance(parsed, dict):
        raise Refused("Its JSON is no object with one member per field.")
    return {field: text for field, value in parsed.items() if (text := _json_text(field, value))}


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if _field(name) in found:
            raise ValueError(f"{_quoted(name)} stands twice")
        found[_field(name)] = value
    return found


def _json_text(field: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ";".join(value)
    raise Refused(f"Its field {_quoted(field)} is neither text nor a whole number.", field)


def _csv(data: bytes) -> dict[str, str]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    header = text.splitlines()[0] if text.strip() else ""
    delimiter = max(";,\t", key=header.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if any(row)]
    except csv.Error as error:
        raise Refused(f"It is no CSV: {error}.") from error
    if len(rows) != 2:
        raise Refused(f"A CSV sidecar has a header row and one row, this one has {len(rows)} rows.")
    names, values = [_field(cell) for cell in rows[0]], [cell.strip() for cell in rows[1]]
    if len(names) != len(values):
        raise Refused(f"Its header has {len(names)} columns, its row {len(values)}.")
    if len(set(names)) != len(names):
        raise Refused("Its header names a column twice.")
    return {name: value for name, value in zip(names, values, strict=True) if value}


def _xml(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        _walk(data, found)
    except _NotFlat as error:
        raise Refused("It is no flat list of elements.") from error
    except (expat.ExpatError, ValueError, LookupError) as error:  # the latter two: an encoding expat does not have
        raise Refused(f"It is no well-formed XML: {error}.") from error
    return {name: value.strip() for name, value in found.items() if value.strip()}


def _walk(data: bytes, found: dict[str, str]) -> None:
    """Collect the leaf elements below the root into `found`; those of lists are joined by `;`."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    path: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        path.append(_field(name.rpartition(" ")[2]))
        if len(path) > 2:
            raise _NotFlat
        if len(path) == 2:
            if path[1] in found and path[1] not in (*_LISTS, "email"):
                raise Refused(f"Its field {_quoted(path[1])} stands twice.", path[1])
            found[path[1]] = found[path[1]] + ";" if path[1] in found else ""

    def end(name: str) -> None:
        path.pop()

    def text(characters: str) -> None:
        if len(path) == 2:
            found[path[1]] += characters

    def doctype(*_: object) -> None:
        raise _NotFlat  # entities live there; a sidecar needs none

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = text, doctype
    parser.Parse(data, True)


def _field(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")


# --- from what was written to Fields ---------------------------------------------------------------------


def from_folders(parts: Sequence[str]) -> dict[str, str]:
    """The fields that the sub-folders `TYPE/` and `TYPE/CUSTOMER/` give."""
    return dict(zip(("type", "customer_number"), parts, strict=False))


def check_pattern(pattern: str) -> None:
    """Refused when a source's `file_name` is no regular expression or names a group that is no field."""
    try:
        groups = regex.compile(pattern).groupindex
    except regex.error as error:
        raise Refused(f"file_name is no regular expression: {error}.", "file_name") from error
    if not groups:
        raise Refused(f"file_name has no named group; such are {', '.join(FIELDS)}.", "file_name")
    for group in groups:
        if group not in FIELDS:
            near = difflib.get_close_matches(group, FIELDS, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(FIELDS)}."
            raise Refused(f"file_name has the group {group}, which is no field; {hint}", "file_name")


def from_name(pattern: str | None, name: str) -> dict[str, str]:
    """The fields that the named groups of a source's `file_name` find in a file's name; none when it does not match.

    Refused when the pattern takes too long over this name.
    """
    if pattern is None:
        return {}
    try:
        match = regex.search(pattern, name, timeout=_NAME_SECONDS, concurrent=True)
    except TimeoutError as error:
        raise Refused("The source's file_name pattern takes too long over this name.") from error
    return {} if match is None else {field: text for field, text in match.groupdict().items() if text}


def combine(*said: tuple[str, Raw]) -> Fields:
    """The fields of (where it was said, raw fields), the first to name a field wins. Refused when a value is none."""
    values: dict[str, object] = {}
    origin: dict[str, str] = {}
    for where, raw in said:
        for field, value in _checked(where, raw).items():
            if field not in values:
                values[field], origin[field] = value, where
    return msgspec.convert({**values, "origin": tuple(origin.items())}, Fields)


def _checked(where: str, raw: Raw) -> dict[str, object]:
    checked: dict[str, object] = {}
    for field, text in raw.items():
        try:
            target = "emails" if field == "email" else field
            value = _value(target, unicodedata.normalize("NFC", text).strip())
        except Refused as error:
            raise Refused(f"{where[:1].upper()}{where[1:]} gives a wrong {field}: {error.sentence}", field) from error
        if target in checked:
            raise Refused(f"{where[:1].upper()}{where[1:]} gives both email and emails.", field)
        checked[target] = value
    return checked


def _value(field: str, text: str) -> object:
    if field in _LISTS:
        addresses = tuple(address.parse(item) for item in address.split_list(text))
        if len(addresses) > _MAX_ADDRESSES:
            raise Refused(f"{len(addresses)} addresses are more than {_MAX_ADDRESSES}.")
        if not addresses:
            raise Refused("there is no address in it.")
        return addresses
    if not text or len(text) > _MAX_VALUE or any(unicodedata.category(character)[0] == "C" for character in text):
        raise Refused(f"{_quoted(text)} is empty, longer than {_MAX_VALUE} characters or has control characters.")
    if field == "type":
        return doctypes.find(_field(text)).name
    if field == "issue_date":
        return _date(text)
    if field == "language":
        if not re.fullmatch(r"[A-Za-z]{2}", text):
            raise Refused(f"{_quoted(text)} is no two-letter code of ISO 639-1.")
        return text.lower()
    if field == "format" and not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,31}", text := text.lower()):
        raise Refused(f"{_quoted(text)} is no name of a format.")
    return text


def _date(text: str) -> dt.date:
    for form in _DATES:
        try:
            return dt.datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise Refused(f"{_quoted(text)} is no date such as 2026-05-31.")


def _quoted(text: str) -> str:
    return json.dumps(text[:60], ensure_ascii=True)
