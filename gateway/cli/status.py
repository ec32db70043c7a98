"""`gateway status`: whether the gateway runs, its ports, what waits."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from gateway.cli import Context, text

if TYPE_CHECKING:
    from gateway.cli import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("status", help="status", description="Show the running gateway.")
    parser.add_argument("--health", action="store_true", help="the disk, certificates and DKIM records too")
    parser.set_defaults(run=run)


def run(context: Context, args: argparse.Namespace) -> int:
    """Print the status; exit code 1 when the gateway does not run."""
    found = context.client().get("/status")
    health = context.client().get("/health") if args.health else None
    if health is not None:
        found["health"] = health
    if context.json:
        text.print_json(found)
        return 0
    text.print_text(f"gateway {found['version']} runs as process {found['pid']} since {found['started_at']}")
    for listener in found["listeners"]:
        text.print_text(f"listens at {listener['address']}, tls {listener['tls']}")
    if found["no_room"]:
        text.print_text(f"takes nothing in: {found['no_room']}")
    for folder in found["folders"]:
        _say_folder(folder)
    _say_retention(found["retention"])
    text.print_text(f"relays by {found['relay']}")
    stopped = {hop["next_hop"]: f"{hop['reason']}; paused until {hop['until']}" for hop in found["stopped"]}
    for hop in found["paused"]:
        why = stopped.get(hop, "it is paused")
        text.print_text(f"sends nothing to {hop}: {why}; 'gateway queue resume {hop}' ends that")
    for what in ("documents", "deliveries"):
        counts = ", ".join(f"{count} {state}" for state, count in found[what].items() if count)
        text.print_text(f"{what}: {counts or 'none'}")
    for cause, count in sorted(found["held"].items(), key=lambda item: -item[1])[:20]:
        text.print_text(f"  {count} held for {cause}")
    if health is not None:
        _say_health(health)
    return 0


def _say_folder(folder: dict[str, Any]) -> None:
    """What waits in a drop folder, and what is wrong with it."""
    since = f", the oldest since {text.short_time(folder['oldest'])}" if folder["oldest"] else ""
    text.print_text(f"folder {folder['source']}: {folder['waiting']} files wait{since}")
    if folder["problem"]:
        text.print_text(f"  takes nothing: {folder['problem']}")
    if folder["unwritable"]:
        text.print_text(f"  write test of {text.short_time(folder['tested_at'])}: {folder['unwritable']}")


def _say_retention(kept: dict[str, Any]) -> None:
    """The oldest content, and the space that all takes."""
    days = f"kept for {kept['content_days']} days" if kept["content_days"] else "kept for ever"
    oldest = f", the oldest of {kept['oldest_content'][:10]}" if kept["oldest_content"] else ""
    space = f"{kept['bytes'] >> 20:,} MiB, {kept['unused'] >> 20:,} of them unused"
    text.print_text(f"contents are {days}{oldest}; the database takes {space}")
    if kept["problem"]:
        text.print_text(f"  removes nothing: {kept['problem']}")


def _say_health(health: dict[str, Any]) -> None:
    disk = health["disk"]
    text.print_text(f"disk: {disk['free'] >> 20:,} of {disk['total'] >> 20:,} MiB free")
    for each in health["folders"]:
        state = {True: "can be written", False: "cannot be written", None: "was not tested"}[each["writable"]]
        free = "" if each["free"] is None else f", {each['free'] >> 20:,} MiB free"
        text.print_text(f"folder {each['folder']}: {state}, tested {text.short_time(each['tested_at'])}{free}")
    for each in health["certificates"]:
        left = "cannot be read" if each["days"] is None else f"ends in {each['days']} days"
        text.print_text(f"certificate {each['file']}: {left}")
    for each in health["dkim"]:
        text.print_text(f"DKIM {each['name']}: {each['state']}")
