"""`gateway sources`: who may hand documents in, as `gateway.toml` says, and the hashes of their passwords."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from gateway.cli import Context, text
from gateway.errors import Refused

if TYPE_CHECKING:
    from gateway.cli import Commands

_COLUMNS = (
    ("name", "SOURCE"),
    ("company", "COMPANY"),
    ("match", "MATCHES"),
    ("recipients", "RECIPIENTS"),
    ("waiting", "WAITING"),
    ("quirks", "QUIRKS"),
)


def register(commands: Commands) -> None:
    """Add the noun and its verbs."""
    verbs = commands.add_parser("sources", help="sources").add_subparsers(metavar="VERB", required=True)
    verbs.add_parser(
        "list", help="list the sources in the order they are tried, and what their clients do against the standards"
    ).set_defaults(run=run_list)
    verbs.add_parser("hash", help="ask for a password, or read it from stdin, and print its hash").set_defaults(
        run=run_hash
    )


def run_list(context: Context, args: argparse.Namespace) -> int:
    """Print the sources."""
    rows = context.client().get("/sources")
    if context.json:
        text.print_json(rows)
        return 0
    shown = [{**row, "match": _match(row), "quirks": _quirks(row), "waiting": _waiting(row)} for row in rows]
    text.print_table(shown, _COLUMNS, "There is no source: nothing can be handed in. Add a [[source]] to gateway.toml.")
    return 0


def _match(row: dict[str, Any]) -> str:
    if row["user"] is not None:
        return f"user {row['user']}"
    return row["folder"] or ", ".join(row["networks"])


def _waiting(row: dict[str, Any]) -> str:
    """How many files wait in a folder, and since when the oldest does."""
    if not row["waiting"]:
        return ""
    return f"{row['waiting']} since {text.short_time(row['oldest'])}"


def _quirks(row: dict[str, Any]) -> str:
    """Each with its count and the day it was last seen."""
    return ", ".join(f"{quirk['name']} {quirk['count']} ({quirk['last_seen'][:10]})" for quirk in row["quirks"])


def run_hash(context: Context, args: argparse.Namespace) -> int:
    """Print the argon2id hash of a password for `password_hash`; the costs are those that OWASP names first."""
    import argon2

    password = _password()
    if not password:
        raise Refused("A password has at least one character.", "password")
    hashed = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash(password)
    if context.json:
        text.print_json({"password_hash": hashed})
    else:
        print(hashed)
    return 0


def _password() -> str:
    """From the terminal, twice and unseen; else the first line of stdin."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    import getpass

    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise Refused("The two passwords are not the same.", "password")
    return password
