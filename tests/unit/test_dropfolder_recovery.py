"""What a kill between any two steps leaves, and what the next start makes of it: the table in `intake.dropfolder`."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.intake import takeover
from gateway.intake.claim import Folder, sidecar_work_name
from gateway.intake.waiting import Timing
from gateway.model import new_id, show_id
from gateway.store import Store, dropped
from gateway.store.dropped import Dropped
from tests.store.samples import body, submission
from tests.unit.drops import PDF, Open, names, reason, stored, until

RESTING = Timing(stable=3600)  # what recovery brings to an end does not wait; what it leaves in place does


@pytest.fixture
async def row(store: Store, root: Path, door: Open, now: dt.datetime) -> Dropped:
    """A file in place whose ledger row is written: the process dies right after."""
    (root / "x.pdf").write_bytes(PDF)
    return await write_row(store, root, now, "x.pdf")


async def write_row(store: Store, root: Path, now: dt.datetime, name: str, **values: Any) -> Dropped:
    found = os.stat(root / name)
    dropped_id = new_id()
    made = Dropped(
        id=dropped_id,
        source="scan",
        path=os.fsencode(name),
        work_name=takeover.work_name(dropped_id, name),
        inode=found.st_ino,
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
    )
    made = msgspec.structs.replace(made, **values)
    await store.write(dropped.claiming, [made], now)
    return made


def claim(root: Path, *rows: Dropped) -> None:
    folder = Folder.open(root)
    assert takeover.claim_all(folder, rows) == {}
    folder.close()


async def accept(store: Store, row: Dropped, now: dt.datetime) -> int:
    """What the door commits: the submission and the row's state."""
    new = msgspec.structs.replace(submission(now), source="scan", channel="folder", body=body(PDF))
    return (await store.write(dropped.accept_dropped, row.id, new, now)).id


async def is_all_done(store: Store) -> bool:
    return await store.read(dropped.open_rows, "scan") == []


async def test_a_row_before_its_rename_is_forgotten_and_the_file_taken_when_it_is_whole(
    door: Open, store: Store, root: Path, row: Dropped
) -> None:
    async with door(timing=RESTING):
        assert (root / "x.pdf").exists()
        assert await is_all_done(store)
    async with door():
        await until((root / ".done" / "x.pdf").exists)
    assert len(await stored(store)) == 1


async def test_a_claimed_file_is_accepted_at_start(door: Open, store: Store, root: Path, row: Dropped) -> None:
    claim(root, row)
    heard: list[int] = []
    async with door(timing=RESTING, on_accepted=lambda submission, data: heard.append(submission)):
        assert names(root / ".done") == ["x.pdf"]
    assert len(await stored(store)) == len(heard) == 1
    assert await is_all_done(store)


async def test_a_claimed_file_and_a_new_one_of_its_name_are_two(
    door: Open, store: Store, root: Path, row: Dropped
) -> None:
    claim(root, row)
    (root / "x.pdf").write_bytes(PDF + b"new")
    async with door():
        await until(lambda: len(names(root / ".done")) == 2)
    assert len(await stored(store)) == 2


async def test_an_accepted_file_is_only_moved(
    door: Open, store: Store, root: Path, row: Dropped, now: dt.datetime
) -> None:
    claim(root, row)
    await accept(store, row, now)
    async with door({"duplicates": "accept"}, timing=RESTING):
        assert names(root / ".done") == ["x.pdf"]
    assert len(await stored(store)) == 1
    assert await is_all_done(store)


async def test_a_file_moved_before_the_last_commit_ends_its_row(
    door: Open, store: Store, root: Path, row: Dropped, now: dt.datetime
) -> None:
    claim(root, row)
    await accept(store, row, now)
    (root / ".work" / row.work_name).rename(root / ".done" / "x.pdf")
    async with door({"duplicates": "accept"}, timing=RESTING):
        assert names(root / ".done") == ["x.pdf"]
    assert len(await stored(store)) == 1
    assert await is_all_done(store)


async def test_an_accepted_file_whose_rename_was_lost_is_not_taken_again(
    door: Open, store: Store, root: Path, row: Dropped, now: dt.datetime
) -> None:
    await accept(store, row, now)
    async with door({"duplicates": "accept"}):
        assert names(root / ".done") == ["x.pdf"]
    assert len(await stored(store)) == 1


async def test_a_done_file_whose_last_rename_was_lost_is_moved_again(
    door: Open, store: Store, root: Path, row: Dropped, now: dt.datetime
) -> None:
    claim(root, row)
    await accept(store, row, now)
    await store.write(dropped.finish, [row.id], now)
    async with door({"duplicates": "accept"}, timing=RESTING):
        assert names(root / ".done") == ["x.pdf"]
        assert names(root / ".work") == []
    assert len(await stored(store)) == 1


@pytest.mark.parametrize("written", [False, True])
async def test_a_refused_file_gets_its_reason_once(
    door: Open, store: Store, root: Path, row: Dropped, now: dt.datetime, written: bool
) -> None:
    claim(root, row)
    await store.write(dropped.refuse, row.id, "It is wrong.", now)
    if written:  # the process died between the reason and the move
        folder = Folder.open(root)
        folder.file_away(takeover.refused(row, "It is wrong."))
        folder.close()
        (root / ".failed" / "x.pdf").rename(root / ".work" / row.work_name)
    async with door(timing=RESTING):
        assert names(root / ".failed") == ["x.pdf", "x.pdf.reason.txt"]
    assert reason(root, "x.pdf") == "It is wrong."
    assert await stored(store) == []


async def test_a_refusal_known_before_the_claim_survives_the_kill(
    door: Open, store: Store, root: Path, now: dt.datetime
) -> None:
    (root / "y.pdf").write_bytes(PDF)
    row = await write_row(store, root, now, "y.pdf", reason="It has 2 sidecars; which of them is right?")
    claim(root, row)
    async with door(timing=RESTING):
        assert names(root / ".failed") == ["y.pdf", "y.pdf.reason.txt"]
    assert await stored(store) == []


async def test_a_duplicate_keeps_its_note(door: Open, store: Store, root: Path, row: Dropped, now: dt.datetime) -> None:
    new = msgspec.structs.replace(submission(now, dedupe=b"same"), source="scan", channel="folder")
    await store.write(dropped.accept_dropped, row.id, new, now)
    (root / "y.pdf").write_bytes(PDF)
    second = await write_row(store, root, now, "y.pdf")
    claim(root, row, second)
    again = msgspec.structs.replace(new, id=new_id())
    assert (await store.write(dropped.accept_dropped, second.id, again, now)).duplicate
    async with door(timing=RESTING):
        assert names(root / ".done") == ["x.pdf", "y.pdf", "y.pdf.reason.txt"]
    assert reason(root, "y.pdf", ".done") == f"This is a duplicate of {show_id(new.id)}."


async def test_a_row_whose_file_is_gone_is_forgotten_and_said_so(
    door: Open, store: Store, root: Path, row: Dropped, caplog: pytest.LogCaptureFixture
) -> None:
    os.unlink(root / "x.pdf")
    async with door(timing=RESTING):
        assert await is_all_done(store)
    assert any("x.pdf vanished" in line for line in caplog.messages)


async def test_a_file_of_another_database_is_kept_for_a_person(door: Open, store: Store, root: Path) -> None:
    Folder.open(root).close()
    (root / ".work" / f"{show_id(new_id())}-x.pdf").write_bytes(PDF)
    async with door():
        assert names(root / ".work") == []
    (name,) = (name for name in names(root / ".failed") if not name.endswith(".reason.txt"))
    assert "may have been sent already" in reason(root, name)
    assert await stored(store) == []


async def test_a_sidecar_claimed_before_its_document_goes_back_to_it(
    door: Open, store: Store, root: Path, now: dt.datetime
) -> None:
    (root / "y.pdf").write_bytes(PDF)
    (root / "y.json").write_bytes(b'{"customer_number": "1001"}')
    row = await write_row(store, root, now, "y.pdf", sidecar=b"y.json")
    Folder.open(root).close()
    (root / "y.json").rename(root / ".work" / sidecar_work_name(row))
    async with door():
        await until(lambda: names(root / ".done") == ["y.json", "y.pdf"])
    (found,) = await stored(store)
    assert found["fields"]["customer_number"] == "1001"


async def test_a_claimed_document_is_accepted_with_its_sidecar(
    door: Open, store: Store, root: Path, now: dt.datetime
) -> None:
    (root / "y.pdf").write_bytes(PDF)
    (root / "y.json").write_bytes(b'{"customer_number": "1001"}')
    claim(root, await write_row(store, root, now, "y.pdf", sidecar=b"y.json"))
    async with door(timing=RESTING):
        assert names(root / ".done") == ["y.json", "y.pdf"]
    (found,) = await stored(store)
    assert found["fields"]["customer_number"] == "1001"


async def test_a_claimed_document_without_the_sidecar_it_had_is_refused(
    door: Open, store: Store, root: Path, now: dt.datetime
) -> None:
    (root / "y.pdf").write_bytes(PDF)
    (root / "y.json").write_bytes(b"{}")
    row = await write_row(store, root, now, "y.pdf", sidecar=b"y.json")
    claim(root, row)
    (root / ".work" / sidecar_work_name(row)).unlink()
    async with door(timing=RESTING):
        assert names(root / ".failed") == ["y.pdf", "y.pdf.reason.txt"]
    assert reason(root, "y.pdf") == "Its sidecar y.json is wrong: it is gone."
    assert await stored(store) == []
