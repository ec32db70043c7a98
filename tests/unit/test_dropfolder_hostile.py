"""What somebody with write access to the folder may try: nothing is followed, nothing is read that is not theirs."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import Source
from gateway.errors import ConfigError
from gateway.intake import claim, rename, takeover
from gateway.intake import names as naming
from gateway.intake.claim import Folder, has_writer
from gateway.intake.dropfolder import DropFolder
from gateway.intake.rename import rename_new
from gateway.intake.waiting import Timing, Waiting
from gateway.model import new_id
from gateway.store import Store, content
from gateway.store.dropped import Dropped
from tests.unit.drops import PDF, QUICK, Open, drop, names, reason, stored, until

AT_ONCE = Timing(stable=0, poll=0.01, incomplete=0.5)  # the widest door for a swap between look and rename
SECRET = b"%PDF-1.4\nthe secret of another user\n%%EOF\n"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "shadow"
    path.write_bytes(SECRET)
    return path


def is_untouched(path: Path) -> bool:
    return path.read_bytes() == SECRET


def plant(root: Path, secret: Path, kind: str) -> Path:
    path = root / f"{kind}.pdf"
    if kind == "symlink":
        path.symlink_to(secret)
    elif kind == "dangling":
        path.symlink_to(root / "nowhere")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "hard link":
        os.link(secret, path)
    elif kind == "device":
        if os.geteuid() != 0:
            pytest.skip("only root makes devices")
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    elif kind == "directory":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("symlink", "a symbolic link"),
        ("dangling", "a symbolic link"),
        ("fifo", "a named pipe"),
        ("hard link", "a hard link"),
        ("device", "a device"),
        ("directory", "named after no document type"),
    ],
)
async def test_what_is_no_ordinary_file_stays_and_is_reported_once(
    door: Open, store: Store, root: Path, secret: Path, kind: str, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = plant(root, secret, kind)
    async with door() as folder:
        drop(root, "good.pdf")
        await until((root / ".done" / "good.pdf").exists)
        await folder.scanned()
    assert path.name in os.listdir(root)
    assert word in reason(root, path.name)
    assert "It was left where it is." in reason(root, path.name)
    assert names(root / ".failed") == [f"{path.name}.reason.txt"]
    assert sum(path.name in line and line.startswith("refused-file") for line in caplog.messages) == 1
    assert [row["file_name"] for row in await stored(store)] == ["good.pdf"]
    assert is_untouched(secret)


async def test_a_socket_stays_and_is_reported(door: Open, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s.pdf")
        async with door():
            await until((root / ".failed" / "s.pdf.reason.txt").exists)
    assert "a socket" in reason(root, "s.pdf")


async def test_a_link_instead_of_a_sidecar_fails_its_document(
    door: Open, store: Store, root: Path, secret: Path
) -> None:
    (root / "x.json").symlink_to(secret)
    async with door():
        drop(root, "x.pdf")
        await until((root / ".failed" / "x.pdf").exists)
    assert reason(root, "x.pdf").startswith("Its sidecar x.json cannot be used: It is a symbolic link")
    assert await stored(store) == []


async def test_a_linked_sub_folder_is_not_entered(door: Open, store: Store, root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.pdf").write_bytes(SECRET)
    (root / "invoice").symlink_to(other)
    async with door():
        drop(root, "good.pdf")
        await until((root / ".done" / "good.pdf").exists)
    assert "a symbolic link" in reason(root, "invoice")
    assert len(await stored(store)) == 1
    assert (other / "x.pdf").exists()


async def test_sub_folders_go_no_deeper_than_type_and_customer(door: Open, root: Path) -> None:
    drop(root, "invoice/1001/deep/x.pdf")
    drop(root, "Credit-Note/x.pdf")
    async with door():
        await until(lambda: names(root / ".failed") == ["Credit-Note.reason.txt", "deep.reason.txt"])
    assert (root / "invoice/1001/deep/x.pdf").exists()
    assert "no deeper" in reason(root, "deep")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        (b"x" * 251 + b".pdf", "x" * 146 + ".pdf"),
        (b"\xc3\xa4" * 125 + b".pdf", "ä" * 125 + ".pdf"),
        (b"caf\xe9 \xff.pdf", "caf\ufffd \ufffd.pdf"),
        (b"a\nsubject: b\x1b[31m.pdf", "asubject: b[31m.pdf"),
        ("a\u202efdp.exe".encode(), "afdp.exe"),
        (b"a\\..\\..\\x.pdf", "a_.._.._x.pdf"),
        (b"-rf *.pdf", "-rf *.pdf"),
        (b"x.pdf" + b" " * 10, "x.pdf"),
    ],
)
async def test_odd_names_are_taken_under_a_safe_name(
    door: Open, store: Store, root: Path, name: bytes, kept: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with door():
        drop(root, os.fsdecode(name))
        await until((root / ".done" / os.fsdecode(name)).exists)
    (row,) = await stored(store)
    assert row["file_name"] == kept
    assert all(line.isprintable() and "\x1b" not in line for line in caplog.messages)


@pytest.mark.parametrize("name", [b"x" * 251 + b".pdf", b"caf\xe9.pdf", ("ü" * 125 + ".pdf").encode()])
async def test_the_reason_of_an_odd_name_fits_into_a_name(door: Open, root: Path, name: bytes) -> None:
    async with door({"max_size": 3}):
        drop(root, os.fsdecode(name))
        await until(lambda: len(names(root / ".failed")) == 2)
        drop(root, os.fsdecode(name), PDF * 2)
        await until(lambda: len(names(root / ".failed")) == 4)
    reasons = [path for path in (root / ".failed").iterdir() if path.name.endswith(".reason.txt")]
    assert len(reasons) == 2
    assert all("more than the 3" in path.read_text() for path in reasons)


async def test_a_name_in_the_ledger_need_not_be_utf_8(store: Store, root: Path, door: Open) -> None:
    async with door({"file_name": r"(?P<number>\d+)"}):
        drop(root, os.fsdecode(b"\xff12.pdf"))
        await until(lambda: len(names(root / ".done")) == 1)
    found = await store.read(lambda connection: connection.exec_driver_sql("SELECT path_key FROM dropped").scalar())
    assert found == b"\xff12.pdf"


async def test_a_file_is_never_followed_while_it_is_swapped_for_a_link(
    door: Open, store: Store, root: Path, secret: Path
) -> None:
    """Somebody swaps a file and a link to another user's file as fast as the kernel can (renameat2 EXCHANGE)."""
    libc = ctypes.CDLL(None, use_errno=True)
    ended = threading.Event()
    (root / "x.pdf").write_bytes(PDF)
    (root / ".link").symlink_to(secret)
    place = os.open(root, os.O_RDONLY | os.O_DIRECTORY)

    def swap() -> None:
        while not ended.is_set():
            if libc.renameat2(place, b"x.pdf", place, b".link", 2) != 0:  # one of them was taken
                (root / ".link").unlink(missing_ok=True)
                (root / ".link").symlink_to(secret)
                (root / ".draft").write_bytes(PDF + os.urandom(2).hex().encode() + b"\n%%EOF")
                (root / ".draft").rename(root / "x.pdf")

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        async with door(timing=AT_ONCE) as folder:
            before = time.monotonic()
            while time.monotonic() < before + 1.5:
                await folder.scanned()
    finally:
        ended.set()
        swapper.join()
        os.close(place)
    for row in await stored(store):
        assert b"secret" not in await store.read(content.get, row["content_id"])
    assert is_untouched(secret)
    for path in (*(root / ".done").iterdir(), *(root / ".failed").iterdir()):
        assert path.is_symlink() or b"secret" not in path.read_bytes()


async def test_a_sub_folder_swapped_for_a_link_leads_nowhere_else(
    door: Open, store: Store, root: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.pdf").write_bytes(SECRET)
    (root / "invoice").mkdir()
    (root / "invoice" / "x.pdf").write_bytes(PDF)
    (root / ".link").symlink_to(other)
    libc = ctypes.CDLL(None, use_errno=True)
    ended = threading.Event()
    place = os.open(root, os.O_RDONLY | os.O_DIRECTORY)

    def swap() -> None:
        while not ended.is_set():
            libc.renameat2(place, b"invoice", place, b".link", 2)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        async with door(timing=AT_ONCE) as folder:
            before = time.monotonic()
            while time.monotonic() < before + 1.5:
                await folder.scanned()
    finally:
        ended.set()
        swapper.join()
        os.close(place)
    assert (other / "x.pdf").read_bytes() == SECRET
    for row in await stored(store):
        assert b"secret" not in await store.read(content.get, row["content_id"])


async def test_a_planted_work_directory_is_not_used(store: Store, root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / ".work").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="cannot be used"):
        await DropFolder(Source(name="scan", folder=root), store, timing=QUICK).start()


# --- the steps by themselves -----------------------------------------------------------------------------


@pytest.fixture
def folder(root: Path) -> Iterator[Folder]:
    opened = Folder.open(root)
    yield opened
    opened.close()


def row_of(root: Path, name: str, **values: object) -> Dropped:
    found = os.lstat(root / name)
    given: dict[str, object] = {
        "id": new_id(),
        "source": "scan",
        "path": os.fsencode(name),
        "work_name": "w-" + name,
        "inode": found.st_ino,
        "size": found.st_size,
        "mtime_ns": found.st_mtime_ns,
    }
    return Dropped(**{**given, **values})  # type: ignore[arg-type]


def test_what_was_swapped_between_look_and_claim_goes_back(folder: Folder, root: Path, secret: Path) -> None:
    (root / "x.pdf").write_bytes(PDF)
    row = row_of(root, "x.pdf")
    (root / "x.pdf").rename(root / ".kept")  # its inode stays in use
    (root / "other").write_bytes(PDF)
    os.utime(root / "other", ns=(row.mtime_ns, row.mtime_ns))
    (root / "other").rename(root / "x.pdf")
    folder.claim(row)
    with pytest.raises(claim.Changed):
        folder.open_claimed(row, settled=False)
    assert folder.put_back(row)
    assert (root / "x.pdf").exists()


def test_a_claimed_file_that_somebody_still_writes_goes_back_unless_at_rest_for_long(
    folder: Folder, root: Path
) -> None:
    with (root / "x.pdf").open("wb") as file:
        file.write(PDF)
        file.flush()
        row = row_of(root, "x.pdf")
        folder.claim(row)
        with pytest.raises(claim.Changed):
            folder.open_claimed(row, settled=False)
        os.close(folder.open_claimed(row, settled=True))
    os.close(folder.open_claimed(row, settled=False))


def test_a_file_that_grows_while_it_is_read_goes_back(folder: Folder, root: Path) -> None:
    (root / "x.pdf").write_bytes(PDF)
    row = row_of(root, "x.pdf")
    with (root / "x.pdf").open("rb") as file, (root / "x.pdf").open("ab") as more:
        more.write(b"more")
        more.flush()
        with pytest.raises(claim.Changed):
            takeover._body(".pdf", file, row)


def test_nobody_else_may_enter_work_and_others_of_the_group_may_read_reasons(root: Path) -> None:
    for mask in (0, 0o077):
        before = os.umask(mask)
        try:
            opened = Folder.open(root)
            opened.report("x.pdf", "Because.", "1")
            opened.close()
        finally:
            os.umask(before)
        modes = {name: stat.S_IMODE((root / name).stat().st_mode) for name in (".work", ".done", ".failed")}
        assert modes == {".work": 0o700, ".done": 0o750, ".failed": 0o750}
        assert stat.S_IMODE((root / ".failed" / "x.pdf.reason.txt").stat().st_mode) == 0o640
        for name in modes:
            shutil.rmtree(root / name)


def test_put_back_never_replaces(folder: Folder, root: Path) -> None:
    (root / "x.pdf").write_bytes(b"old")
    row = row_of(root, "x.pdf")
    folder.claim(row)
    (root / "x.pdf").write_bytes(b"new")
    assert not folder.put_back(row)
    assert (root / "x.pdf").read_bytes() == b"new"
    assert (root / ".work" / row.work_name).read_bytes() == b"old"


def test_a_claim_that_fails_returns_the_sidecar(folder: Folder, root: Path) -> None:
    (root / "x.pdf").write_bytes(PDF)
    (root / "x.json").write_bytes(b"{}")
    row = row_of(root, "x.pdf", sidecar=b"x.json")
    (root / "x.pdf").unlink()
    with pytest.raises(FileNotFoundError):
        folder.claim(row)
    assert (root / "x.json").exists()
    assert names(root / ".work") == []


def test_rename_new_never_replaces(folder: Folder, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "a").write_bytes(b"a")
    (root / "b").write_bytes(b"b")
    with pytest.raises(FileExistsError):
        rename_new(folder.root, "a", folder.root, "b")

    class WithoutTheFlag:
        @staticmethod
        def renameat2(*_: object) -> int:
            ctypes.set_errno(22)
            return -1

    monkeypatch.setattr(rename, "_libc", WithoutTheFlag)
    with pytest.raises(FileExistsError):
        rename_new(folder.root, "a", folder.root, "b")
    rename_new(folder.root, "a", folder.root, "c")
    assert (root / "c").read_bytes() == b"a"


def test_has_writer_sees_an_open_writer(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with path.open("wb"):
        reader = os.open(path, os.O_RDONLY)
        assert has_writer(reader)
    assert not has_writer(reader)
    os.close(reader)


def test_a_file_that_we_may_not_read_stays_until_we_may(folder: Folder, root: Path) -> None:
    (root / "x.pdf").write_bytes(PDF)
    (root / "x.pdf").chmod(0)
    root.chmod(0o755)
    waiting = Waiting(AT_ONCE, 1000, time.monotonic, time.time)
    user = os.geteuid()
    os.seteuid(user or 65534)  # root may read everything
    try:
        look = waiting.look(folder)
        (said,) = [odd.reason for odd in look.odd]
        assert "may not read it: it belongs to " in said
        assert f"Run: chmod {'u' if user else 'g'}+r {root}/x.pdf." in said
        os.seteuid(user)
        (root / "x.pdf").chmod(0o644)
        os.seteuid(user or 65534)
        assert [found.name for found in waiting.look(folder).ready] == ["x.pdf"]
    finally:
        os.seteuid(user)


def test_a_file_that_we_may_not_move_is_left_for_a_while(folder: Folder, root: Path) -> None:
    (root / "x.pdf").write_bytes(PDF)
    clock = [0.0]
    waiting = Waiting(Timing(stable=0, scan=30), 1000, lambda: clock[0], time.time)
    assert [found.name for found in waiting.look(folder).ready] == ["x.pdf"]
    waiting.leave((), "x.pdf", "It cannot be moved into .work/: Permission denied.")
    look = waiting.look(folder)
    assert (look.ready, [odd.reason for odd in look.odd]) == (
        (),
        ["It cannot be moved into .work/: Permission denied."],
    )
    clock[0] = 301
    assert [found.name for found in waiting.look(folder).ready] == ["x.pdf"]


def test_names_made_to_fit_keep_whole_characters() -> None:
    fitted = naming.fitted("ä" * 127, ".reason.txt")
    assert fitted == "ä" * 122 + ".reason.txt"
    assert len(os.fsencode(naming.with_mark("x" * 251 + ".pdf", "0" * 13))) == 255
    assert naming.with_mark("x.pdf", "1") == "x-1.pdf"
    assert naming.with_mark("x." + "y" * 30, "1") == "x." + "y" * 30 + "-1"
