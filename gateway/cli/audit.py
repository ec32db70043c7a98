"""`gateway audit`: who changed what."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from gateway.cli import Context, text

if TYPE_CHECKING:
    from gateway.cli import Commands

_COLUMNS = (("at", "WHEN"), ("user", "WHO"), ("action", "WHAT"), ("object", "ON"), ("change", "CHANGE"))
_FILTERS = {
    "company": "only this company's",
    "user": "by this user",
    "action": "this action, such as recipient.add, or all of recipient",
    "object": "on this object",
    "since": "at or after this time, such as 2026-01-31",
    "limit": "at most this many",
}


def register(commands: Commands) -> None:
    """Add the noun and its verbs."""
    verbs = commands.add_parser("audit", help="the audit").add_subparsers(metavar="VERB", required=True)
    list_ = verbs.add_parser("list", help="list the changes, newest first")
    for name, purpose in _FILTERS.items():
        list_.add_argument(f"--{name}", help=purpose)
    list_.set_defaults(run=run_list)


def run_list(context: Context, args: argparse.Namespace) -> int:
    """Print the changes that match."""
    rows = context.client().get("/audit", {name: getattr(args, name) for name in _FILTERS})
    if context.json:
        text.print_json(rows)
        return 0
    shown = [{**row, "at": text.short_time(row["at"]), "change": _change(row)} for row in rows]
    text.print_table(shown, _COLUMNS, "Nothing was changed.")
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
