"""What the tests of the national formats share: the invoices of the corpus, and how two readings differ."""

from __future__ import annotations

import collections
import datetime as dt
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from lxml import etree

from gateway import formats
from gateway.errors import Unconvertible, Unreadable
from gateway.model import Attachment, ReadDocument
from gateway.readers import read
from tests import rules

GOLDEN = Path(__file__).parent.parent / "golden"
SHARED = Path(__file__).parent.parent.parent.parent / "shared"
CORPUS = SHARED / "corpus"
OPTIONS = formats.Options(language="en", now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
HELD = re.compile(r"written|(BT|BG|BR-CO)-\d+|type")
# Of UBL, which no other format has a place for, and how a format calls itself.
WITHOUT_TERM = frozenset({"specification", "process", "extensions", "payment.card_network"})


class _Signatures(etree.Resolver):
    """Gives the schema of XML signatures, which others import from the web, from the package that has it."""

    def resolve(self, url: str, public_id: str, context: Any) -> Any:
        if "xmldsig" in url:
            return self.resolve_filename(str(next(rules.PACK.rglob("*xmldsig-core-schema*.xsd"))), context)
        return None


@functools.cache
def schema(path: Path) -> etree.XMLSchema:
    """The schema at `path`; nothing that it imports is looked for in the network."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Signatures())
    return etree.XMLSchema(etree.parse(str(path), parser))


@functools.cache
def corpus() -> tuple[tuple[Path, ReadDocument], ...]:
    """Every invoice of the corpus that is read whole."""
    found = []
    for path in sorted(path for path in CORPUS.rglob("*") if path.suffix in (".xml", ".TXT", ".isdoc")):
        try:
            document = read(path.name, "", (), path.read_bytes())[0]
        except Unreadable:
            continue
        if document.invoice is not None:
            found.append((path, document))
    return tuple(found)


def write(entry: Any, document: ReadDocument) -> Attachment:
    """`document` in the format `entry`."""
    made: Attachment = entry.write(document, Attachment(name="x", media_type="", content=b""), OPTIONS)
    return made


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """The paths at which two invoices differ, but for blanks, and allowances and charges in another order."""
    if isinstance(one, msgspec.Struct) and type(one) is type(other):
        for field in one.__struct_fields__:
            yield from differences(getattr(one, field), getattr(other, field), f"{path}.{field}".lstrip("."))
    elif path == "payment" and len(one) > len(other) == len({means.account for means in one}):
        return  # the same account twice
    elif isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other) and path[-4:] != "utes":
        by = (lambda each: each.is_charge) if path.endswith("allowances_charges") else (lambda each: 0)
        for left, right in zip(sorted(one, key=by), sorted(other, key=by), strict=True):
            yield from differences(left, right, path)
    elif isinstance(one, str) and isinstance(other, str):
        if "".join(one.split()) != "".join(other.split()):
            yield path
    elif one != other and (one or other or not path.startswith("totals")):  # no amount is an amount of 0
        yield path


def outcomes(entry: Any, check: Any, lacks: set[str]) -> collections.Counter[str]:
    """Every invoice of the corpus through `entry` and back: how often it is written, and which terms hold it.

    `check` looks at what is written. Whatever differs afterwards is one of `lacks`, and the notes name it.
    """
    seen: collections.Counter[str] = collections.Counter()
    for path, document in corpus():
        try:
            made = write(entry, document)
        except Unconvertible as refusal:
            seen[refusal.term] += 1
            continue
        check(etree.fromstring(made.content))
        again = read("", "", (), made.content)[0].invoice
        found = {
            re.sub(r"\.(line\d|city|post_code|subdivision)$", "", each) for each in differences(document.invoice, again)
        }
        assert found <= lacks | WITHOUT_TERM, (path, found - lacks - WITHOUT_TERM)
        assert made.notes or found <= WITHOUT_TERM, (path, found)
        seen["written"] += 1
    assert all(HELD.fullmatch(term) for term in seen), seen
    return seen
