"""EDIFACT interchanges (ISO 9735) with several messages: each becomes an interchange of its own."""

from __future__ import annotations

import dataclasses
from typing import Final

from gateway.errors import Unreadable
from gateway.readers.item import Item
from gateway.readers.limits import MAX_DOCUMENTS

_BLANKS = b" \t\r\n"
_DEFAULTS = b":+.? '"  # component, element, decimal, release, reserved, terminator: ISO 9735 §7.1


class Interchange:
    """UNB … UNZ around several UNH … UNT, perhaps in groups UNG … UNE."""

    name: Final = "edifact-batch"

    def open(self, item: Item) -> list[Item] | None:
        """An interchange per message, with the head and the tail of the whole, which then count one."""
        data = item.data.removeprefix(b"\xef\xbb\xbf").lstrip(_BLANKS)
        if item.root is not None or not data.startswith((b"UNA", b"UNB")) or data.count(b"UNH") < 2:
            return None
        advice = data[3:9] if data.startswith(b"UNA") else _DEFAULTS
        if len(advice) < len(_DEFAULTS):
            return None
        head = data[:9] if data.startswith(b"UNA") else b""
        segments = _segments(data[len(head) :], advice)
        if sum(segment.startswith(b"UNH") for segment in segments) < 2:
            return None
        _refuse_other_counts(segments, advice[1:2])
        messages = _messages(segments, advice[1:2])
        return [dataclasses.replace(item, data=head + b"".join(message)) for message in messages]


INTERCHANGE = Interchange()


def _segments(data: bytes, advice: bytes) -> list[bytes]:
    """The segments with their terminators; one after a release character is text."""
    terminator, release = advice[5:6], advice[3:4].strip()
    found, start, at = [], 0, data.find(terminator)
    while at >= 0:
        before = at
        while release and before > start and data[before - 1 : before] == release:
            before -= 1
        if (at - before) % 2 == 0:
            found.append(data[start : at + 1].lstrip(_BLANKS))
            start = at + 1
        at = data.find(terminator, at + 1)
    return [segment for segment in found if segment]


def _refuse_other_counts(segments: list[bytes], separator: bytes) -> None:
    """Unreadable when an end is missing or counts otherwise than there is: a message was lost on the way."""
    messages = groups = in_group = 0
    for segment in segments:
        tag = segment[:3]
        messages, in_group = messages + (tag == b"UNH"), in_group + (tag == b"UNH")
        if tag == b"UNG":
            groups, in_group = groups + 1, 0
        elif tag in (b"UNE", b"UNZ"):
            stated = [*segment.rstrip(segment[-1:]).split(separator, 2), b""][1].lstrip(b"0")
            count = in_group if tag == b"UNE" else groups or messages
            if stated != b"%d" % count:
                shown = stated.decode("ascii", "replace")[:20] or "nothing"
                raise _malformed(f"{tag.decode()} counts {shown}, and there are {count}")
            if tag == b"UNZ":
                return
    raise _malformed("its end (UNZ) is missing")


def _malformed(what: str) -> Unreadable:
    return Unreadable("malformed-edifact", f"The EDIFACT interchange is broken: {what}.")


def _messages(segments: list[bytes], separator: bytes) -> list[list[bytes]]:
    """Each message between copies of what stands around it."""
    heads: dict[bytes, bytes] = {}
    messages: list[tuple[list[bytes], bytes | None]] = []
    tails: dict[int, list[bytes]] = {}
    inside: list[bytes] | None = None
    group: list[int] = []
    for segment in segments:
        tag = segment[:3]
        if tag == b"UNH":
            inside = [segment]
            group.append(len(messages))
            messages.append((inside, heads.get(b"UNG")))
        elif tag in (b"UNB", b"UNG"):
            heads[tag] = segment
            inside, group = None, group if tag == b"UNB" else []
        elif tag == b"UNE":
            tails |= {place: [_counting_one(segment, separator)] for place in group}
            inside, group = None, []
            heads.pop(b"UNG", None)
        elif tag == b"UNZ":
            inside = None
            end = _counting_one(segment, separator)
            tails = {place: [*tails.get(place, []), end] for place in range(len(messages))}
        elif inside is not None:
            inside.append(segment)
            inside = None if tag == b"UNT" else inside
    if len(messages) > MAX_DOCUMENTS:
        raise Unreadable("too-large", f"The file holds more than {MAX_DOCUMENTS} documents.")
    start = [heads[b"UNB"]] if b"UNB" in heads else []
    return [
        [*start, *([ung] if ung else []), *message, *tails.get(place, [])]
        for place, (message, ung) in enumerate(messages)
    ]


def _counting_one(segment: bytes, separator: bytes) -> bytes:
    """UNE or UNZ for a single message: its first element is the count."""
    tag, count, rest = (*segment.split(separator, 2), b"", b"")[:3]
    return separator.join([tag, b"1", rest]) if count and rest else segment
