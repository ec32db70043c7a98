"""`gateway check` about the DNS, where the end-to-end test does not reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.cli.check import check_dns
from gateway.config import Config, DnsServer, Gateway, Relay
from tests.dns_stub import DnsStub, in_thread


@pytest.fixture
def dns() -> Iterator[DnsStub]:
    with in_thread(DnsStub()) as stub:
        stub.host("gateway.example", "192.0.2.1")
        stub.mail("pageroonline.com", (10, "mx.example", []))
        yield stub


def asking(dns: DnsStub, *others: str, mode: str = "mx") -> Config:
    servers = (DnsServer(host="127.0.0.1", port=dns.port), *(DnsServer(host=host) for host in others))
    relay = Relay(mode=mode, resolvers=servers, trust_ad=True)  # type: ignore[arg-type]
    return Config(gateway=Gateway(hostname="gateway.example"), relay=relay)


def test_nobody_is_asked_where_no_mail_goes_by_the_dns(dns: DnsStub) -> None:
    assert check_dns(asking(dns, mode="smarthost")) == ([], [])
    assert dns.asked == []


def test_a_resolver_elsewhere_is_not_believed(dns: DnsStub) -> None:
    good, bad = check_dns(asking(dns, "192.0.2.53"))
    assert bad == ["relay.trust_ad: the DNS server 192.0.2.53 is another machine, so DNSSEC is not believed."]
    assert good[0] == f"the DNS answers (127.0.0.1:{dns.port}, 192.0.2.53)"


def test_a_sender_of_whom_the_dns_does_not_say(dns: DnsStub) -> None:
    dns.fail["pageroonline.com"] = "SERVFAIL"
    good, bad = check_dns(asking(dns))
    assert len(good) == 2
    assert bad == [f"relay.resolvers: the DNS does not answer for pageroonline.com MX: 127.0.0.1:{dns.port} SERVFAIL"]
