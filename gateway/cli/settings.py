"""`gateway settings`: what each company decided."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from gateway.cli import Context, text
from gateway.client import path_of

if TYPE_CHECKING:
    from gateway.cli import Commands


def register(commands: Commands) -> None:
    """Add the noun and its verbs."""
    noun = commands.add_parser("settings", help="business settings", epilog="docs/settings.md explains every setting.")
    verbs = noun.add_subparsers(metavar="VERB", required=True)
    list_ = verbs.add_parser("list", help="list every setting with its value")
    list_.set_defaults(run=run_list)
    get = verbs.add_parser("get", help="print the value of a setting")
    get.add_argument("key", metavar="KEY")
    get.set_defaults(run=run_get)
    set_ = verbs.add_parser("set", help="change a setting; an empty value goes back to the default")
    set_.add_argument("key", metavar="KEY")
    set_.add_argument("value", metavar="VALUE")
    set_.add_argument("--reason", help="for the audit")
    set_.set_defaults(run=run_set)
    for verb in (list_, get, set_):
        verb.add_argument("--company", metavar="C", default="default")


def run_list(context: Context, args: argparse.Namespace) -> int:
    """Print every setting; a star marks what differs from the default."""
    rows = context.client().get("/settings", {"company": args.company})
    if context.json:
        text.print_json(rows)
        return 0
    shown = [{**row, "set": "*" if row["value"] != row["default"] else "", "value": _line(row)} for row in rows]
    text.print_table(shown, (("key", "SETTING"), ("set", ""), ("value", "VALUE")), "There is no setting.")
    return 0


def _line(row: dict[str, Any]) -> str:
    value = text.show_value(row["value"]).strip("\n").replace("\n", " ⏎ ")  # a list has one line for each
    return f"{value} (only advanced companies may choose)" if row["locked"] else value


def run_get(context: Context, args: argparse.Namespace) -> int:
    """Print one value, nothing else."""
    row = context.client().get(path_of("settings", args.key), {"company": args.company})
    if context.json:
        text.print_json(row)
    else:
        for line in text.show_value(row["value"]).split("\n"):
            text.print_text(line)
    return 0


def run_set(context: Context, args: argparse.Namespace) -> int:
    """Change one value and say what that released or held."""
    body = {"value": args.value, "reason": args.reason}
    saved = context.client().put(path_of("settings", args.key), body, {"company": args.company})
    if context.json:
        text.print_json(saved)
        return 0
    text.print_text(f"{saved['key']} is {text.show_value(saved['value']) or 'empty'}.")
    if saved["released"]:
        text.print_text(f"{saved['released']} held go on now.")
    if saved["held"]:
        text.print_text(f"{saved['held']} waiting deliveries are held.")
    return 0
