"""The drop folder door on a real folder and a real store: what is taken, when, and where it ends."""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
import hashlib
import os
import time
from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from gateway.config import Source
from gateway.errors import Busy, ConfigError
from gateway.intake import hints, takeover
from gateway.intake.claim import Folder
from gateway.intake.dropfolder import DropFolder
from gateway.intake.waiting import Look, Timing, Waiting
from gateway.store import Store, content, dropped
from tests.unit.drops import PDF, QUICK, Open, drop, names, reason, stored, until


async def test_a_dropped_file_is_stored_whole_and_moved_to_done(door: Open, store: Store, root: Path) -> None:
    heard: list[tuple[int, bytes | None]] = []
    async with door(on_accepted=lambda submission, data: heard.append((submission, data))):
        drop(root, "invoice 7.pdf")
        await until((root / ".done" / "invoice 7.pdf").exists)
    (row,) = await stored(store)
    assert (row["source"], row["channel"], row["file_name"]) == ("scan", "folder", "invoice 7.pdf")
    assert (row["media_type"], row["sha256"]) == ("application/pdf", hashlib.sha256(PDF).digest())
    assert row["envelope"] == {"mail_from": "", "rcpt_to": [], "smtputf8": False}
    assert row["peer"]["host"] == str(root)
    assert (await store.read(content.get, row["content_id"])) == PDF
    assert [data for _, data in heard] == [PDF]
    assert names(root) == [".done", ".failed", ".work"]
    assert names(root / ".work") == names(root / ".failed") == []
    assert await store.read(dropped.open_rows, "scan") == []


async def test_a_large_file_is_stored_in_chunks_from_its_open_file(door: Open, store: Store, root: Path) -> None:
    data = b"%PDF-1.4\n" + os.urandom(3 << 20) + b"\n%%EOF\n"
    async with door():
        drop(root, "large.pdf", data)
        await until((root / ".done" / "large.pdf").exists)
    (row,) = await stored(store)
    assert row["size"] == len(data)
    assert hashlib.sha256(await store.read(content.get, row["content_id"])).digest() == row["sha256"]


async def test_files_that_came_while_nobody_looked_are_taken_at_start(door: Open, store: Store, root: Path) -> None:
    for number in range(10):
        (root / f"{number}.pdf").write_bytes(PDF + b"%d" % number)
    async with door():
        await until(lambda: len(names(root / ".done")) == 10)
    assert len(await stored(store)) == 10


async def test_old_files_are_taken_at_start_without_waiting_for_rest(door: Open, store: Store, root: Path) -> None:
    (root / "x.pdf").write_bytes(PDF)
    timing = Timing(stable=3600, scan=30)
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    async with door(timing=timing, now=lambda: tomorrow):
        await until((root / ".done" / "x.pdf").exists)


async def test_a_file_just_written_waits_for_its_rest(door: Open, root: Path) -> None:
    (root / "x.pdf").write_bytes(PDF)
    clock = [0.0]
    async with door(timing=Timing(stable=2), clock=lambda: clock[0]) as folder:
        clock[0] = 1.9
        await folder.scanned()
        assert names(root / ".done") == []
        assert folder.waiting == 1
        clock[0] = 2.0
        await folder.scanned()
        assert names(root / ".done") == ["x.pdf"]


async def test_growth_starts_the_rest_anew(door: Open, root: Path) -> None:
    path = root / "x.txt"
    path.write_bytes(b"half")
    clock = [0.0]
    async with door(timing=Timing(stable=2), clock=lambda: clock[0]) as folder:
        clock[0] = 1.5
        with path.open("ab") as file:
            file.write(b" and half")
        await folder.scanned()
        clock[0] = 2.5
        await folder.scanned()
        assert names(root / ".done") == []
        clock[0] = 3.6
        await folder.scanned()
        assert (root / ".done" / "x.txt").read_bytes() == b"half and half"


async def test_a_slow_writer_is_taken_once_and_whole(door: Open, store: Store, root: Path) -> None:
    async with door() as folder:
        for name, start, end in (("x.pdf", PDF[:12], PDF[12:]), ("y.xml", b"<a><b>1</b>", b"</a>\n")):
            (root / name).write_bytes(start)
            before = time.monotonic()
            while time.monotonic() < before + 4 * QUICK.stable:
                await folder.scanned()
            with (root / name).open("ab") as file:
                file.write(end)
        await until(lambda: names(root / ".done") == ["x.pdf", "y.xml"])
    assert sorted(row["size"] for row in await stored(store)) == [16, len(PDF)]


async def test_a_file_that_somebody_has_open_for_writing_waits(door: Open, store: Store, root: Path) -> None:
    timing = Timing(stable=0.02, poll=0.05, incomplete=3600)
    async with door(timing=timing) as folder:
        with (root / "x.txt").open("wb") as file:
            file.write(b"first")
            file.flush()
            before = time.monotonic()
            while time.monotonic() < before + 0.2:
                await folder.scanned()
            assert names(root / ".done") == []
            file.write(b" and last")
        await until((root / ".done" / "x.txt").exists)
    assert [row["size"] for row in await stored(store)] == [14]


async def test_a_file_that_stays_open_is_handed_in_after_a_while(door: Open, store: Store, root: Path) -> None:
    async with door(timing=Timing(stable=0.02, poll=0.05, incomplete=0.3)):
        with (root / "log.txt").open("wb") as file:
            file.write(b"a line")
            file.flush()
            await until((root / ".done" / "log.txt").exists)
    assert [row["size"] for row in await stored(store)] == [6]


async def test_a_file_without_its_end_is_handed_in_after_a_while(door: Open, store: Store, root: Path) -> None:
    async with door() as folder:
        drop(root, "cut.pdf", PDF[:12])
        before = time.monotonic()
        while time.monotonic() < before + 0.2:
            await folder.scanned()
        assert names(root / ".done") == []
        await until((root / ".done" / "cut.pdf").exists)
    assert len(await stored(store)) == 1


async def test_an_empty_file_waits_for_its_bytes_then_fails(door: Open, store: Store, root: Path) -> None:
    clock = [0.0]
    async with door(timing=Timing(stable=2, empty=60), clock=lambda: clock[0]) as folder:
        (root / "never.pdf").touch()
        (root / "later.pdf").touch()
        await folder.scanned()
        clock[0] = 59.0
        await folder.scanned()
        assert names(root / ".failed") == []
        (root / "later.pdf").write_bytes(PDF)
        await folder.scanned()
        clock[0] = 62.0
        await folder.scanned()
        assert names(root / ".failed") == ["never.pdf", "never.pdf.reason.txt"]
        assert reason(root, "never.pdf") == "The file is empty."
        assert names(root / ".done") == ["later.pdf"]


@pytest.mark.parametrize("name", [".hidden.pdf", "~lock.pdf", "~$x.pdf", "x.tmp", "x.PART", "Thumbs.db", "desktop.ini"])
async def test_names_of_unfinished_files_and_litter_are_ignored(door: Open, root: Path, name: str) -> None:
    (root / name).write_bytes(PDF)
    (root / "y.pdf").write_bytes(PDF)
    async with door():
        await until((root / ".done" / "y.pdf").exists)
        assert (root / name).exists()
        assert names(root / ".failed") == []


async def test_a_file_beyond_the_limit_fails_with_its_reason(door: Open, store: Store, root: Path) -> None:
    async with door({"max_size": 100}):
        drop(root, "x.pdf", PDF + b" " * 100)
        await until((root / ".failed" / "x.pdf").exists)
    assert (
        reason(root, "x.pdf")
        == f"It has {len(PDF) + 100} bytes, more than the 100 that are taken (max_size of the source)."
    )
    assert await stored(store) == []


async def test_the_same_content_as_a_new_file_is_stored_once_and_said_so(
    door: Open, store: Store, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with door():
        drop(root, "x.pdf")
        await until((root / ".done" / "x.pdf").exists)
        drop(root, "copy.pdf")
        await until((root / ".done" / "copy.pdf").exists)
    assert len(await stored(store)) == 1
    assert reason(root, "copy.pdf", ".done").startswith("This is a duplicate of ")
    assert any(line.startswith("duplicate ") for line in caplog.messages)


async def test_a_source_may_accept_duplicates(door: Open, store: Store, root: Path) -> None:
    async with door({"duplicates": "accept"}):
        drop(root, "x.pdf")
        drop(root, "copy.pdf")
        await until(lambda: names(root / ".done") == ["copy.pdf", "x.pdf"])
    assert len(await stored(store)) == 2


async def test_one_letter_for_two_customers_is_no_duplicate(door: Open, store: Store, root: Path) -> None:
    async with door():
        drop(root, "reminder/1001/x.pdf")
        drop(root, "reminder/1002/x.pdf")
        await until(lambda: len(names(root / ".done")) == 2)
    assert sorted(row["fields"]["customer_number"] for row in await stored(store)) == ["1001", "1002"]


async def test_names_in_done_and_failed_never_replace_each_other(door: Open, store: Store, root: Path) -> None:
    async with door({"max_size": 1000}) as folder:
        for data in (b"1", b"2", b" " * 1001, b" " * 1002):
            drop(root, "x.txt", data)
            await until(lambda: not (root / "x.txt").exists())
        await folder.scanned()
    done = [(root / ".done" / name).read_bytes() for name in names(root / ".done")]
    assert sorted(done) == [b"1", b"2"]
    failed = [name for name in names(root / ".failed") if not name.endswith(".reason.txt")]
    assert len(failed) == 2
    for name in failed:
        assert f"It has {(root / '.failed' / name).stat().st_size} bytes" in reason(root, name)


async def test_fields_come_from_sidecar_file_name_and_sub_folder_in_this_order(
    door: Open, store: Store, root: Path
) -> None:
    pattern = r"^(?P<number>[^_]+)_(?P<customer_number>\d+)_(?P<language>..)\."
    async with door({"file_name": pattern}):
        drop(root, "invoice/1001/F7_2002_fr.json", b'{"customer_number": "3003", "email": "a@example.com"}')
        drop(root, "invoice/1001/F7_2002_fr.pdf")
        await until(lambda: names(root / ".done") == ["F7_2002_fr.json", "F7_2002_fr.pdf"])
    (row,) = await stored(store)
    said = row["fields"]
    assert (said["customer_number"], said["number"], said["language"], said["type"]) == ("3003", "F7", "fr", "invoice")
    assert said["emails"] == ["a@example.com"]
    assert dict(said["origin"]) == {
        "customer_number": "sidecar F7_2002_fr.json",
        "emails": "sidecar F7_2002_fr.json",
        "number": "file name",
        "language": "file name",
        "type": "folder invoice/1001",
    }


async def test_a_document_waits_for_a_sidecar_that_is_still_being_written(door: Open, store: Store, root: Path) -> None:
    clock = [0.0]
    async with door(timing=Timing(stable=2), clock=lambda: clock[0]) as folder:
        drop(root, "x.pdf")
        await folder.scanned()
        clock[0] = 1.0
        drop(root, "x.csv", b"customer_number\n1001\n")
        await folder.scanned()
        clock[0] = 2.5
        await folder.scanned()
        assert names(root / ".done") == []
        clock[0] = 3.1
        await folder.scanned()
        assert names(root / ".done") == ["x.csv", "x.pdf"]
    (row,) = await stored(store)
    assert row["fields"]["customer_number"] == "1001"


async def test_xml_that_may_be_a_sidecar_makes_its_document_wait(door: Open, store: Store, root: Path) -> None:
    clock = [0.0]
    async with door(timing=Timing(stable=2), clock=lambda: clock[0]) as folder:
        drop(root, "x.pdf")
        await folder.scanned()
        clock[0] = 1.5
        drop(root, "x.xml", b"<doc><number>7</number></doc>")
        await folder.scanned()
        clock[0] = 2.5
        await folder.scanned()
        assert names(root / ".done") == []
        clock[0] = 3.6
        await folder.scanned()
        assert names(root / ".done") == ["x.pdf", "x.xml"]
    assert [row["fields"]["number"] for row in await stored(store)] == ["7"]


async def test_of_several_documents_of_one_name_the_sidecar_is_for_the_pdf(
    door: Open, store: Store, root: Path
) -> None:
    async with door():
        drop(root, "x.json", b'{"number": "7"}')
        drop(root, "x.aaa", b"text")
        drop(root, "x.pdf")
        drop(root, "x.zzz", b"more text")
        await until(lambda: names(root / ".done") == ["x.aaa", "x.json", "x.pdf", "x.zzz"])
    said = {row["file_name"]: row["fields"].get("number") for row in await stored(store)}
    assert said == {"x.aaa": None, "x.pdf": "7", "x.zzz": None}


async def test_a_wrong_sidecar_fails_the_pair_with_the_field(door: Open, store: Store, root: Path) -> None:
    async with door():
        drop(root, "x.json", b'{"custmer_number": "1"}')
        drop(root, "x.pdf")
        await until(lambda: names(root / ".failed") == ["x.json", "x.pdf", "x.pdf.reason.txt"])
    assert reason(root, "x.pdf") == (
        'Its sidecar x.json is wrong: it has the unknown field "custmer_number"; did you mean customer_number?'
    )
    assert await stored(store) == []


async def test_a_sidecar_alone_fails_after_a_while(door: Open, store: Store, root: Path) -> None:
    async with door():
        drop(root, "x.json", b'{"number": "1"}')
        drop(root, "y.xml", b"<fields><number>1</number></fields>")
        await until(lambda: len(names(root / ".failed")) == 4)
    assert reason(root, "x.json").startswith("No document came beside this sidecar within ")
    assert names(root / ".done") == []


async def test_two_sidecars_fail_the_document(door: Open, store: Store, root: Path) -> None:
    async with door():
        drop(root, "x.json", b'{"number": "1"}')
        drop(root, "x.csv", b"number\n2\n")
        drop(root, "x.pdf")
        await until((root / ".failed" / "x.pdf").exists)
    assert reason(root, "x.pdf") == "It has 2 sidecars; which of them is right?"


async def test_an_invoice_in_xml_beside_a_pdf_is_a_document_of_its_own(door: Open, store: Store, root: Path) -> None:
    xml = b"<Invoice><ID>7</ID><Party><Name>x</Name></Party></Invoice>"
    async with door():
        drop(root, "x.xml", xml)
        drop(root, "x.pdf")
        await until(lambda: names(root / ".done") == ["x.pdf", "x.xml"])
    assert sorted(row["media_type"] for row in await stored(store)) == ["application/pdf", "application/xml"]


async def test_a_flat_list_of_fields_in_xml_is_a_sidecar(door: Open, store: Store, root: Path) -> None:
    async with door():
        drop(root, "x.xml", b"<doc><customer-number>1001</customer-number></doc>")
        drop(root, "x.pdf")
        await until(lambda: names(root / ".done") == ["x.pdf", "x.xml"])
    (row,) = await stored(store)
    assert row["fields"]["customer_number"] == "1001"


async def test_files_wait_where_they_are_while_there_is_no_room(door: Open, store: Store, root: Path) -> None:
    full = ["the queue is full"]
    async with door(room=lambda: full[0] if full else None) as folder:
        drop(root, "x.pdf")
        await folder.scanned()
        await folder.scanned()
        assert names(root) == [".done", ".failed", ".work", "x.pdf"]
        assert folder.problem == "the queue is full"
        full.clear()
        await until((root / ".done" / "x.pdf").exists)
        assert folder.problem is None
    assert len(await stored(store)) == 1


async def test_files_wait_through_a_full_disk_and_are_taken_afterwards(door: Open, store: Store, root: Path) -> None:
    class FailingStore(Store):
        """A store whose disk is full at the n-th write."""

        def __init__(self, inner: Store) -> None:
            self.inner, self.writes, self.broken = inner, 0, {2, 3, 4, 7}

        def _count(self) -> None:
            self.writes += 1
            if self.writes in self.broken:
                raise Busy("the disk that holds the database is full")

        async def write(self, verb: Any, *args: Any, **kwargs: Any) -> Any:
            self._count()
            return await self.inner.write(verb, *args, **kwargs)

        async def write_content(self, size: int, verb: Any, *args: Any, **kwargs: Any) -> Any:
            self._count()
            return await self.inner.write_content(size, verb, *args, **kwargs)

        async def read(self, verb: Any, *args: Any, **kwargs: Any) -> Any:
            return await self.inner.read(verb, *args, **kwargs)

    failing = FailingStore(store)
    folder = DropFolder(Source(name="scan", folder=root), failing, timing=QUICK)
    await folder.start()
    for number in range(3):
        drop(root, f"{number}.pdf", PDF + b"%d" % number)
    await until(lambda: len(names(root / ".done")) == 3 and folder.problem is None)
    await folder.stop()
    assert failing.writes > 7
    assert len(await stored(store)) == 3
    assert await store.read(dropped.open_rows, "scan") == []
    assert names(root / ".work") == []


async def test_a_file_that_cannot_be_read_does_not_stop_the_others(
    door: Open, store: Store, root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad_sectors = [True]
    read = takeover._body

    def failing(extension: str, file: Any, row: dropped.Dropped) -> Any:
        if bad_sectors and row.path == b"bad.pdf":
            raise OSError(errno.EIO, "Input/output error")
        return read(extension, file, row)

    monkeypatch.setattr(takeover, "_body", failing)
    async with door() as folder:
        drop(root, "bad.pdf", PDF + b"bad")
        drop(root, "good.pdf")
        await until((root / ".done" / "good.pdf").exists)
        await folder.scanned()
        assert sum("bad.pdf cannot be read: Input/output error" in line for line in caplog.messages) == 1
        assert len(names(root / ".work")) == 1
        bad_sectors.clear()
        await until((root / ".done" / "bad.pdf").exists)
    assert len(await stored(store)) == 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
async def test_a_rename_that_finds_the_disk_full_leaves_the_file_in_place(
    door: Open, store: Store, root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    full = [True]
    claim = Folder.claim

    def failing(self: Folder, row: dropped.Dropped) -> None:
        if full:
            raise OSError(number, os.strerror(number))
        claim(self, row)

    monkeypatch.setattr(Folder, "claim", failing)
    async with door() as folder:
        drop(root, "x.pdf")
        await until(lambda: folder.problem is not None and os.strerror(number) in folder.problem)
        assert (root / "x.pdf").exists()
        assert await store.read(dropped.open_rows, "scan") == []
        full.clear()
        await until((root / ".done" / "x.pdf").exists)
    assert len(await stored(store)) == 1


async def test_a_storm_of_files_is_taken_each_once_and_holds_nobody_up(
    door: Open, store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Path] = []
    look = Waiting.look
    monkeypatch.setattr(Waiting, "look", lambda self, folder: looks.append(folder.path) or look(self, folder))
    other = root.with_name("other")
    wanted = set()
    async with door():
        for number in range(2000):
            data = PDF + b"%d" % number
            wanted.add(hashlib.sha256(data).digest())
            (root / f"{number}.pdf").write_bytes(data)
        second = DropFolder(Source(name="other", folder=other), store, timing=QUICK)
        await second.start()
        drop(other, "x.pdf")
        await until((other / ".done" / "x.pdf").exists)
        assert len(names(root / ".done")) < 2000
        looks.clear()
        await until(lambda: len(names(root / ".done")) == 2000, 60)
        await second.stop()
    assert looks.count(root) < 100  # not one for each file
    found = [row["sha256"] for row in await stored(store) if row["source"] == "scan"]
    assert len(found) == 2000
    assert set(found) == wanted


async def test_a_burst_begins_with_a_few(door: Open, store: Store, root: Path) -> None:
    """Work on these goes on while the others are taken."""
    taken: list[int] = []
    claiming = dropped.claiming

    def noted(connection: Connection, rows: Sequence[dropped.Dropped], now: dt.datetime) -> None:
        taken.append(len(rows))
        claiming(connection, rows, now)

    for number in range(75):
        (root / f"{number}.pdf").write_bytes(PDF + b"%d" % number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dropped, "claiming", noted)
        async with door():
            await until(lambda: len(names(root / ".done")) == 75)
    assert taken == [10, 50, 15]


async def test_what_comes_while_files_are_taken_does_not_wait_for_that(
    door: Open, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    sleep = asyncio.sleep
    clock = [0.0]

    def noted(seconds: float) -> Awaitable[None]:
        rests.append(seconds)
        return sleep(seconds)

    def slow(*_: object) -> None:  # what is taken takes a minute
        clock[0] += 60

    monkeypatch.setattr(asyncio, "sleep", noted)
    async with door(clock=lambda: clock[0] + time.monotonic(), on_accepted=slow):
        for name in ("1.pdf", "2.pdf", "3.pdf"):
            drop(root, name, PDF + name.encode())
            await until((root / ".done" / name).exists)
    assert max(rests) < 0.5


async def test_a_new_sub_folder_is_noticed_with_the_files_in_it(door: Open, store: Store, root: Path) -> None:
    async with door():
        drop(root, "credit.pdf")
        await until((root / ".done" / "credit.pdf").exists)
        drop(root, "order/77/x.pdf", PDF + b"x")
        await until((root / ".done" / "x.pdf").exists)
        drop(root, "order/77/y.pdf", PDF + b"y")
        await until((root / ".done" / "y.pdf").exists)
    assert len(await stored(store)) == 3


async def test_a_file_that_comes_between_the_look_and_the_watch_is_noticed(
    door: Open, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Waiting.look

    def slow_look(self: Waiting, folder: Folder) -> Look:
        found = look(self, folder)
        if not (root / "x.pdf").exists() and names(root / ".done") == []:
            drop(root, "x.pdf")
        return found

    monkeypatch.setattr(Waiting, "look", slow_look)
    async with door(timing=Timing(stable=0, scan=3600)):
        await until((root / ".done" / "x.pdf").exists)


async def test_without_inotify_looking_often_replaces_it(
    door: Open, store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def limit_reached(**_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(hints.inotify_simple, "INotify", limit_reached)
    async with door():
        drop(root, "x.pdf")
        await until((root / ".done" / "x.pdf").exists)


async def test_the_folder_is_made_if_missing_and_refused_if_it_is_none(store: Store, tmp_path: Path) -> None:
    folder = DropFolder(Source(name="scan", folder=tmp_path / "a" / "b"), store)
    await folder.start()
    await folder.stop()
    assert (tmp_path / "a" / "b" / ".work").stat().st_mode & 0o777 == 0o700
    with pytest.raises(ConfigError, match=r"\[\[source\]\] scan: file_name has no named group"):
        DropFolder(Source(name="scan", folder=tmp_path, file_name="x"), store)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"\[\[source\]\] scan: the folder .*file cannot be used: "):
        await DropFolder(Source(name="scan", folder=tmp_path / "file"), store).start()


async def test_a_folder_that_went_away_and_came_back_is_used_again(door: Open, store: Store, root: Path) -> None:
    async with door() as folder:
        os.rename(root, root.with_name("away"))
        await until(lambda: folder.problem is not None)
        os.mkdir(root)
        drop(root, "x.pdf")
        await until((root / ".done" / "x.pdf").exists)
        assert names(root.with_name("away")) == [".done", ".failed", ".work"]


async def test_stop_leaves_the_rest_for_the_next_start(door: Open, store: Store, root: Path) -> None:
    async with door(timing=Timing(stable=3600)):
        drop(root, "x.pdf")
    assert (root / "x.pdf").exists()
    async with door():
        await until((root / ".done" / "x.pdf").exists)


@pytest.fixture(autouse=True)
def no_descriptor_leaks() -> Iterator[None]:
    """Whatever a test does, no descriptor of the folder stays open."""
    yield
    left = [
        os.readlink(f"/proc/self/fd/{fd}")
        for fd in os.listdir("/proc/self/fd")
        if os.path.exists(f"/proc/self/fd/{fd}")
    ]
    assert not [path for path in left if "/drop" in path]
