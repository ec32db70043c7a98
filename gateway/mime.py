"""A raw mail taken apart, within limits: who wrote it, and which of its parts are documents (RFC 5322, 2045-2049).

Works on bytes and touches every byte a bounded number of times; nothing here recurses. Names and types are what the
sender says: they decide which parts are looked at, never how they are read.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

import msgspec

from gateway import mimeheader
from gateway.errors import Unreadable
from gateway.mimeheader import Headers
from gateway.model import Value

MAX_HEADER_BYTES = 64 << 10  # of one header block
MAX_HEADERS = 200  # fields of one header block
MAX_PARTS = 100
MAX_DEPTH = 10  # multiparts and mails inside one another

# Parts that accompany a mail and are no documents of it.
_NEVER = frozenset(
    (
        "application/ics",
        "application/pgp-keys",
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "message/delivery-status",
        "message/disposition-notification",
        "message/external-body",
        "message/feedback-report",
        "text/calendar",
        "text/directory",
        "text/rfc822-headers",
        "text/vcard",
        "text/x-amp-html",
        "text/x-vcard",
    )
)
_ENCRYPTED = frozenset(("multipart/encrypted", "application/pgp-encrypted"))
_OUTLOOK_TEXT = re.compile(r"ATT\d+\.(?:txt|html?)", re.IGNORECASE)  # what Exchange makes of text after an attachment
_HEADER_END = re.compile(rb"\r?\n\r?\n|\A\r?\n")
_PDF = re.compile(rb"\s*%PDF-")
_XML = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*\0?<\0?[?!A-Za-z_]")
_EXTENSIONS = {"application/pdf": "pdf", "application/xml": "xml", "text/xml": "xml"}


class Limits(Value, frozen=True, kw_only=True):
    """How much of a mail is looked at before it is Unreadable."""

    header_bytes: int = MAX_HEADER_BYTES
    headers: int = MAX_HEADERS
    parts: int = MAX_PARTS
    depth: int = MAX_DEPTH

    @classmethod
    def of(cls, values: Mapping[str, int]) -> Limits:
        """The limits named in `values`, the defaults for the others."""
        return msgspec.convert(dict(values), cls)


class MailSummary(Value, frozen=True, kw_only=True):
    """What the mail's own header says; every value is the sender's word, decoded and without line ends."""

    from_address: str = ""  # the one mailbox of From; empty when there is none or there are several
    reply_to: str = ""
    to: tuple[str, ...] = ()
    subject: str = ""
    message_id: str = ""
    date: str = ""
    auto_submitted: str = ""  # RFC 3834 §5, in lower case
    is_automatic: bool = False  # no person wrote it: a report, an answering machine, a list
    null_return_path: bool = False


class Part(Value, frozen=True, kw_only=True):
    """A leaf of the mail. The bytes of documents and extras are at `offset`; those of other parts are left out."""

    name: str  # a file name without folders and controls, never empty
    media_type: str
    offset: int
    size: int  # bytes, decoded
    is_document: bool
    extra_of: int | None = None  # index of the part whose document this one belongs to: same base name


class _Leaf(msgspec.Struct):
    """A part on the way."""

    headers: Headers
    media_type: str
    raw: bytes
    in_report: bool
    name: str = ""
    data: bytes = b""
    is_document: bool = False


def split(message: bytes, limits: Limits | None = None) -> tuple[MailSummary, list[Part], bytes]:
    """Take `message` apart: its summary, its parts, and the decoded bytes of documents and extras one after another.

    Unreadable, cause `too-large`, `too-deep`, `encrypted` or `empty`, when it cannot be taken apart.
    """
    if not message.strip():
        raise Unreadable("empty", "The mail is empty.")
    limits = limits or Limits()
    headers, _ = _header(message, 0, len(message), limits)
    leaves = list(_leaves(message, limits))
    for number, leaf in enumerate(leaves, 1):
        _look_at(leaf, number)
    parts: list[Part] = []
    blobs: list[bytes] = []
    offset = 0
    for leaf, main in zip(leaves, _belonging(leaves), strict=True):
        data = leaf.data if leaf.is_document else b""
        parts.append(
            Part(
                name=leaf.name,
                media_type=leaf.media_type,
                offset=offset,
                size=len(data),
                is_document=leaf.is_document and main is None,
                extra_of=main,
            )
        )
        blobs.append(data)
        offset += len(data)
    return _summary(headers), parts, b"".join(blobs)


def _summary(headers: Headers) -> MailSummary:
    auto = headers.first("auto-submitted").partition(";")[0].strip().lower()
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
    )


def _header(message: bytes, start: int, end: int, limits: Limits) -> tuple[Headers, int]:
    """The header fields of the mail or part at `start`, and where its body begins."""
    block = message[start : min(end, start + limits.header_bytes + 4)]
    blank = _HEADER_END.search(block)
    if blank is None and end - start > limits.header_bytes:
        raise Unreadable("too-large", f"A header of the mail is longer than {limits.header_bytes} bytes.")
    headers = Headers.parse(block[: blank.start()] if blank else block)
    if len(headers) > limits.headers:
        raise Unreadable("too-large", f"A header of the mail has more than {limits.headers} fields.")
    return headers, start + blank.end() if blank else end


def _leaves(message: bytes, limits: Limits) -> Iterator[_Leaf]:
    """The leaves in the order of the mail, depth first."""
    waiting = [(0, len(message), 0, False)]
    seen = 0
    while waiting:
        start, end, depth, in_report = waiting.pop()
        seen += 1
        if seen > limits.parts + 1:
            raise Unreadable("too-large", f"The mail has more than {limits.parts} parts.")
        if depth > limits.depth:
            raise Unreadable("too-deep", f"Parts of the mail are nested more than {limits.depth} levels deep.")
        headers, body = _header(message, start, end, limits)
        media_type, parameters = headers.parameters("content-type")
        _refuse_encrypted(media_type, parameters)
        boundary = parameters.get("boundary", "")
        if media_type.startswith("multipart/") and boundary:
            report = in_report or media_type == "multipart/report"
            inner = _between(message, body, end, boundary, limits)
            waiting.extend((*each, depth + 1, report) for each in reversed(inner))
        elif media_type == "message/rfc822" and headers.first("content-transfer-encoding").strip().lower() != "base64":
            waiting.append((body, end, depth + 1, in_report))
        elif not media_type.startswith("multipart/"):
            yield _Leaf(headers, media_type, message[body:end], in_report)


def _refuse_encrypted(media_type: str, parameters: Mapping[str, str]) -> None:
    is_smime = media_type in ("application/pkcs7-mime", "application/x-pkcs7-mime")
    if media_type in _ENCRYPTED or (is_smime and parameters.get("smime-type", "").lower() == "enveloped-data"):
        raise Unreadable("encrypted", "The mail is encrypted, and we have no key for it.")


def _between(message: bytes, start: int, end: int, boundary: str, limits: Limits) -> list[tuple[int, int]]:
    """Where the parts between the boundary lines stand (RFC 2046 §5.1.1).

    The line end before a boundary belongs to it. A missing last boundary ends the last part at the end.
    """
    line = rb"--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?:\r?\n|\Z)"
    # Both begin with literal bytes, so that a search is a search for these.
    match = re.compile(line).match(message, start, end)
    later = re.compile(rb"\n" + line)
    match = match or later.search(message, start, end)
    parts: list[tuple[int, int]] = []
    while match and not match[1] and len(parts) <= limits.parts:
        begin = match.end()
        match = later.search(message, begin - 1, end)  # the line end of one boundary may be the start of the next
        finish = match.start() if match else end
        if match and message[finish - 1 : finish] == b"\r":
            finish -= 1
        parts.append((begin, max(begin, finish)))
    return parts


def _look_at(leaf: _Leaf, number: int) -> None:
    """Decode the leaf, name it, and decide whether it is a document."""
    disposition, parameters = leaf.headers.parameters("content-disposition")
    _, type_parameters = leaf.headers.parameters("content-type")
    said = mimeheader.file_name(parameters.get("filename") or type_parameters.get("name") or "")
    leaf.data = _decode(leaf)
    leaf.is_document = not leaf.in_report and _is_document(leaf, disposition, said)
    leaf.name = said or f"part-{number}.{_extension(leaf)}"


def _decode(leaf: _Leaf) -> bytes:
    encoding = leaf.headers.first("content-transfer-encoding").strip().lower()
    raw = leaf.raw
    if encoding == "base64":
        return _decode_base64(raw)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw)
    return raw


def _decode_base64(raw: bytes) -> bytes:
    """The bytes of `raw` as far as they go: what was cut off is the reader's business."""
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        digits = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        digits = digits[: len(digits) - (len(digits) % 4 == 1)]
        return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def _is_document(leaf: _Leaf, disposition: str, name: str) -> bool:
    media_type = leaf.media_type
    if media_type in _NEVER or (not name and not leaf.data.strip()):
        return False
    if media_type.startswith("image/") and (disposition == "inline" or leaf.headers.first("content-id")):
        return False
    if media_type in ("text/plain", "text/html"):
        if disposition == "attachment":
            return not _OUTLOOK_TEXT.fullmatch(name)
        return bool(name) and (_PDF.match(leaf.data) is not None or name.lower().endswith((".xml", ".pdf")))
    return True


def _extension(leaf: _Leaf) -> str:
    if _PDF.match(leaf.data):
        return "pdf"
    if _XML.match(leaf.data) and leaf.media_type != "text/html":
        return "xml"
    return _EXTENSIONS.get(leaf.media_type, "bin")


def _belonging(leaves: list[_Leaf]) -> list[int | None]:
    """For each leaf the index of the one that it belongs to: `F1.pdf` to `F1.xml`.

    The structured one is the document, else the PDF, else the first. A name that comes twice groups nothing.
    """
    groups: dict[str, list[int]] = {}
    for index, leaf in enumerate(leaves):
        if leaf.is_document:
            groups.setdefault(PurePosixPath(leaf.name).stem.casefold(), []).append(index)
    belonging: list[int | None] = [None] * len(leaves)
    for members in groups.values():
        extensions = [_extension(leaves[index]) for index in members]
        if len(members) < 2 or extensions.count("xml") > 1 or extensions.count("pdf") > 1:
            continue
        if len({leaves[index].name.casefold() for index in members}) < len(members):
            continue
        wanted = next((kind for kind in ("xml", "pdf") if kind in extensions), extensions[0])
        main = members[extensions.index(wanted)]
        for index in members:
            belonging[index] = None if index == main else main
    return belonging
