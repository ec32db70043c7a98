"""SOAP 1.1 and 1.2: a body that holds the document, or a frame (ebXML MSH 2.0) that says who sends the file after it.

Finnish banks put such a frame in front of each Finvoice (Finvoice implementation guidelines, §"SOAP frame").
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from lxml import etree

from gateway.errors import Unreadable
from gateway.model import Found
from gateway.readers.item import Item
from gateway.readers.xml import parse_xml
from gateway.readers.xpath import Paths, steps_to

_SPACES = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")
_EBXML = "http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd"
_EB = Paths({"eb": _EBXML})
_WITHIN = 2_000  # bytes in which the root of a frame names its namespace


class Soap:
    """An envelope with a document in its body."""

    name: Final = "soap"

    def open(self, item: Item) -> list[Item] | None:
        """What stands in the body, with what the header says of sender and receiver."""
        if item.root is None or not _is_envelope(item.root):
            return None
        evidence = (*item.evidence, *_parties(item.root, item.path))
        payloads = _payloads(item.root)
        found = [
            dataclasses.replace(item, root=child, path=f"{item.path}/Body/{step}", cut=True, evidence=evidence)
            for child, step in zip(payloads, steps_to(payloads), strict=True)
        ]
        if not found:
            raise Unreadable("not-a-document", "The SOAP envelope holds no document.")
        return found


SOAP = Soap()


def frame_of(data: bytes) -> tuple[Found, ...] | None:
    """What the SOAP envelope `data` says of sender and receiver, when it holds no document; None for anything else."""
    if b"envelope" not in data[:_WITHIN]:
        return None
    try:
        root = parse_xml(data)
    except Unreadable:
        return None
    return _parties(root, "/Envelope") if _is_envelope(root) and not _payloads(root) else None


def _is_envelope(root: Any) -> bool:
    return root.tag in {f"{{{space}}}Envelope" for space in _SPACES}


def _payloads(root: Any) -> list[Any]:
    """The elements of the body that are no part of the frame."""
    bodies = [child for child in root if child.tag == f"{{{etree.QName(root).namespace}}}Body"]
    return [child for body in bodies for child in body if etree.QName(child).namespace != _EBXML]


def _parties(root: Any, path: str) -> tuple[Found, ...]:
    return tuple(
        Found(field=field, value=value, where=f"{path}/Header/MessageHeader/{party}/PartyId")
        for party, field in (("To", "envelope_receiver"), ("From", "envelope_sender"))
        for value in _EB.values(root, f".//eb:{party}/eb:PartyId")[:10]
    )
