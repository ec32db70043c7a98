"""The screens over a thin line in front of a large directory: first paint, keys, bytes, memory, searches, an import."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import process, samples, seed
from bench.gateway import Gateway
from bench.plan import Plan
from bench.report import Table, median
from bench.terminal import Terminal, terminal
from gateway.client import Client
from gateway.workbook import writing

PAGE = 64  # rows, as the screens ask for them
SEARCHES: Mapping[str, dict[str, object]] = {  # by what is looked for
    "everything": {},
    "one character, in every row": {"search": "a"},
    "two characters, in every row": {"search": "00"},
    "three characters, in some": {"search": "099"},
    "the name, in every row": {"search": "kund"},
    "an address, in eleven rows": {"search": "ap9999"},
    "a name with its number, in one": {"search": "kund 77777 ab"},
    "a customer number, in one": {"search": "c077777"},
    "what no row has": {"search": "zzzz"},
    "what no row of the type has": {"search": "kund", "type": "order"},
    "everything, the last page": {"offset": -PAGE},
}


def run(folder: Path, plan: Plan) -> list[Table]:
    """Three tables: the screens, searches at the API, the preview of a list."""
    gateway = Gateway(folder)
    with seed.opened(gateway.database) as engine, engine.begin() as connection:
        seed.fill_directory(connection, plan.recipients)
    with gateway.running():
        client = Client(gateway.folder / "admin.sock")
        return [_screens(gateway, plan), _searches(gateway, client, plan), _preview(gateway, client, plan)]


def _screens(gateway: Gateway, plan: Plan) -> Table:
    table = Table(
        f"tui: the screens over {plan.recipients:,} recipients, 80×24", ("what", "ms", "worst, ms", "bytes each")
    )
    pause = min(1.0, plan.idle_seconds)  # after which a screen has settled
    begin = time.perf_counter()
    with terminal(gateway.folder / "admin.sock") as tty:
        got = tty.until(b"Home")
        table.add("start to the first screen", (time.perf_counter() - begin) * 1000, "", len(got + tty.quiet(pause)))
        table.add("2: the recipients' first paint", *_pressed(tty, b"2", _row(0)))
        tty.quiet(pause)
        _row_by_row(tty, table, plan)
        table.add("G: the last row", *_pressed(tty, b"G", _row(plan.recipients - 1)))
        tty.quiet(pause)
        table.add("g: the first row", *_pressed(tty, b"g", _row(0)))
        tty.quiet(pause)
        tty.press(b"/")
        tty.quiet(pause)
        table.add("a character of a search", *_pressed(tty, b"7", b" of "))
        tty.quiet(pause)
        idle = len(tty.within(plan.idle_seconds))
        table.note = f"Idle for {plan.idle_seconds:g} s: {idle} bytes. Memory: {tty.memory() / 2**20:.0f} MiB (RSS)."
    return table


def _row(number: int) -> bytes:
    """What stands in a row and in no other that is seen beside it."""
    return f"ap{number}@".encode()


def _pressed(tty: Terminal, key: bytes, wanted: bytes) -> tuple[float, str, int]:
    """Milliseconds from a key until its text is there, nothing, and the bytes of all that the key caused."""
    begin = time.perf_counter()
    tty.press(key)
    got = tty.until(wanted)
    took = (time.perf_counter() - begin) * 1000
    return took, "", len(got + tty.quiet(0.3))


def _row_by_row(tty: Terminal, table: Table, plan: Plan) -> None:
    """Each move down, until the row under the cursor is named below the list, and what it sends."""
    times, sizes = [], []
    for number in range(1, min(-(-plan.steps // 2), plan.recipients - 1) + 1):
        took, _nothing, size = _pressed(tty, b"j", _row(number))
        times.append(took)
        sizes.append(size)
    table.add(
        f"j: a row down, {len(times)} times, scrolling", median(times), max(times), round(sum(sizes) / len(sizes))
    )
    back = []
    for number in range(len(times) - 1, max(len(times) - 15, 0), -1):
        back.append(_pressed(tty, b"k", _row(number)))
    moves = [took for took, _nothing, _size in back]
    table.add("k: a row up", median(moves), max(moves), round(median(size for _took, _nothing, size in back)))


def _searches(gateway: Gateway, client: Client, plan: Plan) -> Table:
    title = f"tui: searches among {plan.recipients:,} recipients, as a client of the admin socket sees them"
    columns = ("looked for", "found", "64 rows, ms", "worst, ms", "CPU, ms", "their count, ms", "worst, ms", "CPU, ms")
    table = Table(title, columns)
    for name, wanted in SEARCHES.items():
        query = {"company": "default", **wanted}
        if "offset" in query:
            query["offset"] = max(1, plan.recipients - PAGE)
        found = client.get("/recipients/count", query)["total"]
        rows = _timed(gateway, plan, lambda asked=query: client.get("/recipients", {**asked, "limit": PAGE}))
        counts = _timed(gateway, plan, lambda asked=query: client.get("/recipients/count", asked))
        table.add(name, f"{found:,}", *rows, *counts)
    table.note = "CPU is the gateway's, on average; what a worst time has beyond it is what else the machine did."
    return table


def _timed(gateway: Gateway, plan: Plan, ask: Callable[[], object]) -> tuple[float, float, float]:
    """Milliseconds of one request: the median, the worst, and the CPU time that the gateway spent on average."""
    found = []
    cpu = process.cpu_seconds(gateway.pid)
    for _ in range(min(plan.steps, 50)):
        begin = time.perf_counter()
        ask()
        found.append((time.perf_counter() - begin) * 1000)
    cpu = process.cpu_seconds(gateway.pid) - cpu
    return median(found), max(found), cpu * 1000 / len(found)


def _preview(gateway: Gateway, client: Client, plan: Plan) -> Table:
    """A workbook of as many rows as the directory has, half of them with another address."""
    rows = [["customer_number", "email", "name"]]
    for number in range(plan.recipients):
        rows.append([samples.customer(number), f"ap{number}@new{number % 2}.example", f"Kund {number} AB"])
    blob = writing.write_table(rows, "Recipients")
    table = Table(
        f"tui: preview of a list of {plan.recipients:,} rows", ("list, MB", "s", "words about how far", "MiB")
    )
    begin = time.perf_counter()
    steps = list(client.upload("/imports", blob, {"type": "invoice", "company": "default", "name": "list.xlsx"}))
    took = time.perf_counter() - begin
    counts = steps[-1]["counts"]
    table.add(len(blob) / 1e6, took, len(steps), process.highest(gateway.pid) / 2**20)
    table.note = f"Of its rows {counts['create']:,} new, {counts['update']:,} changed, {counts['errors']:,} wrong; the"
    table.note += " memory is the most that one process, the gateway or its worker, ever had resident."
    return table
