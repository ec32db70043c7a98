"""The command line, one file per noun.

Each `gateway/cli/<noun>.py` defines `register(commands)`, which adds its parser with `commands.add_parser(...)` and
names a handler by `set_defaults(run=...)`; a handler is `run(context, args) -> int`, the exit code. A noun's file is
imported only when its noun is called, so that `gateway status` pays for nothing else: a file imports what is heavy
inside its handlers.

    def register(commands: Commands) -> None:
        parser = commands.add_parser("formats", help=..., description=...)
        verbs = parser.add_subparsers(metavar="VERB", required=True)
        verb = verbs.add_parser("list", help=...)
        verb.set_defaults(run=run_list)

    def run_list(context: Context, args: argparse.Namespace) -> int:
        ...
        return 0

`-c FILE` and `--json` stand anywhere and are in the context. A `GatewayError` becomes one sentence on stderr and exit
code 1; wrong usage is exit code 2.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from gateway.errors import GatewayError, Refused

if TYPE_CHECKING:
    from gateway.client import Client
    from gateway.config import Config

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

NOUNS: dict[str, str] = {  # module under gateway/cli: what it is for; the order is that of `gateway --help`
    "init": "make a folder with a configuration and signing keys",
    "check": "check the configuration, the keys and the database",
    "serve": "run the gateway",
    "status": "show whether the gateway runs, its ports, its queue",
    "demo": "send the sample documents through a gateway of its own",
    "submit": "hand in a file as a document",
    "inspect": "show what the readers see in a file",
    "convert": "write a file in another format",
    "formats": "list the formats a recipient can get",
    "dkim": "make signing keys, print and check their DNS records",
    "companies": "list and add companies",
    "recipients": "the directory: which customer number goes to which address",
    "settings": "what each company decided",
    "sources": "list who may hand documents in",
    "documents": "find documents, see why one waits, release it, send it again",
    "queue": "see and steer the deliveries",
    "tui": "all of it on the screen, by keys",
    "audit": "see who did what, and that nobody changed the record",
    "me": "see who you are to the gateway, and what you may",
    "backup": "copy the database while the gateway runs",
}

EXIT_DONE, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


class Parser(argparse.ArgumentParser):
    """argparse without guessed abbreviations, so that a script keeps its meaning when options are added."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


class Usage(Exception):
    """The arguments say nothing that can be done; the sentence goes to stderr, exit code 2."""


class Context:
    """What every handler gets: where the configuration is, how to answer, and the way to the daemon."""

    def __init__(self, config_file: str | None, json: bool) -> None:
        self.config_file = config_file
        self.json = json

    def config(self) -> Config:
        """The loaded configuration: `-c`, else GATEWAY_CONFIG, else conf/gateway.toml, else /etc/gateway."""
        return self._config

    @cached_property
    def _config(self) -> Config:
        from gateway import config

        return config.load(config.find(self.config_file))

    def client(self) -> Client:
        """The way to the running daemon, by its admin socket."""
        from gateway.client import Client

        return Client(self.config().gateway.admin_socket)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: the program's) and give the exit code."""
    try:
        code = _answer(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()  # here, where a broken pipe is caught
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away; what Python would still flush at exit goes nowhere, quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


def _answer(argv: list[str]) -> int:
    try:
        return _run(argv)
    except (GatewayError, Usage) as error:
        sys.stdout.flush()  # what was printed before stands before the sentence
        print(f"gateway: {_one_line(str(error))}", file=sys.stderr)
        return EXIT_USAGE if isinstance(error, Usage) else EXIT_FAILED


def _run(argv: list[str]) -> int:
    options, rest = _take_common(argv)
    parser = Parser(prog="gateway", usage="gateway [-c FILE] [--json] COMMAND …", add_help=False)
    noun = next((word for word in rest if not word.startswith("-")), None)
    if noun is None:
        return _without_noun(rest)
    if noun not in NOUNS:
        raise Usage(f"{noun!r} is no command{_nearest(noun)}. `gateway --help` lists them.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    importlib.import_module(f"gateway.cli.{noun}").register(commands)
    try:
        args = parser.parse_args(rest)
    except SystemExit as stop:  # argparse has printed its help (0) or what is wrong (2)
        return int(stop.code or 0)
    code: int = args.run(Context(*options), args)
    return code


def _take_common(argv: list[str]) -> tuple[tuple[str | None, bool], list[str]]:
    """Take `-c FILE` and `--json` out of the arguments, wherever they stand before a `--`."""
    config_file: str | None = None
    json = False
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            return (config_file, json), [*rest, word, *words]
        if word in ("-c", "--config"):
            config_file = next(words, None)
            if config_file is None:
                raise Usage(f"{word} needs the configuration file's name.")
        elif word.startswith("--config="):
            config_file = word.removeprefix("--config=")
        elif word == "--json":
            json = True
        else:
            rest.append(word)
    return (config_file, json), rest


def _without_noun(rest: list[str]) -> int:
    if rest in (["-h"], ["--help"]):
        print(_overview())
        return EXIT_DONE
    if rest == ["--version"]:
        from gateway import __version__

        print(__version__)
        return EXIT_DONE
    print(_overview(), file=sys.stderr)
    return EXIT_USAGE


def _overview() -> str:
    lines = ["usage: gateway [-c FILE] [--json] COMMAND …", ""]
    lines += [f"  {noun:12}{purpose}" for noun, purpose in NOUNS.items()]
    lines += [
        "",
        "  -c FILE     the configuration; else GATEWAY_CONFIG, conf/gateway.toml, /etc/gateway/gateway.toml",
        "  --json      answer in JSON",
        "  --version   print the version",
        "",
        "`gateway COMMAND --help` tells more. Exit code: 0 done, 1 refused or failed, 2 wrong usage.",
    ]
    return "\n".join(lines)


def _nearest(word: str) -> str:
    import difflib

    near = difflib.get_close_matches(word, NOUNS, 1)
    return f"; the nearest is {near[0]!r}" if near else ""


def _one_line(sentence: str) -> str:
    from gateway.cli.text import safe

    return safe(sentence)


def refuse_usage(sentence: str) -> NoReturn:
    """End with exit code 2 and this sentence: the arguments contradict each other."""
    raise Usage(sentence)


def read_file(name: str, limit: int = -1) -> bytes:
    """The first `limit` bytes, or all, of a file named on the command line; Refused with the system's reason when it
    cannot be read."""
    try:
        with open(name, "rb") as file:
            return file.read(limit)
    except OSError as error:
        raise Refused(f"{name} cannot be read: {error.strerror or error}.", "file") from error
