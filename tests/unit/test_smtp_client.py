"""Our sender against servers on loopback that do as they are told."""

from __future__ import annotations

import asyncio
import ssl
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Relay
from gateway.model import Envelope, Outcome, Result
from gateway.smtp import client, link, replies
from gateway.transports import open_transport
from gateway.transports.smarthost import Smarthost
from tests.certificates import authority, self_signed
from tests.peer import EXTENSIONS, Drip, Drop, Endless, Hang, Last, OrdinaryPeer, Peer, Raw, Stall

MESSAGE = b"From: a@gw.example\r\nSubject: hello\r\n\r\n.one dot\r\n..two\r\nthe end\r\n.\r\n"
WITHOUT_PIPELINING = tuple(name for name in EXTENSIONS if name != "PIPELINING")


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with Peer() as made:
        yield made


def relay_to(peer: Any, context: ssl.SSLContext | None = None, **values: Any) -> Smarthost:
    url = getattr(peer, "url", None) or f"smtp://127.0.0.1:{peer.port}"
    made = open_transport(Relay(mode="smarthost", host=url, **{"tls": "none", **values}), "gw.example", context)
    assert isinstance(made, Smarthost)
    return made


def envelope(address: str = "b@example.com", sender: str = "bounce@gw.example", **values: Any) -> Envelope:
    return Envelope(mail_from=sender, rcpt_to=(address,), **values)


async def send(peer: Any, message: bytes = MESSAGE, to: str = "b@example.com", **values: Any) -> Outcome:
    relay = relay_to(peer, **values)
    try:
        return await relay.deliver(envelope(to), message)
    finally:
        await relay.close()


def summary(outcome: Outcome) -> tuple[Result, str, int, str | None]:
    return outcome.result, outcome.scope, outcome.reply.code, outcome.reply.enhanced


# --- the ordinary case -------------------------------------------------------------------------------------


async def test_a_message_arrives_as_it_is_with_its_dots(peer: Peer) -> None:
    outcome = await send(peer)
    assert summary(outcome) == (Result.DONE, "address", 250, "2.0.0")
    assert outcome.reply.text == "queued as 1"
    assert outcome.peer == f"127.0.0.1:{peer.port}"
    (mail,) = peer.mails
    assert mail.content == MESSAGE
    assert mail.envelope == envelope()
    assert peer.commands[0] == b"EHLO gw.example"
    assert peer.commands[-1] == b"QUIT"


async def test_a_message_that_begins_with_a_dot_arrives_as_it_is(peer: Peer) -> None:
    await send(peer, b".odd: header\r\n\r\n.\r\n")
    assert peer.mails[0].content == b".odd: header\r\n\r\n.\r\n"


async def test_a_foreign_server_takes_it_too() -> None:
    async with OrdinaryPeer() as peer:
        assert (await send(peer)).result is Result.DONE
        assert peer.mails[0].content == MESSAGE


async def test_envelope_is_pipelined_in_one_write(peer: Peer) -> None:
    await send(peer)
    size = len(MESSAGE)
    group = f"MAIL FROM:<bounce@gw.example> SIZE={size}\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
    assert group.encode() in peer.reads


async def test_without_pipelining_it_waits_for_each_reply() -> None:
    async with Peer(extensions=WITHOUT_PIPELINING) as peer:
        assert (await send(peer)).result is Result.DONE
        assert b"DATA\r\n" in peer.reads
        assert peer.mails[0].content == MESSAGE


@pytest.mark.parametrize("size", [200_000, 3_000_000])
async def test_a_large_message_arrives_whole(peer: Peer, size: int) -> None:
    message = MESSAGE + b"." * 70 + b"\r\n"
    message += (b"x" * 75 + b"\r\n") * (size // 77)
    assert (await send(peer, message)).result is Result.DONE
    assert peer.mails[0].content == message


async def test_kept_connections_are_reused_and_not_for_ever(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_MESSAGES", 5)
    relay = relay_to(peer)
    for number in range(12):
        assert (await relay.deliver(envelope(f"n{number}@example.com"), MESSAGE)).result is Result.DONE
    await relay.close()
    assert [mail.connection for mail in peer.mails] == [1] * 5 + [2] * 5 + [3] * 2
    assert b"RSET" not in peer.commands


async def test_an_old_connection_is_closed_when_its_time_is_over(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_AGE", 0.1)
    relay = relay_to(peer)
    await relay.deliver(envelope(), MESSAGE)
    await peer.until(lambda: peer.commands[-1] == b"QUIT", 5)
    await relay.deliver(envelope(), MESSAGE)
    await relay.close()
    assert [mail.connection for mail in peer.mails] == [1, 2]


async def test_deliveries_at_a_time_use_connections_of_their_own(peer: Peer) -> None:
    relay = relay_to(peer)
    outcomes = await asyncio.gather(*(relay.deliver(envelope(f"n{n}@example.com"), MESSAGE) for n in range(8)))
    assert all(outcome.result is Result.DONE for outcome in outcomes)
    assert len({mail.connection for mail in peer.mails}) == 8
    await relay.close()


# --- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extensions", [EXTENSIONS, WITHOUT_PIPELINING])
@pytest.mark.parametrize(
    ("stage", "reply", "result", "scope", "closes"),
    [
        ("CONNECT", "554 5.7.1 go away", Result.TEMPORARY, "hop", True),
        ("CONNECT", "421 4.3.2 later", Result.TEMPORARY, "hop", True),
        ("EHLO", "550 5.7.1 bad name", Result.TEMPORARY, "hop", True),
        ("MAIL", "451 4.3.0 later", Result.TEMPORARY, "hop", False),
        ("MAIL", "550 5.7.1 not your sender", Result.TEMPORARY, "hop", False),
        ("RCPT", "450 4.2.0 greylisted", Result.TEMPORARY, "address", False),
        ("RCPT", "550 5.1.1 no such user", Result.PERMANENT, "address", False),
        ("RCPT", "421 4.7.0 closing", Result.TEMPORARY, "hop", True),
        ("DATA", "451 4.3.0 later", Result.TEMPORARY, "message", False),
        ("DATA", "554 5.5.1 no", Result.PERMANENT, "message", False),
        ("DOT", "451 4.3.0 later", Result.TEMPORARY, "message", False),
        ("DOT", "550 5.7.1 spam", Result.PERMANENT, "message", False),
        ("DOT", "421 4.3.2 closing", Result.TEMPORARY, "hop", True),
    ],
)
async def test_a_refusal_is_an_outcome_and_the_connection_goes_on(
    extensions: tuple[str, ...], stage: str, reply: str, result: Result, scope: str, closes: bool
) -> None:
    async with Peer(extensions=extensions) as peer:
        peer.script[stage] = [reply]
        relay = relay_to(peer)
        outcome = await relay.deliver(envelope(), MESSAGE)
        code, enhanced, _ = reply.split(" ", 2)
        assert summary(outcome) == (result, scope, int(code), enhanced)
        assert not outcome.possibly_sent
        again = await relay.deliver(envelope(), MESSAGE)
        assert again.result is Result.DONE
        assert len(peer.mails) == 1
        assert peer.mails[0].content == MESSAGE
        assert peer.connections == (2 if closes else 1)
        await relay.close()


async def test_data_taken_though_the_address_was_not_gets_an_empty_message(peer: Peer) -> None:
    peer.script["RCPT"] = ["550 5.1.1 no such user"]
    peer.script["DATA"] = [Raw(b"354 go ahead\r\n")]
    relay = relay_to(peer)
    task = asyncio.create_task(relay.deliver(envelope(), MESSAGE))
    await peer.until(lambda: b"." in peer.commands)  # the peer has answered 500 to what it takes for a command
    assert summary(await task) == (Result.PERMANENT, "address", 550, "5.1.1")
    assert (await relay.deliver(envelope(), MESSAGE)).result is Result.DONE
    assert len(peer.mails) == 1
    await relay.close()


async def test_a_message_too_large_is_refused_before_it_is_sent() -> None:
    async with Peer(extensions=("PIPELINING", "SIZE 50")) as peer:
        assert summary(await send(peer)) == (Result.PERMANENT, "message", 552, "5.3.4")
        assert not any(command.startswith(b"MAIL") for command in peer.commands)


async def test_size_zero_means_no_limit() -> None:
    async with Peer(extensions=("SIZE 0",)) as peer:
        assert (await send(peer)).result is Result.DONE


async def test_8_bit_content_is_announced_or_refused(peer: Peer) -> None:
    message = b"Subject: x\r\n\r\nh\xc3\xa4llo\r\n"
    await send(peer, message)
    assert "BODY=8BITMIME" in peer.mails[0].parameters
    async with Peer(extensions=("PIPELINING",)) as old:
        assert summary(await send(old, message)) == (Result.PERMANENT, "message", 554, "5.6.3")


async def test_an_address_in_utf8_needs_smtputf8(peer: Peer) -> None:
    await send(peer, to="käufer@example.com")
    assert peer.mails[0].envelope.rcpt_to == ("käufer@example.com",)
    assert peer.mails[0].parameters.endswith("SMTPUTF8")
    async with Peer(extensions=("PIPELINING",)) as old:
        assert summary(await send(old, to="käufer@example.com")) == (Result.PERMANENT, "message", 553, "5.6.7")


@pytest.mark.parametrize("address", ["a@b.c>\r\nRCPT TO:<evil@e.example", "a@b.c\r\nDATA", "a@b.c> x", "a\0@b.c"])
async def test_nothing_in_an_address_becomes_a_command(peer: Peer, address: str) -> None:
    assert summary(await send(peer, to=address)) == (Result.PERMANENT, "address", 553, "5.1.3")
    assert not peer.mails


async def test_a_quoted_local_part_is_sent_as_it_is(peer: Peer) -> None:
    await send(peer, to='"a b"@example.com')
    assert peer.mails[0].envelope.rcpt_to == ('"a b"@example.com',)


@pytest.mark.parametrize("message", [b"a: b\n\r\nx\r\n", b"a: b\r\n\r\nx\r.\r\ny\r\n", b"a: b\r\n\r\nx\n.\r\n", b"x\r"])
async def test_a_lone_cr_or_lf_never_leaves(peer: Peer, message: bytes) -> None:
    with pytest.raises(ValueError, match="lone CR or LF"):
        await send(peer, message)
    assert peer.connections == 0


async def test_a_message_without_a_last_line_end_gets_one(peer: Peer) -> None:
    await send(peer, b"Subject: x\r\n\r\nend")
    assert peer.mails[0].content == b"Subject: x\r\n\r\nend\r\n"


# --- servers that fail -------------------------------------------------------------------------------------


async def test_a_refused_connection_is_temporary() -> None:
    async with Peer() as peer:
        port = peer.port
    peer.port = port
    outcome = await send(peer)
    assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.4.1")
    assert "refused" in outcome.reply.text.lower()


async def test_a_host_that_does_not_exist_is_temporary() -> None:
    relay = open_transport(Relay(mode="smarthost", host="smtp://nowhere.invalid:25", tls="none"), "gw.example")
    assert (await relay.deliver(envelope(), MESSAGE)).reply.enhanced == "4.4.1"


@pytest.mark.parametrize(
    ("stage", "possibly"), [("CONNECT", False), ("EHLO", False), ("MAIL", False), ("DATA", False), ("DOT", True)]
)
async def test_a_dropped_connection_is_possibly_sent_only_after_the_dot(peer: Peer, stage: str, possibly: bool) -> None:
    peer.script[stage] = [Drop()]
    outcome = await send(peer)
    assert (outcome.result, outcome.reply.code, outcome.possibly_sent) == (Result.TEMPORARY, 0, possibly)
    assert "lost" in outcome.reply.text or "closed" in outcome.reply.text


async def test_a_dropped_connection_in_the_middle_of_the_content(peer: Peer) -> None:
    peer.script["DATA"] = [Last("354 go ahead")]
    outcome = await send(peer, b"Subject: x\r\n\r\n" + b"x" * 70 + (b"\r\n" + b"y" * 70) * 200_000 + b"\r\n")
    assert (outcome.result, outcome.possibly_sent) == (Result.TEMPORARY, False)


async def test_the_reason_for_closing_in_the_middle_of_the_content_counts(peer: Peer) -> None:
    peer.script["DATA"] = [Stall("354 go ahead", then="552 5.3.4 too big")]
    outcome = await send(peer, b"Subject: x\r\n\r\n" + (b"y" * 75 + b"\r\n") * 400_000)
    assert summary(outcome) == (Result.PERMANENT, "message", 552, "5.3.4")
    assert not outcome.possibly_sent


@pytest.mark.parametrize("action", [Drop(), Last("421 4.4.2 idle too long")])
async def test_a_kept_connection_that_went_away_is_replaced_unseen(peer: Peer, action: Any) -> None:
    relay = relay_to(peer)
    await relay.deliver(envelope(), MESSAGE)
    peer.script["MAIL"] = [action]
    assert (await relay.deliver(envelope("c@example.com"), MESSAGE)).result is Result.DONE
    assert [mail.connection for mail in peer.mails] == [1, 2]
    await relay.close()


async def test_a_kept_connection_that_fails_later_is_reported(peer: Peer) -> None:
    relay = relay_to(peer)
    await relay.deliver(envelope(), MESSAGE)
    peer.script["DATA"] = [Drop()]
    assert (await relay.deliver(envelope("c@example.com"), MESSAGE)).result is Result.TEMPORARY
    assert len(peer.mails) == 1
    await relay.close()


async def test_a_server_that_hangs_meets_the_deadline(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "COMMAND_DEADLINE", 0.2)
    for stage in ("CONNECT", "EHLO", "MAIL"):
        peer.script[stage] = [Hang()]
        outcome = await send(peer)
        assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.4.2"), stage
        assert "no whole reply" in outcome.reply.text


async def test_after_the_dot_a_hang_is_possibly_sent(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FINAL_DEADLINE", 0.2)
    peer.script["DOT"] = [Hang()]
    assert (await send(peer)).possibly_sent


async def test_a_dripping_reply_meets_the_deadline_of_the_whole(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "COMMAND_DEADLINE", 0.3)
    peer.script["MAIL"] = [Drip(b"250 " + b"x" * 200 + b"\r\n", pause=0.02)]
    outcome = await send(peer)
    assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.4.2")


async def test_the_deadline_of_the_whole_delivery_wins(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    relay = relay_to(peer)
    await relay.deliver(envelope(), MESSAGE)
    monkeypatch.setattr(client, "TOTAL_DEADLINE", 0.2)
    peer.script["DOT"] = [Hang(), Hang()]
    for _ in ("a kept connection", "a new one"):
        outcome = await relay.deliver(envelope(), MESSAGE)
        assert (outcome.result, outcome.possibly_sent) == (Result.TEMPORARY, True)
    assert peer.connections == 2
    await relay.close()


async def test_replies_that_nobody_asked_for_are_not_collected(peer: Peer) -> None:
    peer.script["CONNECT"] = [Endless(b"220 hello\r\n")]
    loop = asyncio.get_running_loop()
    _, idle = await loop.create_connection(link.Link, "127.0.0.1", peer.port)
    await peer.until(lambda: peer.connections == 1)
    await peer.until(lambda: peer.open == 0)
    assert not idle.usable
    assert peer.sent < 20 << 20


async def test_a_server_that_takes_no_data_meets_the_deadline(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "BLOCK_DEADLINE", 0.3)
    peer.script["DATA"] = [Stall("354 go ahead")]
    outcome = await send(peer, b"Subject: x\r\n\r\n" + (b"y" * 75 + b"\r\n") * 400_000)
    assert "takes no more data" in outcome.reply.text
    assert (outcome.result, outcome.possibly_sent) == (Result.TEMPORARY, False)


@pytest.mark.parametrize("line", [b"250-endless\r\n", b"250 endless\r\n", b"250-" + b"x" * 8000 + b"\r\n", b"x" * 4096])
async def test_an_endless_reply_is_cut_off_early(peer: Peer, line: bytes) -> None:
    peer.script["EHLO"] = [Endless(line)]
    outcome = await send(peer)
    assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.5.0")
    await peer.until(lambda: peer.open == 0)
    assert peer.sent < 20 << 20  # of 100 MB: what fits into the buffers of the kernel
    assert len(outcome.reply.text) <= replies.MAX_TEXT + 50


async def test_what_is_stored_of_a_reply_cannot_do_harm(peer: Peer) -> None:
    peer.script["RCPT"] = [
        Raw(b"550-5.1.1 a\tb\x1b]0;x\x07 \xe2\x80\xae\x9b\r\n550 5.1.1 second " + b"y" * 2000 + b"\r\n")
    ]
    outcome = await send(peer)
    text = outcome.reply.text
    assert summary(outcome) == (Result.PERMANENT, "address", 550, "5.1.1")
    assert text.startswith(r"a\tb\x1b]0;x\x07 \u202e\x9b / second y")
    assert len(text) == replies.MAX_TEXT
    assert all(unicodedata.category(letter)[0] != "C" for letter in text)


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT"])
async def test_a_refusal_with_a_cr_inside_is_stored_escaped_and_tried_again(peer: Peer, stage: str) -> None:
    """Who takes CR for the end of a line reads 250 there: nobody knows what that server means."""
    peer.script[stage] = [Raw(b"550-5.1.1 a\r250 ok\r\n550 5.1.1 b\r\n")]
    outcome = await send(peer)
    assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.5.0")
    assert outcome.reply.text.endswith(r": a\r250 ok / b")
    assert outcome.possibly_sent == (stage == "DOT")


async def test_a_line_that_ends_twice_is_a_line(peer: Peer) -> None:
    peer.script["RCPT"] = [Raw(b"550 5.1.1 gone\r\r\n")]
    assert summary(await send(peer)) == (Result.PERMANENT, "address", 550, "5.1.1")


@pytest.mark.parametrize(
    ("reply", "taken"),
    [
        (b"250-x\r\n" * (replies.MAX_LINES - 1) + b"250 x\r\n", True),
        (b"250-x\r\n" * replies.MAX_LINES + b"250 x\r\n", False),
        (b"250 " + b"x" * (replies.MAX_LINE - 4) + b"\r\n", True),
        (b"250 " + b"x" * (replies.MAX_LINE - 3) + b"\r\n", False),
        ((b"250-" + b"x" * 8000 + b"\r\n") * 8 + b"250 x\r\n", True),
        ((b"250-" + b"x" * 8000 + b"\r\n") * 9 + b"250 x\r\n", False),
    ],
    ids=["lines", "a line more", "length", "a byte more", "size", "8 kB more"],
)
def test_a_reply_has_bounds(reply: bytes, taken: bool) -> None:
    reader = replies.ReplyReader()
    if taken:
        assert [answer.code for answer in reader.feed(reply)] == [250]
    else:
        with pytest.raises(replies.BadReply, match="longer than"):
            reader.feed(reply)


@pytest.mark.parametrize(
    "junk", [b"hello\r\n", b"99 x\r\n", b"550-a\r\n250 b\r\n", b"2500 x\r\n", b"\r\n", b"200\x00\r\n"]
)
async def test_what_is_no_reply_ends_the_session(peer: Peer, junk: bytes) -> None:
    peer.script["EHLO"] = [Raw(junk)]
    assert summary(await send(peer)) == (Result.TEMPORARY, "hop", 0, "4.5.0")


async def test_an_unexpected_success_is_not_trusted(peer: Peer) -> None:
    peer.script["DATA"] = ["250 2.0.0 already done"]
    outcome = await send(peer)
    assert (outcome.result, outcome.reply.enhanced) == (Result.TEMPORARY, "4.5.0")
    assert not peer.mails


async def test_replies_in_odd_pieces_are_read(peer: Peer) -> None:
    peer.script["EHLO"] = [Drip(b"250-peer\r\n250-SIZE 100\r\n250 PIPELINING\r\n", pause=0.001)]
    peer.script["MAIL"] = [Drip(b"250 2.1.0 ok\r\n", pause=0.001)]
    outcome = await send(peer)
    assert outcome.reply.code in (250, 503)  # the script's MAIL was not remembered by the peer


async def test_a_server_from_before_ehlo_gets_helo(peer: Peer) -> None:
    peer.script["EHLO"] = ["502 5.5.1 what is EHLO"]
    assert (await send(peer)).result is Result.DONE
    assert b"HELO gw.example" in peer.commands


async def test_a_cancelled_delivery_closes_its_connection(peer: Peer) -> None:
    peer.script["DOT"] = [Hang()]
    relay = relay_to(peer)
    task = asyncio.create_task(relay.deliver(envelope(), MESSAGE))
    await peer.until(lambda: b"." in peer.commands)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await peer.until(lambda: peer.open == 0)
    await relay.close()


# --- TLS and AUTH ------------------------------------------------------------------------------------------


async def test_starttls_with_a_trusted_certificate(tmp_path: Path) -> None:
    ca = authority(tmp_path)
    async with Peer(context=ca.server_context(tmp_path, "127.0.0.1")) as peer:
        outcome = await send(peer, tls="verify", context=ca.client_context())
        assert outcome.result is Result.DONE
        assert outcome.tls == "TLSv1.3 TLS_AES_256_GCM_SHA384 verified"
        assert peer.mails[0].tls
        assert peer.commands.count(b"EHLO gw.example") == 2


async def test_implicit_tls(tmp_path: Path) -> None:
    ca = authority(tmp_path)
    async with Peer(context=ca.server_context(tmp_path, "127.0.0.1"), implicit=True) as peer:
        outcome = await send(peer, tls="verify", context=ca.client_context())
        assert (outcome.result, outcome.tls) == (Result.DONE, "TLSv1.3 TLS_AES_256_GCM_SHA384 verified")
        assert b"STARTTLS" not in peer.commands


async def test_a_large_message_over_tls(tmp_path: Path) -> None:
    ca = authority(tmp_path)
    message = b"Subject: x\r\n\r\n" + (b"y" * 75 + b"\r\n") * 40_000
    async with Peer(context=ca.server_context(tmp_path, "127.0.0.1")) as peer:
        assert (await send(peer, message, tls="verify", context=ca.client_context())).result is Result.DONE
        assert peer.mails[0].content == message


async def test_verify_refuses_self_signed_and_wrong_name(tmp_path: Path) -> None:
    ca = authority(tmp_path)
    for context in (self_signed(tmp_path, "127.0.0.1"), ca.server_context(tmp_path, "other.example")):
        async with Peer(context=context) as peer:
            outcome = await send(peer, tls="verify", context=ca.client_context())
            assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.7.5")
            assert "certificate" in outcome.reply.text
            assert not peer.mails
            assert not any(command.startswith(b"MAIL") for command in peer.commands)


async def test_verify_refuses_a_server_without_starttls(peer: Peer) -> None:
    assert summary(await send(peer, tls="verify")) == (Result.TEMPORARY, "hop", 0, "4.7.4")
    assert not any(command.startswith(b"MAIL") for command in peer.commands)


async def test_opportunistic_takes_any_certificate_or_none(tmp_path: Path, peer: Peer) -> None:
    async with Peer(context=self_signed(tmp_path, "other.example")) as secured:
        outcome = await send(secured, tls="opportunistic")
        assert (outcome.result, outcome.tls) == (Result.DONE, "TLSv1.3 TLS_AES_256_GCM_SHA384")
    outcome = await send(peer, tls="opportunistic")
    assert (outcome.result, outcome.tls) == (Result.DONE, "")


async def test_opportunistic_goes_on_in_clear_when_tls_fails_but_with_no_password(tmp_path: Path) -> None:
    extensions = ("PIPELINING", "STARTTLS", "AUTH PLAIN")
    async with Peer(extensions=extensions) as peer:  # says 220 and then talks no TLS
        peer.always["STARTTLS"] = Last("220 2.0.0 go ahead")
        assert (await send(peer, tls="opportunistic")).result is Result.DONE
        assert not peer.mails[0].tls
        secret = tmp_path / "password"
        secret.write_text("s3cret\n")
        outcome = await send(peer, tls="opportunistic", user="gw", password_file=secret)
        assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.7.5")
        assert not any(command.startswith(b"AUTH") for command in peer.commands)


@pytest.mark.parametrize("injected", [b"220 go ahead\r\n250 injected\r\n", b"220 go ahead\r\n250"])
async def test_replies_injected_before_tls_end_the_session(tmp_path: Path, injected: bytes) -> None:
    ca = authority(tmp_path)
    async with Peer(context=ca.server_context(tmp_path, "127.0.0.1")) as peer:
        peer.script["STARTTLS"] = [Raw(injected)]
        outcome = await send(peer, tls="verify", context=ca.client_context())
        assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.7.5")
        assert "in clear" in outcome.reply.text
        assert not any(command.startswith(b"MAIL") for command in peer.commands)


@pytest.mark.parametrize("mechanisms", ["AUTH PLAIN LOGIN", "AUTH LOGIN", "AUTH=LOGIN PLAIN"])
async def test_it_logs_in(tmp_path: Path, mechanisms: str) -> None:
    ca = authority(tmp_path)
    secret = tmp_path / "password"
    secret.write_text("s3crét\n")
    async with Peer(context=ca.server_context(tmp_path, "127.0.0.1")) as peer:
        peer.users = {"gw": "s3crét"}
        reply = f"250-peer\n250-STARTTLS\n250 {mechanisms}"
        peer.always["EHLO"] = reply
        relay = relay_to(peer, ca.client_context(), tls="verify", user="gw", password_file=secret)
        assert (await relay.deliver(envelope(), MESSAGE)).result is Result.DONE
        assert peer.mails[0].user == "gw"
        await relay.close()


async def test_a_wrong_password_is_our_own_fault_and_temporary(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("wrong")
    async with Peer(users={"gw": "right"}) as peer:
        outcome = await send(peer, user="gw", password_file=secret)
        assert summary(outcome) == (Result.TEMPORARY, "hop", 535, "5.7.8")


async def test_a_password_never_goes_in_clear_unless_tls_is_none(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("right")
    async with Peer(users={"gw": "right"}) as peer:
        outcome = await send(peer, tls="opportunistic", user="gw", password_file=secret)
        assert summary(outcome) == (Result.TEMPORARY, "hop", 0, "4.7.0")
        assert not any(command.startswith(b"AUTH") for command in peer.commands)
        assert (await send(peer, tls="none", user="gw", password_file=secret)).result is Result.DONE
