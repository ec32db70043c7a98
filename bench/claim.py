"""The queue beside what waits in it: claiming, recording, starting, doing nothing."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import sqlalchemy as sa

from bench import process, seed
from bench.gateway import Gateway
from bench.plan import Plan
from bench.report import Table, median
from gateway.model import Outcome, Reply, Result
from gateway.store import claims, views

_DONE = Outcome(result=Result.DONE, reply=Reply(code=250, enhanced="2.0.0", text="Ok: queued"), peer="sink:25")
_AT_ONCE = (1, 20)


def run(folder: Path, plan: Plan) -> list[Table]:
    """Milliseconds a claim and an outcome take, and the start, by the number of deliveries that wait."""
    claiming = Table(
        "claim: beside deliveries that wait at the same next hop",
        (
            "waiting",
            "at once",
            "claim, ms each",
            "record, ms each",
            "CPU ms, both",
            "which hops are due, ms",
            "room, ms",
        ),
        note="A claim and its commit, an outcome and its commit, one transaction each, medians.",
    )
    starting = Table(
        "start: with deliveries that wait",
        ("waiting", "database, MiB", "start to ready, s", "CPU s", "then idle: CPU ms a second", "memory, MiB"),
        note="From the start of the process until it says READY=1, listeners open; what waits is due later.",
    )
    for waiting in plan.waiting:
        for at_once in _AT_ONCE:
            claiming.add(
                f"{waiting:,}", at_once, *_claim(folder / f"claim-{waiting}-{at_once}", plan, waiting, at_once)
            )
        starting.add(f"{waiting:,}", *_start(folder / f"start-{waiting}", plan, waiting))
    return [claiming, starting]


def _claim(folder: Path, plan: Plan, waiting: int, at_once: int) -> tuple[float, ...]:
    folder.mkdir()
    with seed.opened(folder / "gateway.db") as engine:
        with engine.begin() as connection:
            seed.fill_deliveries(connection, waiting + plan.claims, seed.now() - dt.timedelta(hours=1))
        rounds = [_one(engine, at_once) for _ in range(max(1, plan.claims // at_once))]
        looks = [_timed_reads(engine) for _ in range(5)]
    return (*map(median, zip(*rounds, strict=True)), *map(median, zip(*looks, strict=True)))


def _one(engine: sa.Engine, at_once: int) -> tuple[float, float, float]:
    """Claim `at_once` deliveries and record that they were sent; milliseconds for each of them."""
    now = seed.now()
    cpu, started = time.process_time(), time.perf_counter()
    with engine.begin() as connection:
        claimed = claims.claim(connection, seed.HOP, at_once, seed.OWNER, now, now + seed.MINUTES)
    taken = time.perf_counter()
    ended = [claims.Ended(claimed=item, outcome=_DONE, at=now) for item in claimed]
    with engine.begin() as connection:
        claims.record(connection, ended)
    done = time.perf_counter()
    each = 1000 / len(claimed)
    return (taken - started) * each, (done - taken) * each, (time.process_time() - cpu) * each


def _timed_reads(engine: sa.Engine) -> tuple[float, float]:
    """Milliseconds for the two looks at everything that waits: the queue's and the daemon's, every second."""
    started = time.perf_counter()
    with engine.begin() as connection:
        claims.due_hops(connection, seed.now())
        hops = time.perf_counter()
        views.waiting(connection)
    return (hops - started) * 1000, (time.perf_counter() - hops) * 1000


def _start(folder: Path, plan: Plan, waiting: int) -> tuple[float, ...]:
    gateway = Gateway(folder)
    with seed.opened(gateway.database) as engine, engine.begin() as connection:
        seed.fill_deliveries(connection, waiting, seed.now() + dt.timedelta(hours=1))
    rounds = [_start_once(gateway, plan.idle_seconds) for _ in range(plan.rounds)]
    return (gateway.database.stat().st_size / 2**20, *map(median, zip(*rounds, strict=True)))


def _start_once(gateway: Gateway, idle: float) -> tuple[float, ...]:
    seconds = gateway.start()
    try:
        cpu = process.cpu_seconds(gateway.pid)
        time.sleep(1.0 if idle > 1 else 0)  # the workers are still starting
        before = process.cpu_seconds(gateway.pid)
        time.sleep(idle)
        spent = process.cpu_seconds(gateway.pid) - before
        return seconds, cpu, spent * 1000 / idle, process.memory(gateway.pid) / 2**20
    finally:
        gateway.stop()
