"""The code lists of FatturaPA (Agenzia delle Entrate, Specifiche tecniche, allegato A) in the codes of EN 16931.

A code is mapped where both lists define the same thing; what has no counterpart stays open.
"""

from __future__ import annotations

# TipoDocumento to UNTDID 1001. TD16 to TD19, TD22, TD23 and TD28 are documents of the buyer about a purchase.
TYPES = {
    "TD01": "380", "TD02": "386", "TD03": "386", "TD04": "381", "TD05": "383", "TD06": "380",
    "TD07": "380", "TD08": "381", "TD09": "383",  # simplified
    "TD16": "389", "TD17": "389", "TD18": "389", "TD19": "389", "TD20": "389", "TD21": "389", "TD22": "389",
    "TD23": "389", "TD24": "380", "TD25": "380", "TD26": "380", "TD27": "389", "TD28": "389", "TD29": "389",
}  # fmt: skip

# Natura to UNTDID 5305: not subject (N2), export (N3.1), intra-community (N3.2), exempt (N4), reverse charge (N6).
# Excluded (N1), not taxable otherwise (N3), margin scheme (N5) and VAT paid elsewhere (N7) have no category there.
_NATURES = {"N2": "O", "N3.1": "G", "N3.2": "K", "N4": "E", "N6": "AE"}

# ModalitaPagamento to UNTDID 4461; what it does not know is mutually defined.
_MEANS = {
    "MP01": "10", "MP02": "20", "MP03": "21", "MP05": "30", "MP06": "60", "MP08": "48", "MP09": "49", "MP10": "49",
    "MP11": "49", "MP16": "49", "MP17": "49", "MP18": "50", "MP19": "59", "MP20": "59", "MP21": "59",
}  # fmt: skip
_AGREED = "ZZZ"


def category_of(nature: str | None) -> str | None:
    """The VAT category of a Natura, subdivided or not; None where EN 16931 has none."""
    return (_NATURES.get(nature) or _NATURES.get(nature[:2])) if nature else None


def means_of(code: str | None) -> str | None:
    """The payment means; None when none is stated."""
    return _MEANS.get(code, _AGREED) if code else None
