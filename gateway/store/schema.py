"""The tables, in SQLAlchemy Core, one definition for SQLite and PostgreSQL.

Every `*_at` and `*_until` is microseconds UTC. A row that a loop may claim has `due_at`, any other has NULL there, so
that the partial index holds just what is claimable.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from gateway.store.columns import Json, Moment
from gateway.store.columns import from_micros as from_micros
from gateway.store.columns import to_json as to_json
from gateway.store.columns import to_micros as to_micros
from gateway.store.statement import Statement

metadata = MetaData()


def insert_into(table: Table, columns: str) -> Statement:
    """INSERT of the named columns; the caller gives what they hold."""
    names = columns.split()
    listed = ", ".join(f'"{table.c[name].name}"' for name in names)
    return Statement(f"INSERT INTO {table.name} ({listed}) VALUES ({', '.join(f':{name}' for name in names)})")


def _id() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)


def _ref(name: str, target: str, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, ForeignKey(f"{target}.id"), nullable=nullable)


def _id_of(name: str) -> Column[int]:
    """A reference without a foreign key, where it has no index: each delete would look through the whole table."""
    return Column(name, BigInteger, nullable=False)


meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

company = Table(
    "company",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

setting = Table(
    "setting",
    metadata,
    Column("company_id", BigInteger, ForeignKey("company.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Json, nullable=False),
    Column("version", Integer, nullable=False),
)

recipient = Table(
    "recipient",
    metadata,
    _id(),
    _ref("company_id", "company"),
    Column("number", Text, nullable=False),
    Column("number_key", Text, nullable=False),  # directory.number_key(number): what look-ups go by
    Column("type", Text, nullable=False),
    Column("email", Json, nullable=False),
    Column("cc", Json, nullable=False),
    Column("format", Text),
    Column("name", Text),
    Column("language", Text),
    Column("attach", Text),
    Column("file_name", Text),
    Column("constants", Json),
    Column("search", Text, nullable=False),  # directory.search_text: one column to look through, not four
    Column("version", Integer, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    Index("recipient_number", "company_id", "number_key"),
    Index(  # holds what a search looks at, in the order of the list: docs/decisions/0022
        "recipient_search",
        *("company_id", "number_key", "id", "type", "deleted_at", "search"),
    ),
    Index(
        "recipient_unique",
        "company_id",
        "number",
        "type",
        unique=True,
        sqlite_where=text("deleted_at IS NULL"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

batch = Table(
    "batch",
    metadata,
    _id(),
    _ref("company_id", "company"),
    Column("type", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("counts", Json, nullable=False),
    Column("uid", Integer, nullable=False),
    Column("user", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("undone_at", Moment),
    Column("undone_by", Text),
)

batch_row = Table(
    "batch_row",
    metadata,
    Column("batch_id", BigInteger, ForeignKey("batch.id"), primary_key=True),
    Column("recipient_id", BigInteger, ForeignKey("recipient.id"), primary_key=True),
    Column("version", Integer, nullable=False),  # of the recipient as the batch left it
    Column("before", Json),  # model.Recipient; NULL when the batch created it
    Index("batch_row_recipient", "recipient_id"),
    sqlite_with_rowid=False,
)

content = Table(
    "content",
    metadata,
    _id(),
    Column("sha256", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("pruned_at", Moment),  # when its bytes were removed (retention)
)

content_chunk = Table(
    "content_chunk",
    metadata,
    Column("content_id", BigInteger, ForeignKey("content.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("bytes", LargeBinary, nullable=False),
)

submission = Table(
    "submission",
    metadata,
    _id(),
    _ref("company_id", "company"),
    Column("source", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("envelope", Json, nullable=False),
    Column("peer", Json, nullable=False),
    _id_of("content_id"),
    Column("file_name", Text, nullable=False),
    Column("fields", Json, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("state", Text, nullable=False),  # received, done
    Column("due_at", Moment),
    Column("leased_by", Text),
    Column("leased_until", Moment),
    Column("tries", Integer, nullable=False),
    Column("dedupe", LargeBinary),
    Index("submission_dedupe", "dedupe", "received_at", sqlite_where=text("dedupe IS NOT NULL")),
    Index("submission_due", "due_at", sqlite_where=text("due_at IS NOT NULL")),
    Index("submission_lease", "leased_until", sqlite_where=text("leased_until IS NOT NULL")),
)

document = Table(
    "document",
    metadata,
    _id(),
    _ref("company_id", "company"),
    _ref("submission_id", "submission"),
    _id_of("content_id"),
    Column("part", Integer, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("source", Text, nullable=False),
    Column("fields", Json, nullable=False),  # model.Fields
    Column("extras", Json),  # files that belong to it: list of documents.Extra
    Column("origin", Json),  # model.Origin of one of several in a file
    Column("came", Json),  # model.Came, of a document that came by mail
    Column("reading", Json),  # model.ReadDocument without its invoice
    Column("format", Text),
    Column("type", Text),
    Column("number", Text),
    Column("customer_number", Text),
    Column("trace", Json),  # list of model.Step
    Column("state", Text, nullable=False),
    Column("cause", Text),
    Column("sentence", Text),
    Column("due_at", Moment),
    Column("leased_by", Text),
    Column("leased_until", Moment),
    Column("tries", Integer, nullable=False),
    Column("released_by", Text),
    Column("resend_to", Json),  # addresses a person chose in place of the rules
    Column("version", Integer, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("document_submission", "submission_id"),
    Index("document_company", "company_id", "id"),
    Index("document_number", "company_id", "number"),
    Index("document_customer", "company_id", "customer_number"),
    Index("document_state", "state"),
    Index("document_cause", "cause", sqlite_where=text("cause IS NOT NULL")),
    Index("document_due", "due_at", sqlite_where=text("due_at IS NOT NULL")),
    Index("document_lease", "leased_until", sqlite_where=text("leased_until IS NOT NULL")),
)

wake = Table(
    "wake",
    metadata,
    Column("key", Text, primary_key=True),  # the event that removes a held document's cause
    Column("document_id", BigInteger, ForeignKey("document.id"), primary_key=True),
    Index("wake_document", "document_id"),
    sqlite_with_rowid=False,
)

message = Table(
    "message",
    metadata,
    _id(),
    _ref("document_id", "document"),
    _id_of("content_id"),  # the signed message as sent; with `header` only the body
    Column("header", LargeBinary),  # pass-through: the new header block in front of the original's body
    Column("body_offset", BigInteger, nullable=False),  # where the body starts in `content`
    Column("size", BigInteger, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("to", Json, nullable=False),
    Column("cc", Json, nullable=False),
    Column("notes", Json, nullable=False),  # what its format could not hold, what was checked: sentences
    Column("created_at", Moment, nullable=False),
    Index("message_document", "document_id"),
)

delivery = Table(
    "delivery",
    metadata,
    _id(),
    _ref("document_id", "document"),
    _id_of("message_id"),
    Column("company_id", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("role", Text, nullable=False),  # to, cc
    Column("mail_from", Text, nullable=False),  # VERP
    Column("next_hop", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("cause", Text),  # why it is held
    Column("due_at", Moment),
    Column("expires_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("leased_by", Text),
    Column("leased_until", Moment),
    Column("last_reply", Json),  # model.Reply
    Column("updated_at", Moment, nullable=False),
    Index("delivery_due", "next_hop", "due_at", sqlite_where=text("due_at IS NOT NULL")),
    Index("delivery_state", "state"),
    Index("delivery_document", "document_id"),
    Index("delivery_address", "address"),
    Index("delivery_lease", "leased_until", sqlite_where=text("leased_until IS NOT NULL")),
    Index("delivery_held", "company_id", "cause", sqlite_where=text("cause IS NOT NULL")),
)

attempt = Table(
    "attempt",
    metadata,
    _id(),
    _ref("delivery_id", "delivery"),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("peer", Text),
    Column("tls", Text),
    Column("outcome", Text),  # done, temporary, permanent, interrupted
    Column("code", Integer),
    Column("enhanced", Text),
    Column("text", Text),
    Column("possibly_sent", Boolean, nullable=False),
    Index("attempt_delivery", "delivery_id"),
    Index("attempt_open", "id", sqlite_where=text("ended_at IS NULL")),
)

next_hop = Table(
    "next_hop",
    metadata,
    Column("name", Text, primary_key=True),
    Column("paused_by", Text),
    Column("paused_until", Moment),
    Column("reason", Text),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    Column("seq", BigInteger, nullable=False, unique=True),  # 1, 2, 3 …: the order of the chain
    Column("at", Moment, nullable=False),
    Column("uid", Integer, nullable=False),
    Column("user", Text, nullable=False),
    Column("action", Text, nullable=False),  # recipient.add, setting.set, document.release …
    Column("object", Text, nullable=False),
    Column("company", Text),
    Column("before", Json),
    Column("after", Json),
    Column("reason", Text),
    Column("hash", LargeBinary, nullable=False),  # audit.seal
)

straggler = Table(  # what was not finished when retention passed: it is looked at again in each run
    "straggler",
    metadata,
    Column("kind", Text, primary_key=True),  # content, rows
    Column("submission_id", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

dropped = Table(
    "dropped",
    metadata,
    _id(),
    Column("source", Text, nullable=False),
    Column("path_key", LargeBinary, nullable=False),  # the relative name as bytes, which need not be UTF-8
    Column("work_name", Text, nullable=False),  # the name under .work/
    Column("inode", BigInteger, nullable=False),
    Column("sha256", LargeBinary),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # claiming, claimed, accepted, refused, done
    Column("submission_id", BigInteger),
    Column("reason", Text),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("source", "work_name"),
    Index("dropped_open", "source", sqlite_where=text("state <> 'done'")),
)

piece = Table(  # of a mail that was sent in pieces: beside the document that each of them is until all are there
    "piece",
    metadata,
    Column("document_id", BigInteger, ForeignKey("document.id"), primary_key=True, autoincrement=False),
    Column("key", LargeBinary, nullable=False),  # SHA-256 over source, sender and the id that all pieces share
    Column("number", Integer, nullable=False),
    Column("total", Integer),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of what it is a piece of: its header may differ
    Column("joined_as", BigInteger),  # the submission that they all make together
    Index("piece_key", "key"),
)

quirk = Table(  # what clients do against the standards
    "quirk",
    metadata,
    Column("source", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("times", BigInteger, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    sqlite_with_rowid=False,
)
