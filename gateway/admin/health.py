"""What goes wrong slowly: the disk fills, a certificate ends, the DKIM records are not those of our keys."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import dns.asyncresolver
import dns.exception
import dns.resolver
from cryptography import x509

from gateway import signing
from gateway.admin import folders
from gateway.admin.running import Running
from gateway.config import DkimKey
from gateway.errors import ConfigError

_SECONDS = 3.0  # for one answer of the DNS

Published = Literal["published", "missing", "different", "unknown"]
AskDns = Callable[[str], Awaitable[str | None]]


async def ask_dns(name: str) -> str | None:
    """The TXT value published under `name`, None when there is none; DNSException when nobody can say."""
    try:
        answer = await dns.asyncresolver.resolve(name, "TXT", lifetime=_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    return b"".join(answer[0].strings).decode("ascii", "replace")


async def show_health(running: Running, ask: AskDns = ask_dns) -> dict[str, Any]:
    """`disk`: free and total bytes where the database is; `folders`: each drop folder with its last write test;
    `certificates`: file and days left; `dkim`: per key its record's name and whether the DNS has it."""
    config = running.config
    disk = shutil.disk_usage(running.store.path.parent)
    files = dict.fromkeys(each.certificate for each in config.listeners if each.certificate is not None)
    return {
        "disk": {"free": disk.free, "total": disk.total},
        "folders": folders.list_folders(running),
        "certificates": [await asyncio.to_thread(_certificate, running, file) for file in files],
        "dkim": list(await asyncio.gather(*(_dkim(key, config.sender.domain, ask) for key in config.dkim))),
    }


def _certificate(running: Running, file: Path) -> dict[str, Any]:
    """The server's own certificate, the first of the file; `days` is None when it cannot be read."""
    try:
        ends = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return {"file": str(file), "days": None}
    return {"file": str(file), "days": (ends - running.now()).days}


async def _dkim(key: DkimKey, domain: str, ask: AskDns) -> dict[str, Any]:
    try:
        name, value = signing.dns_record(await asyncio.to_thread(signing.load_key, key.selector, key.file), domain)
    except ConfigError:
        return {"selector": key.selector, "name": f"{key.selector}._domainkey.{domain}", "state": "unknown"}
    state: Published
    try:
        found = await ask(name)
    except dns.exception.DNSException:
        state = "unknown"
    else:
        state = "missing" if found is None else "published" if _public(found) == _public(value) else "different"
    return {"selector": key.selector, "name": name, "state": state}


def _public(record: str) -> str:
    """The public key in a record (RFC 6376 §3.6.1, tag p)."""
    tags = (tag.partition("=") for tag in record.split(";"))
    return next((re.sub(r"\s", "", value) for name, _, value in tags if name.strip() == "p"), "")
