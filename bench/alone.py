"""`python -m bench.alone aiosmtpd|gateway PORT`: an SMTP server and nothing behind it, each mail forgotten when its end
has come. aiosmtpd as its documentation shows it, or ours as `gateway serve` runs it."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvloop
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session

from bench import peers
from gateway.config import Listener, Source
from gateway.intake.submission import SubmissionServer
from gateway.model import Accepted, NewSubmission


@contextmanager
def running(name: str) -> Iterator[tuple[int, int]]:
    """Run the server `name`; its port and its process id."""
    port = peers.free_port()
    server = subprocess.Popen([sys.executable, "-m", "bench.alone", name, str(port)])
    try:
        peers.await_listener(port, server)
        yield port, server.pid
    finally:
        server.kill()
        server.wait()


class _Forgets:
    """A handler of aiosmtpd's."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The whole content is in `envelope.content`."""
        return "250 2.0.0 Ok"


def _aiosmtpd(port: int) -> None:
    loop = asyncio.new_event_loop()
    UnthreadedController(_Forgets(), hostname="127.0.0.1", port=port, loop=loop).begin()
    loop.run_forever()


def _ours(port: int) -> None:
    numbers = itertools.count(1)

    async def forget(submission: NewSubmission) -> Accepted:
        return Accepted(id=next(numbers))

    async def serve() -> None:
        source = Source(name="bench", networks=("127.0.0.0/8",), recipients="envelope")
        await SubmissionServer([Listener(port=port)], [source], forget).start()
        await asyncio.Event().wait()

    uvloop.run(serve())


if __name__ == "__main__":
    {"aiosmtpd": _aiosmtpd, "gateway": _ours}[sys.argv[1]](int(sys.argv[2]))
