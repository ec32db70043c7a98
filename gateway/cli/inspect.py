"""`gateway inspect FILE…`: what the readers see in files, without a daemon."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli import Context, read_file
from gateway.cli.text import print_json, print_pairs, print_text
from gateway.errors import NotFound, Unreadable

if TYPE_CHECKING:
    from gateway.cli import Commands
    from gateway.workers import Pool

_SECONDS = 20.0  # for one file, as in the daemon
_FIELDS = (
    "type",
    "subtype",
    "number",
    "issue_date",
    "due_date",
    "customer_numbers",
    "emails",
    "seller",
    "buyer",
    "currency",
    "payable",
    "language",
)
_LISTS = ("customer_numbers", "emails")


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("inspect", help="show what the readers see in a file")
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--source", metavar="NAME", help="read text PDFs with the patterns of this source")
    parser.set_defaults(run=run_inspect)


def run_inspect(context: Context, args: argparse.Namespace) -> int:
    """Read each file in a worker process, as the daemon does; 0 when every file was looked at, whatever is in it."""
    patterns = _patterns(context, args.source) if args.source else []
    files = [(name, read_file(name)) for name in args.files]
    found = asyncio.run(_inspect(files, patterns))
    if context.json:
        print_json(found)
        return 0
    for number, file in enumerate(found):
        if number:
            print()
        _print(file)
    return 0


def _patterns(context: Context, name: str) -> list[Any]:
    import msgspec

    sources = {source.name: source for source in context.config().sources}
    if name not in sources:
        raise NotFound(f"There is no source {name!r}; there are {', '.join(sources) or 'none'}.", "source")
    builtins: list[Any] = msgspec.to_builtins(sources[name].patterns)
    return builtins


async def _inspect(files: Sequence[tuple[str, bytes]], patterns: list[Any]) -> list[dict[str, Any]]:
    from gateway.workers import Pool

    pool = Pool(min(len(files), 2))
    pool.start()
    try:
        return list(await asyncio.gather(*(_look_at(pool, name, data, patterns) for name, data in files)))
    finally:
        await pool.close()


async def _look_at(pool: Pool, name: str, data: bytes, patterns: list[Any]) -> dict[str, Any]:
    """One entry of the answer; a file that is no document has its reason in `error`, as `cause: sentence`."""
    from gateway.workers import Died

    answer: dict[str, Any] = {"file": name, "format": None, "profile": None, "documents": [], "error": None}
    try:
        found, _ = await pool.run("gateway.jobs:inspect", Path(name).name, "", patterns, blob=data, timeout=_SECONDS)
    except Unreadable as error:
        return answer | {"error": f"{error.cause}: {error.sentence}"}
    except Died as error:
        return answer | {"error": f"{error.reason}: {error.sentence}"}
    documents = [_shown(document) for document in found]
    return answer | {"format": found[0]["format"], "profile": found[0].get("profile"), "documents": documents}


def _shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the contract, present even where the document does not state them.

    `customer_number` is the best of `customer_numbers`, which are all that may be meant.
    """
    fields = {name: document.get(name, [] if name in _LISTS else None) for name in _FIELDS}
    fields["type"] = document.get("type", "other")
    best = next(iter(fields["customer_numbers"]), None)
    more = {"evidence": document.get("evidence", []), "notes": document.get("notes", [])}
    return fields | {"customer_number": best} | more


def _print(file: Mapping[str, Any]) -> None:
    print_text(f"{file['file']}: {file['error'] or ' '.join(filter(None, (file['format'], file['profile'])))}")
    for place, document in enumerate(file["documents"], 1):
        if len(file["documents"]) > 1:
            print_text(f"  document {place} of {len(file['documents'])}")
        print_pairs((f"  {name}", value) for name, value in _lines(document))


def _lines(document: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Each value that is there with the place where it was found."""
    places: dict[str, list[str]] = {}
    for found in document["evidence"]:
        places.setdefault(found["field"].removesuffix("s"), []).append(f"{found['value']} at {found['where']}")
    for name in _FIELDS:
        where = places.pop(name.removesuffix("s"), [])
        if name in _LISTS:
            yield from ((name.removesuffix("s"), place) for place in where)
        elif document[name] is not None:
            place = where[0].rpartition(" at ")[2] if where else ""
            yield name, f"{document[name]}   {place}".rstrip()
    yield from ((name, place) for name, found in places.items() for place in found)
    yield from (("note", note) for note in document["notes"])
