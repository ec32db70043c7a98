"""Terms that formats leave out because they define them otherwise: what follows without any doubt, and a note of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

STANDARD = "S"  # UNTDID 5305: the standard category, which is what has a rate (EN 16931-1, BT-118)


def sum_of(amounts: Sequence[Decimal | None], notes: list[str]) -> Decimal | None:
    """BT-106 by its definition (rule BR-CO-10), for formats without a place for it; None when an amount is missing."""
    stated = [amount for amount in amounts if amount is not None]
    if not stated or len(stated) < len(amounts):
        return None
    notes.append("The sum of the lines (BT-106) is not stated; it is the lines' net amounts added up.")
    return sum(stated, Decimal(0))


def vat_category_of(code: str | None, rate: Decimal | None, notes: list[str]) -> str | None:
    """UNTDID 5305 as stated; a rate above zero without a code is the standard category."""
    if code or not rate or rate <= 0:
        return code
    notes.append("VAT categories are not stated; what has a rate is read as category S.")
    return STANDARD
