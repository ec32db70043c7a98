"""A process that accepts submissions without end and prints each id once the store has answered."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
from pathlib import Path

from gateway.model import UTC
from gateway.store import Store, companies, submissions
from tests.store.samples import submission


async def accept(store: Store) -> None:
    while True:
        new = submission(dt.datetime.now(UTC), data=b"x" * 20_000)
        await store.write_content(new.body.size, submissions.accept, new, new.received_at)
        print(new.id, flush=True)


async def main(path: Path) -> None:
    store = Store(path)
    store.open()
    await store.write(companies.ensure_company, "default", dt.datetime.now(UTC))
    await asyncio.gather(*(accept(store) for _ in range(8)))


asyncio.run(main(Path(sys.argv[1])))
