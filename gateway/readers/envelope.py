"""Standard Business Documents (UN/CEFACT SBDH 1.3, GS1, SFTI): the payloads count, the header is evidence."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from lxml import etree

from gateway.errors import Unreadable
from gateway.model import Found
from gateway.readers.item import Item
from gateway.readers.objects import OBJECT_ENVELOPE, bytes_in, with_objects
from gateway.readers.xpath import clean, steps_to

NAMESPACES = (
    "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader",
    "urn:sfti:documents:StandardBusinessDocumentHeader",
)
_BINARY = "{http://peppol.eu/xsd/ticc/envelope/1.0}BinaryContent"  # Peppol Business Message Envelope 2.0 §2.2


class Sbdh:
    """An envelope may hold several documents (SBDH 1.3 §2.2), each perhaps for somebody else."""

    name: Final = "sbdh"

    def open(self, item: Item) -> list[Item] | None:
        """The payloads, each with what the header says of sender and receiver."""
        if not _is_envelope(item.root):
            return None
        evidence = item.evidence
        payloads: list[Item] = []
        objects: list[Any] = []
        for child, step in zip(item.root, steps_to(list(item.root)), strict=True):
            path = f"{item.path}/{step}"
            if path.endswith("/StandardBusinessDocumentHeader"):
                evidence += _parties(child, path)
            elif child.tag == OBJECT_ENVELOPE:
                objects.append(child)
            elif child.tag == _BINARY:
                payloads.append(dataclasses.replace(item, root=None, data=bytes_in(child), path=f"{path}:", cut=False))
            else:
                payloads.append(dataclasses.replace(item, root=child, path=path, cut=True))
        payloads = with_objects(item, payloads, objects)
        if not payloads:
            raise Unreadable("not-a-document", "The envelope (StandardBusinessDocument) holds no document.")
        return [dataclasses.replace(each, evidence=evidence) for each in payloads]


SBDH = Sbdh()


def _is_envelope(root: Any) -> bool:
    return root is not None and root.tag in {f"{{{space}}}StandardBusinessDocument" for space in NAMESPACES}


def _parties(header: Any, path: str) -> tuple[Found, ...]:
    space = etree.QName(header).namespace
    return tuple(
        Found(field=field, value=value, where=f"{path}/{party}/Identifier")
        for party, field in (("Receiver", "envelope_receiver"), ("Sender", "envelope_sender"))
        for element in header.findall(f"{{{space}}}{party}/{{{space}}}Identifier")[:10]
        if (value := clean(element.text))
    )
