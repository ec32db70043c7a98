"""Messages: what was composed and signed for a document, and the deliveries that take it to its addresses."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import NotFound
from gateway.model import Body, DeliveryState, Value, new_id
from gateway.store import content
from gateway.store.documents import Finding, finding_values
from gateway.store.schema import delivery, insert_into, message, to_json, to_micros

_MINE = "WHERE id = :id AND state = 'received' AND leased_by = :owner"
_SWITCH = sa.text(  # R5: off means that no document of the company leaves
    "SELECT value FROM setting WHERE key = 'distribution.active' AND company_id = "
    "(SELECT company_id FROM document WHERE id = :id)"
)
_AGAIN = sa.text(f"UPDATE document SET due_at = :now, leased_by = NULL, leased_until = NULL {_MINE}")
_QUEUED = sa.text(
    "UPDATE document SET state = 'queued', cause = NULL, sentence = NULL, leased_by = NULL, leased_until = NULL, "
    "resend_to = NULL, updated_at = :now, reading = :reading, format = :format, type = :type, number = :number, "
    f"customer_number = :customer_number, trace = :trace {_MINE} RETURNING company_id, content_id"
)
_MESSAGE = insert_into(message, "id document_id content_id header body_offset size message_id to cc notes created_at")
_DELIVERY = insert_into(
    delivery,
    "id document_id message_id company_id address role mail_from next_hop state due_at expires_at attempts updated_at",
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


def queue(
    connection: Connection, document_id: int, owner: str, found: Finding, new: NewMessage, now: dt.datetime
) -> bool:
    """Store the signed message and its deliveries; False when the document was cancelled meanwhile.

    False too when the company's switch was turned off since the look-up: then the document is due again, to be held.
    """
    mine = {"id": document_id, "owner": owner, "now": to_micros(now)}
    if connection.execute(_SWITCH, mine).scalar() == "false":
        connection.execute(_AGAIN, mine)
        return False
    values = {name: value if value is None else _stored(value) for name, value in finding_values(found).items()}
    row = connection.execute(_QUEUED, mine | values).first()
    if row is None:
        return False
    connection.execute(
        _MESSAGE,
        {
            "id": new.id,
            "document_id": document_id,
            "content_id": row.content_id if new.body is None else content.put(connection, new.body),
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
    connection.execute(_DELIVERY, [_delivery(each, new, document_id, row.company_id, now) for each in new.deliveries])
    return True


def _stored(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value)


def _delivery(
    each: NewDelivery, new: NewMessage, document_id: int, company_id: int, now: dt.datetime
) -> dict[str, Any]:
    return {
        "id": each.id,
        "document_id": document_id,
        "message_id": new.id,
        "company_id": company_id,
        "address": each.address,
        "role": each.role,
        "mail_from": each.mail_from,
        "next_hop": each.next_hop,
        "state": DeliveryState.QUEUED,
        "due_at": to_micros(now),
        "expires_at": to_micros(new.expires_at),
        "attempts": 0,
        "updated_at": to_micros(now),
    }


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
