"""Streams of a PDF that are tiny packed and enormous unpacked, found before pdfium unpacks them.

This looks at the bytes only and need not find every trick: what it misses runs into the limits of the worker process.
"""

from __future__ import annotations

import re
import zlib

from gateway.errors import Unreadable

MAX_UNPACKED = 100_000_000  # bytes of one stream that is no image: page content, font, object stream
MAX_STREAMS = 20_000  # that are looked at
_MOST_PACKED = 1032  # deflate packs no better than this (RFC 1951)
_STREAM = re.compile(rb"\bstream\r?\n")  # ISO 32000-1 §7.3.8
_DICTIONARY = 2_000  # bytes before `stream` in which its filter is looked for
_STEP = 1 << 20


def refuse_bombs(data: bytes) -> None:
    """Unreadable, cause `too-large`, when a deflated stream of the PDF unpacks beyond `MAX_UNPACKED`."""
    if len(data) * _MOST_PACKED < MAX_UNPACKED:
        return
    for count, match in enumerate(_STREAM.finditer(data)):
        if count == MAX_STREAMS:
            return
        before = data[max(0, match.start() - _DICTIONARY) : match.start()]
        before = before[before.rfind(b" obj") + 1 :]
        if b"/Fl" in before and b"/Image" not in before and _unpacks_beyond(data, match.end()):
            sentence = f"A stream of the PDF unpacks to more than {MAX_UNPACKED // 1_000_000} million bytes."
            raise Unreadable("too-large", sentence)


def _unpacks_beyond(data: bytes, at: int) -> bool:
    unpacker = zlib.decompressobj()
    unpacked = 0
    packed: bytes = data[at : at + _STEP]
    try:
        while packed and not unpacker.eof:
            unpacked += len(unpacker.decompress(packed, _STEP))
            if unpacked > MAX_UNPACKED:
                return True
            packed = unpacker.unconsumed_tail
            if not packed:
                at += _STEP
                packed = data[at : at + _STEP]
    except zlib.error:
        return False
    return False
