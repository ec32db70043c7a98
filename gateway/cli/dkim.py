"""`gateway dkim keygen|record|check`: signing keys, their DNS records, and whether a message's signatures hold."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli import Context, read_file
from gateway.cli.text import print_json, safe
from gateway.errors import Refused

if TYPE_CHECKING:
    from gateway.cli import Commands

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DNS_SECONDS = 5.0  # for one record


def register(commands: Commands) -> None:
    """Add the noun `dkim` with its verbs."""
    parser = commands.add_parser("dkim", help="make signing keys, print and check their DNS records")
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    keygen = verbs.add_parser("keygen", help="write a new key and print the record that publishes it")
    keygen.add_argument("--selector", required=True, help="the name under which the key is published: gw1")
    keygen.add_argument("--algorithm", choices=("rsa", "ed25519"), default="rsa", help="default: rsa, of 2048 bits")
    keygen.add_argument("-o", "--output", required=True, metavar="FILE", help="the new file, for its owner only")
    keygen.set_defaults(run=run_keygen)

    record = verbs.add_parser("record", help="print the DNS records of the configured keys, as lines of a zone file")
    record.set_defaults(run=run_record)

    check = verbs.add_parser("check", help="verify the signatures of a message against the configured keys")
    check.add_argument("file", metavar="FILE", help="a message as it was sent; - reads it from standard input")
    check.add_argument("--dns", action="store_true", help="ask the DNS for the keys, as a receiver does")
    check.set_defaults(run=run_check)


def run_keygen(context: Context, args: argparse.Namespace) -> int:
    """Write a key file, 0600, and never over another one."""
    from gateway import signing

    if not _SELECTOR.fullmatch(args.selector) or len(args.selector) > 200:
        raise Refused(f"{args.selector!r} is no selector: letters, digits and - are allowed.", "selector")
    pem = signing.generate(args.algorithm)
    _write_key(Path(args.output), pem)
    name, value = signing.dns_record(signing.parse_key(args.selector, pem), "")
    if context.json:
        facts = {"selector": args.selector, "algorithm": args.algorithm, "file": args.output}
        print_json({**facts, "name": name, "value": value})
        return 0
    print(f"The key is in {safe(args.output)}. List it in gateway.toml, [dkim] keys:")
    print(f'  {{ selector = "{args.selector}", file = "{safe(args.output)}" }}')
    print("and publish it in the zone of the sender domain:")
    print(f"  {signing.zone_line(name, value)}")
    return 0


def _write_key(path: Path, pem: bytes) -> None:
    try:
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused(f"{path} exists, and a key is never overwritten.", "output") from None
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.", "output") from error
    with open(target, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(target)


def run_record(context: Context, args: argparse.Namespace) -> int:
    """Print name and value of each configured key's TXT record."""
    from gateway import signing

    records = _records(context)
    if context.json:
        print_json([{"name": name, "value": value} for name, value in records.items()])
    else:
        for name, value in records.items():
            print(signing.zone_line(f"{name}.", value))
    return 0


def _records(context: Context) -> dict[str, str]:
    from gateway import signing

    config = context.config()
    keys = signing.load_keys((key.selector, key.file) for key in config.dkim)
    if not keys:
        raise Refused("No DKIM key is configured; `gateway dkim keygen` makes one.", "dkim.keys")
    return dict(signing.dns_record(key, config.sender.domain) for key in keys)


def run_check(context: Context, args: argparse.Namespace) -> int:
    """Print per signature whether it holds; exit 1 unless every one does, and every configured key has signed."""
    from gateway import signing

    message = sys.stdin.buffer.read() if args.file == "-" else read_file(args.file)
    if args.dns:
        results = signing.verify(message, _ask_dns)
    else:
        records = _records(context)
        results = signing.verify(message, records, context.config().sender.domain)
        selectors = [name.partition("._domainkey.")[0] for name in records]
        signed = {selector for selector, _ in results}
        results += [(selector, "no signature") for selector in selectors if selector not in signed]
    if context.json:
        print_json([{"selector": selector, "result": result} for selector, result in results])
    else:
        for selector, result in results:
            print(f"{safe(selector) or '?'}: {safe(result)}")
    if not results:
        raise Refused(f"{args.file} has no signature.", "file")
    failed = [selector or "?" for selector, result in results if result != "pass"]
    if failed:
        raise Refused(f"{args.file}: {', '.join(failed)} did not pass.", "file")
    return 0


def _ask_dns(name: str) -> str | None:
    """The TXT value published under `name`; None when there is none to be had."""
    import dns.exception
    import dns.resolver

    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=_DNS_SECONDS)
    except dns.exception.DNSException:
        return None
    return b"".join(answer[0].strings).decode("ascii", "replace")
