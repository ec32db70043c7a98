"""Content on its way in: where its bytes wait, and how many may wait at a time (design D2, D17)."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from gateway.model import Body, Canonical

PIECES = 64  # of a content in memory

_log = logging.getLogger("gateway.smtp")


class Budget:
    """Bytes in flight: received and not yet stored. All sessions of the gateway share one.

    `memory` and `files` are the bounds in bytes. `room` says in one sentence, for the log, why nothing can be taken
    now (queue too long, disk too full), or None; it is asked at MAIL and at DATA and must be cheap.
    """

    def __init__(self, memory: int, files: int, room: Callable[[], str | None]) -> None:
        self._memory_limit = memory
        self._files_limit = files
        self._room = room
        self.memory = 0
        self.files = 0

    def lack(self, size: int) -> str | None:
        """Why a message of `size` bytes (0: not said) has to wait, for the log; None when it may come."""
        if self.memory >= self._memory_limit:
            return f"{self.memory} bytes wait in memory"
        if self.files + size > self._files_limit:
            return f"{self.files} bytes wait in temporary files"
        return self._room()

    def take_memory(self, size: int) -> bool:
        """Counts `size` bytes in; False, and nothing counted, when memory has no room for them."""
        if self.memory + size > self._memory_limit:
            return False
        self.memory += size
        return True

    def take_file(self, size: int) -> bool:
        """The same for temporary files."""
        if self.files + size > self._files_limit:
            return False
        self.files += size
        return True


class Spool:
    """One content as `DataStream` gives it: in memory up to `above` bytes, beyond in an unlinked temporary file in
    `directory`.

    `too_large` and `no_room` say why bytes were given up; from then on everything is discarded. Whoever makes one
    closes it, which gives its bytes back to the budget.
    """

    def __init__(self, budget: Budget, *, max_size: int, above: int, directory: Path | None) -> None:
        self._budget = budget
        self._max_size = max_size
        self._above = above
        self._directory = directory
        self._hash = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._in_memory = 0
        self._file: IO[bytes] | None = None
        self._in_file = 0
        self.size = 0
        self.too_large = False
        self.no_room = False

    def write(self, piece: bytes) -> None:
        """Keeps `piece`, or gives everything up when a bound is passed; never raises."""
        self.size += len(piece)
        if self.too_large or self.no_room or not piece:
            return
        if self.size > self._max_size:
            self.too_large = True
            self.close()
            return
        self._hash.update(piece)
        if self._file is None and self.size <= self._above and self._budget.take_memory(len(piece)):
            self._pieces.append(piece)
            if len(self._pieces) > PIECES:  # of a client that drips: each costs more than its bytes
                self._pieces = [_joined(self._pieces)]
            self._in_memory += len(piece)
            return
        try:
            self._to_file(piece)
        except OSError as error:
            self._give_up(f"a temporary file cannot be written: {error}")

    def body(self, *, dotted: bool = True) -> Body | None:
        """The whole content, or None when it was given up. The file, if there is one, stays ours to close.

        Not `dotted`: no line of it begins with a dot.
        """
        if self._file is not None:
            try:
                self._file.flush()
            except OSError as error:
                self._give_up(f"a temporary file cannot be written: {error}")
        if self.too_large or self.no_room:
            return None
        data = None if self._file is not None else Canonical(_joined(self._pieces))
        if data is not None:
            data.dotted = dotted
        return Body(sha256=self._hash.digest(), size=self.size, media_type="message/rfc822", data=data, file=self._file)

    def close(self) -> None:
        """Lets the bytes go; may be called twice."""
        self._forget_memory()
        self._budget.files -= self._in_file
        self._in_file = 0
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
            except OSError as error:  # what was buffered does not fit on the disk, and nobody wants it any more
                _log.debug("a temporary file did not close: %s", error)

    def _to_file(self, piece: bytes) -> None:
        if not self._budget.take_file(self._in_memory + len(piece)):
            self._give_up("temporary files have no room left")
            return
        self._in_file += self._in_memory + len(piece)
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=1 << 16, dir=self._directory)  # noqa: SIM115
            self._file.writelines(self._pieces)
            self._forget_memory()
        self._file.write(piece)

    def _forget_memory(self) -> None:
        self._budget.memory -= self._in_memory
        self._pieces, self._in_memory = [], 0

    def _give_up(self, reason: str) -> None:
        _log.warning("incoming content is given up: %s", reason)
        self.no_room = True
        self.close()


def _joined(pieces: list[bytes]) -> bytes:
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
