"""When to try again, and what a reply means."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway import retry
from gateway.model import Reply, Result
from gateway.retry import Stage

NOW = dt.datetime(2026, 3, 2, 9, 41, tzinfo=dt.UTC)
LATE = NOW + retry.LIFETIME


def minutes(attempts: int, jitter: float = 0.0) -> float:
    again = retry.next_attempt(attempts, NOW, LATE, jitter)
    assert again is not None
    return (again - NOW).total_seconds() / 60


def test_pauses_grow_from_five_minutes_to_four_hours() -> None:
    assert [minutes(attempts) for attempts in range(1, 10)] == [5, 10, 20, 40, 60, 120, 240, 240, 240]


def test_jitter_moves_a_pause_by_a_tenth_either_way() -> None:
    assert minutes(1, -1.0) == pytest.approx(4.5)
    assert minutes(1, 1.0) == pytest.approx(5.5)


def test_the_last_attempt_falls_on_the_expiry_and_then_it_is_over() -> None:
    assert retry.next_attempt(9, LATE - dt.timedelta(minutes=30), LATE, 0.0) == LATE
    assert retry.next_attempt(10, LATE, LATE, 0.0) is None
    assert retry.next_attempt(10, LATE + dt.timedelta(hours=3), LATE, 0.0) is None


def test_a_mail_lives_four_days_and_is_tried_often_enough() -> None:
    moment, attempts = NOW, 0
    while moment is not None:
        attempts += 1
        last, moment = moment, retry.next_attempt(attempts, moment, LATE, 0.0)
    assert last == LATE
    assert 25 <= attempts <= 40


DONE, TEMPORARY, PERMANENT = Result.DONE, Result.TEMPORARY, Result.PERMANENT


@pytest.mark.parametrize(
    ("stage", "code", "enhanced", "result", "scope"),
    [
        (Stage.CONTENT, 250, "2.0.0", DONE, "address"),
        (Stage.CONNECT, 554, "5.7.1", TEMPORARY, "hop"),
        (Stage.CONNECT, 421, "4.3.2", TEMPORARY, "hop"),
        (Stage.EHLO, 550, None, TEMPORARY, "hop"),
        (Stage.STARTTLS, 502, None, TEMPORARY, "hop"),
        (Stage.AUTH, 535, "5.7.8", TEMPORARY, "hop"),
        (Stage.MAIL, 451, "4.3.0", TEMPORARY, "hop"),
        (Stage.MAIL, 530, "5.7.0", TEMPORARY, "hop"),
        (Stage.MAIL, 550, "5.7.1", TEMPORARY, "hop"),
        (Stage.MAIL, 553, "5.1.8", TEMPORARY, "hop"),
        (Stage.MAIL, 552, "5.3.4", PERMANENT, "message"),
        (Stage.MAIL, 552, None, PERMANENT, "message"),
        (Stage.MAIL, 553, "5.6.7", PERMANENT, "message"),
        (Stage.RCPT, 450, "4.2.0", TEMPORARY, "address"),
        (Stage.RCPT, 421, "4.7.0", TEMPORARY, "hop"),
        (Stage.RCPT, 550, "5.1.1", PERMANENT, "address"),
        (Stage.RCPT, 550, None, PERMANENT, "address"),
        (Stage.RCPT, 554, "5.7.1", PERMANENT, "message"),
        (Stage.RCPT, 552, "5.2.2", TEMPORARY, "address"),
        (Stage.RCPT, 552, None, TEMPORARY, "address"),
        (Stage.RCPT, 552, "5.2.3", PERMANENT, "address"),
        (Stage.RCPT, 554, "5.2.2", TEMPORARY, "address"),
        (Stage.DATA, 451, "4.3.0", TEMPORARY, "message"),
        (Stage.DATA, 554, "5.5.1", PERMANENT, "message"),
        (Stage.CONTENT, 452, "4.2.2", TEMPORARY, "message"),
        (Stage.CONTENT, 550, "5.7.515", PERMANENT, "message"),
        (Stage.CONTENT, 552, "5.3.4", PERMANENT, "message"),
        (Stage.CONTENT, 554, "5.6.0", PERMANENT, "message"),
    ],
)
def test_what_a_reply_means(stage: Stage, code: int, enhanced: str | None, result: Result, scope: str) -> None:
    outcome = retry.classify(Reply(code=code, enhanced=enhanced, text=""), stage, peer="p", tls="t", possibly_sent=True)
    assert (outcome.result, outcome.scope) == (result, scope)
    assert (outcome.peer, outcome.tls, outcome.possibly_sent) == ("p", "t", True)


@pytest.mark.parametrize(
    ("stage", "code", "enhanced", "slower"),
    [
        (Stage.CONNECT, 421, None, True),
        (Stage.RCPT, 421, None, True),
        (Stage.RCPT, 451, "4.7.1", True),
        (Stage.CONTENT, 452, "4.3.1", True),
        (Stage.RCPT, 450, "4.2.1", False),  # one mailbox
        (Stage.RCPT, 452, "4.1.1", False),
        (Stage.RCPT, 432, None, False),
        (Stage.RCPT, 550, "5.1.1", False),
        (Stage.CONTENT, 250, None, False),
    ],
)
def test_which_replies_ask_for_less_at_a_time(stage: Stage, code: int, enhanced: str | None, slower: bool) -> None:
    outcome = retry.classify(Reply(code=code, enhanced=enhanced, text=""), stage)
    assert retry.slows(outcome) is slower


def test_a_failure_without_a_reply_is_temporary_and_concerns_the_hop() -> None:
    outcome = retry.failed("4.4.1", "cannot connect", peer="p")
    assert (outcome.result, outcome.scope, outcome.reply.code) == (TEMPORARY, "hop", 0)
    assert retry.slows(outcome)


def test_a_policy_refusal_says_nothing_about_the_address() -> None:
    assert retry.policy(Reply(code=550, enhanced="5.7.26", text=""))
    assert not retry.policy(Reply(code=550, enhanced="5.1.1", text=""))
