"""CPU time and memory of a process and all its children, and how busy the machine was, from /proc (proc(5))."""

from __future__ import annotations

import os
import re
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_HIGHEST = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


def tree(pid: int) -> list[int]:
    """`pid` and everything that it and its children started and that still runs."""
    found = [pid]
    for parent in found:  # grows while it is walked
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # ended meanwhile
            continue
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the tree of `pid`, the children that have ended and been waited for included."""
    ticks = 0
    for each in tree(pid):
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / _TICK


def memory(pid: int) -> int:
    """Bytes that the tree of `pid` has resident, shared pages counted once (PSS)."""
    kilobytes = 0
    for each in tree(pid):
        try:
            found = _PSS.search(Path(f"/proc/{each}/smaps_rollup").read_text())
        except OSError:
            continue
        kilobytes += int(found[1]) if found else 0
    return kilobytes << 10


def highest(pid: int) -> int:
    """The most bytes that one process of the tree of `pid` ever had resident."""
    found = [0]
    for each in tree(pid):
        try:
            found += map(int, _HIGHEST.findall(Path(f"/proc/{each}/status").read_text()))
        except OSError:
            continue
    return max(found) << 10


def machine_seconds() -> float:
    """Time that all cores of the machine were busy, since it started."""
    fields = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]))
    return (sum(fields) - fields[3] - fields[4]) / _TICK  # all but idle and iowait
