"""Documents as people look for them: lists, one document with everything, its trace, its files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import NotFound
from gateway.model import Value, parse_id, show_id
from gateway.store import content
from gateway.store.schema import attempt, company, delivery, document, message, submission

CAUSES = 1000  # causes of held documents in an overview


class Filter(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Which documents are meant; every value given must match."""

    company: str | None = None
    state: str | None = None  # one of them, with commas between several
    cause: str | None = None  # the whole key, or what stands before its colon
    number: str | None = None
    customer_number: str | None = None
    address: str | None = None
    search: str | None = None  # any part of number, customer number, file name or address
    source: str | None = None
    submission: int | None = None  # the id that its sender was told
    since: dt.datetime | None = None
    until: dt.datetime | None = None  # only before this time
    before: int | None = None  # only older than this id: the next page
    limit: int | None = None
    offset: int = 0  # rows to leave out first: where a list on a screen is scrolled to


def _conditions(wanted: Filter) -> list[Any]:
    found: list[Any] = []
    if wanted.company is not None:
        found.append(company.c.name == wanted.company)
    if wanted.state is not None:
        found.append(document.c.state.in_(wanted.state.split(",")))
    for name in ("number", "customer_number", "source"):
        value = getattr(wanted, name)
        if value is not None:
            found.append(document.c[name] == value)
    if wanted.submission is not None:
        found.append(document.c.submission_id == wanted.submission)
    if wanted.cause is not None:
        found.append(
            sa.or_(
                document.c.cause == wanted.cause,
                sa.and_(document.c.cause >= wanted.cause + ":", document.c.cause < wanted.cause + ";"),
            )
        )
    if wanted.address is not None:
        found.append(document.c.id.in_(sa.select(delivery.c.document_id).where(delivery.c.address == wanted.address)))
    if wanted.since is not None:
        found.append(document.c.received_at >= wanted.since)
    if wanted.until is not None:
        found.append(document.c.received_at < wanted.until)
    if wanted.search is not None:
        to = sa.select(delivery.c.document_id).where(delivery.c.address.icontains(wanted.search, autoescape=True))
        texts = (document.c.number, document.c.customer_number, document.c.file_name)
        within = [column.icontains(wanted.search, autoescape=True) for column in texts]
        found.append(sa.or_(*within, document.c.id.in_(to)))
    if wanted.before is not None:
        found.append(document.c.id < wanted.before)
    return found


_LISTED = (
    document.c.id,
    company.c.name.label("company"),
    document.c.source,
    document.c.received_at,
    document.c.type,
    document.c.number,
    document.c.customer_number,
    document.c.state,
    document.c.cause,
    document.c.sentence,
    document.c.file_name,
    document.c.version,
)


def list_documents(connection: Connection, wanted: Filter) -> list[dict[str, Any]]:
    """The documents that match, newest first, each with its deliveries."""
    statement = (
        sa.select(*_LISTED)
        .join(company, company.c.id == document.c.company_id)
        .where(*_conditions(wanted))
        .order_by(document.c.id.desc())
        .limit(wanted.limit)
        .offset(wanted.offset)
    )
    rows = connection.execute(statement).all()
    deliveries = _deliveries(connection, [row.id for row in rows])
    return [_document(row, deliveries.get(row.id, [])) for row in rows]


def count_documents(connection: Connection, wanted: Filter) -> int:
    """How many documents match, on all pages together."""
    joined = sa.select(sa.func.count()).select_from(document).join(company, company.c.id == document.c.company_id)
    return int(connection.execute(joined.where(*_conditions(wanted))).scalar_one())


def _document(row: Any, deliveries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": show_id(row.id),
        "company": row.company,
        "source": row.source,
        "received_at": row.received_at,
        "type": row.type,
        "number": row.number,
        "customer_number": row.customer_number,
        "state": row.state,
        "cause": row.cause,
        "sentence": row.sentence,
        "file_name": row.file_name,
        "version": row.version,
        "deliveries": deliveries,
    }


def _slices(ids: Sequence[int], size: int = 500) -> Iterable[Sequence[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _deliveries(connection: Connection, documents: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for some in _slices(documents):
        rows = connection.execute(sa.select(delivery).where(delivery.c.document_id.in_(some)).order_by(delivery.c.id))
        for row in rows:
            found.setdefault(row.document_id, []).append(
                {
                    "id": show_id(row.id),
                    "recipient": row.address,
                    "role": row.role,
                    "state": row.state,
                    "cause": row.cause,
                    "attempts": row.attempts,
                    "next_attempt_at": row.due_at,
                    "last_reply": row.last_reply,
                    "message": show_id(row.message_id),
                }
            )
    return found


def show_document(connection: Connection, document_id: int) -> dict[str, Any]:
    """One document with everything that is known of it; NotFound when there is none."""
    row = connection.execute(
        sa.select(
            *_LISTED,
            document.c.submission_id,
            document.c.media_type,
            document.c.format,
            document.c.reading,
            document.c.fields,
            document.c.trace,
            document.c.released_by,
            document.c.updated_at,
            document.c.content_id,
            submission.c.channel,
            submission.c.envelope,
            submission.c.peer,
        )
        .join(company, company.c.id == document.c.company_id)
        .join(submission, submission.c.id == document.c.submission_id)
        .where(document.c.id == document_id)
    ).first()
    if row is None:
        raise NotFound("there is no such document; 'gateway documents list' shows those that exist", "id")
    deliveries = _deliveries(connection, [document_id]).get(document_id, [])
    for each in deliveries:
        each["history"] = _attempts(connection, each["id"])
    return _document(row, deliveries) | {
        "submission": show_id(row.submission_id),
        "channel": row.channel,
        "envelope": row.envelope,
        "peer": row.peer,
        "media_type": row.media_type,
        "format": row.format,
        "reading": row.reading,
        "fields": row.fields,
        "trace": row.trace or [],
        "released_by": row.released_by,
        "updated_at": row.updated_at,
        "content_removed_at": content.removed_at(connection, row.content_id),
        "messages": _messages(connection, document_id),
    }


def _attempts(connection: Connection, delivery_id: str) -> list[dict[str, Any]]:
    rows = connection.execute(
        sa.select(attempt).where(attempt.c.delivery_id == parse_id(delivery_id)).order_by(attempt.c.id)
    )
    return [
        {
            "started_at": row.started_at,
            "ended_at": row.ended_at,
            "outcome": row.outcome,
            "peer": row.peer,
            "tls": row.tls,
            "code": row.code,
            "enhanced": row.enhanced,
            "text": row.text,
            "possibly_sent": row.possibly_sent,
        }
        for row in rows
    ]


def _messages(connection: Connection, document_id: int) -> list[dict[str, Any]]:
    rows = connection.execute(sa.select(message).where(message.c.document_id == document_id).order_by(message.c.id))
    return [
        {
            "id": show_id(row.id),
            "message_id": row.message_id,
            "to": row.to,
            "cc": row.cc,
            "size": row.size,
            "notes": row.notes,
            "created_at": row.created_at,
        }
        for row in rows
    ]


def original(connection: Connection, document_id: int) -> tuple[str, str, bytes]:
    """File name, media type and bytes of a document as they came in; NotFound when there is none."""
    row = connection.execute(
        sa.select(document.c.file_name, document.c.media_type, document.c.content_id).where(
            document.c.id == document_id
        )
    ).first()
    if row is None:
        raise NotFound("there is no such document; 'gateway documents list' shows those that exist", "id")
    return row.file_name, row.media_type, content.get(connection, row.content_id)


def counts(connection: Connection) -> dict[str, dict[str, int]]:
    """How many documents and deliveries there are by state, and how many documents are held by cause.

    Of causes only the `CAUSES` with most documents: each number that is not in the directory is one of its own.
    """

    def by(column: Any, *where: Any) -> dict[str, int]:
        count = sa.func.count()
        most = sa.select(column, count).where(*where).group_by(column).order_by(count.desc(), column).limit(CAUSES)
        return {str(key): int(many) for key, many in connection.execute(most)}

    return {
        "documents": by(document.c.state),
        "deliveries": by(delivery.c.state),
        "held": by(document.c.cause, document.c.cause.is_not(None)),
    }


def waiting(connection: Connection) -> int:
    """How many submissions, documents and deliveries are due or will be."""
    return sum(
        int(connection.execute(sa.select(sa.func.count()).where(table.c.due_at.is_not(None))).scalar_one())
        for table in (submission, document, delivery)
    )
