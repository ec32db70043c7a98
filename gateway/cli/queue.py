"""`gateway queue`: see and steer the deliveries."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from gateway.cli import Context, refuse_usage, text

if TYPE_CHECKING:
    from gateway.cli import Commands

_COLUMNS = (
    ("id", "ID"),
    ("recipient", "TO"),
    ("next_hop", "NEXT HOP"),
    ("state", "STATE"),
    ("attempts", "TRIES"),
    ("next_attempt_at", "NEXT"),
    ("last", "LAST REPLY"),
)
_HOP_COLUMNS = (
    ("next_hop", "NEXT HOP"),
    ("queued", "QUEUED"),
    ("active", "ACTIVE"),
    ("deferred", "DEFERRED"),
    ("held", "HELD"),
    ("paused_by", "PAUSED BY"),
    ("last", "LAST REPLY"),
)
_DONE = {"retry": "retried now", "hold": "held", "release": "released", "cancel": "cancelled"}


def register(commands: Commands) -> None:
    """Add the noun and its verbs."""
    verbs = commands.add_parser("queue", help="the queue").add_subparsers(metavar="VERB", required=True)
    list_ = verbs.add_parser("list", help="list the deliveries that have not ended, newest first")
    list_.add_argument("--hops", action="store_true", help="list the next hops instead, with counts")
    list_.add_argument("--company", help="only this company's")
    list_.add_argument("--next-hop", help="only for this next hop")
    list_.add_argument("--state", help="queued, active, deferred, held, sent, bounced or cancelled")
    list_.add_argument("--cause", help="held for this cause")
    list_.add_argument("--document", metavar="ID", help="of this document, ended ones too")
    list_.add_argument("--address", help="to this address")
    list_.add_argument("--search", metavar="TEXT", help="to an address with this in it")
    list_.add_argument("--limit", metavar="N", help="at most N")
    list_.set_defaults(run=run_list)
    for verb, purpose in (
        ("retry", "try waiting deliveries now"),
        ("hold", "hold waiting deliveries until they are released"),
        ("release", "let held deliveries go on"),
        ("cancel", "never send deliveries"),
    ):
        steer = verbs.add_parser(verb, help=purpose)
        steer.add_argument("ids", metavar="ID", nargs="*")
        steer.add_argument("--next-hop", metavar="HOP", help="all for this next hop")
        steer.add_argument("--company", metavar="C", help="all of this company")
        steer.add_argument("--all", action="store_true", help="all")
        steer.add_argument("--reason", help="for the audit")
        steer.set_defaults(run=run_steer, verb=verb)
    pause = verbs.add_parser("pause", help="send nothing more to a next hop")
    pause.add_argument("next_hop", metavar="HOP")
    pause.add_argument("--until", metavar="TIME", help="such as 2026-01-31T06:00:00Z; default: until resumed")
    pause.add_argument("--reason", help="for the others")
    pause.set_defaults(run=run_pause)
    resume = verbs.add_parser("resume", help="end a pause")
    resume.add_argument("next_hop", metavar="HOP")
    resume.add_argument("--reason", help="for the audit")
    resume.set_defaults(run=run_resume)


def run_list(context: Context, args: argparse.Namespace) -> int:
    """Print deliveries or next hops."""
    names = ("company", "next_hop", "state", "cause", "document", "address", "limit")
    if args.hops:
        rows = context.client().get("/queue/hops")
    else:
        rows = context.client().get("/queue", {name: getattr(args, name) for name in names})
    if context.json:
        text.print_json(rows)
        return 0
    shown = [{**row, "last": _reply(row), "next_attempt_at": text.short_time(row["next_attempt_at"])} for row in rows]
    text.print_table(shown, _HOP_COLUMNS if args.hops else _COLUMNS, "Nothing waits in the queue.")
    return 0


def _reply(row: dict[str, Any]) -> str:
    reply = row["last_reply"] or {}
    said = " ".join(str(reply[name]) for name in ("code", "enhanced", "text") if reply.get(name))
    return f"{row['cause']} {said}".strip() if row.get("cause") else said


def run_steer(context: Context, args: argparse.Namespace) -> int:
    """Retry, hold, release or cancel."""
    chosen = {"ids": args.ids, "next_hop": args.next_hop, "company": args.company, "all": args.all}
    named = {name: value for name, value in chosen.items() if value}
    if len(named) != 1:
        refuse_usage(f"`gateway queue {args.verb}` needs delivery ids, or one of --next-hop, --company, --all.")
    done = context.client().post(f"/queue/{args.verb}", {**named, "reason": args.reason})
    if context.json:
        text.print_json(done)
        return 0
    count = done["changed"]
    text.print_text(f"{count} {'delivery is' if count == 1 else 'deliveries are'} {_DONE[args.verb]}.")
    return 0


def run_pause(context: Context, args: argparse.Namespace) -> int:
    """Pause a next hop."""
    body = {"next_hop": args.next_hop, "until": args.until, "reason": args.reason}
    paused = context.client().post("/queue/pause", body)
    if context.json:
        text.print_json(paused)
    else:
        until = f"until {paused['paused_until']}" if paused["paused_until"] else "until it is resumed"
        text.print_text(f"{paused['next_hop']} is paused {until}.")
    return 0


def run_resume(context: Context, args: argparse.Namespace) -> int:
    """End a pause."""
    resumed = context.client().post("/queue/resume", {"next_hop": args.next_hop, "reason": args.reason})
    if context.json:
        text.print_json(resumed)
    else:
        text.print_text(f"{resumed['next_hop']} goes on.")
    return 0
