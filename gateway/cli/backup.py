"""`gateway backup`: copy the database while the gateway runs."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from gateway.cli import Context, text

if TYPE_CHECKING:
    from gateway.cli import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("backup", help="copy the database", description="Copy the database to a new file.")
    parser.add_argument("file", metavar="FILE", help="the new file, on the gateway's machine")
    parser.set_defaults(run=run)


def run(context: Context, args: argparse.Namespace) -> int:
    """Make the copy; the running gateway writes it."""
    made = context.client().post("/backup", {"file": os.path.abspath(args.file)})
    if context.json:
        text.print_json(made)
    else:
        text.print_text(f"{made['file']} holds the database, {made['size']} bytes.")
    return 0
