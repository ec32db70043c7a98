"""Standard Business Documents (UN/CEFACT SBDH 1.3, GS1, SFTI): the payload counts, the header is evidence."""

from __future__ import annotations

import dataclasses
from typing import Any

from lxml import etree

from gateway.errors import Unreadable
from gateway.model import Found
from gateway.readers.item import Item
from gateway.readers.xpath import clean

NAMESPACES = (
    "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader",
    "urn:sfti:documents:StandardBusinessDocumentHeader",
)
MAX_NESTED = 10


def unwrap(file: Item, root: Any) -> Item:
    """The payload in `root`, with the path to it and what its envelopes say about sender and receiver.

    An envelope may hold several documents (SBDH 1.3 §2.2), each for somebody else. Such a file is not sent on, since
    every receiver would get the others' documents: Unreadable, cause `several-documents`.
    """
    item = dataclasses.replace(file, root=root, path="/" + etree.QName(root).localname)
    for _ in range(MAX_NESTED):
        if not _is_envelope(item.root):
            return item
        item = _open(item)
    raise Unreadable("too-deep", f"More than {MAX_NESTED} envelopes stand one in the other.")


def _is_envelope(root: Any) -> bool:
    name = etree.QName(root)
    return name.localname == "StandardBusinessDocument" and name.namespace in NAMESPACES


def _open(item: Item) -> Item:
    """The one thing inside an envelope."""
    evidence = item.evidence
    payloads = []
    for child in item.root:
        path = f"{item.path}/{etree.QName(child).localname}"
        if path.endswith("/StandardBusinessDocumentHeader"):
            evidence += _parties(child, path)
        else:
            payloads.append((child, path))
    if not payloads:
        raise Unreadable("not-a-document", "The envelope (StandardBusinessDocument) holds no document.")
    if len(payloads) > 1:
        sentence = f"The envelope holds {len(payloads)} documents; hand them in one by one."
        raise Unreadable("several-documents", sentence)
    root, path = payloads[0]
    return dataclasses.replace(item, root=root, path=path, evidence=evidence)


def _parties(header: Any, path: str) -> tuple[Found, ...]:
    space = etree.QName(header).namespace
    return tuple(
        Found(field=field, value=value, where=f"{path}/{party}/Identifier")
        for party, field in (("Receiver", "envelope_receiver"), ("Sender", "envelope_sender"))
        for element in header.findall(f"{{{space}}}{party}/{{{space}}}Identifier")[:10]
        if (value := clean(element.text))
    )
