"""The order in which exchangers are tried, as a pure function."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from gateway.smtp.exchangers import Host, before_ours, in_turn, walk

_V4 = st.lists(st.integers(1, 20).map(lambda n: f"192.0.2.{n}"), max_size=5, unique=True).map(tuple)
_V6 = st.lists(st.integers(1, 20).map(lambda n: f"2001:db8::{n}"), max_size=5, unique=True).map(tuple)
_HOSTS = st.lists(
    st.builds(Host, st.integers(0, 3), st.sampled_from([f"mx{n}.example" for n in range(6)]), _V4, _V6), max_size=6
)


def as_given(hosts: list[Host]) -> None:
    """Leaves equals as they are."""


def test_by_preference_ipv6_and_ipv4_in_turn() -> None:
    hosts = [
        Host(20, "mx2", ("192.0.2.2",), ("2001:db8::2",)),
        Host(10, "mx1", ("192.0.2.1",), ("2001:db8::1",)),
    ]
    assert [target.address for target in walk(hosts, as_given)] == [
        "2001:db8::1",
        "192.0.2.1",
        "2001:db8::2",
        "192.0.2.2",
    ]


def test_the_families_of_one_host_take_turns() -> None:
    """A black hole for one family costs one address, not all that the first round has."""
    host = Host(10, "mx1", ("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2"))
    assert [target.address for target in walk([host], as_given)] == [
        "2001:db8::1",
        "192.0.2.1",
        "2001:db8::2",
        "192.0.2.2",
    ]


def test_a_host_with_many_addresses_does_not_hide_the_next() -> None:
    many = Host(10, "mx1", tuple(f"192.0.2.{n}" for n in range(1, 8)), ())
    tried = [target.address for target in walk([many, Host(20, "mx2", ("198.51.100.1",))], as_given)]
    assert tried[:3] == ["192.0.2.1", "192.0.2.2", "198.51.100.1"]
    assert tried[3:] == [f"192.0.2.{n}" for n in range(3, 8)]


def test_equals_are_shuffled_and_only_equals() -> None:
    hosts = [Host(10, "a", ("192.0.2.1",)), Host(10, "b", ("192.0.2.2",)), Host(20, "c", ("192.0.2.3",))]
    seen = {tuple(t.name for t in walk(hosts, random.Random(seed).shuffle)) for seed in range(50)}
    assert seen == {("a", "b", "c"), ("b", "a", "c")}


def test_what_is_left_over_of_one_kind_comes_at_the_end() -> None:
    assert in_turn(["a"], ["1", "2", "3"]) == ["a", "1", "2", "3"]


@given(_HOSTS, st.randoms(use_true_random=False))
def test_every_address_is_there_once_and_the_first_of_each_by_preference(
    hosts: list[Host], chance: random.Random
) -> None:
    targets = walk(hosts, chance.shuffle)
    addresses = [target.address for target in targets]
    assert len(addresses) == len(set(addresses))
    assert set(addresses) == {address for host in hosts for address in host.v4 + host.v6}
    best = {a: min(h.preference for h in hosts if a in h.v4 + h.v6) for a in addresses}
    reached = [host for host in hosts if host.v4 + host.v6]
    if reached:  # the first is one of the most preferred who can be reached at all
        assert best[addresses[0]] == min(host.preference for host in reached)


@given(st.lists(st.builds(Host, st.integers(0, 3), st.sampled_from(["us", "a", "b"])), max_size=6))
def test_nobody_behind_ourselves_is_left(hosts: list[Host]) -> None:
    ours = [host.preference for host in hosts if host.name == "us"]
    left = before_ours(hosts, lambda host: host.name == "us")
    assert left == [host for host in hosts if not ours or host.preference < min(ours)]
    assert all(host.name != "us" for host in left)
