"""What a cell says as text, or why it says nothing that can be trusted.

A spreadsheet keeps numbers as floating point (ISO/IEC 29500-1 §18.3.1.4), so a customer number typed into a cell that
is not formatted as text may have lost zeros or digits before we see it.
"""

from __future__ import annotations

import datetime as dt
import re
from math import isfinite
from typing import Literal

import msgspec

from gateway.directory import clean_number

TYPE_AS_TEXT = "format the column as text and type it again"
_BUILT_IN_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # ISO/IEC 29500-1 §18.8.30
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_UNSEEN = re.compile(r"_.|\*.|\[[^\]]*\]")  # spaces, colours and conditions of a number format
_ZEROS = re.compile(r"0{2,}")
_ZEROS_AND_OTHERS = re.compile(r"""(?=(?:[^0]*0){2})(?:0|[-+/ :()]|\\.|"[^"]*")+""")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[Ee][-+]?[0-9]{1,5})?")  # XML Schema part 2 §3.2.5
_SHORTENED = re.compile(r"[+-]?\d+(?:[.,]\d+)?E\+\d+", re.IGNORECASE)
_LENGTH = 32_767  # characters of a cell, Excel's limit
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DAY_ZERO = {False: dt.date(1899, 12, 30), True: dt.date(1904, 1, 1)}

Kind = Literal["number", "bool", "error", "date", "empty-formula"]


class Cell(msgspec.Struct, frozen=True):
    """A cell that is no plain text."""

    kind: Kind
    value: str  # as the file writes it
    format: str = "General"
    since_1904: bool = False


Content = str | Cell


class Doubt(Exception):
    """The cell cannot be taken: a code and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


def unescape(text: str) -> str:
    """A string of the file as it is shown: `_x000D_` is a carriage return (ISO/IEC 29500-1 §22.9.2.19)."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def is_date_format(number: int, code: str) -> bool:
    """Whether a number format shows a date or a time."""
    if number in _BUILT_IN_DATES:
        return True
    shown = _QUOTED.sub("", code).lower()
    return shown != "general" and any(letter in shown for letter in "ymdhs")


def text_of(content: Content) -> str:
    """The cell as trimmed text in NFC; `Doubt` when the spreadsheet may have changed what a person typed."""
    if isinstance(content, str):
        if len(content) > _LENGTH:
            raise Doubt("E-LENGTH", f"The cell has {len(content)} characters; a spreadsheet's has at most {_LENGTH}.")
        text = clean_number(content)
        if "+" in text and _SHORTENED.fullmatch(text):
            raise Doubt("E-DIGITS", f"{text} is a long number that the spreadsheet has shortened; {TYPE_AS_TEXT}.")
        return text
    if content.kind == "number":
        return _number(content)
    if content.kind == "date":
        shown = date_of(content)
        raise Doubt(
            "E-DATE",
            f"The spreadsheet made a date or time of this{f' ({shown})' if shown else ''}; {TYPE_AS_TEXT}.",
        )
    if content.kind == "bool":
        raise Doubt("E-BOOL", f"This is the truth value {'TRUE' if content.value == '1' else 'FALSE'}, not a text.")
    if content.kind == "error":
        raise Doubt("E-VALUE", f"The formula ends in {content.value[:20]}; put the value itself here.")
    raise Doubt(
        "E-FORMULA",
        "The formula has no stored result: open the file in Excel and save it, or put the value itself here.",
    )


def _number(cell: Cell) -> str:
    if not _NUMBER.fullmatch(cell.value):  # float() takes more: 1_000, digits of other scripts
        raise Doubt("E-VALUE", f"{cell.value[:20]!r} is no number.")
    value = float(cell.value)
    whole = int(value) if isfinite(value) else 10**309
    if abs(whole) >= 10**15:
        raise Doubt(
            "E-DIGITS", f"A spreadsheet keeps 15 digits of a number, this has {len(str(abs(whole)))}; {TYPE_AS_TEXT}."
        )
    if value != whole:
        raise Doubt("E-DECIMAL", f"This is the number {cell.value[:24]} with decimals; {TYPE_AS_TEXT}.")
    shown = _UNSEEN.sub("", cell.format.split(";")[0])
    if _ZEROS.fullmatch(shown):
        return f"{'-' if whole < 0 else ''}{abs(whole):0{len(shown)}d}"
    if _ZEROS_AND_OTHERS.fullmatch(shown):
        raise Doubt("E-SHOWN", f"The number {whole} is shown in the form {shown[:40]}; {TYPE_AS_TEXT} as it is shown.")
    return str(whole)


def date_of(cell: Cell) -> dt.date | None:
    """The day that a cell with a date says, None when it says only a time or nothing."""
    try:
        if "-" in cell.value[1:]:
            return dt.date.fromisoformat(cell.value[:10])
        days = int(float(cell.value))
        return _DAY_ZERO[cell.since_1904] + dt.timedelta(days=days) if days > 0 else None
    except (ValueError, OverflowError):
        return None
