"""`gateway me`: who you are to the gateway, and what you may."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gateway.cli import Context, text

if TYPE_CHECKING:
    from gateway.cli import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add_parser("me", help="who you are to the gateway", description=__doc__).set_defaults(run=run)


def run(context: Context, args: argparse.Namespace) -> int:
    """Print name, roles, permissions, and why the others are lacking."""
    me = context.client().get("/me")
    if context.json:
        text.print_json(me)
        return 0
    text.print_pairs((("user", me["user"]), ("roles", me["roles"] or "none"), ("may", ", ".join(me["permissions"]))))
    text.print_pairs((f"not {permission}", sentence) for permission, sentence in me["denied"].items())
    return 0
