"""The submission door over real sockets: what it takes, what it refuses, and what it does when things break."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import logging
import re
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from gateway.config import Listener, Source
from gateway.errors import Busy, ConfigError, Temporary
from gateway.model import Reply
from gateway.smtp.server import Handed, Limits, Server
from gateway.smtp.session import Session
from gateway.smtp.sources import SourceTable, client_address
from gateway.smtp.spool import Budget, Spool
from tests.smtp_talk import LOCAL, Talk, open_door

OK = Reply(code=250, enhanced="2.0.0", text="Ok")


class Gate:
    """A receiver's answer that waits until the test opens the gate."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, handed: Handed) -> Reply:
        self.entered.set()
        await self.open.wait()
        handed.body.reader().read()  # the body is still there
        return OK


# --- the dialogue -------------------------------------------------------------------------------------------


async def test_the_answer_to_ehlo_comes_in_one_write() -> None:
    async with open_door() as door:
        talk = await door.connect()
        with socket.socket() as raw:
            raw.connect(("127.0.0.1", door.server.ports[0]))
            raw.setblocking(False)
            loop = asyncio.get_running_loop()
            assert await loop.sock_recv(raw, 4096) == b"220 gw.example ESMTP\r\n"
            await loop.sock_sendall(raw, b"EHLO x\r\n")
            first = await loop.sock_recv(raw, 4096)
        assert first.startswith(b"250-gw.example\r\n")
        assert first.endswith(b"\r\n250 SMTPUTF8\r\n")
        assert (await talk.say("EHLO x")).encode() == first.replace(b"\r\n", b"\n").strip()


async def test_every_reply_after_ehlo_has_an_enhanced_code() -> None:
    commands = [
        "MAIL FROM:<a@b.c>",
        "MAIL FROM:<a@b.c>",
        "RCPT TO:<1>",
        "RCPT",
        "NOOP",
        "VRFY x",
        "EXPN x",
        "FOO",
        "RSET",
    ]
    async with open_door() as door:
        talk = await door.connect()
        await talk.say("EHLO x")
        for command in commands:
            answer = await talk.say(command)
            assert re.fullmatch(r"([245])\d\d \1\.\d\.\d [ -~]+", answer), answer


async def test_a_content_is_handed_in_with_envelope_peer_and_hash() -> None:
    async with open_door() as door:
        talk = await door.connect()
        await talk.begin(mail="FROM:<ERP@Example.COM> BODY=8BITMIME")
        await talk.send(b"Subject: x\n\nbody\r\n.\r\n")
        assert await talk.reply() == "250 2.0.0 Ok"
        (handed,) = door.received.handed
        content = b"Subject: x\r\n\r\nbody\r\n"
        assert door.received.contents == [content]
        assert handed.body.sha256 == hashlib.sha256(content).digest()
        assert (handed.body.size, handed.body.media_type) == (len(content), "message/rfc822")
        assert (handed.envelope.mail_from, handed.envelope.rcpt_to) == ("ERP@example.com", ("100234",))
        assert handed.source is LOCAL
        assert (handed.peer.host, handed.peer.helo) == ("127.0.0.1", "client.example")
        assert handed.peer.port == talk.writer.get_extra_info("sockname")[1]
        assert handed.notes == "bare_lf:2"


async def test_recipients_beyond_the_limit_wait_for_the_next_transaction() -> None:
    async with open_door(limits=Limits(recipients=3)) as door:
        talk = await door.connect()
        await talk.send(b"EHLO x\r\nMAIL FROM:<a@b.c>\r\n" + b"".join(b"RCPT TO:<%d>\r\n" % n for n in range(5)))
        await talk.send(b"DATA\r\n")
        answers = [await talk.reply() for _ in range(8)]
        assert [answer[:9] for answer in answers[2:]] == ["250 2.1.5"] * 3 + ["452 4.5.3"] * 2 + ["354 End d"]
        await talk.send(b".\r\n")
        assert await talk.reply() == "250 2.0.0 Ok"
        assert door.received.handed[0].envelope.rcpt_to == ("0", "1", "2")


async def test_a_client_that_sends_content_before_354_is_noted() -> None:
    async with open_door() as door:
        talk = await door.connect()
        await talk.send(b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n")
        await talk.rest()
        assert door.received.handed[0].notes == "early_data:1"


async def test_a_burst_of_commands_is_worked_off_in_turns() -> None:
    async with open_door() as door:
        talk = await door.connect()
        (session,) = door.server.sessions
        await talk.send(b"NOOP\r\n" * 10_000)
        talk.half_close()
        waiting = set()
        while door.server.sessions:
            waiting.add(len(session._buffered))
            await asyncio.sleep(0)
        assert len(waiting) > 10  # whoever looks in between sees it shrink
        assert (await talk.rest()).count(b"250 2.0.0 Ok\r\n") == 10_000


# --- sizes --------------------------------------------------------------------------------------------------


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


async def test_the_size_limit_is_the_listeners_own() -> None:
    listeners = (Listener(port=0, max_size=100), Listener(port=0, max_size=200))
    async with open_door(listeners=listeners) as door:
        for number, size in enumerate((100, 200)):
            talk = await door.connect(number=number)
            assert f"SIZE {size}" in (await talk.say("EHLO x"))
            assert (await talk.say(f"MAIL FROM:<a@b.c> SIZE={size + 1}")).startswith("552 5.3.4")
            assert (await talk.say(f"MAIL FROM:<a@b.c> SIZE={size}")).startswith("250")


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


# --- broken connections -------------------------------------------------------------------------------------

STAGES = [
    b"",
    b"EHLO",
    b"EHLO x\r\n",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\n",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\n",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\n",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\nhalf",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\nhalf\r\n",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\nhalf\r\n.",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\nhalf\r\n.\r",
    b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<1>\r\nDATA\r\n" + b"x" * 300_000,
]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: str(len(stage)))
@pytest.mark.parametrize("end", ["half-close", "reset"])
async def test_half_a_submission_is_never_handed_in(stage: bytes, end: str) -> None:
    async with open_door() as door:
        talk = await door.connect()
        await talk.send(stage)
        if end == "half-close":
            talk.half_close()
            await talk.rest()
        else:
            talk.reset()
        await door.until(lambda: not door.server.sessions)
        assert door.received.handed == []


async def test_a_half_close_after_the_dot_still_gets_its_answer() -> None:
    gate = Gate()
    async with open_door(answer=gate) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"whole\r\n.\r\n")
        talk.half_close()
        await gate.entered.wait()
        gate.open.set()
        assert await talk.rest() == b"250 2.0.0 Ok\r\n"
        assert door.received.contents == [b"whole\r\n"]


@pytest.mark.parametrize("size", [100, 2000])
async def test_a_commit_ends_though_the_client_is_gone(size: int) -> None:
    gate = Gate()
    async with open_door(answer=gate, limits=Limits(spool_above=1000)) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"x" * size + b"\r\n.\r\n")
        await gate.entered.wait()
        talk.reset()
        await door.until(lambda: not door.server.sessions)
        assert door.server.budget.memory + door.server.budget.files == size + 2
        gate.open.set()
        await door.until(lambda: not door.server._commits)
        assert door.received.contents == [b"x" * size + b"\r\n"]


# --- answers of the store -----------------------------------------------------------------------------------


async def test_a_fault_of_ours_is_451_with_an_incident_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    faults = [OSError("/var/lib/secret.db is gone"), None]

    async def answer(handed: Handed) -> Reply:
        fault = faults.pop(0)
        if fault:
            raise fault
        return OK

    async with open_door(answer=answer) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"one\r\n.\r\n")
        refusal = await talk.reply()
        match = re.fullmatch(r"451 4\.3\.0 Something failed here, try again later, incident ([0-9A-F]{8})", refusal)
        assert match
        (record,) = [record for record in caplog.records if match[1] in record.getMessage()]
        assert record.exc_info is not None
        assert "secret.db" in str(record.exc_info[1])
        await talk.begin()
        await talk.send(b"two\r\n.\r\n")
        assert await talk.reply() == "250 2.0.0 Ok"
        assert door.received.contents == [b"two\r\n"]


async def test_a_fault_in_a_command_is_451_with_an_incident(caplog: pytest.LogCaptureFixture) -> None:
    lacks = iter([None])

    def room() -> str | None:
        return next(lacks)  # then StopIteration

    async with open_door(room=room) as door:
        talk = await door.connect()
        await talk.say("EHLO x")
        assert (await talk.say("MAIL FROM:<a@b.c>")).startswith("250")
        assert (await talk.say("RSET")).startswith("250")
        assert re.search(r"^451 4\.3\.0 .*incident [0-9A-F]{8}$", await talk.say("MAIL FROM:<a@b.c>"))
        assert (await talk.say("NOOP")).startswith("250")
        assert "incident" in caplog.text


@pytest.mark.parametrize(
    ("error", "code"),
    [(Temporary("The writer is reopening /var/lib/x"), "451 4.3.0"), (Busy("The queue holds 200000"), "452 4.3.1")],
)
async def test_what_passes_is_4xx_and_says_nothing_of_us(
    error: Temporary, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def answer(handed: Handed) -> Reply:
        raise error

    async with open_door(answer=answer) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"x\r\n.\r\n")
        refusal = await talk.reply()
        assert refusal.startswith(code)
        assert error.sentence not in refusal
        assert error.sentence in caplog.text
        assert (await talk.say("NOOP")).startswith("250")


# --- backpressure -------------------------------------------------------------------------------------------


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


# --- sources ------------------------------------------------------------------------------------------------


def _source(name: str, *networks: str) -> Source:
    return Source(name=name, networks=networks)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("10.0.0.9", "host"),
        ("10.0.0.8", "lan"),
        ("10.9.9.9", "wide"),
        ("11.0.0.1", None),
        ("::ffff:10.0.0.9", "host"),
        ("fd00::1:2", "six"),
        ("fd00::", "six"),
        ("fe80::1%eth0", "link"),
        ("2001:db8::1", None),
        ("192.168.3.4", "mapped"),
        ("::10.0.0.9", None),
        ("no address", None),
    ],
)
def test_the_most_specific_network_wins(host: str, name: str | None) -> None:
    table = SourceTable(
        [
            _source("wide", "10.0.0.0/8"),
            _source("lan", "10.0.0.0/24"),
            _source("host", "10.0.0.9", "10.0.0.10/32"),
            _source("six", "fd00::/16"),
            _source("link", "fe80::/10"),
            _source("mapped", "::ffff:192.168.0.0/112"),
            _source("late", "10.0.0.0/24"),
        ]
    )
    address = client_address(host)
    source = table.match(address) if address else None
    assert (source and source.name) == name


def test_a_default_network_takes_what_no_other_does() -> None:
    table = SourceTable([_source("any", "0.0.0.0/0"), _source("lan", "10.0.0.0/8")])
    assert [
        getattr(table.match(ipaddress.ip_address(host)), "name", None) for host in ("9.9.9.9", "10.1.1.1", "::1")
    ] == ["any", "lan", None]


async def test_a_client_of_no_source_is_refused_and_only_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with open_door(sources=(_source("lan", "10.0.0.0/8"),)) as door:
        talk = await door.connect(greeting="554 5.7.1 This client may not submit mail here")
        assert await talk.rest() == b""
        assert "no source in gateway.toml matches 127.0.0.1" in caplog.text


async def test_a_client_over_ipv6_is_matched() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        async with open_door(listeners=(Listener(host="::1", port=0),)) as door:
            reader, writer = await asyncio.open_connection("::1", door.server.ports[0])
            talk = Talk(reader, writer)
            door.talks.append(talk)
            assert (await talk.reply()).startswith("220")
            await talk.begin()
            await talk.send(b"x\r\n.\r\n")
            assert (await talk.reply()).startswith("250")
            assert door.received.handed[0].peer.host == "::1"
    except ConfigError:
        pytest.skip("no IPv6 loopback here")


# --- how many -----------------------------------------------------------------------------------------------


async def test_connections_of_one_source_are_bounded() -> None:
    narrow = Source(name="narrow", networks=("127.0.0.0/8",), max_connections=2)
    async with open_door(sources=(narrow,)) as door:
        first, _ = await door.connect(), await door.connect()
        talk = await door.connect(greeting="421 4.7.0")
        assert await talk.rest() == b""
        await first.say("QUIT")
        await door.until(lambda: len(door.server.sessions) == 1)
        await door.connect()


async def test_the_longest_idle_gives_its_place_at_the_total() -> None:
    async with open_door(limits=Limits(connections=3)) as door:
        busy, old, new = await door.connect(), await door.connect(), await door.connect()
        await busy.say("EHLO x")
        await busy.say("MAIL FROM:<a@b.c>")
        await old.say("NOOP")
        await new.say("NOOP")
        await door.connect()
        assert (await old.rest()).startswith(b"421 4.7.0")
        assert (await new.say("NOOP")).startswith("250")
        assert (await busy.say("RCPT TO:<1>")).startswith("250")


async def test_each_newcomer_at_the_total_gets_a_place_of_its_own() -> None:
    async with open_door(limits=Limits(connections=2)) as door:
        old = [await door.connect() for _ in range(2)]
        await asyncio.gather(door.connect(), door.connect())
        for talk in old:
            assert (await talk.rest()).startswith(b"421 4.7.0")
        await door.until(lambda: len(door.server.sessions) == 2)


async def test_at_the_total_nobody_with_a_transaction_is_closed() -> None:
    async with open_door(limits=Limits(connections=2)) as door:
        for _ in range(2):
            talk = await door.connect()
            await talk.say("EHLO x")
            await talk.say("MAIL FROM:<a@b.c>")
        await door.connect(greeting="421 4.7.0")
        for talk in door.talks[:2]:
            assert (await talk.say("RCPT TO:<1>")).startswith("250")


async def test_a_slow_client_and_a_slow_store_keep_nobody_waiting() -> None:
    gate = Gate()

    async def answer(handed: Handed) -> Reply:
        return await gate(handed) if handed.envelope.rcpt_to == ("slow",) else OK

    async with open_door(answer=answer) as door:
        writing, waiting = await door.connect(), await door.connect()
        await writing.begin()
        await writing.send(b"half a li")
        await waiting.begin(rcpt="TO:<slow>")
        await waiting.send(b"x\r\n.\r\n")
        await gate.entered.wait()
        quick = await door.connect()
        await quick.begin()
        await quick.send(b"quick\r\n.\r\n")
        assert (await quick.reply()).startswith("250")
        await writing.send(b"ne\r\n.\r\n")
        assert (await writing.reply()).startswith("250")
        assert door.received.contents == [b"quick\r\n", b"half a line\r\n"]
        gate.open.set()
        assert (await waiting.reply()).startswith("250")


# --- timers -------------------------------------------------------------------------------------------------


async def test_a_silent_client_is_closed() -> None:
    async with open_door(limits=Limits(command_timeout=0.1)) as door:
        talk = await door.connect()
        assert await talk.rest() == b"421 4.4.2 Timeout, closing the connection\r\n"


async def test_data_without_progress_is_closed_and_nothing_kept() -> None:
    async with open_door(limits=Limits(data_timeout=0.1)) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"half")
        assert (await talk.rest()).startswith(b"421 4.4.2")
        assert door.received.handed == []


async def test_data_that_comes_slowly_is_taken() -> None:
    async with open_door(limits=Limits(data_timeout=0.2, command_timeout=0.2)) as door:
        talk = await door.connect()
        await talk.begin()
        began = time.monotonic()
        while time.monotonic() - began < 0.6:
            await talk.send(b"slow\r\n")
            await asyncio.sleep(0.02)  # a client that is slow: the subject of this test
        await talk.send(b".\r\n")
        assert (await talk.reply()).startswith("250")


async def test_a_slow_store_is_not_the_clients_timeout() -> None:
    gate = Gate()
    async with open_door(answer=gate, limits=Limits(data_timeout=0.05, command_timeout=0.05)) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"x\r\n.\r\n")
        await gate.entered.wait()
        session = next(iter(door.server.sessions))
        await door.until(lambda: session._timeout_handle is not None and session._timeout_handle.when() < _now())
        gate.open.set()
        assert (await talk.reply()).startswith("250")
        assert (await talk.rest()).startswith(b"421 4.4.2")  # the clock runs again


def _now() -> float:
    return asyncio.get_running_loop().time() - 0.05


async def test_a_session_ends_at_its_time_however_busy_it_is() -> None:
    async with open_door(limits=Limits(session_timeout=0.2)) as door:
        talk = await door.connect()
        answer = ""
        while not answer.startswith("421"):
            answer = await talk.say("NOOP")
            assert answer, "closed without a word"
        assert answer.startswith("421 4.4.2")


async def test_a_session_ends_at_its_time_in_the_middle_of_data_too() -> None:
    async with open_door(limits=Limits(session_timeout=0.3, data_timeout=0.05)) as door:
        talk = await door.connect()
        await talk.begin()

        async def pour() -> None:
            while True:
                await talk.send(b"x" * 70 + b"\r\n")
                await asyncio.sleep(0.005)  # a client that never ends: the subject of this test

        pouring = asyncio.create_task(pour())
        assert (await talk.rest()).startswith(b"421 4.4.2")
        pouring.cancel()
        await asyncio.wait([pouring])
        assert door.received.handed == []


async def test_a_client_that_reads_nothing_is_cut() -> None:
    async with open_door(limits=Limits(command_timeout=0.1, linger=0.1)) as door:
        talk = await door.connect()
        talk.writer.transport.pause_reading()  # type: ignore[attr-defined]
        talk.writer.write(b"NOOP\r\n" * 1_000_000)
        await door.until(lambda: not door.server.sessions)


# --- start and stop -----------------------------------------------------------------------------------------


async def test_a_port_in_use_is_named_and_the_others_are_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Server([Listener(port=0), Listener(port=port)], [LOCAL], Gate())
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port} cannot be opened: Address already in use"):
            await server.start()
        assert server._servers == []


async def test_a_bound_socket_stands_for_a_listener() -> None:
    bound = socket.create_server(("127.0.0.1", 0))
    async with open_door(listeners=(Listener(port=1), Listener(port=0)), sockets=(bound,)) as door:
        assert door.server.ports[0] == bound.getsockname()[1]
        await door.connect(number=0)
        await door.connect(number=1)


async def test_stop_lets_what_runs_end_and_sends_the_idle_away() -> None:
    gate = Gate()

    async def answer(handed: Handed) -> Reply:
        return await gate(handed) if handed.envelope.rcpt_to == ("slow",) else OK

    async with open_door(answer=answer) as door:
        idle, writing, waiting = [await door.connect() for _ in range(3)]
        await writing.begin()
        await writing.send(b"half ")
        await waiting.begin(rcpt="TO:<slow>")
        await waiting.send(b"x\r\n.\r\n")
        await gate.entered.wait()
        stopping = asyncio.create_task(door.server.stop(10))
        assert (await idle.rest()).startswith(b"421 4.3.2")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", door.server.ports[0])
        await writing.send(b"and whole\r\n.\r\n")
        assert await writing.rest() == b"250 2.0.0 Ok\r\n421 4.3.2 Shutting down, try again later\r\n"
        assert not stopping.done()
        gate.open.set()
        assert (await waiting.rest()).startswith(b"250 2.0.0 Ok\r\n421 4.3.2")
        await stopping
        assert sorted(door.received.contents) == [b"half and whole\r\n", b"x\r\n"]


async def test_stop_waits_for_the_commit_of_a_client_that_is_gone() -> None:
    gate = Gate()
    async with open_door(answer=gate) as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"x\r\n.\r\n")
        await gate.entered.wait()
        talk.reset()
        await door.until(lambda: not door.server.sessions)
        stopping = asyncio.create_task(door.server.stop(10))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not stopping.done()
        gate.open.set()
        await stopping
        assert door.received.contents == [b"x\r\n"]


async def test_stop_does_not_wait_longer_than_its_grace() -> None:
    async with open_door() as door:
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"half")
        await door.server.stop(0.05)
        assert not door.server.sessions
        assert door.received.handed == []


async def test_the_constructor_sets_all_that_upstreams_methods_read() -> None:
    """Session leaves upstream's constructor out; a new attribute there has to be looked at."""
    loop = asyncio.get_running_loop()
    upstream = vars(SMTP(object(), hostname="x", loop=loop)).keys()
    ours = vars(Session(Server([], [], Gate()), "x", 1)).keys()
    assert upstream - ours == {
        "_SMTP__ident__" if "_SMTP__ident__" in upstream else "__ident__",
        "_auth_callback",
        "_auth_methods",
        "_auth_require_tls",
        "_auth_required",
        "_authenticator",
        "_decode_data",
        "_ehlo_hook_ver",
        "_enforce_call_limit",
        "_handle_hooks",
        "_proxy_timeout",
        "_smtp_methods",
        "_tls_handshake_okay",
        "data_size_limit",
        "envelope",
        "require_starttls",
    }
