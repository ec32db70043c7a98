"""The relay side of a real gateway process: a smarthost that greylists, refuses, hangs; passing on; the switch."""

from __future__ import annotations

import asyncio
import signal
import time
from email import message_from_bytes
from typing import Any

from gateway import signing
from tests.e2e.conftest import Make
from tests.e2e.documents import invoice
from tests.e2e.gateway import Gateway, until
from tests.e2e.test_path import add, one, records
from tests.peer import Hang, Peer


def relayed(make_gateway: Make, peer: Peer, recipients: str = "resolve") -> Gateway:
    relay = f'mode = "smarthost"\nhost = "{peer.url}"\ntls = "none"\nconcurrency = 4'
    return make_gateway(relay=relay, recipients=recipients)


async def away(function: Any, *args: Any, **named: Any) -> Any:
    """Run blocking test code while the peer, which lives in this loop, goes on."""
    return await asyncio.to_thread(lambda: function(*args, **named))


async def test_a_greylisted_document_says_when_it_is_tried_again(make_gateway: Make) -> None:
    async with Peer() as peer:
        peer.script["RCPT"] = ["451 4.7.1 greylisted, try again in five minutes"]
        gateway = await away(relayed(make_gateway, peer).start)
        await away(add, gateway)
        await away(gateway.mail, ("a.xml", invoice()))

        def deferred() -> list[dict[str, Any]]:
            return [each for each in gateway.cli("queue", "list") if each["state"] == "deferred"]

        (waiting,) = await away(until, deferred)
        assert waiting["last_reply"]["code"] == 451
        assert "greylisted" in waiting["last_reply"]["text"]
        assert waiting["next_attempt_at"]
        await away(gateway.cli, "queue", "retry", waiting["id"])
        document = await away(one, gateway, "sent")
        assert document["deliveries"][0]["attempts"] == 2
        assert len(peer.mails) == 1
        await away(gateway.stop)


async def test_a_refused_copy_does_not_fail_the_recipient(make_gateway: Make) -> None:
    async with Peer() as peer:
        peer.refuse["gone@kopare.example"] = "550 5.1.1 no such user"
        gateway = await away(relayed(make_gateway, peer).start)
        await away(add, gateway, "1042", "kund@kopare.example", "--cc", "gone@kopare.example")
        await away(gateway.mail, ("a.xml", invoice()))
        document = await away(one, gateway, "partly_sent")
        states = {each["recipient"]: each["state"] for each in document["deliveries"]}
        assert states == {"kund@kopare.example": "sent", "gone@kopare.example": "bounced"}
        assert len({mail.envelope.mail_from for mail in peer.mails}) == 1
        await away(gateway.stop)


async def test_the_switch_holds_what_waits_in_the_queue_and_lets_it_go(make_gateway: Make) -> None:
    async with Peer() as peer:
        peer.always["MAIL"] = "451 4.3.2 later"
        gateway = await away(relayed(make_gateway, peer).start)
        await away(add, gateway)
        await away(gateway.mail, ("a.xml", invoice()))
        await away(until, lambda: [e for e in gateway.cli("queue", "list") if e["state"] == "deferred"])
        await away(gateway.cli, "settings", "set", "distribution.active", "false")
        (held,) = await away(gateway.cli, "queue", "list")
        assert held["state"] == "held"
        del peer.always["MAIL"]
        await away(gateway.cli, "settings", "set", "distribution.active", "true")
        await away(one, gateway, "sent")
        await away(gateway.stop)


async def test_a_mail_is_passed_on_under_our_sender_signed(make_gateway: Make) -> None:
    async with Peer() as peer:
        gateway = await away(relayed(make_gateway, peer, recipients="envelope").start)
        content = (
            b"From: Scanner <scan@seller.example>\r\nTo: a@customer.example\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n"
            b"Bcc: secret@customer.example\r\nDKIM-Signature: v=1; a=old\r\n\r\n.a line with a dot\r\nbody\r\n"
        )
        await away(gateway.submit, content, "a@customer.example", "scan@seller.example")
        (mail,) = await peer.arrived(1)
        message = message_from_bytes(mail.content)
        assert mail.envelope.rcpt_to == ("a@customer.example",)
        assert mail.envelope.mail_from.startswith("b+")
        assert "noreply@pageroonline.com" in str(message["From"])
        assert "Scanner" in str(message["From"])
        assert message["Reply-To"] == "scan@seller.example"
        assert (message["Bcc"], message["Subject"]) == (None, "=?utf-8?q?caf=C3=A9?=")
        assert mail.content.endswith(b"\r\n\r\n.a line with a dot\r\nbody\r\n")
        verdicts = signing.verify(mail.content, await away(records, gateway))
        assert dict(verdicts) == {"gw1": "pass", "gw2": "pass"}
        await away(gateway.stop)


async def test_a_bounce_is_passed_on_without_a_sender(make_gateway: Make) -> None:
    async with Peer() as peer:
        gateway = await away(relayed(make_gateway, peer, recipients="envelope").start)
        await away(gateway.submit, b"From: MAILER-DAEMON@x.example\r\n\r\nsorry\r\n", "a@customer.example", "")
        (mail,) = await peer.arrived(1)
        assert mail.envelope.mail_from == ""
        await away(gateway.stop)


async def test_a_stop_with_a_hanging_relay_ends_in_time_and_loses_nothing(make_gateway: Make) -> None:
    async with Peer() as peer:
        peer.script["DOT"] = [Hang()]
        gateway = await away(relayed(make_gateway, peer).start)
        await away(add, gateway)
        await away(gateway.mail, ("a.xml", invoice()))
        await peer.until(lambda: any(line.startswith(b"DATA") for line in peer.commands))
        assert gateway.process is not None
        started = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)
        assert await away(gateway.process.wait, 45) == 0
        assert time.monotonic() - started < 40
        await away(gateway.start)
        document = await away(one, gateway, "sent")
        shown = await away(gateway.cli, "documents", "show", document["id"])
        first, second = shown["deliveries"][0]["history"]
        assert (first["outcome"], first["possibly_sent"]) == ("interrupted", True)
        assert second["outcome"] == "done"
        await away(gateway.stop)
