"""Units that formats without a code list write as words, in the codes of UN/ECE Recommendation 20 (BT-130).

Recommendation 20 itself defines each code by that unit. The words are those that senders use in the language of the
format: a word that two languages use for different units stands in its own language only.
"""

from __future__ import annotations

import re

_COMMON = {
    "%": "P1", "c62": "C62", "cm": "CMT", "dl": "DLT", "g": "GRM", "h": "HUR", "kg": "KGM", "km": "KMT", "kwh": "KWH",
    "l": "LTR", "m": "MTR", "m2": "MTK", "m²": "MTK", "m3": "MTQ", "m³": "MTQ", "min": "MIN", "ml": "MLT", "mm": "MMT",
    "mwh": "MWH",
}  # fmt: skip
SWEDISH = {
    "st": "C62", "st.": "C62", "styck": "C62", "stk": "C62", "pcs": "C62", "tim": "HUR", "timme": "HUR",
    "timmar": "HUR", "dag": "DAY", "dagar": "DAY", "vecka": "WEE", "mån": "MON", "månad": "MON",
    "år": "ANN", "ton": "TNE", "par": "PR",
}  # fmt: skip
GERMAN = {
    "stk": "C62", "stk.": "C62", "st": "C62", "stück": "C62", "stueck": "C62", "pcs": "C62", "std": "HUR",
    "std.": "HUR", "stunde": "HUR", "stunden": "HUR", "tag": "DAY", "tage": "DAY", "woche": "WEE",
    "monat": "MON", "monate": "MON", "jahr": "ANN", "dag": "DG", "dkg": "DG", "t": "TNE", "paar": "PR",
}  # fmt: skip
CZECH = {
    "ks": "C62", "ks.": "C62", "kus": "C62", "hod": "HUR", "hod.": "HUR", "den": "DAY", "dny": "DAY", "týden": "WEE",
    "měs": "MON", "měsíc": "MON", "rok": "ANN", "t": "TNE", "pár": "PR",
}  # fmt: skip
FINNISH = {
    "kpl": "C62", "kpl.": "C62", "kappale": "C62", "st": "C62", "styck": "C62", "pcs": "C62", "pc": "C62",
    "piece": "C62", "t": "HUR", "tunti": "HUR", "tuntia": "HUR", "hour": "HUR", "tim": "HUR", "pv": "DAY",
    "päivä": "DAY", "day": "DAY", "dag": "DAY", "vko": "WEE", "viikko": "WEE", "week": "WEE", "kk": "MON",
    "kuukausi": "MON", "month": "MON", "mån": "MON", "v": "ANN", "vuosi": "ANN", "year": "ANN", "tn": "TNE",
    "pari": "PR", "par": "PR", "sarja": "SET", "set": "SET",
}  # fmt: skip
# What Finnish senders write beside words that looks like a code: abbreviations such as LTK (a box) do not count.
FINNISH_CODES = frozenset(FINNISH.values()) | {
    "H87", "EA", "NAR", "NMP", "E49", "LS", "KWT", "KTM", "SEC", "ACT", "DAA", "XPK", "XBX", "KGM", "GRM", "LTR",
    "MTR", "MTK", "MTQ", "KMT", "CMT", "MMT", "MIN", "KWH", "MWH", "MLT", "DLT", "P1",
}  # fmt: skip
ITALIAN = {
    "pz": "C62", "pz.": "C62", "pezzi": "C62", "pezzo": "C62", "nr": "C62", "nr.": "C62", "n.": "C62", "n": "C62",
    "cad": "C62", "numero": "C62", "num": "C62", "ora": "HUR", "ore": "HUR", "gg": "DAY", "giorno": "DAY",
    "giorni": "DAY", "mese": "MON", "mesi": "MON", "anno": "ANN", "anni": "ANN", "mq": "MTK", "mc": "MTQ",
    "mt": "MTR", "lt": "LTR", "litri": "LTR", "gr": "GRM", "q": "DTN", "t": "TNE", "ton": "TNE", "kit": "KT",
    "cf": "XPK", "smc": "SM3", "unità": "C62", "unita'": "C62", "unita": "C62",
}  # fmt: skip
_CODE = re.compile(r"[A-Z0-9]{2,3}")


def unit_of(word: str | None, words: dict[str, str]) -> str | None:
    """What `word` means in `words` or everywhere; what is written as a code is one. None for a word we do not know."""
    if not word:
        return None
    known = words.get(word.casefold()) or _COMMON.get(word.casefold())
    return known or (word if _CODE.fullmatch(word) else None)


def noted_unit(word: str | None, words: dict[str, str], notes: list[str]) -> str | None:
    """`unit_of`, with a sentence in `notes` for a word that we do not know."""
    unit = unit_of(word, words)
    if word and not unit:
        notes.append(f"The unit {word[:40]!r} is none of UN/ECE Recommendation 20 that we know.")
    return unit
