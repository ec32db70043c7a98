"""Documents: found, held and woken, sent again, cancelled. `messages` queues them, `views` lists and shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import NotFound, Refused
from gateway.model import Came, DeliveryState, DocumentState, Envelope, Fields, Origin, Peer, ReadDocument, Step, Value
from gateway.store import content, leases, meta
from gateway.store.schema import company, delivery, document, insert_into, submission, to_json, to_micros, wake
from gateway.store.schema import content as content_table

_INSERT = insert_into(
    document,
    "id company_id submission_id content_id part file_name media_type received_at source fields extras origin came "
    "state leased_by leased_until tries version updated_at reading format type number customer_number trace",
)
_NOTHING = dict.fromkeys(("reading", "format", "type", "number", "customer_number", "trace"))  # is learnt yet
_ENDED = (DocumentState.SENT, DocumentState.PARTLY_SENT, DocumentState.BOUNCED, DocumentState.CANCELLED)
BUDGET = 64 << 20  # bytes of one claim
CANCEL = "cancel"  # cause of a delivery on the wire that is cancelled once it comes back
_OPEN_DELIVERIES = (DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.HELD)


class Extra(Value, frozen=True, kw_only=True):
    """A file that came with a document and is sent with it (`F-77.pdf` beside `F-77.xml`)."""

    name: str
    media_type: str
    content_id: int


class ClaimedDocument(Value, frozen=True, kw_only=True):
    """A document under lease, with what its submission says of it."""

    id: int
    company_id: int
    company: str
    submission_id: int
    source: str
    channel: str
    envelope: Envelope
    peer: Peer
    content_id: int
    size: int
    file_name: str
    media_type: str
    fields: Fields
    extras: tuple[Extra, ...]
    origin: Origin | None
    received_at: dt.datetime
    tries: int
    version: int
    resend_to: tuple[str, ...]
    came: Came = Came()


class Finding(Value, frozen=True, kw_only=True):
    """What the pipeline learnt of a document, kept with it whether it goes or is held."""

    reading: ReadDocument | None = None  # without its invoice
    type: str | None = None
    number: str | None = None
    customer_number: str | None = None
    trace: tuple[Step, ...] = ()


class Hold(Value, frozen=True, kw_only=True):
    """Why a document cannot go on, and the events that would change that."""

    cause: str
    sentence: str
    wakes: tuple[str, ...] = ()
    ends: bool = False  # it is no document and nobody is waited for: the sentence ends it


def content_size(column: Any) -> Any:
    """A select column: the size in bytes of the content that `column` names."""
    return sa.select(content_table.c.size).where(content_table.c.id == column).scalar_subquery().label("size")


def insert(
    connection: Connection, made: ClaimedDocument, part: int, owner: str, now: dt.datetime, until: dt.datetime
) -> None:
    """Store the row of a document found as number `part` of its submission, leased to `owner`."""
    lease = {"state": DocumentState.RECEIVED, "leased_by": owner, "leased_until": to_micros(until)}
    _INSERT.run(connection, _row(made, part, now) | lease | _NOTHING)


def insert_queued(connection: Connection, made: ClaimedDocument, found: Finding, now: dt.datetime) -> None:
    """Store the row of the one document of its submission, whose message is about to be stored."""
    ended = {"state": DocumentState.QUEUED, "leased_by": None, "leased_until": None}
    _INSERT.run(connection, _row(made, 0, now) | ended | columns_of(found))


def _row(made: ClaimedDocument, part: int, now: dt.datetime) -> dict[str, Any]:
    return {
        "id": made.id,
        "company_id": made.company_id,
        "submission_id": made.submission_id,
        "content_id": made.content_id,
        "part": part,
        "file_name": made.file_name,
        "media_type": made.media_type,
        "received_at": to_micros(made.received_at),
        "source": made.source,
        "fields": to_json(made.fields),
        "extras": to_json(made.extras) if made.extras else None,
        "origin": to_json(made.origin) if made.origin else None,
        "came": to_json(made.came) if made.came != Came() else None,
        "tries": made.tries,
        "version": made.version,
        "updated_at": to_micros(now),
    }


def columns_of(found: Finding) -> dict[str, str | None]:
    """What was learnt, as the columns hold it."""
    values = finding_values(found).items()
    return {name: value if value is None or isinstance(value, str) else to_json(value) for name, value in values}


def claim(
    connection: Connection, owner: str, now: dt.datetime, until: dt.datetime, limit: int, budget: int = BUDGET
) -> list[ClaimedDocument]:
    """Lease at most `limit` documents that were released or woken, of about `budget` bytes, oldest first."""
    return load(connection, leases.claim(connection, document, owner, now, until, limit, budget))


def load(connection: Connection, ids: Sequence[int]) -> list[ClaimedDocument]:
    """The documents `ids` as the pipeline works on them."""
    if not ids:
        return []
    statement = (
        sa.select(
            document,
            company.c.name.label("company"),
            submission.c.channel,
            submission.c.envelope,
            submission.c.peer,
            content_size(document.c.content_id),
        )
        .join(company, company.c.id == document.c.company_id)
        .join(submission, submission.c.id == document.c.submission_id)
        .where(document.c.id.in_(ids))
        .order_by(document.c.id)
    )
    return [
        ClaimedDocument(
            id=row.id,
            company_id=row.company_id,
            company=row.company,
            submission_id=row.submission_id,
            source=row.source,
            channel=row.channel,
            envelope=msgspec.convert(row.envelope, Envelope),
            peer=msgspec.convert(row.peer, Peer),
            content_id=row.content_id,
            size=row.size,
            file_name=row.file_name,
            media_type=row.media_type,
            fields=msgspec.convert(row.fields, Fields),
            extras=msgspec.convert(row.extras or [], tuple[Extra, ...]),
            origin=msgspec.convert(row.origin, Origin | None),
            received_at=row.received_at,
            tries=row.tries,
            version=row.version,
            resend_to=tuple(row.resend_to or ()),
            came=msgspec.convert(row.came or {}, Came),
        )
        for row in connection.execute(statement)
    ]


def finding_values(found: Finding) -> dict[str, Any]:
    """The columns that hold what was learnt."""
    reading = found.reading
    return {
        "reading": reading,
        "format": None if reading is None else reading.format,
        "type": found.type,
        "number": found.number,
        "customer_number": found.customer_number,
        "trace": found.trace,
    }


def hold(
    connection: Connection, document_id: int, owner: str, found: Finding, why: Hold, seen: int, now: dt.datetime
) -> bool:
    """Hold a leased document; False when it was cancelled meanwhile or must be looked at again.

    One that `ends` is cancelled instead. `seen` is `meta.wakes` as read before the decision: when something changed
    since, the event that would wake the document may be past already, so it is due again instead.
    """
    mine = sa.and_(document.c.id == document_id, document.c.state == "received", document.c.leased_by == owner)
    again = meta.wakes(connection) != seen
    values: dict[str, Any] = {"leased_by": None, "leased_until": None, "updated_at": now, **finding_values(found)}
    if why.ends:
        again = False
        values |= {"state": DocumentState.CANCELLED, "cause": None, "sentence": why.sentence, "due_at": None}
    elif again:
        values |= {"due_at": now}
    else:
        values |= {"state": DocumentState.HELD, "cause": why.cause, "sentence": why.sentence, "due_at": None}
    if connection.execute(sa.update(document).where(mine).values(**values)).rowcount == 0 or again:
        return False
    if why.wakes:
        connection.execute(
            sa.insert(wake).prefix_with("OR IGNORE", dialect="sqlite"),
            [{"key": key, "document_id": document_id} for key in why.wakes],
        )
    return True


def worker_died(connection: Connection, document_id: int) -> int:
    """Count a worker that died over this document; returns how many have."""
    return leases.worker_died(connection, document, document_id)


def give_back(connection: Connection, document_id: int, due_at: dt.datetime) -> None:
    """End the lease without a result: the document is due again at `due_at`."""
    leases.give_back(connection, document, document_id, due_at)


def free_leases(connection: Connection, owner: str, now: dt.datetime) -> int:
    """Free what another boot of this gateway had leased, and what `owner` leased too long ago."""
    return leases.free(connection, document, owner, now)


_AGAIN: dict[str, Any] = {
    "state": DocumentState.RECEIVED,
    "cause": None,
    "sentence": None,
    "tries": 0,
    "leased_by": None,
    "leased_until": None,
}


def wake_documents(connection: Connection, key: str, now: dt.datetime) -> int:
    """The event `key` happened: held documents that wait for it go through the pipeline again; returns how many."""
    meta.count_wake(connection)
    waiting = sa.select(wake.c.document_id).where(wake.c.key == key)
    done = connection.execute(
        sa.update(document)
        .where(document.c.id.in_(waiting), document.c.state == DocumentState.HELD)
        .values(**_AGAIN, due_at=now, released_by=key, version=document.c.version + 1, updated_at=now)
    )
    if done.rowcount:
        connection.execute(sa.delete(wake).where(wake.c.document_id.in_(waiting)))
    return done.rowcount


def _state(connection: Connection, document_id: int) -> str:
    state = connection.execute(sa.select(document.c.state).where(document.c.id == document_id)).scalar()
    if state is None:
        raise NotFound("there is no such document; 'gateway documents list' shows those that exist", "id")
    return str(state)


def release_documents(connection: Connection, ids: Sequence[int], by: str, now: dt.datetime) -> int:
    """A person releases held documents: they go through the pipeline again; returns how many.

    NotFound for an id that does not exist, Refused for a document that is not held.
    """
    for document_id in ids:
        state = _state(connection, document_id)
        if state != DocumentState.HELD:
            raise Refused(f"the document is {state}, only a held one can be released", "id")
        connection.execute(
            sa.update(document)
            .where(document.c.id == document_id)
            .values(**_AGAIN, due_at=now, released_by=by, version=document.c.version + 1, updated_at=now)
        )
        connection.execute(sa.delete(wake).where(wake.c.document_id == document_id))
    return len(ids)


def cancel_documents(connection: Connection, ids: Sequence[int], now: dt.datetime) -> int:
    """Nothing more of these documents will be sent; what was sent stays sent. Returns how many.

    NotFound for an id that does not exist, Refused for a document that has ended.
    """
    for document_id in ids:
        state = _state(connection, document_id)
        if state in _ENDED:
            raise Refused(f"the document is {state} already, nothing is left to cancel", "id")
        connection.execute(
            sa.update(delivery)
            .where(delivery.c.document_id == document_id, delivery.c.state.in_(_OPEN_DELIVERIES))
            .values(state=DeliveryState.CANCELLED, cause=None, due_at=None, updated_at=now)
        )
        connection.execute(
            sa.update(delivery)
            .where(delivery.c.document_id == document_id, delivery.c.state == DeliveryState.ACTIVE)
            .values(cause=CANCEL)
        )
        left = connection.execute(
            sa.select(delivery.c.state).where(delivery.c.document_id == document_id).distinct()
        ).scalars()
        states = set(left)
        if DeliveryState.ACTIVE in states:
            continue  # on the wire now: it is not tried again, and its outcome settles the document
        ended = DocumentState.PARTLY_SENT if DeliveryState.SENT in states else DocumentState.CANCELLED
        connection.execute(
            sa.update(document)
            .where(document.c.id == document_id)
            .values({**_AGAIN, "state": ended, "due_at": None, "version": document.c.version + 1, "updated_at": now})
        )
        connection.execute(sa.delete(wake).where(wake.c.document_id == document_id))
    return len(ids)


def resend_document(connection: Connection, document_id: int, to: Sequence[str], by: str, now: dt.datetime) -> None:
    """Send an ended document once more, by today's rules or to the addresses `to`, as a new message.

    NotFound when there is none, Refused while it has not ended.
    """
    state = _state(connection, document_id)
    if state not in _ENDED:
        raise Refused(f"the document is {state}; only one that has ended can be sent again", "id")
    kept = sa.select(document.c.content_id).where(document.c.id == document_id)
    removed = content.removed_at(connection, connection.execute(kept).scalar_one())
    if removed is not None:
        raise Refused(f"the document's content was removed on {removed:%Y-%m-%d}; it cannot be sent again", "id")
    connection.execute(
        sa.update(document)
        .where(document.c.id == document_id)
        .values(
            **_AGAIN,
            due_at=now,
            released_by=by,
            resend_to=list(to) or None,
            version=document.c.version + 1,
            updated_at=now,
        )
    )
