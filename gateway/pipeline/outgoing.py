"""From a document and the place it goes to, to the signed message: template, attachment, composition, signature."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import PurePath

import msgspec

from gateway import address, compose, doctypes, headers, mimeheader, signing, templates
from gateway.errors import Refused
from gateway.formats.words import Words
from gateway.model import Attachment, Body, Canonical, Envelope, ReadDocument, Recipient, Resolution, Value
from gateway.retry import LIFETIME
from gateway.settings import Business
from gateway.store.documents import ClaimedDocument
from gateway.store.messages import NewDelivery, NewMessage, new_message_ids

EXTENSIONS = {"application/pdf": "pdf", "application/xml": "xml", "text/xml": "xml"}
_ORDINARY = 1024  # bytes of a From that is worth remembering


class Sender(Value, frozen=True, kw_only=True):
    """What is the same for every message: whose domain, which keys, and how an address finds its next hop."""

    domain: str
    hostname: str
    keys: tuple[signing.Key, ...]
    verp_key: bytes
    next_hop: Callable[[str], str]


class Letter(Value, frozen=True, kw_only=True):
    """A document ready to be mailed."""

    document: ClaimedDocument
    reading: ReadDocument
    resolution: Resolution
    business: Business
    type: str
    number: str | None
    language: str

    @property
    def chosen(self) -> Recipient | None:
        """The recipient's row, for what only an advanced company may choose in it (R25, R27); else None."""
        return self.resolution.recipient if self.business.advanced else None


def write(letter: Letter, attachments: Sequence[Attachment], sender: Sender, now: dt.datetime) -> NewMessage:
    """The composed and signed message with its deliveries; the first attachment is the document.

    Refused when a template of the company cannot be rendered, Unconvertible when a value cannot be written safely.
    """
    to, cc = letter.resolution.to, letter.resolution.cc
    message_id, delivery_ids = new_message_ids(len(to) + len(cc))
    variables = _variables(letter)
    mail = compose.Mail(
        from_address=f"{letter.business.prefix}@{sender.domain}",
        sender_name=letter.business.sender_name,
        reply_to=_reply_to(letter.business, letter.document.fields.reply_to),
        to=to,
        cc=cc,
        subject=templates.render_subject(letter.business.subject(letter.type, letter.language), variables),
        body=templates.render(letter.business.body(letter.type, letter.language), variables),
        date=now,
        message_id=compose.message_id(message_id, letter.document.id, sender.domain),
        attachments=tuple(_named(letter, each, variables, place) for place, each in enumerate(attachments)),
    )
    content = compose.compose(mail)
    signed = Canonical(signing.sign_message(content, sender.domain, sender.keys, now) + content)
    signed.dotted = content.dotted  # no line of a signature begins with a dot
    body = Body(sha256=hashlib.sha256(signed).digest(), size=len(signed), media_type="message/rfc822", data=signed)
    return NewMessage(
        id=message_id,
        message_id=mail.message_id,
        to=to,
        cc=cc,
        body=body,
        header=None,
        body_offset=0,
        size=len(signed),
        expires_at=now + LIFETIME,
        deliveries=_deliveries(delivery_ids, to, cc, sender),
    )


def pass_on(letter: Letter, content: bytes, sender: Sender, now: dt.datetime, charsets: Sequence[str]) -> NewMessage:
    """The mail `content` under a new, signed header for the addresses of its envelope; the body stays as it is.
    `charsets` are those of the source.

    Unconvertible when the mail cannot be passed on.
    """
    to = letter.resolution.to
    message_id, delivery_ids = new_message_ids(len(to))
    document = letter.document
    block, offset = compose.pass_through(
        content,
        from_address=f"{letter.business.prefix}@{sender.domain}",
        sender_name=letter.business.sender_name,
        reply_to=_reply_to(letter.business, _from(content)),
        message_id=compose.message_id(message_id, document.id, sender.domain),
        date=now,
        gateway=compose.Trace(peer=document.peer, hostname=sender.hostname, submission_id=document.submission_id),
        charsets=charsets,
    )
    header = signing.sign(block, content, sender.domain, sender.keys, now, start=offset) + block + b"\r\n"
    return NewMessage(
        id=message_id,
        message_id=_message_id(block),
        to=to,
        cc=(),
        body=None,
        header=header,
        body_offset=offset,
        size=len(header) + len(content) - offset,
        expires_at=now + LIFETIME,
        deliveries=_passed_on(document.envelope, _deliveries(delivery_ids, to, (), sender)),
    )


def _passed_on(envelope: Envelope, deliveries: tuple[NewDelivery, ...]) -> tuple[NewDelivery, ...]:
    """A mail that came without a sender goes on without: nothing may be answered to it (RFC 5321 §4.5.5)."""
    if envelope.mail_from:
        return deliveries
    return tuple(msgspec.structs.replace(each, mail_from="") for each in deliveries)


def _from(content: bytes) -> str:
    """The one address of the mail's own From; empty when there is none or there are several."""
    end = content.find(b"\r\n\r\n", 0, compose.MAX_HEADER)
    fields = headers.split_fields(content[: max(end, 0)])
    block = b"\r\n".join(b"From:" + value for name, value in fields if name.lower() == b"from")
    return _only_mailbox(block) if len(block) < _ORDINARY else mimeheader.Headers.parse(block).only_mailbox("from")


@lru_cache(256)
def _only_mailbox(block: bytes) -> str:
    """A source writes the same From in all its mails."""
    return mimeheader.Headers.parse(block).only_mailbox("from")


def _message_id(block: bytes) -> str:
    for line in block.split(b"\r\n"):
        if line[:11].lower() == b"message-id:":
            return line[11:].strip().decode("ascii", "replace")
    return ""


def _deliveries(ids: Sequence[int], to: Sequence[str], cc: Sequence[str], sender: Sender) -> tuple[NewDelivery, ...]:
    """One per envelope address, each with its own bounce address (design D10)."""
    addresses = [(each, "to") for each in to] + [(each, "cc") for each in cc]
    return tuple(
        NewDelivery(
            id=delivery_id,
            address=mailbox,
            role=role,
            mail_from=compose.verp(delivery_id, sender.verp_key, sender.domain),
            next_hop=sender.next_hop(mailbox),
        )
        for delivery_id, (mailbox, role) in zip(ids, addresses, strict=True)
    )


def _reply_to(business: Business, source_from: str | None) -> str | None:
    """The company's setting, else the address that the source itself wrote from, else none (S20)."""
    if business.reply_to:
        return business.reply_to
    if not source_from:
        return None
    try:
        return address.parse(source_from)
    except Refused:
        return None


def _variables(letter: Letter) -> dict[str, str]:
    reading, recipient = letter.reading, letter.resolution.recipient
    words = Words(letter.language)
    return {
        "type": doctypes.find(letter.type).label(letter.language, reading.subtype),
        "number": letter.number or "",
        "issue_date": _date(words, letter.document.fields.issue_date or reading.issue_date),
        "due_date": _date(words, reading.due_date),
        "payable": _amount(words, reading),
        "currency": reading.currency or "",
        "seller": reading.seller or letter.business.sender_name,
        "buyer": reading.buyer or "",
        "customer_number": letter.document.fields.customer_number or next(iter(reading.customer_numbers), ""),
        "recipient_name": (recipient.name if recipient else None) or reading.buyer or "",
        "company": letter.business.company,
        "sender_name": letter.business.sender_name,
    }


def _date(words: Words, day: dt.date | None) -> str:
    return "" if day is None else words.date(day)


def _amount(words: Words, reading: ReadDocument) -> str:
    """The payable amount as the reader's language writes it; what is no plain number stays as it was written."""
    written = reading.payable or ""
    try:
        return words.amount(Decimal(written), reading.currency) if written else ""
    except InvalidOperation:
        return written


def _named(letter: Letter, attachment: Attachment, variables: Mapping[str, str], place: int) -> Attachment:
    """The document is named by what it is, or as its recipient wants; a file that came with it keeps its name. Both
    are made safe."""
    extension = EXTENSIONS.get(attachment.media_type) or PurePath(attachment.name).suffix.removeprefix(".")
    is_document = place == 0 or attachment.is_twin
    pattern = letter.chosen.file_name if letter.chosen and is_document else None
    own = templates.render_subject(pattern, variables) if pattern else ""
    number = letter.number if is_document else None
    name = compose.file_name(own, extension) if own else ""
    name = name or compose.attachment_name(variables["type"], number, attachment.name, extension)
    return Attachment(name=name, media_type=attachment.media_type, content=attachment.content)
