"""The content of DATA as a stream: where it ends, without stuffed dots, with one kind of line end.

Only CRLF.CRLF ends the content (RFC 5321 §4.1.1.4): a peer that takes a bare LF or CR for a line end there can be
made to see a second message in the first. Inside, bare LF and bare CR become CRLF once, here, before anything is
hashed, stored, parsed or signed.
"""

from __future__ import annotations

import re

_END = b"\r\n.\r\n"

# A line end with the dot that was stuffed after it (RFC 5321 §4.5.2). After a bare LF a dot is a stuffed one only
# when two stand there: clients that take LF for a line end double it, the others never meant it as a line end.
_LINE_END = re.compile(rb"\r\n\.?|\r|\n(?:\.(?=\.))?")

# What cannot be decided before the next bytes are here: a beginning of _END, or a bare LF with one dot.
_UNDECIDED = re.compile(rb"(?:\r\n\.\r|\r\n\.|\r\n|\r|\n\.|\n)\Z")
_UNDECIDED_MAX = 4


class DataStream:
    """Feed it what the client sent after 354 in pieces of any size; it gives the content back in pieces.

    `ended` is set at CRLF.CRLF, and `rest` then holds what the client sent after it. `received` counts bytes taken,
    `line` bytes since the last CRLF, `bare_lf` and `bare_cr` the line ends that were repaired.
    """

    __slots__ = ("_skip", "_tail", "bare_cr", "bare_lf", "ended", "line", "received", "rest")

    def __init__(self) -> None:
        self._tail = b"\r\n"  # the end of the DATA line: a dot right after it is a stuffed dot or the end
        self._skip = 2  # and no part of the content
        self.ended = False
        self.rest = b""
        self.received = 0
        self.line = 0
        self.bare_lf = 0
        self.bare_cr = 0

    def feed(self, piece: bytes) -> bytes:
        """The content that `piece` completes; may be empty. Not to be called after `ended`."""
        self.received += len(piece)
        data = self._tail + piece
        end = data.find(_END)
        if end >= 0:
            self.ended = True
            self.rest = data[end + len(_END) :]
            self.received -= len(self.rest)
            self._tail = b""
            return self._content(data[: end + 2])
        undecided = _UNDECIDED.search(data, max(0, len(data) - _UNDECIDED_MAX))
        cut = undecided.start() if undecided else len(data)
        self._tail = data[cut:]
        return self._content(data[:cut])

    def _content(self, raw: bytes) -> bytes:
        """`raw` begins and ends between line ends, never inside one."""
        if not raw:
            return raw
        last = raw.rfind(b"\r\n")
        self.line = self.line + len(raw) if last < 0 else len(raw) - last - 2
        pairs = raw.count(b"\r\n")
        if len(raw) - len(raw.translate(None, b"\r\n")) != 2 * pairs:  # cheaper than to count CR and LF
            self.bare_lf += raw.count(b"\n") - pairs
            self.bare_cr += raw.count(b"\r") - pairs
            raw = _LINE_END.sub(b"\r\n", raw)
        else:
            raw = raw.replace(b"\r\n.", b"\r\n")
        if self._skip:
            raw, self._skip = raw[self._skip :], 0
        return raw
