"""Mails in, signed mails out: `recipients = "envelope"`, SMTP to SMTP, RSA-2048 alone, the queue on the disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bench import peers, process, samples
from bench.gateway import Gateway
from bench.plan import Plan
from bench.report import Table, median

COLUMNS = (
    "client",
    "size",
    "sessions",
    "accepted/s",
    "delivered/s",
    "CPU ms a message",
    "of the gateway: cores",
    "of the machine: cores",
)
Send = Callable[[int], None]


def run(folder: Path, plan: Plan) -> list[Table]:
    """Accepted and delivered messages a second, and the CPU time of all the gateway's processes."""
    table = Table("accept: mails passed on, one RSA-2048 signature", COLUMNS)
    with peers.sink() as relay:
        gateway = Gateway(folder, relay=relay, recipients="envelope")
        with gateway.running():
            peers.send(gateway.port, [samples.mail(4000)] * plan.warm_up, 10)
            gateway.wait("sent", plan.warm_up, time.monotonic())
            for row in _cases(folder, plan, gateway):
                table.add(*row)
            table.note = (
                f"Memory after the large mails: {process.memory(gateway.pid) / 2**20:.0f} MiB (PSS, all processes)."
            )
    return [table]


def _cases(folder: Path, plan: Plan, gateway: Gateway) -> list[tuple[object, ...]]:
    """A row per client, size and number of sessions; the rounds are interleaved."""
    cases: dict[tuple[str, str, str], tuple[int, Send]] = {}
    for name, size, count, sessions in (
        ("4 kB", 4_000, plan.small, (1, 10)),
        ("75 kB", 75_000, plan.medium, (1, 10)),
        ("5 MB", 5_000_000, plan.large, (4,)),
    ):
        mail = samples.mail(size)
        file = folder / f"{size}.eml"
        file.write_bytes(mail.replace(b"\r\n", b"\n"))
        for number in sessions:
            cases["ours", name, str(number)] = count, _ours(gateway, mail, number)
        if peers.find("smtp-source"):
            most = sessions[-1]
            cases["smtp-source", name, str(most)] = count, _theirs(gateway, file, most, kept=False)
            cases["smtp-source", name, f"{most}, kept"] = count, _theirs(gateway, file, most, kept=True)
    results: dict[tuple[str, str, str], list[tuple[float, ...]]] = {case: [] for case in cases}
    for _ in range(plan.rounds):
        for case, (count, send) in cases.items():
            results[case].append(_measure(gateway, count, send))
    return [(*case, *map(median, zip(*rounds, strict=True))) for case, rounds in results.items()]


def _ours(gateway: Gateway, mail: bytes, sessions: int) -> Send:
    return lambda count: peers.send(gateway.port, [mail] * count, sessions)


def _theirs(gateway: Gateway, file: Path, sessions: int, *, kept: bool) -> Send:
    return lambda count: peers.send_with_smtp_source(gateway.port, file, count, sessions, kept=kept)


def _measure(gateway: Gateway, count: int, send: Send) -> tuple[float, ...]:
    before = gateway.sent()
    started = time.monotonic()
    with gateway.watched() as found:
        send(count)
        accepted = time.monotonic() - started
        delivered = gateway.wait("sent", before + count, started)
    (spent,) = found
    return count / accepted, count / delivered, spent.cpu * 1000 / count, spent.cpu / spent.seconds, spent.busy
