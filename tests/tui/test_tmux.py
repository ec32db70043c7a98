"""The whole way in a real terminal: a held document, the missing row, and the mail at a real SMTP peer."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Make, make_gateway  # noqa: F401  (the fixture)
from tests.e2e.documents import invoice
from tests.e2e.gateway import Gateway, until
from tests.peer import Peer
from tests.tui.conftest import Desk

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Tmux:
    """A tmux server of its own with one session of 80×24."""

    def __init__(self, socket: Path, *command: str) -> None:
        self._base = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        environment = os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        start = ["new-session", "-d", "-x", "80", "-y", "24", *command]
        subprocess.run([*self._base, *start], check=True, env=environment)

    def press(self, *keys: str) -> None:
        """Send keys by tmux's names."""
        subprocess.run([*self._base, "send-keys", *keys], check=True)

    def shown(self) -> str:
        """The screen; empty when the session has ended."""
        done = subprocess.run([*self._base, "capture-pane", "-p"], capture_output=True, text=True, check=False)
        return done.stdout

    def until(self, text: str, seconds: float = 20) -> None:
        """Wait until the screen says a text."""
        deadline = time.monotonic() + seconds
        while text not in (shown := self.shown()):
            assert time.monotonic() < deadline, f"{text!r} never came:\n{shown}"
            time.sleep(0.05)

    def ended(self) -> bool:
        """Whether the program has ended, and tmux with it."""
        done = subprocess.run([*self._base, "has-session"], capture_output=True, check=False)
        return done.returncode != 0

    def close(self) -> None:
        """End what is left."""
        subprocess.run([*self._base, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[Path]:
    """A folder with a short name, as unix(7) allows 107 bytes."""
    folder = Path(f"/tmp/tui-{os.getpid()}")
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


async def test_a_row_is_added_and_the_held_document_goes(make_gateway: Make, sockets: Path) -> None:  # noqa: F811
    async with Peer() as peer:
        gateway = make_gateway(relay=f'mode = "smarthost"\nhost = "{peer.url}"\ntls = "none"')
        await asyncio.to_thread(gateway.start)
        await asyncio.to_thread(_walk, gateway, sockets / "tmux")
        await peer.arrived(1)
        assert peer.mails[0].envelope.rcpt_to == ("kund@customer.example",)
        await asyncio.to_thread(gateway.stop)


async def test_a_list_that_the_terminal_scrolls_is_the_list(desk: Desk, sockets: Path) -> None:
    """Over both edges, by lines, by pages and by jumps: what stands on the screen is what stands there in the list."""
    for number in range(100, 200):
        await desk.row(str(number), f"kund{number}@example.com")
    tmux = Tmux(sockets / "tmux", sys.executable, "-m", "tui", "--socket", str(desk.path), "--lang", "en")
    try:
        await asyncio.to_thread(tmux.until, "Help")
        tmux.press("2")
        await asyncio.to_thread(tmux.until, "100 of 100")
        for keys, cursor in (
            (["j"] * 20, 20),
            (["j"] * 9 + ["k"] * 25, 4),
            (["G", *"kkkkkkkkkkkkkkkkkkkk"], 79),
            (["PPage", "k", "k", "j"], 62),
            (["C-d", "j", "j", "g", "j"], 1),
        ):
            tmux.press(*keys)
            await asyncio.to_thread(tmux.until, f"{100 + cursor} · Invoice")
            seen = [int(each[2:5]) for each in tmux.shown().split("\n")[3:21]]
            assert seen == [*range(seen[0], seen[0] + 18)], tmux.shown()
            assert 100 + cursor in seen
    finally:
        tmux.close()


def _walk(gateway: Gateway, socket: Path) -> None:
    gateway.put("a.xml", invoice())
    until(lambda: gateway.cli("status")["documents"]["held"], 20.0)
    tmux = Tmux(socket, sys.executable, "-m", "gateway", "-c", str(gateway.file), "tui", "--lang", "fr")
    try:
        tmux.until("RETENUS 1")
        tmux.press("5")
        tmux.until("1 document partira")
        tmux.press("a")
        tmux.until("Numéro de client *")
        tmux.press("Tab")
        tmux.press("-l", "kund@customer.example")
        tmux.press("C-s")
        tmux.until("1 document repart")
        tmux.press("3")
        tmux.until("PARTI")
        tmux.press("q")
        until(tmux.ended, 10.0)
    finally:
        tmux.close()
