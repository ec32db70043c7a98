"""Hints that something happened in a folder, from inotify; never more than hints.

Events get lost (a full queue, another machine's writes on a network file system, a watch limit), so a hint only moves
the next look forward. Where the kernel gives none, looking often replaces them.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import inotify_simple

_EVENTS = (
    inotify_simple.flags.CLOSE_WRITE
    | inotify_simple.flags.MOVED_TO
    | inotify_simple.flags.CREATE
    | inotify_simple.flags.ATTRIB
    | inotify_simple.flags.ONLYDIR
)
# statfs(2), include/uapi/linux/magic.h: NFS, SMB, CIFS, SMB2, FUSE, 9P, Ceph, AFS, Coda, NCP, Lustre, GFS2, OCFS2
_REMOTE = {
    0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x65735546, 0x01021997, 0x00C36400, 0x5346414F, 0x73757245, 0x564C,
    0x0BD00BD0, 0x01161970, 0x7461636F,
}  # fmt: skip
Directory = tuple[tuple[str, ...], int]  # sub-folder (empty: the folder itself) and its inode
_log = logging.getLogger("gateway.intake")
_libc = ctypes.CDLL(None, use_errno=True)


def is_remote(path: Path) -> bool:
    """Whether the file system can change without this kernel's knowledge."""
    answer = ctypes.create_string_buffer(512)
    if _libc.statfs(os.fsencode(path), answer) != 0:
        return False
    return int.from_bytes(answer.raw[: ctypes.sizeof(ctypes.c_long)], "little") & 0xFFFFFFFF in _REMOTE


class Hints:
    """Calls `wake` from the running loop when something happens in the watched directories."""

    def __init__(self, path: Path, wake: Callable[[], None]) -> None:
        self._path = path
        self._wake = wake
        self._watched: set[Directory] = set()
        self._inotify: inotify_simple.INotify | None = None
        self.complete = False  # every directory is watched, and its events reach us

    async def start(self) -> None:
        """Begin to listen; without the kernel's help nothing happens but one log line."""
        try:
            # In a thread: it looks for the C library by running a program.
            inotify = await asyncio.to_thread(inotify_simple.INotify, nonblocking=True)
        except OSError as error:
            _log.warning("%s: no inotify (%s); looking every few seconds instead", self._path, error.strerror)
            return
        self._inotify = inotify
        self.complete = not await asyncio.to_thread(is_remote, self._path)
        asyncio.get_running_loop().add_reader(inotify.fileno(), self._read)

    def watch(self, directories: Iterable[Directory]) -> bool:
        """Watch these directories from now on; True when one is new, whose files may have come before the watch."""
        wanted = set(directories)
        new = wanted - self._watched
        if self._inotify is None or not new:
            return False
        for parts, _ in new:
            try:
                # By path, which may have been swapped meanwhile: a wrong hint costs one look.
                self._inotify.add_watch(os.path.join(self._path, *parts), _EVENTS)
            except OSError as error:
                if self.complete:
                    _log.warning(
                        "%s: cannot be watched (%s); looking every few seconds instead", self._path, error.strerror
                    )
                self.complete = False
                return False
        self._watched = wanted
        return True

    def close(self) -> None:
        """Stop listening."""
        self.complete = False
        if self._inotify is not None:
            asyncio.get_running_loop().remove_reader(self._inotify.fileno())
            self._inotify.close()
            self._inotify = None
            self._watched.clear()

    def _read(self) -> None:
        # What happened does not matter, an overflow least of all: whoever wakes looks at everything.
        if self._inotify is not None and list(self._inotify.read(timeout=0)):
            self._wake()
