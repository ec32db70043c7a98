"""Owners, groups and modes: why a file or folder is not ours to use, and the command that changes that.

Whoever writes the files is another program with a user of its own: Samba, an FTP server, CUPS. So each answer has two
parts: what to run for the file that lies there, and which line of that program's configuration makes the next ones
right.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import shlex
import stat
from pathlib import Path

from gateway.intake.names import shown
from gateway.model import Value

GROUP = "gateway-drop"  # the group that shares the drop folders, as the package makes it
_FTP = {"ftp", "vsftpd", "proftpd", "pure-ftpd"}
_PRINTING = {"lp", "cups", "cups-pdf"}
_READ_ONLY = "its file system is mounted read-only. Run: mount -o remount,rw {}"
_REASONS = {  # of the disk, which no right changes
    errno.ENOSPC: "its disk is full. Make room on the file system of {}",
    errno.EDQUOT: "the disk quota of {who} is used up. Raise it with: edquota -u {who}",
    errno.EROFS: _READ_ONLY,
    errno.EXDEV: "it lies on another file system than {}. Give that folder a [[source]] of its own",
}


class Us(Value, frozen=True, kw_only=True):
    """Who the gateway is on this machine."""

    uid: int
    user: str
    gids: tuple[int, ...]  # with the supplementary groups
    group: str  # the group to share files by


def us() -> Us:
    """The process as it runs now."""
    uid, gids = os.geteuid(), (os.getegid(), *os.getgroups())
    shared = next((name for gid in gids if (name := group_name(gid)) == GROUP), group_name(gids[0]))
    return Us(uid=uid, user=user_name(uid), gids=gids, group=shared)


def user_name(uid: int) -> str:
    """The name of a user, else the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """The name of a group, else the number."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def status(path: Path) -> os.stat_result | None:
    """What the kernel says of a file, None when it says nothing."""
    try:
        return path.stat()
    except OSError:
        return None


def unreadable(path: Path, found: os.stat_result, parent: os.stat_result, who: Us) -> str:
    """Sentences on a file that the gateway may not read, in the directory `parent`."""
    said = f"The gateway, user {who.user}, may not read it: {_owned(found)}. Run: {_open_file(path, found, who)}."
    return f"{said} {_next_ones(path.parent, found, parent, who)}"


def immovable(path: Path, found: os.stat_result, parent: os.stat_result, who: Us, error: OSError) -> str:
    """Sentences on a file that could not be renamed out of the directory `parent`."""
    said = f"It cannot be moved into .work/: {error.strerror}"
    why = trouble(path.parent, parent, who, error)
    if error.errno not in (errno.EACCES, errno.EPERM):
        return f"{said}; {why}."
    if parent.st_mode & stat.S_ISVTX and who.uid not in (0, parent.st_uid, found.st_uid):
        # The sticky bit: only the owners of file and directory may rename (rename(2)).
        folder = _quoted(path.parent)
        return f"{said}; the folder has the sticky bit. Run: chmod -t {folder} or: chown {who.user} {folder}."
    return f"{said}; {why}."


def trouble(path: Path, found: os.stat_result | None, who: Us, error: OSError) -> str:
    """The end of a sentence on a directory that the gateway could not work in: the reason, and what to run."""
    known = _REASONS.get(error.errno or 0)
    if known is not None:
        return known.format(_quoted(path), who=who.user)
    if found is None or error.errno not in (errno.EACCES, errno.EPERM):
        return f"see to {_quoted(path)}"
    return f"{_owned(found)}, and the gateway is user {who.user}. Run: {_open_directory(path, found, who)}"


def _open_file(path: Path, found: os.stat_result, who: Us) -> str:
    if found.st_uid == who.uid:
        return f"chmod u+r {_quoted(path)}"
    if found.st_gid in who.gids:
        return f"chmod g+r {_quoted(path)}"
    return (
        f"chgrp {who.group} {_quoted(path)} && chmod g+r {_quoted(path)}, or: setfacl -m u:{who.user}:r {_quoted(path)}"
    )


def _open_directory(path: Path, found: os.stat_result, who: Us) -> str:
    if found.st_uid == who.uid:
        return f"chmod u+rwx {_quoted(path)}"
    if found.st_gid in who.gids:
        return f"chmod g+rwxs {_quoted(path)}"
    folder = _quoted(path)
    return f"chgrp {who.group} {folder} && chmod 2770 {folder}, or: setfacl -m u:{who.user}:rwx {folder}"


def _next_ones(folder: Path, found: os.stat_result, parent: os.stat_result, who: Us) -> str:
    """What makes the next files of the same writer right."""
    group = group_name(parent.st_gid) if parent.st_gid in who.gids else who.group
    if found.st_gid not in who.gids and parent.st_gid in who.gids and not parent.st_mode & stat.S_ISGID:
        return f"For the next ones run: chmod g+s {_quoted(folder)}, so that they get the group {group}."
    owner = user_name(found.st_uid)
    if owner in _FTP:
        return "For the next ones set local_umask=007 and file_open_mode=0660 in vsftpd.conf."
    if owner in _PRINTING:
        return f"For the next ones set UserUMask 0007 and Grp {group} in cups-pdf.conf."
    return (
        f"For the next ones, in the share of smb.conf: force group = {group}, create mask = 0660, "
        "directory mask = 2770; elsewhere umask 007."
    )


def _owned(found: os.stat_result) -> str:
    mode = stat.S_IMODE(found.st_mode)
    return f"it belongs to {user_name(found.st_uid)}:{group_name(found.st_gid)} with mode {mode:04o}"


def _quoted(path: Path) -> str:
    return shown(shlex.quote(str(path)))
