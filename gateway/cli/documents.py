"""`gateway documents`: find them, see why one waits, release, cancel, send again, get the original."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli import Context, text
from gateway.client import path_of
from gateway.errors import Refused

if TYPE_CHECKING:
    from gateway.cli import Commands

_COLUMNS = (
    ("id", "ID"),
    ("received_at", "RECEIVED"),
    ("type", "TYPE"),
    ("number", "NUMBER"),
    ("customer_number", "CUSTOMER"),
    ("state", "STATE"),
    ("why", "WHY"),
)
_HELD = (("count", "COUNT"), ("cause", "CAUSE"), ("type", "TYPE"), ("frees", "A ROW FREES"))
_FILTERS = {
    "company": "only this company's",
    "state": "received, held, queued, sent, partly_sent, bounced or cancelled",
    "cause": "held for this cause, such as no-recipient or no-recipient:1001",
    "number": "this document number",
    "customer-number": "this customer number",
    "address": "sent to this address",
    "search": "with this in number, customer number, file name or address",
    "source": "from this source",
    "submission": "found in this submission: the id that its sender was told",
    "since": "received at or after this time, such as 2026-01-31",
    "until": "received before this time",
    "limit": "at most this many",
}


def register(commands: Commands) -> None:
    """Add the noun and its verbs."""
    verbs = commands.add_parser("documents", help="documents").add_subparsers(metavar="VERB", required=True)
    list_ = verbs.add_parser("list", help="list documents, newest first")
    for name, purpose in _FILTERS.items():
        list_.add_argument(f"--{name}", help=purpose)
    list_.set_defaults(run=run_list)
    held = verbs.add_parser("held", help="count held documents by cause, and what a missing recipient would free")
    held.add_argument("--company", help="of this company; without it of default")
    held.set_defaults(run=run_held)
    for verb, purpose, run in (
        ("show", "show a document, its deliveries and every attempt", run_show),
        ("why", "say why a document goes where it goes, or waits", run_why),
    ):
        one = verbs.add_parser(verb, help=purpose)
        one.add_argument("id", metavar="ID")
        one.set_defaults(run=run)
    for verb, purpose in (("original", "write the file as it came in"), ("message", "write the message as it is sent")):
        file = verbs.add_parser(verb, help=purpose)
        file.add_argument("id", metavar="ID")
        file.add_argument("-o", "--output", metavar="FILE", help="into a new file, instead of standard output")
        file.set_defaults(run=run_file, verb=verb)
    read = verbs.add_parser("text", help="print the text in the file as it came in")
    read.add_argument("id", metavar="ID")
    read.set_defaults(run=run_text)
    for verb, purpose in (("release", "let held documents go on"), ("cancel", "send nothing more of documents")):
        several = verbs.add_parser(verb, help=purpose)
        several.add_argument("ids", metavar="ID", nargs="+")
        several.add_argument("--reason", help="for the audit")
        several.set_defaults(run=run_several, verb=verb)
    resend = verbs.add_parser("resend", help="send an ended document again, as a new message")
    resend.add_argument("id", metavar="ID")
    resend.add_argument("--to", metavar="A[;B]", help="to these addresses, instead of those of the rules")
    resend.add_argument("--reason", help="for the audit")
    resend.set_defaults(run=run_resend)


def run_list(context: Context, args: argparse.Namespace) -> int:
    """Print the documents that match."""
    names = [name.replace("-", "_") for name in _FILTERS]
    rows = context.client().get("/documents", {name: getattr(args, name) for name in names})
    if context.json:
        text.print_json(rows)
        return 0
    shown = [{**row, "received_at": text.short_time(row["received_at"]), "why": _why(row)} for row in rows]
    text.print_table(shown, _COLUMNS, "No document matches.")
    return 0


def run_held(context: Context, args: argparse.Namespace) -> int:
    """Print the causes, most documents first."""
    rows = context.client().get("/held", {"company": args.company})
    if context.json:
        text.print_json(rows)
        return 0
    text.print_table(rows, _HELD, "Nothing is held.")
    return 0


def _why(row: dict[str, Any]) -> str:
    if row["state"] == "held":
        return str(row["cause"])
    return "; ".join(delivery["recipient"] for delivery in row["deliveries"])


def run_show(context: Context, args: argparse.Namespace) -> int:
    """Print everything that is known of a document."""
    found = context.client().get(path_of("documents", args.id))
    if context.json:
        text.print_json(found)
        return 0
    names = ["id", "company", "source", "received_at", "file_name", "media_type", "format", "type", "number"]
    names += ["customer_number", "state", "cause", "sentence", "released_by"]
    text.print_pairs((name, found[name]) for name in names if found[name] is not None)
    for message in found["messages"]:
        for note in message["notes"]:
            text.print_text(f"message {message['id']}: {note}")
    if found["content_removed_at"]:
        text.print_text(f"its content was removed on {found['content_removed_at'][:10]}, as [retention] says")
    for delivery in found["deliveries"]:
        text.print_text(f"delivery {delivery['id']} {delivery['role']} {delivery['recipient']}: {delivery['state']}")
        for attempt in delivery["history"]:
            said = " ".join(str(attempt[name]) for name in ("code", "enhanced", "text") if attempt[name])
            text.print_text(f"  {text.short_time(attempt['started_at'])} {attempt['outcome'] or 'under way'} {said}")
    return 0


def run_why(context: Context, args: argparse.Namespace) -> int:
    """Print the trace."""
    found = context.client().get(path_of("documents", args.id, "trace"))
    if context.json:
        text.print_json(found)
        return 0
    what = " ".join(str(found[name]) for name in ("type", "number") if found[name])
    text.print_text(f"{found['id']} {what or 'unknown'}: {found['state']}{_cause(found)}")
    for step in found["trace"]:
        where = f"  [{step['where']}]" if step.get("where") else ""
        text.print_text(f"  {step['result']:8} {step['rule']:17} {step['text']}{where}")
    if found["released_by"]:
        text.print_text(f"released by {found['released_by']}")
    return 0


def _cause(found: dict[str, Any]) -> str:
    return f", {found['cause']}. {found['sentence']}" if found["cause"] else ""


def run_text(context: Context, args: argparse.Namespace) -> int:
    """Print the text of the file, a PDF's too."""
    found = context.client().get(path_of("documents", args.id, "text"))
    if context.json:
        text.print_json(found)
        return 0
    for line in found["lines"]:
        text.print_text(line)
    return 0


def run_file(context: Context, args: argparse.Namespace) -> int:
    """Write the bytes as they came in, or as they are sent, to standard output or a new file."""
    pieces = context.client().stream(path_of("documents", args.id, args.verb))
    first = next(pieces, b"")  # the answer is known before a file is made
    if args.output is None:
        for piece in (first, *pieces):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return 0
    target = Path(args.output)
    try:
        with open(target, "xb") as file:
            for piece in (first, *pieces):
                file.write(piece)
    except OSError as error:
        raise Refused(f"{target} cannot be written: {os.strerror(error.errno or 0)}.", "output") from error
    return 0


def run_several(context: Context, args: argparse.Namespace) -> int:
    """Release or cancel; all of them or none."""
    done = context.client().post(f"/documents/{args.verb}", {"ids": args.ids, "reason": args.reason})
    if context.json:
        text.print_json(done)
        return 0
    count = next(iter(done.values()))
    text.print_text(f"{count} {'document is' if count == 1 else 'documents are'} {args.verb}{_ending(args.verb)}.")
    return 0


def _ending(verb: str) -> str:
    return "led" if verb == "cancel" else "d"


def run_resend(context: Context, args: argparse.Namespace) -> int:
    """Send once more."""
    body = {"to": args.to, "reason": args.reason}
    done = context.client().post(path_of("documents", args.id, "resend"), body)
    if context.json:
        text.print_json(done)
    else:
        text.print_text(f"Document {done['id']} is sent again.")
    return 0
