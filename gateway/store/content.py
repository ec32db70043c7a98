"""Bytes in the database: `content` says what they are, `content_chunk` holds them in rows of at most 1 MiB."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import NotFound
from gateway.model import Body, new_id
from gateway.store.schema import content, content_chunk, insert_into

CHUNK = 1 << 20  # bytes

_INSERT = insert_into(content, "id sha256 size media_type")
_INSERT_CHUNK = insert_into(content_chunk, "content_id seq bytes")
_CHUNKS = (
    sa.select(content_chunk.c.bytes)
    .where(content_chunk.c.content_id == sa.bindparam("content_id"), content_chunk.c.seq >= sa.bindparam("first"))
    .order_by(content_chunk.c.seq)
)


def put(connection: Connection, body: Body) -> int:
    """Store `body`; returns the new content id."""
    content_id = new_id()
    _INSERT.run(connection, {"id": content_id, "sha256": body.sha256, "size": body.size, "media_type": body.media_type})
    reader = body.reader()
    seq = 0
    while chunk := reader.read(CHUNK):
        _INSERT_CHUNK.run(connection, {"content_id": content_id, "seq": seq, "bytes": chunk})
        seq += 1
    return content_id


def removed_at(connection: Connection, content_id: int) -> dt.datetime | None:
    """When the bytes of a content were removed, None when they are there; NotFound when there is no such content."""
    row = connection.execute(sa.select(content.c.pruned_at).where(content.c.id == content_id)).first()
    if row is None:
        raise NotFound(f"there is no content {content_id}")
    removed: dt.datetime | None = row.pruned_at
    return removed


def get(connection: Connection, content_id: int, offset: int = 0) -> bytes:
    """The bytes of `content_id` from `offset` on; NotFound when there is no such content, or none any more."""
    rows = connection.execute(_CHUNKS, {"content_id": content_id, "first": offset // CHUNK}).scalars().all()
    if not rows:
        removed = removed_at(connection, content_id)
        if removed is not None:
            sentence = f"The content was removed on {removed:%Y-%m-%d}; what is known of the document is kept."
            raise NotFound(sentence, "id")
    whole = rows[0] if len(rows) == 1 else b"".join(rows)
    return whole[offset % CHUNK :] if offset % CHUNK else whole
