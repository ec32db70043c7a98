"""Who logs in, how, and what a wrong password costs."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import threading
import time
from typing import Any

import argon2
import pytest

from gateway.config import Relaxation, Source
from gateway.smtp import auth
from gateway.smtp.server import Limits
from tests.smtp_talk import LOCAL, Door, Talk, open_door

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
CLEAR = Relaxation(reason="test", expires=dt.date(2999, 1, 1))
SAP = Source(name="sap", user="sap", password_hash=CHEAP.hash("secret"), plain_auth=CLEAR, early_data="reject")
LIMITS = Limits(auth_delay=0.001)


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


GOOD = b64("\0sap\0secret")


async def greeted(door: Door) -> Talk:
    talk = await door.connect()
    await talk.say("EHLO client.example")
    return talk


@pytest.mark.parametrize(
    "dialogue",
    [
        [(f"AUTH PLAIN {GOOD}", "235 2.7.0")],
        [(f"auth plain {b64('sap' + chr(0) + 'sap' + chr(0) + 'secret')}", "235 2.7.0")],
        [("AUTH PLAIN", "334 "), (GOOD, "235 2.7.0")],
        [("AUTH LOGIN", "334 VXNlcm5hbWU6"), (b64("sap"), "334 UGFzc3dvcmQ6"), (b64("secret"), "235 2.7.0")],
        [(f"auth login {b64('sap')}", "334 UGFzc3dvcmQ6"), (b64("secret"), "235 2.7.0")],
        [("AUTH LOGIN", "334 VXNlcm5hbWU6"), ("*", "501 5.7.0"), ("NOOP", "250")],
        [("AUTH PLAIN", "334 "), ("no base64!", "501 5.5.2"), ("NOOP", "250")],
        [(f"AUTH PLAIN {b64('sap')}", "501 5.5.2")],
        [(f"AUTH PLAIN {b64('boss' + chr(0) + 'sap' + chr(0) + 'secret')}", "501 5.5.2")],
        [("AUTH PLAIN =", "501 5.5.2")],
        [("AUTH LOGIN", "334 VXNlcm5hbWU6"), ("x" * 13_000, "500 5.5.6")],
        [("AUTH CRAM-MD5", "504 5.5.4")],
        [("AUTH", "504 5.5.4")],
        [(f"AUTH PLAIN {GOOD}", "235"), (f"AUTH PLAIN {GOOD}", "503 5.5.1")],
        [(f"AUTH PLAIN {b64(chr(0) + 'sap' + chr(0) + 'wrong')}", "535 5.7.8"), (f"AUTH PLAIN {GOOD}", "235")],
    ],
)
async def test_the_dialogues_of_plain_and_login(dialogue: list[tuple[str, str]]) -> None:
    async with open_door(sources=(SAP,), limits=LIMITS) as door:
        talk = await greeted(door)
        for said, answer in dialogue:
            assert (await talk.say(said)).startswith(answer)


async def test_ehlo_offers_both_forms() -> None:
    async with open_door(sources=(SAP,)) as door:
        talk = await door.connect()
        lines = (await talk.say("EHLO x")).split("\n")
        assert "250-AUTH PLAIN LOGIN" in lines
        assert "250-AUTH=PLAIN LOGIN" in lines
        assert "250-STARTTLS" not in lines


@pytest.mark.parametrize("clear", [None, Relaxation(reason="old", expires=dt.date(2020, 1, 1))])
async def test_auth_is_not_offered_in_clear_without_a_reason_that_holds(
    clear: Relaxation | None, caplog: pytest.LogCaptureFixture
) -> None:
    source = Source(name="sap", user="sap", password_hash=SAP.password_hash, plain_auth=clear)
    async with open_door(sources=(source,)) as door:
        talk = await door.connect()
        assert "AUTH" not in await talk.say("EHLO x")
        assert (await talk.say(f"AUTH PLAIN {GOOD}")).startswith("538 5.7.11")
        ended = "; plain_auth of sap ended on 2020-01-01" if clear else ""
        assert f'reason="AUTH without TLS, and no source takes that{ended}"' in caplog.text
        caplog.clear()
        for _ in range(2):  # one that does not even ask, and one that comes for something else
            talk = await door.connect()
            await talk.say("EHLO x")
            await talk.say("QUIT")
        await (await door.connect()).say("QUIT")
        await door.until(lambda: len(door.server.sessions) == 1)
        said = [record.getMessage().partition("reason=")[2] for record in caplog.records]
        assert said == [f'"it left without a mail: AUTH is offered after TLS only{ended}"'] * 2


async def test_one_sources_reason_is_no_other_sources() -> None:
    other = Source(name="erp", user="erp", password_hash=CHEAP.hash("other"))
    async with open_door(sources=(SAP, other), limits=LIMITS) as door:
        talk = await greeted(door)
        assert (await talk.say(f"AUTH PLAIN {b64(chr(0) + 'erp' + chr(0) + 'other')}")).startswith("535")
        assert (await talk.say(f"AUTH PLAIN {GOOD}")).startswith("235")


async def test_a_stranger_can_do_nothing_before_auth_and_is_the_users_source_after_it() -> None:
    async with open_door(sources=(SAP,)) as door:
        talk = await greeted(door)
        assert (await talk.say("MAIL FROM:<a@b.example>")).startswith("530 5.7.0")
        assert (await talk.say("RCPT TO:<1001>")).startswith("503")
        assert (await talk.say("DATA")).startswith("503")
        assert (await talk.say(f"AUTH PLAIN {GOOD}")).startswith("235")
        await talk.begin()
        await talk.send(b"x\r\n.\r\n")
        assert (await talk.reply()).startswith("250")
        (handed,) = door.received.handed
        assert (handed.source, handed.peer.user) == (SAP, "sap")
        assert handed.notes == "auth_in_clear:1"
        assert [quirk.name for quirk in door.server.quirks.of("sap")] == ["auth_in_clear"]


async def test_a_stranger_who_mails_without_auth_is_told_of_once_a_session(caplog: pytest.LogCaptureFixture) -> None:
    source = Source(name="sap", user="sap", password_hash=SAP.password_hash)
    async with open_door(sources=(source,)) as door:
        talk = await greeted(door)
        for _ in range(2):
            assert (await talk.say("MAIL FROM:<a@b.example>")).startswith("530 5.7.0")
        await talk.say("QUIT")
        await door.until(lambda: not door.server.sessions)
        (record,) = caplog.records
        where = f"peer=127.0.0.1 listener={door.server._entrances[0].name} helo=client.example"
        assert record.getMessage() == f'refused {where} reason="MAIL before AUTH, and no source lists this address"'


async def test_nothing_is_told_of_a_client_that_could_have_logged_in(caplog: pytest.LogCaptureFixture) -> None:
    async with open_door(sources=(SAP,)) as door:
        await (await greeted(door)).say("QUIT")
        await door.until(lambda: not door.server.sessions)
        assert caplog.records == []


async def test_a_listed_network_needs_no_login_and_may_log_in() -> None:
    async with open_door(sources=(LOCAL, SAP)) as door:
        talk = await greeted(door)
        await talk.say(f"AUTH PLAIN {GOOD}")
        assert door.server._connections == {"local": 0, "sap": 1}
        other = await greeted(door)
        assert (await other.say("MAIL FROM:<a@b.example>")).startswith("250")


async def test_a_users_connections_are_bounded() -> None:
    one = Source(name="sap", user="sap", password_hash=SAP.password_hash, plain_auth=CLEAR, max_connections=1)
    async with open_door(sources=(one,)) as door:
        first, second = await greeted(door), await greeted(door)
        assert (await first.say(f"AUTH PLAIN {GOOD}")).startswith("235")
        assert (await second.say(f"AUTH PLAIN {GOOD}")).startswith("421 4.7.0")


async def test_auth_after_helo_is_for_the_sources_that_say_so() -> None:
    old = Source(name="old", user="old", password_hash=SAP.password_hash, plain_auth=CLEAR, auth_after_helo=True)
    async with open_door(sources=(SAP,)) as door:
        talk = await door.connect()
        assert (await talk.say(f"AUTH PLAIN {GOOD}")).startswith("503")
        await talk.say("HELO x")
        assert (await talk.say(f"AUTH PLAIN {GOOD}")).startswith("503")
    async with open_door(sources=(SAP, old), limits=LIMITS) as door:
        talk = await door.connect()
        await talk.say("HELO x")
        assert (await talk.say(f"AUTH PLAIN {GOOD}")).startswith("535")
        assert (await talk.say(f"AUTH PLAIN {b64(chr(0) + 'old' + chr(0) + 'secret')}")).startswith("235")


async def test_three_wrong_passwords_end_a_session_and_each_answer_is_later(caplog: pytest.LogCaptureFixture) -> None:
    async with open_door(sources=(SAP,), limits=Limits(auth_delay=0.05)) as door:
        talk = await greeted(door)
        took = []
        for _ in range(3):
            began = time.monotonic()
            answer = await talk.say(f"AUTH PLAIN {b64(chr(0) + 'sap' + chr(0) + 'guess')}")
            took.append(time.monotonic() - began)
        assert answer.startswith("421 4.7.0")
        assert await talk.rest() == b""
        assert [seconds >= floor for seconds, floor in zip(took, (0.05, 0.1, 0.2), strict=True)] == [True] * 3
        assert "wrong password" in caplog.text
        assert "guess" not in caplog.text


async def test_500_wrong_passwords_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 20 a minute from one address are even looked at, however many sessions it opens."""
    checked = []
    real = auth.Passwords._verify
    monkeypatch.setattr(auth.Passwords, "_verify", lambda *seen: checked.append(1) or real(*seen))
    async with open_door(sources=(SAP,), limits=Limits(auth_delay=0.001, address_rate=1000)) as door:
        for number in range(250):
            talk = await greeted(door)
            for _ in range(2):
                answer = await talk.say(f"AUTH PLAIN {b64(chr(0) + f'user{number}' + chr(0) + 'guess')}")
                if answer.startswith("421"):
                    break
            talk.writer.transport.abort()
        assert answer.startswith("421 4.7.0")
    assert len(checked) == 20


async def test_guesses_at_the_same_time_learn_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guesses under way when the bound is reached are not answered, right or wrong."""
    async with open_door(sources=(LOCAL, SAP), limits=Limits(auth_delay=0.001, auth_rate=3)) as door:
        talks = [await greeted(door) for _ in range(12)]
        wrong = b64(chr(0) + "sap" + chr(0) + "guess")
        answers = await asyncio.gather(*(talk.say(f"AUTH PLAIN {wrong}") for talk in talks))
        assert sum(answer.startswith("535") for answer in answers) == 3


async def test_an_unknown_user_takes_as_long_as_a_known_one() -> None:
    """The costs are counted, not timed: both are checked against a hash of the same parameters."""
    passwords = auth.Passwords([SAP])
    seen = []
    passwords._verify = lambda known, password: seen.append(known) or False  # type: ignore[method-assign,func-returns-value]
    for user in ("sap", "nobody"):
        assert await passwords.check(auth.Claim(user, b"x"), secure=True, extended=True, today=dt.date(2026, 1, 1)) == (
            None,
            "wrong password" if user == "sap" else "unknown user",
        )
    known, dummy = (argon2.extract_parameters(text) for text in seen)
    assert known == dummy
    assert not auth.Passwords([SAP])._verify(seen[1], b"secret")


class Held:
    """argon2 at work until the test lets it go on: what runs then, and in which threads it ran."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.threads: list[threading.Thread] = []
        self.go_on = threading.Event()
        verify = argon2.PasswordHasher.verify

        def held(*args: Any) -> bool:
            self.threads.append(threading.current_thread())
            if threading.current_thread() is not threading.main_thread():  # there, nobody could let it go on
                assert self.go_on.wait(10)
            return verify(*args)

        patch.setattr(argon2.PasswordHasher, "verify", held)


@pytest.mark.parametrize(("user", "answer"), [("sap", "235"), ("nobody", "535")])
async def test_others_are_answered_while_a_password_is_checked(
    monkeypatch: pytest.MonkeyPatch, user: str, answer: str
) -> None:
    """A user that nobody knows costs a hash too, and neither hash runs where all sessions do."""
    held = Held(monkeypatch)
    async with open_door(sources=(LOCAL, SAP), limits=LIMITS) as door:
        talk, other = await greeted(door), await door.connect()
        judged = asyncio.create_task(talk.say(f"AUTH PLAIN {b64(chr(0) + user + chr(0) + 'secret')}"))
        await door.until(lambda: len(held.threads) == 1)
        await other.begin()
        await other.send(b"x\r\n.\r\n")
        assert await other.reply() == "250 2.0.0 Ok"
        assert not judged.done()
        held.go_on.set()
        assert (await judged).startswith(answer)
    assert threading.main_thread() not in held.threads


async def test_two_passwords_are_checked_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check takes a core and 19 MiB: a crowd that logs in waits in line."""
    held = Held(monkeypatch)
    async with open_door(sources=(LOCAL, SAP)) as door:
        talks = [await greeted(door) for _ in range(5)]
        judged = [asyncio.create_task(talk.say(f"AUTH PLAIN {GOOD}")) for talk in talks]
        await door.until(lambda: len(held.threads) + len(door.server.passwords._turns._waiters or ()) == 5)
        assert len(held.threads) == auth.CHECKS == 2
        held.go_on.set()
        assert [answer[:3] for answer in await asyncio.gather(*judged)] == ["235"] * 5


def test_a_password_is_bytes_and_a_name_may_be_latin_1() -> None:
    assert auth.plain(b"\0J\xf6rg\0p\xff") == auth.Claim("Jörg", b"p\xff")
    assert auth.plain("\0Jörg\0p".encode()) == auth.Claim("Jörg", b"p")
    assert auth.plain(b"\0\0p") is None
