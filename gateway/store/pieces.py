"""Mails that come in pieces (RFC 2046 §5.2.2): each piece is a document that waits until all of them are there.

A waiting piece is `received` and due when the time for the others is over. When all are there, one transaction makes
their whole a submission and ends the pieces, so that a crash leaves either all of them or the whole.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.model import Body, DocumentState, Step, Value, new_id, show_id
from gateway.store import content
from gateway.store.documents import ClaimedDocument
from gateway.store.schema import content as content_table
from gateway.store.schema import document, piece, submission, wake

_LIVE = (DocumentState.RECEIVED, DocumentState.HELD)
JOINED = "joined.eml"  # name of the submission that a whole is: it is not looked at for pieces again


class Piece(Value, frozen=True, kw_only=True):
    """Which piece of which mail."""

    key: bytes
    number: int  # from 1
    digest: bytes  # SHA-256 of its body
    total: int | None = None  # only the last piece must say it

    @classmethod
    def of(cls, source: str, mail_from: str, key: str, number: int, total: int | None, body: bytes) -> Piece:
        """The piece `number` of the mail `key` that `mail_from` sends to `source`: others' pieces never join it."""
        digest = hashlib.sha256()
        for text in (source, mail_from, key):
            data = text.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(4, "big") + data)
        return cls(key=digest.digest(), number=number, total=total, digest=hashlib.sha256(body).digest())


class Waiting(Value, frozen=True, kw_only=True):
    """A piece in the store."""

    document_id: int
    number: int
    total: int | None
    content_id: int
    digest: bytes
    size: int


def insert(connection: Connection, document_id: int, new: Piece) -> None:
    """Say of a document that it is a piece."""
    connection.execute(sa.insert(piece).values(document_id=document_id, **msgspec.structs.asdict(new)))


def siblings(connection: Connection, document_id: int) -> list[Waiting]:
    """All pieces of the mail of which the document is one, itself included, that have not ended, oldest first."""
    key = sa.select(piece.c.key).where(piece.c.document_id == document_id).scalar_subquery()
    rows = connection.execute(
        sa.select(piece, document.c.content_id, content_table.c.size)
        .join(document, document.c.id == piece.c.document_id)
        .join(content_table, content_table.c.id == document.c.content_id)
        .where(piece.c.key == key, document.c.state.in_(_LIVE))
        .order_by(piece.c.document_id)
    )
    return [
        Waiting(
            document_id=row.document_id,
            number=row.number,
            total=row.total,
            content_id=row.content_id,
            digest=row.digest,
            size=row.size,
        )
        for row in rows
    ]


def came_before(connection: Connection, document_id: int) -> int | None:
    """The submission of which the document, a piece, is part already: it came once more."""
    mine = piece.alias()
    found = connection.execute(
        sa.select(piece.c.joined_as)
        .join(mine, sa.and_(*(mine.c[name] == piece.c[name] for name in ("key", "number", "digest"))))
        .where(mine.c.document_id == document_id, piece.c.joined_as.is_not(None))
        .limit(1)
    ).scalar()
    return None if found is None else int(found)


def wait(
    connection: Connection, ids: Sequence[int], owner: str, until: dt.datetime, sentence: str, trace: Sequence[Step]
) -> None:
    """End the lease on a piece, the first of `ids`: it is due again when `until` has come.

    The others that wait with it say the same `sentence` from now on.
    """
    own = sa.and_(document.c.id == ids[0], document.c.leased_by == owner)
    received = document.c.state == DocumentState.RECEIVED
    ended = {"due_at": until, "leased_by": None, "leased_until": None, "trace": list(trace), "tries": 0}
    connection.execute(sa.update(document).where(own, received).values(**ended, sentence=sentence))
    others = sa.and_(document.c.id.in_(ids[1:]), document.c.leased_by.is_(None))
    connection.execute(sa.update(document).where(others, received).values(sentence=sentence))


def join(
    connection: Connection,
    last: ClaimedDocument,
    found: Sequence[Waiting],
    whole: Body,
    now: dt.datetime,
) -> int | None:
    """Make `whole`, which `found` give together, a submission, and end them all; its id.

    None when one of them has ended meanwhile: somebody else has joined them, or a person has cancelled it.
    """
    ids = [each.document_id for each in found]
    alive = sa.select(sa.func.count()).where(document.c.id.in_(ids), document.c.state.in_(_LIVE))
    if connection.execute(alive).scalar_one() != len(ids):
        return None
    made = new_id()
    connection.execute(
        sa.insert(submission).values(
            id=made,
            company_id=last.company_id,
            source=last.source,
            channel=last.channel,
            envelope=last.envelope,
            peer=last.peer,
            content_id=content.put(connection, whole),
            file_name=JOINED,
            fields=last.fields,
            received_at=now,
            state="received",
            due_at=now,
            tries=0,
        )
    )
    for each in found:
        sentence = f"It is piece {each.number} of a mail; the whole is submission {show_id(made)}."
        _end(connection, each.document_id, sentence, now)
    connection.execute(sa.update(piece).where(piece.c.document_id.in_(ids)).values(joined_as=made))
    return made


def _end(connection: Connection, document_id: int, sentence: str, now: dt.datetime) -> None:
    connection.execute(
        sa.update(document)
        .where(document.c.id == document_id)
        .values(
            state=DocumentState.CANCELLED,
            cause=None,
            sentence=sentence,
            due_at=None,
            leased_by=None,
            leased_until=None,
            version=document.c.version + 1,
            updated_at=now,
        )
    )
    connection.execute(sa.delete(wake).where(wake.c.document_id == document_id))
