"""Formats that are passed on and not derived: they need what only their own country's senders have."""

from __future__ import annotations

import dataclasses

from gateway.errors import Unconvertible
from gateway.formats.contract import Options
from gateway.model import Attachment, ReadDocument


@dataclasses.dataclass(frozen=True, kw_only=True)
class PassedOn:
    """What came in a format leaves in it as it came; nothing else can."""

    name: str  # of the format as readers call it
    label: str
    title: str  # what people call it, for sentences
    needs: str  # what other invoices do not have
    read: str
    media_type: str = "application/xml"
    checked: str = "the bytes are the original's"

    @property
    def written(self) -> str:
        """From what it can be written, in a few words."""
        return f"as it came, from {self.title}; not derived from others"

    def accepts(self, document: ReadDocument) -> bool:
        """Whether it came so."""
        return document.format == self.name

    def write(self, document: ReadDocument, source: Attachment, options: Options) -> Attachment:
        """Raises Unconvertible: only what came so can leave so."""
        came = document.format.upper() if document.format in ("ubl", "cii", "pdf") else document.format
        sentence = f"{self.title} is passed on and not derived: it needs {self.needs}. This document came as {came}."
        raise Unconvertible("format", sentence)


fatturapa = PassedOn(
    name="fatturapa",
    label="FatturaPA, as it came",
    title="FatturaPA",
    needs="the sender's tax regime, its progressive number and the code of the recipient at the Italian exchange",
    read="FatturaPA 1.2, ordinary and simplified",
)
facturae = PassedOn(
    name="facturae",
    label="Facturae, as it came",
    title="Facturae",
    needs="Spanish tax numbers, tax types and the sender's signature",
    read="Facturae 3.2 to 3.2.2",
)
