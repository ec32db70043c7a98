"""What `[relay]` says of delivery to the recipients' own mail exchangers: the DNS servers, and what they prove."""

from __future__ import annotations

import ipaddress

from gateway.config.structs import DnsServer
from gateway.config.table import Table

KEYS = ("concurrency", "port", "resolvers", "trust_ad")
_PORT = 53


def dns_servers(table: Table) -> tuple[DnsServer, ...]:
    """`relay.resolvers`: IP addresses, each with its port if that is not 53; none are the system's."""
    return tuple(_server(table, text) for text in table.texts("resolvers"))


def _server(table: Table, text: str) -> DnsServer:
    host, port = text, str(_PORT)
    if text.startswith("[") or text.count(":") == 1:
        host, _, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
    try:
        address = ipaddress.ip_address(host)
        sound = port.isascii() and port.isdigit() and 0 < int(port) < 65536
    except ValueError:
        sound = False
    if not sound:
        table.fail("resolvers", f'relay.resolvers: "{text}" is no address such as "127.0.0.1", "::1" or "[::1]:5353".')
    return DnsServer(host=str(address), port=int(port))


def trust_ad(table: Table, servers: tuple[DnsServer, ...]) -> bool:
    """`relay.trust_ad`; refused for servers beyond this machine, whose answers could be changed on their way."""
    trusted = table.flag("trust_ad", False)
    strange = [server.host for server in servers if not ipaddress.ip_address(server.host).is_loopback]
    if trusted and strange:
        table.fail("trust_ad", f"relay.trust_ad needs relay.resolvers on this machine, such as ::1, not {strange[0]}.")
    return trusted


def refuse_for_mx(table: Table, hostname: str) -> None:
    """What cannot be with `mode = "mx"`."""
    if table.values.get("tls", "opportunistic") != "opportunistic":
        table.fail("tls", 'relay.tls is for a smarthost; with mode = "mx" it is always opportunistic.')
    if "." not in hostname:
        wanted = f'relay.mode = "mx" needs gateway.hostname: the name of this machine in the DNS, not "{hostname}".'
        table.fail("mode", wanted)
