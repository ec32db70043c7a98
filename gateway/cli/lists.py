"""`gateway recipients import|export|template|undo`: the directory as a spreadsheet."""

from __future__ import annotations

import argparse
import asyncio
import locale
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli import Context, read_file, text
from gateway.client import Client, path_of
from gateway.errors import Refused

if TYPE_CHECKING:
    from gateway.cli import Commands

_LANGUAGES = ("en", "fr", "de", "sv")
_QUIET = 2.0  # seconds before, and between, words about how far it is
_SHOWN = 50  # errors, and rows of a dry run, on a terminal; into a pipe all of them
_SECONDS = 120.0  # for the worker that writes the report


def register(verbs: Commands) -> None:
    """Add the verbs."""
    import_ = verbs.add_parser("import", help="import a list from .xlsx or .csv: all of it or nothing")
    import_.add_argument("file", metavar="FILE")
    import_.add_argument("--type", metavar="T", required=True, help="the document type that the list is for, or any")
    import_.add_argument("--company", metavar="C", default="default")
    import_.add_argument("--dry-run", action="store_true", help="say what would change; change nothing")
    import_.add_argument("--report", metavar="OUT", help="write the workbook with a column of what is wrong")
    import_.add_argument("--ignore-column", metavar="C", action="append", default=[], help="pass over column C; again")
    import_.add_argument("--reject-comments", action="store_true", help="rows that begin with # are errors")
    import_.add_argument(
        "--domains",
        choices=("check", "skip"),
        help="ask the DNS whether mail can go to the addresses' domains; default: check unless relay.mode is capture",
    )
    import_.add_argument("--reason", help="for the audit")
    import_.set_defaults(run=run_import)
    export = verbs.add_parser("export", help="write the directory as .xlsx or .csv, which can be imported again")
    export.add_argument("output", metavar="OUT")
    export.add_argument("--type", metavar="T", help="which type's rows, when there are several types")
    export.add_argument("--company", metavar="C", default="default")
    _add_language(export)
    export.set_defaults(run=run_export)
    template = verbs.add_parser("template", help="write an example list to follow")
    template.add_argument("output", metavar="OUT", help="a folder gets exampleFile.xlsx")
    template.add_argument("--type", metavar="T", help="the document type that the list will be for")
    _add_language(template)
    template.set_defaults(run=run_template)
    undo = verbs.add_parser("undo", help="take an imported list back")
    undo.add_argument("batch", metavar="BATCH", help="the id that the import said")
    undo.add_argument("--keep-changed", action="store_true", help="leave rows that were changed since")
    undo.add_argument("--reason", help="for the audit")
    undo.set_defaults(run=run_undo)


def _add_language(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--language", metavar="L", choices=_LANGUAGES, help="en, fr, de or sv; default: the locale's")


# --- import ----------------------------------------------------------------------------------------------


def run_import(context: Context, args: argparse.Namespace) -> int:
    """Look at the list, then write it unless something is wrong with it or this is a dry run."""
    if args.report:
        _check_report(args.report, args.file)
    file = _read(args.file)
    client = context.client()
    query = {
        "type": args.type,
        "company": args.company,
        "name": Path(args.file).name,
        "comments": "reject" if args.reject_comments else None,
        "ignore": ",".join(args.ignore_column) or None,
        "domains": args.domains,
    }
    found = _look_at(args.file, client, file, query)
    place = path_of("imports", found["id"])
    findings = client.get(place + "/findings")
    if not context.json:
        _say_counts(found)
        _say_findings(findings)
    if args.report:
        _report(context, args.report, file, found, findings)
    answer = {**found, "findings": findings, "batch": None, "released": 0}
    if args.dry_run:
        answer["changes"] = client.get(place + "/changes")
    elif not found["counts"]["errors"]:
        answer |= client.post(place + "/apply", {"reason": args.reason})
    return _say_import(context, args, answer)


def _read(name: str) -> bytes:
    """The file's bytes; Refused before it is read when it is too large to be handed in."""
    from gateway.workbook.model import FILE_LIMIT

    limit = f"{FILE_LIMIT >> 20} MiB are the most that is read: cut it into several."
    size = os.stat(name).st_size if os.path.isfile(name) else 0
    if size > FILE_LIMIT:
        raise Refused(f"{name} has {size >> 20} MiB; {limit}", "file")
    data = read_file(name, FILE_LIMIT + 1)  # a pipe or a device tells no size
    if len(data) > FILE_LIMIT:
        raise Refused(f"{name} does not end; {limit}", "file")
    return data


def _check_report(name: str, file: str) -> None:
    """Refused where the report would be written over the list, or under a name that is no workbook's."""
    if not name.lower().endswith((".xlsx", ".xlsm")):
        raise Refused(f"The report is a workbook: give it a name that ends in .xlsx, not {name}.", "report")
    if os.path.exists(name) and os.path.exists(file) and os.path.samefile(name, file):
        raise Refused(f"The report would be written over the list {file}: give it another name.", "report")


def _look_at(name: str, client: Client, file: bytes, query: Mapping[str, object]) -> dict[str, Any]:
    """The preview; what is wrong with the file as a whole names the file."""
    try:
        return _look(client, file, query)
    except Refused as refused:
        if refused.field != "file":
            raise
        raise Refused(f"{name}: {refused.sentence}", "file") from refused


def _look(client: Client, file: bytes, query: Mapping[str, object]) -> dict[str, Any]:
    """The preview; while it takes long, words on stderr about how far it is."""
    progress = _Progress()
    step: dict[str, Any] = {}
    try:
        for step in client.upload("/imports", file, query):
            if step["state"] != "ready":
                progress.tell(step)
    finally:
        progress.end()
    return {name: value for name, value in step.items() if name != "state"}


class _Progress:
    """How far it is: a bar that stays in its line on a terminal, elsewhere a line now and then."""

    def __init__(self) -> None:
        self._said = time.monotonic()
        self._width = 0  # characters of the bar that stands there

    def tell(self, step: Mapping[str, Any]) -> None:
        """Say it, unless something was said a moment ago."""
        if sys.stderr.isatty():
            line = f"{_bar(step)}  {_progress(step)}"
            print(f"\r{line:<{self._width}}", end="", file=sys.stderr, flush=True)
            self._width = len(line)
        elif time.monotonic() - self._said >= _QUIET:
            self._said = time.monotonic()
            print(f"gateway: {_progress(step)}", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take the bar away."""
        if self._width:
            print(f"\r{'':{self._width}}\r", end="", file=sys.stderr, flush=True)


def _bar(step: Mapping[str, Any]) -> str:
    full = 20 * step["done"] // max(step["total"], 1) if step["state"] == "comparing" else 0
    return f"[{'#' * full:.<20}]"


def _progress(step: Mapping[str, Any]) -> str:
    if step["state"] == "reading":
        return f"reading {step['bytes']:,} bytes …"
    if step["state"] == "asking":
        return f"asking the DNS for {step['total']:,} domains …"
    share = 100 * step["done"] // max(step["total"], 1)
    return f"{step['done']:,} of {step['total']:,} rows compared ({share} %)"


def _say_counts(found: Mapping[str, Any]) -> None:
    counts = found["counts"]
    skipped = counts["comments"] + counts["blanks"]
    sheet = f", sheet {found['sheet']}" if found["sheet"] else ""
    read = f"{_rows(counts['rows'])} read, {skipped:,} skipped (comments, blanks)"
    text.print_text(f"{found['file']}{sheet} as {found['type']}: {read}.")
    shown = ("create", "update", "unchanged", "warnings", "errors")
    text.print_text("   ".join(f"{name} {counts[name]:,}" for name in shown))


def _rows(count: int) -> str:
    return "one row" if count == 1 else f"{count:,} rows"


def _say_findings(findings: Sequence[Mapping[str, Any]]) -> None:
    for finding in _limited(findings, "findings"):
        text.print_text(f"  {finding['cell']:8} {finding['code']:12} {finding['sentence']}")


def _limited(rows: Sequence[Mapping[str, Any]], what: str) -> Iterator[Mapping[str, Any]]:
    """All rows into a pipe; on a terminal the first ones, and how many there are more."""
    limit = _SHOWN if sys.stdout.isatty() else len(rows)
    yield from rows[:limit]
    if len(rows) > limit:
        text.print_text(f"  … and {len(rows) - limit:,} {what} more")


def _say_import(context: Context, args: argparse.Namespace, answer: Mapping[str, Any]) -> int:
    errors = answer["counts"]["errors"]
    if context.json:
        text.print_json(answer)
        return 1 if errors else 0
    for change in _limited(answer.get("changes", ()), "rows"):
        text.print_text(f"  {change['cell']:8} {change['kind']:7} {change['number']}  {_change(change)}")
    if errors:
        what = "one error" if errors == 1 else f"{errors:,} errors"
        print(f"gateway: {what}: nothing {'would be' if args.dry_run else 'was'} imported.", file=sys.stderr)
        return 1
    if args.dry_run:
        text.print_text(f"Nothing was written. {answer['would_release']:,} held documents would go on.")
        other = answer["would_go_elsewhere"]
        text.print_text(f"Of the documents of the last 90 days {other:,} would go to other addresses.")
    elif answer["batch"] is None:
        text.print_text("Everything is in the directory already; nothing was written.")
    else:
        text.print_text(
            f"Imported as batch {answer['batch']}; `gateway recipients undo {answer['batch']}` takes it back."
        )
        _say_released(answer["released"])
    return 0


def _change(change: Mapping[str, Any]) -> str:
    was, becomes = change["was"], change["becomes"]
    if was is None:
        return text.show_value(becomes.get("email"))
    return ", ".join(
        f"{name}: {text.show_value(was[name]) or '–'} → {text.show_value(becomes[name]) or '–'}" for name in was
    )


def _say_released(released: int) -> None:
    if released:
        documents = "document goes" if released == 1 else "documents go"
        text.print_text(f"{released} held {documents} on now.")


def _report(
    context: Context, output: str, file: bytes, found: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]
) -> None:
    """Write the workbook with its errors; made in a worker, as the list may be hostile."""
    if not findings:
        if not context.json:
            text.print_text(f"Nothing is wrong with the list, so {output} is not written.")
        return
    from gateway.cli.convert import write_file

    sentences: dict[int, str] = {}
    for finding in findings:
        before = sentences.get(finding["row"])
        said = f"{finding['cell']}: {finding['sentence']}"
        sentences[finding["row"]] = said if before is None else f"{before} {said}"
    said_of = {
        "sentences": sentences,
        "heading": found["heading"],
        "error_column": found["error_column"],
        "language": _language(None),
    }
    write_file(Path(output), asyncio.run(_mark(said_of, file)))
    if not context.json:
        text.print_text(f"{output} is the list with a column of what is wrong.")


async def _mark(said: Mapping[str, Any], file: bytes) -> bytes:
    from gateway.workers import Pool

    pool = Pool(1)
    pool.start()
    try:
        _, marked = await pool.run("gateway.jobs:mark_list", said, blob=file, timeout=_SECONDS)
        return marked
    finally:
        await pool.close()


# --- export, template, undo ------------------------------------------------------------------------------


def run_export(context: Context, args: argparse.Namespace) -> int:
    """Write the rows of one type."""
    rows = context.client().get("/recipients", {"company": args.company, "type": args.type})
    types = sorted({row["type"] for row in rows})
    if len(types) > 1:
        raise Refused(f"The directory has rows for {', '.join(types)}: say which with --type, one file each.", "type")
    from gateway.cli.convert import write_file
    from gateway.workbook import writing

    write = writing.export_csv if args.output.lower().endswith(".csv") else writing.export
    write_file(Path(args.output), write(rows, _language(args.language)))
    comments = sum(row["number"].startswith("#") for row in rows)
    if comments:
        print(f"gateway: an import takes what begins with # for a comment: {_rows(comments)}.", file=sys.stderr)
    facts = {"file": args.output, "type": types[0] if types else args.type, "rows": len(rows)}
    if context.json:
        text.print_json(facts)
    else:
        of_type = f" for type {facts['type']}" if facts["type"] else ""
        text.print_text(f"{args.output}: {_rows(len(rows))}{of_type}.")
    return 0


def run_template(context: Context, args: argparse.Namespace) -> int:
    """Write the example; without a running gateway."""
    from gateway import doctypes
    from gateway.cli.convert import write_file
    from gateway.workbook import writing

    if args.type is not None and args.type != doctypes.ANY:
        doctypes.find(args.type)
    path = Path(args.output)
    if path.is_dir():
        path /= "exampleFile.xlsx"
    language = _language(args.language)
    write_file(path, writing.template(language, args.type))
    if context.json:
        text.print_json({"file": str(path), "language": language})
    else:
        command = f"gateway recipients import {path} --type {args.type or '…'}"
        text.print_text(f"{path}: fill it in below its comments, then `{command}`.")
    return 0


def _language(said: str | None) -> str:
    """The language asked for, else the locale's where we have it, else English."""
    if said is not None:
        return said
    name = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    code = locale.normalize(name)[:2].lower()
    return code if code in _LANGUAGES else "en"


def run_undo(context: Context, args: argparse.Namespace) -> int:
    """Take a batch back."""
    body = {"keep_changed": args.keep_changed, "reason": args.reason}
    answer = context.client().post(path_of("batches", args.batch, "undo"), body)
    if context.json:
        text.print_json(answer)
        return 0
    counts = answer["counts"]
    text.print_text(
        f"Batch {answer['batch']} is taken back: {_rows(counts['deleted'])} deleted, {counts['restored']:,} restored"
        + (f", {counts['kept']:,} left as they were changed since." if counts["kept"] else ".")
    )
    _say_released(answer["released"])
    return 0
