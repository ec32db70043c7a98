"""A file with several documents becomes as many documents, each with its own bytes that say nothing of the others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from gateway.errors import GatewayError, Unreadable
from gateway.model import Body, Fields, Origin, Value
from gateway.pipeline.finding import MAIL, media_type
from gateway.readers.signs import may_hold_several
from gateway.store.submissions import NewDocument, NewFile
from gateway.workers import Died, Pool

DIVIDE_SECONDS = 15.0  # wall time of one worker for one file


class Interrupted(GatewayError):
    """A worker died over the file; it is tried again, since it may hold documents for several recipients."""


class Beside(Value, frozen=True, kw_only=True):
    """A file that stood beside a document in its wrapper."""

    name: str
    size: int


class Piece(Value, frozen=True, kw_only=True):
    """What `jobs.divide` says of one document; without `size` it is the file itself."""

    name: str
    size: int | None
    origin: Origin | None
    extras: tuple[Beside, ...]


async def divide(found: Sequence[NewDocument], data: bytes, pool: Pool, *, last: bool) -> list[NewDocument]:
    """`found` in a submission of the bytes `data`, each that is a file with several documents replaced by those.

    What cannot be opened stays one document, and reading it says why. When a worker dies: Interrupted, or with `last`
    one document all the same, which the steps never take for one of several.
    """
    documents: list[NewDocument] = []
    for new in found:
        own = data if new.body is None else new.body.data or b""
        if new.media_type == MAIL or new.came.cause is not None or not may_hold_several(own):
            documents.append(new)
        else:
            documents += await _divide(new, own, pool, last)
    return documents


async def _divide(new: NewDocument, data: bytes, pool: Pool, last: bool) -> list[NewDocument]:
    try:
        found, blobs = await pool.run("gateway.jobs:divide", new.file_name, blob=data, timeout=DIVIDE_SECONDS)
    except Unreadable:
        return [new]
    except Died as died:
        if last:
            return [new]
        raise Interrupted(f"{new.file_name} could not be divided: {died.sentence}") from died
    pieces = msgspec.convert(found, list[Piece])
    take = _Take(blobs)
    documents = [_document(new, piece, take) for piece in pieces] or [new]
    return [*documents, *(_left_over(new) if len(documents) > 1 else [])]


class _Take:
    """The bytes of the pieces, one after the other."""

    def __init__(self, blobs: bytes) -> None:
        self._blobs, self._at = blobs, 0

    def __call__(self, size: int) -> Body:
        """The next `size` bytes."""
        own = self._blobs[self._at : self._at + size]
        self._at += size
        kind = media_type(own, "application/octet-stream")
        return Body(sha256=hashlib.sha256(own).digest(), size=size, media_type=kind, data=own)


def _document(new: NewDocument, piece: Piece, take: _Take) -> NewDocument:
    own = None if piece.size is None else take(piece.size)
    extras = tuple(NewFile(name=extra.name, body=take(extra.size)) for extra in piece.extras)
    if own is None:
        return msgspec.structs.replace(new, extras=(*extras, *new.extras))
    return NewDocument(
        file_name=piece.name,
        media_type=own.media_type,
        fields=_of_all(new.fields),
        body=own,
        extras=extras,
        origin=piece.origin,
        came=new.came,
    )


def _of_all(fields: Fields) -> Fields:
    """What was said beside a file with several documents, without what can be true of one of them only."""
    own = ("number", "issue_date")
    origin = tuple((field, where) for field, where in fields.origin if field not in own)
    return msgspec.structs.replace(fields, number=None, issue_date=None, origin=origin)


def _left_over(new: NewDocument) -> list[NewDocument]:
    """Files that came beside a file with several documents: nobody can say to which of them they belong, and they may
    tell one recipient of another, so each is a document of its own."""
    return [
        NewDocument(
            file_name=extra.name,
            media_type=extra.body.media_type,
            fields=_of_all(new.fields),
            body=extra.body,
            came=new.came,
        )
        for extra in new.extras
    ]
