"""What documents a submission holds (`docs/flow.md`): a dropped file is one, a mail has one per attachment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from gateway import mime
from gateway.config import Source
from gateway.mime import partial
from gateway.model import Body, Came, Fields, Step
from gateway.pipeline import mailing
from gateway.pipeline.mailing import MAIL as MAIL
from gateway.store.pieces import JOINED, Piece
from gateway.store.submissions import ClaimedSubmission, NewDocument, NewFile
from gateway.workers import Pool

SPLIT_SECONDS = 15.0  # wall time of one worker for one mail
BOUNCE = "A mail without a sender (a bounce or an automatic reply) never makes documents."
NO_DOCUMENT = "The mail has no attachment that is a document."


async def find(
    claimed: ClaimedSubmission,
    source: Source | None,
    content: bytes,
    pool: Pool,
    seen: Callable[[Sequence[str]], None],
) -> list[NewDocument]:
    """The documents of `claimed`, whose bytes are `content`; `seen` is told what was odd about it.

    A mail that is passed on as it is, or in which there is none, is itself the one document, so that it is never lost.
    Unreadable when the mail cannot be taken apart, Died when a worker did not survive it.
    """
    if claimed.channel == "folder":
        kind = media_type(content, "application/octet-stream")
        return [NewDocument(file_name=claimed.file_name, media_type=kind, fields=claimed.fields)]
    if passes_on(source):
        return [whole(claimed)]
    found, blobs = await pool.run("gateway.jobs:split", options(claimed, source), blob=content, timeout=SPLIT_SECONDS)
    summary = msgspec.convert(found[0], mime.MailSummary)
    parts = msgspec.convert(found[1:], list[mime.Part])
    seen(summary.odd)
    if summary.partial is not None and claimed.file_name != JOINED:
        return [_piece(claimed, summary, summary.partial, content)]
    why = _without_document(claimed, source, summary, parts)
    if why is not None:
        return [whole(claimed, why)]
    fields, wrong = mailing.fields(claimed.fields, summary)
    return [
        _document(place, parts, blobs, fields, _with(mailing.came(summary, parts, place), wrong))
        for place, part in enumerate(parts)
        if part.is_document
    ]


def options(claimed: ClaimedSubmission, source: Source | None) -> dict[str, object]:
    """What the worker that takes the mail apart must know of its source and envelope."""
    if source is None:
        return {}
    said: dict[str, object] = {
        "charsets": source.charset,
        "fields": source.mail_patterns,
        "notice_subjects": source.notice_subjects,
        "rcpt_to": claimed.envelope.rcpt_to if source.mail_patterns else (),
    }
    return {name: msgspec.to_builtins(value) for name, value in said.items()}


def _without_document(
    claimed: ClaimedSubmission, source: Source | None, summary: mime.MailSummary, parts: Sequence[mime.Part]
) -> Came | None:
    """Why the mail as a whole is held or ends, with its record; None when it has documents."""
    record = mailing.came(summary, parts)
    if summary.notice is not None:
        ends = source is None or source.notices == "finish"
        cause, sentence = f"no-document:{summary.notice.kind}", summary.notice.sentence
        return msgspec.structs.replace(record, cause=cause, sentence=sentence, ends=ends)
    if not claimed.envelope.mail_from:
        return msgspec.structs.replace(record, cause="no-document:bounce", sentence=BOUNCE)
    if not any(part.is_document for part in parts):
        return msgspec.structs.replace(record, cause="no-document", sentence=NO_DOCUMENT)
    return None


def _with(came: Came, wrong: Sequence[Step]) -> Came:
    return msgspec.structs.replace(came, steps=(*came.steps, *wrong)) if wrong else came


def _document(place: int, parts: Sequence[mime.Part], blobs: bytes, fields: Fields, came: Came) -> NewDocument:
    part = parts[place]
    body = _body(part, blobs)
    return NewDocument(
        file_name=part.name,
        media_type=body.media_type,
        fields=fields,
        body=body,
        extras=tuple(NewFile(name=each.name, body=_body(each, blobs)) for each in parts if each.extra_of == place),
        came=came,
    )


def _piece(claimed: ClaimedSubmission, summary: mime.MailSummary, piece: mime.Partial, content: bytes) -> NewDocument:
    """One piece of a larger mail, which waits for the others."""
    total = f" of {piece.total}" if piece.total else ""
    came = mailing.came(summary, ())
    body, sender = partial.body_of(content), claimed.envelope.mail_from
    if max(piece.number, piece.total or 0) > partial.MAX_PIECES or piece.number > (piece.total or piece.number):
        sentence = f"It says that it is piece {piece.number}{total} of a mail; there may be {partial.MAX_PIECES}."
        came = msgspec.structs.replace(came, cause="unreadable:pieces", sentence=sentence)
    return NewDocument(
        file_name=f"piece-{piece.number}{total.replace(' ', '-')}.eml",
        media_type=partial.MEDIA_TYPE,
        fields=claimed.fields,
        came=came,
        piece=Piece.of(claimed.source, sender, piece.key, piece.number, piece.total, body),
    )


def whole(claimed: ClaimedSubmission, came: Came | None = None) -> NewDocument:
    """The mail itself as the one document."""
    return NewDocument(file_name="message.eml", media_type=MAIL, fields=claimed.fields, came=came or Came())


def passes_on(source: Source | None) -> bool:
    """Whether the source's mails go to their RCPT TO addresses as they are."""
    return source is not None and source.recipients == "envelope"


def _body(part: mime.Part, blobs: bytes) -> Body:
    data = blobs[part.offset : part.offset + part.size]
    kind = media_type(data, part.media_type)
    return Body(sha256=hashlib.sha256(data).digest(), size=len(data), media_type=kind, data=data)


def media_type(data: bytes, said: str) -> str:
    """What the bytes are, where that can be seen at their start; else what the sender `said`."""
    start = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"%PDF-"):
        return "application/pdf"
    return "application/xml" if start.startswith(b"<") and "html" not in said else said
