"""`gateway recipients history|revert|batches`: who changed the directory, and one change taken back."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from gateway.cli import Context, text
from gateway.client import Client, path_of
from gateway.errors import NotFound, Refused

if TYPE_CHECKING:
    from gateway.cli import Commands

_BATCHES = (
    ("created_at", "WHEN"),
    ("user", "WHO"),
    ("id", "BATCH"),
    ("type", "TYPE"),
    ("file", "FILE"),
    ("create", "CREATED"),
    ("update", "CHANGED"),
    ("undone_by", "TAKEN BACK BY"),
)


def register(verbs: Commands) -> None:
    """Add the verbs."""
    for verb, run, purpose in (
        ("history", run_history, "show who changed a row, when, and what"),
        ("revert", run_revert, "take the last change of a row back; a deleted row comes back by its id"),
    ):
        parser = verbs.add_parser(verb, help=purpose)
        parser.add_argument("number", metavar="NUMBER", help="the customer number, or the id of a row")
        parser.add_argument("--type", metavar="T", help="which row, when the number has several")
        parser.add_argument("--company", metavar="C", default="default")
        parser.set_defaults(run=run)
        if verb == "revert":
            parser.add_argument("--reason", help="for the audit")
    batches = verbs.add_parser("batches", help="list the imported lists, newest first")
    batches.add_argument("--company", metavar="C", help="only this company's")
    batches.add_argument("--limit", metavar="N", help="at most N")
    batches.set_defaults(run=run_batches)


def _place(client: Client, args: argparse.Namespace) -> tuple[str, int | None]:
    """The path of the row that the arguments name, and its version; what is no number may be an id."""
    rows = client.get("/recipients", {"company": args.company, "number": args.number, "type": args.type})
    if len(rows) > 1:
        types = ", ".join(row["type"] for row in rows)
        raise Refused(f"Customer number {args.number} has recipients for {types}: say which with --type.", "type")
    return (path_of("recipients", rows[0]["id"]), rows[0]["version"]) if rows else (_by_id(args.number), None)


def _by_id(number: str) -> str:
    if len(number) != 13:
        raise NotFound(f"Customer number {number} has no recipient; a deleted one goes by its id.", "number")
    return path_of("recipients", number)


def run_history(context: Context, args: argparse.Namespace) -> int:
    """Print every change, newest first."""
    client = context.client()
    entries = client.get(_place(client, args)[0] + "/history")
    if context.json:
        text.print_json(entries)
        return 0
    for entry in entries:
        reason = f"  ({entry['reason']})" if entry["reason"] else ""
        text.print_text(f"{text.short_time(entry['at'])}  {entry['user']}  {entry['action']}{reason}")
        for name, was, becomes in _differences(entry["before"] or {}, entry["after"] or {}):
            text.print_text(f"    {name}: {was or '–'} → {becomes or '–'}")
    return 0


def _differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    names = [name for name in {**before, **after} if name != "version" and before.get(name) != after.get(name)]
    return [(name, text.show_value(before.get(name)), text.show_value(after.get(name))) for name in names]


def run_revert(context: Context, args: argparse.Namespace) -> int:
    """Take the last change back and say what stands there now."""
    client = context.client()
    place, version = _place(client, args)
    row = client.post(f"{place}/undo", {"version": version, "reason": args.reason})
    if context.json:
        text.print_json(row)
        return 0
    text.print_text(f"The last change of recipient {row['number']} for type {row['type']} is taken back.")
    if row["released"]:
        documents = "document goes" if row["released"] == 1 else "documents go"
        text.print_text(f"{row['released']} held {documents} on now.")
    return 0


def run_batches(context: Context, args: argparse.Namespace) -> int:
    """Print the lists that were imported."""
    rows = context.client().get("/batches", {"company": args.company, "limit": args.limit})
    if context.json:
        text.print_json(rows)
        return 0
    shown = [{**row, **row["counts"], "created_at": text.short_time(row["created_at"])} for row in rows]
    text.print_table(shown, _BATCHES, "No list was imported.")
    return 0
