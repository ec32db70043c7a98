"""Files of others and our own goldens, each spoilt: every reader gives documents, or a sentence why not, in time.

`SEEDS=200 pytest tests/property/test_corpus_mutated.py` spoils each file so many times; what fails is kept beside this
test as `kept/NAME` and read again by every run.
"""

from __future__ import annotations

import os
import random
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import formats, readers
from gateway.errors import GatewayError, Unconvertible, Unreadable
from gateway.formats import page
from gateway.model import Attachment, ReadDocument
from tests.corpus_table import CORPUS
from tests.invoices import NOW

HERE = Path(__file__).parent
KEPT = HERE / "kept"
GOLDEN = HERE.parent / "golden"
SEEDS = int(os.environ.get("SEEDS", "1"))
LARGEST = 400_000  # bytes; a larger file costs time and is spoilt no other way
SECONDS = 20  # after which a file hangs; the slowest takes a fiftieth of that
OPTIONS = formats.Options(language="en", now=NOW)
_AS_IT_IS = ("original", "ubl")
WRITTEN = [entry for entry in formats.FORMATS if not entry.media_type.endswith("/pdf") and entry.name not in _AS_IT_IS]
_PIECE = re.compile(rb">[^<>]+<|'[^'+:]*|\n[^\n]*")  # a text of XML, a segment of EDIFACT, a line
_ELEMENT = re.compile(rb"<([A-Za-z:]+)[^<>]*>[^<>]*</\1>")  # one that has a text only
_ODD = [b"", b" ", b"0", b"-1", b"1e9", b"20260230", b"\xff", b"\0", b"&lt;", b"<a>", b"9" * 400, "Ω€".encode(), b"%"]


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """`data` with one to three faults as they happen; those that leave XML well-formed are the more frequent ones."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        data = chance.choices(_FAULTS, _FREQUENT)[0](data, at, chance)
    return data


def _overwritten(data: bytes, at: int, chance: random.Random) -> bytes:
    found = _PIECE.search(data, at) or _PIECE.search(data)
    start, end = found.span() if found else (at, at + 5)
    return data[: start + 1] + chance.choice(_ODD) + data[max(start + 1, end - 1) :]


def _left_out(data: bytes, at: int, chance: random.Random) -> bytes:
    start, end = _element(data, at)
    return data[:start] + data[end:]


def _doubled(data: bytes, at: int, chance: random.Random) -> bytes:
    start, end = _element(data, at)
    return data[:end] + data[start:end] * chance.randint(1, 40) + data[end:]


def _moved(data: bytes, at: int, chance: random.Random) -> bytes:
    start, end = _element(data, at)
    other, until = _element(data, chance.randrange(len(data) + 1))
    return data[:other] + data[start:end] + data[until:]


def _element(data: bytes, at: int) -> tuple[int, int]:
    found = _ELEMENT.search(data, at) or _ELEMENT.search(data)
    return found.span() if found else (at, at + 60)


def _cut(data: bytes, at: int, chance: random.Random) -> bytes:
    return data[:at]


def _noise(data: bytes, at: int, chance: random.Random) -> bytes:
    return data[:at] + chance.randbytes(chance.randint(1, 8)) + data[at + 3 :]


_FAULTS = (_overwritten, _left_out, _doubled, _moved, _cut, _noise)
_FREQUENT = (40, 20, 20, 20, 1, 3)


@contextmanager
def _in_time(what: str) -> Iterator[None]:
    def late(*_: object) -> None:
        raise AssertionError(f"{what} takes more than {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def check(name: str, data: bytes) -> None:
    """Read, and write and show what was read; whatever is refused is refused in a sentence."""
    documents = attempt(readers.read, name, "", (), data)
    if isinstance(documents, GatewayError):
        return
    assert documents
    assert msgspec.json.decode(msgspec.json.encode(documents), type=list[ReadDocument]) == documents
    for document in documents:
        if document.invoice is not None:
            page.compose(document, document.invoice, OPTIONS)
            for entry in WRITTEN:
                attempt(entry.write, document, Attachment(name=name, media_type="", content=data), OPTIONS)


def attempt(function: Callable[..., Any], *args: Any) -> Any:
    """What `function` gives, or our error, which says why in a sentence."""
    try:
        return function(*args)
    except (Unreadable, Unconvertible) as error:
        refused = error
    assert refused.sentence.endswith(".")
    return refused


def _files() -> list[Path]:
    ours = sorted(GOLDEN.glob("reader-*/in.*"))
    theirs = sorted(path for path in CORPUS.rglob("*") if path.is_file() and path.suffix not in (".json", ".md"))
    return [path for path in ours + theirs if path.stat().st_size <= LARGEST]


@pytest.mark.skipif(not CORPUS.exists(), reason=f"the corpus of sample files is not at {CORPUS}")
def test_no_spoilt_file_does_more_than_being_unreadable() -> None:
    for path in _files():
        whole = path.read_bytes()
        for seed in range(SEEDS):
            data = spoilt(whole, random.Random(f"{path.name}:{seed}"))
            try:
                with _in_time(path.name):
                    check(path.name, data)
            except Exception:
                KEPT.mkdir(exist_ok=True)
                (KEPT / f"{seed}-{path.name}").write_bytes(data)
                raise


def test_what_failed_once_fails_no_more() -> None:
    for path in sorted(KEPT.glob("*")):
        with _in_time(path.name):
            check(path.name, path.read_bytes())
