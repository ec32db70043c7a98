"""The vocabulary of Svefaktura 1.0 (SFTI Basic Invoice, on UBL 1.0): namespaces, dates, identifiers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from gateway.en16931 import Identifier
from gateway.readers.xpath import Paths, date_of

INVOICE = "urn:sfti:documents:BasicInvoice:1:0"
_AGENCIES = {"9": "0088", "16": "0060"}  # UNTDID 3055 as UBL 1.0 has it, to ISO 6523: GLN, DUNS


def day_in(text: str | None) -> dt.date | None:
    """An xsd:date, or the day of an xsd:dateTime; None when it is neither."""
    return date_of((text or "").partition("T")[0])


class _Svefaktura(Paths):
    def date(self, node: Any, path: str) -> dt.date | None:
        return day_in(self.value(node, path))


SVEFAKTURA = _Svefaktura(
    {
        "sfti": INVOICE,
        "cac": "urn:sfti:CommonAggregateComponents:1:0",
        "cbc": "urn:oasis:names:tc:ubl:CommonBasicComponents:1:0",
    }
)


def identifiers_of(node: Any, path: str) -> tuple[Identifier, ...]:
    """The identifiers at `path` with the scheme that they name or that their agency stands for."""
    found = []
    for hit in SVEFAKTURA.nodes(node, path):
        if value := SVEFAKTURA.value(hit, "."):
            scheme = hit.get("identificationSchemeID") or _AGENCIES.get(hit.get("identificationSchemeAgencyID") or "")
            found.append(Identifier(value=value, scheme=scheme or None))
    return tuple(found)
