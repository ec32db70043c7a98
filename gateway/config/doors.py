"""The tables that say who may come in by SMTP and how: listeners, networks, users, and what is relaxed for old clients.

Every default is strict. What weakens security is written with a reason and a day on which it ends.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.config.structs import MIB, Listener, Rate, Relaxation
from gateway.config.table import Table

_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.IGNORECASE
)
_ARGON2ID = re.compile(
    r"\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d?),p=([1-9]\d?)\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{22,128}"
)
_WIDEST = {4: 8, 6: 16}  # bits that a network of somebody's own has at least, by IP version
_MEMORY = 256 << 10  # KiB that one check of a password may take
_RATE = re.compile(r"([1-9]\d{0,6})/([smhd])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

SOURCE_KEYS = ("password_hash", "plain_auth", "max_connections", "max_rate", "auth_after_helo", "implicit_helo")
CONTENT_KEYS = ("max_line", "bare_lf", "early_data", "eod", "reason", "expires")


def host(table: Table, key: str, default: str) -> str:
    """A host name in ASCII, in lower case."""
    value = table.text(key, default)
    if not _HOST.fullmatch(value):
        table.fail(key, f'{table.name(key)} must be a host name in ASCII such as "gateway.example.net", not "{value}".')
    return value.lower()


def is_name(text: str) -> bool:
    """Whether `text` can be a host name."""
    return _HOST.fullmatch(text) is not None


def is_host(text: str) -> bool:
    """Whether `text` is an IP address or a host name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return is_name(text) and not text.rpartition(".")[2].isdigit()
    return True


# --- listeners -------------------------------------------------------------------------------------------


def listener(table: Table, base: Path) -> Listener:
    """One `[[listener]]`."""
    place, port = _address(table)
    tls = table.choice("tls", "none", ("none", "starttls", "implicit"))
    for key in ("certificate", "key"):
        if tls != "none":
            table.need(key, f': tls = "{tls}" needs certificate and key')
        elif key in table:
            table.fail(key, f'listener.{key} means nothing with tls = "none".')
    minimum = table.choice("tls_minimum", "1.2", ("1.0", "1.1", "1.2", "1.3"))
    if tls == "none" and "tls_minimum" in table:
        table.fail("tls_minimum", 'listener.tls_minimum means nothing with tls = "none".')
    networks = tuple(_network(table, "networks", text) for text in table.texts("networks"))
    weak = minimum in ("1.0", "1.1")
    if weak and not networks:
        table.fail("tls_minimum", f"listener.tls_minimum {minimum} is weak and needs networks: who may use it.")
    return Listener(
        host=place,
        port=port,
        tls=tls,
        certificate=table.path("certificate", None, base),
        key=table.path("key", None, base),
        tls_minimum=minimum,
        networks=networks,
        proxies=tuple(_network(table, "proxies", text) for text in table.texts("proxies")),
        weak=_relaxation(table, weak, f"tls_minimum {minimum}"),
        max_size=table.size("max_size", Listener().max_size, 1 << 10, 100 * MIB),
    )


def _address(table: Table) -> tuple[str, int]:
    text = table.text("address", "127.0.0.1:2525")
    place, _, port = text.rpartition(":")
    place = place[1:-1] if place.startswith("[") and place.endswith("]") else place
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        table.fail("address", f'listener.address must end in :PORT, 0 to 65535, not be "{text}".')
    if not is_host(place):
        table.fail("address", f'listener.address must be like "127.0.0.1:2525" or "[::1]:2525", not "{text}".')
    return place, int(port)


# --- sources ---------------------------------------------------------------------------------------------


def door(table: Table, match: Table) -> dict[str, Any]:
    """What a `[[source]]` says of the SMTP clients that it takes, as arguments of `Source`."""
    user = match.text("user", "", most=255) or None
    if user is not None:
        table.need("password_hash", ": make one with: gateway sources hash")
    elif "password_hash" in table:
        table.fail("password_hash", "source.password_hash needs match = { user = ... }.")
    lenient = table.choice("eod", "strict", ("strict", "lenient")) == "lenient"
    if lenient and "networks" not in match:
        table.fail("eod", 'source.eod = "lenient" is for listed networks only: match = { networks = [...] }.')
    early = "reject" if user is not None else "note"
    networks = tuple(_network(match, "networks", text) for text in match.texts("networks"))
    _refuse_open_relay(table, networks)
    return {
        "networks": networks,
        "user": user,
        "password_hash": _password_hash(table) if user is not None else None,
        "plain_auth": _plain_auth(table, user),
        "max_connections": table.whole("max_connections", 50, 1, 10_000),
        "max_rate": _rate(table),
        "auth_after_helo": _only_for_user(table, user),
        "implicit_helo": table.flag("implicit_helo", False),
        "max_line": table.size("max_line", 100 * MIB, 78, 100 * MIB),
        "bare_lf": table.choice("bare_lf", "normalize", ("normalize", "reject")),
        "early_data": table.choice("early_data", early, ("note", "reject")),
        "lenient_eod": _relaxation(table, lenient, 'eod = "lenient"'),
    }


def _refuse_open_relay(table: Table, networks: Sequence[str]) -> None:
    """Who may send to anybody is listed by networks that may be somebody's own."""
    if table.values.get("recipients") != "envelope":
        return
    for text in networks:
        network = ipaddress.ip_network(text)
        if network.prefixlen < _WIDEST[network.version] and not network.is_private:
            wrong = f'source.recipients = "envelope" for {text} would make an open relay: list your own senders.'
            table.fail("recipients", wrong)


def _only_for_user(table: Table, user: str | None) -> bool:
    if user is None and "auth_after_helo" in table:
        table.fail("auth_after_helo", "source.auth_after_helo needs match = { user = ... }.")
    if user is not None and "implicit_helo" in table:
        table.fail("implicit_helo", "source.implicit_helo needs match = { networks = [...] }.")
    return table.flag("auth_after_helo", False)


def _password_hash(table: Table) -> str:
    text = table.text("password_hash", "")
    found = _ARGON2ID.fullmatch(text)
    if found is None:
        table.fail("password_hash", "source.password_hash is no argon2id hash; make one with: gateway sources hash.")
    if int(found[1]) > _MEMORY:
        table.fail("password_hash", f"source.password_hash would take more than {_MEMORY >> 10} MiB for each check.")
    return text


def _plain_auth(table: Table, user: str | None) -> Relaxation | None:
    if "plain_auth" not in table:
        return None
    if user is None:
        table.fail("plain_auth", "source.plain_auth needs match = { user = ... }.")
    return _relaxation(table.table("plain_auth", ("reason", "expires")), True, "a password in clear")


def _rate(table: Table) -> Rate | None:
    if "max_rate" not in table:
        return None
    text = table.text("max_rate", "")
    found = _RATE.fullmatch(text)
    if found is None:
        table.fail("max_rate", f'source.max_rate must be mails per s, m, h or d such as "600/h", not "{text}".')
    return Rate(mails=int(found[1]), seconds=_SECONDS[found[2]])


def _relaxation(table: Table, wanted: bool, what: str) -> Relaxation | None:
    """The reason and the last day of what weakens security; both are needed when it is wanted, and refused when not."""
    if not wanted:
        for key in ("reason", "expires"):
            if key in table:
                table.fail(key, f"{table.name(key)} stands beside nothing that weakens security.")
        return None
    for key in ("reason", "expires"):
        table.need(key, f": {what} weakens security, so say why and until which day")
    return Relaxation(reason=table.text("reason", "", most=500), expires=table.day("expires"))


def _network(table: Table, key: str, text: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        table.fail(key, f'{table.name(key)}: "{text}" is no network such as 10.0.0.0/8 or ::1/128.')
    if ipaddress.ip_address(text.partition("/")[0]) != network.network_address:
        wrong = f'{table.name(key)}: "{text}" has bits set beyond its length; did you mean {network}?'
        table.fail(key, wrong)
    return str(network)
