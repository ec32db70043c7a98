"""From `gateway.toml` to a checked `Config`."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from gateway import address
from gateway.config import doors, mails, regexes, relaying
from gateway.config.doors import host as _host
from gateway.config.doors import is_host as _is_host
from gateway.config.keeping import FOLDER_ONLY, RETENTION_KEYS, folder_keys, retention
from gateway.config.structs import Config, DkimKey, Gateway, Listener, Relay, Roles, Sender, Source
from gateway.config.table import Table, read
from gateway.errors import ConfigError, Refused
from gateway.model import Pattern

KEYS: Mapping[str, tuple[str, ...]] = {  # every table of the file and its keys
    "": ("gateway", "sender", "dkim", "listener", "source", "relay", "roles", "retention"),
    "retention": RETENTION_KEYS,
    "gateway": ("hostname", "database", "admin_socket", "workers", "pages"),
    "sender": ("domain", "default_prefix"),
    "dkim": ("keys",),
    "dkim.keys": ("selector", "file"),
    "listener": (
        "address",
        "tls",
        "certificate",
        "key",
        "tls_minimum",
        "networks",
        "proxies",
        "reason",
        "expires",
        "max_size",
    ),
    "source": (
        "name",
        "company",
        "match",
        "recipients",
        "duplicates",
        *doors.SOURCE_KEYS,
        *doors.CONTENT_KEYS,
        *mails.KEYS,
        "fields",
        *FOLDER_ONLY,
    ),
    "source.match": ("networks", "user", "folder"),
    "source.plain_auth": ("reason", "expires"),
    "source.fields": ("number", "customer_number", "email", "issue_date", "due_date", "payable", "currency", "type"),
    "source.fields.*": ("label", "regex", "page", "area", "where"),
    "relay": ("mode", "directory", "host", "tls", "user", "password_file", *relaying.KEYS),
    "roles": ("socket_group", "viewer", "helpdesk", "directory", "operator", "admin", "auditor"),
}
_GROUPS = ("type", "customer_number", "number", "email", "cc", "issue_date", "format", "language")  # of file_name


# --- finding and reading ---------------------------------------------------------------------------------


def find(explicit: str | Path | None = None) -> Path:
    """The file to read: `explicit`, else GATEWAY_CONFIG, else conf/gateway.toml, else /etc/gateway/gateway.toml."""
    named = explicit or os.environ.get("GATEWAY_CONFIG")
    if named:
        return Path(named)
    for file in (Path("conf/gateway.toml"), Path("/etc/gateway/gateway.toml")):
        if file.is_file():
            return file
    raise ConfigError(
        "There is no configuration: neither conf/gateway.toml nor /etc/gateway/gateway.toml is there; "
        "make one with: gateway init DIR"
    )


def load(file: Path | None = None) -> Config:
    """The checked configuration in `file` (None: where `find` finds it); ConfigError names file, line and key.

    Relative paths start at the file's folder. Whether files and folders are there, `check_files` tells.
    """
    file = find() if file is None else file
    origin, values = read(file)
    base = file.absolute().parent
    top = Table(origin, (), values, KEYS[""])
    keys = top.table("dkim", KEYS["dkim"]).tables("keys", KEYS["dkim.keys"])
    listeners = top.tables("listener", KEYS["listener"])
    sources = top.tables("source", KEYS["source"])
    relay = top.table("relay", KEYS["relay"])
    config = Config(
        file=file.absolute(),
        gateway=_gateway(top.table("gateway", KEYS["gateway"]), base),
        sender=_sender(top.table("sender", KEYS["sender"])),
        dkim=tuple(_dkim_key(table, base) for table in keys),
        listeners=tuple(doors.listener(table, base) for table in listeners),
        sources=tuple(_source(table, base) for table in sources),
        relay=_relay(relay, base),
        roles=_roles(top.table("roles", KEYS["roles"])),
        retention=retention(top.table("retention", RETENTION_KEYS)),
    )
    if config.relay.mode == "mx":
        relaying.refuse_for_mx(relay, config.gateway.hostname)
    _unique(keys, lambda at: [("selector", config.dkim[at].selector)])
    _unique(listeners, lambda at: _sockets(config.listeners[at]))
    _unique(sources, lambda at: [("name", config.sources[at].name)])
    _unique(sources, lambda at: [("match", network) for network in config.sources[at].networks])
    _unique(sources, lambda at: [("match", user) for user in (config.sources[at].user,) if user])
    _apart(sources, config.sources)
    return config


# --- section by section ----------------------------------------------------------------------------------

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def _gateway(table: Table, base: Path) -> Gateway:
    database = table.text("database", Gateway().database)
    scheme, _, rest = database.partition(":")
    if scheme.startswith("postgres"):
        table.fail("database", "gateway.database: PostgreSQL is not there yet; use sqlite:FILE.")
    if scheme != "sqlite" or not rest or rest.startswith((":", "//")):
        table.fail("database", f'gateway.database must be like "sqlite:var/gateway.db", not "{database}".')
    return Gateway(
        hostname=_host(table, "hostname", Gateway().hostname),
        database=f"sqlite:{base / rest}",
        admin_socket=table.path("admin_socket", Gateway().admin_socket, base) or base,
        workers=table.whole("workers", 0, 0, 256),
        pages=table.path("pages", Gateway().pages, base) or base,
    )


def _sender(table: Table) -> Sender:
    domain = _host(table, "domain", Sender().domain)
    prefix = table.text("default_prefix", Sender().default_prefix)
    try:
        address.parse(f"{prefix}@{domain}")
    except Refused:
        table.fail("default_prefix", f'sender.default_prefix "{prefix}" cannot stand before @{domain}.')
    return Sender(domain=domain, default_prefix=prefix)


def _dkim_key(table: Table, base: Path) -> DkimKey:
    table.need("selector")
    table.need("file")
    selector = table.text("selector", "")
    if not doors.is_name(selector):
        table.fail("selector", f'dkim.keys.selector must be letters, digits and "-", not "{selector}".')
    return DkimKey(selector=selector.lower(), file=table.path("file", None, base) or base)


def _source(table: Table, base: Path) -> Source:
    table.need("name")
    name = table.text("name", "")
    if not _NAME.fullmatch(name):
        table.fail("name", f'source.name must be 1 to 64 letters, digits, ".", "_" and "-", not "{name}".')
    table.need("match", ": { networks = [...] }, { user = ... } or { folder = ... }")
    match = table.table("match", KEYS["source.match"])
    if sum(key in match for key in KEYS["source.match"]) != 1:
        table.fail("match", "source.match needs one of networks, user and folder.")
    folder = match.path("folder", None, base)
    _only_for(table, folder is not None)
    fields = table.table("fields", KEYS["source.fields"])
    return Source(
        name=name,
        company=table.text("company", "default", most=64),
        folder=None if folder is None else Path(os.path.normpath(folder)),
        recipients=table.choice("recipients", "resolve", ("resolve", "envelope")),
        duplicates=table.choice("duplicates", "drop", ("drop", "accept")),
        patterns=_patterns(fields),
        file_name=_file_name(table),
        **folder_keys(table),
        **doors.door(table, match),
        **mails.mails(table, fields),
    )


def _only_for(table: Table, is_folder: bool) -> None:
    """Refuse keys that mean nothing for this kind of source."""
    if is_folder and table.values.get("recipients") == "envelope":
        table.fail("recipients", 'source.recipients = "envelope" needs networks or a user: a file has no envelope.')
    if is_folder:
        mails.refuse_in_folder(table.table("fields", KEYS["source.fields"]), KEYS["source.fields.*"])
    for key in (*doors.SOURCE_KEYS, *doors.CONTENT_KEYS, *mails.KEYS) if is_folder else FOLDER_ONLY:
        if key in table:
            kind = "networks or a user" if is_folder else "a folder"
            table.fail(key, f"source.{key} is only for a source with {kind}.")


def _patterns(fields: Table) -> tuple[Pattern, ...]:
    found = mails.tables(fields, KEYS["source.fields.*"])
    return tuple(_pattern(field, table) for field, table in found if not mails.is_of_mail(table))


def _pattern(field: str, table: Table) -> Pattern:
    if ("label" in table) is ("regex" in table) and ("label" in table or "area" not in table):
        table.fail("", f"source.fields.{field} needs either label or regex, or an area that holds nothing else.")
    expression = _expression(table, "regex") if "regex" in table else None
    if expression is not None and expression[1] != 1:
        table.fail("regex", f"{table.name('regex')} must have exactly one group ( ): what it holds is the value.")
    page = table.whole("page", 1, -10_000, 10_000) if "page" in table else None
    if page == 0:
        table.fail("page", f"{table.name('page')} counts from 1, or from -1 for the last page.")
    return Pattern(
        field=field,
        label=table.texts("label", most=100),
        regex=expression and expression[0],
        page=page,
        area=_area(table),
    )


def _area(table: Table) -> tuple[float, float, float, float] | None:
    area = table.values.get("area")
    if area is None:
        return None
    numbers = isinstance(area, list) and len(area) == 4 and all(type(edge) in (int, float) for edge in area)
    if not numbers or not (0 <= area[0] < area[2] and 0 <= area[1] < area[3]):
        table.fail("area", f"{table.name('area')} must be [left, top, right, bottom] in mm from the top left corner.")
    return (float(area[0]), float(area[1]), float(area[2]), float(area[3]))


def _expression(table: Table, key: str) -> tuple[str, int, tuple[str, ...]]:
    """A regular expression, the number of its groups and the names of the named ones."""
    text = table.text(key, "")
    try:
        return text, *regexes.check(text)
    except ValueError as error:
        table.fail(key, f"{table.name(key)} {error}.")


def _file_name(table: Table) -> str | None:
    if "file_name" not in table:
        return None
    text, _, names = _expression(table, "file_name")
    wrong = next((name for name in names if name not in _GROUPS), None)
    if wrong or not names:
        known = ", ".join(_GROUPS)
        said = f"has a group {wrong}" if wrong else "has no named group such as (?P<type>...)"
        table.fail("file_name", f"source.file_name {said}; there are {known}.")
    return text


def _roles(table: Table) -> Roles:
    given = {key: table.text(key, "", most=100) for key in KEYS["roles"] if key in table}
    if given and "socket_group" not in given:
        wanted = "roles.socket_group is missing: the group that may connect to the admin socket."
        table.fail("", wanted)
    return Roles(**given)


def _relay(table: Table, base: Path) -> Relay:
    mode = table.choice("mode", "capture", ("capture", "smarthost", "mx"))
    resolvers = relaying.dns_servers(table)
    relay = Relay(
        mode=mode,
        directory=table.path("directory", Relay().directory, base) or base,
        host=table.text("host", ""),
        tls=table.choice("tls", "opportunistic" if mode == "mx" else "verify", ("verify", "opportunistic", "none")),
        user=table.text("user", "") or None,
        password_file=table.path("password_file", None, base),
        concurrency=table.whole("concurrency", 10 if mode == "mx" else 20, 1, 1000),
        port=table.whole("port", Relay().port, 1, 65535),
        resolvers=resolvers,
        trust_ad=relaying.trust_ad(table, resolvers),
    )
    if mode == "smarthost":
        table.need("host", ': the server to hand mail to, such as "smtp://relay.example.net:587"')
    if relay.host:
        _check_relay_host(table, relay)
    for one, other in (("user", "password_file"), ("password_file", "user")):
        if one in table and other not in table:
            table.fail(one, f"relay.{one} needs relay.{other} beside it.")
    return relay


def _check_relay_host(table: Table, relay: Relay) -> None:
    try:
        url = urlsplit(relay.host)
        sound = url.scheme in ("smtp", "smtps") and url.port != 0 and _is_host(url.hostname or "")
    except ValueError:
        sound = False
    if not sound or url.path or url.query or url.fragment or url.username is not None:
        table.fail("host", f'relay.host must be like "smtp://relay.example.net:587", not "{relay.host}".')
    if relay.user and relay.tls == "none" and url.scheme == "smtp" and not _is_loopback(url.hostname or ""):
        table.fail("tls", 'relay.tls = "none" would send the password of relay.user in clear; use verify.')


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


# --- across tables ---------------------------------------------------------------------------------------


def _unique(tables: list[Table], facts: Callable[[int], list[tuple[str, str]]]) -> None:
    """Refuse the table that says the same as one before it."""
    seen: set[tuple[str, str]] = set()
    for at, table in enumerate(tables):
        for key, value in facts(at):
            if (key, value) in seen:
                table.fail(key, f'{table.name(key)}: "{value}" stands twice.')
            seen.add((key, value))


def _sockets(listener: Listener) -> list[tuple[str, str]]:
    return [("address", f"{listener.host}:{listener.port}")] if listener.port else []


def _apart(tables: list[Table], sources: tuple[Source, ...]) -> None:
    """Refuse drop folders that are the same or stand inside one another: a file belongs to one source."""
    for at, source in enumerate(sources):
        for other in sources[:at]:
            if source.folder is None or other.folder is None:
                continue
            if source.folder.is_relative_to(other.folder) or other.folder.is_relative_to(source.folder):
                sentence = (
                    f'source.match.folder is the folder of source "{other.name}", or one of them holds the other.'
                )
                tables[at].fail("match", sentence)
