"""Questions to the DNS about mail: which hosts take it for a domain, and at which addresses."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.rdataclass
import dns.rdatatype
import dns.resolver

from gateway.errors import Refused, Temporary

TRY = 2.0  # seconds for one question to one server
LIFETIME = 8.0  # seconds for one question in all
_CACHED = 20_000  # answers, each for as long as it says of itself
_UDP = 1232  # bytes that pass any path unfragmented
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")


class NoMail(Refused):
    """The DNS says that nothing takes mail for the domain. `proven`: it need not be asked a second time."""

    def __init__(self, sentence: str, enhanced: str, *, proven: bool) -> None:
        super().__init__(sentence)
        self.enhanced = enhanced
        self.proven = proven


class NoAnswer(Temporary):
    """The DNS did not say; this means nothing for the domain."""


@dataclass(frozen=True, slots=True)
class Exchangers:
    """The hosts that take mail for a domain, (preference, name). `authenticated`: DNSSEC vouches for this answer."""

    hosts: tuple[tuple[int, str], ...]
    authenticated: bool = False


@dataclass(frozen=True, slots=True)
class Addresses:
    """A host's addresses; `doubt` says why one of the two questions has no answer."""

    v4: tuple[str, ...] = ()
    v6: tuple[str, ...] = ()
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    records: tuple[Any, ...]
    authenticated: bool
    exists: bool


class Resolver:
    """Asks `servers` (address and port), or those of the system.

    `trust_ad`: the servers check DNSSEC and say so in the AD bit. It is believed only when all of them are this machine
    itself: on the way from any other it could be set by somebody else (RFC 6840 §5.7).
    """

    def __init__(
        self,
        servers: Sequence[tuple[str, int]] = (),
        *,
        trust_ad: bool = False,
        per_try: float = TRY,
        lifetime: float = LIFETIME,
    ) -> None:
        """NoAnswer when no servers are given and the system has none."""
        try:
            self._dns = dns.asyncresolver.Resolver(configure=not servers)
        except (dns.exception.DNSException, OSError) as error:
            raise NoAnswer(f"the system names no DNS server: {error}") from error
        if servers:
            self._dns.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in servers]
        asked = servers or [(str(server), 53) for server in self._dns.nameservers]
        self.servers = tuple(f"{host}:{port}" if port != 53 else host for host, port in asked)
        self.elsewhere = tuple(host for host, _ in asked if not is_loopback(host))  # servers on other machines
        self._trusted = trust_ad and not self.elsewhere
        self._dns.timeout = per_try
        self._lifetime = lifetime
        self._dns.retry_servfail = False
        self._dns.cache = self._cache = dns.resolver.LRUCache(_CACHED)
        self._dns.use_edns(0, dns.flags.DO if self._trusted else 0, _UDP)

    async def exchangers(self, domain: str) -> Exchangers:
        """Who takes mail for `domain`: its MX, or itself where it has none (RFC 5321 §5.1).

        NoMail when it does not exist or says that it takes none; NoAnswer when the DNS does not say.
        """
        answer = await self._ask(domain, "MX")
        if not answer.exists:
            raise NoMail(f"the domain {domain} does not exist", "5.1.2", proven=answer.authenticated)
        records = answer.records
        if not records:
            return Exchangers(((0, domain),), answer.authenticated)
        named = [(int(each.preference), each.exchange.to_text(omit_final_dot=True).lower()) for each in records]
        if all(each.exchange == dns.name.root for each in records):  # RFC 7505
            raise NoMail(f"the domain {domain} says in the DNS that it takes no mail (null MX)", "5.1.10", proven=True)
        hosts = sorted((preference, name) for preference, name in named if _NAME.fullmatch(name))
        if not hosts:
            raise NoAnswer(f"the MX records of {domain} name no host: {named[0][1][:100]!r}")
        return Exchangers(tuple(hosts), answer.authenticated)

    async def obstacle(self, domain: str) -> str | None:
        """Why no mail can go to `domain`, None when it can; NoAnswer when the DNS does not say."""
        try:
            found = await self.exchangers(domain)
            if found.hosts == ((0, domain),):
                at = await self.addresses(domain)
                if at.doubt is not None:
                    raise NoAnswer(at.doubt)
                if not at.v4 + at.v6:
                    raise nobody_there(domain)
        except NoMail as error:
            return error.sentence
        return None

    async def addresses(self, host: str) -> Addresses:
        """The addresses of `host`; a question that fails leaves the other's answer standing."""
        found: list[tuple[str, ...]] = []
        doubts: list[str] = []
        for answer in await asyncio.gather(self._addresses(host, "A"), self._addresses(host, "AAAA")):
            if isinstance(answer, NoAnswer):
                doubts.append(answer.sentence)
            found.append(() if isinstance(answer, NoAnswer) else answer)
        return Addresses(found[0], found[1], doubts[0] if doubts else None)

    async def _addresses(self, host: str, kind: str) -> tuple[str, ...] | NoAnswer:
        try:
            answer = await self._ask(host, kind)
        except NoAnswer as error:
            return error
        return tuple(str(record.address) for record in answer.records)

    async def _ask(self, name: str, kind: str) -> _Answer:
        """What the DNS says; NoAnswer when it does not."""
        try:
            asked = dns.name.from_text(name)
            async with asyncio.timeout(self._lifetime + TRY):  # its own limit is not kept when the loop stalls
                answer = await self._dns.resolve(
                    asked, kind, lifetime=self._lifetime, search=False, raise_on_no_answer=False
                )
        except dns.resolver.NXDOMAIN as error:
            self._cache.flush((asked, dns.rdatatype.ANY, dns.rdataclass.IN))  # it is to be heard twice, not kept
            vouched = all(self._vouched(response) for response in error.kwargs["responses"].values())
            return _Answer((), vouched, exists=False)
        except (dns.exception.DNSException, OSError, TimeoutError) as error:
            raise NoAnswer(f"the DNS does not answer for {name} {kind}: {_why(error)}") from error
        return _Answer(tuple(answer.rrset or ()), self._vouched(answer.response), exists=True)

    def _vouched(self, response: dns.message.Message) -> bool:
        return self._trusted and bool(response.flags & dns.flags.AD)


def nobody_there(domain: str) -> NoMail:
    """What it means that `domain` has no MX, and no address either."""
    return NoMail(f"the domain {domain} has neither a mail server nor an address", "5.1.2", proven=False)


def is_loopback(address: str) -> bool:
    """Whether `address` is an address of this machine that no other can use."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _why(error: Exception) -> str:
    """The servers' faults in few words."""
    faults: list[Any] = list(getattr(error, "kwargs", {}).get("errors", ()))
    said = [
        f"{fault[0].removeprefix('Do53:').replace('@', ':')} {_fault(fault[3])}" for fault in faults if len(fault) > 3
    ]
    return "; ".join(dict.fromkeys(said)) or ("timed out" if isinstance(error, TimeoutError) else str(error)[:200])


def _fault(fault: Any) -> str:
    if isinstance(fault, str):  # a response code
        return fault
    if isinstance(fault, dns.exception.Timeout):
        return "timed out"
    return fault.strerror or str(fault) if isinstance(fault, OSError) else str(fault) or type(fault).__name__
