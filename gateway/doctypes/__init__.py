"""The routing types, one file each; a type is added by its file and its line in `DOCTYPES`."""

from __future__ import annotations

import difflib
import re
from typing import Literal

from gateway.doctypes.catalogue import CATALOGUE
from gateway.doctypes.delivery_forecast import DELIVERY_FORECAST
from gateway.doctypes.despatch_advice import DESPATCH_ADVICE
from gateway.doctypes.invoice import INVOICE
from gateway.doctypes.invoice_response import INVOICE_RESPONSE
from gateway.doctypes.kind import DocumentType
from gateway.doctypes.order import ORDER
from gateway.doctypes.order_response import ORDER_RESPONSE
from gateway.doctypes.other import OTHER
from gateway.doctypes.receipt_advice import RECEIPT_ADVICE
from gateway.doctypes.reminder import REMINDER
from gateway.doctypes.statement import STATEMENT
from gateway.doctypes.transport_instruction import TRANSPORT_INSTRUCTION
from gateway.doctypes.transport_instruction_response import TRANSPORT_INSTRUCTION_RESPONSE
from gateway.doctypes.utility_statement import UTILITY_STATEMENT
from gateway.errors import Refused

DOCTYPES: tuple[DocumentType, ...] = (
    INVOICE,
    ORDER,
    ORDER_RESPONSE,
    DESPATCH_ADVICE,
    REMINDER,
    STATEMENT,
    CATALOGUE,
    INVOICE_RESPONSE,
    RECEIPT_ADVICE,
    DELIVERY_FORECAST,
    TRANSPORT_INSTRUCTION,
    TRANSPORT_INSTRUCTION_RESPONSE,
    UTILITY_STATEMENT,
    OTHER,
)

Extent = Literal["title", "numbered", "start"]

ANY = "any"  # type of a directory row that serves every document (requirements S6); no document has it

_BY_NAME = {kind.name: kind for kind in DOCTYPES}
_BY_ROOT = {root: (kind, subtype) for kind in DOCTYPES for root, subtype in kind.roots.items()}
_BY_WORD = {word: (kind, subtype) for kind in DOCTYPES for word, subtype in kind.words.items()}
_TITLE = re.compile(
    r"(?P<title>" + "|".join(sorted(map(re.escape, _BY_WORD), key=len, reverse=True)) + r")(?P<rest>$|\W.*$)",
    re.DOTALL,
)
_NUMBER = re.compile(r"[\s#.,°º\-–]*(?:(?:no|nr|n|number|nummer|numéro)\b[\s:#.°º\-]*)?(?=\S*\d)\S+")


def names() -> tuple[str, ...]:
    """The names of all routing types, in the order of the table."""
    return tuple(kind.name for kind in DOCTYPES)


def find(name: str) -> DocumentType:
    """The type called `name`; Refused with the nearest name when there is none."""
    kind = _BY_NAME.get(name)
    if kind is None:
        near = difflib.get_close_matches(name, _BY_NAME, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_BY_NAME)}"
        raise Refused(f"{name!r} is no document type; {hint}", "type")
    return kind


def by_root(root: str) -> tuple[DocumentType, str | None] | None:
    """The type and subtype of an XML root in Clark notation (`{namespace}Invoice`)."""
    return _BY_ROOT.get(root)


def invoice_subtype(code: str) -> str | None:
    """The subtype of an invoice with this UNTDID 1001 code (EN 16931 BT-3); None for a code that is no invoice's."""
    return INVOICE.codes.get(code)


def by_code(code: str) -> tuple[DocumentType, str | None] | None:
    """The type and subtype of a document with this UNTDID 1001 code; None for a code that no type claims."""
    return next(((kind, kind.codes[code]) for kind in DOCTYPES if code in kind.codes), None)


def reveal(text: str) -> tuple[DocumentType, str | None, Extent] | None:
    """The type that a line of text announces, its subtype, and how much of the line the title is.

    `Credit note` is a title, `Credit note 4711` a numbered one; `Invoice date 2026-01-02` only starts with one, and so
    does `Order: 17`, which is a field.
    """
    match = _TITLE.match(" ".join(text.replace("’", "'").casefold().split()))
    if match is None:
        return None
    kind, subtype = _BY_WORD[match["title"]]
    if not match["rest"].strip(" .-–"):
        return kind, subtype, "title"
    return kind, subtype, "numbered" if _NUMBER.fullmatch(match["rest"]) else "start"


def label(name: str, language: str = "en", subtype: str | None = None) -> str:
    """What people call the type `name` (or its subtype) in `language`; Refused when there is no such type."""
    return find(name).label(language, subtype)
