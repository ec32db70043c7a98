"""The drop folder beside a script that watches one: many files at once, renamed into it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import peers, process, samples, seed
from bench.gateway import Gateway
from bench.plan import Plan
from bench.report import Table, median

SIZE = 75_000
REST = 0.02  # seconds
LATE = 0.01  # seconds: a relay in the same town that writes to its disk
OURS = "the gateway: reads, looks up, signs, loses nothing"
SAME, BARE = "a script that reads, looks up and signs", "a script that mails each file to one address"
RELAY = 'mode = "smarthost"\nhost = "smtp://127.0.0.1:{port}"\ntls = "none"'


def run(folder: Path, plan: Plan) -> list[Table]:
    """Files a second until the relay has them."""
    table = Table(
        f"folder: {plan.files} text PDFs of 75 kB dropped at once, a directory of {plan.recipients:,} rows",
        ("the relay answers", "what takes the files", "delivered/s", "CPU ms a file", "rate of ours"),
        note=f"Files count as unchanged after `stable = {REST}` s (default 2 s), which is part of the time: they come "
        "whole, which the script takes for granted. One RSA key, one worker more than there are cores.",
    )
    addresses = folder / "addresses.csv"
    rows = (f"{samples.customer(number)};ap{number}@customer.example" for number in range(plan.recipients))
    addresses.write_text("\n".join(rows))
    for name, late in (("at once", 0.0), (f"after {LATE * 1000:.0f} ms", LATE)):
        place = folder / f"late-{late}"
        place.mkdir()
        with peers.slow_sink(place, late) if late else peers.counted_sink(place) as sink:
            gateway = _filled(place / "ours", sink, plan)
            taking = {OURS: _gateway(gateway), SAME: _script(place, sink, addresses, gateway.folder / "rsa.pem")}
            taking[BARE] = _script(place, sink)
            figures = {who: _figures(how, sink, place, plan) for who, how in taking.items()}
        for who, (rate, cpu) in figures.items():
            table.add(name, who, rate, cpu, "" if who == OURS else f"{figures[OURS][0] / rate:.1f}×")
    return [table]


def _filled(folder: Path, sink: peers.Counted, plan: Plan) -> Gateway:
    # One worker more than there are cores: the cores are busy while one waits for its next document.
    workers = len(os.sched_getaffinity(0)) + 1
    gateway = Gateway(folder, relay=RELAY.format(port=sink.port), stable=REST, workers=workers)
    with seed.opened(gateway.database) as engine, engine.begin() as connection:
        seed.fill_directory(connection, plan.recipients)
    return gateway


@dataclass(frozen=True)
class Taking:
    """What empties the folder `watched`."""

    pid: int
    watched: Path


@contextmanager
def _gateway(gateway: Gateway) -> Iterator[Taking]:
    with gateway.running():
        yield Taking(gateway.pid, gateway.drop)


@contextmanager
def _script(place: Path, sink: peers.Counted, *more: Path) -> Iterator[Taking]:
    watched = place / f"watched-{len(more)}"
    watched.mkdir()
    with started([str(watched), str(sink.port), *map(str, more)]) as pid:
        yield Taking(pid, watched)


@contextmanager
def started(arguments: list[str]) -> Iterator[int]:
    """Run `bench.script`; its process id, once it watches."""
    command = [sys.executable, "-m", "bench.script", *arguments]
    script = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert script.stdout is not None
        script.stdout.readline()
        yield script.pid
    finally:
        script.kill()
        script.wait()


def _figures(how: AbstractContextManager[Taking], sink: peers.Counted, place: Path, plan: Plan) -> tuple[float, ...]:
    with how as taking:
        rounds = [_drop(taking, sink, place / f"outside-{taking.pid}-{number}", plan) for number in range(plan.rounds)]
    return tuple(map(median, zip(*rounds, strict=True)))


def _drop(taking: Taking, sink: peers.Counted, outside: Path, plan: Plan) -> tuple[float, float]:
    """Files a second until the relay has them, and CPU ms of one."""
    outside.mkdir()
    for number in range(plan.files):
        path = outside / f"{outside.name}-{number}.pdf"
        path.write_bytes(samples.pdf(number % plan.recipients, SIZE))
    before, cpu, started_at = sink.taken(), process.cpu_seconds(taking.pid), time.monotonic()
    for path in outside.iterdir():
        path.rename(taking.watched / path.name)
    sink.wait(before + plan.files)
    seconds = time.monotonic() - started_at
    return plan.files / seconds, (process.cpu_seconds(taking.pid) - cpu) * 1000 / plan.files
