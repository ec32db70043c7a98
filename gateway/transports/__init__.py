"""How mail leaves: one file per way, one line each in `TRANSPORTS`."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.config import Listener, Relay
from gateway.errors import ConfigError
from gateway.model import Transport
from gateway.smtp.client import Server
from gateway.smtp.resolver import LIFETIME, Resolver
from gateway.transports.capture import Capture
from gateway.transports.mx import Mx, Us
from gateway.transports.smarthost import Smarthost

_PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What `open_transport` was asked for."""

    relay: Relay
    us: Us
    context: ssl.SSLContext | None


def _capture(wanted: _Wanted) -> Transport:
    return Capture(wanted.relay.directory)


def _smarthost(wanted: _Wanted) -> Transport:
    relay = wanted.relay
    host, port, implicit = parse_host(relay.host)
    return Smarthost(
        Server(
            host=host,
            port=port,
            hostname=wanted.us.hostname,
            tls=relay.tls,
            context=wanted.context or tls_context(relay),
            implicit=implicit,
            user=relay.user,
            password=_password(relay),
        )
    )


def _mx(wanted: _Wanted) -> Transport:
    relay = wanted.relay
    context = wanted.context or opportunistic_context()
    return Mx(make_resolver(relay), wanted.us, context, port=relay.port, most=relay.concurrency)


TRANSPORTS: Mapping[str, Callable[[_Wanted], Transport]] = {
    "capture": _capture,
    "smarthost": _smarthost,
    "mx": _mx,
}


def open_transport(
    relay: Relay, hostname: str, context: ssl.SSLContext | None = None, listeners: Sequence[Listener] = ()
) -> Transport:
    """The transport that `[relay]` asks for; `hostname` is our name in EHLO, `listeners` where we take mail ourselves.

    `context` replaces the system's certificate authorities. ConfigError when host or password cannot be used,
    Temporary when the system names no DNS server. Nothing is dialled yet.
    """
    us = Us(hostname, tuple((listener.host, listener.port) for listener in listeners))
    return TRANSPORTS[relay.mode](_Wanted(relay, us, context))


def make_resolver(relay: Relay, lifetime: float = LIFETIME) -> Resolver:
    """Who is asked about the DNS; `lifetime` is the seconds for a question.

    Temporary when the system names no server and `relay.resolvers` none either.
    """
    servers = [(server.host, server.port) for server in relay.resolvers]
    return Resolver(servers, trust_ad=relay.trust_ad, lifetime=lifetime)


def parse_host(url: str) -> tuple[str, int, bool]:
    """Host, port and whether TLS starts at once, of `smtp://host:port` or `smtps://host:port`; ConfigError if none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"relay.host: {url!r} is no address of a server: {error}", "relay.host") from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/") or parts.username:
        raise ConfigError(f"relay.host: {url!r} is not of the form smtp://host:port", "relay.host")
    return parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "smtps"


def tls_context(relay: Relay) -> ssl.SSLContext | None:
    """What `relay.tls` means: certificate and name checked, encrypted only, or None."""
    if relay.tls == "none" and not relay.host.startswith("smtps:"):
        return None
    return ssl.create_default_context() if relay.tls == "verify" else opportunistic_context()


def opportunistic_context() -> ssl.SSLContext:
    """TLS with whoever answers (RFC 7435)."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _password(relay: Relay) -> str | None:
    if relay.user is None:
        return None
    if relay.password_file is None:
        raise ConfigError("relay.user is set, relay.password_file is not", "relay.password_file")
    try:
        return relay.password_file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        sentence = f"relay.password_file: cannot read {relay.password_file}: {reason}"
        raise ConfigError(sentence, "relay.password_file") from error
