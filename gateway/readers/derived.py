"""What several formats leave to be worked out from what they state, exactly; nothing is rounded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from lxml import etree

from gateway.en16931 import AllowanceCharge
from gateway.readers.xpath import Paths

MAX_NOTES = 20
_MOST_LINES = 3


def bad_numbers(xpath: Paths, root: Any, path: str, notes: list[str]) -> None:
    """A sentence for each value at `path` that is no number, as far as a person would read them."""
    for node in xpath.nodes(root, path)[:10_000]:
        value = xpath.value(node, ".")
        if value and xpath.decimal(node, ".") is None and len(notes) < MAX_NOTES:
            notes.append(f"{etree.QName(node).localname} is {value!r}, which is no number.")


def sums_of(entries: Iterable[AllowanceCharge]) -> dict[str, Decimal | None]:
    """BT-107 and BT-108 by their definition (rules BR-CO-11, BR-CO-12), where the format has no place for them."""
    allowances = [entry.amount for entry in entries if not entry.is_charge]
    charges = [entry.amount for entry in entries if entry.is_charge]
    return {
        "allowances": sum(allowances, Decimal(0)) if allowances else None,
        "charges": sum(charges, Decimal(0)) if charges else None,
    }


def percent_of(factor: Decimal | None, base: Decimal | None, amount: Decimal) -> Decimal | None:
    """BT-94 from a factor that senders write as 0.1 and as 10: whichever gives the amount; None when neither does."""
    if factor is None or base is None:
        return None
    near = Decimal("0.01")  # the sender has rounded the amount
    if abs(base * factor - amount) < near:
        return factor * 100
    return factor if abs(base * factor / 100 - amount) < near else None


def three_lines(lines: Sequence[str]) -> dict[str, str | None]:
    """The lines of an address as the three that EN 16931 has; what is more stands in the third."""
    kept = [*lines[: _MOST_LINES - 1], " ".join(lines[_MOST_LINES - 1 :]) or None, None, None]
    return dict(zip(("line1", "line2", "line3"), kept, strict=False))
