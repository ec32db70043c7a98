"""Values as Finvoice writes them: decimal commas, dates as CCYYMMDD, units as words, and its codes of documents."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from gateway.readers import units
from gateway.readers.xpath import Paths, date_of, decimal_of

_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)

# InvoiceTypeCode of the SPY code list (Finvoice 3.0 implementation guidelines §10.5) to UNTDID 1001. The list's other
# codes (ORD01, DEV01 and the like) are no invoices.
TYPES = {
    "INV01": "380",  # invoice
    "INV02": "381",  # credit note
    "INV03": "380",  # interest note
    "INV04": "380",  # internal invoice
    "INV05": "380",  # collection note
    "INV06": "325",  # proforma invoice
    "INV07": "389",  # self-billed invoice
    "INV08": "380",  # invoice that reminds
    "INV09": "380",  # direct payment
}


def date_in(text: str | None) -> dt.date | None:
    """CCYYMMDD, the one format that the schema knows, or an xsd:date; None when it is none."""
    match = _DATE.fullmatch(text or "")
    try:
        return dt.date(*map(int, match.groups())) if match else date_of(text)
    except ValueError:
        return None


def decimal_in(text: str | None) -> Decimal | None:
    """A number with a decimal comma, or with a point as some write it; None when it is none or has both."""
    return decimal_of(text.replace(",", ".")) if text and "." not in text else decimal_of(text)


def unit_of(code: str | None, word: str | None) -> str | None:
    """BT-130: the code of Recommendation 20 (3.0), else what a word or a known code in its place means; or None."""
    if code:
        return code
    unit = units.unit_of(word, units.FINNISH)
    is_as_written = unit == word
    return unit if not is_as_written or unit in units.FINNISH_CODES else None


class _Finvoice(Paths):
    """XPaths whose values are written as Finvoice writes them."""

    def date(self, node: Any, path: str) -> dt.date | None:
        return date_in(self.value(node, path))

    def decimal(self, node: Any, path: str) -> Decimal | None:
        return decimal_in(self.value(node, path))


FINVOICE = _Finvoice({})
