"""When to try again, and what a reply means: pure functions over replies and times."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Literal

from gateway.model import Outcome, Reply, Result

LIFETIME = dt.timedelta(days=4)  # RFC 5321 §4.5.4.1: give up after 4-5 days
_STEPS = tuple(dt.timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 60, 120, 240))
_SPREAD = 0.1

Scope = Literal["address", "message", "hop"]


class Stage(StrEnum):
    """How far a transaction had come when the reply, or the failure, was seen."""

    CONNECT = "connect"  # the connection itself and the greeting
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"  # the command
    CONTENT = "content"  # everything up to the reply to the final dot


# RFC 3463: 7.2 closed mailing list; RFC 5248: 7.13 account disabled; RFC 7293: 7.17, 7.18 another owner; Exchange:
# 7.124 sender not allowed, 7.133-7.136 only for senders of its own.
_OF_A_MAILBOX = frozenset({2, 13, 17, 18, 124, 133, 134, 135, 136})
_SESSION = (Stage.CONNECT, Stage.EHLO, Stage.STARTTLS, Stage.AUTH)


def next_attempt(attempts: int, now: dt.datetime, expires_at: dt.datetime, jitter: float) -> dt.datetime | None:
    """When a delivery that failed for now is due again; None when its time is over.

    `attempts` counts the one that just failed; `jitter` is in [-1, 1] and moves the pause by up to 10 %, so that
    mails that failed together do not come back together. The last attempt falls on `expires_at` itself.
    """
    if now >= expires_at:
        return None
    pause = _STEPS[min(max(attempts, 1), len(_STEPS)) - 1]
    return min(now + pause * (1 + _SPREAD * jitter), expires_at)


def classify(reply: Reply, stage: Stage, *, peer: str = "", tls: str = "", possibly_sent: bool = False) -> Outcome:
    """The outcome that `reply` means at `stage`; 2xx is done, which the caller asks for only when it ends something.

    A refusal before MAIL, or of MAIL, speaks of us (our address, name, password, sender domain), not of who the mail
    is for, so it is temporary and concerns the whole next hop. From RCPT on, 5xx is final.
    """
    result, scope = _verdict(reply, stage)
    return Outcome(result=result, reply=reply, peer=peer, tls=tls, possibly_sent=possibly_sent, scope=scope)


def _verdict(reply: Reply, stage: Stage) -> tuple[Result, Scope]:
    if 200 <= reply.code < 300:
        return Result.DONE, "address"
    if not 500 <= reply.code < 600:
        return Result.TEMPORARY, _temporary_scope(reply, stage)
    if stage in _SESSION:
        return Result.TEMPORARY, "hop"
    if stage is Stage.MAIL:
        return _mail_refused(reply)
    if mailbox_full(reply):
        return Result.TEMPORARY, "address"
    if stage is Stage.RCPT and not policy(reply):
        return Result.PERMANENT, "address"
    return Result.PERMANENT, "message"


def _temporary_scope(reply: Reply, stage: Stage) -> Scope:
    # 421 (RFC 5321 §3.8) closes the channel for everybody; no code at all is a failure of the network
    if stage in _SESSION or stage is Stage.MAIL or reply.code in (0, 421):
        return "hop"
    return "address" if stage is Stage.RCPT else "message"


def _mail_refused(reply: Reply) -> tuple[Result, Scope]:
    """A 5xx to MAIL: about this message only where it says so (size, SMTPUTF8), else about us as a sender."""
    subject, detail = _detail(reply)
    if (subject, detail) in {(3, 4), (2, 3), (6, 7)} or (reply.code == 552 and reply.enhanced is None):
        return Result.PERMANENT, "message"
    return Result.TEMPORARY, "hop"


def mailbox_full(reply: Reply) -> bool:
    """552 or x.2.2: passes when somebody tidies up, so it is tried again like a 4xx; a message too big does not."""
    detail = _detail(reply)
    return detail == (2, 2) or (reply.code == 552 and detail not in {(3, 4), (2, 3)})


def policy(reply: Reply) -> bool:
    """x.7.x: a refusal of the sender by policy or reputation; says nothing about the address itself."""
    return _detail(reply)[0] == 7


def refuses_us(outcome: Outcome) -> bool:
    """Whether the next hop refuses whatever we send, by policy or reputation: 5xx with x.7.x.

    Not those that by their definition speak of one mailbox: going on would not make our name worse.
    """
    reply = outcome.reply
    return 500 <= reply.code < 600 and policy(reply) and _detail(reply)[1] not in _OF_A_MAILBOX


def slows(outcome: Outcome) -> bool:
    """Whether the next hop asks for less at a time: 421, 45x, a failed connection; not one mailbox's trouble."""
    if outcome.result is not Result.TEMPORARY:
        return False
    if outcome.scope == "hop":
        return True
    return outcome.reply.code // 10 == 45 and _detail(outcome.reply)[0] not in (1, 2)


def failed(
    enhanced: str,
    text: str,
    *,
    peer: str = "",
    tls: str = "",
    possibly_sent: bool = False,
    scope: Scope = "hop",
) -> Outcome:
    """A temporary failure without a reply of the peer (network, TLS, our own): its reply has code 0."""
    reply = Reply(code=0, enhanced=enhanced, text=text)
    return Outcome(result=Result.TEMPORARY, reply=reply, peer=peer, tls=tls, possibly_sent=possibly_sent, scope=scope)


def _detail(reply: Reply) -> tuple[int, int]:
    """Subject and detail of the enhanced code (RFC 3463 §2); zeros when there is none."""
    if reply.enhanced is None:
        return 0, 0
    _, subject, detail = reply.enhanced.split(".")
    return int(subject), int(detail)
