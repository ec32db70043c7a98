"""The segment groups of an INVOIC message, and the values in them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal

from gateway.readers.edifact_syntax import Segment
from gateway.readers.xpath import clean, clean_text, decimal_of

# What starts a group, in the header, in a line and in the summary alike; a TAX below ALC belongs to that.
_TRIGGERS = frozenset(["NAD", "TAX", "CUX", "PAT", "PYT", "TDT", "TOD", "PAC", "ALC", "RCS", "AJT", "INP", "EFI"])
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{4}(?:\d{2})?)?", re.ASCII)  # UNTDID 2379: 102, 203, 204
_SHORT_DATE = re.compile(r"(\d{2})(\d{2})(\d{2})(?:\d{4})?", re.ASCII)  # 101, 201: the year in two digits
_SHORT, _PIVOT = ("101", "201"), 69  # as POSIX reads years of two digits

Group = Sequence[Segment]


@dataclasses.dataclass(frozen=True)
class Message:
    """INVOIC by sections: each a first group without a trigger, and the groups that follow."""

    header: list[Group]
    lines: list[list[Group]]
    summary: list[Group]


def message(segments: Sequence[Segment]) -> Message:
    """The sections of UNH to UNT: before the first LIN, each LIN, and after UNS."""
    control = next((at for at, segment in enumerate(segments) if segment.tag == "UNS"), len(segments))
    before, after = segments[:control], segments[control + 1 :]
    starts = [at for at, segment in enumerate(before) if segment.tag == "LIN"]
    ends = [*starts[1:], len(before)] if starts else []
    head = before[: starts[0]] if starts else before
    lines = [_groups(before[start:end]) for start, end in zip(starts, ends, strict=True)]
    return Message(_groups(head), lines, _groups(after))


def _groups(segments: Sequence[Segment]) -> list[Group]:
    groups: list[list[Segment]] = [[]]
    for segment in segments:
        below_alc = segment.tag == "TAX" and groups[-1] and groups[-1][0].tag == "ALC"
        if segment.tag in _TRIGGERS and not below_alc:
            groups.append([])
        groups[-1].append(segment)
    return list(groups)


def started(groups: Sequence[Group], tag: str) -> list[Group]:
    """The groups that `tag` starts."""
    return [group for group in groups if group and group[0].tag == tag]


def every(groups: Sequence[Group], tag: str) -> list[Segment]:
    """All segments `tag` of a section, whatever their group."""
    return [segment for group in groups for segment in group if segment.tag == tag]


def coded(group: Group, tag: str, codes: Sequence[str], element: int = 0, component: int = 0) -> Segment | None:
    """The segment `tag` that has the first of `codes` that is there at a place."""
    for code in codes:
        for segment in group:
            if segment.tag == tag and segment.at(element, component) == code:
                return segment
    return None


def reference(group: Group, codes: Sequence[str]) -> str | None:
    """RFF C506 1154."""
    segment = coded(group, "RFF", codes)
    return clean(segment.at(0, 1)) if segment else None


def date(group: Group, codes: Sequence[str]) -> dt.date | None:
    """DTM C507 2380."""
    segment = coded(group, "DTM", codes)
    return date_in(segment.at(0, 1), segment.at(0, 2)) if segment else None


def date_in(text: str | None, form: str | None) -> dt.date | None:
    """A date in the UNTDID 2379 formats 102, 203, 204, 101 and 201; None when it is none of these."""
    short = _SHORT_DATE.fullmatch(text or "") if form in _SHORT else None
    match = _DATE.fullmatch(text or "")
    try:
        if short:
            century = 1900 if int(short[1]) >= _PIVOT else 2000
            return dt.date(century + int(short[1]), int(short[2]), int(short[3]))
        return dt.date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def number(text: str | None, mark: str) -> Decimal | None:
    """A number with the interchange's decimal mark; ISO 9735 §10.1 takes a comma and a point for it."""
    if text and text[-1:] == "-":
        text = f"-{text[:-1]}"  # syntax versions before 3 let the sign follow
    return decimal_of(text.replace(",", ".")) if text and text.count(",") + text.count(".") <= 1 else None


def free_text(segment: Segment) -> str | None:
    """FTX C108: the pieces are one text, cut where the field ended."""
    return clean_text(" ".join(segment.all(3)))


def texts(group: Group, codes: Sequence[str]) -> list[str]:
    """The free texts with one of `codes`."""
    found = (free_text(segment) for segment in group if segment.tag == "FTX" and segment.at(0) in codes)
    return [text for text in found if text]


def is_cen(release: str) -> bool:
    """Whether a directory is one that CEN/TS 16931-3-4 is written for: D.14B and later."""
    return "14" <= release[:2] < "90"
