"""Whether a crowd of strangers leaves an honest client its second, and one of large mails the gateway its memory.

Promises P10 and P11.
"""

from __future__ import annotations

import base64
import contextlib
import re
import smtplib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from argon2 import PasswordHasher

from tests.e2e.gateway import Gateway, until
from tests.soak import killing

HONEST_SECONDS = 1.0
MOST_MEMORY = 300  # MB resident, of the daemon
_STRANGERS = 500
_LARGE = 50
_LARGE_BYTES = 25_000_000
_DRIP_SECONDS = 0.05  # between two bytes, of all dripping connections in turn
_SAP = """
[[source]]
name = "sap"
match = {{ user = "sap" }}
password_hash = "{hash}"
plain_auth = {{ reason = "to be attacked", expires = 2999-01-01 }}
"""


def prove(folder: Path) -> bool:
    """Idle and dripping connections, wrong passwords, content without an end, many large mails at once."""
    gateway = Gateway(
        folder / "gateway", recipients="envelope", extra=_SAP.format(hash=PasswordHasher(2, 19456, 1).hash("secret"))
    )
    text = gateway.file.read_text().replace('networks = ["127.0.0.0/8"]', 'networks = ["127.0.0.1/32"]')
    gateway.file.write_text(text)
    try:
        gateway.start()
        sound = [_beside_strangers(gateway), _beside_guesses(gateway), _memory(gateway)]
        gateway.stop()
    finally:
        gateway.end()
    return all(sound)


# --- strangers -------------------------------------------------------------------------------------------


def _beside_strangers(gateway: Gateway) -> bool:
    """500 connections at any time, idle and dripping, each opened again when it is closed: 20 from each address."""
    ending = threading.Event()
    crowd = [_Strangers(gateway.port, f"127.0.0.{2 + number}", ending) for number in range(_STRANGERS // 20)]
    for each in crowd:
        each.start()
    until(lambda: sum(each.opened for each in crowd) >= _STRANGERS)
    slowest = _submit(gateway, 100)
    ending.set()
    for each in crowd:
        each.join()
    opened = sum(each.opened for each in crowd)
    print(
        f"crowd: {_STRANGERS} idle and dripping connections ({opened} opened in all): "
        f"100 mails of an honest client, the slowest in {slowest:.2f} s",
        flush=True,
    )
    return slowest < HONEST_SECONDS


class _Strangers(threading.Thread):
    """Twenty connections from one address that say a byte now and then, or nothing."""

    def __init__(self, port: int, address: str, ending: threading.Event) -> None:
        super().__init__(daemon=True)
        self.opened = 0
        self._port, self._address, self._ending = port, address, ending
        self._places: list[socket.socket | None] = [None] * 20

    def run(self) -> None:
        place = 0
        while not self._ending.wait(0.0 if self.opened < len(self._places) else _DRIP_SECONDS):
            place = (place + 1) % len(self._places)
            self._places[place] = self._drip(self._places[place], place % 2 == 0)
        for connection in self._places:
            if connection is not None:
                connection.close()

    def _drip(self, connection: socket.socket | None, dripping: bool) -> socket.socket | None:
        try:
            if connection is None:
                self.opened += 1
                source = (self._address, 0)
                connection = socket.create_connection(("127.0.0.1", self._port), 10, source_address=source)
            if dripping:
                connection.sendall(b"N")
        except OSError:  # it is rid of us: again at the next turn
            if connection is not None:
                connection.close()
            return None
        return connection


def _beside_guesses(gateway: Gateway) -> bool:
    """500 wrong passwords from one address, as fast as they are answered."""
    guesses: list[str] = []
    with ThreadPoolExecutor(10) as pool:
        running = [pool.submit(_guess, gateway.port, number) for number in range(500)]
        slowest = _submit(gateway, 100)
        guesses = [each.result() for each in running]
    checked = sum(each.startswith("535") for each in guesses)
    print(
        f"crowd: 500 wrong passwords, {checked} of them looked at: 100 mails of an honest client beside them, "
        f"the slowest in {slowest:.2f} s",
        flush=True,
    )
    return slowest < HONEST_SECONDS and checked <= 20


def _guess(port: int, number: int) -> str:
    """The answer to one wrong password; empty when the door is shut."""
    said = base64.b64encode(b"\0sap\0guess%d" % number).decode()
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=120, source_address=("127.0.0.9", 0)) as client:
            client.ehlo()
            code, text = client.docmd("AUTH", f"PLAIN {said}")
            return f"{code} {text.decode()}"
    except (OSError, smtplib.SMTPException):
        return ""


def _submit(gateway: Gateway, count: int) -> float:
    """Seconds that the slowest of `count` mails took, connection and all."""
    slowest = 0.0
    for number in range(count):
        begun = time.monotonic()
        gateway.submit(b"From: a@seller.example\r\nSubject: %d\r\n\r\ntext\r\n" % number)
        slowest = max(slowest, time.monotonic() - begun)
    return slowest


# --- memory ----------------------------------------------------------------------------------------------


def _memory(gateway: Gateway) -> bool:
    """200 MB without a CRLF, then 50 mails of 25 MB at once, beside 500 idle connections."""
    at_first = peak(gateway)
    with contextlib.ExitStack() as stack:
        for number in range(_STRANGERS):
            address = (f"127.0.0.{2 + number // 20}", 0)
            stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port), 10, source_address=address))
        without_end = _endless(gateway.port)
        text = (b"x" * 76 + b"\r\n") * (_LARGE_BYTES // 78)
        begun = time.monotonic()
        with ThreadPoolExecutor(_LARGE) as pool:
            tries = list(
                pool.map(lambda number: _large(gateway.port, b"Subject: %d\r\n\r\n" % number + text), range(_LARGE))
            )
        seconds = time.monotonic() - begun
    until(lambda: not killing.waiting(gateway), 300.0)
    sent = gateway.cli("status")["deliveries"]["sent"]
    most = peak(gateway)
    print(
        f"crowd: 200 MB without a CRLF ({without_end} MB were read), 500 idle connections, {_LARGE} mails of 25 MB at "
        f"once accepted in {seconds:.0f} s ({sum(tries)} tries), {sent} sent in all: "
        f"at most {most} MB resident, {at_first} MB before",
        flush=True,
    )
    return most < MOST_MEMORY


def peak(gateway: Gateway) -> int:
    """The most that the daemon had resident so far, in MB."""
    assert gateway.process is not None
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) // 1000


def _endless(port: int) -> int:
    """Send up to 200 MB in one line; MB until the gateway hung up."""
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
        with contextlib.suppress(ConnectionError):
            while sent < 200:
                client.sendall(b"x" * 1_000_000)
                sent += 1
    return sent


def _large(port: int, content: bytes) -> int:
    """Send one until it is taken; how many tries that took."""
    tries = 0
    while True:
        tries += 1
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=120) as client:
                client.sendmail("a@seller.example", ["c@customer.example"], content)
            return tries
        except smtplib.SMTPResponseException as error:
            if error.smtp_code >= 500:
                raise
        except (OSError, smtplib.SMTPException):
            pass
        time.sleep(0.5)
