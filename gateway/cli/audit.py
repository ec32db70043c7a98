"""`gateway audit`: who did what and why, whether the record is whole, and all of it as lines."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli import Context, text
from gateway.errors import Refused

if TYPE_CHECKING:
    from gateway.cli import Commands

_COLUMNS = (("at", "WHEN"), ("user", "WHO"), ("action", "WHAT"), ("object", "ON"), ("change", "CHANGE"))
_FILTERS = {
    "company": "only this company's",
    "user": "by this user",
    "action": "this action, such as recipient.add, or all of recipient",
    "object": "on this object",
    "since": "at or after this time, such as 2026-01-31",
    "until": "before this time",
}


def register(commands: Commands) -> None:
    """Add the noun and its verbs."""
    verbs = commands.add_parser("audit", help="the audit").add_subparsers(metavar="VERB", required=True)
    list_ = verbs.add_parser("list", help="list what was done, newest first")
    list_.set_defaults(run=run_list)
    export = verbs.add_parser("export", help="write all that was done to a new file, oldest first, one JSON a line")
    export.add_argument("output", metavar="OUT", help="a new file")
    export.set_defaults(run=run_export)
    for verb in (list_, export):
        for name, purpose in _FILTERS.items():
            verb.add_argument(f"--{name}", help=purpose)
    list_.add_argument("--limit", help="at most this many")
    verify = verbs.add_parser("verify", help="check that no row was changed, deleted, inserted or moved")
    verify.add_argument("--root", metavar="N:HASH", help="a root from the log, which the audit must hold")
    verify.set_defaults(run=run_verify)


def run_list(context: Context, args: argparse.Namespace) -> int:
    """Print the changes that match."""
    rows = context.client().get("/audit", {**_wanted(args), "limit": args.limit})
    if context.json:
        text.print_json(rows)
        return 0
    shown = [{**row, "at": text.short_time(row["at"]), "change": _change(row)} for row in rows]
    text.print_table(shown, _COLUMNS, "Nothing was done.")
    return 0


def _wanted(args: argparse.Namespace) -> dict[str, str | None]:
    return {name: getattr(args, name) for name in _FILTERS}


def run_export(context: Context, args: argparse.Namespace) -> int:
    """Write the rows that match, as they come; an existing file stays as it is."""
    pieces = context.client().stream("/audit/export", _wanted(args))
    first = next(pieces, b"")  # the answer is known before a file is made
    target = Path(args.output)
    try:
        rows = _write_new(target, chain((first,), pieces))
    except OSError as error:
        raise Refused(f"{target} cannot be written: {os.strerror(error.errno or 0)}.", "output") from error
    if context.json:
        text.print_json({"file": args.output, "rows": rows})
    else:
        text.print_text(f"{args.output}: {rows} {'row' if rows == 1 else 'rows'}.")
    return 0


def _write_new(target: Path, pieces: Iterable[bytes]) -> int:
    """Write a new file to the disk, whole or not at all; the number of its lines."""
    rows = 0
    with open(target, "xb") as file:
        try:
            for piece in pieces:
                rows += piece.count(b"\n")
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return rows


def run_verify(context: Context, args: argparse.Namespace) -> int:
    """Say whether all rows are as they were written; exit code 1 when one is not."""
    found = context.client().get("/audit/verify", {"root": args.root})
    if context.json:
        text.print_json(found)
        return 0 if found["ok"] else 1
    good = "1 row is" if found["rows"] == 1 else f"{found['rows']} rows are"
    text.print_text(f"{good} as written, root {found['root']}.")
    if not found["ok"]:
        raise Refused(f"The audit is broken: {found['sentence']}.")
    return 0


def _change(row: dict[str, Any]) -> str:
    """What differs between before and after."""
    before, after = row["before"], row["after"]
    if isinstance(before, dict) and isinstance(after, dict):
        names = [name for name in after if after[name] != before.get(name) and name != "version"]
        said = ", ".join(f"{n}: {text.show_value(before.get(n))} → {text.show_value(after[n])}" for n in names)
    elif isinstance(before, dict) or isinstance(after, dict):
        said = text.show_value({k: v for k, v in (after or before).items() if v and k != "version"})
    else:
        said = f"{text.show_value(before) or '(default)'} → {text.show_value(after) or '(default)'}"
    if before is None and after is None:
        said = ""
    return f"{said} ({row['reason']})".strip() if row["reason"] else said
