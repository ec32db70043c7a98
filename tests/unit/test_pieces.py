"""Pieces of a mail: which belong together, and when they are whole."""

from __future__ import annotations

import pytest

from gateway.mime import partial
from gateway.mimeheader import Headers
from gateway.pipeline import piecing
from gateway.store.pieces import Piece, Waiting


def waiting(number: int, total: int | None, *, body: bytes = b"x", size: int = 10) -> Waiting:
    return Waiting(
        document_id=number * 10, number=number, total=total, content_id=number, digest=body * number, size=size
    )


@pytest.mark.parametrize(
    "other",
    [
        ("new", "scan@a.example", "7"),
        ("old", "", "7"),
        ("old", "scan@a.example", "8"),
        ("oldscan@a.example", "", "7"),
    ],
)
def test_pieces_of_another_source_sender_or_id_are_of_another_mail(other: tuple[str, str, str]) -> None:
    one = Piece.of("old", "scan@a.example", "7", 1, 2, b"one")
    assert Piece.of("old", "scan@a.example", "7", 2, None, b"two").key == one.key
    assert Piece.of(*other, 1, 2, b"one").key != one.key


def test_they_are_whole_in_their_order_whatever_came_first_and_only_the_last_need_say_how_many() -> None:
    looked = piecing.look([waiting(3, 3), waiting(1, None), waiting(2, None), waiting(1, None)])
    assert [each.number for each in looked.whole] == [1, 2, 3]


@pytest.mark.parametrize(
    ("found", "here", "missing"),
    [
        ([waiting(2, 3)], "1 of 3 pieces", "pieces 1 and 3"),
        ([waiting(1, 12)], "1 of 12 pieces", "pieces 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and more"),
        ([waiting(1, None), waiting(2, None)], "pieces 1 and 2 of an unknown number", "piece 3 and perhaps more"),
        ([waiting(2, None)], "piece 2 of an unknown number", "piece 1 and perhaps more"),
    ],
)
def test_what_is_here_and_what_is_missing(found: list[Waiting], here: str, missing: str) -> None:
    looked = piecing.look(found)
    assert (looked.whole, looked.here, looked.missing, looked.fault) == ((), here, missing, "")


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ([waiting(1, 2), waiting(2, 3)], "do not agree"),
        ([waiting(3, None), waiting(1, 2)], "do not agree"),
        ([waiting(1, 2), waiting(1, 2, body=b"y")], "Piece 1 of this mail came more than once, and differ"),
        ([waiting(1, 2, size=40 << 20), waiting(2, 2, size=40 << 20)], "more than 64 MiB together"),
    ],
)
def test_what_can_never_be_whole(found: list[Waiting], fault: str) -> None:
    looked = piecing.look(found)
    assert looked.whole == ()
    assert fault in looked.fault


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ('message/partial; id="a b@c"; number=2; total=3', ("a b@c", 2, 3)),
        ("MESSAGE/PARTIAL; total=3; number=1; id=x", ("x", 1, 3)),
        ("message/partial; id=x; number=1", ("x", 1, None)),
        ("message/partial; id=x; number=1; total=many", ("x", 1, None)),
        ("message/partial; id=x; number=0; total=3", None),
        ("message/partial; id=x; number=-1", None),
        ("message/partial; number=1; total=3", None),
        ("message/partial; id=x", None),
        ("text/plain; id=x; number=1; total=3", None),
    ],
)
def test_which_piece_it_is(content_type: str, expected: tuple[str, int, int | None] | None) -> None:
    found = partial.of(Headers([("content-type", content_type)]))
    assert (None if found is None else (found.key, found.number, found.total)) == expected


def test_the_whole_has_the_fields_that_the_standard_says() -> None:
    """The example of RFC 2046 §5.2.2.2, with what a relay adds."""
    one = (
        b"X-Weird-Header-1: Foo\r\nFrom: Bill@host.com\r\nTo: joe@otherhost.com\r\nDate: Fri, 26 Mar 1993 12:59:38\r\n"
        b"Subject: Audio mail (part 1 of 2)\r\nMessage-ID: <id1@host.com>\r\nMIME-Version: 1.0\r\n"
        b'Content-type: message/partial; id="ABC@host.com";\r\n number=1; total=2\r\n\r\n'
        b"X-Weird-Header-1: Bar\r\nX-Weird-Header-2: Hello\r\nMessage-ID: <anotherid@foo.com>\r\n"
        b"Subject: Audio mail\r\nMIME-Version: 1.0\r\nContent-type: audio/basic\r\n"
        b"Content-transfer-encoding: base64\r\n\r\n... first half ...\r\n"
    )
    two = b"From: Bill@host.com\r\nContent-type: message/partial; number=2\r\n\r\n... second half ...\r\n"
    assert partial.join([one, two]) == (
        b"X-Weird-Header-1: Foo\r\nFrom: Bill@host.com\r\nTo: joe@otherhost.com\r\nDate: Fri, 26 Mar 1993 12:59:38\r\n"
        b"Message-ID: <anotherid@foo.com>\r\nSubject: Audio mail\r\nMIME-Version: 1.0\r\nContent-type: audio/basic\r\n"
        b"Content-transfer-encoding: base64\r\n\r\n... first half ...\r\n... second half ...\r\n"
    )
