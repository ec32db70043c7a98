"""The ledger of the drop folders: one row per file, written before the file is touched.

A row's life: `claiming` (written before the rename into `.work/`; `claimed` is read the same way) → `accepted`, in the
transaction that stores the submission, or `refused` with the reason → `done` once the file lies in `.done/` or
`.failed/`. `intake.dropfolder` has the table of what recovery does in each state.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from gateway.errors import NotFound
from gateway.model import Accepted, NewSubmission, Value, show_id
from gateway.store import submissions
from gateway.store.schema import dropped, to_micros
from gateway.store.statement import Statement

_SEPARATOR = b"\0"  # no file name holds it
_ACCEPTED = Statement("SELECT submission_id, reason FROM dropped WHERE id = :id")
_ACCEPT = Statement(
    "UPDATE dropped SET state = 'accepted', submission_id = :submission_id, sha256 = :sha256, reason = :reason,"
    " updated_at = :now WHERE id = :id"
)


class Dropped(Value, frozen=True, kw_only=True):
    """One file on its way through the folder. Names are bytes relative to the folder: they need not be UTF-8."""

    id: int
    source: str
    path: bytes
    sidecar: bytes | None = None  # relative name of the file of fields that came with it
    trigger: bytes | None = None  # relative name of the file that said it is complete
    work_name: str  # its name under .work/
    inode: int
    size: int  # bytes
    mtime_ns: int
    state: str = "claiming"
    submission_id: int | None = None
    reason: str | None = None  # why it is or will be refused, or what is to be said about its acceptance
    updated_at: dt.datetime | None = None

    @property
    def open(self) -> bool:
        """Whether its submission is still to be stored."""
        return self.state in ("claiming", "claimed")


def claiming(connection: Connection, rows: Sequence[Dropped], now: dt.datetime) -> None:
    """Write down files that are about to be taken."""
    connection.execute(
        sa.insert(dropped),
        [
            {
                "id": row.id,
                "source": row.source,
                # What came with it stands in the same column: whether a file comes with fields must be known
                # after a crash, or it would go out without them.
                "path_key": _SEPARATOR.join((row.path, row.sidecar or b"", row.trigger or b"")).rstrip(_SEPARATOR),
                "work_name": row.work_name,
                "inode": row.inode,
                "size": row.size,
                "mtime_ns": row.mtime_ns,
                "state": row.state,
                "reason": row.reason,
                "updated_at": now,
            }
            for row in rows
        ],
    )


def accept_dropped(connection: Connection, dropped_id: int, new: NewSubmission, now: dt.datetime) -> Accepted:
    """Store a dropped file's submission and mark its row `accepted`, in one transaction.

    A row that is accepted already answers with its submission. NotFound when the row or the company is missing.
    """
    row = _ACCEPTED.run(connection, {"id": dropped_id}).fetchone()
    if row is None:
        raise NotFound(f"there is no dropped file {show_id(dropped_id)}")
    submission_id, reason = row
    if submission_id is not None:
        return Accepted(id=submission_id, duplicate=reason is not None)
    accepted = submissions.accept(connection, new, now)
    _ACCEPT.run(
        connection,
        {
            "id": dropped_id,
            "submission_id": accepted.id,
            "sha256": new.body.sha256,
            "reason": f"This is a duplicate of {show_id(accepted.id)}." if accepted.duplicate else None,
            "now": to_micros(now),
        },
    )
    return accepted


def refuse(connection: Connection, dropped_id: int, reason: str, now: dt.datetime) -> None:
    """Mark a file that cannot be accepted; `reason` is one sentence."""
    _set(connection, [dropped_id], now, state="refused", reason=reason)


def finish(connection: Connection, ids: Sequence[int], now: dt.datetime) -> None:
    """Mark files that lie where they belong, in `.done/` or `.failed/`."""
    _set(connection, ids, now, state="done")


def forget(connection: Connection, ids: Sequence[int]) -> None:
    """Remove the rows of files that were not taken after all: they are where they were."""
    connection.execute(sa.delete(dropped).where(dropped.c.id.in_(ids)))


def open_rows(connection: Connection, source: str) -> list[Dropped]:
    """The rows of `source` that are not done, oldest first: what a crash may have left half way."""
    where = (dropped.c.source == source, sa.text("state <> 'done'"))  # as the partial index says it
    return [_load(row) for row in connection.execute(sa.select(dropped).where(*where).order_by(dropped.c.id))]


def find(connection: Connection, source: str, work_name: str) -> Dropped | None:
    """The row of the file that bears `work_name` under `.work/`, in whatever state."""
    where = (dropped.c.source == source, dropped.c.work_name == work_name)
    row = connection.execute(sa.select(dropped).where(*where)).first()
    return None if row is None else _load(row)


def _set(connection: Connection, ids: Sequence[int], now: dt.datetime, **values: object) -> None:
    connection.execute(sa.update(dropped).where(dropped.c.id.in_(ids)).values(updated_at=now, **values))


def _load(row: Row[Any]) -> Dropped:
    path, _, beside = row.path_key.partition(_SEPARATOR)
    sidecar, _, trigger = beside.partition(_SEPARATOR)
    return Dropped(
        id=row.id,
        source=row.source,
        path=path,
        sidecar=sidecar or None,
        trigger=trigger or None,
        work_name=row.work_name,
        inode=row.inode,
        size=row.size,
        mtime_ns=row.mtime_ns,
        state=row.state,
        submission_id=row.submission_id,
        reason=row.reason,
        updated_at=row.updated_at,
    )
