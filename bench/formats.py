"""Formats: milliseconds per document read, written, checked and rendered; and an invoice of 6,000 lines."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import samples
from bench.plan import Plan
from bench.report import Table, median
from gateway import formats, jobs, readers
from gateway.errors import Unconvertible, Unreadable
from gateway.formats import checking
from gateway.model import Attachment, ReadDocument
from gateway.readers.facturx import only_xml

_NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
_OPTIONS = formats.Options(language="en", now=_NOW)
_NONE = "–"
# What some formats demand and the plain sample does not say.
_MORE = (
    (b"<cac:Contact>", b"<cac:Contact><cbc:Name>Desk</cbc:Name><cbc:Telephone>+46 31 555 01</cbc:Telephone>"),
    (b", in blue, packed by ten<", b", in blue, packed by ten" + b", on pallets" * 16 + b"<"),
)


def run(folder: Path, plan: Plan) -> list[Table]:
    """A table of all formats, and one of the large invoice."""
    return [_documents(plan), _large(plan)]


def source(lines: int) -> bytes:
    """A UBL invoice that every format can hold."""
    data = samples.ubl(1, lines)
    for old, new in _MORE:
        data = data.replace(old, new)
    return data


def _documents(plan: Plan) -> Table:
    table = Table(
        f"formats: CPU ms a document of {samples.LINES} lines",
        ("format", "written", "read", "checked", "rendered", "size, kB"),
        note="Written from UBL; then what was written is read, checked by what is installed, and rendered.",
    )
    data = source(samples.LINES)
    document, given = read(data), Attachment(name="a.xml", media_type="application/xml", content=data)
    table.add("ubl", "as it came", _cost(plan, read, data), _NONE, _cost(plan, page, document, given), len(data) / 1000)
    for entry in [entry for entry in formats.FORMATS if entry.name not in ("pdf", "ubl")][: plan.formats]:
        try:
            made = entry.write(document, given, _OPTIONS)
        except Unconvertible as refusal:
            table.add(entry.name, f"not written: {refusal.term}", _NONE, _NONE, _NONE, _NONE)
            continue
        table.add(entry.name, _cost(plan, entry.write, document, given, _OPTIONS), *_again(plan, entry.name, made))
    return table


def _again(plan: Plan, name: str, made: Attachment) -> tuple[object, ...]:
    """What reading, checking and rendering of what was written cost, and its size."""
    checked: object = _NONE
    if checking.is_possible() and checking.check(name, only_xml(made.content)).checked:
        checked = _cost(plan, checking.check, name, only_xml(made.content))
    try:
        document = read(made.content)
    except Unreadable:
        return _NONE, checked, _NONE, len(made.content) / 1000
    is_page = made.media_type == "application/pdf" or document.invoice is None
    rendered = _NONE if is_page else _cost(plan, page, document, made)
    return _cost(plan, read, made.content), checked, rendered, len(made.content) / 1000


def read(data: bytes) -> ReadDocument:
    """The whole content of the one document in `data`."""
    return readers.read("a", "", (), data)[0]


def page(document: ReadDocument, given: Attachment) -> Attachment:
    """The page of an invoice, as PDF/A-3 with `given` inside."""
    return formats.FORMATS[0].write(document, given, _OPTIONS)


def _cost(plan: Plan, work: Callable[..., object], *given: Any) -> float:
    """CPU milliseconds of one call; the first, which imports and compiles, does not count."""
    work(*given)
    times, count = [], plan.steps // 20 + 1
    for _ in range(plan.rounds):
        started = time.process_time()
        for _ in range(count):
            work(*given)
        times.append((time.process_time() - started) / count * 1000)
    return median(times)


# --- the large one: each job in a process of its own, as workers run it ----------------------------------


def _large(plan: Plan) -> Table:
    data = source(plan.lines)
    table = Table(
        f"formats: one UBL invoice of {plan.lines:,} lines, {len(data) / 1e6:.1f} MB",
        ("job", "CPU s", "memory, MB"),
        note="A new process each, imports not counted; what converts reads first. Memory: the most that was resident.",
    )
    jobs_ = [
        "inspect",
        *(f"convert {name}" for name in ("peppol", "en16931-cii", "xrechnung-cii")),
        "check en16931-cii",
    ]
    for job in [*jobs_, "convert pdf"][: plan.formats]:
        command = [sys.executable, "-m", "bench.formats", str(plan.lines), job]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        seconds, memory = json.loads(said)
        table.add(job, seconds, memory)
    return table


def main(lines: int, job: str) -> None:
    """Do one job over the large invoice and print its CPU seconds and the process's memory in MB."""
    data, small = source(lines), source(1)
    name, _, target = job.partition(" ")
    works: dict[str, Callable[[bytes], object]] = {
        "inspect": lambda data: jobs.inspect("a.xml", "", (), data),
        "convert": lambda data: jobs.convert("a.xml", target, "en", {"now": _NOW.isoformat()}, data),
        "check": lambda data: jobs.check(target, data),
    }
    if name == "check":
        data, small = (
            jobs.convert("a.xml", target, "en", {"now": _NOW.isoformat()}, each)[1] for each in (data, small)
        )
    if name != "check" or checking.is_possible():
        works[name](small)
        started = time.process_time()
        works[name](data)
        seconds = time.process_time() - started
    else:
        seconds = 0.0
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(json.dumps([seconds, int(peak.split()[1]) / 1000]))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
