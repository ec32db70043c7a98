"""Delivery to the recipients' own mail exchangers: real DNS packets, real servers on addresses of loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from gateway.model import Envelope, Outcome, Result
from gateway.smtp.resolver import Resolver
from gateway.transports import opportunistic_context
from gateway.transports.mx import Mx, Us
from tests.dns_stub import DnsStub
from tests.peer import Last, Peer

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
        resolver = Resolver([self.dns.server], trust_ad=values.pop("trust_ad", False), per_try=0.3, lifetime=1.0)
        given = {"port": self.port, "connect": 0.3, "greeting": 0.3, "shuffle": lambda hosts: None} | values
        made = Mx(resolver, us, opportunistic_context(), **given)
        self.stack.push_async_callback(made.close)
        return made


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(stack, await stack.enter_async_context(DnsStub()))


async def send(mx: Mx, to: str = "b@one.example", message: bytes = MESSAGE) -> Outcome:
    return await mx.deliver(Envelope(mail_from="bounce@gw.example", rcpt_to=(to,)), message)


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
    mx = world.transport()
    begun = asyncio.get_running_loop().time()
    assert (await send(mx)).result is Result.DONE
    assert asyncio.get_running_loop().time() - begun >= 0.6  # both holes were waited for
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
