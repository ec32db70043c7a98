"""Mails of 5 MB: the server alone beside aiosmtpd, the whole gateway, and many at once."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from bench import alone, peers, process, samples
from bench.gateway import Gateway
from bench.plan import Plan
from bench.report import Table, median

SIZE = 5_000_000
SESSIONS = 4
THEIRS, OURS, WHOLE = "aiosmtpd as it comes", "the gateway's server alone", "the gateway: stores, signs, sends"


def run(folder: Path, plan: Plan) -> list[Table]:
    """Mails accepted a second, CPU time, and the most memory that many at once take."""
    table = Table(
        f"large: mails of 5 MB, {SESSIONS} sessions",
        ("server", "accepted/s", "CPU ms a mail", "rate beside aiosmtpd", "CPU beside aiosmtpd"),
    )
    with ExitStack() as stack:
        relay = stack.enter_context(peers.sink())
        gateway = stack.enter_context(Gateway(folder, relay=relay, recipients="envelope").running())
        servers = {
            THEIRS: stack.enter_context(alone.running("aiosmtpd")),
            OURS: stack.enter_context(alone.running("gateway")),
            WHOLE: (gateway.port, gateway.pid),
        }
        rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
        for _ in range(plan.rounds):
            for name, (port, pid) in servers.items():
                rounds[name].append(_measure(port, pid, plan, gateway if name == WHOLE else None))
        most = _at_once(gateway, plan)
    figures = {name: tuple(map(median, zip(*found, strict=True))) for name, found in rounds.items()}
    their_rate, their_cpu = figures[THEIRS]
    for name, (rate, cpu) in figures.items():
        table.add(name, rate, cpu, f"{rate / their_rate:.1f}×", f"{cpu / their_cpu:.2f}×")
    table.note = f"{plan.at_once} at once afterwards: at most {most:.0f} MiB resident in a process of the gateway."
    return [table]


def _measure(port: int, pid: int, plan: Plan, sends: Gateway | None) -> tuple[float, float]:
    """What `sends` does after it has taken the mails counts for the CPU time."""
    mails = [samples.mail(SIZE)] * plan.large
    before = sends.sent() if sends else 0
    cpu, started = process.cpu_seconds(pid), time.monotonic()
    peers.send(port, mails, SESSIONS)
    seconds = time.monotonic() - started
    if sends:
        sends.wait("sent", before + len(mails), time.monotonic())
    return len(mails) / seconds, (process.cpu_seconds(pid) - cpu) * 1000 / len(mails)


def _at_once(gateway: Gateway, plan: Plan) -> float:
    """MiB."""
    before, mails = gateway.sent(), [samples.mail(SIZE)] * plan.at_once
    peers.send(gateway.port, mails, plan.at_once)
    gateway.wait("sent", before + len(mails), time.monotonic())
    return process.highest(gateway.pid) / 2**20
