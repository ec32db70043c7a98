"""Questions to a real DNS server on loopback, with all that it may answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import dns.flags
import pytest

from gateway.smtp import resolver as resolver_module
from gateway.smtp.resolver import Addresses, Exchangers, NoAnswer, NoMail, Resolver
from tests.dns_stub import DnsStub


@pytest.fixture
async def stub() -> AsyncIterator[DnsStub]:
    async with DnsStub() as made:
        yield made


def asking(stub: DnsStub, **values: Any) -> Resolver:
    return Resolver([stub.server], **{"per_try": 0.2, "lifetime": 0.5, **values})


async def test_mx_records_by_preference_in_lower_case(stub: DnsStub) -> None:
    stub.zone["a.example", "MX"] = ["20 MX2.a.example.", "10 mx1.a.example."]
    found = await asking(stub).exchangers("a.example")
    assert found == Exchangers(((10, "mx1.a.example"), (20, "mx2.a.example")))


async def test_without_mx_the_domain_is_its_own_exchanger(stub: DnsStub) -> None:
    stub.zone["a.example", "A"] = ["192.0.2.1"]
    assert (await asking(stub).exchangers("a.example")).hosts == ((0, "a.example"),)


async def test_null_mx_and_a_missing_domain_take_no_mail(stub: DnsStub) -> None:
    stub.zone["null.example", "MX"] = ["0 ."]
    with pytest.raises(NoMail) as null:
        await asking(stub).exchangers("null.example")
    assert (null.value.enhanced, null.value.proven) == ("5.1.10", True)
    with pytest.raises(NoMail) as missing:
        await asking(stub).exchangers("missing.example")
    assert (missing.value.enhanced, missing.value.proven) == ("5.1.2", False)
    assert missing.value.sentence == "the domain missing.example does not exist"


async def test_a_root_beside_hosts_is_passed_over_as_are_names_that_are_none(stub: DnsStub) -> None:
    stub.zone["a.example", "MX"] = ["0 .", "10 mx.a.example.", r"5 \000evil.example.", r"5 a\.b.example."]
    assert (await asking(stub).exchangers("a.example")).hosts == ((10, "mx.a.example"),)
    stub.zone["b.example", "MX"] = [r"5 \000evil.example."]
    with pytest.raises(NoAnswer, match="name no host"):
        await asking(stub).exchangers("b.example")


@pytest.mark.parametrize(
    ("fault", "said"), [("SERVFAIL", "SERVFAIL"), ("REFUSED", "REFUSED"), ("silent", "timed out"), ("FORMERR", "")]
)
async def test_a_dns_that_does_not_say_says_nothing(stub: DnsStub, fault: str, said: str) -> None:
    stub.fail["a.example"] = fault
    with pytest.raises(NoAnswer) as error:
        await asking(stub).exchangers("a.example")
    assert error.value.sentence.startswith("the DNS does not answer for a.example MX: ")
    assert said in error.value.sentence
    if said:
        assert f"127.0.0.1:{stub.port} {said}" in error.value.sentence


async def test_the_second_server_answers_when_the_first_does_not(stub: DnsStub) -> None:
    stub.zone["a.example", "MX"] = ["10 mx.a.example."]
    async with DnsStub() as broken:
        broken.fail["a.example"] = "SERVFAIL"
        both = Resolver([broken.server, stub.server], per_try=0.2, lifetime=1.0)
        assert (await both.exchangers("a.example")).hosts == ((10, "mx.a.example"),)
        assert broken.asked


async def test_an_answer_too_long_for_udp_is_asked_for_over_tcp(stub: DnsStub) -> None:
    stub.truncate = True
    stub.zone["a.example", "MX"] = [f"{n} mx{n}.a.example." for n in range(1, 90)]
    assert len((await asking(stub).exchangers("a.example")).hosts) == 89
    assert stub.over_tcp == 1


async def test_addresses_of_both_kinds_and_one_question_may_fail(stub: DnsStub) -> None:
    stub.host("mx.example", "192.0.2.1", "2001:db8::1", "192.0.2.2")
    found = await asking(stub).addresses("mx.example")
    assert (sorted(found.v4), found.v6, found.doubt) == (["192.0.2.1", "192.0.2.2"], ("2001:db8::1",), None)
    stub.fail["mx.example AAAA"] = "SERVFAIL"
    found = await asking(stub).addresses("mx.example")
    assert (sorted(found.v4), found.v6) == (["192.0.2.1", "192.0.2.2"], ())
    assert found.doubt is not None
    assert "SERVFAIL" in found.doubt
    assert await asking(stub).addresses("missing.example") == Addresses()


async def test_an_answer_is_kept_as_long_as_it_says_but_not_that_nothing_exists(stub: DnsStub) -> None:
    stub.zone["a.example", "MX"] = ["10 mx.a.example."]
    one = asking(stub)
    for _ in range(3):
        await one.exchangers("a.example")
        with pytest.raises(NoMail):
            await one.exchangers("missing.example")
    assert [name for name, _ in stub.asked].count("a.example") == 1
    assert [name for name, _ in stub.asked].count("missing.example") == 3
    stub.ttl = 0
    fresh = asking(stub)
    await fresh.exchangers("a.example")
    await fresh.exchangers("a.example")
    assert [name for name, _ in stub.asked].count("a.example") == 3


async def test_ad_counts_only_when_the_resolver_is_trusted(stub: DnsStub) -> None:
    stub.zone["a.example", "MX"] = ["10 mx.a.example."]
    stub.authentic = True
    assert not (await asking(stub).exchangers("a.example")).authenticated
    assert not stub.flags[-1] & dns.flags.DO
    trusting = asking(stub, trust_ad=True)
    assert (await trusting.exchangers("a.example")).authenticated
    assert stub.flags[-1] & dns.flags.DO
    with pytest.raises(NoMail) as missing:
        await trusting.exchangers("missing.example")
    assert missing.value.proven
    stub.authentic = False
    assert not (await asking(stub, trust_ad=True).exchangers("a.example")).authenticated


def test_ad_of_another_machine_is_not_believed() -> None:
    assert Resolver([("::1", 53), ("127.0.0.53", 53)], trust_ad=True)._trusted
    mixed = Resolver([("127.0.0.1", 53), ("192.0.2.53", 53)], trust_ad=True)
    assert (mixed._trusted, mixed.elsewhere) == (False, ("192.0.2.53",))


async def test_a_name_that_cannot_be_asked_for_is_no_answer(stub: DnsStub) -> None:
    with pytest.raises(NoAnswer):
        await asking(stub).exchangers("a..example")
    assert not stub.asked


def test_the_servers_of_the_system_are_asked_when_none_are_named() -> None:
    lines = Path("/etc/resolv.conf").read_text().splitlines() if Path("/etc/resolv.conf").exists() else []
    named = [line.split()[1] for line in lines if line.startswith("nameserver")]
    if named:
        assert set(Resolver().servers) == set(named)


async def test_the_time_is_kept_though_the_servers_are_many(stub: DnsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    stub.fail["a.example"] = "silent"
    monkeypatch.setattr(resolver_module, "TRY", 0.1)
    begun = asyncio.get_running_loop().time()
    with pytest.raises(NoAnswer):
        await Resolver([stub.server] * 20, per_try=0.2, lifetime=0.4).exchangers("a.example")
    assert asyncio.get_running_loop().time() - begun < 5.0
