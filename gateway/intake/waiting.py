"""What waits in a drop folder, and what of it is ready to be taken.

Each look lists the whole folder anew; what is remembered between looks is only how long each file has been as it is.
Nothing here moves or changes a file.
"""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from gateway import doctypes
from gateway.errors import Refused
from gateway.intake import complete, names, rights, sidecar
from gateway.intake.claim import Folder, NotReadable, has_writer, oddity, open_regular
from gateway.intake.entries import FOREVER, Entry, Mark
from gateway.intake.takeover import too_large, work_name
from gateway.intake.triggers import Triggers
from gateway.model import new_id
from gateway.store.dropped import Dropped

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
T = TypeVar("T")
_AT_ONCE = 100  # files that one look gives at least
_SHARE = 8  # and one of so many that lie there: a burst costs two dozen looks, not one per file or per 500


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """The folder's clockwork, in seconds."""

    stable: float = 2.0  # size and times unchanged for so long: taken
    scan: float = 25.0  # a look without any hint: with the time of rest, what no event told of is taken in 30
    poll: float = 5.0  # the same where the kernel gives no hints; also the pause after trouble
    empty: float = 60.0  # an empty file is no longer one whose bytes are on their way
    incomplete: float = 300.0  # a file without its end mark, or still open for writing, is taken as it is
    alone: float = 60.0  # a sidecar without a document


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be taken now, or to be moved to `.failed/` when `refusal` says why."""

    parts: tuple[str, ...]
    name: str
    inode: int
    size: int
    mtime_ns: int
    sidecar: str | None = None
    trigger: str | None = None
    refusal: str | None = None

    def row(self, source: str) -> Dropped:
        """The ledger's row of the file, with an id of its own."""
        dropped_id = new_id()
        return Dropped(
            id=dropped_id,
            source=source,
            path=self._path(self.name),
            sidecar=None if self.sidecar is None else self._path(self.sidecar),
            trigger=None if self.trigger is None else self._path(self.trigger),
            work_name=work_name(dropped_id, self.name),
            inode=self.inode,
            size=self.size,
            mtime_ns=self.mtime_ns,
            reason=self.refusal,
        )

    def _path(self, name: str) -> bytes:
        return os.fsencode("/".join((*self.parts, name)))


class Odd(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is left where it lies."""

    parts: tuple[str, ...]
    name: str
    reason: str
    mark: str


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one look found."""

    ready: tuple[Candidate, ...]
    odd: tuple[Odd, ...]  # those not told before
    directories: tuple[tuple[tuple[str, ...], int], ...]  # the sub-folders looked into, with their inodes
    waiting: int  # files that are not ready yet
    pause: float  # seconds until one of them may be
    free: int = 0  # bytes on the file system
    oldest: dt.datetime | None = None  # since when the file that lies there longest does
    at: dt.datetime

    def facts(self) -> dict[str, Any]:
        """What of it is shown of the folder."""
        return {"oldest": self.oldest, "free": self.free, "looked_at": self.at}


@dataclass(slots=True)
class _Pass:
    """One look in the making."""

    folder: Folder
    now: float
    triggers: Triggers
    ready: list[Candidate] = field(default_factory=list)
    waiting: int = 0
    pause: float = FOREVER

    def wait(self, seconds: float) -> None:
        self.waiting += 1
        self.pause = min(self.pause, max(seconds, 0.01))


class Waiting:
    """The memory between looks. `clock` is monotonic, `wall` the time of file stamps, both in seconds."""

    def __init__(
        self,
        timing: Timing,
        max_size: int,
        clock: Callable[[], float],
        wall: Callable[[], float],
        triggers: Sequence[str] = (),
    ) -> None:
        self._timing = timing
        self._endings = triggers
        self._max_size = max_size
        self._clock = clock
        self._wall = wall
        self._path = Path()
        self._seen: dict[tuple[str, ...], Entry] = {}
        self._told: dict[tuple[str, ...], str] = {}
        self._first = True

    def look(self, folder: Folder) -> Look:
        """List the folder and say what is ready, the oldest first, some at once. OSError when it cannot."""
        directories: list[tuple[tuple[str, ...], int]] = []
        self._path = folder.path
        found = self._list(folder.root, (), directories)
        self._seen = {(key := (*entry.parts, entry.name)): self._remembered(key, entry) for entry in found}
        self._first = False
        triggers = Triggers(self._endings, (key for key, entry in self._seen.items() if entry.odd is None))
        current = _Pass(folder, self._clock(), triggers)
        at_once = max(_AT_ONCE, len(self._seen) // _SHARE)
        for group in self._groups(triggers):
            if len(current.ready) >= at_once:
                current.wait(0)
            else:
                self._judge_group(current, group)
        for key in triggers.alone:
            self._judge_alone(current, self._seen[key], "trigger")
        return Look(
            ready=tuple(current.ready),
            odd=tuple(self._untold()),
            directories=tuple(directories),
            waiting=current.waiting,
            pause=current.pause,
            free=folder.free(),
            oldest=self._oldest(),
            at=dt.datetime.fromtimestamp(self._wall(), dt.UTC),
        )

    def _oldest(self) -> dt.datetime | None:
        came = min((entry.arrived for entry in self._seen.values() if not entry.is_directory), default=None)
        return None if came is None else dt.datetime.fromtimestamp(came, dt.UTC)

    def tell(self, odd: Odd) -> None:
        """Note that its reason is written down, so that no look gives it again."""
        self._told[(*odd.parts, odd.name)] = odd.reason

    def leave(self, parts: tuple[str, ...], name: str, reason: str) -> None:
        """Count a file as one that is left where it lies, for a while: it could not be moved."""
        entry = self._seen.get((*parts, name))
        if entry is not None:
            entry.odd, entry.odd_until = reason, self._clock() + 10 * self._timing.scan

    def _list(
        self, descriptor: int, parts: tuple[str, ...], directories: list[tuple[tuple[str, ...], int]]
    ) -> Iterator[Entry]:
        directories.append((parts, os.fstat(descriptor).st_ino))
        with os.scandir(descriptor) as items:
            for item in items:
                if names.is_ignored(item.name):
                    continue
                try:
                    found = item.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                entry = Entry(parts, item.name, Mark.of(found))
                if stat.S_ISDIR(found.st_mode):
                    yield from self._list_below(descriptor, entry, directories)
                    continue
                reason = oddity(found)
                entry.odd = None if reason is None else f"It is {reason}; only ordinary files are taken."
                yield entry

    def _list_below(
        self, descriptor: int, entry: Entry, directories: list[tuple[tuple[str, ...], int]]
    ) -> Iterator[Entry]:
        """The entries of a sub-folder; the sub-folder itself when nobody looks into it."""
        entry.odd = _directory_oddity(entry.parts, entry.name)
        if entry.odd is not None:
            yield entry
            return
        try:
            below = os.open(entry.name, _DIRECTORY, dir_fd=descriptor)
        except OSError as error:
            path = self._path.joinpath(*entry.parts, entry.name)
            why = rights.trouble(path, rights.status(path), rights.us(), error)
            entry.odd = f"The sub-folder cannot be opened: {error.strerror}; {why}."
            yield entry
            return
        try:
            yield from self._list(below, (*entry.parts, entry.name), directories)
        finally:
            os.close(below)

    def _remembered(self, key: tuple[str, ...], entry: Entry) -> Entry:
        known = self._seen.get(key)
        if known is not None and known.mark.inode == entry.mark.inode:
            entry.arrived = known.arrived
        else:
            # What lay there before the first look came when its inode last changed; its other stamps are its writer's.
            entry.arrived = min(entry.mark.ctime_ns / 1e9, self._wall()) if self._first else self._wall()
        if known is not None and known.mark == entry.mark and known.odd_until > self._clock():
            return known
        entry.since = self._clock()
        if self._first:
            # Files that came while nobody looked need no second look when they are long at rest. The time of change
            # cannot be set from outside, unlike that of modification.
            age = self._wall() - max(entry.mark.mtime_ns, entry.mark.ctime_ns) / 1e9
            if age >= max(self._timing.stable, self._timing.scan):
                entry.since -= age
        return entry

    def _groups(self, triggers: Triggers) -> list[list[Entry]]:
        """Files of one directory that differ only in their extension, the oldest group first; without triggers."""
        groups: dict[tuple[str, ...], list[Entry]] = {}
        for key, entry in self._seen.items():
            if not triggers.is_one(key):
                groups.setdefault((*entry.parts, names.stem(entry.name)), []).append(entry)
        for group in groups.values():
            group.sort(key=lambda entry: (names.extension(entry.name) != ".pdf", entry.name))
        return sorted(groups.values(), key=lambda group: min(entry.mark.mtime_ns for entry in group))

    def _untold(self) -> Iterator[Odd]:
        # Once for each name and reason, so that swapping a file to and fro does not fill the log.
        self._told = {key: reason for key, reason in self._told.items() if key in self._seen}
        for key, entry in self._seen.items():
            if entry.odd is not None and self._told.get(key) != entry.odd:
                yield Odd(parts=entry.parts, name=entry.name, reason=entry.odd, mark=str(entry.mark.inode))

    def _judge_group(self, current: _Pass, group: Sequence[Entry]) -> None:
        sidecars = [entry for entry in group if self._may_be_sidecar(current, entry, len(group) > 1)]
        documents = [entry for entry in group if entry not in sidecars and entry.odd is None]
        triggers = [current.triggers.of(entry.parts, entry.name) for entry in documents]
        together = [entry for entry, found in zip(documents, triggers, strict=True) if found and found.shared]
        delay = max((self._wait(current, entry) for entry in (*together, *sidecars)), default=0) if together else 0.0
        for index, (entry, trigger) in enumerate(zip(documents, triggers, strict=True)):
            if trigger is None or (trigger.shared and delay > 0):
                current.wait(FOREVER if trigger is None else delay)
                continue
            # Of several files with one trigger the last takes it away: what a kill leaves behind still has it.
            name = trigger.name if not trigger.shared or entry is together[-1] else None
            # The fields are for the first one only: a PDF, when there is one.
            self._judge(current, entry, sidecars if index == 0 else (), name)
        if not documents:
            for entry in sidecars:
                self._judge_alone(current, entry)

    def _may_be_sidecar(self, current: _Pass, entry: Entry, has_company: bool) -> bool:
        kind = names.extension(entry.name)
        if kind in sidecar.ALWAYS:
            return True
        if kind not in sidecar.EXTENSIONS or entry.mark.size > sidecar.MAX_SIZE or entry.odd is not None:
            return False
        if current.now - entry.since < self._timing.stable:
            return has_company  # not known yet: whoever lies beside it must wait
        if entry.flat is None:
            data = self._read(current.folder, entry, lambda file: os.pread(file, sidecar.MAX_SIZE + 1, 0))
            entry.flat = data is not None and sidecar.is_flat_xml(data)
        return entry.flat

    def _judge_alone(self, current: _Pass, entry: Entry, kind: str = "sidecar") -> None:
        quiet = current.now - entry.since
        if entry.odd is not None:
            return
        if quiet < self._timing.alone:
            # Until it is at rest it may turn out to be a document: XML is looked into only then.
            current.wait((self._timing.stable if quiet < self._timing.stable else self._timing.alone) - quiet)
            return
        order = "the sidecar first, then the document" if kind == "sidecar" else "the document first, then the trigger"
        reason = (
            f"No document came beside this {kind} within {self._timing.alone:g} seconds; "
            f"write {order} with the same name before its extension."
        )
        self._take(current, entry, refusal=reason)

    def _judge(self, current: _Pass, entry: Entry, sidecars: Sequence[Entry], trigger: str | None) -> None:
        refusal = self._refusal(current, entry)
        wait = 0.0 if refusal is not None else self._wait(current, entry)
        for other in sidecars:
            if other.odd is not None:
                refusal = refusal or f"Its sidecar {names.shown(other.name)} cannot be used: {other.odd}"
            else:
                wait = max(wait, self._wait(current, other))
        if entry.odd is not None:  # it turned out not to be readable
            return
        if wait > 0:
            current.wait(wait)
            return
        if len(sidecars) > 1:
            refusal = refusal or f"It has {len(sidecars)} sidecars; which of them is right?"
        only = sidecars[0].name if len(sidecars) == 1 and sidecars[0].odd is None else None
        self._take(current, entry, sidecar=only, refusal=refusal, trigger=trigger)

    def _refusal(self, current: _Pass, entry: Entry) -> str | None:
        quiet, size = current.now - entry.since, entry.mark.size
        if size > self._max_size and quiet >= self._timing.stable:
            return too_large(size, self._max_size)
        return None

    def _wait(self, current: _Pass, entry: Entry) -> float:
        """Seconds until the file may be whole, 0 when it is."""
        quiet = current.now - entry.since
        if quiet < self._timing.stable:
            return self._timing.stable - quiet
        if entry.mark.size == 0:
            return max(self._timing.empty - quiet, 0)
        if quiet >= self._timing.incomplete:
            return 0
        written = self._read(current.folder, entry, lambda file: self._probe(file, entry))
        if written is None:
            return FOREVER
        if entry.end is not None:
            return self._timing.incomplete - quiet
        return max(self._timing.stable, 0.1) if written else 0

    @staticmethod
    def _probe(descriptor: int, entry: Entry) -> bool:
        if not entry.end_known:
            size = entry.mark.size
            head = os.pread(descriptor, complete.HEAD, 0)
            tail = os.pread(descriptor, complete.TAIL, max(0, size - complete.TAIL))
            entry.end = complete.missing_end(names.extension(entry.name), head, tail)
            entry.end_known = True
        return has_writer(descriptor)

    @staticmethod
    def _read(folder: Folder, entry: Entry, action: Callable[[int], T]) -> T | None:
        """Apply `action` to the open file; None when it is not ours to read (then `odd` says why) or went away."""
        try:
            with folder.directory(entry.parts) as place:
                parent, found = os.fstat(place), os.stat(entry.name, dir_fd=place, follow_symlinks=False)
                descriptor = open_regular(place, entry.name)
        except NotReadable:
            path = folder.path.joinpath(*entry.parts, entry.name)
            entry.odd = rights.unreadable(path, found, parent, rights.us())
            return None
        except Refused as error:
            entry.odd = error.sentence
            return None
        except OSError:
            return None
        try:
            return action(descriptor)
        finally:
            os.close(descriptor)

    def _take(self, current: _Pass, entry: Entry, **more: str | None) -> None:
        """Count a file as ready; `more` is what comes with it, or why it is refused."""
        current.ready.append(
            Candidate(
                parts=entry.parts,
                name=entry.name,
                inode=entry.mark.inode,
                size=entry.mark.size,
                mtime_ns=entry.mark.mtime_ns,
                **more,
            )
        )


def _directory_oddity(parts: tuple[str, ...], name: str) -> str | None:
    """Why nobody looks into a sub-folder, None when it is `TYPE/` or `TYPE/CUSTOMER/`."""
    if len(parts) == 1:
        return None
    if len(parts) > 1:
        return "Sub-folders go no deeper than TYPE/CUSTOMER/."
    try:
        doctypes.find(name.lower().replace("-", "_"))
    except Refused as error:
        return f"The sub-folder is named after no document type: {error.sentence}."
    return None
