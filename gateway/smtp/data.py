"""The content of DATA as a stream: where it ends, without stuffed dots, with one kind of line end.

Only CRLF.CRLF ends the content (RFC 5321 §4.1.1.4): a peer that takes a bare LF or CR for a line end there can be
made to see a second message in the first. (A source may be allowed LF.LF as well, when silence follows.) Inside,
bare LF and bare CR become CRLF once, here, before anything is hashed, stored, parsed or signed.
"""

from __future__ import annotations

import re

_END = b"\r\n.\r\n"
_LENIENT_END = b"\n.\n"

# A line end with the dot that was stuffed after it (RFC 5321 §4.5.2). After a bare LF a dot is a stuffed one only
# when two stand there: clients that take LF for a line end double it, the others never meant it as a line end.
_DOT = re.compile(rb"\n\.")  # found faster than bytes that begin with CR
_LINE_END = re.compile(rb"\r\n\.?|\r|\n(?:\.(?=\.))?")

# What cannot be decided before the next bytes are here: a beginning of _END, or a bare LF with one dot.
_UNDECIDED = re.compile(rb"(?:\r\n\.\r|\r\n\.|\r\n|\r|\n\.|\n)\Z")
_UNDECIDED_MAX = 4


class DataStream:
    """Feed it what the client sent after 354 in pieces of any size; it gives the content back in pieces.

    `ended` is set at CRLF.CRLF, and `rest` then holds what the client sent after it. `received` counts bytes taken,
    `line` bytes since the last CRLF, `bare_lf` and `bare_cr` the line ends that were repaired. With `lenient`, `paused`
    says that LF.LF is the last thing that came; `end` makes it the end. With `measure`, `longest` is the length of
    the longest line. `dotted` says that a line may begin with a dot.
    """

    __slots__ = (
        "_lenient", "_measure", "_skip", "_tail", "_unended", "bare_cr", "bare_lf", "dotted", "ended", "line",
        "longest", "received", "rest",
    )  # fmt: skip

    def __init__(self, *, lenient: bool = False, measure: bool = False) -> None:
        self._lenient = lenient
        self._measure = measure
        self._unended = 0  # bytes of a line whose end has not come
        self.longest = 0
        self._tail = b"\r\n"  # the end of the DATA line: a dot right after it is a stuffed dot or the end
        self._skip = 2  # and no part of the content
        self.ended = False
        self.dotted = False
        self.rest = b""
        self.received = 0
        self.line = 0
        self.bare_lf = 0
        self.bare_cr = 0

    def feed(self, piece: bytes) -> bytes:
        """The content that `piece` completes; may be empty. Not to be called after `ended`."""
        self.received += len(piece)
        data = self._tail + piece
        dot = _dot(data)
        end = -1 if dot < 0 else _end(data, dot)
        if end >= 0:
            self.ended = True
            self.rest = data[end + len(_END) :]
            self.received -= len(self.rest)
            self._tail = b""
            return self._content(data[: end + 2], dotted=dot < end)
        undecided = _UNDECIDED.search(data, max(0, len(data) - _UNDECIDED_MAX))
        cut = undecided.start() if undecided else len(data)
        if self._lenient and data.endswith(_LENIENT_END):
            cut = len(data) - len(_LENIENT_END) - data.endswith(b"\r" + _LENIENT_END)
        self._tail = data[cut:]
        return self._content(data[:cut], dotted=dot >= 0)

    @property
    def paused(self) -> bool:
        """Whether LF.LF came last: the end, if nothing follows."""
        return self._lenient and not self.ended and self._tail.endswith(_LENIENT_END)

    def end(self) -> bytes:
        """The content's last bytes, once `paused` has lasted; the dot is no part of it."""
        self.ended = True
        tail, self._tail = self._tail[: -len(_LENIENT_END) + 1], b""
        return self._content(tail, dotted=True)

    def _measured(self, raw: bytes) -> None:
        first, *others = raw.split(b"\n")
        self.longest = max(self.longest, self._unended + len(first), *map(len, others))
        self._unended = len(others[-1]) if others else self._unended + len(first)

    def _content(self, raw: bytes, *, dotted: bool) -> bytes:
        """`raw` begins and ends between line ends, never inside one; `dotted` when a line may begin with a dot."""
        if not raw:
            return raw
        if self._measure:
            self._measured(raw)
        last = raw.rfind(b"\r\n")
        self.line = self.line + len(raw) if last < 0 else len(raw) - last - 2
        self.dotted = self.dotted or dotted
        if not _is_canonical(raw):
            self.dotted = True
            pairs = raw.count(b"\r\n")
            self.bare_lf += raw.count(b"\n") - pairs
            self.bare_cr += raw.count(b"\r") - pairs
            raw = _LINE_END.sub(b"\r\n", raw)
        elif dotted:
            raw = raw.replace(b"\r\n.", b"\r\n")
        if self._skip:
            raw, self._skip = raw[self._skip :], 0
        return raw


def _dot(data: bytes) -> int:
    """Where the first LF with a dot after it stands, -1 without one. In BASE64 there is no dot at all, and to look for
    a single byte takes next to nothing."""
    first = data.find(b".")
    found = None if first < 0 else _DOT.search(data, max(0, first - 1))
    return -1 if found is None else found.start()


def _end(data: bytes, dot: int) -> int:
    """Where the end of the content begins, -1 when it is not in `data`; its first LF with a dot stands at `dot`. In
    most contents that is the end: one search finds both."""
    if dot and data.startswith(_END, dot - 1):
        return dot - 1
    return data.find(_END, dot)


def _is_canonical(raw: bytes) -> bool:
    """Whether CR and LF stand in `raw` as CRLF alone. To count them takes twice as long."""
    lines = raw.splitlines()
    if raw.endswith((b"\n", b"\r")):
        lines.append(b"")
    return b"\r\n".join(lines) == raw
