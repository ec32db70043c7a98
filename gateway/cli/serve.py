"""`gateway serve`: run the gateway in the foreground until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
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


def run(context: Context, args: argparse.Namespace) -> int:
    """Serve; exit code 0 after an orderly stop."""
    from gateway import config as configuration
    from gateway.daemon import Daemon

    set_up_logging(args.log_level)
    config = context.config()
    configuration.refuse_unsafe(config)
    daemon = Daemon(config)
    asyncio.run(daemon.serve())
    return 0
