"""`gateway tui`: the screens, as a program of its own that talks to the admin socket."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from typing import TYPE_CHECKING

from gateway.errors import Refused

if TYPE_CHECKING:
    from gateway.cli import Commands, Context


def register(commands: Commands) -> None:
    """Add the verb."""
    parser = commands.add_parser("tui", help="recipients, documents, queue and settings on the screen")
    parser.add_argument("--company", default="default", help="the company to show (default: default)")
    parser.add_argument("--lang", choices=("en", "fr"), help="the language; else the locale's")
    help_ = "plain ASCII, or all letters; without it what the locale says"
    parser.add_argument("--ascii", action=argparse.BooleanOptionalAction, help=help_)
    parser.set_defaults(run=run)


def run(context: Context, args: argparse.Namespace) -> int:
    """Become the terminal UI; does not come back."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused("The screens need a terminal; the other commands do all of it in plain lines.")
    if importlib.util.find_spec("tui") is None:
        raise Refused("The terminal UI is not installed.")
    words = [sys.executable, "-m", "tui", "--socket", str(context.config().gateway.admin_socket)]
    words += ["--company", args.company]
    words += ["--lang", args.lang] if args.lang else []
    words += ["--config", context.config_file] if context.config_file else []
    words += [] if args.ascii is None else ["--ascii" if args.ascii else "--no-ascii"]
    sys.stdout.flush()
    os.execv(sys.executable, words)
