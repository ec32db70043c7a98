"""The loop that opens wrappers: envelopes, signatures, archives, files laid end to end; in any order, one in the other.

A wrapper is one file of this package and one line of `WRAPPERS`. It looks at an `Item` and gives what is inside as
further items, or None when the item is not of its kind; what none opens is a document, left to the readers. The loop
is what keeps to the limits; a wrapper that unpacks keeps to `MAX_TOTAL` by itself.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Sequence
from pathlib import PurePath
from typing import Protocol

from lxml import etree

from gateway.errors import Unreadable
from gateway.model import Found
from gateway.readers.archive import ARCHIVE
from gateway.readers.batches import FACTURAE, FATTURAPA, IDOCS
from gateway.readers.cms import CMS
from gateway.readers.concatenated import CONCATENATED
from gateway.readers.envelope import SBDH
from gateway.readers.interchange import INTERCHANGE
from gateway.readers.item import File, Item
from gateway.readers.limits import MAX_DOCUMENTS, MAX_NESTED, MAX_TOTAL
from gateway.readers.objects import OBJECTS
from gateway.readers.soap import SOAP
from gateway.readers.xml import looks_like_xml, parse_xml


class Wrapper(Protocol):
    """One way to wrap documents."""

    @property
    def name(self) -> str:
        """The word in `ReadDocument.wrapped`."""

    def open(self, item: Item) -> Sequence[Item] | None:
        """What is inside `item`, at least one thing; None when `item` is not wrapped this way.

        Unreadable when it is, and holds nothing, cannot be opened, or is a bomb.
        """


WRAPPERS: tuple[Wrapper, ...] = (
    CMS,
    ARCHIVE,
    CONCATENATED,
    SBDH,
    OBJECTS,
    SOAP,
    FATTURAPA,
    FACTURAE,
    IDOCS,
    INTERCHANGE,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """One document of a file. Without `data` it is the file itself."""

    name: str
    origin: str  # `document 2 of 3 in batch.xml`
    data: bytes | None = None
    extras: tuple[File, ...] = ()
    evidence: tuple[Found, ...] = ()  # what the wrappers said of it


def unwrap(file: Item) -> list[Item]:
    """The documents in `file`, at least one, in their order.

    One of several that cannot be opened is among them with its `trouble`. Unreadable when that goes for the only one,
    when a wrapper holds nothing, or when there are more than the limits allow.
    """
    found: list[Item] = []
    waiting = collections.deque([file])
    total = 0
    while waiting:
        item, inside = _opened(waiting.popleft())
        if inside is None:
            found.append(item)
        elif len(item.wrapped) >= MAX_NESTED:
            raise Unreadable("too-deep", f"More than {MAX_NESTED} envelopes stand one in the other.")
        else:
            total += sum(len(each.data) for each in inside if each.data is not item.data)
            waiting.extendleft(reversed(inside))
        if len(found) + len(waiting) > MAX_DOCUMENTS:
            raise Unreadable("too-large", f"The file holds more than {MAX_DOCUMENTS} documents.")
        _refuse_above(total)
    if len(found) == 1 and found[0].trouble:
        raise found[0].trouble
    return found


def divide(name: str, data: bytes) -> list[Part]:
    """The documents of the file `data` when it holds more than one, or one with other files beside it; else none.

    Each part's bytes are a file in their own right that says nothing of the others. Unreadable as `unwrap`.
    """
    items = unwrap(Item(name=name, data=data))
    if len(items) == 1:
        return [_part(items[0], "", None)] if items[0].extras else []
    parts = [
        _part(item, f"document {place} of {len(items)} in {name}", _numbered(item, place, name))
        for place, item in enumerate(items, 1)
    ]
    _refuse_above(sum(len(part.data or b"") for part in parts))
    return parts


def standalone(item: Item) -> bytes:
    """The bytes of the document alone: as they came, but for what stood inside a larger XML, which is written anew."""
    if not item.cut:
        return item.data
    written: bytes = etree.tostring(item.root, encoding="UTF-8", xml_declaration=True, with_tail=False)
    return written


def _opened(item: Item) -> tuple[Item, list[Item] | None]:
    """`item` with its XML parsed, and what is inside when a wrapper knows it."""
    try:
        item = _parsed(item)
        for wrapper in WRAPPERS:
            inside = wrapper.open(item)
            if inside is not None:
                wrapped = (*item.wrapped, wrapper.name)
                return item, [dataclasses.replace(each, wrapped=wrapped) for each in inside]
    except Unreadable as error:
        return dataclasses.replace(item, trouble=error), None
    return item, None


def _parsed(item: Item) -> Item:
    """With the root of its XML; several XML files end to end are left to their wrapper."""
    if item.root is not None or not looks_like_xml(item.data):
        return item
    try:
        root = parse_xml(item.data)
    except Unreadable as error:
        if error.cause == "malformed-xml" and CONCATENATED.open(item) is not None:
            return item
        raise
    return dataclasses.replace(item, root=root, path=f"{item.path}/{etree.QName(root).localname}")


def _part(item: Item, origin: str, name: str | None) -> Part:
    data = None if name is None else standalone(item)
    origin = " ".join((f"{origin}.", *item.notes)) if origin and item.notes else origin
    return Part(name=name or item.name, origin=origin, data=data, extras=item.extras, evidence=item.evidence)


def _numbered(item: Item, place: int, whole: str) -> str:
    """The name that the document had inside, else the file's with its place."""
    if item.name and item.name != whole:
        return item.name
    path = PurePath(whole)
    return f"{path.stem or 'document'}-{place}{path.suffix}"


def _refuse_above(total: int) -> None:
    if total > MAX_TOTAL:
        raise Unreadable(
            "too-large", f"What the file holds unpacks to more than {MAX_TOTAL // 1_000_000} million bytes."
        )
