"""The drop folder: many files at once, renamed into it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

from bench import peers, process, samples, seed
from bench.gateway import Gateway
from bench.path import KEYS
from bench.plan import Plan
from bench.report import Table, median

SIZE = 75_000


def run(folder: Path, plan: Plan) -> list[Table]:
    """Files a second until they are stored and until they are sent."""
    table = Table(
        f"folder: {plan.files} text PDFs of 75 kB dropped at once, a directory of {plan.recipients:,} rows",
        ("what takes them", "accepted/s", "delivered/s", "CPU ms a file", "its cores", "machine: cores"),
        note="Files count as unchanged after `stable = 0.1` s (default 2 s), which is part of the time.",
    )
    with peers.sink() as relay:
        gateway = Gateway(folder, relay=relay, keys=KEYS)
        with seed.opened(gateway.database) as engine, engine.begin() as connection:
            seed.fill_directory(connection, plan.recipients)
        with gateway.running():
            rounds = [_drop(gateway, plan, number) for number in range(plan.rounds)]
    table.add("the gateway: reads each file, looks its customer up", *map(median, zip(*rounds, strict=True)))
    if peers.find("smtp-sink") and importlib.util.find_spec("watchdog"):
        table.add("a script: watchdog and smtplib, mails each file to one address", *_scripted(folder, plan))
    return [table]


def _drop(gateway: Gateway, plan: Plan, place: int) -> tuple[float, ...]:
    outside = gateway.folder / f"outside-{place}"
    outside.mkdir()
    for number in range(plan.files):
        (outside / f"{place}-{number}.pdf").write_bytes(samples.pdf(number % plan.recipients, SIZE))
    before, count = gateway.accepted(), plan.files
    started = time.monotonic()
    with gateway.watched() as found:
        for path in outside.iterdir():
            path.rename(gateway.drop / path.name)
        accepted = gateway.wait("accepted", before + count, started)
        delivered = gateway.wait("sent", before + count, started)
    (spent,) = found
    return count / accepted, count / delivered, spent.cpu * 1000 / count, spent.cpu / spent.seconds, spent.busy


def _scripted(folder: Path, plan: Plan) -> tuple[object, ...]:
    """The same files for `bench.script`."""
    outside, watched = folder / "outside-script", folder / "watched"
    outside.mkdir()
    watched.mkdir()
    for number in range(plan.files):
        (outside / f"{number}.pdf").write_bytes(samples.pdf(number % plan.recipients, SIZE))
    with peers.counted_sink(folder) as sink:
        command = [sys.executable, "-m", "bench.script", str(watched), str(sink.port)]
        script = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert script.stdout is not None
            script.stdout.readline()
            cpu, busy, started = process.cpu_seconds(script.pid), process.machine_seconds(), time.monotonic()
            for path in outside.iterdir():
                path.rename(watched / path.name)
            sink.wait(plan.files)
            seconds = time.monotonic() - started
            spent = process.cpu_seconds(script.pid) - cpu
            busy = (process.machine_seconds() - busy) / seconds
        finally:
            script.kill()
            script.wait()
    return "–", plan.files / seconds, spent * 1000 / plan.files, spent / seconds, busy
