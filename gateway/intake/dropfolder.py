"""The drop folder door: a file put into a folder becomes a submission, exactly once.

    folder/x.pdf ──▶ .work/ID-x.pdf ──▶ [store] ──▶ .done/x.pdf        (a duplicate has x.pdf.reason.txt beside it)
                                           └──────▶ .failed/x.pdf      with x.pdf.reason.txt beside it

The ledger row (`store.dropped`) is written first, the rename into `.work/` claims the file, the submission and the
row's next state are one commit, and only then the file moves on. A kill between any two steps leaves one of these,
which is what recovery finds at start, and after any trouble:

    row                 file                  what happened                       what is done
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
    none                in place              nothing yet                         taken when it is whole
    claiming            in place              killed before the rename            row forgotten, sidecar put back
    claiming (claimed)  in .work              killed before the commit            accepted now
    claiming            in neither            its owner removed it meanwhile      row forgotten, logged
    accepted            in .work              killed before the move              moved to .done
    accepted, refused   in place              the disk lost the rename            moved to .done or .failed
    refused             in .work              killed before the move              moved to .failed
    accepted, refused   in neither            killed before the last commit       row done
    done                in .work              the disk lost the rename            moved again
    none                in .work              another database than then          moved to .failed, said so: it may
                                                                                  have been sent, a person decides

A file is looked at when inotify hints at it, every 25 seconds, and when its time of rest is over; `waiting` says when
it is whole. Links, FIFOs, devices, hard links, unreadable files and unknown sub-folders stay where they are, with one
log line and a reason file under `.failed/`. What cannot be accepted (too large, empty, a wrong sidecar) goes to
`.failed/`; what was accepted and turns out to be no readable document is the document's hold, and the file is done.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import logging
import os
import time
from collections.abc import Callable, Sequence

from gateway import maillog
from gateway.config import Source
from gateway.errors import ConfigError, GatewayError, NotFound, Refused, Temporary
from gateway.intake import names, sidecar, takeover
from gateway.intake.claim import Folder, split
from gateway.intake.hints import Hints
from gateway.intake.thread import OwnThread
from gateway.intake.trial import Facts, Trials
from gateway.intake.waiting import Candidate, Look, Timing, Waiting
from gateway.model import Accepted, Peer
from gateway.store import Store, dropped
from gateway.store.dropped import Dropped

PATIENCE = 10.0  # seconds for a mount that does not answer
BATCH = 50  # files taken together: their rows share a commit, their renames a sync
FIRST = 10  # the first of a burst, so that work on them begins while the others are taken
_log = logging.getLogger("gateway.intake")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _batches(ready: Sequence[Candidate]) -> list[Sequence[Candidate]]:
    starts = [0, *range(FIRST, len(ready), BATCH)] if ready else []
    return [ready[start:stop] for start, stop in itertools.pairwise((*starts, len(ready)))]


class DropFolder:
    """Takes the files of one source's folder; runs from `start` to `stop`.

    `on_accepted` hears the id of each new submission after its commit, with its bytes where they are at hand. `room`
    says why nothing can be taken now, None when there is room (design D17): then files wait where they are. `clock` is
    monotonic seconds, `now` the time.
    """

    def __init__(
        self,
        source: Source,
        store: Store,
        on_accepted: Callable[[int, bytes | None], None] = lambda submission, data: None,
        room: Callable[[], str | None] = lambda: None,
        *,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], dt.datetime] = _now,
    ) -> None:
        if source.folder is None:
            raise ConfigError(f"The source {source.name} has no folder.", "folder")
        if source.file_name is not None:
            try:
                sidecar.check_pattern(source.file_name)
            except Refused as error:
                raise ConfigError(f"[[source]] {source.name}: {error.sentence}", "file_name") from error
        self._source = source
        self._path = source.folder
        self._store = store
        self._on_accepted = on_accepted
        self._room = room
        self._timing = timing or Timing(stable=source.stable)
        self._clock = clock
        self._now = now
        self._peer = Peer(host=str(source.folder))
        self._folder: Folder | None = None
        self._wake = asyncio.Event()
        self._hints = Hints(self._path, self._wake.set)
        self._waiting = Waiting(
            self._timing, source.max_size, clock, lambda: now().timestamp(), triggers=source.trigger
        )
        self._trials = Trials(source.name, self._path, clock, now)
        self._blocking = OwnThread(f"folder-{source.name}")
        self._begun = asyncio.Event()
        self._unsettled = True  # rows may be half way
        self._told: set[int] = set()  # rows whose files cannot be read, said once
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._rounds = 0
        self._round_done = asyncio.Condition()
        self.problem: str | None = None  # why nothing is taken at the moment, fit to be shown
        self.waiting = 0  # files that are in the folder and not taken yet, as of the last look
        self._found: Look | None = None
        self._looking = 0.0  # seconds that the last look took

    def facts(self) -> Facts:
        """What is to be known of the folder just now."""
        look, trial, polled = self._found, self._trials.last, not self._hints.complete
        seen = {} if look is None else look.facts()
        return Facts(waiting=self.waiting, problem=self.problem, trial=trial, polled=polled, **seen)

    async def start(self) -> None:
        """Open the folder, making it if it is missing, finish what a crash left, look once; then go on by itself.

        ConfigError when the folder cannot be used. A mount that does not answer is waited for a while only.
        """
        self._task = asyncio.create_task(self._begin(), name=f"dropfolder {self._source.name}")
        begun = asyncio.create_task(self._begun.wait())
        await asyncio.wait({self._task, begun}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        begun.cancel()
        if self._task.done():
            await self._task
        elif not self._begun.is_set():
            self._trouble("the folder does not answer")

    async def _begin(self) -> None:
        self._folder = await self._blocking(takeover.open_folder, self._source.name, self._path)
        await self._hints.start()
        await self._trials.when_due(self._blocking, self._folder)
        look = None
        try:
            await self._recover(self._folder)
            look = await self._look(self._folder)
        except (OSError, Temporary) as error:  # a full disk is no reason not to start: the loop tries again
            self._trouble(str(error))
        self._begun.set()
        await self._run(look)

    async def stop(self) -> None:
        """Finish the files in hand, leave the others, close everything."""
        self._stopping = True
        self._wake.set()
        if self._task is not None and self._task not in (await asyncio.wait({self._task}, timeout=3 * PATIENCE))[0]:
            _log.error("%s: does not answer, and is left as it is", self._path)
            return
        self._hints.close()
        if self._folder is not None:
            self._folder.close()
            self._folder = None
        self._blocking.close()

    async def scanned(self) -> None:
        """Look again now; returns when what was ready is taken."""
        await self._one_round()  # it may have begun before
        await self._one_round()

    async def _one_round(self) -> None:
        seen = self._rounds
        self._wake.set()
        async with self._round_done:
            await self._round_done.wait_for(lambda: self._rounds > seen or self._stopping)

    # --- the loop ----------------------------------------------------------------------------------------

    async def _run(self, look: Look | None) -> None:
        while not self._stopping:
            await self._trials.when_due(self._blocking, self._folder)
            try:
                pause = await self._round(look)
            except (OSError, GatewayError) as error:
                self._trouble(str(error))
                pause = self._timing.poll
            except Exception:  # border: whatever happens over one folder, it is looked at again
                _log.exception("%s: the drop folder stumbled", self._path)
                self._trouble("an unexpected error, see the log")
                pause = self._timing.poll
            look = None
            async with self._round_done:
                self._rounds += 1
                self._round_done.notify_all()
            await self._sleep(pause)

    async def _sleep(self, pause: float) -> None:
        """Until a hint comes or `pause` is over; looking takes at most a fifth of the time, so that a storm of events
        does not list a large folder for each; taking what was found is not looking."""
        try:
            await asyncio.wait_for(self._wake.wait(), pause)
        except TimeoutError:
            pass
        else:
            if not self._stopping and pause > 0:
                await asyncio.sleep(min(max(0.01, 4 * self._looking), 1.0))
        self._wake.clear()

    def _trouble(self, sentence: str) -> None:
        self._unsettled = True
        if self.problem != sentence:
            _log.warning("%s: files wait: %s", self._path, sentence)
        self.problem = sentence

    async def _round(self, look: Look | None) -> float:
        """Look at the folder and take what is ready; seconds until the next look."""
        full = self._room()
        if full is not None:
            if self.problem != full:
                _log.warning("%s: files wait: %s", self._path, full)
            self.problem = full
            return min(self._timing.poll, 1.0)
        folder = await self._current()
        if self._unsettled:
            await self._recover(folder)
        look = look or await self._look(folder)
        for some in _batches(look.ready):
            if self._stopping or self._room() is not None:
                return 0.0
            await self._take(folder, some)
        if self.problem is not None:
            _log.info("%s: files are taken again", self._path)
            self.problem = None
        hinted = self._hints.complete and not self._unsettled
        return min(look.pause, self._timing.scan if hinted else self._timing.poll)

    async def _current(self) -> Folder:
        """The open folder; opened again when its path leads elsewhere now, such as after a mount."""
        folder = self._folder
        if folder is not None and await self._blocking(folder.is_current):
            return folder
        fresh = await self._blocking(Folder.open, self._path)
        if folder is not None:
            folder.close()
        self._folder, self._unsettled = fresh, True
        return fresh

    async def _look(self, folder: Folder) -> Look:
        began = self._clock()
        look = await self._blocking(self._waiting.look, folder)
        self._looking = self._clock() - began
        self.waiting, self._found = look.waiting + len(look.ready), look
        if self._hints.watch(look.directories):
            self._wake.set()
        for odd in look.odd:
            path = names.shown("/".join((*odd.parts, odd.name)))
            text = f"{odd.reason} It was left where it is.\n\nfile        {path}\nsource      {self._source.name}\n"
            await self._blocking(folder.report, odd.name, text, odd.mark)
            self._waiting.tell(odd)
            maillog.refused_file(self._source.name, path, odd.reason)
        return look

    # --- taking files ------------------------------------------------------------------------------------

    async def _take(self, folder: Folder, candidates: Sequence[Candidate]) -> None:
        rows = [candidate.row(self._source.name) for candidate in candidates]
        try:
            await self._store.write(dropped.claiming, rows, self._now())
            failed = await self._blocking(takeover.claim_all, folder, rows)
            if failed:
                await self._store.write(dropped.forget, list(failed))
            await self._settle(folder, [row for row in rows if row.id not in failed])
        except BaseException:
            self._unsettled = True
            raise
        await self._leave(folder, [(row, failed[row.id]) for row in rows if row.id in failed])

    async def _leave(self, folder: Folder, failed: Sequence[tuple[Dropped, OSError]]) -> None:
        """Files that could not be renamed: removed meanwhile, not ours to move, or the disk is in trouble."""
        for row, error in failed:
            *parts, name = split(row.path)
            if takeover.is_of_the_file(error):
                reason = await self._blocking(takeover.explain, folder, row, error)
                self._waiting.leave(tuple(parts), name, reason)
            elif not isinstance(error, FileNotFoundError):
                raise error

    async def _settle(self, folder: Folder, rows: Sequence[Dropped]) -> None:
        """Bring files that lie in `.work/` to their end: accepted or refused, moved, done."""
        prepared = await self._blocking(self._prepare_all, folder, rows)
        try:
            ended = await asyncio.gather(*(self._decide(row, what) for row, what in prepared), return_exceptions=True)
        finally:
            for _, what in prepared:
                what.close()
        await self._finish(folder, [row for row in ended if isinstance(row, Dropped)])
        await self._put_back(folder, [row for row, what in prepared if what.changed])
        for row, error in zip(rows, ended, strict=True):
            if isinstance(error, BaseException):
                self._stuck(row, error)

    def _stuck(self, row: Dropped, error: BaseException) -> None:
        """A file that cannot be read, as on a bad sector, stays in `.work/` and does not stop the others."""
        if not isinstance(error, OSError):
            raise error
        self._unsettled = True
        if row.id not in self._told:
            self._told.add(row.id)
            _log.error("%s: %s cannot be read: %s", self._path, names.shown(os.fsdecode(row.path)), error.strerror)

    def _prepare_all(self, folder: Folder, rows: Sequence[Dropped]) -> list[tuple[Dropped, takeover.Prepared]]:
        limits = takeover.Limits(max_size=self._source.max_size, patience=self._timing.incomplete)
        return [(row, takeover.prepare(folder, self._source, row, self._now(), limits)) for row in rows]

    async def _decide(self, row: Dropped, what: takeover.Prepared) -> Dropped | None:
        """Commit one file's acceptance or refusal; the row as it stands now, None when it goes back."""
        shown = names.shown(os.fsdecode(row.path))
        if what.error is not None:
            raise what.error
        if what.changed:
            return None
        reason = what.refusal
        if what.new is not None:
            try:
                accepted = await self._store.write_content(
                    what.new.body.size, dropped.accept_dropped, row.id, what.new, self._now()
                )
            except NotFound:
                raise  # the company is not there: nothing that the file could help
            except Refused as error:
                reason = error.sentence
            else:
                return self._accepted(row, accepted, shown, what.new.body.data)
        assert reason is not None
        await self._store.write(dropped.refuse, row.id, reason, self._now())
        maillog.refused_file(row.source, shown, reason)
        return takeover.refused(row, reason)

    def _accepted(self, row: Dropped, accepted: Accepted, shown: str, data: bytes | None) -> Dropped:
        if accepted.duplicate:
            maillog.duplicate(accepted.id, row.source, "folder", self._peer, shown)
        else:
            maillog.dropped_file(accepted.id, row.source, shown, row.size)
            self._on_accepted(accepted.id, data)
        return takeover.accepted(row, accepted)

    async def _finish(self, folder: Folder, rows: Sequence[Dropped]) -> None:
        """Move files whose fate is committed, then close their rows."""
        if rows:
            await self._blocking(takeover.file_all, folder, rows)
            await self._store.write(dropped.finish, [row.id for row in rows], self._now())

    async def _put_back(self, folder: Folder, rows: Sequence[Dropped]) -> None:
        """Return files that changed under our hands; one whose place is taken meanwhile is refused instead."""
        for row in rows:
            if await self._blocking(folder.put_back, row):
                await self._store.write(dropped.forget, [row.id])
                continue
            reason = "It changed while it was being taken, and its place is taken by another file."
            await self._store.write(dropped.refuse, row.id, reason, self._now())
            maillog.refused_file(row.source, names.shown(os.fsdecode(row.path)), reason)
            await self._finish(folder, [takeover.refused(row, reason)])

    # --- after a crash or trouble ------------------------------------------------------------------------

    async def _recover(self, folder: Folder) -> None:
        """Bring everything that is half way to its end, by the table above."""
        self._unsettled = False
        rows = await self._store.read(dropped.open_rows, self._source.name)
        places = await self._blocking(takeover.places, folder, rows)
        in_work = [row for row in rows if row.open and places[row.id] == "work"]
        for first in range(0, len(in_work), BATCH):
            await self._settle(folder, in_work[first : first + BATCH])
        await self._finish(folder, [row for row in rows if not row.open])
        abandoned = [row for row in rows if row.open and places[row.id] != "work"]
        for row in abandoned:
            await self._blocking(folder.put_back, row)  # its sidecar may have come further than the file
            if places[row.id] == "gone":
                _log.warning("%s: %s vanished before it was taken", self._path, names.shown(os.fsdecode(row.path)))
        if abandoned:
            await self._store.write(dropped.forget, [row.id for row in abandoned])
        for name in await self._blocking(folder.in_work):
            await self._recover_stray(folder, name)

    async def _recover_stray(self, folder: Folder, name: str) -> None:
        """Deal with a file in `.work/` that no open row speaks of."""
        row = await self._store.read(dropped.find, self._source.name, takeover.row_name(name))
        if row is not None:
            if not row.open:
                await self._finish(folder, [row])
            return
        reason = (
            "It lay in .work/ and the database knows nothing of it, as after a restore: it may have been sent already. "
            "Put it into the folder again if it has not."
        )
        maillog.refused_file(self._source.name, names.shown(name), reason)
        await self._blocking(folder.refuse_orphan, name, reason)
