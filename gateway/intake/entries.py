"""What is remembered of a file in a drop folder between two looks: little, as there may be very many."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import NamedTuple

FOREVER = float("inf")


class Mark(NamedTuple):
    """By what a file is known to be as it was; a quarter of a `stat_result`."""

    mode: int
    inode: int
    links: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Mark:
        """The mark of what the kernel says."""
        return cls(found.st_mode, found.st_ino, found.st_nlink, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@dataclass(slots=True)
class Entry:
    """A name in the folder, and since when it is as it is."""

    parts: tuple[str, ...]
    name: str
    mark: Mark
    since: float = 0.0
    arrived: float = 0.0  # by the wall clock
    odd: str | None = None
    odd_until: float = FOREVER
    end: str | None = None  # what the file's end lacks, once looked at
    end_known: bool = False
    flat: bool | None = None  # whether it is XML in the shape of a sidecar, once looked at

    @property
    def is_directory(self) -> bool:
        """Whether it is a sub-folder that nobody looks into."""
        return stat.S_ISDIR(self.mark.mode)
