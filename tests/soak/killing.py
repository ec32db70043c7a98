"""The whole gateway killed again and again under load, and what became of everything that it had accepted (P1, P2)."""

from __future__ import annotations

import hashlib
import random
import re
import smtplib
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from email import message_from_bytes

from tests.e2e.gateway import Gateway, until
from tests.peer import Peer

Copies = dict[str, Counter[tuple[str, str]]]  # by subject: how often with which Message-ID and SHA-256 of all bytes
_PATIENCE = 300.0  # seconds for what waits to arrive


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a run is made of: it goes on until both `messages` are accepted and `kills` are done."""

    messages: int
    kills: int
    clients: int
    uptime: tuple[float, float]  # seconds from ready to the kill: any between these
    size: int = 4000  # bytes of a message, about


@dataclass
class Found:
    """What a run showed."""

    accepted: set[str] = field(default_factory=set)  # subjects that were answered 250
    copies_of: Copies = field(default_factory=dict)
    kills: int = 0
    retries: int = 0  # of the clients
    starts: list[float] = field(default_factory=list)  # seconds from the start of the process to its READY
    integrity: str = ""
    seconds: float = 0.0

    @property
    def lost(self) -> set[str]:
        """Accepted and never arrived."""
        return self.accepted - set(self.copies_of)

    @property
    def extra(self) -> int:
        """Copies beyond the first of each message."""
        return sum(each.total() - 1 for each in self.copies_of.values())

    @property
    def differing(self) -> Copies:
        """Messages whose copies do not have all the same Message-ID and the same bytes."""
        return {subject: each for subject, each in self.copies_of.items() if len(each) > 1}

    @property
    def sound(self) -> bool:
        """Whether nothing is lost, changed or damaged."""
        return not self.lost and not self.differing and self.integrity == "ok"

    def summary(self) -> str:
        """One line for people."""
        return (
            f"{len(self.accepted)} accepted, {self.kills} kills, {self.retries} client retries, {self.seconds:.0f} s: "
            f"{len(self.lost)} lost, {self.extra} extra copies ({self.extra / max(1, self.kills):.2f} per kill, "
            f"{len(self.differing)} not identical), integrity {self.integrity}, "
            f"ready again in {max(self.starts):.1f} s at most"
        )


class Client(threading.Thread):
    """An ERP that sends numbered mails and repeats each until it is accepted."""

    def __init__(self, gateway: Gateway, name: str, size: int) -> None:
        super().__init__(name=name, daemon=True)
        self.gateway = gateway
        self.accepted: list[str] = []
        self.retries = 0
        self.ending = threading.Event()
        self.fault: str | None = None
        self._text = "text\r\n" * (size // 6)

    def run(self) -> None:
        number = 0
        while not self.ending.is_set():
            number += 1
            subject = f"{self.name}-{number}"
            while not self._send(subject):
                if self.ending.is_set() or self.fault is not None:
                    return  # never answered: may or may not be there
                self.retries += 1
                self.ending.wait(0.05)
            self.accepted.append(subject)

    def _send(self, subject: str) -> bool:
        content = f"From: erp@seller.example\r\nTo: a@customer.example\r\nSubject: {subject}\r\n\r\n{self._text}"
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


def relay(url: str) -> str:
    """`[relay]` that leads to `url`, with everything else as it comes."""
    return f'mode = "smarthost"\nhost = "{url}"\ntls = "none"'


def run(gateway: Gateway, load: Load) -> Found:
    """Load `gateway`, kill it, let it finish; AssertionError when a client meets 5xx or it does not start.

    What arrived is for the caller to ask of its relay.
    """
    found = Found()
    chance = random.Random(load.kills)
    clients = [Client(gateway, f"c{number}", load.size) for number in range(load.clients)]
    begun = time.monotonic()
    _start(gateway, found)
    for client in clients:
        client.start()
    while found.kills < load.kills or sum(len(client.accepted) for client in clients) < load.messages:
        time.sleep(chance.uniform(*load.uptime))  # the load itself, not a wait for something
        gateway.kill()
        found.kills += 1
        _start(gateway, found)
    for client in clients:
        client.ending.set()
    for client in clients:
        client.join(60)
        assert client.fault is None, client.fault
    found.accepted = {subject for client in clients for subject in client.accepted}
    found.retries = sum(client.retries for client in clients)
    until(lambda: not waiting(gateway), _PATIENCE)
    gateway.stop()
    found.seconds = time.monotonic() - begun
    found.integrity = integrity(gateway)
    return found


def _start(gateway: Gateway, found: Found) -> None:
    begun = time.monotonic()
    gateway.start()
    found.starts.append(gateway.ready - begun)


_WAITING = """SELECT (SELECT count(*) FROM submission WHERE due_at IS NOT NULL OR leased_by IS NOT NULL)
    + (SELECT count(*) FROM document WHERE due_at IS NOT NULL OR leased_by IS NOT NULL)
    + (SELECT count(*) FROM delivery WHERE state IN ('queued', 'active', 'deferred'))"""


def waiting(gateway: Gateway) -> int:
    """Submissions, documents and deliveries that are under way."""
    connection = sqlite3.connect(f"{(gateway.folder / 'var' / 'gateway.db').as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute(_WAITING).fetchone()[0])
    finally:
        connection.close()


def arrived(peer: Peer, name: re.Pattern[str] = re.compile(".+")) -> Copies:
    """What `peer` took: by what `name` finds in the subject, how often with which Message-ID and which bytes."""
    copies: Copies = {}
    for mail in peer.mails:
        parsed = message_from_bytes(mail.content)
        same = (str(parsed["Message-ID"]), hashlib.sha256(mail.content).hexdigest())
        found = name.search(str(parsed["Subject"]))
        assert found is not None, parsed["Subject"]
        copies.setdefault(found[0], Counter())[same] += 1
    return copies


def integrity(gateway: Gateway) -> str:
    """What SQLite says of the database's soundness: "ok", or its first complaint."""
    connection = sqlite3.connect(gateway.folder / "var" / "gateway.db")
    try:
        broken = connection.execute("PRAGMA foreign_key_check").fetchone()
        return f"foreign key: {broken}" if broken else str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()
