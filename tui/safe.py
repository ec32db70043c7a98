"""The one way from data to the terminal: text that came from a document, a peer or a person, made harmless."""

from __future__ import annotations

import unicodedata

_LIMIT = 4000  # characters; nothing on a screen shows more of one value
_STAND_IN = "·"  # shown in the place of what a terminal would obey
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # controls, bidi and zero-width, private, line ends


def safe(value: object, limit: int = _LIMIT) -> str:
    """`value` as one line of text that moves no cursor, sets no title and turns no direction.

    Each character that a terminal may obey (ESC, C0, C1: ECMA-48; bidi and zero-width: Unicode UAX 9) becomes a dot;
    combining marks beyond two on one base, which terminals measure differently, are left out.
    """
    if value is None:
        return ""
    shown: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", str(value)[:limit]):
        category = unicodedata.category(char)
        if category in ("Mn", "Me"):
            marks += 1
            if marks > 2 or not shown or "\ufe00" <= char <= "\ufe0f":
                continue
            shown.append(char)
            continue
        marks = 0
        if category == "Zs":
            char = " "
        shown.append(_STAND_IN if category in _REFUSED else char)
    return "".join(shown)
