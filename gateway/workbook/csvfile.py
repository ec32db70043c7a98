"""A list as .csv (RFC 4180, and what spreadsheets make of it): encoding and separator are found out."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator

from gateway.workbook.headings import field_of
from gateway.workbook.package import refuse
from gateway.workbook.sheet import Row

_SEPARATORS = (";", "\t", ",")  # in this order when nothing else decides
_LOOK = 200  # lines that the separator is judged by
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_MARKED = re.compile("'+[-=+@\t\r]")  # an apostrophe that our own export puts before = + - @


def decode(blob: bytes) -> str:
    """The text: by its mark, else UTF-8, else Windows-1252; Refused when it is none of them."""
    for mark, encoding in _MARKS:
        if blob.startswith(mark):
            try:
                return blob[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise refuse(
                    f"The file says that it is {encoding.upper()}, but is not: save it again as .xlsx or as CSV UTF-8."
                ) from error
    if b"\0" in blob:
        raise refuse(
            "This is neither an Excel workbook (.xlsx) nor a text file (.csv): open it in a spreadsheet and save it so."
        )
    for encoding in ("utf-8", "cp1252"):
        try:
            return blob.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise refuse("The text of the file is neither UTF-8 nor Windows-1252: save it as CSV UTF-8.")


def rows(blob: bytes) -> Iterator[tuple[int, Row]]:
    """Number and cells of each row; the number is that of the row, as a spreadsheet shows the file."""
    text = decode(blob)
    separator, text, number = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for fields in reader:
            number += 1
            yield number, {place: _plain(field) for place, field in enumerate(fields, 1) if field}
    except csv.Error as error:
        hint = 'look whether a quote " is open there'
        raise refuse(f"Row {number + 1} of the file cannot be read ({error}): {hint}.") from error


def _plain(field: str) -> str:
    return field[1:] if _MARKED.match(field) else field


def _separator(text: str) -> tuple[str, str, int]:
    """The separator, the text without Excel's `sep=;` line, and the number of rows taken off."""
    first, _, rest = text.partition("\n")
    said = first.strip().lower()
    if said.startswith("sep=") and len(first.strip()) == 5:
        return first.strip()[4], rest, 1
    lines = text[: 1 << 18].splitlines()[:_LOOK]
    return max(_SEPARATORS, key=lambda separator: _score(lines, separator)), text, 0


def _score(lines: list[str], separator: str) -> int:
    """How many of the lines look like a row of a list: an address after the first column, or headings."""
    score = 0
    try:
        for fields in csv.reader(lines, delimiter=separator):
            if len(fields) > 1 and ("@" in fields[1] and "@" not in fields[0]):
                score += 1
            elif sum(field_of(field) is not None for field in fields) > 1:
                score += _LOOK
    except csv.Error:
        return 0
    return score
