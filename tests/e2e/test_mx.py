"""A real gateway that delivers to the recipients' own mail servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import dns_stub, peer
from tests.certificates import self_signed
from tests.dns_stub import DnsStub
from tests.e2e.conftest import Make
from tests.e2e.documents import invoice
from tests.e2e.gateway import Gateway, until
from tests.e2e.test_path import add
from tests.peer import Peer


class World:
    """A DNS that knows three domains, and the server of each."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.dns = stack.enter_context(dns_stub.in_thread(DnsStub()))
        secured = self_signed(folder, "mx.one.example")
        self.one = stack.enter_context(peer.in_thread(Peer(host="127.0.0.2", context=secured)))
        self.two = stack.enter_context(peer.in_thread(Peer(host="127.0.0.3", port=self.one.port)))
        self.three = stack.enter_context(peer.in_thread(Peer(host="127.0.0.4", port=self.one.port)))
        self.dns.mail("one.example", (20, "dead.one.example", ["127.0.0.9"]), (30, "mx.one.example", ["127.0.0.2"]))
        self.dns.mail("two.example", (10, "mx.two.example", ["127.0.0.3"]))
        self.dns.mail("three.example", (10, "mx.three.example", ["127.0.0.4"]))
        self.dns.mail("pageroonline.com", (10, "mx.two.example", ["127.0.0.3"]))
        self.dns.host("gateway.example", "127.0.0.1")

    @property
    def relay(self) -> str:
        """`[relay]` for it."""
        return f'mode = "mx"\nport = {self.one.port}\nresolvers = ["127.0.0.1:{self.dns.port}"]\ntrust_ad = true'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack, tmp_path)


def test_each_address_gets_its_mail_at_its_own_server(world: World, make_gateway: Make) -> None:
    gateway = make_gateway(relay=world.relay).start()
    add(gateway, "1042", "kund@one.example", "--cc", "chef@two.example;borta@missing.example")
    gateway.mail(("invoice.xml", invoice()))
    (first,), (second,) = world.one.wait(1), world.two.wait(1)
    assert (first.envelope.rcpt_to, second.envelope.rcpt_to) == (("kund@one.example",), ("chef@two.example",))
    assert first.content == second.content

    def ended() -> list[str]:
        (document,) = gateway.documents()
        states = sorted(each["state"] for each in document["deliveries"])
        return states if states == ["deferred", "sent", "sent"] else []

    until(ended)
    hops = {hop["next_hop"]: hop for hop in gateway.cli("queue", "list", "--hops")}
    assert list(hops) == ["missing.example"]
    assert "does not exist, says the DNS" in hops["missing.example"]["last_reply"]["text"]
    shown = gateway.cli("documents", "show", gateway.documents()[0]["id"])
    history = {each["recipient"]: each["history"][-1] for each in shown["deliveries"]}
    assert history["kund@one.example"]["peer"] == f"mx.one.example[127.0.0.2]:{world.one.port}"
    assert history["kund@one.example"]["tls"] == "TLSv1.3 TLS_AES_256_GCM_SHA384"
    assert history["chef@two.example"]["tls"] == ""
    gateway.stop()


def test_a_domain_that_refuses_us_waits_for_a_person(world: World, make_gateway: Make) -> None:
    world.three.always["RCPT"] = "550 5.7.26 you are not authenticated"
    gateway = make_gateway(relay=world.relay).start()
    add(gateway, "1042", "kund@three.example")
    gateway.mail(("invoice.xml", invoice()))
    status = until(lambda: said if "three.example" in (said := gateway.run("status").stdout) else "")
    assert "sends nothing to three.example: it refuses what we send: 550 5.7.26 you are not authenticated" in status
    assert "stopped hop=three.example code=550" in gateway.text()
    gateway.mail(("invoice.xml", invoice(number="F-78")))
    until(lambda: gateway.cli("queue", "list", "--hops")[0]["queued"] == 1)
    assert world.three.connections == 1
    del world.three.always["RCPT"]
    gateway.cli("queue", "resume", "three.example")
    gateway.cli("queue", "retry", "--next-hop", "three.example")
    assert len(world.three.wait(2)) == 2
    until(lambda: [each["state"] for each in gateway.documents()] == ["sent", "sent"])
    gateway.cli("queue", "pause", "three.example")
    gateway.mail(("invoice.xml", invoice(number="F-79")))
    until(lambda: gateway.cli("queue", "list", "--hops")[0]["queued"] == 1)
    gateway.cli("queue", "resume", "three.example")
    assert len(world.three.wait(3)) == 3
    gateway.stop()


def test_check_says_what_the_dns_says(world: World, make_gateway: Make) -> None:
    gateway: Gateway = make_gateway(relay=world.relay)
    done = gateway.run("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"the DNS answers (127.0.0.1:{world.dns.port})\n" in done.stdout
    assert "gateway.example has the address 127.0.0.1\n" in done.stdout
    assert "bounces to pageroonline.com go to mx.two.example\n" in done.stdout
    world.dns.host("gateway.example")
    world.dns.zone["pageroonline.com", "MX"] = ["0 ."]
    done = gateway.run("check")
    assert done.returncode == 1
    assert "gateway.hostname: gateway.example has no address in the DNS" in done.stderr
    assert "sender.domain: the domain pageroonline.com says in the DNS that it takes no mail" in done.stderr
    world.dns.fail["gateway.example"] = "SERVFAIL"
    done = gateway.run("check")
    said = f"the DNS does not answer for gateway.example A: 127.0.0.1:{world.dns.port} SERVFAIL"
    assert done.stderr == f"gateway: relay.resolvers: {said}\n"
