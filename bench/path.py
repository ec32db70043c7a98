"""Whole documents through a real gateway: mailed, read, found in the directory, written as PDF, signed twice, sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bench import peers, process, samples, seed
from bench.gateway import Gateway
from bench.plan import Plan
from bench.report import Table, median

KEYS = ("rsa", "ed25519")


def run(folder: Path, plan: Plan) -> list[Table]:
    """Documents a second with all cores, and the CPU time of one."""
    table = Table(
        f"path: mailed documents, a directory of {plan.recipients:,} rows, RSA-2048 and Ed25519",
        (
            "document",
            "mail, kB",
            "accepted/s",
            "waiting then",
            "delivered/s",
            "CPU ms a document",
            "gateway: cores",
            "machine: cores",
        ),
    )
    with peers.sink() as relay:
        gateway = Gateway(folder, relay=relay, keys=KEYS)
        with seed.opened(gateway.database) as engine, engine.begin() as connection:
            seed.fill_directory(connection, plan.recipients)
        with gateway.running():
            for name, file_name, make in (
                (f"UBL, {samples.LINES} lines, rendered", "F-1.xml", samples.ubl),
                ("text PDF, 1 page, as it is", "F-1.pdf", samples.pdf),
                ("text PDF, 1 page, 75 kB", "F-1.pdf", _large_pdf),
            ):
                table.add(name, *_document(gateway, plan, file_name, make))
            table.note = (
                f"Memory afterwards: {process.memory(gateway.pid) / 2**20:.0f} MiB (PSS, all processes); no process "
                f"ever had more than {process.highest(gateway.pid) / 2**20:.0f} MiB. All arrived."
            )
    return [table]


def _large_pdf(number: int) -> bytes:
    return samples.pdf(number, 75_000)


def _document(gateway: Gateway, plan: Plan, name: str, make: Callable[[int], bytes]) -> tuple[float, ...]:
    mails = [samples.mail_with(name, make(number % plan.recipients)) for number in range(plan.documents)]
    _send(gateway, mails[: plan.warm_up])
    rounds = [_send(gateway, mails) for _ in range(plan.rounds)]
    return (len(mails[0]) / 1000, *map(median, zip(*rounds, strict=True)))


def _send(gateway: Gateway, mails: list[bytes]) -> tuple[float, ...]:
    before, count = gateway.sent(), len(mails)
    started = time.monotonic()
    with gateway.watched() as found:
        peers.send(gateway.port, mails, 10)
        accepted = time.monotonic() - started
        waiting = before + count - gateway.sent()
        delivered = gateway.wait("sent", before + count, started)
    (spent,) = found
    return (
        count / accepted,
        float(waiting),
        count / delivered,
        spent.cpu * 1000 / count,
        spent.cpu / spent.seconds,
        spent.busy,
    )
