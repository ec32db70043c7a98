"""What a reader is asked about, and the contract of a reader."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from gateway.model import Found, Pattern, ReadDocument


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """A file, or one payload of an XML envelope."""

    data: bytes  # the whole file, envelope included
    name: str = ""
    media_type: str = ""
    patterns: tuple[Pattern, ...] = ()
    whole: bool = True  # False: routing fields are enough
    root: Any = None  # lxml element of the payload when the file is XML
    path: str = ""  # where the payload stands: /StandardBusinessDocument/Invoice
    evidence: tuple[Found, ...] = ()  # what the envelopes said


class Reader(Protocol):
    """One file of this package."""

    name: str

    def sniff(self, item: Item) -> bool:
        """Whether this reader knows what to do with `item`; cheap, by its bytes or its XML root, and never raises."""
        ...

    def read(self, item: Item) -> list[ReadDocument]:
        """The documents of an item that `sniff` took, at least one; Unreadable when there is none."""
        ...
