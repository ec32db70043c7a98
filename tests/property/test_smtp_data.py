"""DATA as a stream: whatever the bytes and however they are cut, the content comes out whole and with one line end."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.smtp.data import DataStream

_END = b"\r\n.\r\n"
_CONTENT = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\x00", b"\r\n.", b"\xe9"]), max_size=60).map(
        b"".join
    ),
)


def _run(raw: bytes, cuts: list[int]) -> tuple[DataStream, bytes]:
    """Feeds `raw` in pieces that end at `cuts`, as a server reads: what follows the piece with the end is left."""
    stream, content, at = DataStream(), b"", 0
    for cut in [*sorted({cut % (len(raw) + 1) for cut in cuts}), len(raw)]:
        content += stream.feed(raw[at:cut])
        at = cut
        if stream.ended:
            break
    stream.rest += raw[at:]
    return stream, content


def _normalised(content: bytes) -> bytes:
    return re.sub(rb"\r\n|\r|\n", b"\r\n", content)


def _sent(content: bytes, stuffing: bytes) -> bytes:
    """`content` as a client sends it after 354; `stuffing` finds the places of a dot at the beginning of a line."""
    whole = content if not content or content.endswith(b"\r\n") else content + b"\r\n"
    return re.sub(stuffing, rb"\g<0>.", b"\r\n" + whole)[2:] + b".\r\n"


_cuts = st.lists(st.integers(min_value=0, max_value=400), max_size=30)


@given(_CONTENT, _cuts, st.binary(max_size=20))
@example(b".", [1], b"")
@example(b"", [], b"QUIT\r\n")
@example(b"\n.\n", [1, 2, 3], b"")
def test_content_stuffed_after_every_lf_comes_back(content: bytes, cuts: list[int], rest: bytes) -> None:
    # As smtplib sends bytes: a dot is doubled after any LF.
    stream, received = _run(_sent(content, rb"\n(?=\.)") + rest, cuts)
    whole = content if not content or content.endswith(b"\r\n") else content + b"\r\n"
    assert stream.ended
    assert received == _normalised(whole)
    assert stream.rest == rest
    assert stream.received == len(_sent(content, rb"\n(?=\.)"))


@given(_CONTENT, _cuts)
def test_content_stuffed_as_rfc_5321_says_comes_back(content: bytes, cuts: list[int]) -> None:
    content = re.sub(rb"(?<!\r)\n\.+", b"\n.", content)  # two dots there: the case in which the two kinds differ
    stream, received = _run(_sent(content, rb"\r\n(?=\.)"), cuts)
    whole = content if not content or content.endswith(b"\r\n") else content + b"\r\n"
    assert stream.ended
    assert received == _normalised(whole)


@given(_CONTENT, _cuts, _cuts)
def test_cuts_change_nothing(raw: bytes, first: list[int], second: list[int]) -> None:
    one, content_one = _run(raw, first)
    two, content_two = _run(raw, second)
    assert one.ended == two.ended
    if one.ended:
        assert content_one == content_two
        assert (one.rest, one.bare_lf, one.bare_cr, one.received) == (two.rest, two.bare_lf, two.bare_cr, two.received)


@given(_CONTENT, _cuts)
def test_only_crlf_dot_crlf_ends(raw: bytes, cuts: list[int]) -> None:
    stream, content = _run(raw, cuts)
    assert stream.ended == (_END in b"\r\n" + raw)
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
    assert stream.dotted or not re.search(rb"(?:\A|\n)\.", content)


@given(st.lists(st.sampled_from([b"\r", b"\n", b".", b"\r\n."]), max_size=200), _cuts)
def test_undecided_bytes_are_few(pieces: list[bytes], cuts: list[int]) -> None:
    raw = b"".join(pieces)
    stream, _ = _run(raw, cuts)
    assert stream.ended or len(stream._tail) <= 4


def test_repaired_line_ends_are_counted() -> None:
    stream, content = _run(b"a\nb\r\nc\rd\n\r\n.\r\n", [])
    assert (content, stream.bare_lf, stream.bare_cr) == (b"a\r\nb\r\nc\r\nd\r\n\r\n", 2, 1)


def test_bytes_since_the_last_crlf_are_counted() -> None:
    stream = DataStream()
    stream.feed(b"ab\r\ncd\n")
    stream.feed(b"x" * 100)
    assert stream.line == 103
    stream.feed(b"\r\nx")
    assert stream.line == 1


def _run_with(raw: bytes, cuts: list[int], stream: DataStream) -> bytes:
    content, at = b"", 0
    for cut in [*sorted({cut % (len(raw) + 1) for cut in cuts}), len(raw)]:
        if stream.ended:
            break
        content += stream.feed(raw[at:cut])
        at = cut
    return content


@given(_CONTENT, _cuts)
@example(b"a\n.\nb", [4, 5])
@example(b"a\r\n.\nb", [3, 4, 5])
def test_lf_dot_lf_is_content_as_long_as_more_comes(content: bytes, cuts: list[int]) -> None:
    # A source that may end with LF.LF loses nothing of a content that goes on, however it is cut.
    raw = content + b"\r\n.\r\n"
    strict, lenient = DataStream(), DataStream(lenient=True)
    assert _run_with(raw, cuts, lenient) == _run_with(raw, cuts, strict)
    assert lenient.ended
    assert not lenient.paused
    assert (lenient.bare_lf, lenient.bare_cr) == (strict.bare_lf, strict.bare_cr)


@given(st.lists(st.sampled_from([b"a", b"\n", b"bc", b"\xe9"]), max_size=40).map(b"".join), _cuts)
def test_lf_dot_lf_and_silence_end_a_content(content: bytes, cuts: list[int]) -> None:
    stream = DataStream(lenient=True)
    received = _run_with(content + b"\n.\n", cuts, stream)
    assert stream.paused
    assert received + stream.end() == _normalised(content + b"\n")
    assert stream.ended


@given(_CONTENT, _cuts)
@example(b".\r\n", [])
def test_the_longest_line_is_the_same_however_it_is_cut(content: bytes, cuts: list[int]) -> None:
    raw = content + b"\r\n.\r\n"
    whole, cut = DataStream(measure=True), DataStream(measure=True)
    assert _run_with(raw, [], whole) == _run_with(raw, cuts, cut)
    assert whole.longest == cut.longest
    received = (b"\r\n" + raw).split(_END, 1)[0][2:]
    assert whole.longest >= max(map(len, received.split(b"\n")))
