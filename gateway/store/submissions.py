"""Submissions: what was handed in, from the commit that answers the sender to the documents found in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.model import Accepted, Body, Came, Envelope, Fields, NewSubmission, Origin, Peer, Value, new_id
from gateway.store import content, documents, leases, pieces
from gateway.store.companies import company_id
from gateway.store.leases import Lease
from gateway.store.pieces import Piece
from gateway.store.schema import company, insert_into, submission, to_json, to_micros
from gateway.store.statement import Statement

DEDUPE_WINDOW = dt.timedelta(hours=24)  # design D19

_INSERT = insert_into(
    submission,
    "id company_id source channel envelope peer content_id file_name fields received_at state due_at leased_by "
    "leased_until tries dedupe",
)
_FIRST = Statement("SELECT id FROM submission WHERE dedupe = :dedupe AND received_at >= :since LIMIT 1")
_DONE = Statement(
    "UPDATE submission SET state = 'done', due_at = NULL, leased_by = NULL, leased_until = NULL"
    " WHERE id = :id AND state = 'received'"
)


class ClaimedSubmission(Value, frozen=True, kw_only=True):
    """A submission under lease: its documents are still to be found."""

    id: int
    company_id: int
    company: str
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
    origin: Origin | None = None  # of one of several in a file
    came: Came = Came()
    piece: Piece | None = None  # of a mail that came in pieces

    @property
    def size(self) -> int:
        """Bytes that it adds to the store."""
        return (self.body.size if self.body else 0) + sum(extra.body.size for extra in self.extras)


def accept(connection: Connection, new: NewSubmission, now: dt.datetime) -> Accepted:
    """Store a submission and its bytes, or find the first one that it repeats (design D1, D19).

    NotFound when the company of its source does not exist.
    """
    return accept_claimed(connection, new, now, None)[0]


def accept_claimed(
    connection: Connection, new: NewSubmission, now: dt.datetime, lease: Lease | None
) -> tuple[Accepted, ClaimedSubmission | None]:
    """As `accept`; with a `lease` the submission is born under it, and whoever holds it need not claim."""
    if new.dedupe is not None:
        first = _FIRST.value(connection, {"dedupe": new.dedupe, "since": to_micros(now - DEDUPE_WINDOW)})
        if first is not None:
            return Accepted(id=int(first), duplicate=True), None
    owner, content_id = company_id(connection, new.company), content.put(connection, new.body)
    _INSERT.run(
        connection,
        {
            "id": new.id,
            "company_id": owner,
            "source": new.source,
            "channel": new.channel,
            "envelope": to_json(new.envelope),
            "peer": to_json(new.peer),
            "content_id": content_id,
            "file_name": new.file_name,
            "fields": to_json(new.fields),
            "received_at": to_micros(new.received_at),
            "state": "received",
            "due_at": None if lease else to_micros(new.received_at),
            "leased_by": lease.owner if lease else None,
            "leased_until": to_micros(lease.until) if lease else None,
            "tries": 0,
            "dedupe": new.dedupe,
        },
    )
    return Accepted(id=new.id), _claimed(new, owner, content_id) if lease else None


def _claimed(new: NewSubmission, owner: int, content_id: int) -> ClaimedSubmission:
    return ClaimedSubmission(
        id=new.id,
        company_id=owner,
        company=new.company,
        source=new.source,
        channel=new.channel,
        envelope=new.envelope,
        peer=new.peer,
        content_id=content_id,
        size=new.body.size,
        file_name=new.file_name,
        fields=new.fields,
        received_at=new.received_at,
        tries=0,
    )


def claim(
    connection: Connection, owner: str, now: dt.datetime, until: dt.datetime, limit: int, budget: int = documents.BUDGET
) -> list[ClaimedSubmission]:
    """Lease at most `limit` submissions that are due, of about `budget` bytes, oldest first."""
    return _load(connection, leases.claim(connection, submission, owner, now, until, limit, budget))


def claim_work(
    connection: Connection, owner: str, now: dt.datetime, until: dt.datetime, limit: int, budget: int = documents.BUDGET
) -> tuple[list[documents.ClaimedDocument], list[ClaimedSubmission]]:
    """Lease at most `limit` documents that were released or woken and submissions, the documents first.

    They are about `budget` bytes together, but for one that is larger.
    """
    woken = documents.claim(connection, owner, now, until, limit, budget)
    left = budget - sum(document.size for document in woken)
    return woken, claim(connection, owner, now, until, limit - len(woken), left)


def _load(connection: Connection, ids: Sequence[int]) -> list[ClaimedSubmission]:
    if not ids:
        return []
    size = documents.content_size(submission.c.content_id)
    rows = connection.execute(
        sa.select(submission, company.c.name.label("company"), size)
        .join(company, company.c.id == submission.c.company_id)
        .where(submission.c.id.in_(ids))
        .order_by(submission.c.received_at)
    )
    return [
        ClaimedSubmission(
            id=row.id,
            company_id=row.company_id,
            company=row.company,
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
    """Store the documents found in a submission, leased to `owner`, and end the submission in the same commit.

    None of them when that is done already: the work of a lease that ran out comes too late.
    """
    if not end(connection, claimed.id):
        return []
    return [_document(connection, claimed, part, new, owner, now, until) for part, new in enumerate(found)]


def end(connection: Connection, submission_id: int) -> bool:
    """The documents of a submission are found; False when they had been found before."""
    return _DONE.run(connection, {"id": submission_id}).rowcount > 0


def document_of(
    claimed: ClaimedSubmission, new: NewDocument, content_id: int | None = None
) -> documents.ClaimedDocument:
    """A document of a submission as it will be stored; without `content_id` its bytes are the submission's own."""
    return documents.ClaimedDocument(
        id=new_id(),
        company_id=claimed.company_id,
        company=claimed.company,
        submission_id=claimed.id,
        source=claimed.source,
        channel=claimed.channel,
        envelope=claimed.envelope,
        peer=claimed.peer,
        content_id=claimed.content_id if content_id is None else content_id,
        size=claimed.size if new.body is None else new.body.size,
        file_name=new.file_name,
        media_type=new.media_type,
        fields=new.fields,
        extras=(),
        origin=new.origin,
        came=new.came,
        received_at=claimed.received_at,
        tries=0,
        version=1,
        resend_to=(),
    )


def _document(
    connection: Connection,
    claimed: ClaimedSubmission,
    part: int,
    new: NewDocument,
    owner: str,
    now: dt.datetime,
    until: dt.datetime,
) -> documents.ClaimedDocument:
    """Store one document of a submission; what `documents.load` would give, without asking for it."""
    content_id = None if new.body is None else content.put(connection, new.body)
    made = msgspec.structs.replace(
        document_of(claimed, new, content_id), extras=tuple(_extra(connection, file) for file in new.extras)
    )
    documents.insert(connection, made, part, owner, now, until)
    if new.piece is not None:
        pieces.insert(connection, made.id, new.piece)
    return made


def _extra(connection: Connection, file: NewFile) -> documents.Extra:
    return documents.Extra(
        name=file.name, media_type=file.body.media_type, content_id=content.put(connection, file.body)
    )


def give_back(connection: Connection, submission_id: int, due_at: dt.datetime, failed: bool) -> None:
    """End the lease without a result: the submission is due again at `due_at`; `failed` counts as a try."""
    leases.give_back(connection, submission, submission_id, due_at, failed)


def free_leases(connection: Connection, owner: str, now: dt.datetime) -> int:
    """Free what another boot of this gateway had leased, and what `owner` leased too long ago."""
    return leases.free(connection, submission, owner, now)
