"""What documents a submission holds (`docs/flow.md`): a dropped file is one, a mail has one per attachment."""

from __future__ import annotations

import hashlib

import msgspec

from gateway import mime
from gateway.config import Source
from gateway.model import Body
from gateway.store.submissions import ClaimedSubmission, NewDocument, NewFile
from gateway.workers import Pool

MAIL = "message/rfc822"
SPLIT_SECONDS = 15.0  # wall time of one worker for one mail


async def find(claimed: ClaimedSubmission, source: Source | None, content: bytes, pool: Pool) -> list[NewDocument]:
    """The documents of `claimed`, whose bytes are `content`.

    A mail that is passed on as it is, or in which there is none, is itself the one document, so that it is never lost.
    Unreadable when the mail cannot be taken apart, Died when a worker did not survive it.
    """
    if claimed.channel == "folder":
        kind = media_type(content, "application/octet-stream")
        return [NewDocument(file_name=claimed.file_name, media_type=kind, fields=claimed.fields)]
    if passes_on(source) or not claimed.envelope.mail_from:
        return [whole(claimed)]
    found, blobs = await pool.run("gateway.jobs:split", {}, blob=content, timeout=SPLIT_SECONDS)
    summary = msgspec.convert(found[0], mime.MailSummary)
    parts = msgspec.convert(found[1:], list[mime.Part])
    fields = msgspec.structs.replace(claimed.fields, reply_to=summary.from_address or None)
    return [
        NewDocument(
            file_name=part.name,
            media_type=body.media_type,
            fields=fields,
            body=body,
            extras=tuple(
                NewFile(name=extra.name, body=_body(extra, blobs)) for extra in parts if extra.extra_of == place
            ),
        )
        for place, part in enumerate(parts)
        if part.is_document and (body := _body(part, blobs))
    ] or [whole(claimed)]


def whole(claimed: ClaimedSubmission) -> NewDocument:
    """The mail itself as the one document."""
    return NewDocument(file_name="message.eml", media_type=MAIL, fields=claimed.fields)


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
