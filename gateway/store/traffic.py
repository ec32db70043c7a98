"""What a change of the directory would have done to the documents of the last weeks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Set

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.doctypes import ANY
from gateway.model import DocumentState
from gateway.store.columns import is_among
from gateway.store.schema import delivery, document

DAYS = 90  # looked back; what is older says little about today's traffic
_GONE = (DocumentState.SENT, DocumentState.PARTLY_SENT, DocumentState.BOUNCED, DocumentState.QUEUED)


def elsewhere(
    connection: Connection, company_id: int, type_: str, addresses: Mapping[str, Set[str]], now: dt.datetime
) -> set[int]:
    """The documents of the last `DAYS` days that went, or wait to go, to other addresses than those that rows of the
    type `type_` will have: `addresses` by customer number, as the documents write it."""
    statement = (
        sa.select(document.c.id, document.c.customer_number, delivery.c.address)
        .join(delivery, delivery.c.document_id == document.c.id)
        .where(
            document.c.company_id == company_id,
            is_among(document.c.customer_number, addresses),
            document.c.received_at >= now - dt.timedelta(days=DAYS),
            document.c.state.in_(_GONE),
        )
    )
    if type_ != ANY:
        statement = statement.where(document.c.type == type_)
    went: dict[tuple[int, str], set[str]] = {}
    for row in connection.execute(statement):
        went.setdefault((row.id, row.customer_number), set()).add(row.address)
    return {id_ for (id_, number), there in went.items() if there != set(addresses[number])}
