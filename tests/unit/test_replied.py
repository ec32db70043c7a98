"""Notes of what was sent, which a killed process leaves behind."""

from __future__ import annotations

import datetime as dt
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from gateway.model import UTC, Claimed, Outcome, Reply, Result, new_id
from gateway.store.claims import Ended
from gateway.store.replied import SLOT, Replied

NOW = dt.datetime(2026, 3, 1, 12, 0, 0, 250, tzinfo=UTC)


def sent(address: str = "to@example.com", text: str = "queued as 1") -> Ended:
    claimed = Claimed(
        delivery_id=new_id(),
        attempt_id=new_id(),
        document_id=new_id(),
        message_id=new_id(),
        address=address,
        mail_from="b+1@example.com",
        next_hop="relay",
        attempts=1,
        expires_at=NOW + dt.timedelta(days=5),
        size=4000,
    )
    reply = Reply(code=250, enhanced="2.0.0", text=text)
    return Ended(claimed=claimed, outcome=Outcome(result=Result.DONE, reply=reply, peer="192.0.2.1"), at=NOW)


def left(path: Path) -> list[Ended]:
    """What a process that was killed has left in `path`."""
    return Replied(path).open()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db-sent"


def test_what_was_noted_is_there_after_a_kill(path: Path) -> None:
    notes, ended = Replied(path), [sent(f"{number}@example.com") for number in range(300)]
    assert notes.open() == []
    assert None not in {notes.note(each) for each in ended}
    assert left(path) == ended  # nothing was closed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_is_as_long_as_the_most_that_waited_at_a_time(path: Path) -> None:
    notes = Replied(path)
    notes.open()
    for _ in range(500):
        slots = [notes.note(sent()) for _ in range(3)]
        for slot in slots:
            notes.forget(slot)
    assert path.stat().st_size <= 3 * SLOT
    assert len(left(path)) == 3  # the last of each slot, which the database knows


def test_a_shorter_note_replaces_a_longer_one(path: Path) -> None:
    notes, short = Replied(path), sent(text="ok")
    notes.open()
    notes.forget(notes.note(sent(text="a" * 900)))
    notes.note(short)
    assert left(path) == [short]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
        lambda data: b"\xff\xff\xff\xff" + data[4:],
        lambda data: data[:100],
        lambda data: bytes(len(data)),
        lambda data: b"",
    ],
    ids=["a bit", "the length", "cut off", "zeros", "empty"],
)
def test_a_damaged_note_is_none_and_the_others_count(path: Path, damage: Any) -> None:
    notes, whole = Replied(path), sent()
    notes.open()
    notes.note(sent())
    notes.note(whole)
    data = path.read_bytes()
    path.write_bytes(damage(data[:SLOT]).ljust(SLOT, b"\0") + data[SLOT:])
    assert left(path) == [whole]


def test_what_cannot_be_noted_is_no_error(path: Path, tmp_path: Path) -> None:
    notes = Replied(path)
    assert notes.note(sent()) is None  # not open
    notes.open()
    assert notes.note(sent(text="a" * SLOT)) is None
    assert notes._file is not None
    full = os.open("/dev/full", os.O_RDWR)
    os.dup2(full, notes._file)
    os.close(full)
    assert notes.note(sent()) is None
    assert Replied(tmp_path).open() == []  # a directory
    assert Replied(tmp_path / "none" / "sent").open() == []
