"""Tables and the facts of the machine, as Markdown."""

from __future__ import annotations

import os
import platform
import sqlite3
import ssl
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Table:
    """One result: a title, columns whose names carry the unit, rows of texts."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    note: str = ""

    def add(self, *cells: object) -> None:
        """A row; floats get three significant digits."""
        self.rows.append(tuple(figure(cell) if isinstance(cell, float) else str(cell) for cell in cells))

    def markdown(self) -> str:
        """The table as it stands in docs/performance.md."""
        lines = [f"### {self.title}", "", _row(self.columns), _row(["---"] * len(self.columns)), *map(_row, self.rows)]
        return "\n".join([*lines, "", *([self.note, ""] if self.note else [])])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def figure(value: float) -> str:
    """Three significant digits, whole numbers from 100 on."""
    if value == 0:
        return "0"
    digits = max(0, 2 - _magnitude(abs(value)))
    return f"{value:,.{digits}f}"


def _magnitude(value: float) -> int:
    power = 0
    while value >= 10:
        value, power = value / 10, power + 1
    while value < 1:
        value, power = value * 10, power - 1
    return power


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def machine(folder: Path) -> str:
    """The facts beside which the figures are to be read; `folder` lies on the disk that is measured."""
    facts = (
        ("cores", str(len(os.sched_getaffinity(0)))),
        ("processor", _processor()),
        ("memory", f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"),
        ("kernel", platform.release()),
        ("Python", platform.python_version()),
        ("SQLite", sqlite3.sqlite_version),
        ("OpenSSL", ssl.OPENSSL_VERSION.split()[1]),
        ("write + fdatasync of 4 kB, p50", f"{fsync_micros(folder):.0f} µs"),
        ("load before", " ".join(f"{load:.1f}" for load in os.getloadavg())),
    )
    return "\n".join(f"- {name}: {value}" for name, value in facts) + "\n"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def fsync_micros(folder: Path, count: int = 200) -> float:
    """The median time, in microseconds, to append 4 kB to a file and have it on the disk."""
    path = folder / "fsync"
    times = []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        for _ in range(count):
            started = time.perf_counter()
            os.write(descriptor, b"x" * 4096)
            os.fdatasync(descriptor)
            times.append(time.perf_counter() - started)
    finally:
        os.close(descriptor)
        path.unlink()
    return statistics.median(times) * 1e6
