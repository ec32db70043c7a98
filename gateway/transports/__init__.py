"""How mail leaves: one file per way, one line each in `TRANSPORTS`."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from gateway.config import Relay
from gateway.errors import ConfigError
from gateway.model import Transport
from gateway.smtp.client import Server
from gateway.transports.capture import Capture
from gateway.transports.smarthost import Smarthost

_PORTS = {"smtp": 25, "smtps": 465}


def _capture(relay: Relay, hostname: str, context: ssl.SSLContext | None) -> Transport:
    return Capture(relay.directory)


def _smarthost(relay: Relay, hostname: str, context: ssl.SSLContext | None) -> Transport:
    host, port, implicit = parse_host(relay.host)
    return Smarthost(
        Server(
            host=host,
            port=port,
            hostname=hostname,
            tls=relay.tls,
            context=context or tls_context(relay),
            implicit=implicit,
            user=relay.user,
            password=_password(relay),
        )
    )


TRANSPORTS: Mapping[str, Callable[[Relay, str, ssl.SSLContext | None], Transport]] = {
    "capture": _capture,
    "smarthost": _smarthost,
}


def open_transport(relay: Relay, hostname: str, context: ssl.SSLContext | None = None) -> Transport:
    """The transport that `[relay]` asks for; `hostname` is our name in EHLO.

    `context` replaces the system's certificate authorities. ConfigError when host or password cannot be used.
    Nothing is dialled yet.
    """
    return TRANSPORTS[relay.mode](relay, hostname, context)


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
    context = ssl.create_default_context()
    if relay.tls != "verify":
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
