"""What a list is once it is read: its rows, what was found wrong, and how both travel out of the worker."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

FILE_LIMIT = 20 << 20  # bytes
ROW_LIMIT = 1_000_000  # rows with data
COLUMN_LIMIT = 50
FINDING_LIMIT = 100_000  # findings that are listed one by one; beyond it they are counted only
FRAME = 500  # rows that travel and are looked at together

FIELDS = (
    "number",
    "email",
    "cc",
    "name",
    "format",
    "language",
    "attach",
    "file_name",
    "constants",
)  # what a column can set of a row
REQUIRED = ("number", "email")

_LENGTH = struct.Struct("!I")
T = TypeVar("T", bound=msgspec.Struct)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a list is checked against."""

    type: str  # the document type that every row of the file is for (R36)
    types: tuple[str, ...]
    formats: tuple[str, ...]
    today: str  # ISO 8601; what `valid_from` is compared with
    reject_comments: bool = False  # rows with # are errors instead of being skipped (R35)
    ignore: tuple[str, ...] = ()  # letters of columns that are passed over (S8)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong (`E-…`) or odd (`W-…`) at a cell."""

    row: int  # as the spreadsheet counts
    cell: str  # B17
    code: str
    sentence: str

    @property
    def is_error(self) -> bool:
        """Whether it keeps the whole list from being imported."""
        return self.code.startswith("E-")


class Listed(msgspec.Struct, frozen=True, array_like=True):
    """One good row of the file, checked and normalised."""

    row: int
    number: str
    email: tuple[str, ...]
    cc: tuple[str, ...]
    name: str | None
    format: str | None
    language: str | None
    attach: str | None = None
    file_name: str | None = None
    constants: tuple[str, ...] = ()


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, without the rows themselves."""

    sheet: str  # its name; empty for .csv
    columns: dict[str, str]  # field -> letter, of the fields that the file sets
    heading: int | None  # the row of the headings; None when columns go by position
    error_column: str | None  # letter of an earlier report's column
    rows: int  # with data
    comments: int
    blanks: int
    errors: int  # all of them, listed or not
    warnings: int
    finding_frames: int  # how many frames of findings come before those of the rows
    peak: int = 0  # bytes that the worker had resident at most


# --- frames: packed lists, one after the other -----------------------------------------------------------

_encoder = msgspec.msgpack.Encoder()


def pack(rows: Iterable[Any]) -> bytes:
    """The rows as one frame."""
    return frame([_encoder.encode(row) for row in rows])


def frame(packed: list[bytes]) -> bytes:
    """Rows that are packed already, as one frame: a length and a msgpack array."""
    body = b"\xdd" + _LENGTH.pack(len(packed)) + b"".join(packed)  # msgpack's array32
    return _LENGTH.pack(len(body)) + body


def unpack(blob: bytes, kind: type[T], start: int = 0, count: int | None = None) -> Iterator[tuple[list[T], int]]:
    """The frames in `blob` from the offset `start`, at most `count` of them: the rows and the next frame's offset."""
    decoder = msgspec.msgpack.Decoder(list[kind])  # type: ignore[valid-type]
    view = memoryview(blob)
    while start < len(blob) and count != 0:
        (size,) = _LENGTH.unpack_from(blob, start)
        start += _LENGTH.size + size
        yield decoder.decode(view[start - size : start]), start
        count = None if count is None else count - 1


# --- cells -----------------------------------------------------------------------------------------------


def letters(column: int) -> str:
    """The letters of the column, of which 1 is A and 27 is AA."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def column_of(text: str) -> int:
    """The column that letters name (A is 1); 0 when they name none."""
    number = 0
    for letter in text.upper():
        if not "A" <= letter <= "Z":
            return 0
        number = number * 26 + ord(letter) - 64
    return number if number <= 16384 else 0
