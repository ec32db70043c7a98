"""What the commands print: JSON, tables that fit a terminal, and text made safe for it."""

from __future__ import annotations

import json
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

# Characters that move, reorder or hide what stands beside them, apart from the controls (Unicode TR 36 §2).
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_HARMLESS = {"\u00ad"}  # the soft hyphen occurs in ordinary text


def safe(text: str) -> str:
    """`text` with every control, escape, bidirectional and invisible character written as `\\xNN` or `\\uNNNN`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if _is_unsafe(char) else char for char in text)


def _is_unsafe(char: str) -> bool:
    return char not in _HARMLESS and unicodedata.category(char) in _UNSAFE


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def print_json(value: object) -> None:
    """Print `value` as one JSON text; what is not ASCII stays readable, what a terminal would obey is escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    print("".join(_escape_in_json(char) if char != "\n" and _is_unsafe(char) else char for char in text))


def _escape_in_json(char: str) -> str:
    return json.dumps(char)[1:-1] if char != "\x7f" else "\\u007f"


def print_text(line: str) -> None:
    """Print one line of text made safe; what the terminal's encoding lacks is escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    print(safe(line).encode(encoding, "backslashreplace").decode(encoding))


def show_value(value: object) -> str:
    """A JSON value as people read it: lists joined by `; `, null empty, booleans as true and false."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "; ".join(show_value(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={show_value(item)}" for key, item in value.items())
    return str(value)


def short_time(value: str | None) -> str:
    """An RFC 3339 time to the minute, in UTC; empty for none."""
    return (value or "")[:16].replace("T", " ")


def _width(text: str) -> int:
    """Columns that `text` takes on a terminal (Unicode TR 11: wide and fullwidth take two, combining marks none)."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _fit(text: str, width: int) -> str:
    if _width(text) <= width:
        return text + " " * (width - _width(text))
    kept = ""
    for char in text:
        if _width(kept + char) > width - 1:
            break
        kept += char
    return kept + "…" + " " * (width - 1 - _width(kept))


def table(
    rows: Iterable[Mapping[str, object]], columns: Sequence[tuple[str, str]], width: int | None = None
) -> list[str]:
    """The lines of a table with a heading, at most `width` (the terminal's, else 80) columns wide.

    `columns` are (key, heading). The widest columns give way first; a value cut short ends in `…`.
    """
    cells = [[safe(show_value(row.get(key))) for key, _ in columns] for row in rows]
    headings = [heading for _, heading in columns]
    widths = [max(_width(line[i]) for line in [headings, *cells]) for i in range(len(columns))]
    room = (width or shutil.get_terminal_size((80, 24)).columns) - 2 * (len(columns) - 1)
    while sum(widths) > room and max(widths) > 8:
        widths[widths.index(max(widths))] -= 1
    return [
        "  ".join(_fit(cell, size) for cell, size in zip(line, widths, strict=True)).rstrip()
        for line in [headings, *cells]
    ]


def print_table(rows: Sequence[Mapping[str, object]], columns: Sequence[tuple[str, str]], empty: str) -> None:
    """Print the table, or the sentence `empty` when it has no rows. Into a pipe nothing is cut short."""
    if not rows:
        print(empty)
        return
    for line in table(rows, columns, None if sys.stdout.isatty() else 10_000):
        print_text(line)


def print_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Print `name  value` lines, aligned."""
    shown = [(name, show_value(value)) for name, value in pairs]
    size = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        print_text(f"{name:{size}}  {value}".rstrip())
