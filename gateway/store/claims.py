"""Deliveries as the queue sees them: claimed under a lease, recorded with their outcome, freed after a crash.

A delivery that may be claimed has `due_at`; every other has NULL there, so the index `delivery_due` holds just what
waits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
from sqlalchemy.engine import Connection

from gateway.model import Claimed, DocumentState, Outcome, Result, Value, new_id
from gateway.store.schema import from_micros, to_micros
from gateway.store.statement import Statement

_PAUSED = Statement(
    "SELECT 1 FROM next_hop WHERE name = :hop AND paused_by IS NOT NULL"
    " AND (paused_until IS NULL OR paused_until > :now)"
)

# The inner LIMIT walks `delivery_due`; the running sum stops the claim where the bytes to be held in memory run out,
# after the message that passes the budget, so that a message larger than the whole budget leaves all the same.
_CLAIM = Statement(
    "UPDATE delivery SET state = 'active', due_at = NULL, attempts = attempts + 1, leased_by = :owner,"
    " leased_until = :until, updated_at = :now"
    " WHERE id IN (SELECT id FROM ("
    "  SELECT due.id, SUM(m.size) OVER (ORDER BY due.due_at, due.id) - m.size AS before FROM"
    "  (SELECT id, message_id, due_at FROM delivery WHERE next_hop = :hop AND due_at <= :now"
    "   ORDER BY due_at LIMIT :limit) AS due"
    "  JOIN message AS m ON m.id = due.message_id) AS summed WHERE before < :budget)"
    " RETURNING id, document_id, message_id, address, mail_from, attempts, expires_at,"
    " (SELECT m.size FROM message AS m WHERE m.id = delivery.message_id) AS size"
)
_OPEN_ATTEMPT = Statement(
    "INSERT INTO attempt (id, delivery_id, started_at, possibly_sent) VALUES (:id, :delivery_id, :now, :possibly_sent)"
)
_CLOSE_ATTEMPT = Statement(
    "UPDATE attempt SET ended_at = :now, peer = :peer, tls = :tls, outcome = :outcome, code = :code,"
    " enhanced = :enhanced, text = :text, possibly_sent = :possibly_sent WHERE id = :id"
)
# `attempts` tells this claim from a later one. A late success still counts where the lease was freed meanwhile: the
# mail has left, and another attempt would only make a copy.
_END = Statement(
    "UPDATE delivery SET state = :state, cause = NULL, due_at = NULL, leased_by = NULL, leased_until = NULL,"
    " last_reply = :reply, updated_at = :now WHERE id = :id AND attempts = :attempts"
    " AND (state = 'active' OR (:state = 'sent' AND state IN ('deferred', 'held'))) RETURNING state"
)
# An active delivery with a cause was held or cancelled while it was on its way (`hold` and `cancel` in `deliveries`):
# that takes effect as soon as it comes back.
_COMES_BACK = (
    "state = CASE WHEN cause IS NULL THEN 'deferred' WHEN cause = 'cancel' THEN 'cancelled' ELSE 'held' END,"
    " cause = CASE WHEN cause = 'cancel' THEN NULL ELSE cause END, due_at = CASE WHEN cause IS NULL THEN :due END,"
    " leased_by = NULL, leased_until = NULL, updated_at = :now"
)
_DEFER = Statement(
    f"UPDATE delivery SET {_COMES_BACK}, last_reply = :reply"
    " WHERE id = :id AND attempts = :attempts AND state = 'active' RETURNING state"
)
BY_ITSELF = "the gateway"  # who paused a next hop; no user has a name with a blank
# A pause that a person has made stays as it is.
_STOP = Statement(
    "INSERT INTO next_hop (name, paused_by, paused_until, reason) VALUES (:hop, :us, :until, :reason)"
    " ON CONFLICT (name) DO UPDATE SET paused_by = :us, paused_until = :until, reason = :reason"
    " WHERE paused_by IS NULL OR paused_by = :us OR paused_until <= :now"
)
_STATES = Statement(
    "SELECT role, state, count(*) FROM delivery WHERE document_id = :document"
    " AND message_id = (SELECT max(id) FROM message WHERE document_id = :document) GROUP BY role, state"
)
_DOCUMENT = Statement("UPDATE document SET state = :state, updated_at = :now WHERE id = :document AND state = 'queued'")

_STALE = "leased_until IS NOT NULL AND (leased_by <> :owner OR leased_until < :now)"
_INTERRUPT = Statement(
    "UPDATE attempt SET ended_at = :now, outcome = 'interrupted', possibly_sent = :true WHERE ended_at IS NULL"
    f" AND delivery_id IN (SELECT id FROM delivery WHERE {_STALE})"
)
_FREE = Statement(f"UPDATE delivery SET {_COMES_BACK} WHERE {_STALE} RETURNING document_id, state")
# One index look-up per hop, however many deliveries wait at it.
_HOPS = Statement(
    "WITH RECURSIVE hop(name) AS ("
    " SELECT * FROM (SELECT next_hop FROM delivery WHERE due_at IS NOT NULL ORDER BY next_hop LIMIT 1) AS first"
    " UNION ALL SELECT (SELECT d.next_hop FROM delivery AS d WHERE d.due_at IS NOT NULL AND d.next_hop > hop.name"
    " ORDER BY d.next_hop LIMIT 1) FROM hop WHERE hop.name IS NOT NULL)"
    " SELECT hop.name, (SELECT d.due_at FROM delivery AS d WHERE d.next_hop = hop.name AND d.due_at IS NOT NULL"
    " ORDER BY d.due_at LIMIT 1) AS due_at, n.paused_by, n.paused_until"
    " FROM hop LEFT JOIN next_hop AS n ON n.name = hop.name WHERE hop.name IS NOT NULL"
)


class Ended(Value, frozen=True, kw_only=True):
    """An attempt that is over. `next_attempt` None ends the delivery; it is set only for a temporary outcome."""

    claimed: Claimed
    outcome: Outcome
    at: dt.datetime
    next_attempt: dt.datetime | None = None
    stopped_until: dt.datetime | None = None  # set when `outcome.stops`: the next hop is paused


class Recorded(Value, frozen=True, kw_only=True):
    """What an outcome made of its delivery, and of its document when that ended with it.

    `delivery_state` is None when the lease had been lost and the outcome came too late to count.
    """

    delivery_state: str | None
    document_state: str | None = None


class Due(Value, frozen=True, kw_only=True):
    """A next hop with deliveries that wait, and when the first of them may be claimed."""

    next_hop: str
    at: dt.datetime


def claim(
    connection: Connection,
    next_hop: str,
    limit: int,
    owner: str,
    now: dt.datetime,
    lease_until: dt.datetime,
    budget: int = 64 << 20,
) -> list[Claimed]:
    """Lease at most `limit` due deliveries of `next_hop`, longest due first, and open an attempt for each.

    `owner` is the boot id. Stops after the message with which their sizes pass `budget` bytes. A paused hop gives none.
    """
    moment = to_micros(now)
    if is_paused(connection, next_hop, now):
        return []
    values = {"hop": next_hop, "limit": limit, "owner": owner, "now": moment, "budget": budget}
    rows = _CLAIM.run(connection, values | {"until": to_micros(lease_until)}).fetchall()
    claimed = [
        Claimed(
            delivery_id=delivery_id,
            attempt_id=new_id(),
            document_id=document_id,
            message_id=message_id,
            address=address,
            mail_from=mail_from,
            next_hop=next_hop,
            attempts=attempts,
            expires_at=from_micros(expires_at),
            size=size,
        )
        for delivery_id, document_id, message_id, address, mail_from, attempts, expires_at, size in sorted(rows)
    ]
    open_attempts(connection, claimed, now)
    return claimed


def is_paused(connection: Connection, next_hop: str, now: dt.datetime) -> bool:
    """Whether a person has paused `next_hop`."""
    return _PAUSED.value(connection, {"hop": next_hop, "now": to_micros(now)}) is not None


def open_attempts(connection: Connection, claimed: Sequence[Claimed], now: dt.datetime) -> None:
    """Note the attempt of each delivery, in the commit that leases it."""
    moment = to_micros(now)
    for item in claimed:
        values = {"id": item.attempt_id, "delivery_id": item.delivery_id, "now": moment, "possibly_sent": False}
        _OPEN_ATTEMPT.run(connection, values)


def record(connection: Connection, ended: Sequence[Ended]) -> list[Recorded]:
    """Close attempts and move their deliveries on; the document follows when its last delivery ended."""
    return [_record(connection, item) for item in ended]


def _record(connection: Connection, item: Ended) -> Recorded:
    outcome, claimed, moment = item.outcome, item.claimed, to_micros(item.at)
    _CLOSE_ATTEMPT.run(connection, _closing(claimed.attempt_id, outcome, moment))
    if item.stopped_until is not None:
        reply = outcome.reply
        said = f"it refuses what we send: {reply.code} {reply.enhanced} {reply.text}"
        until = to_micros(item.stopped_until)
        stop = {"us": BY_ITSELF, "hop": claimed.next_hop, "until": until, "reason": said, "now": moment}
        _STOP.run(connection, stop)
    values = {
        "id": claimed.delivery_id,
        "attempts": claimed.attempts,
        "now": moment,
        "reply": msgspec.json.encode(outcome.reply).decode(),
    }
    if outcome.result is Result.TEMPORARY and item.next_attempt is not None:
        state = _DEFER.value(connection, values | {"due": to_micros(item.next_attempt)})
    else:
        ending = "sent" if outcome.result is Result.DONE else "bounced"
        state = _END.value(connection, values | {"state": ending})
    if state in (None, "deferred", "held"):
        return Recorded(delivery_state=state)
    return Recorded(delivery_state=state, document_state=settle(connection, claimed.document_id, item.at))


def _closing(attempt_id: int, outcome: Outcome, moment: int) -> dict[str, object]:
    return {
        "id": attempt_id,
        "now": moment,
        "peer": outcome.peer,
        "tls": outcome.tls,
        "outcome": outcome.result.value,
        "code": outcome.reply.code or None,
        "enhanced": outcome.reply.enhanced,
        "text": outcome.reply.text,
        "possibly_sent": outcome.possibly_sent,
    }


def settle(connection: Connection, document_id: int, now: dt.datetime) -> str | None:
    """End a queued document once all deliveries of its newest message have ended; its new state, None until then."""
    counts = {(role, state): count for role, state, count in _STATES.run(connection, {"document": document_id})}
    state = document_state(counts)
    if state is None:
        return None
    values = {"document": document_id, "state": state.value, "now": to_micros(now)}
    changed = _DOCUMENT.run(connection, values).rowcount
    return state.value if changed else None


def document_state(counts: dict[tuple[str, str], int]) -> DocumentState | None:
    """The state of a document whose deliveries, by (role, state), are `counts`; None while one has not ended.

    The To addresses decide whether it arrived; a Cc that failed makes it partly sent, never bounced.
    """
    ended = {"sent", "bounced", "cancelled"}
    if not counts or any(state not in ended for _, state in counts):
        return None
    everywhere = {state for _, state in counts}
    main = {state for role, state in counts if role == "to"} or everywhere
    if everywhere == {"sent"}:
        return DocumentState.SENT
    if "sent" in main:
        return DocumentState.PARTLY_SENT
    return DocumentState.BOUNCED if "bounced" in main else DocumentState.CANCELLED


def free_leases(connection: Connection, owner: str, now: dt.datetime) -> int:
    """Give back what another boot had leased, and what `owner` leased too long ago; returns how many.

    Their attempts end as `interrupted` and possibly sent. Whether the content had been written is not known: noting it
    would cost a commit, and an fsync, before every single dot, to tell apart the few deliveries that a crash catches.
    """
    values = {"owner": owner, "now": to_micros(now)}
    _INTERRUPT.run(connection, values | {"true": True})
    freed = _FREE.run(connection, values | {"due": to_micros(now)}).fetchall()
    for document_id in {document_id for document_id, state in freed if state == "cancelled"}:
        settle(connection, document_id, now)
    return len(freed)


def due_hops(connection: Connection, now: dt.datetime) -> list[Due]:
    """The next hops where something waits, each with the moment of its first claim; hops paused for good left out."""
    hops = []
    for name, at, paused_by, paused_until in _HOPS.run(connection, {}):
        if paused_by is not None:
            if paused_until is None:
                continue
            at = max(at, paused_until)
        hops.append(Due(next_hop=name, at=from_micros(at)))
    return hops
