"""Where incoming bytes wait, and how many may."""

from __future__ import annotations

import hashlib
import logging
import re
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from gateway.config import Listener
from gateway.model import Reply
from gateway.smtp.server import Handed, Limits
from gateway.smtp.spool import Budget, Spool
from tests.smtp_talk import OK, Gate, open_door


async def test_a_large_content_waits_in_an_unlinked_file(tmp_path: Path) -> None:
    files: list[object] = []

    async def answer(handed: Handed) -> Reply:
        files.append(handed.body.file)
        assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240
        return OK

    async with open_door(answer=answer, spool=tmp_path, limits=Limits(spool_above=1000)) as door:
        talk = await door.connect()
        for size in (1000, 1001, 3_000_000):
            await talk.begin()
            line = b"x" * 78 + b"\r\n"
            content = (line * (size // 80 + 1))[-size:]
            await talk.send(content + b".\r\n")
            assert await talk.reply() == "250 2.0.0 Ok"
            assert door.received.contents.pop() == content
            assert door.received.handed.pop().body.sha256 == hashlib.sha256(content).digest()
        in_memory, *in_file = files
        assert in_memory is None
        assert all(file.closed for file in in_file)  # type: ignore[attr-defined]


async def test_the_size_limit_is_the_listeners_own(caplog: pytest.LogCaptureFixture) -> None:
    listeners = (Listener(port=0, max_size=100), Listener(port=0, max_size=200))
    async with open_door(listeners=listeners) as door:
        for number, size in enumerate((100, 200)):
            talk = await door.connect(number=number)
            assert f"SIZE {size}" in (await talk.say("EHLO x"))
            assert (await talk.say(f"MAIL FROM:<a@b.c> SIZE={size + 1}")).startswith("552 5.3.4")
            assert (await talk.say(f"MAIL FROM:<a@b.c> SIZE={size}")).startswith("250")
            for command in ("RCPT TO:<1>", "DATA"):
                await talk.say(command)
            await talk.send(b"x" * (size - 1) + b"\r\n.\r\n")  # it had promised less
            assert await talk.reply() == f"552 5.3.4 A message may have {size} bytes here"
            assert f"content above max_size, {size} bytes" in caplog.text
        assert door.received.handed == []


async def test_content_without_a_crlf_ends_somewhere() -> None:
    async with open_door(limits=Limits(content_line=5000)) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send((b"x" * 2000 + b"\r\n") * 4 + b".\r\n")
        assert (await talk.reply()).startswith("250")
        await talk.begin()
        await talk.send(b"x\n" * 2501)
        assert (await talk.rest()).startswith(b"552 5.3.4")
        assert len(door.received.contents) == 1


SERVER_IN_A_PROCESS = """
    import asyncio, sys
    from gateway.config import Listener, Source
    from gateway.model import Reply
    from gateway.smtp.server import Server

    async def receive(handed):
        return Reply(code=250, enhanced="2.0.0", text="Ok")

    async def main():
        server = Server([Listener(port=0)], [Source(name="local", networks=("127.0.0.0/8",))], receive)
        await server.start()
        print(server.ports[0], flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await server.stop(1)

    asyncio.run(main())
"""


def _memory(pid: int, name: str) -> int:
    """A figure of /proc/PID/status in KiB."""
    return int(re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)[1])  # type: ignore[index]


def test_200_mb_without_a_crlf_are_refused_in_little_memory() -> None:
    command = [sys.executable, "-c", textwrap.dedent(SERVER_IN_A_PROCESS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\n")
            answer = b""
            while b"354" not in answer:
                answer += client.recv(4096)
            before = _memory(process.pid, "VmRSS")
            sent, block = 0, b"x" * 1_000_000
            with pytest.raises(ConnectionError):  # noqa: PT012
                while sent < 200_000_000:
                    client.sendall(block)
                    sent += len(block)
                client.recv(4096)
                client.sendall(block)
                client.recv(4096)
            assert sent < 200_000_000
        assert _memory(process.pid, "VmHWM") - before < 50 * 1024
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            assert client.recv(4096).startswith(b"220")
        process.stdin.close()
        assert process.wait(30) == 0


async def test_no_room_is_452_before_data_and_passes_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    lack: list[str | None] = ["200001 submissions wait"]
    async with open_door(room=lambda: lack[0]) as door:
        talk = await door.connect()
        await talk.say("EHLO x")
        refusal = await talk.say("MAIL FROM:<a@b.c>")
        assert refusal.startswith("452 4.3.1")
        assert "200001" not in refusal
        assert "200001 submissions wait" in caplog.text
        lack[0] = None
        assert (await talk.say("MAIL FROM:<a@b.c>")).startswith("250")
        assert (await talk.say("RCPT TO:<1>")).startswith("250")
        lack[0] = "the disk is full"
        assert (await talk.say("DATA")).startswith("452 4.3.1")
        lack[0] = None
        assert (await talk.say("DATA")).startswith("354")
        await talk.send(b"x\r\n.\r\n")
        assert (await talk.reply()).startswith("250")


async def test_bytes_in_memory_are_bounded_over_all_sessions() -> None:
    gate = Gate()
    async with open_door(answer=gate, limits=Limits(memory=1000, spool_above=1000)) as door:
        first, second = await door.connect(), await door.connect()
        await first.begin()
        await first.send(b"x" * 998 + b"\r\n.\r\n")
        await gate.entered.wait()
        await second.say("EHLO x")
        assert (await second.say("MAIL FROM:<a@b.c>")).startswith("452 4.3.1")
        gate.open.set()
        assert (await first.reply()).startswith("250")
        assert (await second.say("MAIL FROM:<a@b.c>")).startswith("250")


async def test_what_memory_cannot_hold_goes_to_a_file() -> None:
    gate = Gate()
    async with open_door(answer=gate, limits=Limits(memory=1000, spool_above=900)) as door:
        first, second = await door.connect(), await door.connect()
        await first.begin()
        await first.send(b"x" * 798 + b"\r\n.\r\n")
        await gate.entered.wait()
        await second.begin()
        await second.send(b"y" * 798 + b"\r\n.\r\n")
        await door.until(lambda: len(door.received.handed) == 2)
        assert [handed.body.file is None for handed in door.received.handed] == [True, False]
        assert (door.server.budget.memory, door.server.budget.files) == (800, 800)
        gate.open.set()
        assert (await second.reply()).startswith("250")


async def test_bytes_in_files_are_bounded_before_and_during_data() -> None:
    async with open_door(limits=Limits(files=2000, spool_above=100)) as door:
        talk = await door.connect()
        await talk.say("EHLO x")
        assert (await talk.say("MAIL FROM:<a@b.c> SIZE=2001")).startswith("452 4.3.1")
        await talk.begin()
        await talk.send(b"x" * 3000 + b"\r\n.\r\n")
        assert (await talk.reply()).startswith("452 4.3.1")
        await talk.begin()
        await talk.send(b"x" * 1900 + b"\r\n.\r\n")
        assert (await talk.reply()).startswith("250")
        assert [len(content) for content in door.received.contents] == [1902]


async def test_a_disk_that_cannot_be_written_is_452(tmp_path: Path) -> None:
    async with open_door(spool=tmp_path / "missing", limits=Limits(spool_above=10)) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"x" * 1000 + b"\r\n.\r\n")
        assert (await talk.reply()).startswith("452 4.3.1")
        await talk.begin()
        await talk.send(b"small\r\n.\r\n")
        assert (await talk.reply()).startswith("250")


def test_a_full_disk_gives_the_content_up_whenever_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> object:
        return open("/dev/full", "w+b", buffering=1 << 16)

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    for size in (10, 1 << 17):  # shows at the flush, at the write
        budget = Budget(1000, 1 << 20, lambda: None)
        spool = Spool(budget, max_size=1 << 20, above=5, directory=None)
        spool.write(b"x" * size)
        assert spool.body() is None
        assert spool.no_room
        spool.close()
        assert (budget.memory, budget.files) == (0, 0)


def test_a_content_that_drips_in_costs_little_more_than_its_bytes() -> None:
    budget = Budget(1 << 20, 1 << 20, lambda: None)
    spool = Spool(budget, max_size=1 << 20, above=1 << 20, directory=None)
    for _ in range(1000):
        spool.write(b"x")
        assert len(spool._pieces) <= 64
    body = spool.body()
    assert body is not None
    assert (body.data, body.size, budget.memory) == (b"x" * 1000, 1000, 1000)
    spool.close()
    assert budget.memory == 0
