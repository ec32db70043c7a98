"""Rows that the store's tests start from."""

from __future__ import annotations

import datetime as dt
import hashlib

from sqlalchemy.engine import Connection

from gateway.model import Body, Envelope, NewSubmission, Peer, new_id
from gateway.store import companies, documents, messages, submissions

OWNER = "boot-1"


def body(data: bytes = b"hello", media_type: str = "message/rfc822") -> Body:
    """Content in memory."""
    return Body(sha256=hashlib.sha256(data).digest(), size=len(data), media_type=media_type, data=data)


def submission(now: dt.datetime, data: bytes = b"hello", dedupe: bytes | None = None) -> NewSubmission:
    """A mail as the door hands it to the store."""
    return NewSubmission(
        id=new_id(),
        company="default",
        source="local",
        channel="smtp",
        envelope=Envelope(mail_from="erp@example.com", rcpt_to=("1001",)),
        peer=Peer(host="127.0.0.1"),
        body=body(data),
        received_at=now,
        dedupe=dedupe,
    )


def claimed_document(connection: Connection, now: dt.datetime, owner: str = OWNER) -> documents.ClaimedDocument:
    """A document that the pipeline has just found, leased to `owner`."""
    companies.ensure_company(connection, "default", now)
    submissions.accept(connection, submission(now), now)
    (claimed,) = submissions.claim(connection, owner, now, now + dt.timedelta(minutes=5), 1)
    new = submissions.NewDocument(file_name="a.xml", media_type="application/xml", fields=claimed.fields)
    (found,) = submissions.finish(connection, claimed, [new], owner, now, now + dt.timedelta(minutes=5))
    return found


def new_message(now: dt.datetime, *addresses: str) -> messages.NewMessage:
    """A signed message for `addresses`, the first one To, the others Cc."""
    message_id, ids = messages.new_message_ids(len(addresses))
    return messages.NewMessage(
        id=message_id,
        message_id=f"<{message_id}@gateway.example>",
        to=addresses[:1],
        cc=addresses[1:],
        body=body(b"From: a@b.example\r\n\r\nhello\r\n"),
        header=None,
        body_offset=0,
        size=27,
        expires_at=now + dt.timedelta(days=4),
        notes=("The sample has no place for a term.",),
        deliveries=tuple(
            messages.NewDelivery(
                id=delivery_id,
                address=address,
                role="cc" if place else "to",
                mail_from=f"b+{delivery_id}@pageroonline.com",
                next_hop="capture",
            )
            for place, (delivery_id, address) in enumerate(zip(ids, addresses, strict=True))
        ),
    )
