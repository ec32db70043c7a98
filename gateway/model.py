"""The values that the layers hand to each other; the words are those of `docs/glossary.md`.

Times are aware `datetime` in UTC, sizes are bytes, durations are seconds. Everything here is immutable and
crosses process borders by msgspec.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
import os
import threading
import time
from enum import StrEnum
from typing import IO, Any, Literal, Protocol

import msgspec

from gateway.en16931 import Invoice
from gateway.trade import Trade

UTC = dt.UTC


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of our value objects."""


# --- identifiers -----------------------------------------------------------------------------------------

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_DIGIT = {letter: value for value, letter in enumerate(_ALPHABET)}
ID_EPOCH_MS = 1_577_836_800_000  # 2020-01-01T00:00:00Z: 41 bits of milliseconds last until 2089
_counter = itertools.count(int.from_bytes(os.urandom(2), "big"))
_last_ms = 0
_lock = threading.Lock()


def new_id() -> int:
    """A new 63-bit time-ordered id: 41 bits of milliseconds, 22 bits that no other id of this process shares."""
    global _last_ms
    with _lock:
        _last_ms = max(_last_ms, time.time_ns() // 1_000_000 - ID_EPOCH_MS)
        return _last_ms << 22 | next(_counter) & 0x3FFFFF


def show_id(number: int) -> str:
    """The 13 characters of base 32 under which an id is shown everywhere."""
    pairs = _PAIRS
    return (
        f"{_ALPHABET[number >> 60 & 31]}{pairs[number >> 50 & 1023]}{pairs[number >> 40 & 1023]}"
        f"{pairs[number >> 30 & 1023]}{pairs[number >> 20 & 1023]}{pairs[number >> 10 & 1023]}{pairs[number & 1023]}"
    )


def parse_id(text: str) -> int:
    """The id that `show_id` shows as `text`; ValueError when it is none."""
    if len(text) != 13 or any(letter not in _DIGIT for letter in text.lower()):
        raise ValueError(f"{text!r} is not an id: 13 characters of 0-9 and a-z are expected")
    number = 0
    for letter in text.lower():
        number = number << 5 | _DIGIT[letter]
    if number >= 1 << 63:
        raise ValueError(f"{text!r} is not an id")
    return number


# --- what comes in ---------------------------------------------------------------------------------------


class Envelope(Value, frozen=True, kw_only=True):
    """Sender and addresses of one SMTP transaction, apart from the content (RFC 5321 §2.3.1)."""

    mail_from: str
    rcpt_to: tuple[str, ...]
    smtputf8: bool = False


class Peer(Value, frozen=True, kw_only=True):
    """Who handed a submission in."""

    host: str  # IP address, or the folder's path
    port: int = 0
    helo: str = ""
    listener: str = ""
    user: str = ""


class Body(Value, frozen=True, kw_only=True):
    """Content on its way into the store: in memory, or in an open unlinked temporary file."""

    sha256: bytes
    size: int  # bytes
    media_type: str
    data: bytes | None = None
    file: Any = None  # IO[bytes] positioned anywhere; read from 0

    def reader(self) -> IO[bytes]:
        """A file object at the first byte."""
        if self.file is None:
            return io.BytesIO(self.data or b"")
        self.file.seek(0)
        return self.file  # type: ignore[no-any-return]


class Fields(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What the sender said beside the document: sub-folder, file name, sidecar. Beats what stands inside."""

    customer_number: str | None = None
    emails: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    type: str | None = None
    number: str | None = None
    issue_date: dt.date | None = None
    format: str | None = None
    language: str | None = None
    reply_to: str | None = None  # the address that the submission's own From names
    origin: tuple[tuple[str, str], ...] = ()  # (field, where it was said): evidence for the trace
    otherwise: tuple[Found, ...] = ()  # what the mail says of fields that the document may lack


class NewSubmission(Value, frozen=True, kw_only=True):
    """One thing handed in, ready to be stored."""

    id: int
    company: str
    source: str
    channel: Literal["smtp", "folder"]
    envelope: Envelope
    peer: Peer
    body: Body
    received_at: dt.datetime
    file_name: str = ""
    fields: Fields = Fields()
    dedupe: bytes | None = None  # SHA-256 over source, envelope and content; None: duplicates are accepted


class Accepted(Value, frozen=True, kw_only=True):
    """What the store answers: the id, which is the first one's when this is a repetition (design D19)."""

    id: int
    duplicate: bool = False


class Accept(Protocol):
    """The port between intake and store. Returns after the commit; raises Temporary when it cannot."""

    async def __call__(self, submission: NewSubmission) -> Accepted: ...


# --- what readers find -----------------------------------------------------------------------------------


class Pattern(Value, frozen=True, kw_only=True, omit_defaults=True):
    """How a source's text PDFs say a field: a label or a regex with one group, on a page, in an area."""

    field: str  # number, customer_number, email, issue_date, due_date, payable, currency, type
    label: tuple[str, ...] = ()
    regex: str | None = None
    page: int | None = None  # 1 is the first, -1 the last; None is any
    area: tuple[float, float, float, float] | None = None  # left, top, right, bottom in mm from the top left


class MailPattern(Value, frozen=True, kw_only=True, omit_defaults=True):
    """How a source's mails say a field: in an address of RCPT TO, in the subject, or in the text."""

    field: str  # as of Pattern
    where: Literal["rcpt", "subject", "body"]
    label: tuple[str, ...] = ()
    regex: str | None = None
    first: bool = True  # beats what stands in the document; else it fills what is missing there


class Found(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One value with its evidence: an XPath, or page and box, or what the sender said."""

    field: str
    value: str
    where: str


class Origin(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Where one of several documents of a file stood, and what the file's wrappers said of it."""

    text: str  # `document 2 of 3 in batch.xml`
    evidence: tuple[Found, ...] = ()


class ReadDocument(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One business document as a reader sees it. Values are text as written; dates are dates."""

    format: str  # ubl, cii, facturx, pdf, other
    profile: str | None = None  # CustomizationID or the like
    type: str = "other"  # routing type, a name of `doctypes`
    subtype: str | None = None
    number: str | None = None
    issue_date: dt.date | None = None
    due_date: dt.date | None = None
    customer_numbers: tuple[str, ...] = ()  # candidates, best first
    emails: tuple[str, ...] = ()  # candidates for the buyer's address, best first
    seller: str | None = None
    buyer: str | None = None
    currency: str | None = None
    payable: str | None = None  # amount as written
    language: str | None = None  # ISO 639-1
    evidence: tuple[Found, ...] = ()
    notes: tuple[str, ...] = ()  # what was odd, in sentences
    wrapped: tuple[str, ...] = ()  # the wrappers it came in, outermost first: sbdh, cms, zip
    invoice: Invoice | None = None  # the whole content, where the format is structured
    trade: Trade | None = None  # the same of what is no invoice


class Attachment(Value, frozen=True, kw_only=True):
    """A file to be mailed."""

    name: str
    media_type: str
    content: bytes
    notes: tuple[str, ...] = ()  # what its format cannot hold of the document, and how it was checked; sentences
    is_twin: bool = False  # the document once more in another form, named as it is
    has_own_page: bool = False  # its page is the PDF that the sender made, which so need not go beside it


# --- who it is for ---------------------------------------------------------------------------------------


class Recipient(Value, frozen=True, kw_only=True):
    """A row of the directory (R20-R25)."""

    number: str
    email: tuple[str, ...]
    cc: tuple[str, ...] = ()
    type: str = "any"
    format: str | None = None
    name: str | None = None
    language: str | None = None
    attach: str | None = None  # one of `directory.ATTACH`; None: the document and the files that came with it
    file_name: str | None = None  # a template for the name of what is attached, without the extension
    constants: tuple[str, ...] = ()  # `constants`: TERM=VALUE for what documents lack
    version: int = 1
    id: int = 0


class Step(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the trace: a rule, what it looked at, and how that ended."""

    rule: str
    text: str
    result: Literal["found", "missing", "chosen", "lost", "off", "note"]
    where: str = ""


class Came(Value, frozen=True, kw_only=True, omit_defaults=True):
    """How a document came: the record of the mail around it, and what was decided when it was found."""

    steps: tuple[Step, ...] = ()  # the first lines of its trace
    cause: str | None = None  # it is held under this at once, or ends
    sentence: str | None = None
    ends: bool = False  # the sentence ends it: it is no document, and nobody is waited for


class Resolution(Value, frozen=True, kw_only=True):
    """Where a document goes: the winning rule's addresses, and why. Without `to` it is held under `cause`."""

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    rule: str | None = None
    recipient: Recipient | None = None
    trace: tuple[Step, ...] = ()
    cause: str | None = None
    sentence: str | None = None
    wakes: tuple[str, ...] = ()  # keys of the events that remove the cause


# --- what goes out ---------------------------------------------------------------------------------------


class Reply(Value, frozen=True, kw_only=True):
    """An SMTP reply (RFC 5321 §4.2) with its enhanced code (RFC 3463), text bounded and escaped."""

    code: int
    enhanced: str | None
    text: str


class Result(StrEnum):
    """The classes of RFC 3463."""

    DONE = "done"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"


class Outcome(Value, frozen=True, kw_only=True):
    """How one attempt ended. `scope` says whom a failure concerns: this address, or everybody at this next hop.

    `stops`: the next hop refuses whatever we send, so that nothing more goes there until a person has looked.
    """

    result: Result
    reply: Reply
    peer: str = ""
    tls: str = ""
    possibly_sent: bool = False
    scope: Literal["address", "message", "hop"] = "address"
    stops: bool = False


class Claimed(Value, frozen=True, kw_only=True):
    """A delivery under lease: the lease and its attempt row are committed before anybody dials (design D10)."""

    delivery_id: int
    attempt_id: int
    document_id: int
    message_id: int
    address: str
    mail_from: str
    next_hop: str
    attempts: int  # this one included
    expires_at: dt.datetime
    size: int


class Canonical(bytes):
    """Lines that end in CRLF, with no other CR or LF (RFC 5322 §2.3): who makes one has seen to it, nobody need look
    again. Not `dotted`: no line begins with a dot, either."""

    dotted = True


class Outlet(Protocol):
    """The queue as the pipeline sees it: a delivery may be born under lease, and is then sent without being claimed."""

    def reserve(self, next_hop: str, size: int) -> dt.datetime | None:
        """Take a free slot of `next_hop` for a message of `size` bytes: until when its lease is to run (UTC), or
        None when there is none. Each is followed by `hand` or `give_back`."""
        ...

    def hand(self, claimed: Claimed, content: Canonical) -> None:
        """Send `content`, for which a slot is reserved, once the lease and the attempt are committed."""
        ...

    def give_back(self, next_hop: str, size: int) -> None:
        """End a reservation without a delivery."""
        ...

    def wake(self) -> None:
        """Something may be due."""
        ...


class Transport(Protocol):
    """How a message leaves. `deliver` never raises for what a peer says or does; that is an Outcome."""

    name: str

    def next_hop(self, address: str) -> str:
        """The key under which deliveries to `address` share connections and a concurrency."""
        ...

    def room(self, next_hop: str) -> int:
        """How many more deliveries to `next_hop` may start just now, whatever the queue thinks of it."""
        ...

    async def deliver(self, envelope: Envelope, content: bytes) -> Outcome:
        """Hand `content` (CRLF only, not dot-stuffed) to the next hop for the one address of `envelope`."""
        ...

    async def close(self) -> None:
        """Close kept connections politely."""
        ...


class DocumentState(StrEnum):
    """States of a document (`docs/glossary.md`)."""

    RECEIVED = "received"
    HELD = "held"
    QUEUED = "queued"
    SENT = "sent"
    PARTLY_SENT = "partly_sent"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"


class DeliveryState(StrEnum):
    """States of a delivery (`docs/glossary.md`)."""

    QUEUED = "queued"
    ACTIVE = "active"
    SENT = "sent"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"
    HELD = "held"
