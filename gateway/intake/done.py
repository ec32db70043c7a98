"""Deleting old files from a drop folder's `.done/`; whatever else lies in the folder, `.failed/` too, stays for people.

The age of a file is the time of its move into `.done/`, which the kernel notes; its other stamps are its writer's.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from gateway.intake.claim import open_regular
from gateway.intake.names import DONE, REASON, stem

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Sweep:
    """One pass over `.done/`, some files at a time. All methods block; OSError when the folder is not ours to use.

    `kept` are size and SHA-256 of files that must stay because their documents have not ended; what lies beside them
    under the same name, a sidecar or a reason, stays with them.
    """

    def __init__(self, folder: Path, before: dt.datetime, kept: Iterable[tuple[int, bytes]]) -> None:
        self._before = before.timestamp()
        self._kept = set(kept)
        self._sizes = {size for size, _ in self._kept}
        self._directory = _open_done(folder)
        try:
            self._stems = set(self._staying()) if self._kept else set()
            self._entries = os.scandir(self._directory)
        except BaseException:
            os.close(self._directory)
            raise

    def close(self) -> None:
        """End the pass."""
        self._entries.close()
        os.close(self._directory)

    def step(self, limit: int) -> tuple[int, bool]:
        """Look at the next `limit` files; how many were deleted, and whether more may come."""
        files = 0
        for looked, entry in enumerate(self._entries, 1):
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(found.st_mode) and found.st_ctime < self._before and _stem(entry.name) not in self._stems:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(entry.name, dir_fd=self._directory)
                    files += 1
            if looked == limit:
                return files, True
        return files, False

    def _staying(self) -> Iterator[str]:
        with os.scandir(self._directory) as entries:
            for entry in entries:
                size = entry.stat(follow_symlinks=False).st_size
                if size in self._sizes and (size, self._digest(entry.name)) in self._kept:
                    yield _stem(entry.name)

    def _digest(self, name: str) -> bytes:
        with os.fdopen(open_regular(self._directory, name), "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()


def _open_done(folder: Path) -> int:
    root = os.open(folder, _DIRECTORY & ~os.O_NOFOLLOW)
    try:
        directory = os.open(DONE, _DIRECTORY, dir_fd=root)
    finally:
        os.close(root)
    if os.fstat(directory).st_uid not in (os.geteuid(), 0):
        os.close(directory)
        raise PermissionError(errno.EPERM, "belongs to another user", str(folder / DONE))
    return directory


def _stem(name: str) -> str:
    """`x` of `x.pdf`, `x.json` and `x.pdf.reason.txt`."""
    return stem(name.removesuffix(REASON))
