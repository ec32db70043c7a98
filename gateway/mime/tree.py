"""The tree of a mail: header blocks, multiparts, leaves and their bytes (RFC 5322, 2045, 2046)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping

from gateway.errors import Unreadable
from gateway.mime.values import Leaf, Limits
from gateway.mimeheader import Headers

_ENCRYPTED = frozenset(("multipart/encrypted", "application/pgp-encrypted"))
_HEADER_END = re.compile(rb"\r?\n\r?\n|\A\r?\n")


def header(message: bytes, start: int, end: int, limits: Limits, charsets: tuple[str, ...] = ()) -> tuple[Headers, int]:
    """The header fields of the mail or part at `start`, and where its body begins."""
    block = message[start : min(end, start + limits.header_bytes + 4)]
    blank = _HEADER_END.search(block)
    if blank is None and end - start > limits.header_bytes:
        raise Unreadable("too-large", f"A header of the mail is longer than {limits.header_bytes} bytes.")
    headers = Headers.parse(block[: blank.start()] if blank else block, charsets)
    if len(headers) > limits.headers:
        raise Unreadable("too-large", f"A header of the mail has more than {limits.headers} fields.")
    return headers, start + blank.end() if blank else end


def leaves(message: bytes, limits: Limits, charsets: tuple[str, ...]) -> Iterator[Leaf]:
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
        headers, body = header(message, start, end, limits, charsets)
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
            yield Leaf(headers, media_type, message[body:end], in_report)


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


def decode(leaf: Leaf) -> bytes:
    """The bytes of a leaf without its transfer encoding."""
    encoding = leaf.headers.first("content-transfer-encoding").strip().lower()
    if encoding == "base64":
        return _decode_base64(leaf.raw)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(leaf.raw)
    return leaf.raw


def _decode_base64(raw: bytes) -> bytes:
    """The bytes of `raw` as far as they go: what was cut off is the reader's business."""
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        digits = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        digits = digits[: len(digits) - (len(digits) % 4 == 1)]
        return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
