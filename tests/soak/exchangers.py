"""MX walking in real time with the deadlines as they come, in network namespaces where packets really vanish (P17).

One namespace is the gateway's; the other has the DNS and the mail servers, and drops what is sent to addresses that it
does not have, without a word: a host that is switched off behind a router, an IPv6 network that leads nowhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import dns_stub, peer
from tests.conftest import ROOT
from tests.dns_stub import DnsStub
from tests.e2e.documents import invoice
from tests.e2e.gateway import Gateway, until
from tests.peer import Last, Peer

MOST_SECONDS = 65.0
_OURS, _THEIRS = "soak-gateway", "soak-servers"
_GATEWAY = ("198.51.100.1/24", "2001:db8:1::1/64")
_SERVERS = ("198.51.100.2/24", "2001:db8:1::2/64")
_REFUSING, _GOOD = "203.0.113.2", "203.0.113.3"
_DEAD, _HOLE = "203.0.113.9", "2001:db8:2::9"


def prove(folder: Path) -> bool:
    """A dead first exchanger, a refusing second, a third whose IPv6 is a black hole: delivered within 65 s."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise SystemExit("root and the program ip (iproute2) are needed for network namespaces")
    with _network():
        command = ["ip", "netns", "exec", _THEIRS, sys.executable, "-m", "tests.soak.exchangers", str(folder)]
        return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


@contextmanager
def _network() -> Iterator[None]:
    """Two namespaces with a wire between them, removed at the end."""
    _ip(f"netns add {_OURS}", f"netns add {_THEIRS}")
    try:
        _ip(f"link add soak0 netns {_OURS} type veth peer name soak1 netns {_THEIRS}")
        for name, link, addresses in ((_OURS, "soak0", _GATEWAY), (_THEIRS, "soak1", _SERVERS)):
            _ip(f"-n {name} link set lo up", f"-n {name} link set {link} up")
            _ip(*(f"-n {name} address add {address} dev {link} nodad" for address in addresses if ":" in address))
            _ip(*(f"-n {name} address add {address} dev {link}" for address in addresses if ":" not in address))
        _ip(f"-n {_OURS} route add default via 198.51.100.2", f"-n {_OURS} -6 route add default via 2001:db8:1::2")
        _ip(*(f"-n {_THEIRS} address add {address}/32 dev lo" for address in (_REFUSING, _GOOD)))
        _ip(f"-n {_THEIRS} route add blackhole {_DEAD}/32", f"-n {_THEIRS} -6 route add blackhole {_HOLE}/128")
        yield
    finally:
        for name in (_OURS, _THEIRS):
            subprocess.run(["ip", "netns", "delete", name], check=False)


def _ip(*commands: str) -> None:
    for command in commands:
        subprocess.run(["ip", *command.split()], check=True)


def _serve(folder: Path) -> bool:
    """In the servers' namespace: be the DNS and the servers, start the gateway in the other, and look at the clock."""
    with (
        dns_stub.in_thread(DnsStub(address="198.51.100.2", port=53)) as dns,
        peer.in_thread(Peer(host=_REFUSING, port=25)) as refusing,
        peer.in_thread(Peer(host=_GOOD, port=25)) as good,
    ):
        refusing.always["CONNECT"] = Last("554 5.3.2 not here")
        dns.mail(
            "one.example",
            (10, "mx1.one.example", [_DEAD]),
            (20, "mx2.one.example", [_REFUSING]),
            (30, "mx3.one.example", [_HOLE, _GOOD]),
        )
        relay = 'mode = "mx"\nresolvers = ["198.51.100.2"]'
        gateway = Gateway(folder / "gateway", relay=relay)
        try:
            gateway.start(("ip", "netns", "exec", _OURS))
            gateway.cli("recipients", "add", "--number", "1042", "--email", "b@one.example")
            begun = time.monotonic()
            gateway.put("F-1.xml", invoice("F-1"))
            until(lambda: good.mails, 2 * MOST_SECONDS)
            seconds = time.monotonic() - begun
            gateway.stop()
        finally:
            gateway.end()
    print(
        f"exchangers: dead first MX, refusing second, AAAA black hole: delivered after {seconds:.1f} s "
        f"({refusing.connections} refused, {len(good.mails)} arrived)",
        flush=True,
    )
    return seconds <= MOST_SECONDS and refusing.connections == 1 and len(good.mails) == 1


if __name__ == "__main__":
    raise SystemExit(0 if _serve(Path(sys.argv[1])) else 1)
