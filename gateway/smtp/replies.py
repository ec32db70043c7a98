"""Reading what a server answers (RFC 5321 §4.2), with bounds on everything: pure, bytes in, replies out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from gateway.errors import GatewayError
from gateway.model import Reply

MAX_LINE = 8 << 10  # bytes; RFC 5321 §4.5.3.1.5 asks for 512
MAX_REPLY = 64 << 10  # bytes of one reply, all lines
MAX_LINES = 100
MAX_TEXT = 500  # characters kept

_LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?:[ \t]+|$)")  # RFC 2034 §4


class BadReply(GatewayError):
    """The bytes are no SMTP reply, or too many of them. Never leaves this package."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole reply as it came: the code and the text of each line."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def garbled(self) -> bool:
        """Whether a CR stands inside a line: whoever takes it for an end reads another reply (RFC 5321 §2.3.8)."""
        return any(b"\r" in line.rstrip(b"\r") for line in self.lines)

    def reply(self) -> Reply:
        """The reply fit to be stored and shown."""
        enhanced = None
        texts = []
        for line in self.lines:
            found = _ENHANCED.match(line)
            if found is not None and line[:1] == str(self.code).encode()[:1]:
                enhanced = enhanced or found[1].decode()
                line = line[found.end() :]
            texts.append(line)
        return Reply(code=self.code, enhanced=enhanced, text=printable(b"\n".join(texts), newline=" / "))


class ReplyReader:
    """Takes bytes as they come and gives whole replies; BadReply as soon as a bound is passed."""

    def __init__(self) -> None:
        self._pending = bytearray()  # a line that has not ended
        self._code = b""
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def idle(self) -> bool:
        """Whether nothing of a further reply has been seen."""
        return not self._pending and not self._lines

    def feed(self, data: bytes) -> list[Answer]:
        """The replies that `data` completes."""
        self._pending += data
        done: list[Answer] = []
        start = 0
        while (end := self._pending.find(b"\n", start)) >= 0:
            line = bytes(self._pending[start:end]).removesuffix(b"\r")
            start = end + 1
            if (reply := self._line(line)) is not None:
                done.append(reply)
        del self._pending[:start]
        if len(self._pending) > MAX_LINE:
            raise BadReply(f"a line of the reply is longer than {MAX_LINE} bytes")
        return done

    def _line(self, line: bytes) -> Answer | None:
        self._size += len(line)
        if len(line) > MAX_LINE:
            raise BadReply(f"a line of the reply is longer than {MAX_LINE} bytes")
        if self._size > MAX_REPLY or len(self._lines) >= MAX_LINES:
            raise BadReply(f"the reply is longer than {MAX_LINES} lines or {MAX_REPLY} bytes")
        found = _LINE.fullmatch(line)
        if found is None or (self._lines and found[1] != self._code):
            raise BadReply(f"not an SMTP reply: {printable(line[:80])}")
        self._code = found[1]
        self._lines.append(found[3] or b"")
        if found[2] == b"-":
            return None
        answer = Answer(int(self._code), tuple(self._lines))
        self._lines, self._size = [], 0
        return answer


def printable(data: bytes, newline: str = "\\n") -> str:
    """`data` fit for one line of a log or screen: controls, separators and bidi marks escaped, length bounded.

    `newline` stands for the line ends between the lines of a reply.
    """
    if data.isascii() and data.isalnum():
        return data[:MAX_TEXT].decode()
    text = data[: 4 * MAX_TEXT].decode("utf-8", "backslashreplace").replace("\n", newline)
    if not text.isprintable():
        text = "".join(letter if _harmless(letter) else letter.encode("unicode_escape").decode() for letter in text)
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _harmless(letter: str) -> bool:
    return letter == " " or unicodedata.category(letter)[0] not in "CZ"
