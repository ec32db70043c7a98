"""One listener as its sessions see it: its name, its TLS, who may use it, and which proxies speak for others."""

from __future__ import annotations

import ipaddress

from aiosmtpd.proxy_protocol import AF, V2_CMD, ProxyData, get_proxy

from gateway.config import Listener
from gateway.smtp.sources import Address, client_address
from gateway.smtp.tls import Tls
from gateway.smtp.wire import Wire


class Entrance:
    """What all sessions of a listener share."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.name = f"{listener.host}:{listener.port}"
        self.tls = Tls(listener)
        self._networks = [ipaddress.ip_network(text) for text in listener.networks]
        self._proxies = [ipaddress.ip_network(text) for text in listener.proxies]

    def takes(self, address: Address | None) -> bool:
        """Whether this listener is for clients of `address`."""
        return not self._networks or (address is not None and any(address in network for network in self._networks))

    def is_proxy(self, host: str) -> bool:
        """Whether the peer at `host` begins with a header of the PROXY protocol, and is believed."""
        address = client_address(host) if self._proxies else None
        return address is not None and any(address in network for network in self._proxies)


async def client_of_proxy(reader: Wire) -> tuple[str, int] | None:
    """The client that a proxy names (PROXY protocol, version 1 or 2); the empty host when it speaks for itself
    (LOCAL, UNKNOWN), None when the header is none. Reads the header and nothing after it."""
    data: ProxyData = await get_proxy(reader)
    if not data.valid:
        return None
    if data.command == V2_CMD.LOCAL or data.family not in (AF.INET, AF.INET6):
        return "", 0
    return str(data.src_addr), int(data.src_port or 0)
