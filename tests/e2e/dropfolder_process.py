"""A process that does nothing but run one drop folder over a store, until somebody kills it.

Arguments: the database, the folder. It writes `ready` once the first look is done.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
from pathlib import Path

from gateway.config import Source
from gateway.intake.dropfolder import DropFolder
from gateway.intake.waiting import Timing
from gateway.store import Store, companies


async def run(database: Path, folder: Path) -> None:
    """Take files for ever."""
    store = Store(database)
    store.open()
    await store.write(companies.ensure_company, "default", dt.datetime.now(dt.UTC))
    # Duplicates are accepted here, so that a file taken twice would show.
    source = Source(name="scan", folder=folder, duplicates="accept")
    door = DropFolder(source, store, timing=Timing(stable=0.02, poll=0.1, alone=3600))
    await door.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), Path(sys.argv[2])))
