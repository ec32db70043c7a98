"""`python -m tests.corpus_table`: how much of the corpus is read, as in docs/formats.md; `--write` puts it there."""

from __future__ import annotations

import collections
import json
import re
import sys
from pathlib import Path
from typing import Any

from gateway import readers
from gateway.errors import Unreadable
from gateway.model import ReadDocument

ROOT = Path(__file__).parent.parent
CORPUS = ROOT.parent / "shared/corpus"
EXPECTED = CORPUS / "expected-by-factur-x-7.8.json"
DOCS = ROOT / "docs/formats.md"
PLACE = re.compile(r"(?<=<!-- corpus -->\n).*?(?=<!-- /corpus -->)", re.DOTALL)

FIELDS = ("number", "issue_date", "type", "seller", "currency", "payable", "customer_numbers", "emails")
_TITLES = ("number", "date", "type", "seller", "currency", "to pay", "customer no.", "e-mail")
# What the independent reading calls the same; an endpoint of the scheme EM is an address.
_THEIRS = {"number": "number", "issue_date": "issue_date", "type": "type_code", "seller": "seller"}
_THEIRS |= {"currency": "currency", "payable": "payable", "customer_numbers": "buyer_identifiers"}


def files() -> list[Path]:
    """The sample files of others."""
    return sorted(path for path in CORPUS.rglob("*") if path.is_file() and path.suffix not in (".json", ".md"))


def documents(path: Path) -> list[ReadDocument] | str:
    """What the readers see in a file, or the cause for which they refuse it."""
    try:
        return readers.read(path.name, "", (), path.read_bytes())
    except Unreadable as error:
        return error.cause


def says(document: ReadDocument, field: str) -> bool:
    """Whether the field was found; `other` is no type."""
    value = getattr(document, field)
    return value != "other" if field == "type" else bool(value)


def kind(document: ReadDocument) -> str:
    """The row that a document counts in: its format; OIOUBL, which is UBL that means other things, has its own."""
    return "oioubl" if (document.profile or "").startswith("OIOUBL-") else document.format


def _theirs(entry: dict[str, Any], field: str) -> bool:
    if field == "emails":
        scheme, address = entry["buyer_endpoint"]
        return bool(address) and (scheme == "EM" or "@" in address)
    return bool(entry[_THEIRS[field]])


def table() -> str:
    """Both tables, as they stand in the documentation."""
    read = {path: documents(path) for path in files()}
    seen: dict[str, list[ReadDocument]] = collections.defaultdict(list)
    count: collections.Counter[str] = collections.Counter()
    causes: collections.Counter[str] = collections.Counter()
    for found in read.values():
        if isinstance(found, str):
            causes[found] += 1
            continue
        count[kind(found[0])] += 1
        for document in found:
            seen[kind(document)].append(document)
    lines = [_row("format", "files", "documents", *_TITLES), _row(*["---"] * (3 + len(FIELDS)))]
    for name in sorted(seen):
        given = [sum(says(document, field) for document in seen[name]) for field in FIELDS]
        lines.append(_row(f"`{name}`", count[name], len(seen[name]), *given))
    refused = ", ".join(f"{cause} {number}" for cause, number in sorted(causes.items()))
    return "\n".join([*lines, "", f"Refused: {refused}.", "", *_compared(read)]) + "\n"


def _compared(read: dict[Path, list[ReadDocument] | str]) -> list[str]:
    expected = json.loads(EXPECTED.read_text("utf-8"))
    ours: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    theirs: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for file, entry in expected.items():
        found = read[CORPUS / file]
        if not isinstance(found, str):
            name = kind(found[0])
            ours[name].update(field for field in FIELDS if says(found[0], field))
            theirs[name].update(field for field in FIELDS if _theirs(entry, field))
            ours[name]["files"] += 1
    lines = [_row("format", "files", *_TITLES), _row(*["---"] * (2 + len(FIELDS)))]
    for name in sorted(ours):
        both = [f"{ours[name][field]} / {theirs[name][field]}" for field in FIELDS]
        lines.append(_row(f"`{name}`", ours[name]["files"], *both))
    return lines


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def main() -> int:
    """Print the tables, or write them to their place in the documentation."""
    made = table()
    if "--write" not in sys.argv:
        print(made, end="")
        return 0
    text = DOCS.read_text("utf-8")
    DOCS.write_text(PLACE.sub(lambda _: made, text), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
