"""Whether a burst of 30,000 files is taken whole, each once, and holds nobody up.

More files than the kernel keeps events for (16,384), in the time in which a program copies them.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.e2e.gateway import Gateway, until

FILES = 30_000
_SECONDS = 1200.0
_OTHER = """
[[source]]
name = "other"
match = { folder = "var/other" }
stable = 0.1
"""


def prove(folder: Path) -> bool:
    """A program copies the files; beside them, one at a time, somebody drops files into another folder."""
    gateway = Gateway(folder / "gateway", extra=_OTHER)
    other = gateway.folder / "var" / "other"
    other.mkdir()
    try:
        gateway.start()
        written: set[bytes] = set()
        began = time.monotonic()
        writing = threading.Thread(target=lambda: written.update(_write(gateway.drop)))
        writing.start()
        beside = list(_beside(other, lambda: _count(gateway.drop / ".done") < FILES))
        took = time.monotonic() - began
        writing.join()
        until(lambda: _count(gateway.drop / ".done") == FILES, _SECONDS)
        taken, failed = _taken(gateway), _count(gateway.drop / ".failed")
        gateway.stop()
    finally:
        gateway.end()
    lost, doubled = len(written - set(taken)), len(taken) - len(set(taken))
    print(
        f"burst: {FILES} files, taken in {took:.0f} s ({FILES / took:.0f} a second): {lost} lost, {doubled} doubled, "
        f"{failed} failed; {len(beside)} files in another folder meanwhile, the slowest taken in {max(beside):.1f} s",
        flush=True,
    )
    return not (lost or doubled or failed) and set(taken) == written and max(beside) < 30


def _write(drop: Path) -> Iterator[bytes]:
    """The files, and the SHA-256 of each."""
    for number in range(FILES):
        data = b"%%PDF-1.4\n%d of a burst\n%%%%EOF\n" % number
        (drop / f"{number}.pdf").write_bytes(data)
        yield hashlib.sha256(data).digest()


def _beside(other: Path, going_on: Callable[[], bool]) -> Iterator[float]:
    """How long each of the files took that came one after the other while the burst went on; seconds."""
    number, deadline = 0, time.monotonic() + _SECONDS
    while going_on() and time.monotonic() < deadline:
        number += 1
        began = time.monotonic()
        (other / f"{number}.pdf").write_bytes(b"%%PDF-1.4\n%d beside it\n%%%%EOF\n" % number)
        until((other / ".done" / f"{number}.pdf").exists, 120.0)
        yield time.monotonic() - began


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def _taken(gateway: Gateway) -> list[bytes]:
    """The SHA-256 of every file of the burst that became a submission."""
    query = "SELECT c.sha256 FROM submission s JOIN content c ON c.id = s.content_id WHERE s.source = 'drop'"
    with sqlite3.connect(f"file:{gateway.folder}/var/gateway.db?mode=ro", uri=True) as store:
        return [bytes(row[0]) for row in store.execute(query)]
