"""`gateway serve`: run the gateway in the foreground until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.cli import Commands, Context


def register(commands: Commands) -> None:
    """Add the verb."""
    parser = commands.add_parser("serve", help="run the gateway", description=__doc__)
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    parser.set_defaults(run=run)


class Line(logging.Formatter):
    """Time, level, logger, message; the text of a second is made once."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")
        self._second, self._text = -1, ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """The local time with its offset from UTC."""
        second = int(record.created)
        if second != self._second:
            self._second, self._text = second, super().formatTime(record, datefmt)
        return self._text


def set_up_logging(level: str) -> None:
    """One line per event on stderr. Nobody reads which line of code or thread it came from, so it is not looked up
    (the logging documentation's "Optimization"): every mail writes four lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.getLogger("alembic").setLevel(logging.WARNING)  # says what it is, at every start


_M_MMAP_THRESHOLD = -3  # mallopt(3)
_LARGE = 1 << 20  # bytes


def give_large_buffers_back() -> None:
    """Have glibc give each large buffer back to the system when it is freed.

    Left alone it learns from the first large mail to keep what it frees: some 50 MiB per thread, for good.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)


SWITCH_SECONDS = 0.0005  # the thread that writes waits at most so long for the one that talks; the default is 0.005

GARBAGE = 10_000  # objects made and not yet let go until rings of them are looked for; the default is 700


def run(context: Context, args: argparse.Namespace) -> int:
    """Serve; exit code 0 after an orderly stop."""
    import uvloop

    from gateway.config import check_files
    from gateway.daemon import Daemon
    from gateway.errors import ConfigError

    set_up_logging(args.log_level)
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(GARBAGE)
    give_large_buffers_back()
    config = context.config()
    for problem in check_files(config):
        raise ConfigError(problem)
    uvloop.run(Daemon(config).serve())
    return 0
