"""Several XML files end to end in one, as Finvoice comes from banks: a SOAP frame, then its document, and again."""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from gateway.errors import Unreadable
from gateway.model import Found
from gateway.readers.item import Item
from gateway.readers.limits import MAX_DOCUMENTS
from gateway.readers.soap import frame_of
from gateway.readers.xml import looks_like_xml

_DECLARATION = re.compile(rb"<\?xml\s")
_BETWEEN = b" \t\r\n\0\xef\xbb\xbf"


class Concatenated:
    """An XML declaration starts each file; XML itself allows just one, at the start (XML 1.0 §2.8)."""

    name: Final = "concatenated"

    def open(self, item: Item) -> list[Item] | None:
        """Each file; a SOAP frame is evidence of those that follow it, and no document."""
        if item.root is not None or not looks_like_xml(item.data):
            return None
        starts = [match.start() for match in _DECLARATION.finditer(item.data)]
        if len(starts) < 2 or item.data[: starts[0]].strip(_BETWEEN):
            return None
        if len(starts) > 2 * MAX_DOCUMENTS:
            raise Unreadable("too-large", f"The file holds more than {MAX_DOCUMENTS} documents.")
        return _without_frames(
            item, [item.data[a:b].strip(_BETWEEN) for a, b in zip(starts, [*starts[1:], None], strict=True)]
        )


CONCATENATED = Concatenated()


def _without_frames(item: Item, pieces: list[bytes]) -> list[Item]:
    evidence: tuple[Found, ...] = ()
    found = []
    for piece in pieces:
        frame = frame_of(piece)
        if frame is not None:
            evidence = frame
        else:
            found.append(dataclasses.replace(item, data=piece, evidence=(*item.evidence, *evidence)))
    if not found:
        raise Unreadable("not-a-document", "The file holds SOAP frames and no document.")
    return found
