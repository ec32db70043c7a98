"""SIGKILL while files are dropped: each one is stored exactly once, whole, and with its fields."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KILLS = 12
FILES = 600


class Process:
    """The process under test; `start` returns once it has looked into the folder."""

    def __init__(self, database: Path, folder: Path) -> None:
        self._command = [sys.executable, "-m", "tests.e2e.dropfolder_process", str(database), str(folder)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()
            self._process = None


class Dropper(threading.Thread):
    """Drops files in every way that people do, until `FILES` are there; knows what it dropped."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.dropped: dict[bytes, str | None] = {}  # SHA-256: the customer number said beside it
        self.released = threading.Semaphore(0)

    def run(self) -> None:
        for number in range(FILES):
            self.released.acquire()
            data = b"%%PDF-1.4\n%d %s\n%%%%EOF\n" % (
                number,
                os.urandom(random.choice((50, 5000, 400_000))).hex().encode(),
            )
            customer = f"{number:05}" if number % 3 == 0 else None
            self.dropped[hashlib.sha256(data).digest()] = customer
            if customer is not None:
                self._rename_in(f"{number}.json", json.dumps({"customer_number": customer}).encode())
            (self._write_slowly if number % 10 == 1 else self._rename_in)(f"{number}.pdf", data)

    def _rename_in(self, name: str, data: bytes) -> None:
        draft = self.folder / f".{name}.part"
        draft.write_bytes(data)
        draft.rename(self.folder / name)

    def _write_slowly(self, name: str, data: bytes) -> None:
        for start in range(0, len(data), 1 + len(data) // 3):
            with (self.folder / name).open("ab") as file:
                file.write(data[start : start + 1 + len(data) // 3])


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    made = Process(tmp_path / "gateway.db", tmp_path / "drop")
    yield made
    made.kill()


@pytest.mark.slow
def test_each_file_is_stored_exactly_once_through_kills(process: Process, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    dropper = Dropper(folder)
    dropper.start()
    for _ in range(KILLS):
        dropper.released.release(FILES // KILLS)
        process.start()
        reached = time.monotonic() + random.uniform(0, 0.3)
        while time.monotonic() < reached:
            time.sleep(0.005)  # the moment of the kill is meant to be any
        process.kill()
    dropper.released.release(FILES)
    process.start()
    dropper.join()
    deadline = time.monotonic() + 60
    while len([path for path in (folder / ".done").iterdir() if path.suffix == ".pdf"]) < FILES:
        assert time.monotonic() < deadline, "files are still waiting"
        time.sleep(0.05)  # there is nothing but the folder to wait on
    process.kill()
    found = Counter(stored(tmp_path / "gateway.db"))
    assert len(found) == sum(found.values()) == FILES
    assert dict(found.keys()) == dropper.dropped
    assert sorted(path.name for path in folder.iterdir()) == [".done", ".failed", ".work"]
    assert list((folder / ".failed").iterdir()) == []


def stored(database: Path) -> list[tuple[bytes, str | None]]:
    """SHA-256 of the bytes of each submission as they lie in the database, and its customer number."""
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT content_id, fields FROM submission").fetchall()
        chunks = "SELECT bytes FROM content_chunk WHERE content_id = ? ORDER BY seq"
        found = []
        for content_id, fields in rows:
            data = b"".join(chunk for (chunk,) in connection.execute(chunks, (content_id,)))
            found.append((hashlib.sha256(data).digest(), json.loads(fields).get("customer_number")))
    connection.close()
    return found
