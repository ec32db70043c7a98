"""The transport that brings each mail to the recipient's own mail exchangers (RFC 5321 §5.1).

The next hop is the domain of the address. What the DNS cannot say is never the recipient's fault, so it never ends a
delivery; only an answer does that, and one that says there is no such domain is heard twice.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from gateway import retry
from gateway.errors import GatewayError
from gateway.model import Envelope, Outcome, Reply, Result
from gateway.smtp import client
from gateway.smtp.client import Content, Server, Session
from gateway.smtp.exchangers import Host, Shuffle, Target, before_ours, walk
from gateway.smtp.resolver import NoAnswer, NoMail, Resolver, is_loopback, nobody_there
from gateway.transports.connections import Connections
from gateway.transports.site import Site

SMTP = 25
MOST_TRIED = 5  # addresses of one attempt
_HOSTS = 10  # exchangers of a domain whose addresses are asked for
_IDLE = 10.0  # seconds a connection is kept for the next message to the same site
_KEPT = 100  # idle connections in all
_SILENT = 300.0  # seconds during which an address that did not answer is tried last
_SECOND_HEARING = 60.0  # seconds after which "no such domain" counts when it is heard again
_REMEMBERED = 10_000  # domains, sites and addresses of which something is known
_WAIT = 300.0  # seconds for a slot at a site

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Us:
    """What must not be taken for somebody else's server: our name, and where we listen (host and port)."""

    hostname: str
    listeners: tuple[tuple[str, int], ...] = ()


class _Nowhere(GatewayError):
    """There is no server to connect to; carries how that ends the attempt."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reply.text)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class _Route:
    """The addresses to try in order. `authenticated`: DNSSEC vouches for the names."""

    site: str
    targets: tuple[Target, ...]
    authenticated: bool


class Mx:
    """Delivers to the exchangers that `resolver` names; with `port` other than 25, addresses of loopback too.

    `most` is the most connections per site, `connect` and `greeting` are seconds; the last address of an attempt gets
    the full time for its greeting (RFC 5321 §4.5.3.2.1).
    """

    name = "mx"

    def __init__(
        self,
        resolver: Resolver,
        us: Us,
        context: ssl.SSLContext,
        *,
        port: int = SMTP,
        most: int = 10,
        connect: float = client.CONNECT_DEADLINE,
        greeting: float = client.CONNECT_DEADLINE,
        second_hearing: float = _SECOND_HEARING,
        shuffle: Shuffle = random.shuffle,
    ) -> None:
        self._resolver = resolver
        self._us = us
        self._context = context
        self._port = port
        self._most = most
        self._connect, self._greeting = connect, greeting
        self._second_hearing = second_hearing
        self._shuffle = shuffle
        self._connections = Connections(_IDLE, _KEPT)
        self._sites: dict[str, Site] = {}
        self._site_of: dict[str, str] = {}  # domain -> site, as it was last
        self._missing: dict[str, float] = {}  # domain -> loop time at which it was first said not to exist
        self._silent: dict[str, float] = {}  # address -> loop time until which it is tried last

    def next_hop(self, address: str) -> str:
        """The domain."""
        return address.rpartition("@")[2].lower()

    def room(self, next_hop: str) -> int:
        """How many more deliveries to this domain its site takes just now."""
        site = self._sites.get(self._site_of.get(next_hop, ""))
        return self._most if site is None else site.free

    async def deliver(self, envelope: Envelope, content: bytes) -> Outcome:
        """Send `content` to the one address of `envelope`. ValueError when a line does not end in CRLF: our mistake."""
        prepared = client.prepare(content)
        now = asyncio.get_running_loop().time()
        until = now + client.TOTAL_DEADLINE
        domain = self.next_hop(envelope.rcpt_to[0])
        try:
            route = await self._route(domain)
        except _Nowhere as error:
            return error.outcome
        site = self._site(domain, route.site)
        try:
            async with site.slot(now + _WAIT):
                outcome = await self._send(route, envelope, prepared, until)
                site.learn(outcome)
        except TimeoutError:
            return retry.failed("4.4.5", f"{site.slots} deliveries at a time keep the servers of {domain} busy")
        return _judged(outcome, route)

    async def close(self) -> None:
        """QUIT on every idle connection."""
        await self._connections.close()

    # --- where to ---

    async def _route(self, domain: str) -> _Route:
        if domain.startswith("["):
            address = domain[1:-1].removeprefix("ipv6:")
            return self._usable(domain, [_literal(address)], False)
        try:
            found = await self._resolver.exchangers(domain)
            hosts = [Host(preference, name) for preference, name in found.hosts[:_HOSTS]]
            hosts = self._preferred(domain, hosts)
            hosts, doubt = await self._located(hosts)
            if not any(host.v4 or host.v6 for host in hosts):
                raise _addressless(domain, hosts, doubt)
        except NoMail as error:
            raise self._no_mail(domain, error) from error
        except NoAnswer as error:
            raise _Nowhere(retry.failed("4.4.3", error.sentence)) from error
        self._missing.pop(domain, None)
        return self._usable(domain, hosts, found.authenticated)

    def _preferred(self, domain: str, hosts: Sequence[Host]) -> list[Host]:
        """Without ourselves by name and who is behind us."""
        left = before_ours(hosts, lambda host: host.name == self._us.hostname)
        if not left:
            text = f"mail for {domain} would come back to us: its mail server in the DNS is {self._us.hostname}"
            raise _Nowhere(_refusal(554, "5.4.6", text))
        return left

    async def _located(self, hosts: Sequence[Host]) -> tuple[list[Host], str | None]:
        found = await asyncio.gather(*(self._resolver.addresses(host.name) for host in hosts))
        located = [Host(host.preference, host.name, at.v4, at.v6) for host, at in zip(hosts, found, strict=True)]
        return located, next((at.doubt for at in found if at.doubt), None)

    def _no_mail(self, domain: str, error: NoMail) -> _Nowhere:
        """An answer that proves nothing is final only when it comes again later: resolvers that have lost their own
        connection are known to say that nothing exists."""
        now = asyncio.get_running_loop().time()
        first = _remember(self._missing, domain, self._missing.get(domain, now))
        if error.proven or now - first >= self._second_hearing:
            self._missing.pop(domain, None)
            return _Nowhere(_refusal(556, error.enhanced, error.sentence))
        enhanced = "4" + error.enhanced[1:]
        return _Nowhere(retry.failed(enhanced, f"{error.sentence}, says the DNS; it is asked again before that counts"))

    def _usable(self, domain: str, hosts: Sequence[Host], authenticated: bool) -> _Route:
        """The addresses that are somebody else's and can be reached from here, in order."""
        left = before_ours(hosts, lambda host: any(self._is_ours(address) for address in host.v4 + host.v6))
        if not left:
            text = f"mail for {domain} would come back to us: {_shown(hosts)} is where this gateway listens"
            raise _Nowhere(_refusal(554, "5.4.6", text))
        foreign = [target for target in walk(left, self._shuffle) if self._is_foreign(target.address)]
        if not foreign:
            text = f"mail for {domain} would not leave this machine: its mail server's address is {_shown(hosts)}"
            raise _Nowhere(_refusal(554, "5.4.6", text))
        targets = [target for target in foreign if _has_route(target.address, self._port)]
        if not targets:
            text = f"this machine has no way to the mail servers of {domain}: {_shown(left)}"
            raise _Nowhere(retry.failed("4.4.1", text))
        now = asyncio.get_running_loop().time()
        targets.sort(key=lambda target: self._silent.get(target.address, 0.0) > now)
        site = " ".join(sorted({host.name for host in hosts}))
        return _Route(site, tuple(targets[:MOST_TRIED]), authenticated)

    def _is_ours(self, address: str) -> bool:
        address = _plain(address)
        for host, port in self._us.listeners:
            everywhere = host in ("0.0.0.0", "::") and _is_local(address)
            if port == self._port and (host == address or everywhere or (host == "localhost" and is_loopback(address))):
                return True
        return False

    def _is_foreign(self, address: str) -> bool:
        """Not loopback, nor an address that is nobody's; a port of one's own choice is for trying things out."""
        ip = ipaddress.ip_address(_plain(address))
        nobody = ip.is_unspecified or ip.is_multicast
        return not nobody and (self._port != SMTP or not ip.is_loopback)

    # --- sending ---

    def _site(self, domain: str, name: str) -> Site:
        _remember(self._site_of, domain, name)
        site = self._sites.get(name) or Site(self._most)
        if len(self._sites) >= _REMEMBERED:
            for each in [each for each, known in self._sites.items() if known.idle][: _REMEMBERED // 10]:
                del self._sites[each]
        self._sites[name] = site
        return site

    async def _send(self, route: _Route, envelope: Envelope, content: Content, until: float) -> Outcome:
        session = self._connections.take(route.site)
        if session is not None:
            outcome = await self._connections.send(route.site, session, envelope, content, until)
            if outcome is not None and not _came_to_nothing(outcome):
                return outcome
        failures = []
        for target in route.targets:
            opened = await self._open(target, target is route.targets[-1], until)
            if isinstance(opened, Outcome):
                failures.append(opened)
                continue
            outcome = await self._connections.send(route.site, opened, envelope, content, until)
            assert outcome is not None, "a new connection is never stale"
            if not _came_to_nothing(outcome):
                return outcome
            failures.append(outcome)
        refused = next((each for each in failures if retry.refuses_us(each)), None)
        return refused or next((each for each in failures if each.reply.code), failures[-1])

    async def _open(self, target: Target, last: bool, until: float) -> Session | Outcome:
        server = Server(
            host=target.name,
            address=target.address,
            port=self._port,
            hostname=self._us.hostname,
            tls="opportunistic",
            context=self._context,
            connect_deadline=self._connect,
            greeting_deadline=None if last else self._greeting,
        )
        opened = await client.open_session(server, until)
        if not isinstance(opened, Outcome):
            self._silent.pop(target.address, None)
        elif opened.reply.enhanced == "4.4.1":
            _remember(self._silent, target.address, asyncio.get_running_loop().time() + _SILENT)
        return opened


def _came_to_nothing(outcome: Outcome) -> bool:
    """Whether the connection was lost before the message can have arrived: the next address may do better."""
    lost = outcome.result is Result.TEMPORARY and outcome.scope == "hop" and not outcome.reply.code
    return lost and not outcome.possibly_sent


def _judged(outcome: Outcome, route: _Route) -> Outcome:
    """A refusal of whatever we send stops the domain, and the mail waits with the others; the names' proof is noted."""
    if route.authenticated:
        outcome = msgspec.structs.replace(outcome, tls=f"{outcome.tls} dnssec".lstrip())
    if outcome.result is not Result.DONE and retry.refuses_us(outcome):
        return msgspec.structs.replace(outcome, result=Result.TEMPORARY, scope="hop", stops=True)
    return outcome


def _addressless(domain: str, hosts: Sequence[Host], doubt: str | None) -> GatewayError:
    """What it means that none of the hosts has an address."""
    if doubt is not None:
        return NoAnswer(doubt)
    if [host.name for host in hosts] == [domain]:
        return nobody_there(domain)
    text = f"no mail server of {domain} has an address: {', '.join(host.name for host in hosts)[:200]}"
    return _Nowhere(retry.failed("4.4.4", text))


def _refusal(code: int, enhanced: str, text: str) -> Outcome:
    """The end of a delivery to a domain that takes none."""
    return Outcome(result=Result.PERMANENT, reply=Reply(code=code, enhanced=enhanced, text=text))


def _literal(text: str) -> Host:
    """The host that an address literal names (RFC 5321 §4.1.3)."""
    ip = ipaddress.ip_address(text)
    return Host(0, str(ip), (str(ip),), ()) if ip.version == 4 else Host(0, str(ip), (), (str(ip),))


def _shown(hosts: Sequence[Host]) -> str:
    return ", ".join(f"{host.name} [{address}]" for host in hosts for address in host.v6 + host.v4)[:200]


def _has_route(address: str, port: int) -> bool:
    """Whether this machine could send anything there: connecting a UDP socket sends nothing and asks for the route."""
    with socket.socket(_family(address), socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, port))
        except OSError:
            return False
    return True


def _is_local(address: str) -> bool:
    """Whether `address` is one of this machine's."""
    with socket.socket(_family(address), socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _plain(address: str) -> str:
    """`address`, as IPv4 where IPv6 only wraps it (RFC 4291 §2.5.5.2): it leads to the same place."""
    ip = ipaddress.ip_address(address)
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _remember(known: dict[str, T], key: str, value: T) -> T:
    """Note it as the newest; the oldest is forgotten when there are too many."""
    known.pop(key, None)
    known[key] = value
    if len(known) > _REMEMBERED:
        del known[next(iter(known))]
    return value
