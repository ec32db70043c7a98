"""SFTI ObjectEnvelope 1.0: files that belong to a Svefaktura beside it in the same envelope, or such a file alone."""

from __future__ import annotations

import binascii
import dataclasses
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Final

from lxml import etree

from gateway.errors import Unreadable
from gateway.readers.item import File, Item
from gateway.readers.xpath import Paths

_SPACE = "urn:sfti:documents:ObjectEnvelope:1:0"
OBJECT_ENVELOPE = f"{{{_SPACE}}}ObjectEnvelope"

_OE = Paths({"oe": _SPACE})
_OF_ITS_OWN = {f"{{{_SPACE}}}{name}" for name in ("DocumentReference", "CreationDateTime", "EncodedObject")}


class ObjectEnvelope:
    """An ObjectEnvelope as the root: documents in it, or else the file that it encodes."""

    name: Final = "objectenvelope"

    def open(self, item: Item) -> list[Item] | None:
        """Documents with the encoded files beside them; the encoded files where there is no document."""
        if item.root is None or item.root.tag != OBJECT_ENVELOPE:
            return None
        payloads = [
            dataclasses.replace(item, root=child, path=f"{item.path}/{etree.QName(child).localname}", cut=True)
            for child in item.root
            if child.tag not in _OF_ITS_OWN
        ]
        found = with_objects(item, payloads, [item.root])
        if not found:
            raise Unreadable("not-a-document", "The ObjectEnvelope holds no document.")
        return found


OBJECTS = ObjectEnvelope()


def with_objects(item: Item, payloads: Sequence[Item], envelopes: Sequence[Any]) -> list[Item]:
    """`payloads` of the envelope `item`, with the files that `envelopes` encode: each belongs to the document whose
    number it names, or to the only one; any other is a document of its own."""
    found = list(payloads)
    for envelope in envelopes:
        number = _OE.value(envelope, "oe:DocumentReference/oe:DocumentID")
        places = [at for at, each in enumerate(payloads) if len(payloads) == 1 or _number(each) == number]
        for node in _OE.nodes(envelope, "oe:EncodedObject/oe:EncodedData"):
            file = File(name=_name(node), data=bytes_in(node))
            if len(places) == 1:
                own = found[places[0]]
                found[places[0]] = dataclasses.replace(own, extras=(*own.extras, file))
            else:
                found.append(dataclasses.replace(item, root=None, data=file.data, name=file.name, path=f"{file.name}:"))
    return found


def bytes_in(node: Any) -> bytes:
    """The base64 content of an element; Unreadable when it is none."""
    try:
        return binascii.a2b_base64("".join((node.text or "").split()), strict_mode=True)
    except (binascii.Error, ValueError):
        name = etree.QName(node).localname
        raise Unreadable("not-a-document", f"The content of {name} in the envelope is no base64.") from None


def _name(node: Any) -> str:
    name = PurePath((node.get("filename") or "").replace("\\", "/")).name
    return name[:150] or "attachment"


def _number(item: Item) -> str | None:
    """The number of a document that has it in a child called ID, as Svefaktura and UBL do."""
    found = [child for child in item.root if etree.QName(child).localname == "ID"] if item.root is not None else []
    return (found[0].text or "").strip() if found else None
