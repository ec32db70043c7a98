"""Messages as bytes: what we write ourselves, and what we pass on with a new header (RFC 5322, 2045, 3834).

Everything that varies comes in with the values, so that composing twice gives the same bytes.
"""

from __future__ import annotations

import binascii
import datetime as dt
import hashlib
import hmac
import re
import struct
import unicodedata
from collections.abc import Sequence
from email.utils import format_datetime
from functools import lru_cache

from gateway import headers
from gateway.errors import Unconvertible
from gateway.model import Attachment, Canonical, Peer, Value, parse_id, show_id

MAX_HEADER = 64 * 1024  # octets of a header block that is passed on
MAX_FIELDS = 200
MAX_HOPS = 30  # Received fields; more is a loop, RFC 5321 §6.3
MAX_NAME = 150  # octets of an attachment's name in UTF-8

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+>")
_VERP = re.compile(r"b\+([0-9a-z]{13})-([0-9a-z]{8})@(.+)", re.ASCII)
_NAME_UNSAFE = re.compile(r'[<>:"/\\|?*;%=]')
_EXTENSION = re.compile(r"[A-Za-z0-9]{1,10}")
_ASCII = bytes(range(0x80))
_BLOCK = 57 * 16384  # octets encoded at a time: whole lines of 76 characters

_DROPPED = frozenset(
    b"return-path bcc resent-bcc sender dkim-signature domainkey-signature authentication-results "
    b"content-length".split()
)
_SINGLE = frozenset(  # RFC 5322 §3.6, RFC 2045, RFC 3834
    b"date from reply-to to cc message-id in-reply-to references subject mime-version content-type "
    b"content-transfer-encoding content-id content-description content-disposition auto-submitted".split()
)


class Mail(Value, frozen=True, kw_only=True):
    """A message to be written. Addresses are as `address.parse` gives them, texts may be anything."""

    from_address: str
    sender_name: str = ""
    reply_to: str | None = None
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    subject: str
    body: str
    date: dt.datetime
    message_id: str  # with its angle brackets, see `message_id`
    attachments: tuple[Attachment, ...] = ()


def message_id(message: int, document: int, domain: str) -> str:
    """`<message.document@domain>` of two ids: the same for all copies of a message."""
    return f"<{show_id(message)}.{show_id(document)}@{domain}>"


def verp(delivery_id: int, key: bytes, domain: str) -> str:
    """The envelope sender of one delivery: bounces name it and cannot be forged (`b+<id>-<hmac>@domain`)."""
    shown = show_id(delivery_id)
    return f"b+{shown}-{_mac(shown, key)}@{domain}"


def parse_verp(address: str, key: bytes, domain: str) -> int | None:
    """The delivery whose `verp` sender `address` is, None when it is none of ours."""
    match = _VERP.fullmatch(address.lower())
    if not match or match[3] != domain.lower() or not hmac.compare_digest(match[2], _mac(match[1], key)):
        return None
    return parse_id(match[1])


def _mac(shown: str, key: bytes) -> str:
    """40 bits of HMAC-SHA256 as 8 characters."""
    digest = hmac.digest(key, b"verp:" + shown.encode("ascii"), "sha256")
    number = int.from_bytes(digest[:5], "big")
    return "".join("0123456789abcdefghjkmnpqrstvwxyz"[number >> shift & 31] for shift in range(35, -1, -5))


def attachment_name(document_type: str, number: str | None, original: str, extension: str) -> str:
    """A name that tells the reader what is in the file and is safe on every disk.

    `document_type` and `number` make it ("Invoice", "2024/17" → `Invoice-2024_17.pdf`); without a number the
    original's base name does. NFC, no path, no controls, at most 150 octets of UTF-8, `extension` without its dot.
    """
    base = re.split(r"[/\\]", original)[-1]
    stem = f"{document_type} {number}".replace(" ", "-") if number else base.rpartition(".")[0] or base
    return file_name(stem or document_type, extension) or file_name("document", extension)


def file_name(stem: str, extension: str) -> str:
    """`stem` made safe on every disk, with `extension` (given without its dot); empty when nothing of it is left."""
    clean = unicodedata.normalize("NFC", headers.clean_text(stem))
    clean = re.sub(r"\s+", " ", re.sub(r"_+", "_", _NAME_UNSAFE.sub("_", clean))).strip("-._~ ")
    suffix = f".{extension.lower()}" if _EXTENSION.fullmatch(extension) else ""
    octets = clean.encode()[: MAX_NAME - len(suffix)]
    kept = octets.decode(errors="ignore").rstrip("-._~ ")
    return kept + suffix if kept else ""


def compose(mail: Mail) -> Canonical:
    """The message, CRLF only, lines ≤ 998 octets, header in ASCII and checked.

    Unconvertible("address" | "header", …) when a value cannot be written safely.
    """
    if not mail.to:
        raise Unconvertible("address", "The message has no address in To.")
    digest = hashlib.sha256(mail.message_id.encode()).hexdigest()
    boundary = f"=_{digest[:32]}"  # "=_" can stand neither in base64 nor in quoted-printable, RFC 2045 §6.7
    fields = _own_fields(mail)
    text = _text_part(mail.body)
    if not mail.attachments:
        block = _block([*fields, *text[0]])
        return _canonical([block, b"\r\n", text[1]], text[1])
    fields.append(("Content-Type", b'multipart/mixed;\r\n boundary="' + boundary.encode() + b'"'))
    out = [_block(fields), b"\r\n"]
    delimiter = b"--" + boundary.encode()
    for part_fields, content in [text, *map(_file_part, mail.attachments)]:
        out += [delimiter, b"\r\n", _block(part_fields), b"\r\n", content]
    out += [delimiter, b"--\r\n"]
    return _canonical(out, text[1])


def _canonical(parts: Sequence[bytes], text: bytes) -> Canonical:
    """`parts` as one; no line of them but those of `text` can begin with a dot."""
    whole = Canonical(b"".join(parts))
    whole.dotted = text.startswith(b".") or b"\n." in text
    return whole


Fields = list[tuple[str, bytes]]


def _own_fields(mail: Mail) -> Fields:
    """Name and folded value of each field that every message of ours has."""
    if not _MESSAGE_ID.fullmatch(mail.message_id) or len(mail.message_id) > 200:
        raise Unconvertible("header", "The Message-ID is not of the form <…@…>.")
    fields: Fields = [("From", headers.mailbox(mail.sender_name, mail.from_address, len("From: ")))]
    if mail.reply_to:
        fields.append(("Reply-To", headers.address_value(mail.reply_to)))
    fields.append(("To", headers.address_list(mail.to, len("To: "))))
    if mail.cc:
        fields.append(("Cc", headers.address_list(mail.cc, len("Cc: "))))
    fields += [
        ("Subject", headers.text_value(mail.subject, len("Subject: "))),
        ("Date", _date(mail.date)),
        ("Message-ID", mail.message_id.encode("ascii")),
        ("Auto-Submitted", b"auto-generated"),  # RFC 3834 §5
        ("MIME-Version", b"1.0"),
    ]
    return fields


def _block(fields: Fields) -> bytes:
    """The finished header block of `fields`, looked at once more."""
    block = b"".join(name.encode("ascii") + b": " + value + b"\r\n" for name, value in fields)
    headers.check_header(block, [name for name, _ in fields])
    return block


def _date(moment: dt.datetime) -> bytes:
    return _second(int(moment.timestamp()))


@lru_cache(8)
def _second(seconds: int) -> bytes:
    """Many mails are made in the same one."""
    return format_datetime(dt.datetime.fromtimestamp(seconds, dt.UTC)).encode("ascii")


def _text_part(body: str) -> tuple[Fields, bytes]:
    """Fields and encoded content of the text: quoted-printable while it stays legible, else base64."""
    lines = headers.clean_lines(body).rstrip("\n") + "\n"
    data = lines.replace("\n", "\r\n").encode()
    foreign = len(data.translate(None, _ASCII))
    fields: Fields = [("Content-Type", b"text/plain; charset=utf-8")]
    if foreign * 3 > len(data):
        return [*fields, ("Content-Transfer-Encoding", b"base64")], _base64(data)
    return [*fields, ("Content-Transfer-Encoding", b"quoted-printable")], binascii.b2a_qp(data, istext=True)


def _file_part(attachment: Attachment) -> tuple[Fields, bytes]:
    """Fields and encoded content of one attached file."""
    media_type = attachment.media_type.partition(";")[0].strip().lower()
    if not _MEDIA_TYPE.fullmatch(media_type) or media_type.startswith(("message/", "multipart/")):
        media_type = "application/octet-stream"  # RFC 2046 §5 allows no base64 for composite types
    name = _file_name(attachment.name)
    fields: Fields = [
        ("Content-Type", headers.with_parameters(media_type, headers.parameter("name", name))),
        ("Content-Transfer-Encoding", b"base64"),
        ("Content-Disposition", headers.with_parameters("attachment", headers.parameter("filename", name))),
    ]
    return fields, _base64(attachment.content)


def _file_name(name: str) -> str:
    """`name` as it may be announced: no path, no quotes, no controls, bounded."""
    base = _NAME_UNSAFE.sub("_", headers.clean_text(re.split(r"[/\\]", name)[-1])).strip(". ")
    if len(base.encode()) <= MAX_NAME:
        return base or "document"
    stem, dot, extension = base.rpartition(".")
    return attachment_name("", None, stem + ".", extension) if dot else attachment_name("", None, base + ".", "")


def _base64(data: bytes) -> bytes:
    """Base64 in lines of 76 characters with CRLF (RFC 2045 §6.8)."""
    out: list[bytes] = []
    for start in range(0, len(data), _BLOCK):
        text = binascii.b2a_base64(data[start : start + _BLOCK], newline=False)
        full, rest = divmod(len(text), 76)
        out += struct.unpack_from("76s" * full, text)  # half the price of slices
        out += [text[-rest:]] if rest else []
    out.append(b"")
    return b"\r\n".join(out)


# --- passing on ------------------------------------------------------------------------------------------


class Trace(Value, frozen=True, kw_only=True):
    """What our Received field says (RFC 5321 §4.4): who gave it to whom, under which id."""

    peer: Peer
    hostname: str
    submission_id: int


def pass_through(
    content: bytes,
    *,
    from_address: str,
    sender_name: str,
    reply_to: str | None,
    message_id: str,
    date: dt.datetime,
    gateway: Trace,
    charsets: Sequence[str] = headers.CHARSETS,
) -> tuple[bytes, int]:
    """A new header block for a mail that keeps its body: (block of CRLF-ended fields, offset of the body).

    The message is the block, an empty line, and `content` from the offset. The sender becomes ours, `reply_to` is
    added when the mail names none, `message_id` (ours) and `date` when it lacks its own; fields that would tell
    secrets or lie are removed, repeated ones reduced to the first, all others stay byte for byte where they may; of
    8-bit text `charsets` are tried in order.
    Unconvertible with term `header`, `line-length` or `hops` when the mail cannot be passed on.
    """
    block, offset = _split(content)
    _check_lines(content, offset)
    fields = _kept(headers.split_fields(block))
    present = {name.lower(): value for name, value in reversed(fields)}
    name = sender_name or headers.display_name(present.get(b"from", b""), charsets)
    ours = b"From: " + headers.mailbox(name, from_address, len("From: "))
    out: list[tuple[bytes, bytes]] = [(b"Received", _received(gateway, date))]
    out += [
        (name, ours if name.lower() == b"from" else headers.repair(name, value, charsets)) for name, value in fields
    ]
    missing = {
        b"From": ours,
        b"Reply-To": b"Reply-To: " + headers.address_value(reply_to) if reply_to else b"",
        b"Date": b"Date: " + _date(date),
        b"Message-ID": b"Message-ID: " + message_id.encode("ascii"),
        b"MIME-Version": b"MIME-Version: 1.0",
    }
    out += [(name, field) for name, field in missing.items() if field and name.lower() not in present]
    written = b"".join(field + b"\r\n" for _, field in out)
    headers.check_header(written, [name.decode("ascii") for name, _ in out])
    return written, offset


def _split(content: bytes) -> tuple[bytes, int]:
    """Header block without its last CRLF, and where the body starts; a mail without an empty line has none."""
    if content.startswith(b"\r\n"):
        return b"", 2
    end = content.find(b"\r\n\r\n", 0, MAX_HEADER + 4)
    if end < 0:
        if len(content) > MAX_HEADER:
            raise Unconvertible("header", f"The mail's header is larger than {MAX_HEADER // 1024} KiB.")
        end = len(content.removesuffix(b"\r\n"))
    return content[:end], min(end + 4, len(content))


def _check_lines(content: bytes, offset: int) -> None:
    """Unconvertible when a line of the body is too long to be sent (RFC 5321 §4.5.3.1.6)."""
    start, size = offset, len(content)
    while size - start > headers.MAX_LINE:
        end = content.rfind(b"\n", start, start + headers.MAX_LINE + 2)
        if end < 0:
            raise Unconvertible("line-length", "The mail has a line of more than 998 characters in its body.")
        start = end + 1


def _kept(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The fields that travel on, the first of those that may stand only once (RFC 5322 §3.6)."""
    if len(fields) > MAX_FIELDS:
        raise Unconvertible("header", f"The mail's header has more than {MAX_FIELDS} fields.")
    if sum(name.lower() == b"received" for name, _ in fields) > MAX_HOPS:
        raise Unconvertible("hops", f"The mail has passed more than {MAX_HOPS} servers: it goes round in a loop.")
    kept: list[tuple[bytes, bytes]] = []
    seen: set[bytes] = set()
    for name, value in fields:
        lower = name.lower()
        if lower in _DROPPED or lower.startswith(b"x-gateway") or (lower in _SINGLE and lower in seen):
            continue
        if lower in (b"message-id", b"date", b"reply-to") and not value.strip():
            continue
        seen.add(lower)
        kept.append((name, value))
    return kept


def _received(trace: Trace, date: dt.datetime) -> bytes:
    helo = re.sub(r"[^A-Za-z0-9.:\[\]_-]", "", trace.peer.helo)[:255] or "unknown"
    host = re.sub(r"[^A-Fa-f0-9.:]", "", trace.peer.host)[:45]
    literal = f"[IPv6:{host}]" if ":" in host else f"[{host}]"
    words = [
        f"Received: from {helo} ({literal})",
        f"by {trace.hostname} with ESMTP",
        f"id {show_id(trace.submission_id)};",
        _date(date).decode("ascii"),
    ]
    return "\r\n ".join(words).encode("ascii", "replace")
