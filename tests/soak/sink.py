"""A relay that is a process of its own, as relays are: it takes every mail and says afterwards what it took."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import ROOT
from tests.peer import Peer
from tests.soak.killing import Copies, arrived


class Sink:
    """The process, and the port at which it listens."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.url = f"smtp://127.0.0.1:{int(process.stdout.readline())}"

    def arrived(self) -> Copies:
        """What it took. It ends with that."""
        said, _ = self._process.communicate("end\n", 120)
        copies: Copies = {}
        for subject, message_id, digest, count in json.loads(said):
            copies.setdefault(subject, Counter())[message_id, digest] = count
        return copies


@contextmanager
def running() -> Iterator[Sink]:
    """Start one, and end it at last."""
    command = [sys.executable, "-m", "tests.soak.sink"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield Sink(process)
        finally:
            process.kill()


async def _serve() -> None:
    async with Peer() as peer:
        print(peer.port, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        copies = arrived(peer)
    print(json.dumps([[subject, *same, count] for subject, each in copies.items() for same, count in each.items()]))


if __name__ == "__main__":
    asyncio.run(_serve())
