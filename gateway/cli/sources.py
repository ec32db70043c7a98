"""`gateway sources`: who may hand documents in, as `gateway.toml` says."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gateway.cli import Context, text

if TYPE_CHECKING:
    from gateway.cli import Commands

_COLUMNS = (("name", "SOURCE"), ("company", "COMPANY"), ("match", "MATCHES"), ("recipients", "RECIPIENTS"))


def register(commands: Commands) -> None:
    """Add the noun and its verbs."""
    verbs = commands.add_parser("sources", help="sources").add_subparsers(metavar="VERB", required=True)
    verbs.add_parser("list", help="list the sources in the order they are tried").set_defaults(run=run_list)


def run_list(context: Context, args: argparse.Namespace) -> int:
    """Print the sources."""
    rows = context.client().get("/sources")
    if context.json:
        text.print_json(rows)
        return 0
    shown = [{**row, "match": row["folder"] or ", ".join(row["networks"])} for row in rows]
    text.print_table(shown, _COLUMNS, "There is no source: nothing can be handed in. Add a [[source]] to gateway.toml.")
    return 0
