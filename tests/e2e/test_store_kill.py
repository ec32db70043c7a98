"""The store alone, killed in the middle of its work again and again: what it has answered is there (promise P1), a list
is there whole or not at all (P26), and the audit's chain is whole."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from gateway.store import audit
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


# --- the audit -------------------------------------------------------------------------------------------


def changing(path: Path, what: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.e2e.auditing", str(path), what]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True)


def read_until(process: subprocess.Popen[str], lines: int) -> set[str]:
    """What the process says in this many lines, and what it had said beyond when it was killed."""
    assert process.stdout is not None
    answered = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    answered += process.stdout.readlines()
    process.communicate()
    return {line.strip() for line in answered if line.endswith("\n")}


def chain(engine: sa.Engine) -> audit.Link:
    link = audit.Link()
    with engine.connect() as connection:
        while not link.done:
            link = audit.check(connection, link, None, 500)
    return link


def test_each_change_has_its_row_of_a_whole_chain_over_kills(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    chance = random.Random(11)
    answered: set[str] = set()
    for life in range(4):
        answered |= read_until(changing(path, f"life{life}-"), chance.randint(1, 120))
    engine = sa.create_engine(f"sqlite:///{path}")
    link = chain(engine)
    with engine.connect() as connection:
        numbers = set(connection.exec_driver_sql("SELECT number FROM recipient").scalars())
        after = "SELECT json_extract(after, '$.number') FROM audit WHERE action = 'recipient.add'"
        audited = list(connection.exec_driver_sql(after).scalars())
    engine.dispose()
    assert link.broken is None
    assert answered <= numbers
    assert sorted(audited) == sorted(numbers)
    assert link.seq == len(audited)


def test_a_list_that_is_cut_off_half_way_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    assert read_until(changing(path, "import"), 1) == {"half-way"}
    assert read_until(changing(path, "after"), 1)  # and the next life goes on
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT number FROM recipient").scalars().all()
        batches = connection.exec_driver_sql("SELECT count(*) FROM batch").scalar()
    link = chain(engine)
    engine.dispose()
    assert found
    assert all(number.startswith("after") for number in found)
    assert (batches, link.broken, link.seq) == (0, None, len(found))
