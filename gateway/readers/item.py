"""What a reader is asked about, and the contract of a reader."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from gateway.errors import Unreadable
from gateway.model import Found, Pattern, ReadDocument


@dataclasses.dataclass(frozen=True, kw_only=True)
class File:
    """A file that came with a document and says nothing of its own: a page, a picture."""

    name: str
    data: bytes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """A file, or one thing inside its wrappers."""

    data: bytes  # the file; of a thing inside larger XML, that XML
    name: str = ""
    media_type: str = ""
    patterns: tuple[Pattern, ...] = ()
    whole: bool = True  # False: routing fields are enough
    root: Any = None  # lxml element of the document when it is XML
    path: str = ""  # where it stands: /StandardBusinessDocument/Invoice
    cut: bool = False  # `root` is not all of `data`
    wrapped: tuple[str, ...] = ()  # the wrappers opened, outermost first
    evidence: tuple[Found, ...] = ()  # what the wrappers said
    notes: tuple[str, ...] = ()  # what was odd about them, in sentences
    extras: tuple[File, ...] = ()  # files that belong to the document
    trouble: Unreadable | None = None  # why it cannot be read, though others of the same file can


class Reader(Protocol):
    """One file of this package."""

    name: str

    def sniff(self, item: Item) -> bool:
        """Whether this reader knows what to do with `item`; cheap, by its bytes or its XML root, and never raises."""
        ...

    def read(self, item: Item) -> list[ReadDocument]:
        """The documents of an item that `sniff` took: one, since wrappers have been opened; Unreadable when none."""
        ...
