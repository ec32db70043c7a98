"""Removing what has ended and is old: first contents, much later rows. `gateway.retention` calls these, slowly.

The unit is a submission with all that came of it. A walk goes over them by id, which is their age, and remembers in
`meta` how far it came; what is not finished when the walk passes (held for a long time, sent again) is noted as a
`straggler` and looked at in every later run. So each run costs what became old since the last one, and no index slows
down those who accept. Each step is one transaction: after a kill the next run goes on where the last commit ended.

A content that is removed keeps its row, with size, hash and `pruned_at`: references to it stay right, and people read
when it was removed instead of finding nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from gateway.model import DeliveryState, DocumentState, Value
from gateway.store import audit, schema
from gateway.store.columns import first_id
from gateway.store.schema import (
    content,
    content_chunk,
    delivery,
    document,
    dropped,
    message,
    meta,
    metadata,
    straggler,
    submission,
    to_micros,
)

Kind = Literal["content", "rows"]
BYTES = 8 << 20  # of contents that one step removes, but for a submission that is larger

_ENDED = (DocumentState.SENT, DocumentState.PARTLY_SENT, DocumentState.BOUNCED, DocumentState.CANCELLED)
_GOING = tuple(state for state in DocumentState if state not in _ENDED)
_OVER = (DeliveryState.SENT, DeliveryState.BOUNCED, DeliveryState.CANCELLED)
_CURSOR = "retention_cursor_{}"
_TALLY = "retention_tally"
_SEEN = "retention_seen"


class Removed(Value, frozen=True, kw_only=True):
    """What was removed, and how far a walk came."""

    contents: int = 0
    bytes: int = 0
    documents: int = 0  # rows, with their submissions, messages, deliveries and attempts
    files: int = 0  # of drop folders, in `.done/`
    ledger: int = 0  # rows of the drop folders' ledger
    last: int = 0  # id of the last submission looked at
    more: bool = False

    def __add__(self, other: Removed) -> Removed:
        names = ("contents", "bytes", "documents", "files", "ledger")
        return Removed(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def __bool__(self) -> bool:
        return any((self.contents, self.documents, self.files, self.ledger))


# --- the walk --------------------------------------------------------------------------------------------


def step(connection: Connection, kind: Kind, before: dt.datetime, now: dt.datetime, limit: int) -> Removed:
    """Look at the next submissions that came before `before`, and remove contents or rows of those that ended then."""
    cursor = int(_get(connection, _CURSOR.format(kind)) or 0)
    where = (submission.c.id > cursor, submission.c.id < first_id(before))
    ids = _some(connection, sa.select(submission.c.id).where(*where).order_by(submission.c.id).limit(limit))
    if not ids:
        return Removed()
    finished = _finished(connection, ids, before)
    late = [{"kind": kind, "submission_id": each} for each in ids if each not in finished]
    if late:
        connection.execute(insert(straggler).on_conflict_do_nothing(), late)
    _set(connection, _CURSOR.format(kind), str(ids[-1]))
    return _remove(connection, kind, finished, now, last=ids[-1])


def step_stragglers(
    connection: Connection, kind: Kind, after: int, before: dt.datetime, now: dt.datetime, limit: int
) -> Removed:
    """The same for those that were not finished when the walk passed, with an id above `after`."""
    where = (straggler.c.kind == kind, straggler.c.submission_id > after)
    listed = sa.select(straggler.c.submission_id).where(*where).order_by(straggler.c.submission_id).limit(limit)
    ids = _some(connection, listed)
    if not ids:
        return Removed()
    finished = _finished(connection, ids, before)
    connection.execute(
        sa.delete(straggler).where(straggler.c.kind == kind, straggler.c.submission_id.in_(list(finished)))
    )
    return _remove(connection, kind, finished, now, last=ids[-1])


def _some(connection: Connection, listed: Any) -> list[int]:
    """The ids of the list, as many as have about `BYTES` of content."""
    ids = [int(each) for each in connection.execute(listed).scalars()]
    sized = sa.select(submission.c.id, content.c.size).join(content, content.c.id == submission.c.content_id)
    sizes = {row.id: row.size for row in connection.execute(sized.where(submission.c.id.in_(ids)))}
    total = 0
    kept: list[int] = []
    for each in ids:
        total += 3 * sizes.get(each, 0)  # what came in, the documents in it, the message that left
        if kept and total > BYTES:
            break
        kept.append(each)
    return kept


def _finished(connection: Connection, ids: Sequence[int], before: dt.datetime) -> list[int]:
    """Those of which nothing is under way, held or younger than `before`."""
    young = to_micros(before)
    waiting = sa.select(submission.c.id).where(
        submission.c.id.in_(ids),
        sa.or_(submission.c.state != "done", _at(submission.c.received_at) >= young),
    )
    documents = sa.select(document.c.submission_id).where(
        document.c.submission_id.in_(ids),
        sa.or_(document.c.state.not_in(_ENDED), _at(document.c.updated_at) >= young),
    )
    deliveries = (
        sa.select(document.c.submission_id)
        .join(delivery, delivery.c.document_id == document.c.id)
        .where(
            document.c.submission_id.in_(ids),
            sa.or_(delivery.c.state.not_in(_OVER), _at(delivery.c.updated_at) >= young),
        )
    )
    there = set(connection.execute(sa.select(submission.c.id).where(submission.c.id.in_(ids))).scalars())
    open_ = set(connection.execute(sa.union_all(waiting, documents, deliveries)).scalars())
    return [each for each in ids if each in there and each not in open_]


def _at(column: Any) -> Any:
    return sa.type_coerce(column, sa.BigInteger)


def _remove(connection: Connection, kind: Kind, ids: Sequence[int], now: dt.datetime, last: int) -> Removed:
    removed = Removed()
    if ids:
        removed = _empty(connection, ids, now)
        if kind == "rows":
            removed += _delete_rows(connection, ids)
        _count(connection, removed)
    return msgspec.structs.replace(removed, last=last, more=True)


# --- contents --------------------------------------------------------------------------------------------


def _contents(connection: Connection, ids: Sequence[int]) -> list[int]:
    """The contents of submissions: what came in, the documents found in it, what was sent."""
    found = set(connection.execute(sa.select(submission.c.content_id).where(submission.c.id.in_(ids))).scalars())
    columns = sa.select(document.c.content_id, document.c.extras).where(document.c.submission_id.in_(ids))
    for row in connection.execute(columns):
        found.add(row.content_id)
        found.update(int(extra["content_id"]) for extra in row.extras or ())
    sent = sa.select(message.c.content_id).join(document, document.c.id == message.c.document_id)
    found.update(connection.execute(sent.where(document.c.submission_id.in_(ids))).scalars())
    return sorted(found)


def _empty(connection: Connection, ids: Sequence[int], now: dt.datetime) -> Removed:
    """Remove the bytes of submissions that are finished, and say so in the contents' rows."""
    contents = _contents(connection, ids)
    full = sa.and_(content.c.id.in_(contents), content.c.pruned_at.is_(None))
    sizes = list(connection.execute(sa.select(content.c.size).where(full)).scalars())
    connection.execute(sa.update(content).where(full).values(pruned_at=now))
    connection.execute(sa.delete(content_chunk).where(content_chunk.c.content_id.in_(contents)))
    of_these = sa.select(document.c.id).where(document.c.submission_id.in_(ids))
    connection.execute(
        sa.update(message).where(message.c.document_id.in_(of_these), message.c.header.is_not(None)).values(header=None)
    )
    return Removed(contents=len(sizes), bytes=sum(sizes))


# --- rows ------------------------------------------------------------------------------------------------


def _delete_rows(connection: Connection, ids: Sequence[int]) -> Removed:
    """Delete submissions with every row that refers to them, through however many tables."""
    contents = _contents(connection, ids)
    count = sa.select(sa.func.count()).select_from(document).where(document.c.submission_id.in_(ids))
    documents = int(connection.execute(count).scalar_one())
    doomed: dict[sa.Table, Any] = {submission: submission.c.id.in_(ids)}
    for table in metadata.sorted_tables:  # those that are referred to come first
        ways = [
            key.parent.in_(sa.select(key.column).where(doomed[key.column.table]))
            for key in table.foreign_keys
            if key.column.table in doomed
        ]
        if ways and table is not submission:
            doomed[table] = sa.or_(*ways)
    for table in reversed(metadata.sorted_tables):
        if table in doomed:
            connection.execute(sa.delete(table).where(doomed[table]))
    connection.execute(sa.delete(content).where(content.c.id.in_(contents)))
    connection.execute(sa.delete(straggler).where(straggler.c.submission_id.in_(ids)))
    return Removed(documents=documents)


def prune_ledger(connection: Connection, before: dt.datetime, limit: int) -> Removed:
    """Delete rows of files that lie where they belong since before `before`."""
    old = sa.select(dropped.c.id).where(dropped.c.id < first_id(before), dropped.c.state == "done")
    done = connection.execute(sa.delete(dropped).where(dropped.c.id.in_(old.order_by(dropped.c.id).limit(limit))))
    removed = Removed(ledger=done.rowcount, more=done.rowcount == limit)
    _count(connection, removed)
    return removed


# --- files -----------------------------------------------------------------------------------------------


def unfinished_files(connection: Connection, source: str) -> list[tuple[int, bytes]]:
    """Size and SHA-256 of what came through a drop folder and has not ended: its file in `.done/` stays."""
    going = sa.union(
        sa.select(submission.c.id).where(submission.c.due_at.is_not(None)),
        sa.select(submission.c.id).where(submission.c.leased_until.is_not(None)),
        sa.select(document.c.submission_id).where(document.c.state.in_(_GOING)),
    )
    files = sa.select(content.c.size, content.c.sha256).join(submission, submission.c.content_id == content.c.id)
    mine = (submission.c.id.in_(going), submission.c.source == source, submission.c.channel == "folder")
    return [(row.size, row.sha256) for row in connection.execute(files.where(*mine))]


def count_files(connection: Connection, files: int) -> None:
    """Count files that were deleted from `.done/`."""
    _count(connection, Removed(files=files))


# --- what was removed ------------------------------------------------------------------------------------


def _count(connection: Connection, removed: Removed) -> None:
    """Add to what the audit will say, in the commit that removes it."""
    if removed:
        before = msgspec.json.decode(_get(connection, _TALLY) or "{}", type=Removed)
        _set(connection, _TALLY, msgspec.json.encode(before + removed).decode())


def settle(connection: Connection, who: audit.Caller, limits: dict[str, int], now: dt.datetime) -> Removed:
    """Write one audit row for what was removed since the last, if anything was; returns it."""
    removed = msgspec.json.decode(_get(connection, _TALLY) or "{}", type=Removed)
    _set(connection, _SEEN, str(to_micros(now)))
    if not removed:
        return removed
    counts = {name: getattr(removed, name) for name in ("contents", "bytes", "documents", "files", "ledger")}
    audit.record(connection, who, "retention.remove", "store", None, {**counts, **limits}, now)
    _set(connection, _TALLY, "{}")
    return removed


def last_seen(connection: Connection) -> dt.datetime | None:
    """The latest time that is known to have been: of the last run, or of the newest submission or audit row."""
    last = sa.select(_at(schema.audit.c.at)).order_by(schema.audit.c.seq.desc()).limit(1)
    newest = connection.execute(last).scalar()
    came = connection.execute(
        sa.select(_at(submission.c.received_at)).order_by(submission.c.id.desc()).limit(1)
    ).scalar()
    known = [int(each) for each in (_get(connection, _SEEN), newest, came) if each is not None]
    return dt.datetime.fromtimestamp(max(known) / 1e6, dt.UTC) if known else None


# --- space -----------------------------------------------------------------------------------------------


class Space(Value, frozen=True, kw_only=True):
    """How much the database takes, and since when the oldest content is there."""

    bytes: int
    free: int  # bytes inside the file that the next contents fill
    oldest: dt.datetime | None


def space(connection: Connection) -> Space:
    """What `gateway status` says of it."""
    size, pages, free = (_pragma(connection, name) for name in ("page_size", "page_count", "freelist_count"))
    cursor = int(_get(connection, _CURSOR.format("content")) or 0)
    late = sa.select(sa.func.min(straggler.c.submission_id)).where(straggler.c.kind == "content").scalar_subquery()
    first = sa.select(sa.func.min(submission.c.id)).where(submission.c.id > cursor).scalar_subquery()
    came = sa.select(sa.func.min(_at(submission.c.received_at))).where(submission.c.id.in_((late, first)))
    oldest = connection.execute(came).scalar()
    return Space(
        bytes=size * pages,
        free=size * free,
        oldest=None if oldest is None else dt.datetime.fromtimestamp(oldest / 1e6, dt.UTC),
    )


def shrink(connection: Connection, size: int) -> bool:
    """Give `size` free bytes back to the file system where more than a quarter of the file is free; False when not.

    What is less is left: the next contents fill it sooner than a file shrinks and grows.
    """
    pages = size // _pragma(connection, "page_size")
    free, whole = _pragma(connection, "freelist_count"), _pragma(connection, "page_count")
    if free <= max(whole // 4, pages):
        return False
    for _ in range(pages):
        # Asked for more, SQLite gives one page at each step of the statement, and Python makes one step.
        connection.exec_driver_sql("PRAGMA incremental_vacuum(1)")
    return True


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0)


def _get(connection: Connection, key: str) -> str | None:
    value = connection.execute(sa.select(meta.c.value).where(meta.c.key == key)).scalar()
    return None if value is None else str(value)


def _set(connection: Connection, key: str, value: str) -> None:
    statement = insert(meta).values(key=key, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
