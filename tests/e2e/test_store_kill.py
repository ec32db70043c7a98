"""The store alone, killed in the middle of its work again and again: what it has answered is there (promise P1)."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

KILLS = 10


def one_life(path: Path, lines: int) -> set[int]:
    """Let a process accept until it has answered `lines` times, kill it; all that it answered."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.accepting", str(path)], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert process.stdout is not None
    answered = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    answered += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    return {int(line) for line in answered if line.endswith("\n")}


def test_nothing_answered_is_lost_over_ten_kills(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    chance = random.Random(7)
    answered: set[int] = set()
    for _ in range(KILLS):
        answered |= one_life(path, chance.randint(1, 300))
    with sqlite3.connect(path) as connection:
        stored = {row[0] for row in connection.execute("SELECT id FROM submission")}
        whole = connection.execute(
            "SELECT count(*) FROM submission JOIN content ON content.id = content_id "
            "WHERE size = (SELECT sum(length(bytes)) FROM content_chunk WHERE content_chunk.content_id = content.id)"
        ).fetchone()[0]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert len(answered) >= KILLS
    assert answered <= stored
    assert whole == len(stored)  # none without its bytes
