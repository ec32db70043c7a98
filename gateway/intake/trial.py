"""The write test: whether a file can go the way of dropped files just now, found out before one has to.

    create in the folder ─▶ rename into .work/ ─▶ rename into .done/ ─▶ rename into .failed/ ─▶ delete

What a look cannot see is seen here: a share that turned read-only, a quota, a right that somebody took away.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway import maillog, metrics
from gateway.intake import rights
from gateway.intake.claim import Folder
from gateway.intake.names import PROBE
from gateway.model import Value

HOUR = 3600.0
AGAIN = 60.0  # seconds after one that failed
_TEXT = b"The gateway tests whether files can be made and moved here.\n"


class Trial(Value, frozen=True, kw_only=True):
    """What one write test found; `problem` is sentences that say what to change, None when all went well."""

    at: dt.datetime
    problem: str | None = None


def attempt(folder: Folder, now: dt.datetime) -> Trial:
    """Send a test file through the folder; blocks."""
    places = ((folder.root, ""), (folder.work, ".work"), (folder.done, ".done"), (folder.failed, ".failed"))
    _sweep(folder)
    try:
        at = 0
        step = "created"
        _create(folder.root)
        step = "moved"
        for at in range(1, len(places)):
            os.rename(PROBE, PROBE, src_dir_fd=places[at - 1][0], dst_dir_fd=places[at][0])
        step = "deleted"
        os.unlink(PROBE, dir_fd=places[at][0])
    except OSError as error:
        _sweep(folder)
        place = folder.path / places[at][1]
        # A right that lacks for a rename may lack on either side; that of the folder is the one others set.
        blamed = at - 1 if at and not _may_write(places[at - 1][0]) else at
        found = os.fstat(places[blamed][0])
        why = rights.trouble(folder.path / places[blamed][1], found, rights.us(), error)
        where = "in" if step != "moved" else "into"
        return Trial(at=now, problem=f"A test file cannot be {step} {where} {place}: {error.strerror}; {why}.")
    return Trial(at=now)


def _create(directory: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(PROBE, flags, 0o600, dir_fd=directory), "wb") as file:
        file.write(_TEXT)  # an empty file needs no room, and a quota would not show
        file.flush()
        os.fsync(file.fileno())


def _sweep(folder: Folder) -> None:
    """Remove what a test before left behind."""
    for directory in (folder.root, folder.work, folder.done, folder.failed):
        with contextlib.suppress(OSError):
            os.unlink(PROBE, dir_fd=directory)


def _may_write(directory: int) -> bool:
    return os.access(f"/proc/self/fd/{directory}", os.W_OK | os.X_OK, effective_ids=True)


class Facts(Value, frozen=True, kw_only=True):
    """What is to be known of a drop folder."""

    waiting: int  # files that lie there and are not taken yet
    oldest: dt.datetime | None = None  # since when the one does that lies there longest
    problem: str | None = None  # why nothing is taken just now
    trial: Trial | None = None
    polled: bool = False  # the kernel tells nothing of it, so it is looked at every few seconds
    looked_at: dt.datetime | None = None  # a mount that hangs is not looked at any more
    free: int | None = None  # bytes on its file system


class Trials:
    """Makes a write test every hour, and every minute while it fails, and says so when its outcome changes."""

    def __init__(self, source: str, path: Path, clock: Callable[[], float], now: Callable[[], dt.datetime]) -> None:
        self._source = source
        self._path = path
        self._clock = clock
        self._now = now
        self._due = -float("inf")
        self.last: Trial | None = None

    async def when_due(self, blocking: Callable[..., Awaitable[Trial]], folder: Folder | None) -> None:
        """Make the test when its time has come, by `blocking` in a thread; OSError never leaves here."""
        if self._clock() < self._due:
            return
        before = self.last
        self.last = await blocking(self._attempt, folder)
        self._due = self._clock() + (HOUR if self.last.problem is None else AGAIN)
        metrics.FOLDER_WRITABLE.labels(self._source).set(self.last.problem is None)
        if self.last.problem is not None and (before is None or before.problem != self.last.problem):
            maillog.folder_failed(self._source, self.last.problem)
        elif self.last.problem is None and before is not None and before.problem is not None:
            maillog.folder_works(self._source)

    def _attempt(self, folder: Folder | None) -> Trial:
        try:
            # By the path as it leads now: what was opened may be under a mount, or be deleted.
            if folder is None or not folder.is_current():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            return attempt(folder, self._now())
        except OSError as error:
            return Trial(at=self._now(), problem=f"The folder {self._path} is not there: {error.strerror}.")
