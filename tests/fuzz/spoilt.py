"""PDFs with faults where PDF readers stumble: lengths, references, numbers, names, streams, the cross-reference table.

Bits that flip inside a packed stream only break the stream, so it is unpacked before faults are made.
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable

_PLACE = re.compile(
    rb"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])|/[A-Za-z]\w*|\d+ 0 R|<<|>>|\(|\)|\[|\]|endobj|endstream|stream"
)
_OBJECT = re.compile(rb"\d+ 0 obj.*?endobj\n?", re.DOTALL)
_ODD = (
    b"0", b"-1", b"1", b"65535", b"2147483647", b"-2147483648", b"4294967296", b"1e99", b"9" * 40, b"0.000001",
    b"null", b"true", b"<<", b">>", b"[", b"]", b"(", b")", b"<ff", b"1 0 R", b"3 0 R", b"99 0 R", b"/Length",
    b"/Kids", b"/Parent", b"/FlateDecode", b"/JBIG2Decode", b"/Names", b"/EF", b"/", b"/#00", b"endobj", b"endstream",
    b"Tj", b"ET", b"%", b"\0",
)  # fmt: skip


def unpacked(data: bytes) -> bytes:
    """A PDF with the same objects, and none of its streams packed."""
    from pikepdf import ObjectStreamMode, Pdf, StreamDecodeLevel

    out = io.BytesIO()
    with Pdf.open(io.BytesIO(data)) as pdf:
        pdf.save(
            out,
            stream_decode_level=StreamDecodeLevel.generalized,
            object_stream_mode=ObjectStreamMode.disable,
            compress_streams=False,
            deterministic_id=True,
        )
    return out.getvalue()


def spoil(data: bytes, chance: random.Random) -> bytes:
    """`data` with one to four faults; its end mark stays, without which nobody looks further."""
    for _ in range(chance.randint(1, 4)):
        data = chance.choices(_FAULTS, _FREQUENT)[0](data, chance)
    return data if b"%%EOF" in data[-1024:] else data + b"\n%%EOF\n"


def _replaced(data: bytes, chance: random.Random) -> bytes:
    places = [match.span() for match in _PLACE.finditer(data)]
    if not places:
        return data
    start, end = chance.choice(places)
    return data[:start] + chance.choice(_ODD) + data[end:]


def _exchanged(data: bytes, chance: random.Random) -> bytes:
    """One thing where another of the same file stood: references that go round in circles."""
    places = [match.span() for match in _PLACE.finditer(data)]
    if not places:
        return data
    (start, end), (other, until) = chance.choice(places), chance.choice(places)
    return data[:start] + data[other:until] + data[end:]


def _object_again(data: bytes, chance: random.Random) -> bytes:
    found = [match[0] for match in _OBJECT.finditer(data)]
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(found) + data[at:] if found else data


def _object_gone(data: bytes, chance: random.Random) -> bytes:
    found = [match.span() for match in _OBJECT.finditer(data)]
    if not found:
        return data
    start, end = chance.choice(found)
    return data[:start] + data[end:]


def _noise(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.randint(1, 8)) + data[at + chance.randrange(9) :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[:start] + data[end:]


_FAULTS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _replaced, _exchanged, _object_again, _object_gone, _noise, _cut,
)  # fmt: skip
_FREQUENT = (50, 20, 5, 5, 10, 3)
