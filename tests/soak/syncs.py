"""The whole gateway killed exactly at its N-th sync to the disk, and what became of what it had accepted (P3).

A library of ours (`syncs.c`), compiled when it is needed, counts the syncs of the process in all its threads.
"""

from __future__ import annotations

import re
import shutil
import signal
import smtplib
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from tests import peer as peers
from tests.e2e.documents import invoice
from tests.e2e.gateway import Gateway, keys, until
from tests.peer import Peer
from tests.soak import killing
from tests.soak.killing import Found

Kill = tuple[int, Literal["before", "after"]]  # which sync, counted from 1, and whether it is still made
_NAME = re.compile(r"L\d+-\d+-\d+")  # in a subject: what was handed in
_MOST = 200  # mails or files until the sync must have come


def compiled(folder: Path) -> Path | None:
    """The library, made in `folder`; None where there is no C compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    made = folder / "syncs.so"
    source = Path(__file__).with_name("syncs.c")
    command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(made), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return made


class Mails:
    """By SMTP, each passed on to the address in its envelope."""

    name = "mails"
    recipients = "envelope"

    def prepare(self, gateway: Gateway) -> None:
        """Nothing: the first syncs are those that make the database."""

    def hand_in(self, gateway: Gateway, name: str) -> bool:
        """True when the end of the content is answered 250."""
        content = f"From: erp@seller.example\r\nTo: a@customer.example\r\nSubject: {name}\r\n\r\n" + "text\r\n" * 300
        try:
            with smtplib.SMTP("127.0.0.1", gateway.port, timeout=10) as client:
                client.sendmail("erp@seller.example", ["a@customer.example"], content)
        except (OSError, smtplib.SMTPException):
            return False
        return True


class Files:
    """By the drop folder, each read and mailed to the customer whose number it names."""

    name = "files"
    recipients = "resolve"

    def prepare(self, gateway: Gateway) -> None:
        """The customer is known."""
        gateway.start()
        gateway.cli("recipients", "add", "--number", "1042", "--email", "a@customer.example", "--format", "original")
        gateway.stop()

    def hand_in(self, gateway: Gateway, name: str) -> bool:
        """True once the file is in the folder: whatever lies there must be taken, be it by the next start."""
        gateway.put(f"{name}.xml", invoice(name))
        path = gateway.drop / f"{name}.xml"
        until(lambda: not path.exists() or ended(gateway))
        return True


def ended(gateway: Gateway) -> bool:
    """Whether its process is there no more."""
    assert gateway.process is not None
    return gateway.process.poll() is not None


def prove(folder: Path) -> bool:
    """A kill before and after each of the first 100 syncs by both doors, in ten lives of a gateway each, and at each of
    the first 20 of a new database."""
    library = compiled(folder)
    if library is None:
        raise SystemExit("a C compiler is needed: gcc or cc")
    keys()  # made before the threads want them
    sound = True
    for door in (Mails(), Files()):
        lives: list[list[Kill]] = [[(number, "before")] for number in range(1, 21)]
        for first in range(1, 101, 10):
            lives.append([(number, "before") for number in range(first, first + 10)])
            lives.append([(number, "after") for number in range(first, first + 10)])
        with ThreadPoolExecutor(2) as pool:
            folders = [folder / f"{door.name}-{place}" for place in range(len(lives))]
            ran = list(pool.map(_run_apart, folders, [door] * len(lives), lives, [library] * len(lives)))
        broken = [each for each in ran if isinstance(each, str)]
        print(_summary(door, [each for each in ran if isinstance(each, Found)], broken), flush=True)
        sound = sound and not broken
    return sound


def _run_apart(folder: Path, door: Mails | Files, kills: list[Kill], library: Path) -> Found | str:
    """`run` with a gateway and a relay of its own; what was wrong as a text."""
    with peers.in_thread(Peer()) as sink:
        gateway = Gateway(folder, relay=killing.relay(sink.url), recipients=door.recipients)
        try:
            door.prepare(gateway)
            return run(gateway, sink, door, kills, library)
        except AssertionError as error:
            return f"{folder}: {kills}: {error}"
        finally:
            gateway.end()


def _summary(door: Mails | Files, ran: list[Found], broken: list[str]) -> str:
    kills, extra = sum(each.kills for each in ran), sum(each.extra for each in ran)
    accepted = sum(len(each.accepted) for each in ran)
    said = f"syncs, {door.name}: {kills} kills at syncs 1 to 100, {accepted} accepted: 0 lost, integrity ok, "
    said += f"{extra} extra copies ({extra / max(1, kills):.2f} per kill); {len(broken)} runs broken"
    return "\n  ".join([said, *broken])


def run(gateway: Gateway, peer: Peer, door: Mails | Files, kills: Iterable[Kill], library: Path) -> Found:
    """Kill `gateway` at each of these syncs, one life after the other, then let it finish what it has.

    AssertionError when a kill does not come at its sync, or something is lost, changed or damaged.
    """
    found = Found()
    for life, kill in enumerate(kills):
        found.accepted |= _one_life(gateway, door, f"L{life}-{kill[0]}", kill, library)
        found.kills += 1
    gateway.start()
    until(lambda: not killing.waiting(gateway) and not list(gateway.drop.glob("*.xml")), 60.0)
    gateway.stop()
    found.copies_of = killing.arrived(peer, _NAME)
    found.integrity = killing.integrity(gateway)
    assert not found.lost, f"lost: {sorted(found.lost)}"
    assert not found.differing, f"different copies: {found.differing}"
    assert found.integrity == "ok", found.integrity
    return found


def _one_life(gateway: Gateway, door: Mails | Files, name: str, kill: Kill, library: Path) -> set[str]:
    """Start, hand in until the kill comes; what was accepted."""
    number, when = kill
    report = gateway.folder / "report"
    report.unlink(missing_ok=True)
    accepted = set()
    settings = {"LD_PRELOAD": str(library), "KILL_AT": str(number), "KILL_WHEN": when, "KILL_REPORT": str(report)}
    try:
        gateway.start(**settings)
        for place in range(_MOST):
            if ended(gateway):
                break
            if door.hand_in(gateway, f"{name}-{place}"):
                accepted.add(f"{name}-{place}")
    except AssertionError:  # killed while it started: no READY, or nobody who answers the command line
        assert gateway.process is not None
        gateway.process.wait(10)
    assert gateway.process is not None
    code = gateway.process.wait(10)
    gateway.process = None
    said = report.read_text()
    assert code == -signal.SIGKILL, f"sync {number} did not end it: {code}, {said!r}, {gateway.text()[-2000:]}"
    assert said in (f"{number} fsync\n", f"{number} fdatasync\n"), said
    return accepted
