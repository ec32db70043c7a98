"""The drop folder on disk: everything that touches a file, by directory descriptors and never by path.

Whoever may write into the folder may also swap its files and directories while we look. So each step names one
component below an open directory, follows no link, and checks on the open file what it is; the file is ours only
after its rename into `.work/`, which nobody else may enter.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import signal
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gateway.errors import Refused
from gateway.intake.names import DONE, FAILED, PROBE, REASON, WORK, fitted, shown, with_mark
from gateway.intake.rename import exists, rename_new
from gateway.model import show_id
from gateway.store.dropped import Dropped

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
FULL = (errno.ENOSPC, errno.EDQUOT)  # the disk or a quota, which pass
_log = logging.getLogger("gateway.intake")


class Changed(Exception):
    """The file in `.work/` is not the one that was looked at, or somebody still writes to it."""


class NotReadable(Refused):
    """An ordinary file whose mode or owner keeps us out."""


def oddity(found: os.stat_result) -> str | None:
    """Why a file is not ours to read, as the end of a sentence; None when it is an ordinary one."""
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFDIR: "a directory",
    }
    if not stat.S_ISREG(found.st_mode):
        return kinds.get(stat.S_IFMT(found.st_mode), "no regular file")
    return None if found.st_nlink == 1 else f"a hard link, one of {found.st_nlink} names of the same file"


def open_regular(directory: int, name: str) -> int:
    """Open an ordinary file for reading; Refused with the reason when it is anything else or not readable."""
    # A look first: opening a device can move it, and a FIFO's writer would wake up.
    reason = oddity(os.stat(name, dir_fd=directory, follow_symlinks=False))
    if reason is None:
        try:
            descriptor = os.open(name, _FILE, dir_fd=directory)
        except PermissionError as error:
            raise NotReadable("The gateway may not read it.") from error
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise Refused("It is a symbolic link; such are never followed.") from error
        reason = oddity(os.fstat(descriptor))
        if reason is None:
            return descriptor
        os.close(descriptor)
    raise Refused(f"It is {reason}; only ordinary files are taken.")


def has_writer(descriptor: int) -> bool:
    """Whether somebody has the file open for writing, as far as the kernel tells us.

    A read lease is granted only when nobody has. Without the right to ask (neither owner nor CAP_LEASE), or on a file
    system without leases, the answer is False and stability alone decides.
    """
    try:
        # Should a writer come within these microseconds, the kernel's signal must be one that is ignored.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EBUSY)
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


class Folder:
    """An open drop folder. All methods block; names come as `os.fsdecode` gives them."""

    def __init__(self, path: Path, root: int, work: int, done: int, failed: int) -> None:
        self.path = path
        self.root, self.work, self.done, self.failed = root, work, done, failed

    @classmethod
    def open(cls, path: Path, create: bool = False) -> Folder:
        """Open the folder and make what it needs inside; OSError when it is missing or not ours to use."""
        if create:
            path.mkdir(mode=0o770, parents=True, exist_ok=True)
        descriptors = [os.open(path, _DIRECTORY & ~os.O_NOFOLLOW)]  # the operator may link the folder itself
        try:
            for name, mode in ((WORK, 0o700), (DONE, 0o750), (FAILED, 0o750)):
                descriptors.append(_own_directory(descriptors[0], name, mode))
        except OSError:
            _close(descriptors)
            raise
        return cls(path, *descriptors)

    def close(self) -> None:
        """Close the descriptors."""
        _close([self.root, self.work, self.done, self.failed])

    def is_current(self) -> bool:
        """Whether the path still leads to the directory that is open, and not to another or nowhere."""
        try:
            now, then = os.stat(self.path), os.fstat(self.root)
        except OSError:
            return False
        return (now.st_dev, now.st_ino) == (then.st_dev, then.st_ino)

    @contextlib.contextmanager
    def directory(self, parts: Sequence[str]) -> Iterator[int]:
        """A descriptor of the sub-folder `parts`, opened component by component, no link followed."""
        descriptor = os.open(".", _DIRECTORY, dir_fd=self.root)
        try:
            for part in parts:
                below = os.open(part, _DIRECTORY, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)

    def claim(self, row: Dropped) -> None:
        """Rename a file, what came with it first, into `.work/`; OSError when it cannot be: then nothing moved."""
        *parts, name = split(row.path)
        with self.directory(parts) as place:
            try:
                for beside, target in _companions(row):
                    rename_new(place, beside, self.work, target)
                rename_new(place, name, self.work, row.work_name)
            except OSError:
                self._return_companions(row, place)
                raise

    def is_in_work(self, row: Dropped) -> bool:
        """Whether the file was renamed into `.work/` and is still there."""
        return exists(self.work, row.work_name)

    def is_in_place(self, row: Dropped) -> bool:
        """Whether the very file of the row lies where it was dropped."""
        *parts, name = split(row.path)
        try:
            with self.directory(parts) as place:
                found = os.stat(name, dir_fd=place, follow_symlinks=False)
        except OSError:
            return False
        return (found.st_ino, found.st_size, found.st_mtime_ns) == (row.inode, row.size, row.mtime_ns)

    def open_claimed(self, row: Dropped, settled: bool) -> int:
        """Open the file in `.work/`; Refused when it is not an ordinary file any more.

        Changed when it is not the one of the row, or, unless `settled`, while somebody writes to it.
        """
        descriptor = open_regular(self.work, row.work_name)
        found = os.fstat(descriptor)
        if found.st_ino != row.inode or (found.st_size, found.st_mtime_ns) != (row.size, row.mtime_ns):
            os.close(descriptor)
            raise Changed
        if not settled and has_writer(descriptor):
            os.close(descriptor)
            raise Changed
        return descriptor

    def open_sidecar(self, row: Dropped) -> int:
        """Open the sidecar in `.work/`; Refused when it is no ordinary file, or not there."""
        try:
            return open_regular(self.work, sidecar_work_name(row))
        except FileNotFoundError as error:
            raise Refused("It is gone.") from error

    def put_back(self, row: Dropped) -> bool:
        """Rename a file and what came with it from `.work/` to where they were; False when that is taken or gone."""
        *parts, name = split(row.path)
        try:
            with self.directory(parts) as place:
                if exists(self.work, row.work_name):
                    rename_new(self.work, row.work_name, place, name)
                self._return_companions(row, place)
                os.fsync(place)
        except OSError as error:
            if error.errno in FULL:
                raise
            return False
        return True

    def _return_companions(self, row: Dropped, place: int) -> None:
        for beside, target in _companions(row):
            if not exists(self.work, target):
                continue
            try:
                rename_new(self.work, target, place, beside)
            except FileExistsError:  # a newer one lies there; the older goes where a person sees it
                self._move(self.failed, target, beside, show_id(row.id))

    def file_away(self, row: Dropped) -> None:
        """Move a file from `.work/` to `.done/` or, when it was refused, to `.failed/`, its reason beside it.

        May be repeated after a crash: the reason is written before the file moves and says the same each time.
        """
        target = self.done if row.submission_id is not None else self.failed
        name, mark = split(row.path)[-1], show_id(row.id)
        if row.sidecar is not None and exists(self.work, sidecar_work_name(row)):
            self._move(target, sidecar_work_name(row), split(row.sidecar)[-1], mark)
        if row.trigger is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(trigger_work_name(row), dir_fd=self.work)
        if not self.is_in_work(row):
            return
        reason = _reason(row)
        final = self._free_name(target, name, mark, reason)
        if reason is not None:
            self._write(target, fitted(final, REASON), reason)
        self._move(target, row.work_name, final, mark)

    def refuse_orphan(self, name: str, reason: str) -> None:
        """Move what lies in `.work/` without a row to `.failed/`."""
        final = self._free_name(self.failed, name, name[:13], reason.encode())
        self._write(self.failed, fitted(final, REASON), reason.encode())
        self._move(self.failed, name, final, name[:13])

    def report(self, name: str, reason: str, mark: str) -> None:
        """Write `NAME.reason.txt` into `.failed/` about something that is left where it lies."""
        text = reason.encode()
        target = fitted(name, REASON)
        if self._read(self.failed, target) not in (None, text):
            target = fitted(with_mark(name, mark), REASON)
        self._write(self.failed, target, text)

    def sync(self, places: Iterable[Sequence[str]], work_only: bool = False) -> None:
        """Make the renames so far durable: in our directories, or `.work/` alone, and in the sub-folders `places`."""
        for descriptor in (self.work,) if work_only else (self.work, self.done, self.failed):
            os.fsync(descriptor)
        for parts in places:
            # It may be gone or swapped by now; that its rename is durable is known from `.work/`.
            with contextlib.suppress(OSError), self.directory(parts) as place:
                os.fsync(place)

    def _free_name(self, target: int, name: str, mark: str, reason: bytes | None) -> str:
        taken = exists(target, name) or self._read(target, fitted(name, REASON)) not in (None, reason)
        return with_mark(name, mark) if taken else name

    def _move(self, target: int, name: str, final: str, mark: str) -> None:
        try:
            rename_new(self.work, name, target, final)
        except FileExistsError:
            os.rename(name, with_mark(final, mark), src_dir_fd=self.work, dst_dir_fd=target)

    @staticmethod
    def _read(directory: int, name: str) -> bytes | None:
        try:
            descriptor = os.open(name, _FILE, dir_fd=directory)
        except FileNotFoundError:
            return None
        except OSError:
            return b""
        with os.fdopen(descriptor, "rb") as file:
            return file.read(1 << 16)

    def _write(self, directory: int, name: str, text: bytes) -> None:
        """Write a whole file or none: made under `.work/`, then renamed over what is there."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        draft = "reason.part"
        with os.fdopen(os.open(draft, flags, 0o640, dir_fd=self.work), "wb") as file:
            os.fchmod(file.fileno(), 0o640)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, name, src_dir_fd=self.work, dst_dir_fd=directory)

    def free(self) -> int:
        """Bytes that we may still write on its file system."""
        found = os.fstatvfs(self.root)
        return found.f_bavail * found.f_frsize

    def in_work(self) -> set[str]:
        """The names under `.work/` that belong to files."""
        return {name for name in os.listdir(self.work) if name not in ("reason.part", PROBE)}


def split(path: bytes) -> list[str]:
    """The components of a relative name of the ledger."""
    return os.fsdecode(path).split("/")


def sidecar_work_name(row: Dropped) -> str:
    """The name of the row's sidecar under `.work/`."""
    suffix = os.path.splitext(split(row.sidecar or b"")[-1])[1].lower()
    return f"{row.work_name}.fields{suffix}"


def trigger_work_name(row: Dropped) -> str:
    """The name of the row's trigger under `.work/`."""
    return f"{row.work_name}.trigger"


def _companions(row: Dropped) -> list[tuple[str, str]]:
    """The files that come and go with the row's, by their names in place and under `.work/`."""
    found = []
    if row.sidecar is not None:
        found.append((split(row.sidecar)[-1], sidecar_work_name(row)))
    if row.trigger is not None:
        found.append((split(row.trigger)[-1], trigger_work_name(row)))
    return found


def _reason(row: Dropped) -> bytes | None:
    if row.reason is None:
        return None
    lines = [row.reason, "", f"file        {shown(os.fsdecode(row.path))}", f"source      {row.source}"]
    if row.submission_id is not None:
        lines.append(f"submission  {show_id(row.submission_id)}")
    return ("\n".join(lines) + "\n").encode()


def _own_directory(root: int, name: str, mode: int) -> int:
    """Open a directory of ours inside the folder, made if it is missing; PermissionError when it is somebody else's."""
    made = not exists(root, name)
    if made:
        os.mkdir(name, mode, dir_fd=root)
    descriptor = os.open(name, _DIRECTORY, dir_fd=root)
    found = os.fstat(descriptor)
    if found.st_uid not in (os.geteuid(), 0) or found.st_dev != os.fstat(root).st_dev:
        os.close(descriptor)
        raise PermissionError(errno.EPERM, "belongs to another user or file system", name)
    if made or (name == WORK and found.st_mode & 0o077):
        # Whatever the umask: who drops files may read the reasons, nobody but us enters `.work/`.
        os.fchmod(descriptor, stat.S_IMODE(found.st_mode) & stat.S_ISGID | mode)
    return descriptor


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
