"""Messages: what was composed and signed for a document, and the deliveries that take it to its addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import NotFound
from gateway.model import Body, Claimed, DeliveryState, Value, new_id
from gateway.store import claims, content, documents, submissions
from gateway.store.documents import ClaimedDocument, Finding
from gateway.store.schema import delivery, insert_into, message, to_json, to_micros
from gateway.store.statement import Statement
from gateway.store.submissions import ClaimedSubmission

_MINE = "WHERE id = :id AND state = 'received' AND leased_by = :owner"
_SWITCH = Statement(  # R5: off means that no document of the company leaves
    "SELECT value FROM setting WHERE key = 'distribution.active' AND company_id = "
    "(SELECT company_id FROM document WHERE id = :id)"
)
_COMPANYS_SWITCH = Statement("SELECT value FROM setting WHERE key = 'distribution.active' AND company_id = :company")
_AGAIN = Statement(f"UPDATE document SET due_at = :now, leased_by = NULL, leased_until = NULL {_MINE}")
_QUEUED = Statement(
    "UPDATE document SET state = 'queued', cause = NULL, sentence = NULL, leased_by = NULL, leased_until = NULL, "
    "resend_to = NULL, updated_at = :now, reading = :reading, format = :format, type = :type, number = :number, "
    f"customer_number = :customer_number, trace = :trace {_MINE} RETURNING company_id, content_id"
)
_MESSAGE = insert_into(message, "id document_id content_id header body_offset size message_id to cc notes created_at")
_DELIVERY = insert_into(
    delivery,
    "id document_id message_id company_id address role mail_from next_hop state due_at expires_at attempts leased_by "
    "leased_until updated_at",
)


class NewDelivery(Value, frozen=True, kw_only=True):
    """One envelope address of a message."""

    id: int
    address: str
    role: str  # to, cc
    mail_from: str
    next_hop: str


class NewMessage(Value, frozen=True, kw_only=True):
    """A signed message and its deliveries. Without `body` it is `header` before the document's own content."""

    id: int
    message_id: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    body: Body | None
    header: bytes | None
    body_offset: int
    size: int
    expires_at: dt.datetime
    deliveries: tuple[NewDelivery, ...]
    notes: tuple[str, ...] = ()  # what was lost on the way to its format, and how that was checked


class Queued(Value, frozen=True, kw_only=True):
    """A message is stored; these of its deliveries were born under lease."""

    claimed: tuple[Claimed, ...] = ()


def queue(
    connection: Connection,
    document_id: int,
    owner: str,
    found: Finding,
    new: NewMessage,
    now: dt.datetime,
    leases: Mapping[int, dt.datetime] | None = None,
) -> Queued | None:
    """Store the signed message and its deliveries; None when the document was cancelled meanwhile.

    None too when the company's switch was turned off since the look-up: then the document is due again, to be held.
    `leases` says which deliveries (id → until when) are born under a lease of `owner`; not so where a hop is paused.
    """
    mine = {"id": document_id, "owner": owner, "now": to_micros(now)}
    if _SWITCH.value(connection, mine) == "false":
        _AGAIN.run(connection, mine)
        return None
    row = _QUEUED.run(connection, mine | documents.columns_of(found)).fetchone()
    return None if row is None else _store(connection, _Of(document_id, *row), owner, new, now, leases or {})


def pass_on(
    connection: Connection,
    found_in: ClaimedSubmission,
    document: ClaimedDocument,
    owner: str,
    found: Finding,
    new: NewMessage,
    now: dt.datetime,
    leases: Mapping[int, dt.datetime] | None = None,
) -> Queued | None:
    """Store the one `document` of a submission, queued, and its message, in the commit that ends the submission.

    None where `queue` gives None, and when the submission had ended before: that work comes too late.
    """
    if not submissions.end(connection, found_in.id):
        return None
    if _COMPANYS_SWITCH.value(connection, {"company": document.company_id}) == "false":
        documents.insert(connection, document, 0, owner, now, now)
        _AGAIN.run(connection, {"id": document.id, "owner": owner, "now": to_micros(now)})
        return None
    documents.insert_queued(connection, document, found, now)
    of = _Of(document.id, document.company_id, document.content_id)
    return _store(connection, of, owner, new, now, leases or {})


class _Of(NamedTuple):
    """The queued document whose message it is."""

    document_id: int
    company_id: int
    content_id: int


def _store(
    connection: Connection,
    of: _Of,
    owner: str,
    new: NewMessage,
    now: dt.datetime,
    leases: Mapping[int, dt.datetime],
) -> Queued:
    """The message and its deliveries."""
    _MESSAGE.run(
        connection,
        {
            "id": new.id,
            "document_id": of.document_id,
            "content_id": of.content_id if new.body is None else content.put(connection, new.body),
            "header": new.header,
            "body_offset": new.body_offset,
            "size": new.size,
            "message_id": new.message_id,
            "to": to_json(new.to),
            "cc": to_json(new.cc),
            "notes": to_json(new.notes),
            "created_at": to_micros(now),
        },
    )
    leases = {
        each.id: leases[each.id]
        for each in new.deliveries
        if each.id in leases and not claims.is_paused(connection, each.next_hop, now)
    }
    for each in new.deliveries:
        waits = _delivery(each, new, of, now)
        _DELIVERY.run(connection, waits | (_leased(owner, leases[each.id]) if each.id in leases else {}))
    claimed = tuple(_claimed(each, new, of) for each in new.deliveries if each.id in leases)
    claims.open_attempts(connection, claimed, now)
    return Queued(claimed=claimed)


def _delivery(each: NewDelivery, new: NewMessage, of: _Of, now: dt.datetime) -> dict[str, Any]:
    """The row of a delivery that is due."""
    return {
        "id": each.id,
        "document_id": of.document_id,
        "message_id": new.id,
        "company_id": of.company_id,
        "address": each.address,
        "role": each.role,
        "mail_from": each.mail_from,
        "next_hop": each.next_hop,
        "state": DeliveryState.QUEUED,
        "due_at": to_micros(now),
        "expires_at": to_micros(new.expires_at),
        "attempts": 0,
        "leased_by": None,
        "leased_until": None,
        "updated_at": to_micros(now),
    }


def _leased(owner: str, until: dt.datetime) -> dict[str, Any]:
    """What is different where it is on its way from the start."""
    leased = {"leased_by": owner, "leased_until": to_micros(until)}
    return {"state": DeliveryState.ACTIVE, "due_at": None, "attempts": 1, **leased}


def _claimed(each: NewDelivery, new: NewMessage, of: _Of) -> Claimed:
    return Claimed(
        delivery_id=each.id,
        attempt_id=new_id(),
        document_id=of.document_id,
        message_id=new.id,
        address=each.address,
        mail_from=each.mail_from,
        next_hop=each.next_hop,
        attempts=1,
        expires_at=new.expires_at,
        size=new.size,
    )


def message_bytes(connection: Connection, message_id: int) -> bytes:
    """The message exactly as it is sent; NotFound when there is none."""
    row = connection.execute(
        sa.select(message.c.content_id, message.c.header, message.c.body_offset).where(message.c.id == message_id)
    ).first()
    if row is None:
        raise NotFound("there is no such message")
    body = content.get(connection, row.content_id, row.body_offset)
    return body if row.header is None else row.header + body


def new_message_ids(count: int) -> tuple[int, tuple[int, ...]]:
    """A message id and `count` delivery ids."""
    return new_id(), tuple(new_id() for _ in range(count))
