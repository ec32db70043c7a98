"""A real gateway as a process of its own: its configuration, its log, its ports, its command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
READY_SECONDS = 30.0

TOML = """
[gateway]
hostname = "gateway.example"
database = "sqlite:var/gateway.db"
admin_socket = "var/admin.sock"
workers = 2

[dkim]
keys = [{{ selector = "gw1", file = "var/dkim/gw1.pem" }}, {{ selector = "gw2", file = "var/dkim/gw2.pem" }}]

[[listener]]
address = "127.0.0.1:0"

[[source]]
name = "local"
match = {{ networks = ["127.0.0.0/8"] }}
recipients = "{recipients}"

[[source]]
name = "drop"
match = {{ folder = "var/drop" }}
stable = 0.1

[relay]
{relay}
"""

_keys: dict[str, bytes] = {}


def keys() -> dict[str, bytes]:
    """A pair of DKIM keys, made once per test run."""
    if not _keys:
        from gateway import signing

        _keys.update({"gw1.pem": signing.generate("rsa"), "gw2.pem": signing.generate("ed25519")})
    return _keys


class Gateway:
    """A gateway in `folder`; `start` returns when it says that it is ready."""

    def __init__(
        self,
        folder: Path,
        *,
        relay: str = 'mode = "capture"\ndirectory = "var/outbox"',
        recipients: str = "resolve",
        extra: str = "",
    ) -> None:
        self.folder = folder
        self.file = folder / "gateway.toml"
        self.drop = folder / "var" / "drop"
        self.outbox = folder / "var" / "outbox"
        self.log = folder / "log"
        (folder / "var" / "dkim").mkdir(parents=True, mode=0o700)
        self.drop.mkdir()
        self.file.write_text(TOML.format(relay=relay, recipients=recipients) + extra)
        for name, pem in keys().items():
            path = folder / "var" / "dkim" / name
            path.write_bytes(pem)
            path.chmod(0o600)
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.ready = 0.0  # monotonic time of the last READY

    # --- life ---

    def start(self, prefix: tuple[str, ...] = (), **environment: str) -> Gateway:
        """Start it and wait for its READY (sd_notify)."""
        with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            path = Path(short) / "notify"  # unix(7) allows 107 bytes, and a test's folder may lie deeper
            notify.bind(str(path))
            notify.settimeout(READY_SECONDS)
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    [*prefix, sys.executable, "-m", "gateway", "-c", str(self.file), "serve"],
                    stdout=log,
                    stderr=log,
                    env=os.environ | {"NOTIFY_SOCKET": str(path)} | environment,
                )
            self._await_ready(notify)
        self.ready = time.monotonic()
        self.port = self.cli("status")["listeners"][0]["port"]
        return self

    def _await_ready(self, notify: socket.socket) -> None:
        deadline = time.monotonic() + READY_SECONDS
        notify.settimeout(0.2)
        while time.monotonic() < deadline:
            try:
                if b"READY=1" in notify.recv(4096):
                    return
            except TimeoutError:
                assert self.process is not None
                if self.process.poll() is not None:
                    break
        raise AssertionError(f"the gateway did not start:\n{self.text()}")

    def stop(self) -> None:
        """SIGTERM: it must end by itself with 0 and without a traceback."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process = None
        assert code == 0, self.text()
        assert "Traceback" not in self.text(), self.text()

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
        self.process = None

    def end(self) -> None:
        """Whatever it is doing, it is gone afterwards."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
        shutil.rmtree(self.folder / "var" / "drop", ignore_errors=True)

    def text(self) -> str:
        """All that it logged."""
        return self.log.read_text(errors="replace")

    # --- its command line ---

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run `gateway ARGS`."""
        return subprocess.run(
            [sys.executable, "-m", "gateway", "-c", str(self.file), *args], capture_output=True, text=True, timeout=60
        )

    def cli(self, *args: str) -> Any:
        """Run `gateway ARGS --json` and give what it prints."""
        done = self.run(*args, "--json")
        assert done.returncode == 0, (args, done.stderr, self.text()[-2000:])
        return json.loads(done.stdout) if done.stdout.strip() else None

    def documents(self, **wanted: str) -> list[dict[str, Any]]:
        """`gateway documents list`."""
        return list(self.cli("documents", "list", *(f"--{name}={value}" for name, value in wanted.items())))

    # --- its doors ---

    def mail(
        self, *files: tuple[str, bytes], to: str = "1001@gateway.example", sender: str = "erp@seller.example"
    ) -> str:
        """Submit one mail with `files` attached; the reply to the end of DATA."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, to, "document"
        message.set_content("see attachment")
        for name, data in files:
            message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
        return self.submit(message.as_bytes(), to, sender)

    def submit(self, content: bytes, to: str = "a@customer.example", sender: str = "erp@seller.example") -> str:
        """Submit `content` as it is; the reply to the end of DATA."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as client:
            client.ehlo()
            assert client.mail(sender)[0] == 250
            assert client.rcpt(to)[0] == 250
            code, text = client.data(content)
            assert code == 250, text
            return text.decode()

    def put(self, name: str, data: bytes) -> None:
        """Drop a file the way careful programs do: under another name, then renamed."""
        path = self.drop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_name("." + path.name + ".tmp")
        hidden.write_bytes(data)
        hidden.rename(path)

    def captured(self) -> list[bytes]:
        """The messages in the capture Maildir."""
        return [path.read_bytes() for path in sorted((self.outbox / "new").glob("*"))]


def until(look: Callable[[], T], seconds: float = 20.0) -> T:
    """What `look` gives once it is true; AssertionError when that takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain; last seen: {found!r}")
        time.sleep(0.05)
