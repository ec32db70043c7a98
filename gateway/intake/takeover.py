"""From a file in `.work/` to a submission: batches of claims, the reading of one file, the moves after the commit.

Everything here blocks and runs in a thread; the order of the steps is `dropfolder`'s.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Literal

import msgspec

from gateway.config import Source
from gateway.errors import ConfigError, Refused
from gateway.intake import complete, names, rights, sidecar
from gateway.intake.claim import Changed, Folder, split
from gateway.model import Accepted, Body, Envelope, Fields, NewSubmission, Peer, new_id, show_id
from gateway.store.dropped import Dropped

IN_MEMORY = 256 << 10  # bytes; what is larger is read again from its open file by the commit
_CHUNK = 1 << 20
_COMPANION_TAIL = re.compile(r"\.(fields\.[a-z]+|trigger)$")
_OF_THE_FILE = (errno.EACCES, errno.EPERM, errno.EXDEV, errno.EROFS, errno.ENOTDIR, errno.ELOOP)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one file may be."""

    max_size: int  # bytes
    patience: float  # seconds at rest after which a file is taken although somebody has it open for writing


class Prepared(msgspec.Struct, kw_only=True):
    """What a look at a claimed file gave: a submission, a refusal, that it must go back, or trouble with the disk."""

    new: NewSubmission | None = None
    refusal: str | None = None
    changed: bool = False
    error: OSError | None = None
    file: IO[bytes] | None = None

    def close(self) -> None:
        """Close the file that the submission's body reads."""
        if self.file is not None:
            self.file.close()


def open_folder(source: str, path: Path) -> Folder:
    """Open a source's folder, making it if it is missing; ConfigError, with what to run, when it cannot be used."""
    try:
        return Folder.open(path, create=True)
    except OSError as error:
        why = rights.trouble(path, rights.status(path), rights.us(), error)
        reason = error.strerror or str(error)
        raise ConfigError(
            f"[[source]] {source}: the folder {path} cannot be used: {reason}; {why}.", "folder"
        ) from error


def work_name(dropped_id: int, name: str) -> str:
    """The name under `.work/`: our id, and of the old name what is plain enough for a person to know it by."""
    return f"{show_id(dropped_id)}-{re.sub(r'[^A-Za-z0-9._-]', '_', names.attachment_name(name))[-80:]}"


def row_name(name: str) -> str:
    """The ledger's work name of something under `.work/`, which may be a sidecar or a trigger."""
    return _COMPANION_TAIL.sub("", name)


def accepted(row: Dropped, answer: Accepted) -> Dropped:
    """The row after its submission is stored."""
    reason = f"This is a duplicate of {show_id(answer.id)}." if answer.duplicate else None
    return msgspec.structs.replace(row, state="accepted", submission_id=answer.id, reason=reason)


def refused(row: Dropped, reason: str) -> Dropped:
    """The row after its refusal."""
    return msgspec.structs.replace(row, state="refused", reason=reason)


def claim_all(folder: Folder, rows: Sequence[Dropped]) -> dict[int, OSError]:
    """Rename files into `.work/` and make that durable; the errors of those that stayed, by row."""
    failed: dict[int, OSError] = {}
    places: set[tuple[str, ...]] = set()
    for row in rows:
        try:
            folder.claim(row)
        except OSError as error:
            failed[row.id] = error
        else:
            places.add(tuple(split(row.path)[:-1]))
    folder.sync(sorted(places), work_only=True)
    return failed


def is_of_the_file(error: OSError) -> bool:
    """Whether a failed rename concerns this file alone, and not the disk or a file that merely went away."""
    return error.errno in _OF_THE_FILE


def explain(folder: Folder, row: Dropped, error: OSError) -> str:
    """Why a file could not be moved into `.work/`, and what to run; blocks."""
    *parts, name = split(row.path)
    with folder.directory(parts) as place:
        parent, found = os.fstat(place), os.stat(name, dir_fd=place, follow_symlinks=False)
    return rights.immovable(folder.path.joinpath(*parts, name), found, parent, rights.us(), error)


def file_all(folder: Folder, rows: Sequence[Dropped]) -> None:
    """Move files whose fate is committed to `.done/` or `.failed/`, and make that durable."""
    for row in rows:
        if not folder.is_in_work(row) and folder.is_in_place(row):
            folder.claim(row)  # the disk lost the first one
        folder.file_away(row)
    folder.sync(())


def places(folder: Folder, rows: Sequence[Dropped]) -> dict[int, Literal["work", "place", "gone"]]:
    """Where the file of each row is."""
    return {
        row.id: "work" if folder.is_in_work(row) else "place" if folder.is_in_place(row) else "gone" for row in rows
    }


def prepare(folder: Folder, source: Source, row: Dropped, now: dt.datetime, limits: Limits) -> Prepared:
    """Look at a claimed file and read it."""
    if row.reason is not None:
        return Prepared(refusal=row.reason)
    try:
        return _read(folder, source, row, now, limits)
    except Changed:
        return Prepared(changed=True)
    except Refused as error:
        return Prepared(refusal=error.sentence)
    except OSError as error:
        return Prepared(error=error)


def _read(folder: Folder, source: Source, row: Dropped, now: dt.datetime, limits: Limits) -> Prepared:
    quiet = now.timestamp() - row.mtime_ns / 1e9
    descriptor = folder.open_claimed(row, settled=quiet > limits.patience)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(os.fdopen(descriptor, "rb"))
        new = _submission(folder, source, row, file, now, limits)
        if new.body.file is not None:
            stack.pop_all()  # the commit reads it once more
    return Prepared(new=new, file=new.body.file)


def _submission(
    folder: Folder, source: Source, row: Dropped, file: IO[bytes], now: dt.datetime, limits: Limits
) -> NewSubmission:
    name = split(row.path)[-1]
    if row.size > limits.max_size:
        raise Refused(too_large(row.size, limits.max_size))
    if row.size == 0:
        raise Refused("The file is empty.")
    body = _body(names.extension(name), file, row)
    fields = _fields(folder, source, row)
    return NewSubmission(
        id=new_id(),
        company=source.company,
        source=source.name,
        channel="folder",
        envelope=Envelope(mail_from="", rcpt_to=()),
        peer=Peer(host=str(source.folder)),
        body=body,
        received_at=now,
        file_name=names.attachment_name(name),
        fields=fields,
        dedupe=_dedupe(source, body, fields) if source.duplicates == "drop" else None,
    )


def too_large(size: int, limit: int) -> str:
    """The reason of a file beyond the limit."""
    return f"It has {size} bytes, more than the {limit} that are taken (max_size of the source)."


def _body(extension: str, file: IO[bytes], row: Dropped) -> Body:
    """Hash the file; Changed when it grew or was written to while we read."""
    digest = hashlib.sha256()
    head = data = file.read(IN_MEMORY + 1)
    digest.update(head)
    size = len(head)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    found = os.fstat(file.fileno())
    if size != row.size or (found.st_size, found.st_mtime_ns) != (row.size, row.mtime_ns):
        raise Changed
    small = size <= IN_MEMORY
    return Body(
        sha256=digest.digest(),
        size=size,
        media_type=complete.media_type(extension, head[: complete.HEAD]),
        data=data if small else None,
        file=None if small else file,
    )


def _fields(folder: Folder, source: Source, row: Dropped) -> Fields:
    """What the sidecar, the file's name and its sub-folders say, in this order of precedence."""
    *parts, name = (names.shown(part) for part in split(row.path))
    said: list[tuple[str, sidecar.Raw]] = []
    if row.sidecar is not None:
        beside = split(row.sidecar)[-1]
        try:
            with os.fdopen(folder.open_sidecar(row), "rb") as file:
                said.append((f"sidecar {names.shown(beside)}", sidecar.read(beside, file.read(sidecar.MAX_SIZE + 1))))
        except Refused as error:
            sentence = error.sentence[:1].lower() + error.sentence[1:]
            raise Refused(f"Its sidecar {names.shown(beside)} is wrong: {sentence}") from error
    said.append(("file name", sidecar.from_name(source.file_name, name)))
    said.append((f"folder {'/'.join(parts)}", sidecar.from_folders(parts)))
    return sidecar.combine(*said)


def _dedupe(source: Source, body: Body, fields: Fields) -> bytes:
    """The key of design D19; the fields stand for the envelope: one letter for two customers is two submissions."""
    said = msgspec.json.encode(msgspec.structs.replace(fields, origin=()))
    return hashlib.sha256(b"\0".join((b"folder", source.name.encode(), body.sha256, said))).digest()
