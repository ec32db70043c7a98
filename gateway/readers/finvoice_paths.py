"""Values as Finvoice writes them: decimal commas, dates as CCYYMMDD, units as words, and its codes of documents."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

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

# QuantityUnitCode is free text up to version 2.01. The words that Finnish, Swedish and English senders use, to UN/ECE
# Recommendation 20; Recommendation 20 itself defines each code by that unit.
_UNITS = {
    "kpl": "C62", "kpl.": "C62", "kappale": "C62", "st": "C62", "styck": "C62", "pcs": "C62", "pc": "C62",
    "piece": "C62",
    "h": "HUR", "t": "HUR", "tunti": "HUR", "tuntia": "HUR", "hour": "HUR", "tim": "HUR", "min": "MIN",
    "pv": "DAY", "päivä": "DAY", "day": "DAY", "dag": "DAY", "vko": "WEE", "viikko": "WEE", "week": "WEE",
    "kk": "MON", "kuukausi": "MON", "month": "MON", "mån": "MON", "v": "ANN", "vuosi": "ANN", "year": "ANN",
    "g": "GRM", "kg": "KGM", "tn": "TNE", "l": "LTR", "dl": "DLT", "ml": "MLT",
    "mm": "MMT", "cm": "CMT", "m": "MTR", "km": "KMT", "m2": "MTK", "m²": "MTK", "m3": "MTQ", "m³": "MTQ",
    "kwh": "KWH", "mwh": "MWH", "%": "P1", "pari": "PR", "par": "PR", "sarja": "SET", "set": "SET",
}  # fmt: skip
_CODES = frozenset(_UNITS.values()) | {
    "H87",
    "EA",
    "NAR",
    "NMP",
    "E49",
    "LS",
    "KWT",
    "KTM",
    "SEC",
    "ACT",
    "DAA",
    "XPK",
    "XBX",
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
    """BT-130: the code of Recommendation 20, or what a unit written as a word or as such a code means; else None."""
    if code or not word:
        return code
    return _UNITS.get(word.casefold()) or (word if word in _CODES else None)


class _Finvoice(Paths):
    """XPaths whose values are written as Finvoice writes them."""

    def date(self, node: Any, path: str) -> dt.date | None:
        return date_in(self.value(node, path))

    def decimal(self, node: Any, path: str) -> Decimal | None:
        return decimal_in(self.value(node, path))


FINVOICE = _Finvoice({})
