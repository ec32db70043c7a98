"""`gateway serve`: run the gateway in the foreground until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
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


def set_up_logging(level: str) -> None:
    """One line per event on stderr; with systemd the journal adds the time."""
    logging.basicConfig(
        stream=sys.stderr,
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)  # says what it is, at every start


_M_MMAP_THRESHOLD = -3  # mallopt(3)
_LARGE = 1 << 20  # bytes


def give_large_buffers_back() -> None:
    """Have glibc give each large buffer back to the system when it is freed.

    Left alone it learns from the first large mail to keep what it frees: some 50 MiB per thread, for good.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)


def run(context: Context, args: argparse.Namespace) -> int:
    """Serve; exit code 0 after an orderly stop."""
    from gateway.config import check_files
    from gateway.daemon import Daemon
    from gateway.errors import ConfigError

    set_up_logging(args.log_level)
    give_large_buffers_back()
    config = context.config()
    for problem in check_files(config):
        raise ConfigError(problem)
    asyncio.run(Daemon(config).serve())
    return 0
