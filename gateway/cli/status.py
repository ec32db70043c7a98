"""`gateway status`: whether the gateway runs, its ports, what waits."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gateway.cli import Context, text

if TYPE_CHECKING:
    from gateway.cli import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add_parser("status", help="status", description="Show the running gateway.").set_defaults(run=run)


def run(context: Context, args: argparse.Namespace) -> int:
    """Print the status; exit code 1 when the gateway does not run."""
    found = context.client().get("/status")
    if context.json:
        text.print_json(found)
        return 0
    text.print_text(f"gateway {found['version']} runs as process {found['pid']} since {found['started_at']}")
    for listener in found["listeners"]:
        text.print_text(f"listens at {listener['address']}, tls {listener['tls']}")
    if found["no_room"]:
        text.print_text(f"takes nothing in: {found['no_room']}")
    text.print_text(f"relays by {found['relay']}")
    for hop in found["paused"]:
        text.print_text(f"sends nothing to {hop}: it is paused; 'gateway queue resume {hop}' ends that")
    for what in ("documents", "deliveries"):
        counts = ", ".join(f"{count} {state}" for state, count in found[what].items() if count)
        text.print_text(f"{what}: {counts or 'none'}")
    for cause, count in sorted(found["held"].items(), key=lambda item: -item[1])[:20]:
        text.print_text(f"  {count} held for {cause}")
    return 0
