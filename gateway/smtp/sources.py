"""Which source a client address belongs to: the most specific network wins, no network means no source."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from gateway.config import Source

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_address(host: str) -> Address | None:
    """The address of a peer as the socket names it, IPv4 for `::ffff:10.0.0.9`; None when `host` is none."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


class SourceTable:
    """The network sources of the configuration, looked up by prefix length, longest first."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._tables: dict[tuple[int, int], dict[int, Source]] = {}  # (version, shift) -> prefix -> source
        for source in sources:
            for text in source.networks:
                network = _unmapped(ipaddress.ip_network(text, strict=False))
                shift = network.max_prefixlen - network.prefixlen
                table = self._tables.setdefault((network.version, shift), {})
                table.setdefault(int(network.network_address) >> shift, source)
        self._order = sorted(self._tables, key=lambda key: key[1])

    def match(self, address: Address) -> Source | None:
        """The source whose most specific network holds `address`; the first in the file when two are equal."""
        number = int(address)
        for version, shift in self._order:
            if version == address.version:
                source = self._tables[version, shift].get(number >> shift)
                if source is not None:
                    return source
        return None


def _unmapped(network: Network) -> Network:
    """`::ffff:10.0.0.0/104` as `10.0.0.0/8`, because clients are compared without that prefix too."""
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped:
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network
