"""Drop folders that other programs and machines write to: lost events, triggers, rights, quotas, the write test."""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Source
from gateway.intake import hints, rights, takeover, trial
from gateway.intake.claim import Folder
from gateway.intake.dropfolder import DropFolder
from gateway.intake.hints import Hints
from gateway.intake.rights import Us
from gateway.intake.triggers import Trigger, Triggers
from gateway.intake.waiting import Look, Timing, Waiting
from gateway.store import Store, dropped
from tests.unit.drops import PDF, Open, drop, names, reason, stored, until
from tests.unit.test_dropfolder_recovery import accept, claim, write_row

NEVER = Timing(stable=0.02, scan=3600, poll=3600)


@pytest.fixture
def folder(root: Path) -> Iterator[Folder]:
    made = Folder.open(root)
    yield made
    made.close()


# --- events that do not come -----------------------------------------------------------------------------


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's events get lost."""
    monkeypatch.setattr(Hints, "_read", lambda self: self._inotify.read(timeout=0) and None)


async def test_what_no_event_told_of_is_taken_within_30_seconds(door: Open, root: Path, deaf: None) -> None:
    async with door(timing=Timing(stable=0.02, scan=0.1, poll=3600)) as folder:
        drop(root, "x.pdf")
        await until((root / ".done" / "x.pdf").exists)
        assert not folder.facts().polled
    assert Timing().scan + 2 * Timing().stable < 30


async def test_a_folder_of_another_machine_is_polled(
    door: Open, root: Path, deaf: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "is_remote", lambda path: path == root)
    async with door(timing=Timing(stable=0.02, scan=3600, poll=0.05)) as folder:
        drop(root, "x.pdf")
        await until((root / ".done" / "x.pdf").exists)
        assert folder.facts().polled
    assert Timing().poll <= 5


def queued_events() -> int:
    """How many events the kernel keeps for us."""
    return int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())


async def test_a_queue_of_events_that_ran_over_costs_a_look_and_no_file(door: Open, root: Path) -> None:
    most = queued_events()
    if most > 40_000:
        pytest.skip(f"the kernel queues {most} events here")
    async with door(timing=NEVER):
        for number in range(most // 2 + 10):  # two events each, and nobody reads meanwhile
            (root / f".{number}").touch()
            (root / f".{number}").unlink()
        drop(root, "x.pdf")
        await until((root / ".done" / "x.pdf").exists)


async def test_a_name_of_an_unfinished_file_is_taken_once_it_is_renamed(door: Open, root: Path) -> None:
    async with door() as folder:
        for name in ("x.pdf.tmp", "y.pdf.filepart"):
            (root / name).write_bytes(PDF + name.encode())
        await folder.scanned()
        await folder.scanned()
        assert names(root / ".done") == []
        (root / "x.pdf.tmp").rename(root / "x.pdf")
        await until((root / ".done" / "x.pdf").exists)
        assert (root / "y.pdf.filepart").exists()


# --- triggers --------------------------------------------------------------------------------------------

TRIGGER = {"trigger": (".ok", ".trg", ".sem")}


@pytest.mark.parametrize("name", ["x.pdf.ok", "x.ok", "x.pdf.TRG", "x.sem"])
async def test_a_document_is_taken_when_its_trigger_is_there(door: Open, store: Store, root: Path, name: str) -> None:
    async with door(TRIGGER) as folder:
        drop(root, "x.pdf")
        drop(root, "x.json", b'{"number": "7"}')
        for _ in range(5):
            await folder.scanned()
        assert names(root / ".done") == []
        assert folder.waiting == 1
        (root / name).touch()
        await until(lambda: names(root / ".done") == ["x.json", "x.pdf"])
        await folder.scanned()
    assert names(root) == [".done", ".failed", ".work"]  # the trigger is gone
    assert names(root / ".work") == names(root / ".failed") == []
    assert [row["fields"]["number"] for row in await stored(store)] == ["7"]


async def test_one_trigger_lets_all_files_of_its_name_go_once_all_are_whole(
    door: Open, store: Store, root: Path
) -> None:
    clock = [0.0]
    async with door(TRIGGER, timing=Timing(stable=2), clock=lambda: clock[0]) as folder:
        drop(root, "x.pdf")
        drop(root, "x.ok", b"")
        await folder.scanned()
        clock[0] = 1.5
        drop(root, "x.txt", b"more")
        await folder.scanned()
        clock[0] = 2.5
        await folder.scanned()
        assert names(root / ".done") == []
        clock[0] = 3.6
        await folder.scanned()
        assert names(root / ".done") == ["x.pdf", "x.txt"]
    assert names(root) == [".done", ".failed", ".work"]


async def test_a_trigger_goes_with_a_document_that_fails(door: Open, root: Path) -> None:
    async with door(TRIGGER | {"max_size": 1024}):
        (root / "x.txt").write_bytes(b" " * 2000)
        (root / "x.txt.ok").touch()
        await until((root / ".failed" / "x.txt").exists)
        await until(lambda: names(root) == [".done", ".failed", ".work"])
    assert names(root / ".failed") == ["x.txt", "x.txt.reason.txt"]


async def test_a_trigger_alone_fails_after_a_while(door: Open, root: Path) -> None:
    async with door(TRIGGER):
        (root / "x.pdf.ok").write_bytes(b"done")
        await until((root / ".failed" / "x.pdf.ok").exists)
    assert reason(root, "x.pdf.ok").startswith("No document came beside this trigger within ")


async def test_without_the_setting_the_ending_means_nothing(door: Open, store: Store, root: Path) -> None:
    async with door():
        drop(root, "x.pdf")
        drop(root, "x.pdf.ok", b"done")
        await until(lambda: names(root / ".done") == ["x.pdf", "x.pdf.ok"])
    assert len(await stored(store)) == 2


@pytest.mark.parametrize("step", ["claimed in part", "claimed", "accepted", "done"])
async def test_a_kill_leaves_neither_a_trigger_nor_a_document_without_one(
    door: Open, store: Store, root: Path, now: dt.datetime, step: str
) -> None:
    (root / "x.pdf").write_bytes(PDF)
    (root / "x.pdf.ok").touch()
    row = await write_row(store, root, now, "x.pdf", trigger=b"x.pdf.ok")
    assert [each.trigger for each in await store.read(dropped.open_rows, "scan")] == [b"x.pdf.ok"]
    claim(root, row)
    if step == "claimed in part":
        os.rename(root / ".work" / row.work_name, root / "x.pdf")
    if step in ("accepted", "done"):
        await accept(store, row, now)
    if step == "done":  # and the disk lost that the trigger went
        os.rename(root / ".work" / row.work_name, root / ".done" / "x.pdf")
        await store.write(dropped.finish, [row.id], now)
    async with door(TRIGGER, timing=Timing(stable=0.02, poll=0.05)) as folder:
        await until((root / ".done" / "x.pdf").exists)
        await folder.scanned()
    assert names(root) == [".done", ".failed", ".work"]
    assert names(root / ".work") == names(root / ".failed") == []
    assert len(await stored(store)) == 1


def test_which_trigger_is_whose() -> None:
    keys = [
        ("a.b.pdf",),
        ("a.b.ok",),
        ("c.pdf",),
        ("c.pdf.ok",),
        ("c.ok",),
        ("d",),
        ("d.ok",),
        ("sub", "e.ok"),
        ("e.pdf",),
    ]
    found = Triggers((".ok",), keys)
    assert found.of((), "a.b.pdf") == Trigger(name="a.b.ok", shared=True)
    assert found.of((), "c.pdf") == Trigger(name="c.pdf.ok")
    assert found.of((), "d") == Trigger(name="d.ok")
    assert found.of((), "e.pdf") is None
    assert found.alone == [("sub", "e.ok")]
    assert (found.is_one(("d.ok",)), found.is_one(("d",))) == (True, False)


# --- since when ------------------------------------------------------------------------------------------


async def test_the_oldest_file_counts_from_its_arrival_whatever_its_stamps_say(door: Open, root: Path) -> None:
    moment = dt.datetime.now(dt.UTC)
    (root / "x.pdf").write_bytes(PDF)
    os.utime(root / "x.pdf", (0, 0))
    clock, wall = [0.0], [moment]
    async with door(timing=Timing(stable=3600), clock=lambda: clock[0], now=lambda: wall[0]) as folder:
        first = folder.facts().oldest
        assert first is not None
        assert abs(first - moment) < dt.timedelta(minutes=1)
        wall[0] += dt.timedelta(hours=1)
        drop(root, "y.pdf")
        with (root / "x.pdf").open("ab") as file:
            file.write(b"growing")
        await folder.scanned()
        assert (folder.facts().waiting, folder.facts().oldest) == (2, first)
        (root / "x.pdf").unlink()
        await folder.scanned()
        assert (folder.facts().waiting, folder.facts().oldest) == (1, wall[0])
        (root / "y.pdf").unlink()
        await folder.scanned()
        assert folder.facts().oldest is None


# --- a full disk, a quota --------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["file_away", "_write", "sync"])
async def test_a_quota_at_any_step_loses_nothing_and_is_over_by_itself(
    door: Open, store: Store, root: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [True]
    right = getattr(Folder, method)

    def failing(self: Folder, *args: Any, **more: Any) -> Any:
        if full:
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        return right(self, *args, **more)

    monkeypatch.setattr(Folder, method, failing)
    async with door({"max_size": 1024}) as folder:
        drop(root, "x.pdf")
        drop(root, "large.txt", b" " * 2000)
        await until(lambda: folder.problem is not None and "quota" in folder.problem)
        full.clear()
        await until(lambda: names(root / ".done") == ["x.pdf"] and (root / ".failed" / "large.txt").exists())
        await until(lambda: folder.problem is None)
    assert len(await stored(store)) == 1
    assert names(root / ".work") == []


@pytest.mark.parametrize("full", [errno.ENOSPC, errno.EDQUOT], ids=["disk", "quota"])
async def test_a_file_goes_back_when_disk_and_quota_let_it(
    store: Store, root: Path, now: dt.datetime, folder: Folder, monkeypatch: pytest.MonkeyPatch, full: int
) -> None:
    (root / "x.pdf").write_bytes(PDF)
    row = await write_row(store, root, now, "x.pdf")
    folder.claim(row)

    def failing(*_: object) -> None:
        raise OSError(full, os.strerror(full))

    with monkeypatch.context() as patch:
        patch.setattr("gateway.intake.claim.rename_new", failing)
        with pytest.raises(OSError, match=os.strerror(full)):  # and not: its place is taken, so refuse it
            folder.put_back(row)
    assert folder.put_back(row)


async def test_a_full_disk_does_not_keep_the_gateway_from_starting(
    door: Open, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [True]
    write = Folder._write

    def failing(self: Folder, *args: Any) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, *args)

    monkeypatch.setattr(Folder, "_write", failing)
    (root / "link.pdf").symlink_to("nowhere")
    async with door() as folder:
        assert folder.problem == "[Errno 28] No space left on device"
        full.clear()
        await until((root / ".failed" / "link.pdf.reason.txt").exists)


# --- the write test --------------------------------------------------------------------------------------


def test_the_write_test_leaves_nothing(folder: Folder, root: Path, now: dt.datetime) -> None:
    for place in (root, root / ".work", root / ".done", root / ".failed"):
        (place / ".gateway-test").touch()  # of one that was killed
    assert trial.attempt(folder, now) == trial.Trial(at=now)
    for place in (root, root / ".work", root / ".done", root / ".failed"):
        assert ".gateway-test" not in names(place)


@pytest.mark.parametrize(
    ("place", "step"), [("", "created in"), (".work", "moved into"), (".done", "moved into"), (".failed", "moved into")]
)
def test_the_write_test_names_the_place_and_what_to_run(
    folder: Folder, root: Path, now: dt.datetime, place: str, step: str
) -> None:
    for each in ("", ".work", ".done", ".failed"):
        os.chmod(root / each, 0o555 if each == place else 0o777)
    user = os.geteuid()
    os.seteuid(user or 65534)  # root may write everywhere
    try:
        found = trial.attempt(folder, now).problem
    finally:
        os.seteuid(user)
    assert found is not None
    assert found.startswith(f"A test file cannot be {step} {root / place}: Permission denied; it belongs to ")
    assert f"Run: chmod {'u+rwx' if user else 'g+rwxs'} {root / place}." in found


def test_the_write_test_needs_room_for_bytes(folder: Folder, root: Path, now: dt.datetime) -> None:
    """A quota lets names in and no bytes; so does a limit on the size of files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        found = trial.attempt(folder, now).problem
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert found == f"A test file cannot be created in {root}: File too large; see to {root}."
    assert names(root) == [".done", ".failed", ".work"]


async def test_the_write_test_is_made_hourly_and_each_minute_while_it_fails(
    door: Open, root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock, outcomes, made = [0.0], ["The disk is gone."], []

    def attempt(folder: Folder, now: dt.datetime) -> trial.Trial:
        made.append(clock[0])
        return trial.Trial(at=now, problem=outcomes[0] if outcomes else None)

    caplog.set_level("INFO")
    monkeypatch.setattr(trial, "attempt", attempt)
    async with door(clock=lambda: clock[0]) as folder:
        for clock[0] in (0.0, 59.0, 61.0, 62.0):
            await folder.scanned()
        assert folder.facts().trial.problem == "The disk is gone."
        outcomes.clear()
        for clock[0] in (122.0, 3721.0, 3723.0):
            await folder.scanned()
        assert folder.facts().trial.problem is None
    assert made == [0.0, 61.0, 122.0, 3723.0]
    events = [line.split()[0] for line in caplog.messages if line.startswith("folder-")]
    assert events == ["folder-failed", "folder-works"]


async def test_a_folder_that_went_away_fails_the_write_test(door: Open, root: Path) -> None:
    clock = [0.0]
    async with door(clock=lambda: clock[0]) as folder:
        os.rename(root, root.with_name("away"))
        clock[0] = 3601.0
        await until(lambda: "is not there" in (folder.facts().trial.problem or ""))
        os.mkdir(root)

        def works_a_minute_later() -> bool:
            clock[0] += 61.0
            return folder.facts().trial.problem is None

        await until(works_a_minute_later)


# --- whose files, and what to change ---------------------------------------------------------------------

US = Us(uid=990, user="gateway", gids=(990, 991), group="gateway-drop")
FILE, WHERE = Path("/srv/drop/x.pdf"), Path("/srv/drop")


def status(mode: int, uid: int = 1000, gid: int = 1000) -> os.stat_result:
    return os.stat_result((mode, 1, 1, 1, uid, gid, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("found", "parent", "says"),
    [
        ((0o100000, 990, 990), (0o42770, 0, 991), "Run: chmod u+r /srv/drop/x.pdf."),
        ((0o100600, 1000, 991), (0o42770, 0, 991), "Run: chmod g+r /srv/drop/x.pdf."),
        ((0o100600, 1000, 1000), (0o42770, 0, 991), "or: setfacl -m u:gateway:r /srv/drop/x.pdf."),
        ((0o100600, 1000, 1000), (0o40770, 0, 991), "For the next ones run: chmod g+s /srv/drop,"),
        ((0o100600, 1000, 991), (0o42770, 0, 991), "force group = 991, create mask = 0660, directory mask = 2770"),
        ((0o100600, "ftp", 991), (0o42770, 0, 991), "local_umask=007 and file_open_mode=0660 in vsftpd.conf."),
        ((0o100600, "lp", 991), (0o42770, 0, 991), "UserUMask 0007 and Grp 991 in cups-pdf.conf."),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_run(
    found: tuple[int, Any, int], parent: tuple[int, int, int], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "user_name", lambda uid: uid if isinstance(uid, str) else f"user{uid}")
    monkeypatch.setattr(rights, "group_name", str)
    assert says in rights.unreadable(FILE, status(*found), status(*parent), US)


@pytest.mark.parametrize(
    ("number", "parent", "says"),
    [
        (errno.EPERM, (0o43777, 0, 991), "the folder has the sticky bit. Run: chmod -t /srv/drop or: chown gateway"),
        (errno.EACCES, (0o40755, 990, 5), "Run: chmod u+rwx /srv/drop."),
        (errno.EACCES, (0o42755, 0, 991), "Run: chmod g+rwxs /srv/drop."),
        (
            errno.EACCES,
            (0o40755, 0, 5),
            "Run: chgrp gateway-drop /srv/drop && chmod 2770 /srv/drop, or: setfacl -m u:gat",
        ),
        (errno.EXDEV, (0o40755, 0, 5), "Give that folder a [[source]] of its own."),
        (errno.EROFS, (0o40755, 0, 5), "Run: mount -o remount,rw /srv/drop."),
    ],
)
def test_a_file_that_cannot_be_moved_says_what_to_run(number: int, parent: tuple[int, int, int], says: str) -> None:
    error = OSError(number, os.strerror(number))
    found = rights.immovable(FILE, status(0o100660, 1000), status(*parent), US, error)
    assert found.startswith(f"It cannot be moved into .work/: {os.strerror(number)}; ")
    assert says in found


def test_a_full_disk_and_a_quota_say_what_to_do() -> None:
    said = [rights.trouble(WHERE, None, US, OSError(number, "x")) for number in (errno.ENOSPC, errno.EDQUOT, errno.EIO)]
    assert said == [
        "its disk is full. Make room on the file system of /srv/drop",
        "the disk quota of gateway is used up. Raise it with: edquota -u gateway",
        "see to /srv/drop",
    ]


async def test_what_a_sticky_folder_keeps_back_says_what_to_run(
    store: Store, root: Path, now: dt.datetime, folder: Folder
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root makes files of other users")
    os.chmod(root, 0o1777)
    drop(root, "x.pdf")
    os.chown(root / "x.pdf", 1000, 1000)
    row = await write_row(store, root, now, "x.pdf")
    os.fchown(folder.work, 65534, 65534)
    os.seteuid(65534)
    try:
        (error,) = takeover.claim_all(folder, [row]).values()
        said = takeover.explain(folder, row, error)
    finally:
        os.seteuid(0)
    assert said.startswith(
        "It cannot be moved into .work/: Operation not permitted; the folder has the sticky bit. Run: "
    )
    assert f"Run: chmod -t {root} or: chown nobody {root}." in said


# --- a mount that hangs ----------------------------------------------------------------------------------


def most_threads() -> int:
    """How many threads `asyncio.to_thread` has (concurrent.futures.ThreadPoolExecutor)."""
    return min(32, (os.cpu_count() or 1) + 4)


async def test_mounts_that_hang_hold_up_nobody_else(
    door: Open, store: Store, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, hanging = threading.Event(), [tmp_path / f"nfs{number}" for number in range(most_threads() + 1)]
    look = Waiting.look

    def slow_look(self: Waiting, folder: Folder) -> Look:
        if folder.path in hanging:
            free.wait(60)
        return look(self, folder)

    monkeypatch.setattr(Waiting, "look", slow_look)
    monkeypatch.setattr("gateway.intake.dropfolder.PATIENCE", 0.1)
    doors = [DropFolder(Source(name=path.name, folder=path), store) for path in hanging]
    await asyncio.gather(*(each.start() for each in doors))
    try:
        async with door():
            drop(root, "x.pdf")
            await until((root / ".done" / "x.pdf").exists)
            assert await asyncio.to_thread(lambda: "others have threads")
        assert (doors[0].problem, doors[0].facts().looked_at) == ("the folder does not answer", None)
        await doors[0].stop()
    finally:
        free.set()
    monkeypatch.undo()
    await until(lambda: doors[1].facts().looked_at is not None)
    await asyncio.gather(*(each.stop() for each in doors))
