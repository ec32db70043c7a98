"""How much of the door one client may use: bounds, and what is counted by address (design D18). No clock inside."""

from __future__ import annotations

import ipaddress
from collections import Counter, OrderedDict, deque

from gateway.config import MIB, Rate, Section

MINUTE = 60.0
FORGET = 900.0  # seconds after which a wrong password is forgotten
REMEMBERED = 10_000  # addresses kept at most


class Limits(Section, frozen=True, kw_only=True):
    """Bounds of the door; seconds and bytes."""

    command_timeout: float = 60.0
    data_timeout: float = 30.0  # after each such time `data_rate` is looked at
    data_rate: int = 1000  # bytes a second that DATA has to bring
    handshake_timeout: int = 10  # TLS
    tls_linger: int = 5  # for the end of TLS to be answered
    proxy_timeout: float = 5.0  # the header of the PROXY protocol
    session_timeout: float = 1200.0
    linger: float = 5.0  # for a last reply to be read
    lenient_pause: float = 1.0  # silence after LF.LF that makes it an end
    connections: int = 200  # of all sources together
    address_connections: int = 20  # of one address that no source lists
    address_rate: int = 60  # connections a minute of one such address
    recipients: int = 100  # of one transaction
    errors: int = 20  # refused commands in one session of a client that no source lists
    auth_errors: int = 3  # wrong passwords in one session
    auth_rate: int = 20  # wrong passwords a minute of one address
    auth_delay: float = 1.0  # after the first wrong password, twice as much after each further one
    auth_delay_most: float = 30.0
    content_line: int = 200_000_000  # content without a CRLF: nobody means more
    memory: int = 64 * MIB  # of contents in flight
    files: int = 1024 * MIB
    spool_above: int = 256 * 1024  # a larger content waits in a temporary file


def neighbourhood(host: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)


class Window:
    """Moments per key within the last `span` seconds, of at most REMEMBERED keys."""

    def __init__(self, span: float) -> None:
        self._span = span
        self._moments: OrderedDict[object, deque[float]] = OrderedDict()

    def add(self, key: object, now: float) -> None:
        """Counts one more moment."""
        self._moments.setdefault(key, deque()).append(now)
        self._moments.move_to_end(key)
        while len(self._moments) > REMEMBERED:
            self._moments.popitem(last=False)

    def count(self, key: object, now: float) -> int:
        """How many there are."""
        moments = self._moments.get(key)
        if moments is None:
            return 0
        while moments and moments[0] <= now - self._span:
            moments.popleft()
        if not moments:
            del self._moments[key]
        return len(moments)

    def forget(self, key: object) -> None:
        """Starts from nothing."""
        self._moments.pop(key, None)


class Strangers:
    """Connections of addresses that no source lists."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: Counter[str] = Counter()
        self._arrivals = Window(MINUTE)

    def arrive(self, host: str, now: float) -> str | None:
        """Counts a connection in, or says why it may not stay."""
        key = neighbourhood(host)
        if self._open[key] >= self._limits.address_connections:
            return f"{self._open[key]} connections of this address are open"
        if self._arrivals.count(key, now) >= self._limits.address_rate:
            return f"{self._limits.address_rate} connections of this address in a minute"
        self._arrivals.add(key, now)
        self._open[key] += 1
        return None

    def leave(self, host: str) -> None:
        """A counted connection is closed."""
        key = neighbourhood(host)
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]


class Guesses:
    """Wrong passwords, by address and by address and user: never by user alone, or anybody could lock one out."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._addresses = Window(MINUTE)
        self._users = Window(FORGET)

    def too_many(self, host: str, now: float) -> bool:
        """Whether this address may not even try just now."""
        return self._addresses.count(neighbourhood(host), now) >= self._limits.auth_rate

    def failed(self, host: str, user: str, now: float) -> float:
        """Counts a wrong password; gives the seconds that its answer has to wait."""
        key = neighbourhood(host)
        self._addresses.add(key, now)
        self._users.add((key, user), now)
        doublings = min(20, self._users.count((key, user), now) - 1)
        return min(self._limits.auth_delay_most, self._limits.auth_delay * 2.0**doublings)

    def right(self, host: str, user: str) -> None:
        """The right password makes the wrong ones of this user forgotten."""
        self._users.forget((neighbourhood(host), user))


class Bucket:
    """A source's rate: `mails` at once, filled again over `seconds`."""

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._left = float(rate.mails)
        self._at = now

    def has(self, now: float) -> bool:
        """Whether one more mail may come."""
        self._left = min(self._rate.mails, self._left + (now - self._at) * self._rate.mails / self._rate.seconds)
        self._at = now
        return self._left >= 1.0

    def take(self) -> None:
        """One has come."""
        self._left -= 1.0
