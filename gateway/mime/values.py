"""What a mail is taken apart into, and how much of it is looked at."""

from __future__ import annotations

import msgspec

from gateway.mimeheader import CHARSETS, Headers
from gateway.model import MailPattern, Value

MAX_HEADER_BYTES = 64 << 10  # of one header block
MAX_HEADERS = 200  # fields of one header block
MAX_PARTS = 100
MAX_DEPTH = 10  # multiparts and mails inside one another
MAX_ENTRIES = 200  # files of all archives of a mail together
MAX_UNPACKED = 64 << 20  # bytes of all of them: what a worker can hand back beside the mail's own parts
MAX_RATIO = 200  # unpacked to packed, of one file: deflate reaches 1032, a document 30


class Limits(Value, frozen=True, kw_only=True):
    """How much of a mail is looked at before it is Unreadable."""

    header_bytes: int = MAX_HEADER_BYTES
    headers: int = MAX_HEADERS
    parts: int = MAX_PARTS
    depth: int = MAX_DEPTH
    entries: int = MAX_ENTRIES
    unpacked: int = MAX_UNPACKED
    ratio: int = MAX_RATIO


class Options(Value, frozen=True, kw_only=True):
    """What the mail's source says of its mails, and the envelope that this one came in."""

    limits: Limits = Limits()
    charsets: tuple[str, ...] = CHARSETS  # tried in order on text that no standard allows
    fields: tuple[MailPattern, ...] = ()
    notice_subjects: tuple[str, ...] = ()  # regexes: subjects of mails that are no documents
    rcpt_to: tuple[str, ...] = ()


class Fault(Value, frozen=True, kw_only=True):
    """Why a file of the mail cannot be a document as it is; `cause` completes `unreadable:`."""

    cause: str
    sentence: str


class Partial(Value, frozen=True, kw_only=True):
    """A piece of a larger mail (RFC 2046 §5.2.2)."""

    key: str  # the id that all pieces share
    number: int  # from 1
    total: int | None = None  # only the last piece must say it


class Notice(Value, frozen=True, kw_only=True):
    """The mail is no document and waits for nobody."""

    kind: str  # bounce, receipt, auto-reply, device, subject
    sentence: str


class Said(Value, frozen=True, kw_only=True):
    """A field that the mail says beside the document."""

    field: str
    value: str
    where: str
    first: bool  # beats what stands in the document; else it fills what is missing there


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
    partial: Partial | None = None
    notice: Notice | None = None
    said: tuple[Said, ...] = ()
    odd: tuple[str, ...] = ()  # what no standard allows and old systems do: names of quirks
    notes: tuple[str, ...] = ()  # what was odd, in sentences


class Part(Value, frozen=True, kw_only=True):
    """A leaf of the mail. The bytes of documents and extras are at `offset`; those of other parts are left out."""

    name: str  # a file name without folders and controls, never empty
    media_type: str
    offset: int
    size: int  # bytes, decoded
    is_document: bool
    extra_of: int | None = None  # index of the part whose document this one belongs to: same base name
    where: str = ""  # part 2, invoices.zip: 2026/F1.pdf
    left_out: str = ""  # what it is, when it is neither document nor extra nor the mail's text
    fault: Fault | None = None


class Leaf(msgspec.Struct):
    """A part on the way."""

    headers: Headers
    media_type: str
    raw: bytes
    in_report: bool = False
    name: str = ""
    data: bytes = b""
    is_document: bool = False
    where: str = ""
    folder: str = ""  # where its base name counts: files of one name in two archives are no couple
    left_out: str = ""
    fault: Fault | None = None
