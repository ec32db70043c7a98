"""What becomes of files where a script that watches a folder fails: present before the start, written in two goes,
dropped while the relay is down."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from email import message_from_bytes
from pathlib import Path
from typing import Protocol

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from bench import peers, samples, seed
from bench.folder import RELAY, started
from bench.gateway import Gateway
from bench.plan import Plan
from bench.report import Table
from gateway.client import Client

SIZE = 20_000
OURS, BARE = "the gateway", "the script"
Files = dict[str, bytes]


class Kept:
    """aiosmtpd's handler: keeps what is attached, under whatever name."""

    def __init__(self) -> None:
        self.files: list[bytes] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """A mail has come."""
        assert isinstance(envelope.content, bytes)
        for part in message_from_bytes(envelope.content).walk():
            if part.get_filename():
                data = part.get_payload(decode=True)
                self.files.append(data if isinstance(data, bytes) else b"")
        return "250 2.0.0 Ok"


class Relay:
    """A server that can be down."""

    def __init__(self) -> None:
        self.port, self.kept = peers.free_port(), Kept()
        self._server: Controller | None = None

    def up(self) -> None:
        """Take mails."""
        self._server = Controller(self.kept, hostname="127.0.0.1", port=self.port)
        self._server.start()

    def settle(self, quiet: float) -> None:
        """Until no mail has come for `quiet` seconds."""
        seen, moved = -1, time.monotonic()
        while time.monotonic() - moved < quiet:
            if len(self.kept.files) != seen:
                seen, moved = len(self.kept.files), time.monotonic()
            time.sleep(0.05)

    def down(self) -> None:
        """Take no connection."""
        if self._server is not None:
            self._server.stop()
            self._server = None


def run(folder: Path, plan: Plan) -> list[Table]:
    """How many files arrived whole, truncated, twice, or not at all."""
    table = Table(
        f"faults: {plan.faulty} PDFs each",
        ("situation", "what takes the files", "whole", "truncated", "missing", "doubled"),
        note=f"When the relay is up again, the queue is told to go on. {plan.quiet:.0f} s without a mail are the end.",
    )
    for situation, drop in (
        ("present before the start", _before),
        ("written in two goes", _in_two_goes),
        ("dropped while the relay is down", _relay_down),
    ):
        files = {f"F-{number}.pdf": samples.pdf(number, SIZE) for number in range(plan.faulty)}
        for number, (who, make) in enumerate(((OURS, _Gateway), (BARE, _Script))):
            place, relay = folder / f"{drop.__name__}-{number}", Relay()
            place.mkdir()
            relay.up()
            try:
                drop(files, make(place, relay.port), relay, plan)
            finally:
                relay.down()
            table.add(situation, who, *found(files, relay.kept.files))
    return [table]


class Taker(Protocol):
    """What empties the folder `watched` while it runs, and does what a person would do."""

    watched: Path

    def running(self) -> AbstractContextManager[object]:
        """Run it."""

    def go_on(self) -> None:
        """The relay is up again."""


class _Gateway:
    def __init__(self, place: Path, port: int) -> None:
        self._gateway = Gateway(place, relay=RELAY.format(port=port), stable=2.0)
        self.watched = self._gateway.drop
        with seed.opened(self._gateway.database) as engine, engine.begin() as connection:
            seed.fill_directory(connection, 100)

    def running(self) -> AbstractContextManager[object]:
        return self._gateway.running()

    def go_on(self) -> None:
        Client(self._gateway.folder / "admin.sock").post("/queue/retry", {"all": True})


class _Script:
    def __init__(self, place: Path, port: int) -> None:
        self.watched, self._port = place / "watched", port
        self.watched.mkdir()

    def running(self) -> AbstractContextManager[object]:
        return started([str(self.watched), str(self._port)])

    def go_on(self) -> None:
        """Nobody knows that there is something to be done."""


def _before(files: Files, taker: Taker, relay: Relay, plan: Plan) -> None:
    for name, data in files.items():
        (taker.watched / name).write_bytes(data)
    with taker.running():
        relay.settle(plan.quiet)


def _in_two_goes(files: Files, taker: Taker, relay: Relay, plan: Plan) -> None:
    with taker.running():
        for name, data in files.items():
            with (taker.watched / name).open("wb", buffering=0) as file:
                file.write(data[: SIZE // 2])
                time.sleep(0.3)  # a slow share, or an ERP that computes
                file.write(data[SIZE // 2 :])
        relay.settle(plan.quiet)


def _relay_down(files: Files, taker: Taker, relay: Relay, plan: Plan) -> None:
    relay.down()
    with taker.running():
        for name, data in files.items():
            path = taker.watched.with_name(name)
            path.write_bytes(data)
            path.rename(taker.watched / name)
        time.sleep(plan.quiet)
        relay.up()
        taker.go_on()
        relay.settle(plan.quiet)


def found(files: Files, arrived: Sequence[bytes]) -> tuple[int, int, int, int]:
    """How many of `files` arrived whole, truncated, not at all, and how many came again."""
    whole = Counter(data for data in arrived if data in files.values())
    truncated = len(arrived) - whole.total()
    return len(whole), truncated, max(0, len(files) - len(whole) - truncated), whole.total() - len(whole)
