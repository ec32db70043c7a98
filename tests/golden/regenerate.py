"""Write `out.json` of every reader case anew, to be read in review: python tests/golden/regenerate.py [NAME…]"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.model import Pattern
from gateway.readers import read

HERE = Path(__file__).parent


def cases() -> Iterator[Path]:
    """The folders of the reader cases."""
    yield from sorted(HERE.glob("reader-*"))


def reading(case: Path) -> bytes:
    """What the readers see in the case's `in.*`, as text to compare."""
    source = next(case.glob("in.*"))
    said = case / "patterns.json"
    patterns = msgspec.json.decode(said.read_bytes(), type=list[Pattern]) if said.exists() else []
    documents = read(source.name, "", patterns, source.read_bytes())
    return msgspec.json.format(msgspec.json.encode(documents), indent=1) + b"\n"


def main(names: list[str]) -> None:
    """Write the answers of the cases whose names contain one of `names`, or of all."""
    for case in cases():
        if not names or any(name in case.name for name in names):
            (case / "out.json").write_bytes(reading(case))


if __name__ == "__main__":
    main(sys.argv[1:])
