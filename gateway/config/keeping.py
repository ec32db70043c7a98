"""The keys of a `[[source]]` with a folder."""

from __future__ import annotations

import re
from typing import Any

from gateway.config.structs import MIB
from gateway.config.table import Table

FOLDER_ONLY = ("file_name", "stable", "trigger", "max_size")
_ENDING = re.compile(r"\.[a-z0-9_-]{1,16}")
_TAKEN = (".pdf", ".xml", ".json", ".csv", ".tmp", ".part")  # what the folder knows by these endings


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
