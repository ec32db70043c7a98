"""Names in a drop folder: which are ours to look at, how they are shown, and how a name is made that fits.

A name is what the kernel says, any bytes but NUL and `/`; in Python a `str` in the form of `os.fsdecode`.
"""

from __future__ import annotations

import os
import unicodedata

WORK, DONE, FAILED = ".work", ".done", ".failed"
REASON = ".reason.txt"
PROBE = ".gateway-test"  # the file of the write test
_LONGEST = 255  # bytes, NAME_MAX of every common file system
_ATTACHMENT = 150  # characters of a file name that may go into a mail

_JUNK = {"thumbs.db", "desktop.ini", "@eadir", "__macosx", "lost+found", "$recycle.bin", "system volume information"}
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload")


def is_ignored(name: str) -> bool:
    """Whether a name belongs to nobody's document: hidden, a backup, unfinished, or litter of a file manager."""
    lower = name.lower()
    return name.startswith((".", "~")) or lower.endswith(_UNFINISHED) or lower in _JUNK


def stem(name: str) -> str:
    """`x` of `x.pdf`: what a document and its sidecar have in common."""
    return os.path.splitext(name)[0]


def extension(name: str) -> str:
    """`.pdf` of `X.PDF`, in lower case."""
    return os.path.splitext(name)[1].lower()


def shown(name: str) -> str:
    """A name fit for a log line or a person's screen: bytes that are no UTF-8 and control characters escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(
        character if unicodedata.category(character)[0] not in "CZ" or character == " " else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def attachment_name(name: str) -> str:
    """The file name to store: NFC, one path component, no control or direction characters, at most 150 long."""
    text = unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "replace"))
    text = text.replace("/", "_").replace("\\", "_")
    text = "".join(character for character in text if unicodedata.category(character)[0] != "C").strip()
    base, end = os.path.splitext(text)
    end = end if len(end) <= 20 else ""
    return (base[: _ATTACHMENT - len(end)].strip() + end) or "document"


def fitted(name: str, tail: str) -> str:
    """`name` + `tail` in at most 255 bytes: the name gives way, at a character's border when it is UTF-8."""
    room = _LONGEST - len(os.fsencode(tail))
    raw = os.fsencode(name)
    if len(raw) <= room:
        return name + tail
    cut = raw[:room]
    # A cut inside a character leaves a lead byte and at most two others at the end.
    for drop in range(4):
        try:
            return cut[: room - drop].decode("utf-8") + tail
        except UnicodeDecodeError:
            continue
    return os.fsdecode(cut) + tail


def with_mark(name: str, mark: str) -> str:
    """`x-MARK.pdf` of `x.pdf`: another name for a file whose own is taken; fits into 255 bytes."""
    base, end = os.path.splitext(name)
    if len(os.fsencode(end)) > 20:
        base, end = name, ""
    return fitted(base, f"-{mark}{end}")
