"""Whatever old mailers write, or somebody makes of it: what was packed comes out, and nothing else is ever raised."""

from __future__ import annotations

import binascii
import io
import struct
import zipfile

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import mime
from gateway.errors import Unreadable
from gateway.mime import partial, tnef, uuencode, zipped
from gateway.mime.values import Fault
from gateway.mimeheader import CHARSETS
from gateway.model import MailPattern
from tests.golden.make_mails import winmail
from tests.property.test_readers import attempt, mutate, mutations

CALM = settings(max_examples=80, deadline=2000, suppress_health_check=[HealthCheck.too_slow])

names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)
texts = st.lists(st.sampled_from([b"Hello", b"", b"-- ", b"begin", b"end", b"begin 644", b"M", b"`"]), max_size=6)
HEADER = b"From: a@b.example\r\nSubject: x\r\n\r\n"


def uu(name: str, data: bytes, backtick: bool) -> bytes:
    lines = [binascii.b2a_uu(data[at : at + 45], backtick=backtick) for at in range(0, len(data), 45)]
    ending = b"`" if backtick else b" "
    return b"begin 644 " + name.encode() + b"\n" + b"".join(lines) + ending + b"\nend\n"


@CALM
@given(st.lists(st.tuples(names, st.binary(max_size=300), st.booleans()), max_size=4), texts, st.booleans())
def test_what_is_uuencoded_comes_out(files: list[tuple[str, bytes, bool]], between: list[bytes], cut: bool) -> None:
    text = b"\n".join(between)
    for name, data, backtick in files:
        text += b"\n" + uu(name, data, backtick) + b"\n".join(between) + b"\n"
    if cut:  # blanks at the ends of lines, which some mailers take away
        text = b"\n".join(line.rstrip(b" ") for line in text.split(b"\n"))
    found = list(uuencode.files(text.replace(b"\n", b"\r\n")))
    assert [(each.name.decode(), each.data, each.fault) for each in found] == [(n, d, "") for n, d, _ in files]


@CALM
@given(st.binary(min_size=1, max_size=300), mutations)
def test_a_damaged_block_is_named_or_no_file(data: bytes, changes: list[tuple[str, float, bytes]]) -> None:
    for found in uuencode.files(mutate(uu("a.pdf", data, True), changes)):
        assert not found.fault or found.data.startswith(b"begin")


@CALM
@given(st.binary(max_size=2000), st.lists(st.floats(0, 1), max_size=5), names)
def test_pieces_give_the_whole(content: bytes, cuts: list[float], key: str) -> None:
    whole = b"Content-Type: application/pdf; name=a.pdf\r\nSubject: inside\r\n\r\n" + content
    begins = whole.index(b"\r\n\r\n") + 4
    places = sorted({begins, len(whole), *(begins + int(cut * (len(whole) - begins)) for cut in cuts)} - {begins})
    starts = [0, *places]
    bodies = [whole[a:b] for a, b in zip(starts, [*places, len(whole)], strict=True)]
    pieces = [
        f"From: a@b.example\r\nSubject: [{n}]\r\nContent-Type: message/partial; id={key};\r\n"
        f" number={n}; total={len(bodies)}\r\n\r\n".encode()
        + body
        for n, body in enumerate(bodies, 1)
    ]
    assert mime.split(pieces[-1])[0].partial == mime.Partial(key=key, number=len(bodies), total=len(bodies))
    joined = partial.join(pieces)
    head, _, body = joined.partition(b"\r\n\r\n")
    assert body == content
    assert head.split(b"\r\n") == [
        b"From: a@b.example",
        b"Content-Type: application/pdf; name=a.pdf",
        b"Subject: inside",
    ]


@CALM
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), mutations)
def test_any_bytes_can_be_joined(pieces: list[bytes], changes: list[tuple[str, float, bytes]]) -> None:
    sample = b'Content-Type: message/partial; id="x"; number=1; total=2\r\n\r\nContent-Type: text/plain\r\n\r\nHi'
    joined = partial.join([mutate(sample, changes), *pieces])
    assert len(joined) <= sum(map(len, pieces)) + len(mutate(sample, changes)) + 2 * joined.count(b"\n") + 4


def zip_of(files: list[tuple[str, bytes]]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, data) in enumerate(files):
            archive.writestr(f"{number}/{name}", data)
    return made.getvalue()


@CALM
@given(
    st.lists(st.tuples(names, st.binary(max_size=300).filter(lambda data: data[:2] != b"PK")), min_size=1, max_size=5)
)
def test_what_is_zipped_comes_out(files: list[tuple[str, bytes]]) -> None:
    found = zipped.unpack("a.zip", zip_of(files), zipped.Budget(mime.Limits()), CHARSETS)
    assert not isinstance(found, Fault)
    assert [(entry.name, entry.data) for entry in found] == files


@CALM
@given(st.lists(st.tuples(names, st.binary(max_size=300)), max_size=3), mutations, st.integers(0, 600))
def test_a_damaged_archive_is_refused_or_within_its_limits(
    files: list[tuple[str, bytes]], changes: list[tuple[str, float, bytes]], unpacked: int
) -> None:
    limits = mime.Limits(unpacked=unpacked, entries=2)
    found = zipped.unpack("a.zip", mutate(zip_of(files), changes), zipped.Budget(limits), CHARSETS)
    if isinstance(found, Fault):
        assert found.sentence.endswith(".")
    else:
        assert len(found) <= 2
        assert sum(len(entry.data) for entry in found) <= unpacked
        assert all(entry.name and not set(entry.name) & set("/\\\r\n\0") for entry in found)


@CALM
@given(st.lists(st.tuples(names, st.binary(min_size=1, max_size=100)), max_size=3), mutations)
def test_a_winmail_gives_its_files_or_says_that_it_is_damaged(
    files: list[tuple[str, bytes]], changes: list[tuple[str, float, bytes]]
) -> None:
    whole = winmail(*files)
    assert [(hidden.name, hidden.data) for hidden in tnef.files(whole, CHARSETS)] == files
    try:
        found = tnef.files(mutate(whole, changes), CHARSETS)
    except tnef.Damaged:
        return
    assert all(hidden.name for hidden in found)


lines = st.one_of(
    st.sampled_from([b"begin 644 a.pdf", b"M" + b"A" * 60, b"`", b"end", b"begin-base64 644 b", b"====", b"JVBERi0="]),
    st.sampled_from([b"(This file must be converted with BinHex 4.0)", b"", b"--b", b"--b--"]),
    st.sampled_from([b"Subject: toner low", b"Auto-Submitted: auto-replied", b"To: 100234@", b"Date: 1/1/1"]),
    st.sampled_from([b"Content-Type: multipart/report; report-type=x; boundary=b", b"X-Failed-Recipients: x"]),
    st.sampled_from([b"Content-Type: message/partial; id=x; number=1", b"Content-Type: text/html; charset=utf-16"]),
)
patterns = (
    MailPattern(field="customer_number", where="rcpt"),
    MailPattern(field="number", where="subject", regex=r"(\w+)"),
    MailPattern(field="email", where="body", label=("A", "M A"), first=False),
)


@CALM
@given(
    st.lists(st.one_of(lines, st.binary(max_size=30)), max_size=30).map(b"\r\n".join),
    st.lists(st.text(max_size=20), max_size=3),
    st.sampled_from([("utf-8", "cp850"), ("cp1252",), ("utf-8", "ascii")]),
)
def test_any_mail_of_an_old_source(message: bytes, rcpt_to: list[str], charsets: tuple[str, ...]) -> None:
    options = mime.Options(fields=patterns, rcpt_to=tuple(rcpt_to), charsets=charsets, notice_subjects=("^t",))
    for mail in (message, HEADER + message, b"PK\x03\x04" + message, struct.pack("<I", 0x223E9F78) + message):
        taken_apart = attempt(mime.split, mail, options)
        if isinstance(taken_apart, Unreadable):
            continue
        summary, parts, data = taken_apart
        assert msgspec.json.decode(msgspec.json.encode(summary), type=mime.MailSummary) == summary
        assert sum(part.size for part in parts) == len(data)
        assert all(part.where and part.name for part in parts)
        assert not any(set(said.value) & set("\r\n\0") for said in summary.said)
