"""Hints from inotify: what wakes, and when there are none."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.intake import hints
from gateway.intake.hints import Hints, is_remote


@pytest.fixture
def woken() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def listening(tmp_path: Path, woken: asyncio.Event) -> AsyncIterator[Hints]:
    made = Hints(tmp_path, woken.set)
    await made.start()
    yield made
    made.close()


async def test_a_written_or_renamed_file_and_a_new_folder_wake(
    listening: Hints, tmp_path: Path, woken: asyncio.Event
) -> None:
    assert listening.complete
    assert listening.watch([((), 1)])
    assert not listening.watch([((), 1)])
    for action in (
        lambda: (tmp_path / "x").write_bytes(b"1"),
        lambda: (tmp_path / "x").rename(tmp_path / "y"),
        lambda: (tmp_path / "y").chmod(0o600),
        lambda: (tmp_path / "d").mkdir(),
    ):
        woken.clear()
        action()
        await asyncio.wait_for(woken.wait(), 5)
    woken.clear()
    assert listening.watch([((), 1), (("d",), 2)])
    os.mkdir(tmp_path / "d" / "e")
    await asyncio.wait_for(woken.wait(), 5)


async def test_a_folder_made_anew_under_its_old_name_is_watched_anew(listening: Hints) -> None:
    assert listening.watch([((), 1)])
    assert listening.watch([((), 2)])


async def test_a_folder_that_cannot_be_watched_makes_the_hints_incomplete(
    listening: Hints, caplog: pytest.LogCaptureFixture
) -> None:
    assert not listening.watch([((), 1), (("gone",), 2)])
    assert not listening.complete
    assert "cannot be watched" in caplog.text


@pytest.mark.parametrize(
    ("magic", "remote"), [(0x6969, True), (0xFF534D42, True), (0x65735546, True), (0xEF53, False), (0x01021994, False)]
)
def test_file_systems_of_other_machines_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, magic: int, remote: bool
) -> None:
    class Kernel:
        @staticmethod
        def statfs(path: bytes, answer: Any) -> int:
            answer[:8] = magic.to_bytes(8, "little")
            return 0

    monkeypatch.setattr(hints, "_libc", Kernel)
    assert is_remote(tmp_path) is remote


def test_a_local_folder_is_not_remote_and_a_missing_one_neither(tmp_path: Path) -> None:
    assert not is_remote(tmp_path)
    assert not is_remote(tmp_path / "missing")
