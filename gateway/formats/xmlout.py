"""Writing XML: elements in the order they are put, values as they are, nothing empty left."""

from __future__ import annotations

import base64
import datetime as dt
from decimal import Decimal
from typing import Any

from lxml import etree

Value = str | Decimal | dt.date | bytes | None

_KEEP = "keep"  # attribute of an element that stays though it is empty; taken off before writing


class Node:
    """An element being written, with the prefixes of its document."""

    __slots__ = ("_namespaces", "_paths", "element")

    def __init__(self, element: Any, namespaces: dict[str, str], paths: dict[str, list[str]] | None = None) -> None:
        self.element = element
        self._namespaces = namespaces
        self._paths = {} if paths is None else paths  # what paths mean; an invoice has each of them once a line

    @classmethod
    def root(cls, name: str, namespaces: dict[str, str], default: str | None = None) -> Node:
        """A new document's root `name`; `default` is the prefix whose namespace needs none."""
        shown: Any = {None if prefix == default else prefix: space for prefix, space in namespaces.items()}
        return cls(etree.Element(_tag(name, namespaces), nsmap=shown), namespaces)

    def open(self, path: str, *, keep: bool = False) -> Node:
        """A new element at `path` below this one (`cac:Party/cac:Contact`); gone when it stays empty, unless `keep`."""
        element = self._open(path)
        if keep:
            element.set(_KEEP, "")
        return Node(element, self._namespaces, self._paths)

    def _open(self, path: str) -> Any:
        tags = self._paths.get(path)
        if tags is None:
            tags = self._paths[path] = [_tag(name, self._namespaces) for name in path.split("/")]
        element = self.element
        for tag in tags:
            element = etree.SubElement(element, tag)
        return element

    def put(self, path: str, value: Value, **attributes: str | None) -> None:
        """A new element at `path` with `value`; nothing without a value. Attributes without a value are left out."""
        if value is None or value == "":
            return
        element = self._open(path)
        element.text = _text(value)
        for key, said in attributes.items():
            if said:
                element.set(key, said)

    def bytes(self) -> bytes:
        """The document in UTF-8, indented, without empty elements."""
        _prune(self.element)
        etree.indent(self.element)
        written: bytes = etree.tostring(self.element, xml_declaration=True, encoding="UTF-8")
        return written + b"\n"


def _tag(name: str, namespaces: dict[str, str]) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{namespaces[prefix]}}}{local}" if local else name  # without a prefix: without a namespace


def _text(value: str | Decimal | dt.date | bytes) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if isinstance(value, dt.date) else value


def _prune(root: Any) -> None:
    """Take the elements out that hold nothing, from below; of `root` only what is inside."""
    for element in reversed(list(root.iter())):
        must_stay = element.get(_KEEP) is not None
        if must_stay:
            del element.attrib[_KEEP]
        elif not len(element) and element is not root and not (element.text or "").strip():
            element.getparent().remove(element)
