"""Notices to systemd over real sockets, sockets from it, and how much of the system the unit leaves open."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import notify

UNITS = Path(__file__).resolve().parents[2] / "systemd"
_IN_CI = os.environ.get("CI") == "true"


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(5)
        channel.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield channel


def test_notices_arrive_as_lines(manager: socket.socket) -> None:
    notify.notify("READY=1", "STATUS=3 wait\nfor x")
    assert manager.recv(4096) == b"READY=1\nSTATUS=3 wait for x"


def test_an_abstract_socket_is_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(5)
        channel.bind(f"\0gateway-test-{os.getpid()}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@gateway-test-{os.getpid()}")
        notify.notify("WATCHDOG=1")
        assert channel.recv(4096) == b"WATCHDOG=1"


@pytest.mark.parametrize("place", [None, "", "relative", "/nobody/listens"])
def test_without_a_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch, place: str | None) -> None:
    if place is None:
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    else:
        monkeypatch.setenv("NOTIFY_SOCKET", place)
    notify.notify("READY=1")


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [
        ("30000000", None, 15.0),
        ("30000000", "self", 15.0),
        ("30000000", "1", None),
        ("", None, None),
        ("0", None, None),
    ],
)
def test_the_watchdog_is_fed_twice_in_its_time(
    monkeypatch: pytest.MonkeyPatch, usec: str, pid: str | None, seconds: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "self" else pid)
    assert notify.watchdog_interval() == seconds


_ACTIVATED = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0)).detach()
if listener != 3:
    os.dup2(listener, 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
from gateway.notify import listen_sockets
(found,) = listen_sockets()
socket.create_connection(found.getsockname()).close()
print(found.fileno(), os.get_inheritable(3), found.gettimeout(), listen_sockets(), "LISTEN_FDS" in os.environ)
found.close()
"""


def test_sockets_of_the_socket_unit_are_taken_once() -> None:
    done = subprocess.run([sys.executable, "-c", _ACTIVATED], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.split() == ["3", "False", "0.0", "[]", "False"]


def test_sockets_meant_for_another_process_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", "1")
    assert notify.listen_sockets() == []


# --- the units ---


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        assert not _IN_CI, f"{name} is needed in CI"
        pytest.skip(f"{name} is not installed")
    return found


def test_the_service_leaves_little_open() -> None:
    command = [tool("systemd-analyze"), "security", "--offline=true", "--threshold=20", "--no-pager"]
    done = subprocess.run([*command, str(UNITS / "gateway.service")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-200:]


def test_users_and_folders_can_be_made(tmp_path: Path) -> None:
    users, folders = tool("systemd-sysusers"), tool("systemd-tmpfiles")
    if os.geteuid() != 0:
        pytest.skip("folders with owners need root")
    (tmp_path / "etc").mkdir()
    (tmp_path / "var/lib").mkdir(parents=True)
    for command in ([users], [folders, "--create"]):
        unit = UNITS / f"{command[0].rpartition('-')[2]}.conf"
        subprocess.run([*command, f"--root={tmp_path}", str(unit)], check=True, capture_output=True, timeout=60)
    assert "gateway-drop:x:" in (tmp_path / "etc/group").read_text()
    assert (tmp_path / "var/lib/gateway/drop").stat().st_mode & 0o7777 == 0o2770


def test_the_service_runs_what_there_is() -> None:
    unit = (UNITS / "gateway.service").read_text(encoding="utf-8")
    for line in ("Type=notify", "WatchdogSec=30", "KillMode=mixed", "MemoryDenyWriteExecute=yes"):
        assert f"\n{line}\n" in unit
    assert "ListenStream=127.0.0.1:2525\n" in (UNITS / "gateway.socket").read_text(encoding="utf-8")
