"""The keys of a `[[source]]` with a folder, and `[retention]`: what is taken from the disk, and how long it is kept."""

from __future__ import annotations

import re
from typing import Any

from gateway.config.structs import MIB, Retention
from gateway.config.table import Table

FOLDER_ONLY = ("file_name", "stable", "trigger", "max_size")
RETENTION_KEYS = ("content_days", "rows_days", "done_days")
_ENDING = re.compile(r"\.[a-z0-9_-]{1,16}")
_TAKEN = (".pdf", ".xml", ".json", ".csv", ".tmp", ".part")  # what the folder knows by these endings
_MOST = 36_500  # days


def folder_keys(table: Table) -> dict[str, Any]:
    """What a source with a folder says of the files in it, as arguments of `Source`."""
    return {
        "stable": table.number("stable", 2.0, 0.0, 3600.0),
        "trigger": _trigger(table),
        "max_size": table.size("max_size", 50 * MIB, 1 << 10, 100 * MIB),
    }


def _trigger(table: Table) -> tuple[str, ...]:
    endings = tuple(text.lower() for text in table.texts("trigger"))
    for ending in endings:
        if not _ENDING.fullmatch(ending):
            table.fail("trigger", f'source.trigger must be endings such as ".ok", not "{ending}".')
        if ending in _TAKEN:
            table.fail("trigger", f'source.trigger cannot be "{ending}": such files are something else.')
    return endings


def retention(table: Table) -> Retention:
    """`[retention]`; 0 days is for ever."""
    content = table.whole("content_days", 90, 0, _MOST)
    rows = table.whole("rows_days", 400, 0, _MOST)
    if rows and (content == 0 or rows < content):
        sentence = "retention.rows_days cannot be less than content_days: a content without its row could not be found."
        table.fail("rows_days" if "rows_days" in table else "content_days", sentence)
    return Retention(content_days=content, rows_days=rows, done_days=table.whole("done_days", 90, 0, _MOST))
