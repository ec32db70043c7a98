"""Compiled XPaths, and values as they are written in XML, made safe to keep."""

from __future__ import annotations

import binascii
import collections
import datetime as dt
import functools
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from lxml import etree

MAX_VALUE = 300  # characters of a value that identifies something: longer ones are no identifiers
MAX_TEXT = 20_000  # characters of a free text

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)  # xsd:date
_DECIMAL = re.compile(r"[+-]?(?:\d{1,30}(?:\.\d{0,20})?|\.\d{1,20})", re.ASCII)  # xsd:decimal, bounded


def clean(text: str | None, limit: int = MAX_VALUE) -> str | None:
    """`text` trimmed, inner white space made single; None when nothing is left or it is too long to be a value."""
    joined = " ".join((text or "").split())
    return joined if 0 < len(joined) <= limit else None


def clean_text(text: str | None) -> str | None:
    """Free text: line breaks stay, ends are trimmed, the length is bounded."""
    lines = [" ".join(line.split()) for line in (text or "").splitlines()]
    return "\n".join(lines).strip()[:MAX_TEXT] or None


def date_of(text: str | None) -> dt.date | None:
    """An xsd:date, its time zone left out; None when it is none."""
    match = _DATE.fullmatch(text or "")
    try:
        return dt.date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def decimal_of(text: str | None) -> Decimal | None:
    """An xsd:decimal exactly as written; None when it is none."""
    return Decimal(text) if text is not None and _DECIMAL.fullmatch(text) else None


class Paths:
    """XPaths of one vocabulary; each is compiled once per process."""

    def __init__(self, namespaces: dict[str, str]) -> None:
        self._namespaces = namespaces
        self._compiled: Callable[[str], Any] = functools.cache(self._compile)

    def _compile(self, path: str) -> etree.XPath:
        return etree.XPath(path, namespaces=self._namespaces, smart_strings=False)

    def nodes(self, node: Any, path: str) -> list[Any]:
        """What `path` selects: elements, or the strings of attributes."""
        found: list[Any] = self._compiled(path)(node)
        return found

    def node(self, node: Any, path: str) -> Any | None:
        """The first of `nodes`, or None."""
        found = self._compiled(path)(node)
        return found[0] if found else None

    def values(self, node: Any, path: str) -> list[str]:
        """The cleaned, non-empty values at `path`."""
        found = (clean(_string(hit)) for hit in self._compiled(path)(node))
        return [value for value in found if value]

    def value(self, node: Any, path: str) -> str | None:
        """The first of `values`, or None."""
        for hit in self._compiled(path)(node):
            if value := clean(_string(hit)):
                return value
        return None

    def text(self, node: Any, path: str) -> str | None:
        """The first non-empty free text at `path`."""
        for hit in self._compiled(path)(node):
            if text := clean_text(_string(hit)):
                return text
        return None

    def date(self, node: Any, path: str) -> dt.date | None:
        """The first value at `path` as a date."""
        return date_of(self.value(node, path))

    def decimal(self, node: Any, path: str) -> Decimal | None:
        """The first value at `path` as a number."""
        return decimal_of(self.value(node, path))


def embedded_object(node: Any | None) -> dict[str, Any]:
    """BT-125 with its name and media type, as the terms of a `Reference`; nothing without an element."""
    if node is None:
        return {}
    base64 = "".join((node.text or "").split())
    try:
        content = binascii.a2b_base64(base64, strict_mode=True)
    except binascii.Error:
        content = None
    size = len(base64) * 3 // 4 - base64[-2:].count("=") if content is None else len(content)
    return {"file_name": node.get("filename"), "media_type": node.get("mimeCode"), "size": size, "content": content}


def steps_to(nodes: Sequence[Any]) -> list[str]:
    """The XPath step to each of `nodes`, which are siblings: its local name, numbered where several share it."""
    seen: collections.Counter[str] = collections.Counter()
    count = collections.Counter(node.tag for node in nodes)
    steps = []
    for node in nodes:
        seen[node.tag] += 1
        steps.append(etree.QName(node).localname + (f"[{seen[node.tag]}]" if count[node.tag] > 1 else ""))
    return steps


def _string(hit: Any) -> str:
    return hit if isinstance(hit, str) else hit.text or ""
