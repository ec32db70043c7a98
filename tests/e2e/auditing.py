"""A process that changes the directory without end, or imports a list and stops half-way; to be killed."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

from gateway.model import UTC, Recipient
from gateway.store import Store, batches, companies, recipients
from gateway.store.audit import Caller

WHO = Caller(uid=1000, user="anna")
ROWS = 3000


def row(number: str) -> Recipient:
    return Recipient(number=number, email=("a@customer.example",), type="invoice")


async def add(store: Store, company: int, name: str) -> None:
    """Add rows, each with its row of the audit; print the number of each once the store has answered."""
    for count in itertools.count():
        number = f"{name}-{count}"
        await store.write(recipients.add, company, row(number), WHO, dt.datetime.now(UTC))
        print(number, flush=True)


def plan() -> Iterator[batches.Planned]:
    """The rows of a list; half-way it says so and goes no further."""
    for number in range(ROWS):
        if number == ROWS // 2:
            print("half-way", flush=True)
            sys.stdin.read()
        yield batches.Planned("create", number + 1, row(str(number)))


async def main(path: Path, what: str) -> None:
    store = Store(path)
    store.open()
    now = dt.datetime.now(UTC)
    company = await store.write(companies.ensure_company, "default", now)
    if what == "import":
        new = batches.NewBatch(company_id=company, type="invoice", file_name="x", sha256=bytes(32), counts={})
        await store.write(batches.write, new, plan(), WHO, now)
    await asyncio.gather(*(add(store, company, f"{what}{at}") for at in range(4)))


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
