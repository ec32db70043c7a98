"""Words, numbers and dates as readers of a language write them. Amounts stay the `Decimal` they were: never rounded."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from gateway import resources

LANGUAGES: Final = ("en", "fr", "de", "sv")
MINUS: Final = "\u2212"
# Currencies without a minor unit (ISO 4217); their amounts are shown as written.
_NO_CENTS: Final = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF")
)

# UN/ECE Recommendation 20 and 21: units everybody writes the same way, and those that are words.
_SYMBOLS: Final = {
    "KGM": "kg", "GRM": "g", "MGM": "mg", "TNE": "t", "LBR": "lb", "ONZ": "oz",
    "MTR": "m", "CMT": "cm", "MMT": "mm", "KMT": "km", "DMT": "dm", "INH": "in", "FOT": "ft", "SMI": "mi", "LM": "m",
    "MTK": "m²", "CMK": "cm²", "KMK": "km²", "HAR": "ha", "MTQ": "m³", "CMQ": "cm³", "DMQ": "dm³",
    "LTR": "l", "MLT": "ml", "CLT": "cl", "DLT": "dl", "HLT": "hl",
    "KWH": "kWh", "MWH": "MWh", "GWH": "GWh", "WHR": "Wh", "KWT": "kW", "MAW": "MW", "WTT": "W", "JOU": "J",
    "4L": "MB", "E34": "GB", "E35": "TB", "AMP": "A", "VLT": "V", "BAR": "bar", "CEL": "°C", "P1": "%",
}  # fmt: skip
_WORDS: Final = {
    "C62": "piece", "H87": "piece", "EA": "piece", "PCE": "piece", "NAR": "piece", "NMP": "pack", "XPP": "piece",
    "SET": "set", "PR": "pair", "DZN": "dozen", "HUR": "hour", "MIN": "minute", "SEC": "second", "DAY": "day",
    "E49": "day", "WEE": "week", "MON": "month", "ANN": "year", "BX": "box", "XBX": "box", "PK": "pack",
    "XPK": "pack", "PA": "pack", "XPA": "pack", "CT": "carton", "XCT": "carton", "PF": "pallet", "XPF": "pallet",
    "XPX": "pallet", "XBO": "bottle", "BO": "bottle", "RO": "roll", "XRO": "roll", "ST": "sheet", "XST": "sheet",
    "LS": "lump", "E48": "service", "IE": "person",
}  # fmt: skip


@cache
def labels(language: str) -> Mapping[str, Any]:
    """The label file of `language` (ISO 639-1, a region after it is ignored); English for a language we have not."""
    base = re.split("[-_]", language.lower(), maxsplit=1)[0]
    return tomllib.loads(resources.read_text(f"formats/labels/{base if base in LANGUAGES else 'en'}.toml"))


class Words:
    """One language."""

    def __init__(self, language: str) -> None:
        self.language = re.split("[-_]", language.lower(), maxsplit=1)[0]
        if self.language not in LANGUAGES:
            self.language = "en"
        self.labels = labels(self.language)

    def say(self, section: str, name: str, **values: str) -> str:
        """The label `name` of `section` with its {places} filled."""
        words: str = self.labels[section][name]
        return words.format(**values) if values else words

    def number(self, value: Decimal, places: int = 0) -> str:
        """`value` with at least `places` decimals and all that it has; digits in groups of three."""
        if not value.is_finite():
            return str(value)
        # copy_abs and never `-value`, which rounds to the context's 28 digits.
        sign, digits = MINUS if value < 0 else "", format(value.copy_abs(), "f")
        whole, _, fraction = digits.partition(".")
        grouped = f"{int(whole):,}".replace(",", self.labels["group"]) if len(whole) < 4000 else whole
        fraction = fraction.ljust(places, "0")
        return sign + grouped + (self.labels["decimal"] + fraction if fraction else "")

    def amount(self, value: Decimal, currency: str | None) -> str:
        """An amount of money: cents always shown where the currency has them."""
        return self.number(value, 0 if currency in _NO_CENTS else 2)

    def price(self, value: Decimal, currency: str | None) -> str:
        """A unit price: as an amount, without zeros that say nothing beyond the cents."""
        return self.amount(shorten(value, 0 if currency in _NO_CENTS else 2), currency)

    def plain(self, value: Decimal) -> str:
        """A quantity or a rate, without zeros that say nothing."""
        return self.number(shorten(value))

    def aligned(self, shown: Iterable[str]) -> list[list[str]]:
        """Each text with what must stand invisibly after it, so that the decimal marks of the column align."""
        texts = list(shown)
        mark = self.labels["decimal"]
        tails = [len(text) - text.find(mark) if mark in text else 0 for text in texts]
        widest = max(tails, default=0)
        return [[text, _padding(mark, tail, widest) if text else ""] for text, tail in zip(texts, tails, strict=True)]

    def date(self, value: dt.date) -> str:
        """A date as the language writes it in figures, or short in English, where figures are ambiguous."""
        month = self.labels["months"][value.month - 1]
        shown: str = self.labels["date"].format(day=value.day, month=month, month_number=value.month, year=value.year)
        return shown

    def unit(self, code: str | None) -> str:
        """A unit code in words; a code we have no word for as it is."""
        if code is None:
            return ""
        if code in _SYMBOLS:
            return _SYMBOLS[code]
        return self.say("units", _WORDS[code]) if code in _WORDS else code

    def country(self, code: str) -> str:
        """The country's name in this language; a code we have no name for as it is."""
        name: str = self.labels["countries"].get(code.upper(), code)
        return name


def shorten(value: Decimal, places: int = 0) -> Decimal:
    """`value` without trailing zeros after the first `places` decimals; the same number."""
    if not value.is_finite():
        return value
    digits = format(value, "f")
    whole, _, fraction = digits.partition(".")
    fraction = fraction[:places] + fraction[places:].rstrip("0")
    return Decimal(f"{whole}.{fraction}" if fraction else whole)


def _padding(mark: str, tail: int, widest: int) -> str:
    if tail:
        return "0" * (widest - tail)
    return mark + "0" * (widest - 1) if widest else ""


def account(number: str) -> tuple[str, bool]:
    """An account number and whether it is an IBAN (ISO 13616), which is then in groups of four."""
    compact = re.sub(r"\s", "", number).upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", compact):
        return number, False
    return " ".join(compact[at : at + 4] for at in range(0, len(compact), 4)), True
