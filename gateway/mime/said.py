"""What a mail says beside its documents: in the addresses of RCPT TO, in its subject, in its text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import regex

from gateway import mimeheader
from gateway.mime.values import Leaf, Options, Said
from gateway.model import MailPattern

MAX_TEXT = 100_000  # characters of the text that are looked through
_SECONDS = 0.5  # an operator's regex may run so long over one text
_VALUE = 200  # characters
_WHERE = {"rcpt": "RCPT TO", "subject": "subject of the mail", "body": "text of the mail"}
# A number in the place of a mailbox: 100234, SE-17, never scan or postmaster.
_NUMBER = re.compile(r"(?=[^@]*\d)[A-Za-z0-9][A-Za-z0-9._/-]*")
_ENDS_LINE = re.compile(r"(?:br|/p|/div|/h\d|/tr|/td|/th|/li)\b", re.IGNORECASE)
_UNSEEN = re.compile(r"(/?)(script|style|head|title)\b", re.IGNORECASE)
_ENTITY = {"&nbsp;": " ", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&"}


def fields(subject: str, leaves: Sequence[Leaf], options: Options) -> tuple[Said, ...]:
    """What the patterns of the source find, of each field the first that finds something, once for those that beat the
    document and once for those that fill it."""
    texts = {"rcpt": options.rcpt_to, "subject": (subject,), "body": (_text(leaves, options),)}
    found: dict[tuple[str, bool], Said] = {}
    for pattern in options.fields:
        key = (pattern.field, pattern.first)
        if key in found:
            continue
        for value in _values(pattern, texts[pattern.where]):
            found[key] = Said(field=pattern.field, value=value, where=_WHERE[pattern.where], first=pattern.first)
            break
    return tuple(found.values())


def _values(pattern: MailPattern, texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        if pattern.regex is not None:
            value = _group(pattern.regex, text)
        elif pattern.label:
            value = _group(_after(pattern.label), text)
        elif pattern.field == "email":
            value = text if "@" in text else ""
        else:
            mailbox = _NUMBER.fullmatch(text.rpartition("@")[0] or text)
            value = mailbox[0] if mailbox else ""
        value = " ".join(mimeheader.without_controls(value).split())[:_VALUE]
        if value:
            yield value


def _group(expression: str, text: str) -> str:
    """What the one group of an operator's regex holds; one that takes too long finds nothing."""
    try:
        match = regex.search(expression, text, regex.MULTILINE, timeout=_SECONDS)
    except TimeoutError:
        return ""
    return "" if match is None else match[1] or ""


def _after(labels: Sequence[str]) -> str:
    """The word after any of the labels, in any case, with what people put between them."""
    spelled = "|".join(r"\s+".join(map(re.escape, label.split())) for label in sorted(labels, key=len, reverse=True))
    return rf"(?i)(?<!\w)(?:{spelled})(?!\w)[\s:.#°º;=-]*([^\s,;]+)"


def _text(leaves: Sequence[Leaf], options: Options) -> str:
    """The text of the mail: its first plain text, else its first HTML without tags."""
    if not any(pattern.where == "body" for pattern in options.fields):
        return ""
    for media_type in ("text/plain", "text/html"):
        for leaf in leaves:
            if leaf.media_type == media_type and not leaf.is_document and not leaf.in_report and leaf.data.strip():
                text = decoded(leaf, options.charsets)
                return _plain(text) if media_type == "text/html" else text
    return ""


def decoded(leaf: Leaf, charsets: Sequence[str]) -> str:
    """The text of a leaf by the charset that it names, if that is one in which it is text, else by `charsets`."""
    data = leaf.data[: 4 * MAX_TEXT]
    named = leaf.headers.parameters("content-type")[1].get("charset", "")
    order = (named, *charsets) if named.lower() not in ("", "us-ascii") else charsets
    for charset in order:
        try:
            return data.decode(charset, "strict" if len(data) == len(leaf.data) else "replace")[:MAX_TEXT]
        except (LookupError, UnicodeError, ValueError):
            continue
    return mimeheader.decode(data, charsets)[:MAX_TEXT]


def _plain(html: str) -> str:
    """The text that a reader of `html` sees, nearly: without tags, and without what no reader sees."""
    first, *pieces = html.split("<")
    out = [first]
    unseen = ""
    for piece in pieces:
        tag, closed, text = piece.partition(">")
        hides = _UNSEEN.match(tag)
        if hides and not unseen and not hides[1]:
            unseen = hides[2].lower()
        elif hides and hides[1] and hides[2].lower() == unseen:
            unseen = ""
        if not unseen:
            out.append(("\n" if _ENDS_LINE.match(tag) else " ") + text if closed else "<" + piece)
    joined = "".join(out)
    for entity, character in _ENTITY.items():
        joined = joined.replace(entity, character)
    return joined
