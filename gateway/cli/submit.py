"""`gateway submit`: hands files in through a drop folder of the configuration and tells what became of each."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shutil
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gateway.cli import Context, text
from gateway.errors import Refused
from gateway.intake.names import DONE, FAILED, REASON, fitted, is_ignored, with_mark
from gateway.intake.rename import rename_new

if TYPE_CHECKING:
    from gateway.cli import Commands
    from gateway.config import Config

_WAIT = 30.0  # seconds, unless --wait says otherwise
_BETWEEN = 0.1  # seconds between two looks


class _Placed:
    """A file put into the folder. Its inode is what it keeps, whatever its name becomes on the way."""

    def __init__(self, file: str, folder: Path, inode: int) -> None:
        self.file = file
        self.state, self.reason = "waiting", ""
        self._folder = folder
        self._inode = inode

    def look(self) -> bool:
        """Whether the file has come to its end; then `state` and `reason` say which."""
        for state, place in (("done", DONE), ("failed", FAILED)):
            name = self._name_in(self._folder / place)
            if name is not None:
                self.state, self.reason = state, _first_line(self._folder / place / fitted(name, REASON))
                return True
        return False

    def give_up(self) -> None:
        """Say where the file is now that nobody waits any longer."""
        taken = self._name_in(self._folder) is None
        self.reason = "it is being taken" if taken else f"it lies in {self._folder}; does the gateway run?"

    def _name_in(self, directory: Path) -> str | None:
        try:
            with os.scandir(directory) as items:
                return next((item.name for item in items if item.inode() == self._inode), None)
        except FileNotFoundError:  # the gateway has never looked into this folder
            return None
        except PermissionError as error:
            raise Refused(f"You may not look into {directory}, so what became of the file stays unknown.") from error


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("submit", help="hand in files as documents", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a document, or a sidecar before its document")
    parser.add_argument("--source", metavar="NAME", help="the source whose folder it goes to, where there are several")
    parser.add_argument(
        "--wait",
        type=float,
        default=_WAIT,
        metavar="SECONDS",
        help=f"how long to wait for what becomes of them (default {_WAIT:g}; 0: do not wait)",
    )
    parser.set_defaults(run=run)


def run(context: Context, args: argparse.Namespace) -> int:
    """Put the files into the folder and wait; exit code 1 when one failed or was not taken in time."""
    folder = _folder(context.config(), args.source)
    placed = [_place(file, folder) for file in args.files]
    _wait(placed, args.wait)
    if context.json:
        text.print_json([{"file": one.file, "state": one.state, "reason": one.reason or None} for one in placed])
    else:
        for one in placed:
            text.print_text(f"{one.file}: {one.state}{': ' + one.reason if one.reason else ''}")
    good = ("done", "waiting") if args.wait <= 0 else ("done",)
    return 0 if all(one.state in good for one in placed) else 1


def _folder(config: Config, name: str | None) -> Path:
    folders = {source.name: source.folder for source in config.sources if source.folder is not None}
    if not folders:
        raise Refused("No [[source]] of the configuration has a folder to put the file into.", "source")
    if name is None and len(folders) > 1:
        raise Refused(f"There are several drop folders; say whose with --source: {', '.join(folders)}.", "source")
    folder = folders.get(name) if name is not None else next(iter(folders.values()))
    if folder is None:
        raise Refused(f"No [[source]] with a folder is named {name!r}; there is {', '.join(folders)}.", "source")
    if not folder.is_dir():
        raise Refused(f"{folder} is no folder; run: mkdir -p {folder}", "source")
    return folder


def _place(file: str, folder: Path) -> _Placed:
    """Copy the file into the folder under a name that is ignored, then give it its own name."""
    name = os.path.basename(file)
    if is_ignored(name):
        raise Refused(f"A file named {name} is ignored in a drop folder; give it another name.", "file")
    draft = folder / fitted(f".{secrets.token_hex(8)}", ".part")
    try:
        with open(file, "rb") as source:
            if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                raise Refused(f"{file} is no ordinary file.", "file")
            inode = _copy(source, draft, folder)
        _give_name(draft, folder, name)
    except OSError as error:
        raise Refused(f"{file} cannot be put into {folder}: {error.strerror}.", "file") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
    return _Placed(file, folder, inode)


def _copy(source: IO[bytes], draft: Path, folder: Path) -> int:
    with open(draft, "xb") as target:
        shutil.copyfileobj(source, target)
        target.flush()
        os.fchmod(target.fileno(), 0o660)
        if os.geteuid() == 0:  # what root puts there must be readable for the gateway's user
            owner = folder.stat()
            os.fchown(target.fileno(), owner.st_uid, owner.st_gid)
        os.fsync(target.fileno())
        return os.fstat(target.fileno()).st_ino


def _give_name(draft: Path, folder: Path, name: str) -> None:
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            rename_new(place, draft.name, place, name)
        except FileExistsError:  # another one of its name still waits there
            rename_new(place, draft.name, place, with_mark(name, secrets.token_hex(4)))
        os.fsync(place)
    finally:
        os.close(place)


def _wait(placed: Sequence[_Placed], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    open_ones = [one for one in placed if not one.look()]
    while open_ones and time.monotonic() < deadline:
        time.sleep(_BETWEEN)
        open_ones = [one for one in open_ones if not one.look()]
    for one in open_ones:
        one.give_up()


def _first_line(path: Path) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline().strip()
    except OSError:
        return ""
