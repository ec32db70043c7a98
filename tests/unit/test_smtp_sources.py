"""Which source a client address belongs to."""

from __future__ import annotations

import ipaddress

import pytest

from gateway.smtp.sources import SourceTable, client_address
from tests.smtp_talk import network


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("10.0.0.9", "host"),
        ("10.0.0.8", "lan"),
        ("10.9.9.9", "wide"),
        ("11.0.0.1", None),
        ("::ffff:10.0.0.9", "host"),
        ("fd00::1:2", "six"),
        ("fd00::", "six"),
        ("fe80::1%eth0", "link"),
        ("2001:db8::1", None),
        ("192.168.3.4", "mapped"),
        ("::10.0.0.9", None),
        ("no address", None),
    ],
)
def test_the_most_specific_network_wins(host: str, name: str | None) -> None:
    table = SourceTable(
        [
            network("wide", "10.0.0.0/8"),
            network("lan", "10.0.0.0/24"),
            network("host", "10.0.0.9", "10.0.0.10/32"),
            network("six", "fd00::/16"),
            network("link", "fe80::/10"),
            network("mapped", "::ffff:192.168.0.0/112"),
            network("late", "10.0.0.0/24"),
        ]
    )
    address = client_address(host)
    source = table.match(address) if address else None
    assert (source and source.name) == name


def test_a_default_network_takes_what_no_other_does() -> None:
    table = SourceTable([network("any", "0.0.0.0/0"), network("lan", "10.0.0.0/8")])
    assert [
        getattr(table.match(ipaddress.ip_address(host)), "name", None) for host in ("9.9.9.9", "10.1.1.1", "::1")
    ] == ["any", "lan", None]
