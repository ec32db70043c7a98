"""Write anew what reader and writer cases give, to be read in review: python tests/golden/regenerate.py [NAME…]"""

from __future__ import annotations

import datetime as dt
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from pikepdf import Pdf

from gateway import formats
from gateway.model import Attachment, Pattern
from gateway.readers import read

HERE = Path(__file__).parent
SUFFIXES = {"application/EDIFACT": ".edi", "text/csv": ".csv"}  # by media type; the others are XML or hold it


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


def writer_cases() -> Iterator[Path]:
    """The folders of the writer cases."""
    yield from sorted(HERE.glob("write-*"))


def writing(case: Path) -> tuple[bytes, str]:
    """What the format in `target` makes of the case's `in.xml` (of a PDF: the XML inside), and what it lost, a sentence
    a line."""
    source = Attachment(name="in.xml", media_type="application/xml", content=(case / "in.xml").read_bytes())
    document = read(source.name, "", (), source.content)[0]
    target = (case / "target").read_text("utf-8").strip()
    chosen = next(entry for entry in formats.FORMATS if entry.name == target)
    made = chosen.write(document, source, formats.Options(language="en", now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC)))
    content = _inside(made.content) if made.media_type == "application/pdf" else made.content
    return content, "".join(f"{sentence}\n" for sentence in made.notes)


def answer(case: Path) -> Path:
    """Where a writer case keeps what is written."""
    target = (case / "target").read_text("utf-8").strip()
    chosen = next(entry for entry in formats.FORMATS if entry.name == target)
    return case / f"out{SUFFIXES.get(chosen.media_type, '.xml')}"


def _inside(pdf: bytes) -> bytes:
    with Pdf.open(io.BytesIO(pdf)) as opened:
        (attached,) = opened.attachments.values()
        return attached.get_file().read_bytes()


def main(names: list[str]) -> None:
    """Write the answers of the cases whose names contain one of `names`, or of all."""
    for case in cases():
        if not names or any(name in case.name for name in names):
            (case / "out.json").write_bytes(reading(case))
    for case in writer_cases():
        if not names or any(name in case.name for name in names):
            content, lost = writing(case)
            answer(case).write_bytes(content)
            (case / "lost").write_text(lost, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
