"""Postfix with each of two DKIM milters and the gateway in turn: same client, same sink, same disk, in one run.

`recipients = "envelope"`, RSA-2048 alone on both sides, a durable queue, ten sessions, a connection for each message.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import peers, postfix, process, samples
from bench.gateway import Gateway
from bench.plan import Plan
from bench.postfix import Milter
from bench.report import Table, median

SESSIONS = 10
OURS = "the gateway"
COLUMNS = ("size", "server", "accepted/s", "delivered/s", "CPU ms a message", "rate of ours", "CPU of ours")
_MILTERS: tuple[Milter, ...] = ("opendkim", "rspamd")


def run(folder: Path, plan: Plan) -> list[Table]:
    """Accepted and delivered messages a second and CPU time of all processes of each server, rounds interleaved."""
    postfix.install()
    table = Table("compare: the gateway beside Postfix, one RSA-2048 signature", COLUMNS)
    table.note = "Rate and CPU of ours: the gateway's figure divided by this server's, medians of the rounds."
    with peers.counted_sink(folder) as sink, ExitStack() as servers:
        relay = f'mode = "smarthost"\nhost = "smtp://127.0.0.1:{sink.port}"\ntls = "none"'
        gateway = Gateway(folder / "ours", relay=relay, recipients="envelope")
        servers.enter_context(gateway.running())
        entries: dict[str, tuple[int, tuple[int, ...]]] = {OURS: (gateway.port, (gateway.pid,))}
        key = (folder / "ours/rsa.pem").read_bytes()
        for milter in _MILTERS:
            peer = servers.enter_context(postfix.running(folder / milter, milter, sink.port, key))
            entries[f"Postfix + {milter}"] = peer.port, peer.pids
        for size, count in ((4_000, plan.small), (75_000, plan.medium)):
            file = folder / f"{size}.eml"
            file.write_bytes(samples.mail(size).replace(b"\r\n", b"\n"))
            for row in _rows(entries, sink, file, count, plan):
                table.add(f"{size // 1000} kB", *row)
    return [table]


def _rows(
    entries: dict[str, tuple[int, tuple[int, ...]]], sink: peers.Counted, file: Path, count: int, plan: Plan
) -> Iterator[tuple[object, ...]]:
    rounds: dict[str, list[tuple[float, ...]]] = {name: [] for name in entries}
    for port, pids in entries.values():
        _measure(port, pids, sink, file, plan.warm_up)
    for _ in range(plan.rounds):
        for name, (port, pids) in entries.items():
            rounds[name].append(_measure(port, pids, sink, file, count))
    figures = {name: tuple(map(median, zip(*found, strict=True))) for name, found in rounds.items()}
    _, rate, cpu = figures[OURS]
    for name, found in figures.items():
        yield name, *found, f"{rate / found[1]:.2f}×", f"{cpu / found[2]:.2f}×"


def _measure(
    port: int, pids: tuple[int, ...], sink: peers.Counted, file: Path, count: int
) -> tuple[float, float, float]:
    before, spent = sink.taken(), sum(map(process.cpu_seconds, pids))
    started = time.monotonic()
    peers.send_with_smtp_source(port, file, count, min(SESSIONS, count))
    accepted = time.monotonic() - started
    sink.wait(before + count)
    delivered = time.monotonic() - started
    time.sleep(0.5)  # until what belongs to the last message is over, too
    return count / accepted, count / delivered, (sum(map(process.cpu_seconds, pids)) - spent) * 1000 / count
