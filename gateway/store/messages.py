"""Messages: what was composed and signed for a document, and the deliveries that take it to its addresses."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import NotFound
from gateway.model import Body, DeliveryState, DocumentState, Value, new_id
from gateway.store import content
from gateway.store.documents import Finding, finding_values
from gateway.store.schema import delivery, document, message, setting


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


def queue(
    connection: Connection, document_id: int, owner: str, found: Finding, new: NewMessage, now: dt.datetime
) -> bool:
    """Store the signed message and its deliveries; False when the document was cancelled meanwhile.

    False too when the company's switch was turned off since the look-up: then the document is due again, to be held.
    """
    mine = sa.and_(document.c.id == document_id, document.c.state == "received", document.c.leased_by == owner)
    if _switched_off(connection, document_id):
        connection.execute(sa.update(document).where(mine).values(due_at=now, leased_by=None, leased_until=None))
        return False
    values = {
        "state": DocumentState.QUEUED,
        "cause": None,
        "sentence": None,
        "leased_by": None,
        "leased_until": None,
        "resend_to": None,
        "updated_at": now,
        **finding_values(found),
    }
    row = connection.execute(
        sa.update(document).where(mine).values(**values).returning(document.c.company_id, document.c.content_id)
    ).first()
    if row is None:
        return False
    connection.execute(
        sa.insert(message),
        {
            "id": new.id,
            "document_id": document_id,
            "content_id": row.content_id if new.body is None else content.put(connection, new.body),
            "header": new.header,
            "body_offset": new.body_offset,
            "size": new.size,
            "message_id": new.message_id,
            "to": new.to,
            "cc": new.cc,
            "created_at": now,
        },
    )
    connection.execute(
        sa.insert(delivery),
        [
            {
                "id": each.id,
                "document_id": document_id,
                "message_id": new.id,
                "company_id": row.company_id,
                "address": each.address,
                "role": each.role,
                "mail_from": each.mail_from,
                "next_hop": each.next_hop,
                "state": DeliveryState.QUEUED,
                "due_at": now,
                "expires_at": new.expires_at,
                "attempts": 0,
                "updated_at": now,
            }
            for each in new.deliveries
        ],
    )
    return True


def _switched_off(connection: Connection, document_id: int) -> bool:
    """Whether no document of the company may leave (R5)."""
    switch = (
        sa.select(setting.c.value)
        .join(document, document.c.company_id == setting.c.company_id)
        .where(document.c.id == document_id, setting.c.key == "distribution.active")
    )
    return connection.execute(switch).scalar() is False


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
