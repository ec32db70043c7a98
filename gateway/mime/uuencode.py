"""Files written into the text of a mail as mailers did before MIME: uuencode (POSIX.1 uuencode, IEEE 1003.1).

begin 644 F1.pdf
M)5!$1BTQ+C0*...
`
end
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_FILES = 100  # of one text
_END = re.compile(rb"^(?:end|====)[ \t]*\r?$", re.MULTILINE)
_BEGIN = re.compile(rb"^begin(-base64)? [0-7]{3,4} +(\S[^\r\n]{0,254}?)[ \t]*\r?$", re.MULTILINE)


class Encoded(NamedTuple):
    """A file found in a text; `fault` says what is wrong with it, empty when it is whole."""

    name: bytes
    data: bytes  # of a damaged one, the text that should have been it
    fault: str


def files(text: bytes) -> Iterator[Encoded]:
    """The files in `text`, in order; what stands between them is the text itself. What comes after `MAX_FILES` of them
    is one that is damaged."""
    match = _BEGIN.search(text)
    for _ in range(MAX_FILES):
        if match is None:
            return
        following = _BEGIN.search(text, match.end())  # no line of a whole block looks like a beginning
        stop = following.start() if following else len(text)
        data, fault = (_base64 if match[1] else _lines)(text, match.end() + 1, stop)
        closing = _END.search(text, match.end(), stop) if fault else None
        if not fault:
            yield Encoded(match[2], data, "")
        elif data or closing:  # else the words "begin 644 x" in a sentence
            yield Encoded(match[2], text[match.start() : closing.end() if closing else stop], fault)
        match = following
    if match is not None and _END.search(text, match.end()):
        yield Encoded(match[2], text[match.start() :], f"the text holds more than {MAX_FILES} files")


def _lines(text: bytes, start: int, stop: int) -> tuple[bytes, str]:
    """The bytes of the lines from `start` to `end`, and what is wrong."""
    out: list[bytes] = []
    at = start
    closed = False
    while at < stop:
        newline = text.find(b"\n", at, stop)
        newline = stop if newline < 0 else newline
        line = text[at:newline].rstrip(b"\r")
        if line.rstrip() == b"end":
            return b"".join(out), ""
        if line and not closed:
            data = _line(line)
            if data is None:
                return b"".join(out), f"its line {len(out) + 1} is damaged"
            if data:
                out.append(data)
            closed = not data
        elif line.strip(b" `"):
            return b"".join(out), "there is more after its last line"
        at = newline + 1
    return b"".join(out), "its end is missing"


def _base64(text: bytes, start: int, stop: int) -> tuple[bytes, str]:
    """The same of a block of base64, which ends with `====`."""
    end = text.find(b"\n====", start - 1, stop)
    try:
        data = binascii.a2b_base64(text[start : stop if end < 0 else max(end, start)])
    except binascii.Error:
        return b"", "it is damaged"
    return data, "" if end >= 0 else "its end is missing"


def _line(line: bytes) -> bytes | None:
    """The bytes of one line, None when it is none. Blanks at the end that a mailer has cut off are put back."""
    length = (line[0] - 32) & 63
    if not 32 <= line[0] <= 96:
        return None
    wanted = 1 + (length + 2) // 3 * 4
    body = line[:wanted].ljust(wanted)
    if len(line) > wanted + 2 or any(byte < 32 or byte > 96 for byte in body):  # some wrote a check digit more
        return None
    try:
        return binascii.a2b_uu(body.replace(b"`", b" ") + b"\n")
    except binascii.Error:
        return None
