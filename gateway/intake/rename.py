"""Renaming without replacing: the one step by which a file changes its owner."""

from __future__ import annotations

import ctypes
import errno
import os

_RENAME_NOREPLACE = 1
_libc = ctypes.CDLL(None, use_errno=True)


def rename_new(source_dir: int, source: str, target_dir: int, target: str) -> None:
    """Rename within one file system; FileExistsError instead of replacing (`renameat2(2)`)."""
    code = _libc.renameat2(source_dir, os.fsencode(source), target_dir, os.fsencode(target), _RENAME_NOREPLACE)
    if code == 0:
        return
    number = ctypes.get_errno()
    if number not in (errno.EINVAL, errno.ENOSYS):
        raise OSError(number, os.strerror(number), source, None, target)
    # A file system without the flag. Only we write under `.work/`, `.done/` and `.failed/`, so nobody comes between.
    if exists(target_dir, target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    os.rename(source, target, src_dir_fd=source_dir, dst_dir_fd=target_dir)


def exists(directory: int, name: str) -> bool:
    """Whether the name is taken, be it by a dangling link."""
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
