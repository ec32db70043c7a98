"""Pieces of a mail in the store: joined once, and by one alone."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.store import pieces, schema, submissions
from gateway.store.documents import ClaimedDocument
from gateway.store.pieces import Piece, Waiting
from tests.store.samples import body, claimed_document


@pytest.fixture
def two(engine: sa.Engine, now: dt.datetime) -> tuple[ClaimedDocument, list[Waiting]]:
    """Both pieces of a mail, the second one in hand, and what there is of the mail."""
    with engine.begin() as connection:
        for number, data in ((1, b"one"), (2, b"two")):
            last = claimed_document(connection, now)
            pieces.insert(connection, last.id, Piece.of("local", "scan@a.example", "7", number, 2, data))
        return last, pieces.siblings(connection, last.id)


def wholes(connection: Connection) -> int:
    name = schema.submission.c.file_name == pieces.JOINED
    return int(connection.execute(sa.select(sa.func.count()).where(name)).scalar_one())


def test_who_comes_second_makes_no_second_whole(
    engine: sa.Engine, two: tuple[ClaimedDocument, list[Waiting]], now: dt.datetime
) -> None:
    last, found = two
    with engine.begin() as connection:
        made = pieces.join(connection, last, found, body(b"whole"), now)
        assert pieces.join(connection, last, found, body(b"whole"), now) is None
        assert wholes(connection) == 1
        assert {pieces.came_before(connection, each.document_id) for each in found} == {made}
        assert pieces.siblings(connection, last.id) == []
        (claimed,) = submissions.claim(connection, "boot-2", now, now + dt.timedelta(minutes=5), 10)
        assert (claimed.id, claimed.file_name) == (made, pieces.JOINED)


def test_a_piece_that_ended_meanwhile_is_in_no_whole(
    engine: sa.Engine, two: tuple[ClaimedDocument, list[Waiting]], now: dt.datetime
) -> None:
    last, found = two
    with engine.begin() as connection:
        cancelled = sa.update(schema.document).where(schema.document.c.id == found[0].document_id)
        connection.execute(cancelled.values(state="cancelled"))
        assert pieces.join(connection, last, found, body(b"whole"), now) is None
        assert wholes(connection) == 0
        assert [each.number for each in pieces.siblings(connection, last.id)] == [2]
