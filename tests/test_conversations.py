"""SMTP dialogues as files: `tests/conversations/*.smtp`, one connection each against a real server.

    # why this dialogue exists
    T: eod = "lenient"           a key of the [[source]] that takes the client; without match it is 127.0.0.0/8
    C: EHLO client.example       what the client sends, CRLF added
    C> a\\n.\\r\\n                  the same without CRLF added; neighbouring C lines go out in one write
    S: 250 2.1.0 *               one line of the server; * is any text
    S: <closed>                  the server closes the connection
    E: <a@b.c> <1001> <d@e.f>    at the end: the envelope of the next message handed in
    M: a\\r\\n                     its content
    N: dsn:1                     the notes of the message handed in before

Escapes in C, M: \\r \\n \\t \\0 \\\\ \\xNN (a byte). Messages handed in beyond the M lines fail the dialogue.
"""

from __future__ import annotations

import asyncio
import fnmatch
import re
from pathlib import Path

import pytest

from gateway import config
from gateway.config import Listener, Source
from gateway.smtp.limits import Limits
from tests.smtp_talk import DEADLINE, Door, Talk, open_door

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((Path(__file__).parent / "conversations").glob("*.smtp"))
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|([rnt0\\]))")
_PLAIN = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def _bytes(text: str) -> bytes:
    return _ESCAPE.sub(lambda m: bytes.fromhex(m[1].decode()) if m[1] else _PLAIN[m[2]], text.encode())


def _pattern(text: str) -> str:
    return text.replace("[", "[[]")


async def _expect(talk: Talk, expected: str, where: str) -> None:
    async with asyncio.timeout(DEADLINE):
        line = await talk.reader.readline()
    if expected == "<closed>":
        assert line == b"", where
        return
    assert line.endswith(b"\r\n"), f"{where}: {expected!r} expected, the server closed"
    assert fnmatch.fnmatchcase(line.decode().rstrip("\r\n"), _pattern(expected)), f"{where}: {line!r}"


async def _play(door: Door, name: str, dialogue: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.server.ports[0])
    talk = Talk(reader, writer)
    door.talks.append(talk)
    pending = b""
    messages: list[tuple[str, str]] = []
    for number, line in enumerate(dialogue.splitlines(), 1):
        kind, text = line[:2], line[3:]
        where = f"{name}:{number}"
        if kind in ("C:", "C>"):
            pending += _bytes(text) + (b"\r\n" if kind == "C:" else b"")
            continue
        if pending:
            await talk.send(pending)
            pending = b""
        if kind == "S:":
            await _expect(talk, text, where)
        elif kind in ("E:", "M:"):
            messages.append((kind, text))
        elif kind == "N:":
            assert door.received.handed[-1].notes == text, where
        elif kind != "T:":
            assert not line or line.startswith("#"), f"{where}: {line!r} is no line of a dialogue"
    writer.close()
    await door.until(lambda: not door.server.sessions)
    _check_messages(door, messages)


def _check_messages(door: Door, messages: list[tuple[str, str]]) -> None:
    envelopes = [
        " ".join(f"<{address}>" for address in (handed.envelope.mail_from, *handed.envelope.rcpt_to))
        for handed in door.received.handed
    ]
    assert door.received.contents == [_bytes(text) for kind, text in messages if kind == "M:"]
    expected = [text for kind, text in messages if kind == "E:"]
    assert envelopes[: len(expected)] == expected


def _source(dialogue: str, folder: Path) -> Source:
    """The source of the T lines."""
    keys = [line[3:] for line in dialogue.splitlines() if line.startswith("T:")]
    if not any(key.startswith("match ") for key in keys):
        keys.append('match = { networks = ["127.0.0.0/8"] }')
    file = folder / "gateway.toml"
    file.write_text("\n".join(("[[source]]", 'name = "local"', *keys)))
    return config.load(file).sources[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_dialogue(file: Path, tmp_path: Path) -> None:
    dialogue = await asyncio.to_thread(file.read_text)
    source = await asyncio.to_thread(_source, dialogue, tmp_path)
    limits = Limits(lenient_pause=0.1, auth_delay=0.001)
    async with open_door(sources=(source,), listeners=(Listener(port=0, max_size=1000),), limits=limits) as door:
        await _play(door, file.name, dialogue)


def test_the_eight_smuggling_sequences_are_there() -> None:
    assert len([file for file in FILES if file.stem.startswith("smuggling-")]) == 8


def test_every_old_habit_is_in_the_documentation() -> None:
    text = (ROOT / "docs" / "legacy.md").read_text("utf-8")
    table = text.split("## In the dialogue")[1].split("## When a client is refused")[0]
    names = {file.stem for file in FILES}
    said = {word for line in table.splitlines() for word in re.findall(r"`([a-z0-9-]+)`", line.rpartition(" | ")[2])}
    assert {name for name in names if name.startswith("legacy-")} <= said
    assert said <= names


def test_every_reason_in_the_documentation_is_one_that_is_given() -> None:
    text = (ROOT / "docs" / "legacy.md").read_text("utf-8")
    table = text.split("## When a client is refused")[1].split("## Relay tests")[0]
    firsts = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    reasons = [each for first in firsts for each in re.findall(r"`([^`]+)`", first)]
    code = "".join(path.read_text("utf-8") for path in sorted((ROOT / "gateway" / "smtp").glob("*.py")))
    given = re.sub(r"\{self\.state\}", "data", code)
    assert len(reasons) >= len(firsts) >= 12
    assert [reason for reason in reasons if reason not in given] == []
