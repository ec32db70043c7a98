"""The TLS of a listener: its contexts, and how a running connection gets one (RFC 3207, RFC 8314)."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import warnings
from asyncio import sslproto

from gateway.config import Listener
from gateway.errors import ConfigError

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


_WHY = {  # OpenSSL's names for what goes wrong with wrong clients
    "UNSUPPORTED_PROTOCOL": "the client knows no version that this listener takes (tls_minimum)",
    "NO_SHARED_CIPHER": "client and listener know no cipher in common",
    "WRONG_VERSION_NUMBER": "the client speaks no TLS",
    "HTTP_REQUEST": "the client speaks HTTP",
}


class Tls:
    """A listener's contexts, made from the files as they were at the last `load`."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._strict: ssl.SSLContext | None = None
        self._weak: ssl.SSLContext | None = None

    def load(self) -> None:
        """Reads certificate and key; ConfigError when they are no pair, and then what was loaded before stays."""
        listener = self._listener
        if listener.tls == "none":
            return
        try:
            strict = _context(listener, "1.2" if listener.weak else listener.tls_minimum)
            weak = _context(listener, listener.tls_minimum) if listener.weak else None
        except (OSError, ssl.SSLError) as error:
            name = f"{listener.host}:{listener.port}"
            reason = error.strerror or str(error)
            raise ConfigError(
                f"The certificate of the listener {name} cannot be used: {reason}", "listener.certificate"
            ) from error
        self._strict, self._weak = strict, weak

    def context(self, today: dt.date) -> ssl.SSLContext:
        """The context for a handshake today: what is weak ends with its last day."""
        weak = self._listener.weak
        context = self._weak if weak is not None and weak.holds(today) else self._strict
        assert context is not None
        return context


def _context(listener: Listener, minimum: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TLS 1.0 and 1.1: the configuration has a reason
        context.minimum_version = _VERSIONS[minimum]
    if minimum in ("1.0", "1.1"):
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else OpenSSL 3 finds no cipher in common with such a client
    context.options |= ssl.OP_NO_RENEGOTIATION
    assert listener.certificate is not None
    context.load_cert_chain(listener.certificate, listener.key)
    return context


def why(error: OSError) -> str:
    """What a failed handshake says of the client, for the log."""
    if isinstance(error, ConnectionAbortedError):  # asyncio's, when its time is over
        return "the client does not begin; one that waits for a greeting needs a listener with STARTTLS"
    reason = str(getattr(error, "reason", None) or error)
    return _WHY.get(reason) or reason.lower().replace("_", " ")


class _Layer(sslproto.SSLProtocol):
    """asyncio's, which cuts a connection whose handshake fails without a word: the client shall hear why first (RFC
    8446 §6.2), or somebody looks for a broken network."""

    def _fatal_error(self, exc: BaseException, message: str = "Fatal error on transport") -> None:
        alert = self._outgoing.read()  # type: ignore[attr-defined]  # typeshed leaves it out
        if alert and isinstance(self._transport, asyncio.Transport):
            self._transport.write(alert)
        super()._fatal_error(exc, message)


async def shake_hands(
    transport: asyncio.Transport,
    protocol: asyncio.Protocol,
    context: ssl.SSLContext,
    received: bytes,
    *,
    seconds: int,
    linger: int,
) -> asyncio.Transport:
    """Makes a TLS server of a running connection; `received` is what the client has sent of its handshake already.

    Nothing is awaited before the new protocol stands: a byte sent in clear after this call is part of the handshake
    and makes it fail. OSError when it fails, also for a client that is too slow. asyncio's `start_tls` cannot be used:
    it has no way to hand `received` over.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    layer = _Layer(
        loop,
        protocol,
        context,
        done,
        server_side=True,
        call_connection_made=False,
        ssl_handshake_timeout=seconds,
        ssl_shutdown_timeout=linger,
    )
    secured: asyncio.Transport = layer._app_transport  # now: it is gone from there when the client is gone early
    transport.set_protocol(layer)
    layer.connection_made(transport)
    while received:
        room = memoryview(layer.get_buffer(len(received)))
        part = received[: len(room)]
        room[: len(part)] = part
        layer.buffer_updated(len(part))
        received = received[len(part) :]
    transport.resume_reading()
    await done
    if layer._app_transport is None:
        raise ConnectionResetError("the client is gone")
    return secured
