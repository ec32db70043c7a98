"""Documents whose namespace changes with every version, read without it."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

from gateway.readers.item import Item


def without_namespace(item: Item, start: str) -> Item:
    """`item` with a copy of its tree whose elements and attributes of namespaces that begin with `start` have none."""
    root = copy.deepcopy(item.root)
    mark = f"{{{start}"
    for element in root.iter("*"):
        element.tag = _plain(element.tag, mark)
        for name in [name for name in element.attrib if name.startswith(mark)]:
            element.set(_plain(name, mark), element.attrib.pop(name))
    return dataclasses.replace(item, root=root)


def _plain(name: Any, mark: str) -> str:
    text = str(name)
    return text.rpartition("}")[2] if text.startswith(mark) else text
