"""`gateway check`: whether the configuration is right, the keys can sign and the database is sound."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli import Context, text
from gateway.errors import Corrupt, GatewayError, Refused

if TYPE_CHECKING:
    from gateway.cli import Commands
    from gateway.config import Config
    from gateway.smtp.resolver import Resolver

_SECONDS = 3.0  # for each question to the DNS


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("check", help="check configuration, keys and database", description=__doc__)
    parser.set_defaults(run=run)


def run(context: Context, args: argparse.Namespace) -> int:
    """Print what is right, every problem on stderr; exit code 1 when there is one."""
    from gateway.config import check_files, check_relaxations

    config = context.config()
    problems = check_files(config) + check_relaxations(config, dt.datetime.now(dt.UTC).date())
    found = [f"{config.file} is right"] if not problems else []
    if not problems:
        for check in (check_signing, check_dns):
            good, bad = check(config)
            found += good
            problems += bad
    good, bad = check_database(Path(config.gateway.database.removeprefix("sqlite:")))
    found += good
    problems += bad
    if context.json:
        text.print_json({"ok": not problems, "problems": problems, "checked": found})
    else:
        for line in found:
            text.print_text(line)
    for problem in problems:
        print(f"gateway: {text.safe(problem)}", file=sys.stderr)
    return 1 if problems else 0


def check_signing(config: Config) -> tuple[list[str], list[str]]:
    """What is right and what is wrong with the keys that sign."""
    from gateway import signing
    from gateway.config import check_keys

    missing = check_keys(config)
    if missing:
        return [], missing
    good, bad = [], []
    for key in config.dkim:
        try:
            loaded = signing.load_key(key.selector, key.file)
            good.append(f"key {key.selector} signs for {config.sender.domain} ({loaded.algorithm})")
        except GatewayError as error:
            bad.append(error.sentence)
    return good, bad


def check_database(file: Path) -> tuple[list[str], list[str]]:
    """What is right and what is wrong with the database; a running gateway has checked its own at its start."""
    if not file.exists():
        return [f"{file} is not there yet; the first start makes it"], []
    from gateway.store import database

    lock = database.Lock(file)
    try:
        lock.acquire()
    except Refused:
        return [f"{file} is in use by a running gateway, which checked it at its start"], []
    try:
        engine = database.writer_engine(file)
        try:
            database.schema_of(engine, file)
            database.quick_check(engine, file)
            wrong = database.check_pragmas(engine)
        finally:
            engine.dispose()
    except Corrupt as error:
        return [], [error.sentence]
    finally:
        lock.release()
    return ([] if wrong else [f"{file} is sound"]), wrong


def check_dns(config: Config) -> tuple[list[str], list[str]]:
    """What is right and what is wrong with the DNS; nothing is asked where no mail goes by it."""
    if config.relay.mode != "mx":
        return [], []
    from gateway.transports import make_resolver

    try:
        resolver = make_resolver(config.relay, lifetime=_SECONDS)
    except GatewayError as error:
        return [], [f"relay.resolvers: {error.sentence}"]
    wrong = []
    if config.relay.trust_ad and resolver.elsewhere:
        server = resolver.elsewhere[0]
        wrong.append(f"relay.trust_ad: the DNS server {server} is another machine, so DNSSEC is not believed.")
    good, bad = asyncio.run(_ask_dns(resolver, config))
    return good, wrong + bad


async def _ask_dns(resolver: Resolver, config: Config) -> tuple[list[str], list[str]]:
    from gateway.smtp.resolver import NoAnswer, NoMail

    hostname, domain = config.gateway.hostname, config.sender.domain
    ours = await resolver.addresses(hostname)
    if ours.doubt is not None:
        return [], [f"relay.resolvers: {ours.doubt}"]
    good, bad = [f"the DNS answers ({', '.join(resolver.servers)})"], []
    if ours.v4 or ours.v6:
        good.append(f"{hostname} has the address {', '.join(ours.v4 + ours.v6)}")
    else:
        bad.append(
            f"gateway.hostname: {hostname} has no address in the DNS; many servers refuse mail from such a name."
        )
    try:
        found = await resolver.exchangers(domain)
        good.append(f"bounces to {domain} go to {', '.join(name for _, name in found.hosts)[:200]}")
    except NoMail as error:
        bad.append(f"sender.domain: {error.sentence}; many servers refuse a sender who cannot be answered.")
    except NoAnswer as error:
        bad.append(f"relay.resolvers: {error.sentence}")
    return good, bad
