"""`gateway recipients`: the directory, which customer number goes to which address."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from gateway.cli import Context, changes, lists, text
from gateway.client import Client, path_of
from gateway.errors import NotFound, Refused

if TYPE_CHECKING:
    from gateway.cli import Commands

_COLUMNS = (
    ("number", "NUMBER"),
    ("type", "TYPE"),
    ("email", "E-MAIL"),
    ("cc", "CC"),
    ("format", "FORMAT"),
    ("name", "NAME"),
    ("language", "LANG"),
)
_FIELDS = ("email", "cc", "type", "format", "name", "language", "attach", "file_name", "constants")


def register(commands: Commands) -> None:
    """Add the noun and its verbs."""
    verbs = commands.add_parser("recipients", help="the directory").add_subparsers(metavar="VERB", required=True)
    list_ = verbs.add_parser("list", help="list the recipients")
    list_.add_argument("--company", metavar="C", help="only this company's")
    list_.add_argument("--number", metavar="N", help="only this customer number")
    list_.add_argument("--type", metavar="T", help="only this document type")
    list_.add_argument("--search", metavar="TEXT", help="any part of number, address, copy or name")
    list_.add_argument("--limit", metavar="N", help="at most N rows")
    list_.set_defaults(run=run_list)
    add = verbs.add_parser("add", help="add a recipient")
    add.add_argument("--number", metavar="N", required=True, help="the customer number, as the documents write it")
    _add_fields(add, required=True)
    add.add_argument("--reason", help="for the audit")
    add.set_defaults(run=run_add)
    set_ = verbs.add_parser("set", help="change a recipient; an empty value clears a field")
    set_.add_argument("number", metavar="NUMBER")
    _add_fields(set_, required=False)
    set_.add_argument("--reason", help="for the audit")
    set_.set_defaults(run=run_set)
    show = verbs.add_parser("show", help="show a recipient's rows, each field on a line")
    show.add_argument("number", metavar="NUMBER")
    show.add_argument("--type", metavar="T", help="only the row of this type")
    show.add_argument("--company", metavar="C", default="default")
    show.set_defaults(run=run_show)
    lists.register(verbs)
    changes.register(verbs)
    delete = verbs.add_parser("delete", help="delete a recipient")
    delete.add_argument("number", metavar="NUMBER")
    delete.add_argument("--type", metavar="T", help="which row, when the number has several")
    delete.add_argument("--company", metavar="C", default="default")
    delete.add_argument("--reason", help="for the audit")
    delete.set_defaults(run=run_delete)


def _add_fields(parser: argparse.ArgumentParser, required: bool) -> None:
    parser.add_argument("--email", metavar="A[;B]", required=required, help="where documents go; several with ;")
    parser.add_argument("--cc", metavar="C[;D]", help="who gets a copy")
    parser.add_argument("--type", metavar="T", help="document type such as invoice; any is for every type (default)")
    parser.add_argument("--format", metavar="F", help="format such as pdf; default: the company's for the type")
    parser.add_argument("--name", help="who it is")
    parser.add_argument("--language", metavar="L", help="two letters such as fr")
    parser.add_argument("--attach", metavar="A", help="alone, with-pdf or pdf; default: with the files that came along")
    parser.add_argument("--file-name", metavar="T", help='the attachment\'s name, such as "{{ type }}-{{ number }}"')
    parser.add_argument("--constants", metavar="BT-10=V[;…]", help="terms that the recipient's documents lack")
    parser.add_argument("--company", metavar="C", default="default")


def run_list(context: Context, args: argparse.Namespace) -> int:
    """Print the rows, all of them unless narrowed."""
    query = {name: getattr(args, name) for name in ("company", "number", "type", "search", "limit")}
    rows = context.client().get("/recipients", query)
    if context.json:
        text.print_json(rows)
        return 0
    several = len({row["company"] for row in rows}) > 1
    text.print_table(rows, (("company", "COMPANY"), *_COLUMNS) if several else _COLUMNS, "There is no recipient.")
    return 0


def run_show(context: Context, args: argparse.Namespace) -> int:
    """Print all fields of the number's rows."""
    query = {"company": args.company, "number": args.number, "type": args.type}
    rows = context.client().get("/recipients", query)
    if not rows:
        raise NotFound(f"Customer number {args.number} has no recipient in company {args.company}.", "number")
    if context.json:
        text.print_json(rows)
        return 0
    for row in rows:
        text.print_pairs((name, value) for name, value in row.items() if value not in (None, []))
    return 0


def _given(args: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(args, name) for name in _FIELDS if getattr(args, name) is not None}


def run_add(context: Context, args: argparse.Namespace) -> int:
    """Add a row and say how many held documents go on."""
    values = {"company": args.company, "number": args.number, **_given(args), "reason": args.reason}
    return _say(context, "added", context.client().post("/recipients", values))


def run_set(context: Context, args: argparse.Namespace) -> int:
    """Change the fields given."""
    client = context.client()
    row = _row(client, args)
    values = {**_given(args), "reason": args.reason}
    return _say(context, "saved", client.patch(path_of("recipients", row["id"]), values, row["version"]))


def run_delete(context: Context, args: argparse.Namespace) -> int:
    """Delete a row."""
    client = context.client()
    row = _row(client, args)
    done = client.delete(path_of("recipients", row["id"]), row["version"], args.reason)
    return _say(context, "deleted", done)


def _row(client: Client, args: argparse.Namespace) -> dict[str, Any]:
    """The row that number and type name: that of the type, else the number's only one."""
    rows = client.get("/recipients", {"company": args.company, "number": args.number})
    if not rows:
        raise NotFound(f"Customer number {args.number} has no recipient in company {args.company}.", "number")
    named = [row for row in rows if row["type"] == (args.type or "any").lower()]
    if not named and len(rows) > 1:
        types = ", ".join(row["type"] for row in rows)
        raise Refused(f"Customer number {args.number} has recipients for {types}: say which with --type.", "type")
    found: dict[str, Any] = (named or rows)[0]
    return found


def _say(context: Context, done: str, row: dict[str, Any]) -> int:
    if context.json:
        text.print_json(row)
        return 0
    to = "; ".join(row["email"]) + (f", copy to {'; '.join(row['cc'])}" if row["cc"] else "")
    text.print_text(f"Recipient {row['number']} for type {row['type']} is {done}: {to}.")
    if row["released"]:
        documents = "document goes" if row["released"] == 1 else "documents go"
        text.print_text(f"{row['released']} held {documents} on now.")
    return 0
