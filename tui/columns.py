"""Columns of a list: which fit, how wide, and how a value is cut."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from tui.safe import safe

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Column:
    """One column: `width` cells at least; what is left over goes to those with `grow`."""

    heading: str  # English; translated where it is shown
    value: Callable[[Row], object]
    width: int
    grow: int = 0
    rank: int = 0  # columns of the highest rank go first when the screen is narrow; 0 always stays
    right: bool = False
    style: Callable[[Row], str] | None = None
    cut_middle: bool = False  # for addresses: both ends tell them apart


def fitting(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """The columns that fit into `width` cells, with the width that each gets."""
    kept = list(columns)
    while len(kept) > 1 and sum(column.width + 1 for column in kept) - 1 > width:
        last = max(kept, key=lambda column: column.rank)
        if last.rank == 0:
            break
        kept.remove(last)
    left = max(0, width - (sum(column.width + 1 for column in kept) - 1))
    parts = sum(column.grow for column in kept) or 1
    return [(column, column.width + left * column.grow // parts) for column in kept]


def cell(value: object, width: int, right: bool = False, cut_middle: bool = False) -> str:
    """`value`, made safe, exactly `width` cells wide."""
    text = safe(value)
    size = cell_len(text)
    if size > width:
        if cut_middle and width > 8:
            head = set_cell_size(text, width // 2)
            tail = text[-(width - width // 2 - 1) :]
            return set_cell_size(f"{head}…{tail}", width)
        return set_cell_size(text, width - 1) + "…" if width > 1 else set_cell_size(text, width)
    pad = " " * (width - size)
    return pad + text if right else text + pad
