"""The vocabulary of ISDOC 5 and 6 (ICT UNIE, Ministry of the Interior of Czechia), read without namespaces."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from gateway.readers.xpath import Paths

SPACE = "http://isdoc.cz/namespace/"
ROOT = re.compile(rf"\{{{re.escape(SPACE)}(?:2013|invoice)\}}Invoice")
ISDOC = Paths({})

# DocumentType (enumeration of the schema) to UNTDID 1001
TYPES = {
    "1": "380",  # invoice
    "2": "381",  # credit note
    "3": "383",  # debit note
    "4": "325",  # request for a deposit, no tax document: proforma invoice
    "5": "386",  # tax document for a payment received: prepayment invoice
    "6": "381",  # credit note for that
    "7": "380",  # simplified tax document
}
BUSINESS = "0154"  # ISO 6523: Czech business number (IČO)
GLN = "0088"


class Money:
    """The amounts in the document's own currency: where a foreign one is stated, they have elements of their own."""

    def __init__(self, root: Any) -> None:
        foreign = ISDOC.value(root, "ForeignCurrencyCode")
        self.local = ISDOC.value(root, "LocalCurrencyCode")
        self.currency = foreign or self.local
        self.is_foreign = foreign is not None and foreign != self.local
        self._suffix = "Curr" if self.is_foreign else ""

    def at(self, node: Any, name: str) -> Decimal | None:
        """The amount `name` below `node`."""
        return ISDOC.decimal(node, f"{name}{self._suffix}")
