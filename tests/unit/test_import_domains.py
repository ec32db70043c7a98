"""Addresses of a list to which no mail can go: warnings from a real DNS, and silence without one."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway import config
from gateway.admin import domains, imports
from gateway.admin.running import Running
from gateway.errors import Refused
from gateway.model import Recipient
from gateway.smtp.resolver import Resolver
from gateway.store import Store, companies
from gateway.store.batches import Planned
from gateway.workers import Pool
from tests.dns_stub import DnsStub

SMARTHOST = config.Relay(mode="smarthost", host="smtp://relay.example:587")
COLUMNS = {"number": "A", "email": "B", "cc": "C"}


@pytest.fixture
async def dns() -> AsyncIterator[DnsStub]:
    async with DnsStub() as stub:
        stub.mail("good.example", (10, "mx.good.example", ["192.0.2.1"]))
        stub.host("plain.example", "192.0.2.2")
        stub.zone["null.example", "MX"] = ["0 ."]
        stub.zone["web.example", "TXT"] = ['"no mail here"']
        yield stub


@pytest.fixture
def resolver(dns: DnsStub) -> Resolver:
    return Resolver([dns.server], per_try=0.2, lifetime=0.5)


async def asked(resolver: Resolver, *names: str) -> dict[str, str]:
    return await domains.ask(resolver, list(names))


async def test_only_domains_to_which_no_mail_can_go_are_named(resolver: Resolver) -> None:
    found = await asked(
        resolver, "good.example", "plain.example", "null.example", "web.example", "typo.example", "good.example"
    )
    assert found == {
        "null.example": "the domain null.example says in the DNS that it takes no mail (null MX)",
        "web.example": "the domain web.example has neither a mail server nor an address",
        "typo.example": "the domain typo.example does not exist",
    }


async def test_a_dns_that_answers_nothing_is_not_asked_for_long_and_says_nothing(
    dns: DnsStub, resolver: Resolver
) -> None:
    names = [f"d{number}.example" for number in range(100)]
    for name in names:
        dns.fail[name] = "SERVFAIL"
    assert await asked(resolver, *names) == {}
    assert len(dns.asked) <= 25


async def test_a_domain_of_which_the_dns_does_not_say_is_no_warning(dns: DnsStub, resolver: Resolver) -> None:
    dns.fail["broken.example"] = "SERVFAIL"
    dns.fail["plain.example A"] = "SERVFAIL"
    dns.zone["plain.example", "A"] = []
    assert list(await asked(resolver, "good.example", "broken.example", "plain.example", "typo.example")) == [
        "typo.example"
    ]


async def test_a_dns_to_which_nothing_exists_is_not_believed(resolver: Resolver) -> None:
    assert await asked(resolver, "a.nowhere", "b.nowhere", "c.nowhere") == {}
    assert list(await asked(resolver, "a.nowhere", "good.example", "c.nowhere")) == ["a.nowhere", "c.nowhere"]
    assert list(await asked(resolver, "a.nowhere")) == ["a.nowhere"]


async def test_the_time_is_bounded(dns: DnsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domains, "SECONDS", 0.3)
    dns.fail["silent.example"] = "silent"
    patient = Resolver([dns.server], per_try=60.0, lifetime=60.0)
    async with asyncio.timeout(30):
        assert list(await asked(patient, "silent.example", "typo.example", "good.example")) == ["typo.example"]


def test_the_number_is_bounded_and_the_commonest_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domains, "MOST", 2)
    monkeypatch.setattr(domains, "_NOTED", 4)
    noted = domains.Domains()
    counts = {"a.example": 1, "b.example": 3, "c.example": 2, "d.example": 1, "e.example": 9}
    for name, count in counts.items():
        for _ in range(count):
            noted.note(planned(2, f"x@{name}"), COLUMNS)
    assert noted.chosen() == ["b.example", "c.example"]
    assert "e.example" not in noted.places


def planned(line: int, *emails: str, cc: tuple[str, ...] = (), kind: str = "create") -> Any:
    return Planned(kind, line, Recipient(number=str(line), email=emails, cc=cc))


async def test_a_warning_stands_at_the_first_cell_and_counts_the_others(resolver: Resolver) -> None:
    noted = domains.Domains()
    noted.note(planned(2, "x@good.example", cc=("y@typo.example",)), COLUMNS)
    noted.note(planned(3, "x@typo.example", "y@null.example"), COLUMNS)
    noted.note(planned(4, "x@web.example", kind="unchanged"), COLUMNS)
    found = await domains.warnings(resolver, noted, COLUMNS)
    assert [(each.cell, each.code, each.is_error) for each in found] == [
        ("B3", "W-DOMAIN", False),
        ("C2", "W-DOMAIN", False),
    ]
    assert found[1].sentence == "No mail can go there: the domain typo.example does not exist (2 addresses)."


# --- the whole preview -------------------------------------------------------------------------------------


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    made = Pool(1)
    made.start()
    yield made
    await made.close()


LIST = b"number,email\n1,a@good.example\n2,b@typo.example\n3,c@typo.example\n"


async def preview(running: Running, **query: str) -> list[dict[str, Any]]:
    return [step async for step in imports.preview(running, {"type": "invoice", "name": "l.csv", **query}, LIST)]


async def test_a_preview_warns_and_can_be_applied_all_the_same(
    store: Store, pool: Pool, dns: DnsStub, resolver: Resolver
) -> None:
    await store.write(companies.ensure_company, "default", dt.datetime.now(dt.UTC))
    running = Running(store=store, config=config.Config(relay=SMARTHOST), pool=pool, resolver=resolver)
    steps = await preview(running)
    assert {"state": "asking", "done": 0, "total": 2} in steps
    assert (steps[-1]["counts"]["warnings"], steps[-1]["counts"]["errors"]) == (1, 0)
    (finding,) = [row async for page in imports.list_findings(running, steps[-1]["id"], {}) for row in page]
    assert finding == {
        "row": 3,
        "cell": "B3",
        "code": "W-DOMAIN",
        "sentence": "No mail can go there: the domain typo.example does not exist (2 addresses).",
    }
    before = len(dns.asked)
    for quiet in (
        await preview(running, domains="skip"),
        await preview(Running(store=store, config=config.Config(), pool=pool, resolver=resolver)),
        await preview(Running(store=store, config=config.Config(relay=SMARTHOST), pool=pool)),
    ):
        assert quiet[-1]["counts"]["warnings"] == 0
    assert len(dns.asked) == before
    captured = Running(store=store, config=config.Config(), pool=pool, resolver=resolver)
    assert (await preview(captured, domains="check"))[-1]["counts"]["warnings"] == 1
    with pytest.raises(Refused, match="domains is check or skip"):
        await preview(running, domains="maybe")
