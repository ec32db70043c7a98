"""Lists of recipients: looked at first, then written as one batch, or taken back (R30-R46).

A list is read in a worker and compared with the directory piece by piece; nothing of it is written before `apply`. The
last few previews are kept in memory, packed; a restart forgets them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import itertools
import zlib
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from gateway import doctypes
from gateway.admin import domains
from gateway.admin.domains import Domains
from gateway.admin.pages import PAGE, Pages, pages
from gateway.admin.recipients import format_names
from gateway.admin.running import DEFAULT_COMPANY, Running, filter_of, ident, refuse_unknown, whole_number
from gateway.directory import number_key
from gateway.errors import NotFound, Refused, Temporary
from gateway.model import Recipient, new_id, show_id
from gateway.settings import Business
from gateway.store import batches, companies, traffic
from gateway.store import settings as stored_settings
from gateway.store.audit import Caller
from gateway.workbook.model import Finding, Listed, Options, Summary, column_of, pack, unpack
from gateway.workers import Died, Pool

KEPT = 4  # previews; the oldest gives way
SECONDS = 180.0  # for a list of a million rows
BEAT = 2.0  # seconds between two words while the file is read
_EVERY = 10  # frames between two words about how far it is
_KINDS = ("create", "update", "unchanged")


class Preview:
    """A list that was looked at: what it would do, row by row, and what is wrong with it."""

    def __init__(self, company: str, company_id: int, name: str, sha256: bytes, options: Options) -> None:
        self.id = new_id()
        self.company, self.company_id = company, company_id
        self.name, self.sha256, self.options = name, sha256, options
        self.counts = dict.fromkeys((*_KINDS, "warnings", "errors", "comments", "blanks", "rows"), 0)
        self.summary: Summary
        self.waiting: set[int] = set()  # held documents that would go on
        self.domains = Domains()
        self.elsewhere: set[int] = set()  # documents of the last weeks that would go to other addresses
        self._findings: list[bytes] = []
        self._planned: list[bytes] = []

    def begin(self, summary: Summary) -> None:
        """Take over what the worker counted."""
        self.summary = summary
        for name in ("warnings", "errors", "comments", "blanks", "rows"):
            self.counts[name] = getattr(summary, name)

    def note(self, findings: Sequence[Finding]) -> None:
        """Keep findings; those of the comparison count as warnings here."""
        if findings:
            self._findings.append(zlib.compress(pack(findings), 1))

    def plan(self, rows: Sequence[batches.Planned]) -> None:
        """Keep what becomes of some rows."""
        for row in rows:
            self.counts[row.kind] += 1
            self.domains.note(row, self.summary.columns)
        self._planned.append(zlib.compress(pack(rows), 1))

    def findings(self) -> Iterator[Finding]:
        """Everything that was found, by row as far as the file itself tells it."""
        for packed in self._findings:
            for rows, _ in unpack(zlib.decompress(packed), Finding):
                yield from rows

    def __iter__(self) -> Iterator[batches.Planned]:
        """What becomes of each row, from the start each time: a transaction may be tried again."""
        for packed in self._planned:
            for rows, _ in unpack(zlib.decompress(packed), batches.Planned):
                yield from rows

    def show(self) -> dict[str, Any]:
        """The preview without its rows."""
        return {
            "id": show_id(self.id),
            "company": self.company,
            "type": self.options.type,
            "file": self.name,
            "sha256": self.sha256.hex(),
            "sheet": self.summary.sheet,
            "columns": self.summary.columns,
            "heading": self.summary.heading,
            "error_column": self.summary.error_column,
            "counts": self.counts,
            "would_release": len(self.waiting),
            "would_go_elsewhere": len(self.elsewhere),
        }


# --- looking ---------------------------------------------------------------------------------------------


async def preview(running: Running, query: Mapping[str, str], blob: bytes) -> AsyncGenerator[dict[str, Any], None]:
    """Look at the list `blob`: dicts that say how far it is, the last of them the preview, with `state` "ready".

    `query`: `type` (needed), `company`, `name` of the file, `comments` = skip or reject, `ignore` (letters of columns),
    `domains` = check or skip.
    """
    refuse_unknown(query, ("company", "type", "name", "comments", "ignore", "domains"))
    resolver = domains.wanted(running, query.get("domains"))
    company = query.get("company") or DEFAULT_COMPANY
    company_id = await running.store.read(_company, company)
    options = _options(running, query)
    found = Preview(company, company_id, query.get("name") or "list", hashlib.sha256(blob).digest(), options)
    yield {"state": "reading", "bytes": len(blob)}
    reading = asyncio.create_task(_read(_pool(running), options, blob), name="read-list")
    try:
        while not (await asyncio.wait({reading}, timeout=BEAT))[0]:
            yield {"state": "reading", "bytes": len(blob)}
        said, frames = reading.result()
    finally:
        reading.cancel()
    found.begin(msgspec.convert(said, Summary))
    rows_start = 0
    for findings, end in unpack(frames, Finding, 0, found.summary.finding_frames):
        found.note(findings)
        rows_start = end
    async for done in _compare_all(running, found, frames, rows_start):
        yield {"state": "comparing", "done": done, "total": found.summary.rows}
    if resolver is not None and found.domains.places:
        yield {"state": "asking", "done": 0, "total": len(found.domains.places)}
        odd = await domains.warnings(resolver, found.domains, found.summary.columns)
        found.note(odd)
        found.counts["warnings"] += len(odd)
    _keep(running, found)
    yield {"state": "ready", **found.show()}


def _company(connection: Connection, name: str) -> int:
    """The company's id; Refused when it may not import lists (R30)."""
    company_id = companies.company_id(connection, name)
    if not Business.of("", stored_settings.values(connection, company_id), "").advanced:
        raise Refused("Lists can only be imported when the company is advanced: set `advanced` true first.", "company")
    return company_id


def _options(running: Running, query: Mapping[str, str]) -> Options:
    type_ = (query.get("type") or "").strip().lower()
    if not type_:
        raise Refused("The document type is missing: a list is for one type, or for any.", "type")
    if type_ != doctypes.ANY:
        doctypes.find(type_)
    comments = query.get("comments") or "skip"
    if comments not in ("skip", "reject"):
        raise Refused(f"comments is skip or reject, not {comments!r}.", "comments")
    return Options(
        type=type_,
        types=doctypes.names(),
        formats=format_names(),
        today=running.now().date().isoformat(),
        reject_comments=comments == "reject",
        ignore=_ignored(query.get("ignore") or ""),
    )


def _ignored(said: str) -> tuple[str, ...]:
    names = tuple(name.strip().upper() for name in said.split(",") if name.strip())
    for name in names:
        if not column_of(name):
            raise Refused(f"A column to pass over is named by its letters, such as C, not {name!r}.", "ignore")
    return names


def _pool(running: Running) -> Pool:
    if running.pool is None:
        raise Temporary("This gateway has no worker processes, which lists are read in.")
    return running.pool


async def _read(pool: Pool, options: Options, blob: bytes) -> tuple[Any, bytes]:
    try:
        said = msgspec.to_builtins(options)
        return await pool.run("gateway.jobs:read_list", said, blob=blob, timeout=SECONDS)
    except Died as death:
        if death.reason == "crash":
            raise
        limit = "memory" if death.reason == "memory" else "time"
        raise Refused(f"The list needs more {limit} than a file may use: cut it into several.", "file") from death


async def _compare_all(running: Running, found: Preview, frames: bytes, start: int) -> AsyncGenerator[int, None]:
    """Compare frame by frame, so that the loop never waits long; gives the number of rows done now and then."""
    done = 0
    for number, (rows, _) in enumerate(unpack(frames, Listed, start)):
        planned, odd, waiting, elsewhere = await running.store.read(_compare, found, rows, running.now())
        found.plan(planned)
        found.note(odd)
        found.counts["warnings"] += len(odd)
        found.waiting |= waiting
        found.elsewhere |= elsewhere
        done += len(rows)
        if number % _EVERY == 0:
            yield done


def _compare(
    connection: Connection, found: Preview, rows: Sequence[Listed], now: dt.datetime
) -> tuple[list[batches.Planned], list[Finding], set[int], set[int]]:
    """What becomes of some rows; oddities that only the directory shows; documents that wait for what changes; and
    those of the last weeks that would go elsewhere."""
    there = batches.rows_with_numbers(connection, found.company_id, found.options.type, [row.number for row in rows])
    by_number = {row.number: row for row in there}
    planned = [_planned(row, by_number.get(row.number), found) for row in rows]
    odd = _oddities(found, planned, there) if there else []
    changing = [row.recipient.number for row in planned if row.writes]
    if not changing:
        return planned, odd, set(), set()
    waiting = batches.count_waiting(connection, found.company_id, changing)
    return planned, odd, waiting, _elsewhere(connection, found, planned, now)


def _oddities(found: Preview, planned: Sequence[batches.Planned], there: Sequence[Recipient]) -> list[Finding]:
    """A warning for each new number that is in the directory with other zeros."""
    by_key = {number_key(row.number): row.number for row in there}
    odd = []
    for row in planned:
        twin = by_key.get(number_key(row.recipient.number)) if row.kind == "create" else None
        if twin is not None:
            sentence = f"The directory has {twin} already, which differs from {row.recipient.number} only in its zeros."
            cell = f"{found.summary.columns['number']}{row.line}"
            odd.append(Finding(row=row.line, cell=cell, code="W-ZEROS", sentence=sentence))
    return odd


def _elsewhere(
    connection: Connection, found: Preview, planned: Sequence[batches.Planned], now: dt.datetime
) -> set[int]:
    moved = [
        row for row in planned if row.writes and (row.was is None or not row.was.keys().isdisjoint(("email", "cc")))
    ]
    new = {row.recipient.number: {*row.recipient.email, *row.recipient.cc} for row in moved}
    return traffic.elsewhere(connection, found.company_id, found.options.type, new, now) if new else set()


def _planned(row: Listed, old: Recipient | None, found: Preview) -> batches.Planned:
    """The columns of the file decide, an empty cell too; what has no column stays as it is."""
    said: dict[str, Any] = {name: getattr(row, name) for name in found.summary.columns}
    if old is None:
        return batches.Planned("create", row.row, Recipient(type=found.options.type, **said))
    new = msgspec.structs.replace(old, **said)
    if new == old:
        return batches.Planned("unchanged", row.row, old)
    was = {name: getattr(old, name) for name in said if getattr(old, name) != said[name]}
    return batches.Planned("update", row.row, new, was)


# --- the previews that are kept --------------------------------------------------------------------------


def _keep(running: Running, found: Preview) -> None:
    running.previews[found.id] = found
    while len(running.previews) > KEPT:
        del running.previews[next(iter(running.previews))]


def _kept(running: Running, id_: str) -> Preview:
    found: Preview | None = running.previews.get(ident(id_))
    if found is None:
        raise NotFound("This preview is gone: look at the list again.", "id")
    return found


async def show_preview(running: Running, id_: str) -> dict[str, Any]:
    """A preview that is kept, without its rows."""
    return _kept(running, id_).show()


def list_findings(running: Running, id_: str, query: Mapping[str, str]) -> Pages:
    """Every error and warning of a preview: `row`, `cell`, `code`, `sentence`; `offset` and `limit` cut a piece out."""
    return _pieces(map(msgspec.to_builtins, _kept(running, id_).findings()), query)


def list_changes(running: Running, id_: str, query: Mapping[str, str]) -> Pages:
    """Every row that a preview creates or updates: `row`, `cell`, `kind`, `number`, `was`, `becomes`; `offset` and
    `limit` cut a piece out."""
    found = _kept(running, id_)
    return _pieces((planned for planned in found if planned.writes), query, lambda planned: _change(found, planned))


async def _pieces(rows: Iterator[Any], query: Mapping[str, str], show: Callable[[Any], Any] = lambda row: row) -> Pages:
    """The rows from `offset` on, at most `limit`, page by page."""
    refuse_unknown(query, ("offset", "limit"))
    start = whole_number(query["offset"], "offset") if query.get("offset") else 0
    stop = start + whole_number(query["limit"], "limit") if query.get("limit") else None
    page: list[dict[str, Any]] = []
    for row in itertools.islice(rows, start, stop):
        page.append(show(row))
        if len(page) == PAGE:
            yield page
            page = []
    yield page


def _change(found: Preview, planned: batches.Planned) -> dict[str, Any]:
    names = tuple(planned.was) if planned.was is not None else tuple(found.summary.columns)
    first = names[0] if planned.was is not None else "number"
    becomes = {name: getattr(planned.recipient, name) for name in names}
    return {
        "row": planned.line,
        "cell": f"{found.summary.columns[first]}{planned.line}",
        "kind": planned.kind,
        "number": planned.recipient.number,
        "was": planned.was,
        "becomes": {name: value for name, value in becomes.items() if planned.was is not None or value},
    }


# --- writing ---------------------------------------------------------------------------------------------


async def apply(running: Running, who: Caller, id_: str) -> dict[str, Any]:
    """Write a preview as one batch: `batch` (its id, None when nothing changes), `counts`, `released`.

    Refused when the list has an error; Conflict when a row that the preview showed was changed since.
    """
    found = _kept(running, id_)
    errors = found.counts["errors"]
    if errors:
        raise Refused(f"The list has {errors} error{'s' if errors > 1 else ''}: nothing is imported.", "file")
    if not found.counts["create"] + found.counts["update"]:
        return {"batch": None, "counts": found.counts, "released": 0}
    written = await running.store.write(_apply, found, who, running.now())
    running.previews.pop(found.id, None)
    if written.released:
        running.nudge()
    return {"batch": show_id(written.id), "counts": written.counts, "released": written.released}


def _apply(connection: Connection, found: Preview, who: Caller, now: dt.datetime) -> batches.Written:
    company_id = _company(connection, found.company)
    new = batches.NewBatch(
        company_id=company_id, type=found.options.type, file_name=found.name, sha256=found.sha256, counts=found.counts
    )
    return batches.write(connection, new, found, who, now)


async def undo(running: Running, who: Caller, id_: str, values: Mapping[str, object]) -> dict[str, Any]:
    """Take a batch back: `counts` of rows deleted, restored and kept, `released`.

    Conflict when rows were changed since the import; with `keep_changed` true those stay as they are.
    """
    refuse_unknown(values, ("keep_changed",))
    keep = values.get("keep_changed") or False
    if not isinstance(keep, bool):
        raise Refused("keep_changed is true or false.", "keep_changed")
    written = await running.store.write(batches.undo, ident(id_), keep, who, running.now())
    if written.released:
        running.nudge()
    return {"batch": show_id(written.id), "counts": written.counts, "released": written.released}


def list_batches(running: Running, query: Mapping[str, str]) -> Pages:
    """The batches, newest first: `company`, `before`, `limit`."""
    return pages(running, batches.list_batches, filter_of(batches.Filter, query), "before")
