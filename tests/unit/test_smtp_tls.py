"""TLS of the listeners: both kinds, nothing carried over from before it, weak only where it is said, reloaded."""

from __future__ import annotations

import asyncio
import datetime as dt
import smtplib
import ssl
import warnings
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.config import Listener, Relaxation, Source
from gateway.errors import ConfigError
from tests.certificates import Authority, authority
from tests.smtp_talk import LOCAL, Door, open_door
from tests.unit.test_smtp_auth import CHEAP, GOOD, SAP

CLOSED = Source(name="sap", user="sap", password_hash=CHEAP.hash("secret"), early_data="reject")


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return authority(tmp_path)


def listener(ca: Authority, folder: Path, tls: str = "starttls", **more: Any) -> Listener:
    certificate, key = ca.server_files(folder, "127.0.0.1")
    return Listener(port=0, tls=tls, certificate=certificate, key=key, **more)  # type: ignore[arg-type]


def send(port: int, context: ssl.SSLContext, tls: str, login: str = "") -> str:
    """A mail by Python's smtplib, logged in by the mechanism `login`; gives the version of TLS."""
    if tls == "implicit":
        client: smtplib.SMTP = smtplib.SMTP_SSL("127.0.0.1", port, timeout=10, context=context)
    else:
        client = smtplib.SMTP("127.0.0.1", port, timeout=10)
        client.starttls(context=context)
    with client:
        if login:
            client.ehlo()
            client.user, client.password = "sap", "secret"
            client.auth(login, {"PLAIN": client.auth_plain, "LOGIN": client.auth_login}[login])
        client.sendmail("erp@example.com", ["100234"], b"Subject: x\r\n\r\n" + b"y" * 300_000 + b"\r\n")
        return str(client.sock.version())  # type: ignore[union-attr]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_mail_over_tls_with_login(ca: Authority, tmp_path: Path, tls: str, mechanism: str) -> None:
    async with open_door(sources=(CLOSED,), listeners=(listener(ca, tmp_path, tls),)) as door:
        version = await asyncio.to_thread(send, door.server.ports[0], ca.client_context(), tls, mechanism)
        assert version in ("TLSv1.2", "TLSv1.3")
        (handed,) = door.received.handed
        assert (handed.source, handed.notes, handed.peer.user) == (CLOSED, "", "sap")
        assert len(door.received.contents[0]) == 300_016


async def test_starttls_and_auth_are_offered_each_at_its_time(ca: Authority, tmp_path: Path) -> None:
    async with open_door(sources=(CLOSED,), listeners=(listener(ca, tmp_path),)) as door:
        talk = await door.connect()
        assert "250-STARTTLS" in (await talk.say("EHLO x")).split("\n")
        assert (await talk.say(f"AUTH PLAIN {GOOD}")).startswith("538")
        assert (await talk.say("STARTTLS now")).startswith("501")
        assert (await talk.say("STARTTLS")).startswith("220 2.0.0")
        await talk.writer.start_tls(ca.client_context(), server_hostname="127.0.0.1")
        assert (await talk.say("MAIL FROM:<a@b.example>")).startswith("530")
        assert (await talk.say(f"AUTH PLAIN {GOOD}")).startswith("503")  # the greeting was before TLS
        lines = (await talk.say("EHLO x")).split("\n")
        assert "250-STARTTLS" not in lines
        assert "250-AUTH PLAIN LOGIN" in lines
        assert (await talk.say("STARTTLS")).startswith("503")
        assert (await talk.say(f"AUTH PLAIN {GOOD}")).startswith("235")


async def test_what_was_pipelined_after_starttls_is_refused(ca: Authority, tmp_path: Path) -> None:
    async with open_door(listeners=(listener(ca, tmp_path),)) as door:
        talk = await door.connect()
        await talk.send(b"EHLO x\r\n")
        await talk.reply()
        await talk.send(b"STARTTLS\r\nMAIL FROM:<a@b.example>\r\n")
        assert await talk.rest() == b"554 5.5.0 Wait for the answer\r\n"


async def test_a_transaction_before_starttls_is_forgotten(ca: Authority, tmp_path: Path) -> None:
    async with open_door(listeners=(listener(ca, tmp_path),)) as door:
        talk = await door.connect()
        for command in ("EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<1>", "STARTTLS"):
            await talk.say(command)
        await talk.writer.start_tls(ca.client_context(), server_hostname="127.0.0.1")
        assert (await talk.say("DATA")).startswith("503")
        assert (await talk.say("MAIL FROM:<a@b.example>")).startswith("503 5.5.1 Send EHLO")


async def test_what_ehlo_allowed_before_starttls_is_forgotten(ca: Authority, tmp_path: Path) -> None:
    bears = msgspec.structs.replace(LOCAL, implicit_helo=True)
    async with open_door(sources=(bears,), listeners=(listener(ca, tmp_path),)) as door:
        talk = await door.connect()
        await talk.say("EHLO x")
        await talk.say("STARTTLS")
        await talk.writer.start_tls(ca.client_context(), server_hostname="127.0.0.1")
        assert (await talk.say("MAIL FROM:<a@b.example> SIZE=10")).startswith("555")
        assert (await talk.say("MAIL FROM:<a@b.example>")).startswith("250")


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_client_that_speaks_no_tls_is_cut(ca: Authority, tmp_path: Path, tls: str) -> None:
    async with open_door(listeners=(listener(ca, tmp_path, tls),)) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.server.ports[0])
        if tls == "starttls":
            writer.write(b"EHLO x\r\n")
            await reader.readuntil(b"SMTPUTF8\r\n")
            writer.write(b"STARTTLS\r\n")
            await reader.readline()
        writer.write(b"MAIL FROM:<a@b.example>\r\n" * 10)
        async with asyncio.timeout(10):
            try:
                rest = await reader.read()
            except ConnectionError:
                rest = b""
        assert b"250" not in rest
        writer.close()
        await door.until(lambda: not door.server.sessions)


async def test_a_silent_handshake_ends(ca: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from gateway.smtp.server import Limits

    async with open_door(listeners=(listener(ca, tmp_path, "implicit"),), limits=Limits(handshake_timeout=1)) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.server.ports[0])
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        assert "one that waits for a greeting needs a listener with STARTTLS" in caplog.text


@pytest.mark.parametrize(("tls", "has"), [("starttls", "STARTTLS"), ("none", "no TLS")])
async def test_a_client_that_begins_with_tls_is_told_from_one_that_speaks_badly(
    ca: Authority, tmp_path: Path, tls: str, has: str, caplog: pytest.LogCaptureFixture
) -> None:
    place = listener(ca, tmp_path) if tls == "starttls" else Listener(port=0)
    async with open_door(listeners=(place,)) as door:
        with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
            await asyncio.open_connection("127.0.0.1", door.server.ports[0], ssl=ca.client_context())
        await door.until(lambda: not door.server.sessions)
        (record,) = caplog.records
        assert f"the client begins with TLS, and this listener has {has}" in record.getMessage()


async def test_a_hello_in_pieces_and_one_that_never_comes_are_no_trouble(ca: Authority, tmp_path: Path) -> None:
    async with open_door() as door:
        talk = await door.connect()
        await talk.send(b"EH")
        await talk.send(b"LO x\r\n")
        assert (await talk.reply()).startswith("250")
        gone = await door.connect()
        gone.half_close()
        assert await gone.rest() == b""


def old_client(ca: Authority) -> ssl.SSLContext:
    context = ca.client_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


WEAK = {"tls_minimum": "1.0", "networks": ("127.0.0.1/32",)}


@pytest.mark.parametrize(
    ("more", "taken"),
    [
        ({}, False),
        ({**WEAK, "weak": Relaxation(reason="old", expires=dt.date(2999, 1, 1))}, True),
        ({**WEAK, "weak": Relaxation(reason="old", expires=dt.date(2020, 1, 1))}, False),
    ],
    ids=["default", "weak", "ended"],
)
async def test_tls_1_0_only_where_and_while_it_is_said(
    ca: Authority, tmp_path: Path, more: dict[str, Any], taken: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Both sides hear why: the client by an alert, or it would look for a broken network."""
    strict = listener(ca, tmp_path, "implicit")
    async with open_door(listeners=(listener(ca, tmp_path, "implicit", **more), strict)) as door:
        with pytest.raises(ssl.SSLError):  # the one beside it stays strict
            await asyncio.to_thread(send, door.server.ports[1], old_client(ca), "implicit")
        caplog.clear()
        sent = asyncio.to_thread(send, door.server.ports[0], old_client(ca), "implicit")
        if taken:
            assert await sent == "TLSv1"
            assert door.received.handed[0].notes == "tlsv1:1"
        else:
            with pytest.raises(ssl.SSLError, match="TLSV1_ALERT_PROTOCOL_VERSION"):
                await sent
            assert "the client knows no version that this listener takes (tls_minimum)" in caplog.text
            assert ("older ones were taken until 2020-01-01" in caplog.text) == ("weak" in more)


async def test_a_listener_is_for_its_networks_only(ca: Authority, tmp_path: Path) -> None:
    other = Listener(port=0, networks=("10.0.0.0/8",))
    async with open_door(sources=(LOCAL, SAP), listeners=(other, Listener(port=0))) as door:
        await door.connect(greeting="554 5.7.1")
        await door.connect(number=1)


async def serial(door: Door, ca: Authority) -> int:
    _, writer = await asyncio.open_connection("127.0.0.1", door.server.ports[0], ssl=ca.client_context())
    number = int(writer.get_extra_info("peercert")["serialNumber"], 16)
    writer.close()
    return number


async def test_certificates_are_read_again_and_a_bad_one_leaves_the_one_before(
    ca: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = listener(ca, tmp_path, "implicit")
    async with open_door(listeners=(place,)) as door:
        first = await serial(door, ca)
        ca.server_files(tmp_path, "127.0.0.1")
        assert await serial(door, ca) == first
        door.server.reload_certificates()
        second = await serial(door, ca)
        assert second != first
        assert place.certificate is not None
        place.certificate.write_text("none")
        door.server.reload_certificates()
        assert await serial(door, ca) == second
        assert "the one before stays" in caplog.text


async def test_a_certificate_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    missing = Listener(port=0, tls="implicit", certificate=tmp_path / "no.pem", key=tmp_path / "no.key")
    with pytest.raises(ConfigError, match="cannot be used: No such file"):
        async with open_door(listeners=(missing,)):
            pass
