"""`gateway init DIR`: a folder with a configuration, signing keys and a drop folder, ready for `gateway serve`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gateway.cli import Context, text
from gateway.errors import Refused

if TYPE_CHECKING:
    from gateway.cli import Commands

KEYS: tuple[tuple[str, Literal["rsa", "ed25519"]], ...] = (("gw1", "rsa"), ("gw2", "ed25519"))


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("init", help="make a new gateway's folder", description=__doc__)
    parser.add_argument("folder", metavar="DIR", help="a new or empty folder")
    parser.add_argument("--data", metavar="DIR", help="where database, keys and drop folder go (default: DIR/var)")
    parser.set_defaults(run=run)


def run(context: Context, args: argparse.Namespace) -> int:
    """Make the folder and print what to do next."""
    folder = Path(args.folder)
    config = folder / "gateway.toml"
    _must_be_new(folder)
    data = Path("var") if args.data is None else Path(args.data).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lay_out(folder / data)
        _write(config, _configuration(data).encode(), 0o640)
    except FileExistsError as error:
        raise Refused(f"{error.filename} exists already; nothing is overwritten.", "folder") from error
    except OSError as error:
        raise Refused(f"{error.filename} cannot be made: {error.strerror}.", "folder") from error
    gateway = f"gateway -c {shlex.quote(str(config))}"
    following = [f"{gateway} check", f"{gateway} dkim record", f"{gateway} serve"]
    if context.json:
        text.print_json({"config": str(config), "keys": [name for name, _ in KEYS], "next": following})
        return 0
    text.print_text(f"{config} is written, with two signing keys and the drop folder {folder / data / 'drop'}.")
    text.print_text("Set [gateway] hostname and [sender] domain in it, then check, publish the keys and start:")
    for command in following:
        text.print_text(f"  {command}")
    return 0


def lay_out(data: Path) -> None:
    """Make the folder of a gateway's data: drop folder, and one signing key of each kind, for its owner only.

    FileExistsError when there is a key already.
    """
    from gateway import signing

    for name, mode in (("", 0o750), ("drop", 0o750), ("dkim", 0o700)):
        (data / name).mkdir(mode=mode, parents=True, exist_ok=True)
    for selector, algorithm in KEYS:
        _write(data / "dkim" / f"{selector}.pem", signing.generate(algorithm), 0o600)


def _must_be_new(folder: Path) -> None:
    try:
        if folder.exists() and any(folder.iterdir()):
            raise Refused(f"{folder} is not empty; give a new folder.", "folder")
    except OSError as error:
        raise Refused(f"{folder} cannot be used: {error.strerror}.", "folder") from error


def _write(file: Path, content: bytes, mode: int) -> None:
    """Write a new file, on the disk before it returns."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target)


def _configuration(data: Path) -> str:
    """The commented configuration, with the paths under `data` set and the drop folder's source switched on."""
    from gateway import resources

    def quoted(name: str, before: str = "") -> str:
        return json.dumps(f"{before}{data / name}", ensure_ascii=False)

    keys = ", ".join(f'{{ selector = "{name}", file = {quoted(f"dkim/{name}.pem")} }}' for name, _ in KEYS)
    chosen = {
        '#database = "sqlite:var/gateway.db"': f"database = {quoted('gateway.db', 'sqlite:')}",
        '#admin_socket = "var/admin.sock"': f"admin_socket = {quoted('admin.sock')}",
        "keys = []": f"keys = [{keys}]",
        '#[[source]]\n#name = "scanner"\n#match = { folder = "var/drop" }': (
            f'[[source]]\nname = "scanner"\nmatch = {{ folder = {quoted("drop")} }}'
        ),
        '#directory = "var/outbox"': f"directory = {quoted('outbox')}",
    }
    template = resources.read_text("data/gateway.toml").splitlines(keepends=True)
    made = "".join(line for line in template if not line.startswith("#keys = "))
    for commented, line in chosen.items():
        assert made.count(f"\n{commented}\n") == 1, f"conf/gateway.toml lacks {commented}"
        made = made.replace(f"\n{commented}\n", f"\n{line}\n")
    return made
