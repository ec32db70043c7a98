"""The command line of each key: what `!` shows, so that what is done here once can be done by a script."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from tui.columns import Row


class _Values(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return name.upper()


def filled(line: str, row: Row, **more: object) -> str:
    """A command with the values of a row in its places; what the row does not say stands there in capitals."""
    values = _Values()
    for name, value in {**row, **more}.items():
        text = ";".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value or "")
        if text:
            values[name] = shlex.quote(text)
    return line.format_map(values)


def command_lines(lines: Mapping[str, str], labels: Mapping[str, str], row: Row, **more: object) -> list[str]:
    """For each key its label, and below it the command that does the same."""
    shown: list[str] = []
    for action, line in lines.items():
        shown += [labels.get(action, ""), f"    gateway {filled(line, row, **more)}", ""]
    return shown
