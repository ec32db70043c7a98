"""Bounds of the door: by address, by source, by time (design D18), and whom a proxy may speak for."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Listener, Rate, Source
from gateway.smtp import limits
from gateway.smtp.server import Limits
from tests.smtp_talk import LOCAL, Door, Talk, network, open_door
from tests.unit.test_smtp_auth import GOOD, SAP

# --- what is counted, without a clock ---


def test_twenty_at_a_time_and_sixty_a_minute() -> None:
    strangers = limits.Strangers(Limits())
    assert [strangers.arrive("192.0.2.1", 0.0) for _ in range(20)] == [None] * 20
    assert strangers.arrive("192.0.2.1", 0.0) == "20 connections of this address are open"
    assert strangers.arrive("192.0.2.2", 0.0) is None
    for at in range(40):
        strangers.leave("192.0.2.1")
        assert strangers.arrive("192.0.2.1", 1.0 + at / 10) is None
    strangers.leave("192.0.2.1")
    assert strangers.arrive("192.0.2.1", 59.0) == "60 connections of this address in a minute"
    assert strangers.arrive("192.0.2.1", 60.5) is None


@given(st.lists(st.tuples(st.sampled_from(["arrive", "leave", "wait"]), st.sampled_from("abc")), max_size=200))
def test_however_they_come_and_go_nobody_has_more_than_the_bound(steps: list[tuple[str, str]]) -> None:
    strangers = limits.Strangers(Limits(address_connections=3, address_rate=5))
    now, present = 0.0, dict.fromkeys("abc", 0)
    arrivals: list[tuple[str, float]] = []
    for step, host in steps:
        if step == "wait":
            now += 20.0
        elif step == "leave" and present[host]:
            present[host] -= 1
            strangers.leave(host)
        elif step == "arrive" and strangers.arrive(host, now) is None:
            present[host] += 1
            arrivals.append((host, now))
        assert max(present.values()) <= 3
        assert sum(who == host and at > now - 60.0 for who, at in arrivals) <= 5


def test_one_ipv6_customer_is_one_address() -> None:
    assert limits.neighbourhood("2001:db8:1:2::1") == limits.neighbourhood("2001:db8:1:2:ffff::9")
    assert limits.neighbourhood("2001:db8:1:3::1") != limits.neighbourhood("2001:db8:1:2::1")
    assert limits.neighbourhood("192.0.2.1") != limits.neighbourhood("192.0.2.2")


def test_the_delay_doubles_per_address_and_user_and_is_forgotten() -> None:
    guesses = limits.Guesses(Limits())
    assert [guesses.failed("192.0.2.1", "sap", 0.0) for _ in range(7)] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert guesses.failed("192.0.2.2", "sap", 0.0) == 1.0  # nobody locks another one out
    assert guesses.failed("192.0.2.1", "erp", 0.0) == 1.0
    guesses.right("192.0.2.1", "sap")
    assert guesses.failed("192.0.2.1", "sap", 0.0) == 1.0
    assert guesses.failed("192.0.2.1", "sap", 901.0) == 1.0


def test_what_is_remembered_is_bounded() -> None:
    guesses = limits.Guesses(Limits())
    for number in range(limits.REMEMBERED + 500):
        guesses.failed(str(ipaddress.ip_address(number)), "x", 0.0)
    assert len(guesses._users._moments) == len(guesses._addresses._moments) == limits.REMEMBERED


def test_a_rate_lets_a_burst_through_and_fills_again() -> None:
    bucket = limits.Bucket(Rate(mails=2, seconds=60.0), 0.0)
    for _ in range(2):
        assert bucket.has(0.0)
        bucket.take()
    assert not bucket.has(29.0)
    assert bucket.has(30.0)


# --- at the door ---


async def test_a_strangers_connections_are_bounded_and_a_listed_networks_are_not() -> None:
    two = Limits(address_connections=2, address_rate=1000)
    async with open_door(sources=(SAP,), limits=two) as door:
        talks = [await door.connect() for _ in range(2)]
        await door.connect(greeting="421 4.7.0")
        await talks[0].say("QUIT")
        await door.until(lambda: len(door.server.sessions) == 1)
        await door.connect()
    async with open_door(sources=(LOCAL, SAP), limits=two) as door:
        for _ in range(5):
            await door.connect()


async def test_a_strangers_connections_a_minute_are_bounded() -> None:
    async with open_door(sources=(SAP,), limits=Limits(address_rate=3)) as door:
        for _ in range(3):
            await (await door.connect()).say("QUIT")
        await door.connect(greeting="421 4.7.0")


async def test_a_stranger_who_only_errs_is_sent_away() -> None:
    async with open_door(sources=(SAP,), limits=Limits(errors=4)) as door:
        talk = await door.connect()
        await talk.say("EHLO x")
        answers = [await talk.say("RCPT TO:<1>") for _ in range(3)]
        await talk.send(b"RCPT TO:<1>\r\n")
        assert (await talk.rest()).split(b"\r\n")[-2].startswith(b"421 4.7.0")
        assert all(answer.startswith("503") for answer in answers)


async def test_a_sources_rate_is_451_and_passes() -> None:
    source = Source(name="local", networks=("127.0.0.0/8",), max_rate=Rate(mails=2, seconds=0.4))
    async with open_door(sources=(source,)) as door:
        talk = await door.connect()
        for _ in range(2):
            await talk.begin()
            await talk.send(b"x\r\n.\r\n")
            await talk.reply()
        assert (await talk.say("MAIL FROM:<a@b.example>")).startswith("451 4.7.1")
        await door.until(lambda: door.server._rates["local"].has(asyncio.get_running_loop().time()))
        assert (await talk.say("MAIL FROM:<a@b.example>")).startswith("250")


async def test_data_that_drips_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    async with open_door(limits=Limits(data_timeout=0.1, data_rate=1000)) as door:
        talk = await door.connect()
        await talk.begin()
        dripping = asyncio.create_task(drip(talk))
        await talk.rest()  # what it says may be lost on a client that sends on
        assert "no data within the time limit" in caplog.text
        dripping.cancel()
        await asyncio.wait([dripping])
        assert door.received.handed == []


async def drip(talk: Talk) -> None:
    while True:
        await talk.send(b"x\r\n")
        await asyncio.sleep(0.01)  # a client that drips: the subject of these tests


# --- the PROXY protocol ---


def v2(host: str, port: int, *, command: int = 0x21) -> bytes:
    addresses = ipaddress.ip_address(host).packed + b"\x7f\0\0\1" + port.to_bytes(2, "big") + b"\0\x19"
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes((command, 0x11)) + len(addresses).to_bytes(2, "big") + addresses


PROXY = Listener(port=0, proxies=("127.0.0.1/32",))
FAR = network("far", "192.0.2.0/24")


async def proxied(door: Door, header: bytes, number: int = 0) -> Talk:
    talk = Talk(*await asyncio.open_connection("127.0.0.1", door.server.ports[number]))
    door.talks.append(talk)
    await talk.send(header)
    return talk


@pytest.mark.parametrize(
    "header", [b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\n", v2("192.0.2.7", 4711)], ids=["v1", "v2"]
)
async def test_a_listed_proxy_names_the_client(header: bytes) -> None:
    async with open_door(sources=(FAR,), listeners=(PROXY,)) as door:
        talk = await proxied(door, header + b"EHLO x\r\n")
        assert (await talk.reply()).startswith("220")
        assert (await talk.reply()).startswith("250")
        await talk.begin()
        await talk.send(b"x\r\n.\r\n")
        await talk.reply()
        peer = door.received.handed[0].peer
        assert (peer.host, peer.port) == ("192.0.2.7", 4711)


async def test_a_proxy_may_speak_for_itself() -> None:
    async with open_door(listeners=(PROXY,)) as door:
        talk = await proxied(door, v2("192.0.2.7", 4711, command=0x20))
        assert (await talk.reply()).startswith("220")
        assert next(iter(door.server.sessions)).source is LOCAL


@pytest.mark.parametrize("header", [b"EHLO x\r\n", b"PROXY nonsense\r\n", b"\r\n\r\n\0\r\nQUIT\nxxxxxxxx", b""])
async def test_a_proxy_without_a_header_is_cut(header: bytes) -> None:
    async with open_door(listeners=(PROXY,), limits=Limits(proxy_timeout=0.2)) as door:
        talk = await proxied(door, header)
        assert await talk.rest() == b""
        await door.until(lambda: not door.server.sessions)


async def test_nobody_else_is_believed() -> None:
    other = Listener(port=0, proxies=("10.0.0.0/8",))
    async with open_door(sources=(LOCAL, FAR), listeners=(other,)) as door:
        talk = await proxied(door, b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\n")
        assert (await talk.reply()).startswith("220")
        assert (await talk.reply()).startswith("500")
        assert next(iter(door.server.sessions)).source is LOCAL


# --- floods ---


def from_address(address: str, port: int) -> socket.socket:
    """A connection from another loopback address."""
    return socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(address, 0))


async def test_an_honest_client_is_served_beside_500_idle_and_dripping_connections() -> None:
    """From a listed network too, where they are not bounded by address: at the total the longest idle gives way.

    How soon he is served is measured by `make soak`.
    """
    evil = msgspec.structs.replace(network("evil", "127.0.0.9/32"), max_connections=1000)
    honest = network("erp", "127.0.0.1/32")
    opened: list[socket.socket] = []
    async with open_door(sources=(evil, honest), limits=Limits(connections=200)) as door:
        for number in range(500):
            opened.append(await asyncio.to_thread(from_address, "127.0.0.9", door.server.ports[0]))
            if number % 3 == 0:
                opened[-1].sendall(b"EHLO x\r\nNO")
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"x\r\n.\r\n")
        assert (await talk.reply()).startswith("250")
        assert len(door.server.sessions) <= 201
        for connection in opened:
            connection.close()


async def test_strangers_have_at_most_their_twenty(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    opened: list[socket.socket] = []
    async with open_door(sources=(SAP, network("erp", "127.0.0.1/32"))) as door:
        for _ in range(500):
            opened.append(await asyncio.to_thread(from_address, "127.0.0.9", door.server.ports[0]))
        await door.until(lambda: len(door.server.sessions) <= 20)
        talk = await door.connect()
        await talk.begin()
        await talk.send(b"x\r\n.\r\n")
        assert (await talk.reply()).startswith("250")
        for connection in opened:
            connection.close()


# --- never an open relay ---

ADDRESSES = st.one_of(
    st.sampled_from(
        [
            "<victim@elsewhere.example>", "victim@elsewhere.example", "<@gw.example:victim@elsewhere.example>",
            "<victim%elsewhere.example@gw.example>", "<elsewhere.example!victim>", '<"victim@elsewhere.example">',
            '<"victim@elsewhere.example"@gw.example>', "<victim@[192.0.2.1]>", "<postmaster>", "<>", "<1001>",
            "<elsewhere.example!victim@[127.0.0.1]>", "<victim@elsewhere.example> NOTIFY=NEVER",
        ]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)  # fmt: skip
COMMANDS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["MAIL FROM:", "RCPT TO:", "mail from: ", "SEND FROM:", "VRFY "]), ADDRESSES),
        st.tuples(st.sampled_from(["EHLO x", "HELO x", "RSET", "DATA", "AUTH PLAIN =", "STARTTLS"]), st.just("")),
    ),
    max_size=12,
)


async def test_whatever_a_stranger_says_nothing_is_taken() -> None:
    """No order of commands and no form of an address gets a 354 or a mail in before AUTH."""
    async with open_door(sources=(SAP,), limits=Limits(errors=1000, address_rate=10**6)) as door:
        loop = asyncio.get_running_loop()

        @given(COMMANDS)
        def say(commands: list[tuple[str, str]]) -> None:
            asyncio.run_coroutine_threadsafe(one(commands), loop).result(10)

        async def one(commands: list[tuple[str, str]]) -> None:
            talk = await door.connect()
            for verb, rest in (*commands, ("DATA", ""), ("QUIT", "")):
                answer = await talk.say(verb + rest)
                assert not answer.startswith("354")
                assert not (answer.startswith("250") and verb.lower().startswith(("mail", "rcpt")))
                if answer.startswith(("421", "334")) or not answer:
                    break
            talk.writer.transport.abort()

        await asyncio.to_thread(say)
        assert door.received.handed == []
        talk = await door.connect()
        await talk.say("EHLO x")
        assert (await talk.say(f"AUTH PLAIN {GOOD}")).startswith("235")


def test_the_limits_are_those_that_are_promised() -> None:
    promised: dict[str, Any] = {
        "connections": 200, "address_connections": 20, "address_rate": 60, "recipients": 100, "auth_errors": 3,
        "command_timeout": 60.0, "session_timeout": 1200.0, "data_timeout": 30.0, "data_rate": 1000,
    }  # fmt: skip
    assert {key: getattr(Limits(), key) for key in promised} == promised
