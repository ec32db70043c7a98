"""Mails that a next hop has taken, noted until the database has it: a killed process sends none of them again.

Between a relay's 250 and the commit that records it lie some milliseconds, in which a process that is killed would know
nothing of the 250 and send a copy. A note in a file's page survives the process at the price of one `pwrite`. It is a
help and no promise: it is not synced, a power cut may take it, and what cannot be noted costs a copy, never a mail.
"""

from __future__ import annotations

import logging
import os
import zlib
from pathlib import Path

import msgspec

from gateway.store.claims import Ended

SLOT = 4096  # bytes: one page, so that a note is one write
_HEAD = 8  # bytes of a slot that say how long its note is, and its CRC-32

_log = logging.getLogger("gateway.store")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Ended).decode


class Replied:
    """The notes of one process, each in a slot of the file, which is used again when `forget` says so.

    Slots are not wiped: a note of something that the database knows already changes nothing there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._free: list[int] = []
        self._slots = 0

    def open(self) -> list[Ended]:
        """Open the file, or make it for its owner only; what it says. Without a file, nothing is noted."""
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            content = os.pread(self._file, os.fstat(self._file).st_size, 0)
        except OSError as error:
            _log.warning("%s: %s; what a killed process had sent may be sent twice", self._path, error.strerror)
            return []
        notes = (_note(content[start : start + SLOT]) for start in range(0, len(content), SLOT))
        return [note for note in notes if note is not None]

    def note(self, ended: Ended) -> int | None:
        """The slot that says how `ended` ended; None when that could not be noted."""
        text = _encode(ended)
        if self._file is None or len(text) > SLOT - _HEAD:
            return None
        slot = self._free.pop() if self._free else self._slots
        self._slots = max(self._slots, slot + 1)
        head = len(text).to_bytes(4, "big") + zlib.crc32(text).to_bytes(4, "big")
        try:
            os.pwrite(self._file, head + text, slot * SLOT)
        except OSError:  # a full disk: the store says so
            self._free.append(slot)
            return None
        return slot

    def forget(self, slot: int | None) -> None:
        """The database has what `slot` says."""
        if slot is not None:
            self._free.append(slot)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _note(slot: bytes) -> Ended | None:
    """What a slot says; None for an empty or a damaged one."""
    text = slot[_HEAD : _HEAD + int.from_bytes(slot[:4], "big")]
    if not text or zlib.crc32(text) != int.from_bytes(slot[4:_HEAD], "big"):
        return None
    try:
        return _decode(text)
    except msgspec.DecodeError:  # another version's
        return None
