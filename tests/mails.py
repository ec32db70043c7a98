"""Composed mails in the store, waiting to be delivered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.model import ReadDocument, new_id, show_id
from gateway.store import documents, messages, schema
from tests.store.samples import OWNER, body, claimed_document

CONTENT = b"From: noreply@pageroonline.com\r\nSubject: Invoice F-77\r\n\r\nhello\r\n"
FOUND = documents.Finding(
    reading=ReadDocument(format="ubl", number="F-77", customer_numbers=("1042",)),
    type="invoice",
    number="F-77",
    customer_number="1042",
    trace=(),
)


def queue_mail(
    connection: Connection,
    now: dt.datetime,
    to: Sequence[str] = ("to@example.com",),
    cc: Sequence[str] = (),
    *,
    next_hop: str = "relay",
    content: bytes = CONTENT,
    lifetime: dt.timedelta = dt.timedelta(days=4),
) -> tuple[int, list[int]]:
    """A document with one message; its id and those of its deliveries, To first."""
    found = claimed_document(connection, now)
    message_id, ids = messages.new_message_ids(len(to) + len(cc))
    new = messages.NewMessage(
        id=message_id,
        message_id=f"<{show_id(message_id)}@gateway.example>",
        to=tuple(to),
        cc=tuple(cc),
        body=body(content),
        header=None,
        body_offset=0,
        size=len(content),
        expires_at=now + lifetime,
        deliveries=tuple(
            messages.NewDelivery(
                id=delivery_id,
                address=address,
                role="to" if place < len(to) else "cc",
                mail_from=f"b+{show_id(delivery_id)}@pageroonline.com",
                next_hop=next_hop,
            )
            for place, (delivery_id, address) in enumerate(zip(ids, (*to, *cc), strict=True))
        ),
    )
    assert messages.queue(connection, found.id, OWNER, FOUND, new, now)
    return found.id, list(ids)


def many(connection: Connection, count: int, due_at: dt.datetime, next_hop: str = "relay") -> None:
    """`count` more deliveries of one message, waiting."""
    _, (first,) = queue_mail(connection, due_at, next_hop=next_hop)
    row = connection.execute(sa.select(schema.delivery).where(schema.delivery.c.id == first)).one()
    values = dict(row._mapping)
    step = dt.timedelta(microseconds=1)
    rows = [values | {"id": new_id(), "due_at": due_at + step * number} for number in range(1, count)]
    connection.execute(sa.insert(schema.delivery), rows)


def states(connection: Connection, ids: Sequence[int]) -> list[str]:
    """The states of deliveries, in the order of `ids`."""
    rows = connection.execute(
        sa.select(schema.delivery.c.id, schema.delivery.c.state).where(schema.delivery.c.id.in_(ids))
    )
    found = {row.id: row.state for row in rows}
    return [found[delivery_id] for delivery_id in ids]


def delivery(connection: Connection, delivery_id: int) -> sa.Row[tuple[object, ...]]:
    """The whole row."""
    return connection.execute(sa.select(schema.delivery).where(schema.delivery.c.id == delivery_id)).one()


def attempts(connection: Connection, delivery_id: int) -> Sequence[sa.Row[tuple[object, ...]]]:
    """Its attempts, oldest first."""
    table = schema.attempt
    return connection.execute(sa.select(table).where(table.c.delivery_id == delivery_id).order_by(table.c.id)).all()


def document(connection: Connection, document_id: int) -> str:
    """A document's state."""
    state = connection.execute(sa.select(schema.document.c.state).where(schema.document.c.id == document_id)).scalar()
    return str(state)
