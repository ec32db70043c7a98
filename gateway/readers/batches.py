"""XML formats that hold several of their own documents: FatturaPA with several bodies, Facturae batches, IDocs.

Each document becomes a file of its own with what the file says of all: the header, and no signature, since the one of
the whole file cannot be right for a part.
"""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Callable
from typing import Any, Final

from lxml import etree

from gateway.errors import Unreadable
from gateway.readers.idocflat import is_flat
from gateway.readers.item import Item
from gateway.readers.limits import MAX_DOCUMENTS, MAX_TOTAL

NOTE = "The signature covers the whole file and is not in this part."

_FATTURAPA = re.compile(r"\{[^}]*/(?:fatture|fatturapa)/v1\.\d\}FatturaElettronica(?:Semplificata)?")
_FACTURAE = re.compile(r"\{http://www\.facturae\.(?:es|gob\.es)/[^}]*\}Facturae")
_CONTROL = re.compile(rb"^(?:\xef\xbb\xbf)?EDI_DC40", re.MULTILINE)  # of a flat IDoc
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


class FatturaPa:
    """One header, several bodies (FatturaPA 1.2 §2: `lotto di fatture`)."""

    name: Final = "fatturapa-batch"

    def open(self, item: Item) -> list[Item] | None:
        """A file per body."""
        if item.root is None or not _FATTURAPA.fullmatch(item.root.tag):
            return None
        return _split(item, item.root, lambda node: _local(node) == "FatturaElettronicaBody")


class Facturae:
    """Several invoices of one seller to one buyer (Facturae 3.2.x, Modality L)."""

    name: Final = "facturae-batch"

    def open(self, item: Item) -> list[Item] | None:
        """A file per invoice, its header that of a single one."""
        if item.root is None or not _FACTURAE.fullmatch(item.root.tag):
            return None
        holder = item.root.find("Invoices")
        found = None if holder is None else _split(item, holder, lambda node: node.tag == "Invoice")
        for part in found or ():
            _single(part.root)
        return found


class IDocs:
    """SAP IDocs in XML: several IDOC elements under one root."""

    name: Final = "idoc-batch"

    def open(self, item: Item) -> list[Item] | None:
        """A file per IDOC; flat IDocs are cut before each control record."""
        if item.root is not None and item.root.find("IDOC/EDI_DC40") is not None:
            return _split(item, item.root, lambda node: node.tag == "IDOC")
        if item.root is None and is_flat(item.data):
            starts = [match.start() for match in _CONTROL.finditer(item.data)]
            ends = [*starts[1:], len(item.data)]
            pieces = [item.data[start:end] for start, end in zip(starts, ends, strict=True)]
            return [dataclasses.replace(item, data=piece) for piece in pieces] if len(pieces) > 1 else None
        return None


FATTURAPA, FACTURAE, IDOCS = FatturaPa(), Facturae(), IDocs()


def _local(node: Any) -> str:
    return str(etree.QName(node).localname)


def _split(item: Item, holder: Any, is_document: Callable[[Any], bool]) -> list[Item] | None:
    """A copy of the whole per document among the children of `holder`, without the others; None for one document."""
    documents = [node for node in holder if is_document(node)]
    if len(documents) < 2:
        return None
    if len(documents) > MAX_DOCUMENTS:
        raise Unreadable("too-large", f"The file holds more than {MAX_DOCUMENTS} documents.")
    shared = len(etree.tostring(item.root)) - sum(len(etree.tostring(node, with_tail=False)) for node in documents)
    if shared * len(documents) > MAX_TOTAL:
        raise Unreadable("too-large", f"{len(documents)} documents share a header that is too large to repeat.")
    notes = (*item.notes, NOTE) if item.root.find(_SIGNATURE) is not None else item.notes
    return [
        dataclasses.replace(item, root=_with(item.root, holder, documents, document), cut=True, notes=notes)
        for document in documents
    ]


def _with(root: Any, holder: Any, documents: list[Any], document: Any) -> Any:
    """A copy of `root` with `document` alone."""
    left_out = {id(node) for node in documents if node is not document}

    def copied(node: Any) -> Any:
        made = etree.Element(node.tag, node.attrib, nsmap=node.nsmap)
        made.text = node.text
        for child in node:
            if id(child) not in left_out and child.tag != _SIGNATURE:
                made.append(copied(child) if child is holder else copy.deepcopy(child))
        return made

    return copied(root)


def _single(root: Any) -> None:
    """The header of a Facturae file with one invoice: Modality I, and a batch of that one."""
    invoice = root.find("Invoices/Invoice")
    header = root.find("FileHeader")
    if header is None:
        return
    said = {"Modality": "I", "Batch/InvoicesCount": "1"}
    for total, own in (
        ("TotalInvoicesAmount", "InvoiceTotal"),
        ("TotalOutstandingAmount", "TotalOutstandingAmount"),
        ("TotalExecutableAmount", "TotalExecutableAmount"),
    ):
        amount = invoice.findtext(f"InvoiceTotals/{own}")
        if amount:
            said[f"Batch/{total}/TotalAmount"] = amount
    for path, text in said.items():
        node = header.find(path)
        if node is not None:
            node.text = text
