"""`gateway companies`: the companies that settings, recipients and documents belong to."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gateway.cli import Context, text

if TYPE_CHECKING:
    from gateway.cli import Commands

_COLUMNS = (("name", "COMPANY"), ("advanced", "ADVANCED"), ("created_at", "SINCE"))


def register(commands: Commands) -> None:
    """Add the noun and its verbs."""
    verbs = commands.add_parser("companies", help="companies").add_subparsers(metavar="VERB", required=True)
    verbs.add_parser("list", help="list the companies").set_defaults(run=run_list)
    add = verbs.add_parser("add", help="add a company")
    add.add_argument("name", metavar="NAME", help="letters, digits, dots, dashes and underscores")
    add.add_argument("--reason", help="for the audit")
    add.set_defaults(run=run_add)


def run_list(context: Context, args: argparse.Namespace) -> int:
    """Print all companies."""
    rows = context.client().get("/companies")
    if context.json:
        text.print_json(rows)
    else:
        text.print_table(rows, _COLUMNS, "There is no company.")
    return 0


def run_add(context: Context, args: argparse.Namespace) -> int:
    """Add a company."""
    saved = context.client().post("/companies", {"name": args.name, "reason": args.reason})
    if context.json:
        text.print_json(saved)
    else:
        text.print_text(f"Company {saved['name']} is added.")
    return 0
