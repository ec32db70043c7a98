"""The port of a format: what `convert` asks of it and what it may expect."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Protocol

import msgspec

from gateway.model import Attachment, ReadDocument

ACCENT = "#1f4e79"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to write.

    `language` is the reader's (ISO 639-1), empty for the document's own; `accent` a colour as #rrggbb; `now` an aware
    time for the dates inside the file; `constants` what structured formats may take where the document says nothing;
    `pages` the folder of the company's own templates; `page` the PDF that the sender made of the document.
    """

    language: str
    now: dt.datetime
    accent: str = ACCENT
    constants: tuple[str, ...] = ()
    pages: Path | None = None
    page: bytes | None = None


class Format(Protocol):
    """One format; the module that implements it is the plug-in."""

    @property
    def name(self) -> str:
        """The word in settings and on the command line."""

    @property
    def label(self) -> str:
        """The words on a screen."""

    @property
    def media_type(self) -> str:
        """RFC 6838 type of what it writes."""

    @property
    def read(self) -> str:
        """What of it is understood when it comes in, in a few words."""

    @property
    def written(self) -> str:
        """From what it can be written, in a few words."""

    @property
    def checked(self) -> str:
        """How we know that what we write is right, in a few words."""

    def accepts(self, document: ReadDocument) -> bool:
        """Whether what was read as `document` is in this format as it came."""

    def write(self, document: ReadDocument, source: Attachment, options: Options) -> Attachment:
        """Write `document`, read from `source`, or raise Unconvertible with the term that stands in the way.

        The caller has handled the case where `source` already is in this format.
        """
