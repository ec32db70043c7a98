"""Delivery to the recipients' own mail exchangers: real DNS packets, real servers on addresses of loopback."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.model import Envelope, Outcome, Result
from gateway.smtp import client
from gateway.smtp.resolver import Resolver
from gateway.transports import mx as mx_module
from gateway.transports import opportunistic_context
from gateway.transports.mx import Mx, Us
from tests.certificates import self_signed
from tests.dns_stub import DnsStub
from tests.peer import Drip, Drop, Hang, Last, Peer

MESSAGE = b"From: a@gw.example\r\nSubject: hello\r\n\r\nhello\r\n"


class World:
    """A DNS, servers at addresses of loopback that share one port, and the transport that is tried on them."""

    def __init__(self, stack: AsyncExitStack, dns: DnsStub) -> None:
        self.stack = stack
        self.dns = dns
        self.port = 0
        self.peers: dict[str, Peer] = {}

    async def peer(self, host: str, **values: Any) -> Peer:
        """A server at `host`."""
        peer = await self.stack.enter_async_context(Peer(host=host, port=self.port, **values))
        self.port = peer.port
        self.peers[host] = peer
        return peer

    def black_hole(self, host: str) -> None:
        """A server whose queue of new connections is full: what comes is neither taken nor refused."""
        hole = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.stack.callback(hole.close)
        hole.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        hole.bind((host, self.port))
        self.port = hole.getsockname()[1]
        hole.listen(0)
        for _ in range(3):
            filler = socket.socket(hole.family)
            self.stack.callback(filler.close)
            filler.setblocking(False)
            filler.connect_ex((host, self.port))

    def transport(self, **values: Any) -> Mx:
        """The transport; made after the servers, whose port it must know."""
        us = values.pop("us", Us("gw.example"))
        asked = {"trust_ad": values.pop("trust_ad", False), "lifetime": values.pop("dns", 8.0)}
        resolver = Resolver([self.dns.server], **asked)
        given = {"port": self.port, "shuffle": lambda hosts: None} | values
        made = Mx(resolver, us, opportunistic_context(), **given)
        self.stack.push_async_callback(made.close)
        return made


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(stack, await stack.enter_async_context(DnsStub()))


async def send(mx: Mx, to: str = "b@one.example", message: bytes = MESSAGE) -> Outcome:
    return await mx.deliver(Envelope(mail_from="bounce@gw.example", rcpt_to=(to,)), message)


def forward(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Move the loop's clock on."""
    loop = asyncio.get_running_loop()
    then = loop.time
    monkeypatch.setattr(loop, "time", lambda: then() + seconds)


def summary(outcome: Outcome) -> tuple[Result, str, int, str | None]:
    return outcome.result, outcome.scope, outcome.reply.code, outcome.reply.enhanced


# --- where to ----------------------------------------------------------------------------------------------


async def test_a_mail_goes_to_the_exchanger_of_its_domain(world: World) -> None:
    peer = await world.peer("127.0.0.2")
    world.dns.mail("one.example", (10, "mx.one.example", ["127.0.0.2"]))
    mx = world.transport()
    outcome = await send(mx)
    assert summary(outcome) == (Result.DONE, "address", 250, "2.0.0")
    assert outcome.peer == f"mx.one.example[127.0.0.2]:{world.port}"
    assert peer.mails[0].envelope.rcpt_to == ("b@one.example",)
    assert peer.mails[0].content == MESSAGE
    assert mx.next_hop("B@One.Example") == "one.example"


async def test_the_best_exchanger_is_asked_first_the_others_when_it_is_not_there(world: World) -> None:
    second = await world.peer("127.0.0.3")
    world.dns.mail("one.example", (20, "mx2.one.example", ["127.0.0.3"]), (10, "mx1.one.example", ["127.0.0.2"]))
    assert (await send(world.transport())).peer == f"mx2.one.example[127.0.0.3]:{world.port}"
    assert len(second.mails) == 1


async def test_a_dead_exchanger_a_refusing_one_and_a_black_hole_only_cost_time(world: World) -> None:
    """P17: the deadline for a connection is 30 s, so that two of them and what answers at once stay below 65 s."""
    good = await world.peer("127.0.0.4")
    refusing = await world.peer("127.0.0.3")
    refusing.always["CONNECT"] = Last("554 5.3.2 not here")
    world.black_hole("127.0.0.2")
    world.black_hole("::1")
    world.dns.mail(
        "one.example",
        (10, "mx1.one.example", ["127.0.0.2"]),
        (20, "mx2.one.example", ["127.0.0.3"]),
        (30, "mx3.one.example", ["::1", "127.0.0.4"]),
    )
    mx = world.transport(connect=0.3)
    begun = asyncio.get_running_loop().time()
    assert (await send(mx)).result is Result.DONE
    assert asyncio.get_running_loop().time() - begun >= 0.6  # both holes were waited for
    assert 2 * client.CONNECT_DEADLINE < 65
    assert len(good.mails) == 1
    assert refusing.connections == 1


async def test_without_mx_the_domain_itself_is_the_exchanger(world: World) -> None:
    peer = await world.peer("127.0.0.2")
    world.dns.host("one.example", "127.0.0.2")
    assert (await send(world.transport())).result is Result.DONE
    assert len(peer.mails) == 1


async def test_null_mx_ends_the_delivery(world: World) -> None:
    world.dns.zone["one.example", "MX"] = ["0 ."]
    world.dns.host("one.example", "127.0.0.2")
    outcome = await send(world.transport(port=2525))
    assert summary(outcome) == (Result.PERMANENT, "address", 556, "5.1.10")
    assert outcome.reply.text == "the domain one.example says in the DNS that it takes no mail (null MX)"


# --- who the answer concerns -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "reply", "expected", "stops"),
    [
        ("RCPT", "550 5.1.1 no such user", (Result.PERMANENT, "address", 550, "5.1.1"), False),
        ("RCPT", "550 no such user", (Result.PERMANENT, "address", 550, None), False),
        ("RCPT", "552 5.2.2 mailbox full", (Result.TEMPORARY, "address", 552, "5.2.2"), False),
        ("RCPT", "450 4.7.1 greylisted", (Result.TEMPORARY, "address", 450, "4.7.1"), False),
        ("RCPT", "550 5.7.13 account disabled", (Result.PERMANENT, "message", 550, "5.7.13"), False),
        ("RCPT", "550 5.7.1 we know you", (Result.TEMPORARY, "hop", 550, "5.7.1"), True),
        ("RCPT", "421 4.3.2 too much at once", (Result.TEMPORARY, "hop", 421, "4.3.2"), False),
        ("MAIL", "550 5.7.26 not authenticated", (Result.TEMPORARY, "hop", 550, "5.7.26"), True),
        ("MAIL", "550 5.1.8 your domain is none", (Result.TEMPORARY, "hop", 550, "5.1.8"), False),
        ("DOT", "550 5.7.515 not authenticated", (Result.TEMPORARY, "hop", 550, "5.7.515"), True),
        ("DOT", "554 5.6.0 not this content", (Result.PERMANENT, "message", 554, "5.6.0"), False),
        ("DOT", "451 4.3.0 try later", (Result.TEMPORARY, "message", 451, "4.3.0"), False),
    ],
)
async def test_what_a_server_says_of_the_mail_is_the_answer(
    world: World, stage: str, reply: str, expected: tuple[Any, ...], stops: bool
) -> None:
    first, second = await world.peer("127.0.0.2"), await world.peer("127.0.0.3")
    first.always[stage] = reply
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]), (20, "mx2.one.example", ["127.0.0.3"]))
    outcome = await send(world.transport())
    assert summary(outcome) == expected
    assert outcome.stops is stops
    assert second.connections == 0


@pytest.mark.parametrize(
    ("stage", "action"),
    [
        ("CONNECT", Last("421 4.3.2 busy")),
        ("CONNECT", Last("554 5.7.1 we know you")),
        ("CONNECT", Hang()),
        ("EHLO", "550 5.7.1 what is your name?"),
        ("EHLO", Drop()),
        ("MAIL", Drop()),
        ("DATA", Drop()),
    ],
)
async def test_a_server_that_takes_no_mail_at_all_gives_way_to_the_next(world: World, stage: str, action: Any) -> None:
    first, second = await world.peer("127.0.0.2"), await world.peer("127.0.0.3")
    first.always[stage] = action
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]), (20, "mx2.one.example", ["127.0.0.3"]))
    patience = {"greeting": 0.3} if isinstance(action, Hang) else {}
    assert (await send(world.transport(**patience))).result is Result.DONE
    assert (first.connections, len(second.mails)) == (1, 1)


async def test_a_connection_lost_after_the_dot_is_no_reason_for_a_copy_at_the_next_server(world: World) -> None:
    first, second = await world.peer("127.0.0.2"), await world.peer("127.0.0.3")
    first.always["DOT"] = Drop()
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]), (20, "mx2.one.example", ["127.0.0.3"]))
    outcome = await send(world.transport())
    assert (outcome.result, outcome.possibly_sent) == (Result.TEMPORARY, True)
    assert second.connections == 0


async def test_when_all_refuse_the_refusal_of_us_is_told_before_a_failure_of_the_network(world: World) -> None:
    for number, action in ((2, Last("421 4.3.2 busy")), (3, Last("554 5.7.1 we know you")), (4, Drop())):
        (await world.peer(f"127.0.0.{number}")).always["CONNECT"] = action
    hosts = [(10 * n, f"mx{n}.one.example", [f"127.0.0.{n}"]) for n in (2, 3, 4)]
    world.dns.mail("one.example", *hosts)
    mx = world.transport()
    outcome = await send(mx)
    assert (summary(outcome), outcome.stops) == ((Result.TEMPORARY, "hop", 554, "5.7.1"), True)
    world.peers["127.0.0.3"].always["CONNECT"] = Drop()
    assert summary(await send(mx)) == (Result.TEMPORARY, "hop", 421, "4.3.2")
    world.peers["127.0.0.2"].always["CONNECT"] = Drop()
    assert summary(await send(mx))[2:] == (0, "4.4.2")


# --- how many, how long ------------------------------------------------------------------------------------


async def test_five_addresses_are_tried_and_no_more(world: World) -> None:
    peers = [await world.peer(f"127.0.0.{number}") for number in range(11, 18)]
    for peer in peers:
        peer.always["CONNECT"] = Last("421 4.3.2 busy")
    world.dns.mail("one.example", *((n, f"mx{n}.one.example", [f"127.0.0.{n}"]) for n in range(11, 18)))
    assert summary(await send(world.transport())) == (Result.TEMPORARY, "hop", 421, "4.3.2")
    assert [peer.connections for peer in peers] == [1, 1, 1, 1, 1, 0, 0]


async def test_an_address_without_a_route_is_not_tried(world: World) -> None:
    peer = await world.peer("127.0.0.2")
    nowhere = [f"fe80::{n}" for n in range(1, 8)]  # link-local: without a zone there is no way to it
    world.dns.mail("one.example", *((n, f"mx{n}.one.example", [nowhere[n]]) for n in range(7)))
    mx = world.transport()
    outcome = await send(mx)
    assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.4.1")
    assert outcome.reply.text.startswith("this machine has no way to the mail servers of one.example: mx0.one.example")
    world.dns.mail("two.example", *((n, f"n{n}.two.example", [nowhere[n]]) for n in range(7)))
    world.dns.zone["two.example", "MX"].append("9 n9.two.example.")
    world.dns.host("n9.two.example", "127.0.0.2")
    assert (await send(mx, "b@two.example")).result is Result.DONE
    assert len(peer.mails) == 1


async def test_an_address_that_was_silent_is_tried_last_the_next_time(world: World) -> None:
    good = await world.peer("127.0.0.3")
    world.black_hole("127.0.0.2")
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]), (20, "mx2.one.example", ["127.0.0.3"]))
    good.script["DOT"] = ["250 ok", Last("451 4.3.0 later")]
    mx = world.transport(connect=0.3)
    assert (await send(mx)).result is Result.DONE
    await mx.close()
    mx._connect = 60.0
    assert (await asyncio.wait_for(send(mx), 20.0)).reply.text == "later"


async def test_after_a_while_an_address_that_was_silent_is_tried_at_its_place_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = await world.peer("127.0.0.3")
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]), (20, "mx2.one.example", ["127.0.0.3"]))
    mx = world.transport()
    assert (await send(mx)).result is Result.DONE  # nobody is at 127.0.0.2
    better = await world.peer("127.0.0.2")
    await mx.close()
    assert (await send(mx)).result is Result.DONE
    assert (good.connections, better.connections) == (2, 0)
    await mx.close()
    forward(monkeypatch, mx_module._SILENT)
    assert (await send(mx)).result is Result.DONE
    assert (good.connections, better.connections) == (2, 1)


async def test_the_addresses_of_ten_exchangers_are_asked_for_and_no_more(world: World) -> None:
    names = [f"mx{number:02}.one.example" for number in range(12)]
    world.dns.mail("one.example", *((number, name, ["127.0.0.2"]) for number, name in enumerate(names)))
    await world.peer("127.0.0.2")
    assert (await send(world.transport())).result is Result.DONE
    assert {name for name, kind in world.dns.asked if kind == "A"} == set(names[:10])


async def test_equally_preferred_exchangers_share_the_mail(world: World) -> None:
    one, two = await world.peer("127.0.0.2"), await world.peer("127.0.0.3")
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]), (10, "mx2.one.example", ["127.0.0.3"]))
    mx = world.transport(shuffle=random.shuffle)
    for _ in range(200):  # one in 2^199 that chance alone makes this fail
        assert (await send(mx)).result is Result.DONE
        await mx.close()
        if one.mails and two.mails:
            break
    assert one.mails
    assert two.mails
    default = Mx(mx._resolver, Us("gw.example"), opportunistic_context(), port=world.port)
    assert default._shuffle == random.shuffle


async def test_when_nobody_answers_the_delivery_waits(world: World) -> None:
    world.black_hole("127.0.0.2")
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]))
    outcome = await send(world.transport(connect=0.3))
    assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.4.1")
    assert outcome.reply.text == f"cannot connect to mx1.one.example[127.0.0.2]:{world.port}: timed out"
    assert outcome.peer == f"mx1.one.example[127.0.0.2]:{world.port}"


async def test_the_last_server_gets_the_full_time_for_its_greeting(world: World) -> None:
    slow = await world.peer("127.0.0.2")
    slow.always["CONNECT"] = Drip(b"220 slow.example\r\n", pause=0.03)
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]))
    assert (await send(world.transport(greeting=0.1))).result is Result.DONE


# --- what the DNS does and does not say --------------------------------------------------------------------


async def test_a_missing_domain_is_heard_twice_before_it_counts(world: World) -> None:
    mx = world.transport(port=2525, second_hearing=0.1)
    first = await send(mx, "b@missing.example")
    assert summary(first) == (Result.TEMPORARY, "hop", 0, "4.1.2")
    assert first.reply.text == (
        "the domain missing.example does not exist, says the DNS; it is asked again before that counts"
    )
    while (second := await send(mx, "b@missing.example")).result is Result.TEMPORARY:
        assert second.reply == first.reply
    assert summary(second) == (Result.PERMANENT, "address", 556, "5.1.2")
    assert second.reply.text == "the domain missing.example does not exist"


async def test_a_domain_that_is_there_again_was_never_missing(world: World) -> None:
    await world.peer("127.0.0.2")
    mx = world.transport(second_hearing=0.0001)
    assert (await send(mx)).result is Result.TEMPORARY
    world.dns.host("one.example", "127.0.0.2")
    assert (await send(mx)).result is Result.DONE
    await mx.close()
    world.dns.zone.clear()
    world.dns.ttl = 0
    fresh = world.transport(second_hearing=0.0001)
    fresh._missing = mx._missing
    assert (await send(fresh)).result is Result.TEMPORARY


async def test_dnssec_proves_that_a_domain_does_not_exist(world: World) -> None:
    world.dns.authentic = True
    outcome = await send(world.transport(port=2525, trust_ad=True), "b@missing.example")
    assert summary(outcome) == (Result.PERMANENT, "address", 556, "5.1.2")


async def test_a_domain_with_neither_mx_nor_address_takes_no_mail(world: World) -> None:
    world.dns.zone["one.example", "TXT"] = ['"here"']
    mx = world.transport(port=2525, second_hearing=0.0)
    outcome = await send(mx)
    assert summary(outcome) == (Result.PERMANENT, "address", 556, "5.1.2")
    assert outcome.reply.text == "the domain one.example has neither a mail server nor an address"


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "silent"])
@pytest.mark.parametrize("at", ["one.example", "mx1.one.example"])
async def test_a_dns_that_does_not_say_never_ends_a_delivery(world: World, fault: str, at: str) -> None:
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]))
    world.dns.fail[at] = fault
    mx = world.transport(port=2525, second_hearing=0.0, **({"dns": 0.3} if fault == "silent" else {}))
    for _ in range(2):
        outcome = await send(mx)
        assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.4.3")
        assert outcome.reply.text.startswith(f"the DNS does not answer for {at}")


async def test_a_failing_question_for_ipv6_does_not_keep_from_ipv4(world: World) -> None:
    await world.peer("127.0.0.2")
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]))
    world.dns.fail["mx1.one.example AAAA"] = "silent"
    assert (await send(world.transport(dns=0.5))).result is Result.DONE


async def test_exchangers_without_addresses_are_a_mistake_that_may_be_mended(world: World) -> None:
    world.dns.mail("one.example", (10, "mx1.one.example", []))
    outcome = await send(world.transport(port=2525, second_hearing=0.0))
    assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.4.4")
    assert outcome.reply.text == "no mail server of one.example has an address: mx1.one.example"


# --- ourselves ---------------------------------------------------------------------------------------------


async def test_we_are_not_our_own_exchanger_by_name(world: World) -> None:
    peer = await world.peer("127.0.0.2")
    world.dns.mail("one.example", (10, "gw.example", ["127.0.0.2"]), (20, "mx2.one.example", ["127.0.0.2"]))
    outcome = await send(world.transport())
    assert summary(outcome) == (Result.PERMANENT, "address", 554, "5.4.6")
    assert outcome.reply.text == (
        "mail for one.example would come back to us: its mail server in the DNS is gw.example"
    )
    assert peer.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.2", "0.0.0.0", "localhost"])
@pytest.mark.parametrize("address", ["127.0.0.2", "::ffff:127.0.0.2"])
async def test_we_are_not_our_own_exchanger_by_address(world: World, host: str, address: str) -> None:
    peer = await world.peer("127.0.0.2")
    world.dns.mail("one.example", (10, "mx1.one.example", [address]))
    outcome = await send(world.transport(us=Us("gw.example", ((host, world.port),))))
    assert summary(outcome) == (Result.PERMANENT, "address", 554, "5.4.6")
    assert f"mx1.one.example [{address}] is where this gateway listens" in outcome.reply.text
    assert peer.connections == 0
    another = Us("gw.example", ((host, 1),))
    assert (await send(world.transport(us=another))).result is Result.DONE


async def test_who_is_preferred_to_us_gets_the_mail(world: World) -> None:
    better, behind = await world.peer("127.0.0.2"), await world.peer("127.0.0.3")
    world.dns.mail(
        "one.example",
        (10, "mx1.one.example", ["127.0.0.2"]),
        (20, "gw.example", ["127.0.0.4"]),
        (30, "mx3.one.example", ["127.0.0.3"]),
    )
    better.script["CONNECT"] = [None, Drop()]
    mx = world.transport()
    assert (await send(mx)).result is Result.DONE
    await mx.close()
    assert (await send(mx)).result is Result.TEMPORARY
    assert behind.connections == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "224.0.0.1"])
async def test_at_the_real_port_no_mail_goes_to_this_machine_or_to_nobody(world: World, address: str) -> None:
    world.dns.mail("one.example", (10, "mx1.one.example", [address]))
    outcome = await send(world.transport(port=25))
    assert summary(outcome) == (Result.PERMANENT, "address", 554, "5.4.6")
    assert outcome.reply.text.startswith("mail for one.example would not leave this machine")


async def test_an_address_literal_is_its_own_exchanger(world: World) -> None:
    peer = await world.peer("127.0.0.2")
    assert (await send(world.transport(), "scan@[127.0.0.2]")).peer == f"127.0.0.2:{world.port}"
    assert peer.mails[0].envelope.rcpt_to == ("scan@[127.0.0.2]",)
    assert not world.dns.asked


# --- TLS ---------------------------------------------------------------------------------------------------


async def test_tls_is_used_whoever_vouches_for_it_and_noted(world: World, tmp_path: Path) -> None:
    peer = await world.peer("127.0.0.2", context=self_signed(tmp_path, "somebody.example"))
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]))
    outcome = await send(world.transport())
    assert (outcome.result, outcome.tls) == (Result.DONE, "TLSv1.3 TLS_AES_256_GCM_SHA384")
    assert peer.mails[0].tls


async def test_without_tls_the_mail_goes_in_clear(world: World) -> None:
    await world.peer("127.0.0.2")
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]))
    outcome = await send(world.transport())
    assert (outcome.result, outcome.tls) == (Result.DONE, "")


async def test_when_tls_fails_the_mail_goes_in_clear_to_the_same_server_and_says_why(world: World) -> None:
    peer = await world.peer("127.0.0.2", extensions=("PIPELINING", "STARTTLS"))
    peer.always["STARTTLS"] = Last("220 2.0.0 go ahead")  # and then talks no TLS
    await world.peer("127.0.0.3")
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]), (20, "mx2.one.example", ["127.0.0.3"]))
    outcome = await send(world.transport())
    assert (outcome.result, len(peer.mails)) == (Result.DONE, 1)
    assert outcome.tls.startswith("none: the TLS handshake failed")


async def test_what_dnssec_proved_is_noted(world: World, tmp_path: Path) -> None:
    await world.peer("127.0.0.2", context=self_signed(tmp_path, "somebody.example"))
    world.dns.mail("one.example", (10, "mx1.one.example", ["127.0.0.2"]))
    world.dns.authentic = True
    assert (await send(world.transport(trust_ad=True))).tls == "TLSv1.3 TLS_AES_256_GCM_SHA384 dnssec"
    assert (await send(world.transport())).tls == "TLSv1.3 TLS_AES_256_GCM_SHA384"


# --- connections and how many at a time --------------------------------------------------------------------


async def test_domains_of_one_site_share_its_connections(world: World) -> None:
    peer = await world.peer("127.0.0.2")
    for domain in ("one.example", "two.example"):
        world.dns.mail(domain, (10, "mx.site.example", ["127.0.0.2"]))
    world.dns.mail("three.example", (10, "mx.other.example", ["127.0.0.2"]))
    mx = world.transport()
    for domain in ("one.example", "two.example", "one.example", "three.example"):
        assert (await send(mx, f"b@{domain}")).result is Result.DONE
    assert [mail.connection for mail in peer.mails] == [1, 1, 1, 2]


async def test_a_kept_connection_is_closed_when_nobody_uses_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mx_module, "_IDLE", 0.05)
    peer = await world.peer("127.0.0.2")
    world.dns.mail("one.example", (10, "mx.one.example", ["127.0.0.2"]))
    mx = world.transport()
    assert (await send(mx)).result is Result.DONE
    await peer.until(lambda: b"QUIT" in peer.commands and not peer.open)
    assert (await send(mx)).result is Result.DONE
    assert peer.connections == 2


async def test_of_too_many_kept_connections_the_oldest_is_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mx_module, "_KEPT", 2)
    peer = await world.peer("127.0.0.2")
    for number in range(3):
        world.dns.mail(f"d{number}.example", (10, f"mx.d{number}.example", ["127.0.0.2"]))
    mx = world.transport()
    for number in range(3):
        await send(mx, f"b@d{number}.example")
    await peer.until(lambda: peer.open == 2)
    for number in (2, 1, 0):
        await send(mx, f"b@d{number}.example")
    assert [mail.connection for mail in peer.mails] == [1, 2, 3, 3, 2, 4]


async def test_a_kept_connection_that_breaks_leads_to_a_new_one(world: World) -> None:
    peer = await world.peer("127.0.0.2")
    world.dns.mail("one.example", (10, "mx.one.example", ["127.0.0.2"]))
    peer.script["RCPT"] = [None, Drop()]
    mx = world.transport()
    for _ in range(2):
        assert (await send(mx)).result is Result.DONE
    assert [mail.connection for mail in peer.mails] == [1, 2]


async def test_a_kept_connection_that_is_too_old_carries_no_other_mail(world: World) -> None:
    """Whoever closes idle connections has not come by yet."""
    peer = await world.peer("127.0.0.2")
    world.dns.mail("one.example", (10, "mx.one.example", ["127.0.0.2"]))
    mx = world.transport()
    assert (await send(mx)).result is Result.DONE
    (idle,) = (each for kept in mx._connections._kept.values() for each in kept)
    idle.session.expires = asyncio.get_running_loop().time()
    assert (await send(mx)).result is Result.DONE
    assert [mail.connection for mail in peer.mails] == [1, 2]


async def test_a_connection_carries_a_hundred_mails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_MESSAGES", 3)
    peer = await world.peer("127.0.0.2")
    world.dns.mail("one.example", (10, "mx.one.example", ["127.0.0.2"]))
    mx = world.transport()
    for _ in range(4):
        assert (await send(mx)).result is Result.DONE
    assert [mail.connection for mail in peer.mails] == [1, 1, 1, 2]


async def test_a_site_takes_two_at_first_more_after_successes_and_half_after_421(world: World) -> None:
    peer = await world.peer("127.0.0.2")
    for domain in ("one.example", "two.example"):
        world.dns.mail(domain, (10, "mx.site.example", ["127.0.0.2"]))
    mx = world.transport(most=4)
    assert mx.room("one.example") == 4  # nothing is known yet
    await send(mx, "b@one.example")
    await send(mx, "b@two.example")
    assert (mx.room("one.example"), mx.room("two.example")) == (4, 4)
    for _ in range(3):
        await send(mx)
    assert mx.room("one.example") == 4  # the most
    peer.always["RCPT"] = Last("421 4.3.2 too much at once")
    await send(mx)
    assert mx.room("two.example") == 2
    await send(mx)
    await send(mx)
    assert mx.room("two.example") == 1


async def test_a_site_is_never_given_more_than_it_takes_however_many_domains_it_serves(world: World) -> None:
    peer = await world.peer("127.0.0.2")
    peer.always["DOT"] = Drip(pause=0.01)
    domains = [f"d{number}.example" for number in range(8)]
    for domain in domains:
        world.dns.mail(domain, (10, "mx.site.example", ["127.0.0.2"]))
    mx = world.transport(most=3)
    sending = asyncio.gather(*(send(mx, f"b@{domain}") for domain in domains))
    most = 0
    while not sending.done():
        most = max(most, peer.open)
        await asyncio.sleep(0)
    assert {outcome.result for outcome in await sending} == {Result.DONE}
    assert 2 <= most <= 3
    assert peer.commands.count(b".") == 8


async def test_who_waits_too_long_for_a_busy_site_is_deferred(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mx_module, "_WAIT", 0.05)
    peer = await world.peer("127.0.0.2")
    peer.always["DOT"] = Hang()
    world.dns.mail("one.example", (10, "mx.site.example", ["127.0.0.2"]))
    mx = world.transport()
    stuck = [asyncio.create_task(send(mx)) for _ in range(2)]
    await peer.until(lambda: peer.commands.count(b".") == 2)
    outcome = await send(mx)
    assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.4.5")
    assert mx.room("one.example") == 0
    for task in stuck:
        task.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)
    assert mx.room("one.example") == 2


async def test_what_is_remembered_has_a_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mx_module, "_REMEMBERED", 10)
    await world.peer("127.0.0.2")
    mx = world.transport()
    for number in range(30):
        world.dns.mail(f"d{number}.example", (10, f"mx.d{number}.example", ["127.0.0.2"]))
        await send(mx, f"b@d{number}.example")
        await send(mx, f"b@missing{number}.example")
    assert max(len(mx._sites), len(mx._site_of), len(mx._missing)) <= 10
