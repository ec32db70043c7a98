"""The table of transports, and the one that writes files."""

from __future__ import annotations

import mailbox
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.config import DnsServer, Relay
from gateway.errors import ConfigError
from gateway.model import Envelope, Outcome, Result
from gateway.transports import TRANSPORTS, open_transport, parse_host
from gateway.transports.capture import Capture
from gateway.transports.mx import Mx
from gateway.transports.smarthost import Smarthost

MESSAGE = b"From: a@gw.example\r\nSubject: hello\r\n\r\n.dot\r\n"


def envelope(delivery: str = "0000000000001", address: str = "b@example.com") -> Envelope:
    return Envelope(mail_from=f"b+{delivery}-f00d@gw.example", rcpt_to=(address,))


async def capture(folder: Path, *mails: tuple[Envelope, bytes]) -> list[Outcome]:
    transport = open_transport(Relay(mode="capture", directory=folder), "gw.example")
    outcomes = [await transport.deliver(*mail) for mail in mails]
    await transport.close()
    return outcomes


async def test_every_mode_opens_its_transport(tmp_path: Path) -> None:
    assert list(TRANSPORTS) == ["capture", "smarthost", "mx"]
    kept = open_transport(Relay(directory=tmp_path), "gw.example")
    assert isinstance(kept, Capture)
    assert kept.next_hop("a@b.example") == "capture"
    sent = open_transport(Relay(mode="smarthost", host="smtp://relay.example:587"), "gw.example")
    assert isinstance(sent, Smarthost)
    assert sent.next_hop("a@b.example") == "relay.example:587"
    asked = (DnsServer(host="127.0.0.1", port=5353),)
    direct = open_transport(Relay(mode="mx", tls="opportunistic", resolvers=asked), "gw.example")
    assert isinstance(direct, Mx)
    assert direct.next_hop("a@b.example") == "b.example"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://relay.example:587", ("relay.example", 587, False)),
        ("smtp://relay.example", ("relay.example", 25, False)),
        ("smtps://relay.example/", ("relay.example", 465, True)),
        ("smtp://[::1]:2525", ("::1", 2525, False)),
    ],
)
def test_a_host_is_an_url(url: str, expected: tuple[str, int, bool]) -> None:
    assert parse_host(url) == expected


@pytest.mark.parametrize(
    "url", ["", "relay.example", "relay.example:25", "http://x:25", "smtp://", "smtp://x:99999", "smtp://u:p@x:25"]
)
def test_a_host_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_host(url)
    assert caught.value.field == "relay.host"


def test_a_password_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for file, words in ((None, "is not"), (tmp_path / "missing", "No such file")):
        relay = Relay(mode="smarthost", host="smtp://x:25", user="gw", password_file=file)
        with pytest.raises(ConfigError, match=words):
            open_transport(relay, "gw.example")


# --- capture -----------------------------------------------------------------------------------------------


async def test_capture_writes_a_maildir_with_the_envelope_in_front(tmp_path: Path) -> None:
    (outcome,) = await capture(tmp_path / "out", (envelope(), MESSAGE))
    assert (outcome.result, outcome.reply.code) == (Result.DONE, 250)
    (file,) = (tmp_path / "out" / "new").iterdir()
    assert "0000000000001" in file.name
    assert outcome.reply.text == f"written to {file.name}"
    head = b"Return-Path: <b+0000000000001-f00d@gw.example>\r\nDelivered-To: b@example.com\r\n"
    assert file.read_bytes() == head + MESSAGE
    assert list((tmp_path / "out" / "tmp").iterdir()) == []
    folder = mailbox.Maildir(tmp_path / "out", create=False)
    assert [mail["Subject"] for mail in folder] == ["hello"]


async def test_capture_syncs_the_file_before_it_gets_its_name_and_then_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[bool, int]] = []
    sync = os.fsync

    def watch(descriptor: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), len(os.listdir(tmp_path / "new"))))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    await capture(tmp_path, (envelope(), MESSAGE))
    assert synced == [(False, 0), (True, 1)]


async def test_a_repeated_delivery_replaces_its_own_file_only(tmp_path: Path) -> None:
    again = (envelope(), MESSAGE)
    other = (envelope("0000000000002"), MESSAGE)
    same_sender = (envelope(), MESSAGE + b"more\r\n")
    await capture(tmp_path, again, other, same_sender, again)
    assert len(list((tmp_path / "new").iterdir())) == 3


async def test_what_a_crash_left_in_tmp_does_not_stand_in_the_way(tmp_path: Path) -> None:
    await capture(tmp_path, (envelope(), MESSAGE))
    (file,) = (tmp_path / "new").iterdir()
    whole = file.read_bytes()
    file.rename(tmp_path / "tmp" / file.name)
    (tmp_path / "tmp" / file.name).write_bytes(b"half")
    await capture(tmp_path, (envelope(), MESSAGE))
    assert [kept.read_bytes() for kept in (tmp_path / "new").iterdir()] == [whole]
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    "address", ["../../x@e.example", "a/b@e.example", "a\r\nX: y@e.example", "ä" * 300 + "@e", '"a b"@e']
)
async def test_no_address_leads_out_of_the_folder_or_adds_a_line(tmp_path: Path, address: str) -> None:
    (outcome,) = await capture(tmp_path / "out", (envelope(address=address), MESSAGE))
    assert outcome.result is Result.DONE
    (file,) = (tmp_path / "out" / "new").iterdir()
    assert file.read_bytes().count(b"\r\n") == MESSAGE.count(b"\r\n") + 2
    assert os.listdir(tmp_path) == ["out"]


async def test_a_folder_that_takes_nothing_is_temporary(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    (outcome,) = await capture(tmp_path / "out", (envelope(), MESSAGE))
    assert (outcome.result, outcome.scope, outcome.reply.enhanced) == (Result.TEMPORARY, "hop", "4.3.0")


def test_sigkill_leaves_whole_files_only_and_a_repetition_completes_them(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys, pathlib\n"
        "from gateway.model import Envelope\n"
        "from gateway.transports.capture import Capture\n"
        "async def run():\n"
        "    out = Capture(pathlib.Path(sys.argv[1]))\n"
        "    for n in range(100_000):\n"
        "        e = Envelope(mail_from=f'b+{n:013}-f00d@gw.example', rcpt_to=('b@example.com',))\n"
        "        await out.deliver(e, b'Subject: x\\r\\n\\r\\n' + b'y' * 50_000 + b'\\r\\n')\n"
        "asyncio.run(run())\n"
    )
    counts = []
    for enough in (5, 20, 40):
        process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
        deadline = time.monotonic() + 30
        while not (tmp_path / "new").exists() or len(os.listdir(tmp_path / "new")) < enough:
            assert time.monotonic() < deadline
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        files = sorted((tmp_path / "new").iterdir())
        counts.append(len(files))
        assert {file.stat().st_size for file in files} == {files[0].stat().st_size}
        assert [int(file.name[2:15]) for file in files] == list(range(len(files)))
    assert counts == sorted(counts)
