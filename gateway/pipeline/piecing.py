"""Mails that come in pieces: what becomes of a piece, until all of them are there or the time for them is over."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence

from gateway import maillog, mime
from gateway.mime import partial
from gateway.model import Body, Value, show_id
from gateway.pipeline.mailing import MAIL
from gateway.store import Store, content, pieces
from gateway.store.documents import ClaimedDocument, Hold
from gateway.store.pieces import Waiting

AGE = dt.timedelta(hours=24)  # how long a piece waits for the others
MAX_WHOLE = 64 << 20  # bytes of all pieces together


class Looked(Value, frozen=True, kw_only=True):
    """The pieces of a mail as far as they are there: in their order when they are whole, else what is the matter."""

    whole: tuple[Waiting, ...] = ()
    here: str = ""  # 2 of 3 pieces
    missing: str = ""  # piece 3
    fault: str = ""  # why they can never be put together; a sentence


def look(found: Sequence[Waiting]) -> Looked:
    """What `found`, the pieces of one mail, give together."""
    totals = {each.total for each in found if each.total is not None}
    numbers = {each.number: each for each in reversed(found)}  # of equal ones the oldest
    total = max(totals, default=0)
    here = f"{len(numbers)} of {total} pieces" if total else f"{_named(sorted(numbers))} of an unknown number"
    if len(totals) > 1 or (total and max(numbers) > total):
        return Looked(here=here, fault="Pieces of this mail do not agree on how many there are.")
    different = Counter(number for number, _ in {(each.number, each.digest) for each in found})
    several = sorted(number for number, count in different.items() if count > 1)
    if several:
        return Looked(here=here, fault=f"{_named(several).capitalize()} of this mail came more than once, and differ.")
    if sum(each.size for each in numbers.values()) > MAX_WHOLE:
        return Looked(here=here, fault=f"The pieces of this mail are more than {MAX_WHOLE >> 20} MiB together.")
    absent = [number for number in range(1, (total or max(numbers) + 1) + 1) if number not in numbers]
    if absent or not total:
        return Looked(here=here, missing=_named(absent) if total else f"{_named(absent[:1])} and perhaps more")
    return Looked(here=here, whole=tuple(numbers[number] for number in range(1, total + 1)))


def _named(numbers: Sequence[int]) -> str:
    """`pieces 1, 2 and 5`, at most ten of them."""
    shown = [str(number) for number in numbers[:10]] + (["more"] if len(numbers) > 10 else [])
    listed = " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
    return f"piece{'s' if len(numbers) > 1 else ''} {listed}"


def is_piece(document: ClaimedDocument) -> bool:
    """Whether the document is a piece that may be put together with others."""
    return document.media_type == partial.MEDIA_TYPE and document.came.cause is None


class Pieces:
    """Waits with the pieces in the store, and joins them."""

    def __init__(self, store: Store, owner: str, now: Callable[[], dt.datetime]) -> None:
        self._store, self._owner, self._now = store, owner, now

    async def go_on(self, document: ClaimedDocument) -> Hold | None:
        """Join the piece `document` with the others, or let it wait; a Hold when it waits in vain or need not."""
        before = await self._store.read(pieces.came_before, document.id)
        if before is not None:
            sentence = f"It is a piece of submission {show_id(before)} that came once more."
            return Hold(cause="incomplete", sentence=sentence, ends=True)
        found = await self._store.read(pieces.siblings, document.id)
        looked = look(found)
        if looked.whole:
            await self._join(document, found, looked.whole)
            return None
        until = document.received_at + AGE
        if looked.fault:
            return Hold(cause="incomplete", sentence=looked.fault)
        if self._now() >= until:
            hours = round(AGE.total_seconds() / 3600)
            sentence = f"Of a mail that was sent in pieces {looked.missing} never came within {hours} hours."
            return Hold(cause="incomplete", sentence=sentence)
        sentence = f"{looked.here} of this mail are here; {looked.missing} may come until {until:%Y-%m-%d %H:%M} UTC."
        ids = [document.id, *(each.document_id for each in found if each.document_id != document.id)]
        await self._store.write(pieces.wait, ids, self._owner, until, sentence, document.came.steps)
        return None

    async def _join(self, last: ClaimedDocument, found: Sequence[Waiting], whole: Sequence[Waiting]) -> None:
        contents = [await self._store.read(content.get, each.content_id) for each in whole]
        data = mime.join(contents)
        body = Body(sha256=hashlib.sha256(data).digest(), size=len(data), media_type=MAIL, data=data)
        now = self._now()
        made = await self._store.write_content(len(data), pieces.join, last, found, body, now)
        if made is None:  # one of them has ended meanwhile; if this one has not, it is looked at again
            await self._store.write(pieces.wait, [last.id], self._owner, now, "", last.came.steps)
        else:
            maillog.joined(made, last.source, len(whole), len(data))
