"""Where mail for a domain may go, in which order: pure functions over what the DNS said (RFC 5321 §5.1)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Shuffle = Callable[[list["Host"]], None]

_FIRST_ROUND = 2  # addresses of a host that are tried before the next host is


@dataclass(frozen=True, slots=True)
class Host:
    """One mail exchanger and its addresses as text; the smaller `preference` comes first."""

    preference: int
    name: str
    v4: tuple[str, ...] = ()
    v6: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """One address to connect to; `name` is the host's, for TLS and for people."""

    name: str
    address: str


def before_ours(hosts: Sequence[Host], is_ours: Callable[[Host], bool]) -> list[Host]:
    """The hosts that are preferred to ourselves (RFC 5321 §5.1): what is behind us would come back to us."""
    ours = min((host.preference for host in hosts if is_ours(host)), default=None)
    return [host for host in hosts if ours is None or host.preference < ours]


def walk(hosts: Sequence[Host], shuffle: Shuffle) -> list[Target]:
    """Every address once, in the order in which they are tried.

    By preference, equals in the order that `shuffle` gives them; IPv6 and IPv4 in turn. A host with many addresses
    gives two at first and the others at the end: those who try only the first few come by the second host too.
    """
    first: list[Target] = []
    others: list[Target] = []
    for _, level in itertools.groupby(sorted(hosts, key=lambda host: host.preference), lambda host: host.preference):
        equals = list(level)
        shuffle(equals)
        for host in equals:
            targets = [Target(host.name, address) for address in in_turn(host.v6, host.v4)]
            first += targets[:_FIRST_ROUND]
            others += targets[_FIRST_ROUND:]
    once: dict[str, Target] = {}
    for target in first + others:
        once.setdefault(target.address, target)
    return list(once.values())


def in_turn(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """One of each in turn, what is left over at the end."""
    pairs = itertools.zip_longest(one, other)
    return [address for pair in pairs for address in pair if address is not None]
