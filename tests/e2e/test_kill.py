"""The whole gateway killed every second under load: nothing accepted is lost, copies are few (P1, P2)."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import smtplib
import threading
import time
from collections import Counter, defaultdict
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.e2e.conftest import Make
from tests.e2e.gateway import Gateway, until
from tests.peer import Peer

KILLS = 10
CLIENTS = 4
CONNECTIONS = 4  # to the relay


class Client(threading.Thread):
    """An ERP that sends numbered mails and repeats each until it is accepted."""

    def __init__(self, gateway: Gateway, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.gateway = gateway
        self.accepted: list[str] = []
        self.ending = threading.Event()
        self.fault: str | None = None

    def run(self) -> None:
        number = 0
        while not self.ending.is_set():
            number += 1
            subject = f"{self.name}-{number}"
            while not self._send(subject) and self.fault is None:
                if self.ending.is_set():
                    return  # never answered: may or may not be there
                self.ending.wait(0.05)
            self.accepted.append(subject)

    def _send(self, subject: str) -> bool:
        content = (
            f"From: erp@seller.example\r\nTo: a@customer.example\r\nSubject: {subject}\r\n\r\n" + "text\r\n" * 2000
        )
        try:
            with smtplib.SMTP("127.0.0.1", self.gateway.port, timeout=10) as client:
                client.sendmail("erp@seller.example", ["a@customer.example"], content)
        except smtplib.SMTPResponseException as error:
            if error.smtp_code >= 500:
                self.fault = f"{error.smtp_code} {error.smtp_error!r}"
            return False
        except (OSError, smtplib.SMTPException):
            return False
        return True


@pytest.mark.slow
async def test_ten_kills_under_load_lose_nothing(make_gateway: Make) -> None:
    async with Peer() as peer:
        relay = f'mode = "smarthost"\nhost = "{peer.url}"\ntls = "none"\nconcurrency = {CONNECTIONS}'
        gateway = make_gateway(relay=relay, recipients="envelope")
        clients = [Client(gateway, f"c{number}") for number in range(CLIENTS)]
        await asyncio.to_thread(gateway.start)
        for client in clients:
            client.start()
        for _ in range(KILLS):
            await asyncio.sleep(1.0)  # the load itself, not a wait for something
            gateway.kill()
            await asyncio.to_thread(gateway.start)
        for client in clients:
            client.ending.set()
        for client in clients:
            await asyncio.to_thread(client.join, 30)
            assert client.fault is None, client.fault
        await asyncio.to_thread(until, lambda: not _waiting(gateway), 60.0)
        await asyncio.to_thread(gateway.stop)
        _check(clients, [mail.content for mail in peer.mails])


def _waiting(gateway: Gateway) -> int:
    status = gateway.cli("status")
    documents, deliveries = status["documents"], status["deliveries"]
    waiting: int = (
        documents["received"] + documents["queued"] + sum(deliveries[s] for s in ("queued", "active", "deferred"))
    )
    return waiting


def _check(clients: list[Client], mails: list[bytes]) -> None:
    accepted = {subject for client in clients for subject in client.accepted}
    ids: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for content in mails:
        parsed = message_from_bytes(content)
        ids[str(parsed["Subject"])][str(parsed["Message-ID"])] += 1
    copies = sum(count.total() - 1 for count in ids.values())
    print(f"{len(accepted)} accepted, {len(mails)} arrived, {copies} copies over {KILLS} kills")
    assert len(accepted) > 10 * KILLS
    assert accepted - set(ids) == set()
    assert {subject: dict(count) for subject, count in ids.items() if len(count) > 1} == {}
    assert copies <= KILLS * (CLIENTS + CONNECTIONS)


def test_the_wal_is_synced_before_the_250(make_gateway: Make, tmp_path: Path) -> None:
    """strace shows what was written and synced between the end of DATA and the reply (P5)."""
    trace = tmp_path / "trace"
    gateway = make_gateway()
    if not _has_strace():
        pytest.skip("strace is not installed")
    gateway.start(
        ("strace", "-f", "-y", "-e", "trace=fdatasync,fsync,write,writev,sendto,sendmsg", "-s", "40", "-o", str(trace))
    )
    for number in range(5):
        gateway.mail((f"{number}.txt", b"no document %d" % number))
    os.kill(gateway.cli("status")["pid"], signal.SIGKILL)  # the traced one; strace ends with it
    assert gateway.process is not None
    gateway.process.wait(10)
    gateway.process = None
    lines = trace.read_text(errors="replace").splitlines()
    replies = [place for place, line in enumerate(lines) if '"250 2.0.0 Ok: queued' in line]
    assert len(replies) == 5
    for reply in replies:
        start = max(place for place in range(reply) if '"354' in lines[place])
        between = lines[start:reply]
        assert any("sync(" in line and "gateway.db-wal" in line for line in between), between


def _has_strace() -> bool:
    found = shutil.which("strace") is not None
    assert found or not os.environ.get("CI"), "CI needs strace"
    return found


def test_a_start_after_a_kill_needs_no_hand(make_gateway: Make) -> None:
    gateway = make_gateway().start()
    started = time.monotonic()
    gateway.kill()
    assert (gateway.folder / "var" / "admin.sock").exists()  # what the killed one left behind
    gateway.start()
    assert time.monotonic() - started < 30
    gateway.stop()
