"""`gateway formats list`: the formats a recipient can get."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gateway.cli import Context
from gateway.cli.text import print_json, print_table

if TYPE_CHECKING:
    from gateway.cli import Commands


def register(commands: Commands) -> None:
    """Add the noun `formats`."""
    parser = commands.add_parser("formats", help="list the formats a recipient can get")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    verb = verbs.add_parser("list", help="name, label, what is read and written, how it is checked")
    verb.set_defaults(run=run_list)


def run_list(context: Context, args: argparse.Namespace) -> int:
    """Print the table of formats."""
    from gateway import formats

    rows = formats.choosable()
    if context.json:
        print_json(rows)
    else:
        columns = [("name", "NAME"), ("label", "LABEL"), ("read", "READ"), ("write", "WRITE"), ("checked", "CHECKED")]
        print_table(rows, columns, "There are no formats.")
    return 0
