"""A raw mail taken apart, within limits: who wrote it, and which of its parts are documents (RFC 5322, 2045-2049).

Works on bytes and touches every byte a bounded number of times; nothing here recurses. Names and types are what the
sender says: they decide which parts are looked at, never how they are read.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

import msgspec

from gateway import mimeheader
from gateway.errors import Unreadable
from gateway.mime import judge, notices, opening, partial, said, tree
from gateway.mime.partial import join
from gateway.mime.values import Fault, Leaf, Limits, MailSummary, Notice, Options, Part, Partial, Said
from gateway.mimeheader import Headers

__all__ = ["Fault", "Limits", "MailSummary", "Notice", "Options", "Part", "Partial", "Said", "join", "split"]

_MISSING = {"date": "no_date", "message-id": "no_message_id", "from": "no_from"}


def split(message: bytes, options: Options | None = None) -> tuple[MailSummary, list[Part], bytes]:
    """Take `message` apart: its summary, its parts, and the decoded bytes of documents and extras one after another.

    Unreadable, cause `too-large`, `too-deep`, `encrypted` or `empty`, when it cannot be taken apart.
    """
    if not message.strip():
        raise Unreadable("empty", "The mail is empty.")
    options = options or Options()
    headers, _ = tree.header(message, 0, len(message), options.limits, options.charsets)
    piece = partial.of(headers)
    if piece is not None:
        return _summary(headers, partial=piece), [], b""
    leaves = list(tree.leaves(message, options.limits, options.charsets))
    for number, leaf in enumerate(leaves, 1):
        judge.look_at(leaf, number)
    raw = headers.is_raw or any(leaf.headers.is_raw for leaf in leaves)
    opened = opening.Opened(options)
    leaves = opened.all(leaves)
    parts, data = _parts(leaves)
    summary = _summary(headers, odd=(*_odd(headers, raw), *opened.odd), notes=tuple(opened.notes))
    is_document = any(part.is_document for part in parts)
    summary = msgspec.structs.replace(
        summary,
        notice=notices.find(headers, summary, leaves, is_document, options.notice_subjects),
        said=said.fields(summary.subject, leaves, options) if options.fields else (),
    )
    return summary, parts, data


def _parts(leaves: list[Leaf]) -> tuple[list[Part], bytes]:
    parts: list[Part] = []
    blobs: list[bytes] = []
    offset = 0
    for leaf, main in zip(leaves, judge.belonging(leaves), strict=True):
        data = leaf.data if leaf.is_document else b""
        parts.append(
            Part(
                name=leaf.name,
                media_type=leaf.media_type,
                offset=offset,
                size=len(data),
                is_document=leaf.is_document and main is None,
                extra_of=main,
                where=leaf.where,
                left_out="" if leaf.left_out in (judge.TEXT, judge.EMPTY) else leaf.left_out,
                fault=leaf.fault,
            )
        )
        blobs.append(data)
        offset += len(data)
    return parts, b"".join(blobs)


def _odd(headers: Headers, raw: bool) -> tuple[str, ...]:
    missing = [name for field, name in _MISSING.items() if not headers.first(field).strip()]
    if "no_date" not in missing and not _is_date(headers.first("date")):
        missing.append("bad_date")
    if len(headers.all("from")) > 1:
        missing.append("two_from")
    return (*missing, "raw_header") if raw else tuple(missing)


def _is_date(text: str) -> bool:
    try:
        parsedate_to_datetime(text[:100])
    except (ValueError, TypeError, IndexError, OverflowError):
        return False
    return True


def _summary(
    headers: Headers, *, partial: Partial | None = None, odd: tuple[str, ...] = (), notes: tuple[str, ...] = ()
) -> MailSummary:
    auto = re.split(r"[;\s(]", headers.first("auto-submitted").strip().lower())[0]  # comments may follow, RFC 3834 §5
    precedence = headers.first("precedence").strip().lower()
    is_report = headers.parameters("content-type")[0] == "multipart/report"
    return MailSummary(
        from_address=headers.only_mailbox("from"),
        reply_to=headers.only_mailbox("reply-to"),
        to=headers.mailboxes("to"),
        subject=mimeheader.decode_words(headers.first("subject"))[:1000],
        message_id=headers.first("message-id").strip()[:500],
        date=headers.first("date").strip()[:100],
        auto_submitted=auto[:50],
        is_automatic=auto not in ("", "no") or precedence in ("bulk", "junk", "list") or is_report,
        null_return_path=headers.first("return-path").strip() == "<>",
        partial=partial,
        odd=odd if partial is None else ("partial",),
        notes=notes,
    )
