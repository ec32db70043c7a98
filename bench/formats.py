"""Formats: milliseconds per document read, written, checked and rendered; and an invoice of 6,000 lines."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
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
_GOLDEN = Path(__file__).parent.parent / "tests/golden"
ONLY_READ = {  # what is read and shown, and in no case of ours written
    "ZUGFeRD 1.0": "reader-41-zugferd-1",
    "EDIFACT INVOIC D.93A": "reader-53-edifact-d93a-credit-note",
    "EDIFACT INVOIC D.01B": "reader-54-edifact-d01b",
    "FatturaPA": "reader-55-fatturapa-whole",
    "FatturaPA, simplified": "reader-57-fatturapa-simplified",
    "Facturae": "reader-58-facturae-whole",
    "cXML InvoiceDetailRequest": "reader-112-cxml-invoice",
    "SAP IDoc INVOIC, XML": "reader-114-idoc-invoice",
    "SAP IDoc INVOIC, flat": "reader-116-idoc-flat",
    "UBL Order": "reader-90-order-whole",
    "UBL OrderChange": "reader-91-order-change",
    "UBL OrderResponse": "reader-92-order-response-whole",
    "UBL DespatchAdvice": "reader-94-despatch-advice-whole",
    "UBL ReceiptAdvice": "reader-95-receipt-advice",
    "UBL Reminder": "reader-96-reminder-whole",
    "UBL Statement": "reader-97-statement-whole",
    "UBL Catalogue": "reader-98-catalogue-whole",
    "UBL ApplicationResponse": "reader-99-invoice-response-whole",
    "Order-X": "reader-110-orderx",
}


def run(folder: Path, plan: Plan) -> list[Table]:
    """A table of the formats that are written, one of those that are only read, and one of the large invoice."""
    return [_documents(plan), _only_read(plan), _large(plan)]


def source(lines: int, number: int = 1) -> bytes:
    """A UBL invoice that every format can hold; each number gives another."""
    data = samples.ubl(number, lines)
    for old, new in _MORE:
        data = data.replace(old, new)
    return data


def _documents(plan: Plan) -> Table:
    table = Table(
        f"formats: CPU ms a document of {samples.LINES} lines",
        ("format", "written", "read", "checked", "rendered", "size, kB"),
        note="Written from UBL; then what was written is read, checked by what is installed, and rendered; "
        "each time of another invoice, since typst remembers what it has set.",
    )
    numbers = itertools.count(1)
    given = _sources(plan, numbers)
    documents = [read(each.content) for each in given]
    rendered = _cost(page, documents, given)
    table.add("ubl", "as it came", _cost(read, _contents(given)), _NONE, rendered, _size(given))
    for entry in [entry for entry in formats.FORMATS if entry.name not in ("pdf", "ubl")][: plan.formats]:
        given = _sources(plan, numbers)
        documents = [read(each.content) for each in given]
        try:
            made = [entry.write(*each, _OPTIONS) for each in zip(documents, given, strict=True)]
        except Unconvertible as refusal:
            table.add(entry.name, f"not written: {refusal.term}", _NONE, _NONE, _NONE, _NONE)
            continue
        again = _sources(plan, numbers)
        written = _cost(entry.write, [read(each.content) for each in again], again, [_OPTIONS] * len(again))
        table.add(entry.name, written, *_again(entry.name, made))
    return table


def _only_read(plan: Plan) -> Table:
    table = Table(
        "formats: CPU ms a document that is only read",
        ("what", "read", "rendered", "size, kB"),
        note="The golden cases of the readers, of one to five lines; each time with another number.",
    )
    for what, case in list(ONLY_READ.items())[: plan.formats]:
        data = next((_GOLDEN / case).glob("in.*")).read_bytes()
        given = _numbered(data, plan.rounds * (plan.steps // 20 + 1) + 1)
        documents = [read(each.content) for each in given]
        table.add(what, _cost(read, _contents(given)), _cost(page, documents, given), _size(given))
    return table


def _numbered(data: bytes, count: int) -> list[Attachment]:
    """As many documents as that, which differ in the last two digits of their numbers."""
    number = (read(data).number or "").encode()
    stated = next(number[at:] for at in range(len(number) - 2) if number[at:] in data)
    others = [stated[:-2] + f"{each % 100:02}".encode() for each in range(count)]
    return [Attachment(name="a", media_type="", content=data.replace(stated, other)) for other in others]


def _sources(plan: Plan, numbers: Iterator[int]) -> list[Attachment]:
    """Invoices that were not there before: as many as are measured, and one."""
    count = plan.rounds * (plan.steps // 20 + 1) + 1
    data = [source(samples.LINES, number) for number in itertools.islice(numbers, count)]
    return [Attachment(name="a.xml", media_type="application/xml", content=each) for each in data]


def _again(name: str, made: list[Attachment]) -> tuple[object, ...]:
    """What reading, checking and rendering of what was written cost, and its size."""
    checked: object = _NONE
    inside = [only_xml(each.content) for each in made]
    if checking.is_possible() and checking.check(name, inside[0]).checked:
        checked = _cost(checking.check, [name] * len(made), inside)
    try:
        documents = [read(each.content) for each in made]
    except Unreadable:
        return _NONE, checked, _NONE, _size(made)
    is_page = made[0].media_type == "application/pdf" or documents[0].invoice is None
    rendered = _NONE if is_page else _cost(page, documents, made)
    return _cost(read, _contents(made)), checked, rendered, _size(made)


def _contents(given: list[Attachment]) -> list[bytes]:
    return [each.content for each in given]


def _size(made: list[Attachment]) -> float:
    return len(made[0].content) / 1000


def read(data: bytes) -> ReadDocument:
    """The whole content of the one document in `data`."""
    return readers.read("a", "", (), data)[0]


def page(document: ReadDocument, given: Attachment) -> Attachment:
    """The page of an invoice, as PDF/A-3 with `given` inside."""
    return formats.FORMATS[0].write(document, given, _OPTIONS)


def _cost(work: Callable[..., object], *given: Sequence[Any]) -> float:
    """CPU milliseconds of one call, each with others of `given`; the first, which imports, does not count."""
    (first, *others) = zip(*given, strict=True)
    work(*first)
    times = []
    for each in others:
        started = time.process_time()
        work(*each)
        times.append((time.process_time() - started) * 1000)
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
        *(f"check {name}" for name in ("peppol", "en16931-cii", "xrechnung-cii", "facturx-extended")),
        *(f"convert {name}" for name in ("pdf", "facturx")),
    ]
    for job in jobs_[: plan.formats]:
        command = [sys.executable, "-m", "bench.formats", str(plan.lines), job]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        seconds, memory = json.loads(said)
        table.add(job, seconds, memory)
    return table


def _written(lines: int, target: str) -> bytes:
    """The large invoice in the format `target`, as another process writes it."""
    command = [sys.executable, "-m", "bench.formats", str(lines), f"write {target}"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def main(lines: int, job: str) -> None:
    """Do one job over the large invoice and print its CPU seconds and the process's memory in MB."""
    data, small = source(lines), source(1)
    name, _, target = job.partition(" ")
    if name == "write":
        sys.stdout.buffer.write(jobs.convert("a.xml", target, "en", {"now": _NOW.isoformat()}, data)[1])
        return
    works: dict[str, Callable[[bytes], object]] = {
        "inspect": lambda data: jobs.inspect("a.xml", "", (), data),
        "convert": lambda data: jobs.convert("a.xml", target, "en", {"now": _NOW.isoformat()}, data),
        "check": lambda data: jobs.check(target, data),
    }
    if name == "check":
        data, small = (_written(lines, target), _written(1, target))
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
