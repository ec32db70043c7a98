"""Fills a new database before a gateway opens it: a directory, and deliveries that wait."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bench import samples
from gateway.model import Body, Envelope, NewSubmission, Peer, ReadDocument, Recipient, new_id
from gateway.store import companies, database, documents, messages, recipients, schema, submissions

OWNER = "bench"
HOP = "capture"
MINUTES = dt.timedelta(minutes=5)


def now() -> dt.datetime:
    """This moment."""
    return dt.datetime.now(dt.UTC)


@contextmanager
def opened(path: Path) -> Iterator[sa.Engine]:
    """The database at `path`, new or not, with the daemon's pragmas and one company."""
    engine = database.writer_engine(path)
    try:
        database.migrate(engine, path)
        with engine.begin() as connection:
            companies.ensure_company(connection, "default", now())
        yield engine
    finally:
        engine.dispose()


def fill_directory(connection: Connection, count: int) -> None:
    """A row for each of the customers 0 to `count` - 1."""
    company_id = companies.company_id(connection, "default")
    moment = now()
    rows = []
    for number in range(count):
        row = Recipient(
            number=samples.customer(number),
            email=(f"ap{number}@customer.example",),
            name=f"Kund {number} AB",
            type="invoice",
        )
        rows.append(recipients.values_of(row, moment) | {"id": new_id(), "company_id": company_id, "version": 1})
    connection.execute(sa.insert(schema.recipient), rows)


def body(data: bytes, media_type: str = "message/rfc822") -> Body:
    """Content in memory."""
    return Body(sha256=hashlib.sha256(data).digest(), size=len(data), media_type=media_type, data=data)


def submission(data: bytes) -> NewSubmission:
    """A mail as the door hands it to the store."""
    return NewSubmission(
        id=new_id(),
        company="default",
        source="mail",
        channel="smtp",
        envelope=Envelope(mail_from="erp@seller.example", rcpt_to=("ap@customer.example",)),
        peer=Peer(host="127.0.0.1", port=40000, helo="client.example", listener="127.0.0.1:2525"),
        body=body(data),
        received_at=now(),
    )


def message(data: bytes) -> messages.NewMessage:
    """A signed message of `data` for one address."""
    message_id, (delivery_id,) = messages.new_message_ids(1)
    return messages.NewMessage(
        id=message_id,
        message_id=f"<{message_id}@pageroonline.com>",
        to=("ap@customer.example",),
        cc=(),
        body=body(data),
        header=None,
        body_offset=0,
        size=len(data),
        expires_at=now() + dt.timedelta(days=4),
        deliveries=(
            messages.NewDelivery(
                id=delivery_id,
                address="ap@customer.example",
                role="to",
                mail_from=f"b+{delivery_id}@pageroonline.com",
                next_hop=HOP,
            ),
        ),
    )


FOUND = documents.Finding(
    reading=ReadDocument(format="ubl", type="invoice", number="F-1", customer_numbers=("C000001",)),
    type="invoice",
    number="F-1",
    customer_number="C000001",
)


def fill_deliveries(connection: Connection, count: int, due_at: dt.datetime) -> None:
    """`count` deliveries that may be claimed from `due_at` on, each with a message and a document of its own."""
    if count == 0:
        return
    submissions.accept(connection, submission(b"x"), now())
    (claimed,) = submissions.claim(connection, OWNER, now(), now() + MINUTES, 1)
    new = submissions.NewDocument(file_name="a.xml", media_type="application/xml", fields=claimed.fields)
    (document,) = submissions.finish(connection, claimed, [new], OWNER, now(), now() + MINUTES)
    first = message(b"From: a@b.example\r\n\r\nhello\r\n")
    messages.queue(connection, document.id, OWNER, FOUND, first, now())
    connection.execute(sa.update(schema.delivery).values(due_at=due_at))
    # Ids are taken downwards: those above may be given to somebody.
    _multiply(connection, schema.document, count - 1, {"id": "id - n"})
    _multiply(connection, schema.message, count - 1, {"id": "id - n", "document_id": "document_id - n"})
    places = {"id": "id - n", "document_id": "document_id - n", "message_id": "message_id - n"}
    _multiply(
        connection, schema.delivery, count - 1, places | {"address": "n || address", "due_at": "due_at + n % 1000"}
    )


def _multiply(connection: Connection, table: sa.Table, count: int, changed: Mapping[str, str]) -> None:
    """Copy the one row of `table` `count` times, with the columns `changed` by the number of the copy, `n`."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    values = ", ".join(changed.get(column.name, f'"{column.name}"') for column in table.columns)
    connection.execute(
        sa.text(
            "WITH RECURSIVE counter(n) AS (SELECT 1 WHERE :count > 0 UNION ALL SELECT n + 1 FROM counter"
            f" WHERE n < :count) INSERT INTO {table.name} ({columns}) SELECT {values} FROM {table.name}, counter"
        ),
        {"count": count},
    )
