"""A real gateway, started as a process with a configuration and a database of its own, watched from outside."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import process
from gateway import signing
from gateway.client import Client

READY_SECONDS = 120.0
STUCK_SECONDS = 120.0  # without any progress

_TOML = """
[gateway]
hostname = "gateway.example"
workers = {workers}
database = "sqlite:gateway.db"
admin_socket = "admin.sock"

[dkim]
keys = [{keys}]

[[listener]]
address = "127.0.0.1:0"

[[source]]
name = "mail"
match = {{ networks = ["127.0.0.0/8"] }}
recipients = "{recipients}"
duplicates = "accept"

[[source]]
name = "drop"
match = {{ folder = "drop" }}
duplicates = "accept"
stable = {stable}

[relay]
{relay}
"""
CAPTURE = 'mode = "capture"\ndirectory = "outbox"'
SECOND_LATER = 0.3  # seconds until what belongs to the last message is over, too


@dataclass(frozen=True)
class Spent:
    """What happened between two looks at a gateway."""

    seconds: float
    cpu: float  # seconds, of all the gateway's processes
    busy: float  # cores of the machine, whoever used them


class Gateway:
    """A gateway in `folder`, not yet started: its database may be filled first."""

    def __init__(
        self,
        folder: Path,
        *,
        relay: str = CAPTURE,
        recipients: str = "resolve",
        keys: tuple[str, ...] = ("rsa",),
        stable: float = 0.1,
        workers: int = 0,
    ) -> None:
        self.folder = folder = folder.absolute()  # sd_notify(3) takes no relative path
        self.database = folder / "gateway.db"
        self.drop = folder / "drop"
        self.drop.mkdir(parents=True)
        self.port = 0
        listed = []
        for algorithm in keys:
            path = folder / f"{algorithm}.pem"
            path.write_bytes(signing.generate("ed25519" if algorithm == "ed25519" else "rsa"))
            path.chmod(0o600)
            listed.append(f'{{ selector = "{algorithm}", file = "{path.name}" }}')
        text = _TOML.format(keys=", ".join(listed), relay=relay, recipients=recipients, stable=stable, workers=workers)
        (folder / "gateway.toml").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The daemon's process id."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    @contextmanager
    def running(self) -> Iterator[Gateway]:
        """Start it, and stop it at the end."""
        try:
            self.start()
            yield self
        finally:
            if self._process is not None:
                self.stop()

    def start(self) -> float:
        """Seconds from the start of the process until it says that it is ready."""
        with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            path = Path(short) / "notify"  # unix(7) allows 107 bytes, and the measured disk may lie deeper
            notify.bind(str(path))
            notify.settimeout(0.2)
            started = time.monotonic()
            with (self.folder / "log").open("ab") as log:
                command = [sys.executable, "-m", "gateway", "-c", str(self.folder / "gateway.toml"), "serve"]
                self._process = subprocess.Popen(
                    command, stdout=log, stderr=log, env=os.environ | {"NOTIFY_SOCKET": str(path)}
                )
            while True:
                try:
                    if b"READY=1" in notify.recv(4096):
                        break
                except TimeoutError:
                    if self._process.poll() is not None or time.monotonic() - started > READY_SECONDS:
                        raise SystemExit(f"the gateway did not start:\n{(self.folder / 'log').read_text()}") from None
            seconds = time.monotonic() - started
        self.port = Client(self.folder / "admin.sock").get("/status")["listeners"][0]["port"]
        return seconds

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that does not help."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    # --- what it has done ---

    def sent(self) -> int:
        """Deliveries that the next hop has taken."""
        return self._count("SELECT count(*) FROM delivery WHERE state = 'sent'")

    def accepted(self) -> int:
        """Submissions that are stored."""
        return self._count("SELECT count(*) FROM submission")

    def _count(self, statement: str) -> int:
        connection = sqlite3.connect(f"{self.database.absolute().as_uri()}?mode=ro", uri=True)
        try:
            return int(connection.execute(statement).fetchone()[0])
        finally:
            connection.close()

    def wait(self, look: str, wanted: int, since: float) -> float:
        """Seconds after `since` (monotonic) at which `sent` or `accepted` reached `wanted`."""
        seen, moved = -1, time.monotonic()
        while True:
            now = self.sent() if look == "sent" else self.accepted()
            moment = time.monotonic()
            if now >= wanted:
                return moment - since
            if now != seen:
                seen, moved = now, moment
            if moment - moved > STUCK_SECONDS:
                raise SystemExit(f"stuck at {now} of {wanted} {look}; see {self.folder / 'log'}")
            time.sleep(0.02)

    @contextmanager
    def watched(self) -> Iterator[list[Spent]]:
        """Measure what the block costs; the list it gives holds one `Spent` afterwards."""
        found: list[Spent] = []
        cpu, busy, started = process.cpu_seconds(self.pid), process.machine_seconds(), time.monotonic()
        yield found
        seconds = time.monotonic() - started
        busy = (process.machine_seconds() - busy) / seconds
        time.sleep(SECOND_LATER)
        found.append(Spent(seconds, process.cpu_seconds(self.pid) - cpu, busy))
