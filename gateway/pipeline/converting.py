"""What is attached: the document in the recipient's format, its page or the files beside it, as the row asks (P14)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from gateway import formats, metrics
from gateway.errors import Unconvertible
from gateway.model import Attachment
from gateway.pipeline.checks import Checks
from gateway.pipeline.outgoing import Letter
from gateway.store import Store, content

WRITE_SECONDS = 60.0  # wall time of one worker for writing a document in another format; 1 ms a line of a page
_PDF = "application/pdf"

RunJob = Callable[..., Awaitable[tuple[Any, bytes]]]


class Converting:
    """From a letter to its attachments. `run` runs a job over a document and raises what holds it; `pages` has a folder
    for each company that has templates of its own."""

    def __init__(self, store: Store, checks: Checks, run: RunJob, now: Callable[[], dt.datetime], pages: Path) -> None:
        self._store, self._checks, self._run, self._now, self._pages = store, checks, run, now, pages

    async def attachments(self, letter: Letter, data: bytes) -> list[Attachment]:
        """The document first, with the notes of all; Unconvertible where it cannot take the form wanted.

        It is the original bytes when they are in the format wanted already. The sender's own PDF beside a structured
        document is the better page, so it goes instead of one of ours.
        """
        row, document = letter.chosen, letter.document
        attach = row.attach if row else None
        wanted = document.fields.format or (row.format if row else None)
        target = "pdf" if attach == "pdf" else letter.business.format(letter.type, wanted)
        beside = [
            Attachment(
                name=extra.name,
                media_type=extra.media_type,
                content=await self._store.read(content.get, extra.content_id),
            )
            for extra in document.extras
        ]
        own = await self._document(letter, target, data, beside)
        pages = [extra for extra in beside if extra.media_type == _PDF]
        inside = pages[:1] if own.has_own_page else []
        others = [extra for extra in beside if extra.content is not own.content and extra not in inside]
        notes = list(own.notes)
        if attach in ("alone", "pdf") and others:
            names = ", ".join(extra.name for extra in others)
            notes.append(f"Not attached, as the recipient's row asks for {attach}: {names}.")
            others = []
        if attach == "with-pdf" and own.media_type != _PDF and not any(each.media_type == _PDF for each in others):
            others = [*await self._page(letter, data, notes), *others]
        return [msgspec.structs.replace(own, notes=tuple(notes)), *others]

    async def _document(self, letter: Letter, target: str, data: bytes, beside: list[Attachment]) -> Attachment:
        """The document as `target`; where that cannot hold it, as PDF, if the company wants that rather than wait."""
        try:
            return await self._as(letter, target, data, beside)
        except Unconvertible as error:
            if target == "pdf" or letter.business.on_loss(letter.type) != "fallback_pdf":
                raise
            try:
                page = await self._as(letter, "pdf", data, beside)
            except Unconvertible:
                raise error from None
            note = f"Sent as PDF instead of {target}, as on_loss asks ({error.term}): {error.sentence}"
            return msgspec.structs.replace(page, notes=(note, *page.notes))

    async def _as(self, letter: Letter, target: str, data: bytes, beside: list[Attachment]) -> Attachment:
        document = letter.document
        if formats.is_already(letter.reading, data, target):
            return Attachment(name=document.file_name, media_type=document.media_type, content=data)
        page = next((extra for extra in beside if extra.media_type == _PDF), None)
        if target == "pdf" and page:
            return page
        return await self._converted(letter, target, data, page if formats.has_page(target) else None)

    async def _page(self, letter: Letter, data: bytes, notes: list[str]) -> list[Attachment]:
        """A page of ours beside the document; a document without one goes alone, which is noted."""
        try:
            page = await self._converted(letter, "pdf", data)
        except Unconvertible as error:
            notes.append(f"Without a PDF of it: {error.sentence}")
            return []
        return [msgspec.structs.replace(page, is_twin=True)]

    async def _converted(self, letter: Letter, target: str, data: bytes, page: Attachment | None = None) -> Attachment:
        """What a worker writes; `page` is a PDF that the sender made of the document."""
        document, row = letter.document, letter.chosen
        options: dict[str, Any] = {"now": self._now().isoformat(), "media_type": document.media_type}
        options["pages"] = str(self._pages.absolute() / letter.business.company)
        if row and row.constants:
            options["constants"] = row.constants
        if page:
            options["page"], data = len(page.content), data + page.content
        with metrics.STAGE_SECONDS.labels("convert").time():
            made, blob = await self._run(
                document,
                "convert",
                document.file_name,
                target,
                letter.language,
                options,
                blob=data,
                seconds=WRITE_SECONDS,
            )
        verdict = await self._checks.verdict(target, blob)
        notes = (*made["notes"], *([verdict] if verdict else []))
        written = Attachment(name=made["name"], media_type=made["media_type"], content=blob, notes=notes)
        return msgspec.structs.replace(written, has_own_page=made.get("has_own_page", False))
