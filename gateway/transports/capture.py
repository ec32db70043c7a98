"""The transport that sends nothing: every mail becomes a file in a Maildir, to be looked at."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from pathlib import Path

from gateway import retry
from gateway.model import Envelope, Outcome, Reply, Result

NEXT_HOP = "capture"


class Capture:
    """Writes to `directory` (`tmp`, `new`, `cur`), flushed to the disk before the delivery counts as sent.

    A file is named after the envelope sender, which carries the delivery's id (VERP), the address and the content: a
    delivery that is repeated after a crash replaces its own file, so the Maildir holds each mail once.
    """

    name = "capture"

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def next_hop(self, address: str) -> str:
        """All addresses share the one folder."""
        return NEXT_HOP

    def room(self, next_hop: str) -> int:
        """As much as the queue likes."""
        return sys.maxsize

    async def deliver(self, envelope: Envelope, content: bytes) -> Outcome:
        """Write one file; temporary when the disk does not take it."""
        try:
            path = await asyncio.to_thread(self._write, envelope, content)
        except OSError as error:
            return retry.failed("4.3.0", f"cannot write to {self._directory}: {error.strerror}", peer=NEXT_HOP)
        reply = Reply(code=250, enhanced="2.0.0", text=f"written to {path.name}")
        return Outcome(result=Result.DONE, reply=reply, peer=NEXT_HOP)

    async def close(self) -> None:
        """Nothing is kept open."""

    def _write(self, envelope: Envelope, content: bytes) -> Path:
        for name in ("tmp", "new", "cur"):
            (self._directory / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        name = file_name(envelope, content)
        temporary, final = self._directory / "tmp" / name, self._directory / "new" / name
        with temporary.open("wb") as file:
            file.write(_trace(envelope) + content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(final)
        folder = os.open(final.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # the name, too, must survive a power cut
        finally:
            os.close(folder)
        return final


def file_name(envelope: Envelope, content: bytes) -> str:
    """The name under which a mail is kept, in characters that any file system takes."""
    text = f"{envelope.mail_from.partition('@')[0]},{envelope.rcpt_to[0]}"
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "+-=@,._") else "_" for letter in text)
    return f"{safe.lstrip('.')[:200]},{hashlib.sha256(content).hexdigest()[:12]}.eml"


def _trace(envelope: Envelope) -> bytes:
    """The envelope in front of the header, as a final delivery records it (RFC 5321 §4.4, RFC 9228)."""
    lines = f"Return-Path: <{envelope.mail_from}>", f"Delivered-To: {envelope.rcpt_to[0]}"
    return b"".join(
        "".join(letter if letter.isprintable() else "_" for letter in line).encode() + b"\r\n" for line in lines
    )
