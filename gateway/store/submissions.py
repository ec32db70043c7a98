"""Submissions: what was handed in, from the commit that answers the sender to the documents found in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.model import Accepted, Body, Envelope, Fields, NewSubmission, Peer, Value, new_id
from gateway.store import content, documents, leases
from gateway.store.companies import company_id
from gateway.store.schema import submission

DEDUPE_WINDOW = dt.timedelta(hours=24)  # design D19

_INSERT = sa.insert(submission)
_FIRST = (
    sa.select(submission.c.id)
    .where(submission.c.dedupe == sa.bindparam("dedupe"), submission.c.received_at >= sa.bindparam("since"))
    .limit(1)
)


class ClaimedSubmission(Value, frozen=True, kw_only=True):
    """A submission under lease: its documents are still to be found."""

    id: int
    company_id: int
    source: str
    channel: str
    envelope: Envelope
    peer: Peer
    content_id: int
    size: int
    file_name: str
    fields: Fields
    received_at: dt.datetime
    tries: int


class NewFile(Value, frozen=True, kw_only=True):
    """A file found in a submission."""

    name: str
    body: Body


class NewDocument(Value, frozen=True, kw_only=True):
    """A document found in a submission. Without `body` its bytes are the submission's own."""

    file_name: str
    media_type: str
    fields: Fields
    body: Body | None = None
    extras: tuple[NewFile, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that it adds to the store."""
        return (self.body.size if self.body else 0) + sum(extra.body.size for extra in self.extras)


def accept(connection: Connection, new: NewSubmission, now: dt.datetime) -> Accepted:
    """Store a submission and its bytes, or find the first one that it repeats (design D1, D19).

    NotFound when the company of its source does not exist.
    """
    if new.dedupe is not None:
        first = connection.execute(_FIRST, {"dedupe": new.dedupe, "since": now - DEDUPE_WINDOW}).scalar()
        if first is not None:
            return Accepted(id=int(first), duplicate=True)
    connection.execute(
        _INSERT,
        {
            "id": new.id,
            "company_id": company_id(connection, new.company),
            "source": new.source,
            "channel": new.channel,
            "envelope": new.envelope,
            "peer": new.peer,
            "content_id": content.put(connection, new.body),
            "file_name": new.file_name,
            "fields": new.fields,
            "received_at": new.received_at,
            "state": "received",
            "due_at": new.received_at,
            "tries": 0,
            "dedupe": new.dedupe,
        },
    )
    return Accepted(id=new.id)


def claim(
    connection: Connection, owner: str, now: dt.datetime, until: dt.datetime, limit: int
) -> list[ClaimedSubmission]:
    """Lease at most `limit` submissions that are due, oldest first."""
    return _load(connection, leases.claim(connection, submission, owner, now, until, limit))


def _load(connection: Connection, ids: Sequence[int]) -> list[ClaimedSubmission]:
    if not ids:
        return []
    size = documents.content_size(submission.c.content_id)
    rows = connection.execute(
        sa.select(submission, size).where(submission.c.id.in_(ids)).order_by(submission.c.received_at)
    )
    return [
        ClaimedSubmission(
            id=row.id,
            company_id=row.company_id,
            source=row.source,
            channel=row.channel,
            envelope=msgspec.convert(row.envelope, Envelope),
            peer=msgspec.convert(row.peer, Peer),
            content_id=row.content_id,
            size=row.size,
            file_name=row.file_name,
            fields=msgspec.convert(row.fields, Fields),
            received_at=row.received_at,
            tries=row.tries,
        )
        for row in rows
    ]


def finish(
    connection: Connection,
    claimed: ClaimedSubmission,
    found: Sequence[NewDocument],
    owner: str,
    now: dt.datetime,
    until: dt.datetime,
) -> list[documents.ClaimedDocument]:
    """Store the documents found in a submission, leased to `owner`, and end the submission in the same commit."""
    made = []
    for part, new in enumerate(found):
        content_id = claimed.content_id if new.body is None else content.put(connection, new.body)
        document_id = new_id()
        documents.insert(
            connection,
            {
                "id": document_id,
                "company_id": claimed.company_id,
                "submission_id": claimed.id,
                "content_id": content_id,
                "part": part,
                "file_name": new.file_name,
                "media_type": new.media_type,
                "received_at": claimed.received_at,
                "source": claimed.source,
                "fields": new.fields,
                "extras": [_extra(connection, file) for file in new.extras] or None,
                "state": "received",
                "leased_by": owner,
                "leased_until": until,
                "tries": 0,
                "version": 1,
                "updated_at": now,
            },
        )
        made.append(document_id)
    connection.execute(
        sa.update(submission)
        .where(submission.c.id == claimed.id)
        .values(state="done", due_at=None, leased_by=None, leased_until=None)
    )
    return documents.load(connection, made)


def _extra(connection: Connection, file: NewFile) -> documents.Extra:
    return documents.Extra(
        name=file.name, media_type=file.body.media_type, content_id=content.put(connection, file.body)
    )


def worker_died(connection: Connection, submission_id: int) -> int:
    """Count a worker that died over this submission; returns how many have."""
    return leases.worker_died(connection, submission, submission_id)


def give_back(connection: Connection, submission_id: int, due_at: dt.datetime) -> None:
    """End the lease without a result: the submission is due again at `due_at`."""
    leases.give_back(connection, submission, submission_id, due_at)


def free_leases(connection: Connection, owner: str, now: dt.datetime) -> int:
    """Free what another boot of this gateway had leased, and what `owner` leased too long ago."""
    return leases.free(connection, submission, owner, now)
