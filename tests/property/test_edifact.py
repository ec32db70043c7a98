"""The EDIFACT tokenizer and any bytes: what was written comes back, and what is broken is refused."""

from __future__ import annotations

import contextlib

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import Unreadable
from gateway.formats.edifactout import Interchange
from gateway.readers import read
from gateway.readers.edifact_syntax import is_edifact, parse

LATIN = st.characters(codec="iso-8859-1", exclude_categories=("Cc", "Zs"))
PART = st.text(LATIN, max_size=12)
ELEMENTS = st.lists(st.lists(PART, min_size=1, max_size=4), max_size=5)
SEGMENTS = st.lists(st.tuples(st.from_regex("[A-Z]{3}", fullmatch=True).filter(lambda tag: tag != "UNO"), ELEMENTS))
PIECES = [
    b"UNB",
    b"UNH",
    b"UNT+1+1'",
    b"UNZ+1",
    b"+",
    b":",
    b"'",
    b"?",
    b"UNA:+.? '",
    b"UNO+1'",
    b"\xff",
    b"INVOIC",
    b" ",
    b"9",
]


def trimmed(element: list[str]) -> list[str]:
    while element and not element[-1]:
        element = element[:-1]
    return element


@settings(deadline=None, max_examples=50)
@given(SEGMENTS)
@example([("FTX", [["?'+:", "a?"], ["'"]])])
def test_what_is_written_is_what_is_read(segments: list[tuple[str, list[list[str]]]]) -> None:
    out = Interchange()
    out.put("UNB", ("UNOC", "3"))
    for tag, elements in segments:
        out.put(tag, *(tuple(element) for element in elements))
    found = parse(out.bytes()).segments
    assert [segment.tag for segment in found] == ["UNB", *(tag for tag, _ in segments)]
    for segment, (_, elements) in zip(found[1:], segments, strict=True):
        stated = [trimmed(element) for element in elements]
        while stated and not stated[-1]:
            stated.pop()
        assert [trimmed(list(element)) for element in segment.elements] == stated


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=6), max_size=30))
def test_any_bytes_are_read_or_refused(pieces: list[bytes]) -> None:
    data = b"UNB+UNOC:3+A+B+260815:0930+1'UNH+1+INVOIC:D:96A:UN'" + b"".join(pieces)
    assert is_edifact(data)
    with contextlib.suppress(Unreadable):
        read("", "", (), data)
