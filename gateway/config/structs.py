"""The configuration's sections as values: the file's words, with types and defaults."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

import msgspec

from gateway.mimeheader import CHARSETS
from gateway.model import MailPattern, Pattern

MIB = 1 << 20


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the sections; paths are absolute once loaded, sizes are bytes."""


class Gateway(Section, frozen=True, kw_only=True):
    """`[gateway]`."""

    hostname: str = "localhost"  # HELO, Received, Message-ID
    database: str = "sqlite:var/gateway.db"
    admin_socket: Path = Path("var/admin.sock")
    pages: Path = Path("pages")  # a folder with one for each company that has templates of its own
    workers: int = 0  # 0: one per core


class Sender(Section, frozen=True, kw_only=True):
    """`[sender]`."""

    domain: str = "pageroonline.com"
    default_prefix: str = "noreply"


class DkimKey(Section, frozen=True, kw_only=True):
    """One entry of `[dkim] keys`."""

    selector: str
    file: Path


class Relaxation(Section, frozen=True, kw_only=True):
    """Something that weakens security, with the reason and its last day; after that day it is off."""

    reason: str
    expires: dt.date

    def holds(self, today: dt.date) -> bool:
        """Whether it is still on."""
        return today <= self.expires


class Rate(Section, frozen=True, kw_only=True):
    """So many mails in so many seconds."""

    mails: int
    seconds: float


class Listener(Section, frozen=True, kw_only=True):
    """One `[[listener]]`. `weak` is set when `tls_minimum` is below 1.2."""

    host: str = "127.0.0.1"
    port: int = 2525
    tls: Literal["none", "starttls", "implicit"] = "none"
    certificate: Path | None = None  # PEM, the chain after the server's own
    key: Path | None = None
    tls_minimum: Literal["1.0", "1.1", "1.2", "1.3"] = "1.2"
    networks: tuple[str, ...] = ()  # who may connect; empty: everybody whom a source takes
    proxies: tuple[str, ...] = ()  # who says in the PROXY protocol for whom it connects
    weak: Relaxation | None = None
    max_size: int = 50 * MIB


class Source(Section, frozen=True, kw_only=True):
    """One `[[source]]`: exactly one of `networks`, `user` and `folder` is set."""

    name: str
    company: str = "default"
    networks: tuple[str, ...] = ()
    user: str | None = None
    password_hash: str | None = None  # argon2id
    folder: Path | None = None
    plain_auth: Relaxation | None = None  # its password may come without TLS
    auth_after_helo: bool = False
    implicit_helo: bool = False
    max_line: int = 100 * MIB  # bytes of a line of content
    bare_lf: Literal["normalize", "reject"] = "normalize"
    early_data: Literal["note", "reject"] = "note"  # what was sent before it may be (RFC 2920)
    lenient_eod: Relaxation | None = None  # LF.LF ends a content
    max_rate: Rate | None = None
    recipients: Literal["resolve", "envelope"] = "resolve"
    duplicates: Literal["drop", "accept"] = "drop"
    max_connections: int = 50
    patterns: tuple[Pattern, ...] = ()  # [source.fields]: how its text PDFs say the fields
    mail_patterns: tuple[MailPattern, ...] = ()  # and how its mails do
    charset: tuple[str, ...] = CHARSETS  # of 8-bit names and subjects, tried in order
    notices: Literal["finish", "hold"] = "finish"  # what becomes of mails that are no documents and wait for nobody
    notice_subjects: tuple[str, ...] = ()  # regexes: further subjects of such mails
    file_name: str | None = None  # regex with named groups, over a dropped file's name
    stable: float = 2.0  # seconds without change before a dropped file is taken
    trigger: tuple[str, ...] = ()  # endings of the files that say that a dropped file is complete
    max_size: int = 50 * MIB  # of a dropped file


class DnsServer(Section, frozen=True, kw_only=True):
    """One of `relay.resolvers`."""

    host: str  # IP address
    port: int = 53


class Relay(Section, frozen=True, kw_only=True):
    """`[relay]`."""

    mode: Literal["capture", "smarthost", "mx"] = "capture"
    directory: Path = Path("var/outbox")
    host: str = ""  # smarthost: smtp://host:port
    tls: Literal["verify", "opportunistic", "none"] = "verify"
    user: str | None = None
    password_file: Path | None = None
    concurrency: int = 20
    port: int = 25  # mx
    resolvers: tuple[DnsServer, ...] = ()  # none: the system's
    trust_ad: bool = False  # the resolvers check DNSSEC


class Retention(Section, frozen=True, kw_only=True):
    """`[retention]`: days after which what has ended is removed; 0 keeps it for ever."""

    content_days: int = 90  # files as they came in and messages as they were sent
    rows_days: int = 400  # what is known of a document and its deliveries
    done_days: int = 90  # files in .done/


class Roles(Section, frozen=True, kw_only=True):
    """`[roles]`: the Unix group whose members have each role, None for nobody."""

    socket_group: str | None = None  # may connect to the admin socket; None: our own group
    viewer: str | None = None
    helpdesk: str | None = None
    directory: str | None = None
    operator: str | None = None
    admin: str | None = None
    auditor: str | None = None


class Config(Section, frozen=True, kw_only=True):
    """The whole file, checked."""

    file: Path | None = None
    gateway: Gateway = Gateway()
    sender: Sender = Sender()
    dkim: tuple[DkimKey, ...] = ()
    listeners: tuple[Listener, ...] = ()
    sources: tuple[Source, ...] = ()
    relay: Relay = Relay()
    roles: Roles = Roles()
    retention: Retention = Retention()


def embedded_defaults(folder: Path) -> Config:
    """A configuration that needs no file: everything under `folder`, SMTP on 127.0.0.1:2525 and a drop folder."""
    folder = folder.absolute()
    return Config(
        gateway=Gateway(
            database=f"sqlite:{folder / 'gateway.db'}", admin_socket=folder / "admin.sock", pages=folder / "pages"
        ),
        dkim=tuple(DkimKey(selector=name, file=folder / "dkim" / f"{name}.pem") for name in ("gw1", "gw2")),
        listeners=(Listener(),),
        sources=(
            Source(name="local", networks=("127.0.0.0/8", "::1/128")),
            Source(name="dropbox", folder=folder / "drop"),
        ),
        relay=Relay(directory=folder / "outbox"),
    )
