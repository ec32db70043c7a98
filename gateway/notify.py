"""Talking with systemd, without a library: sd_notify(3), the watchdog, and sockets that it opened for us."""

from __future__ import annotations

import os
import socket

_FIRST = 3  # descriptor of the first socket handed over, sd_listen_fds(3)


def notify(*lines: str) -> None:
    """Tell the service manager `READY=1`, `STOPPING=1`, `WATCHDOG=1` or `STATUS=text`; nothing where there is none."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")):
        return
    name = "\0" + place[1:] if place.startswith("@") else place
    text = "\n".join(line.replace("\n", " ") for line in lines)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(1)
        try:
            channel.sendto(text.encode(), name)
        except OSError:
            return  # it does not listen: a notice is never a reason to fail


def watchdog_interval() -> float | None:
    """Seconds between two `WATCHDOG=1`: half of what the unit allows; None where no watchdog waits for us."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    meant_for_us = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(allowed) / 2e6 if allowed.isdigit() and int(allowed) and meant_for_us else None


def listen_sockets() -> list[socket.socket]:
    """The listening sockets of the socket unit, in its order, non-blocking; the environment is cleared of them."""
    count, pid = os.environ.pop("LISTEN_FDS", "0"), os.environ.pop("LISTEN_PID", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not count.isdigit():
        return []
    sockets = []
    for descriptor in range(_FIRST, _FIRST + int(count)):
        listening = socket.socket(fileno=descriptor)
        listening.set_inheritable(False)
        listening.setblocking(False)
        sockets.append(listening)
    return sockets
