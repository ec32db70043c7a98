"""Deliveries as people see them: lists by next hop and one by one, retry, hold, release, cancel, pause.

What the queue does to them is in `claims`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import NotFound, Refused
from gateway.model import DeliveryState, Value, show_id
from gateway.store import claims
from gateway.store.documents import CANCEL
from gateway.store.schema import attempt, company, delivery, next_hop, setting, to_micros

BY_HAND = "by-hand"  # cause of a delivery that a person holds
SWITCH = "distribution-off"  # cause of one that the company's switch holds

_WAITING = (DeliveryState.QUEUED, DeliveryState.DEFERRED)
_ENDED = (DeliveryState.SENT, DeliveryState.BOUNCED, DeliveryState.CANCELLED)
# Each of the three has a partial index; what has ended is in none of them.
_OPEN = sa.or_(delivery.c.due_at.is_not(None), delivery.c.leased_until.is_not(None), delivery.c.cause.is_not(None))


class Filter(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Which deliveries are listed; every value given must match. Without `state` or `document`: those not ended."""

    company: str | None = None
    next_hop: str | None = None
    state: str | None = None
    cause: str | None = None
    document: int | None = None
    address: str | None = None
    search: str | None = None  # any part of the address
    before: int | None = None  # only older than this id: the next page
    limit: int | None = None
    offset: int = 0  # rows to leave out first: where a list on a screen is scrolled to


class Selection(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Which deliveries a person acts on: these, or all at a next hop, of a company, or at all."""

    ids: tuple[int, ...] = ()
    next_hop: str | None = None
    company_id: int | None = None


def list_deliveries(connection: Connection, wanted: Filter) -> list[dict[str, Any]]:
    """The deliveries that match, newest first."""
    statement = (
        sa.select(delivery, company.c.name.label("company"))
        .join(company, company.c.id == delivery.c.company_id)
        .where(*_conditions(wanted))
        .order_by(delivery.c.id.desc())
        .limit(wanted.limit)
        .offset(wanted.offset)
    )
    return [shown(row) for row in connection.execute(statement)]


def count_deliveries(connection: Connection, wanted: Filter) -> int:
    """How many deliveries match, on all pages together."""
    joined = sa.select(sa.func.count()).select_from(delivery).join(company, company.c.id == delivery.c.company_id)
    return int(connection.execute(joined.where(*_conditions(wanted))).scalar_one())


def _conditions(wanted: Filter) -> Iterator[Any]:
    if wanted.company is not None:
        yield company.c.name == wanted.company
    for column, value in (
        (delivery.c.next_hop, wanted.next_hop),
        (delivery.c.state, wanted.state),
        (delivery.c.cause, wanted.cause),
        (delivery.c.document_id, wanted.document),
        (delivery.c.address, wanted.address),
    ):
        if value is not None:
            yield column == value
    if wanted.search is not None:
        yield delivery.c.address.icontains(wanted.search, autoescape=True)
    if wanted.before is not None:
        yield delivery.c.id < wanted.before
    if wanted.document is None and wanted.state not in _ENDED:
        yield _OPEN


def shown(row: Any) -> dict[str, Any]:
    """A delivery for the admin API; times are datetimes."""
    return {
        "id": show_id(row.id),
        "document": show_id(row.document_id),
        "company": row.company,
        "recipient": row.address,
        "role": row.role,
        "next_hop": row.next_hop,
        "state": row.state,
        "cause": row.cause,
        "attempts": row.attempts,
        "next_attempt_at": row.due_at,
        "expires_at": row.expires_at,
        "last_reply": row.last_reply,
        "updated_at": row.updated_at,
    }


def list_hops(connection: Connection) -> list[dict[str, Any]]:
    """The next hops where something is not ended, or that are paused: how much by state, since when, last reply."""
    hops: dict[str, dict[str, Any]] = {}
    counted = sa.select(
        delivery.c.next_hop,
        delivery.c.state,
        sa.func.count(),
        sa.func.min(delivery.c.due_at),
        sa.func.min(delivery.c.id),
    )
    for name, state, count, due_at, oldest in connection.execute(
        counted.where(_OPEN).group_by(delivery.c.next_hop, delivery.c.state)
    ):
        hop = hops.setdefault(name, _hop(name))
        hop[state] = count
        hop["oldest"] = min(filter(None, (hop["oldest"], show_id(oldest))))
        if due_at is not None:
            hop["next_attempt_at"] = min(filter(None, (hop["next_attempt_at"], due_at)))
    for row in connection.execute(sa.select(next_hop).where(next_hop.c.paused_by.is_not(None))):
        hop = hops.setdefault(row.name, _hop(row.name))
        hop |= {"paused_by": row.paused_by, "paused_until": row.paused_until, "reason": row.reason}
    for hop in hops.values():
        hop["last_reply"] = _last_reply(connection, hop["next_hop"])
    return [hops[name] for name in sorted(hops)]


def paused_hops(connection: Connection, now: dt.datetime) -> list[str]:
    """The next hops to which nothing is sent just now because a person said so."""
    still = sa.or_(next_hop.c.paused_until.is_(None), next_hop.c.paused_until > now)
    paused = sa.select(next_hop.c.name).where(next_hop.c.paused_by.is_not(None), still).order_by(next_hop.c.name)
    return list(connection.execute(paused).scalars())


def stopped_hops(connection: Connection, now: dt.datetime) -> list[dict[str, Any]]:
    """Those of `paused_hops` that refuse whatever we send, with what they said."""
    ours = sa.and_(next_hop.c.paused_by == claims.BY_ITSELF, next_hop.c.paused_until > now)
    rows = connection.execute(sa.select(next_hop).where(ours).order_by(next_hop.c.name))
    return [{"next_hop": row.name, "reason": row.reason, "until": row.paused_until} for row in rows]


def _hop(name: str) -> dict[str, Any]:
    counts = {state.value: 0 for state in DeliveryState if state not in _ENDED}
    nothing = ("next_attempt_at", "oldest", "paused_by", "paused_until", "reason", "last_reply")
    return {"next_hop": name} | counts | dict.fromkeys(nothing)


def _last_reply(connection: Connection, name: str) -> dict[str, Any] | None:
    """The reply to the newest of the last attempts that went to this hop; looks at 100, not at all of them."""
    recent = (
        sa.select(attempt).where(attempt.c.ended_at.is_not(None)).order_by(attempt.c.id.desc()).limit(100).subquery()
    )
    row = connection.execute(
        sa.select(recent)
        .join(delivery, delivery.c.id == recent.c.delivery_id)
        .where(delivery.c.next_hop == name, recent.c.text.is_not(None))
        .order_by(recent.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else {"code": row.code or 0, "enhanced": row.enhanced, "text": row.text}


# --- what a person does ------------------------------------------------------------------------------------
# Each verb returns the ids that it changed. With ids, NotFound for one that does not exist and Refused for one in a
# state that does not allow it; with a hop, a company or everything, those in other states are left as they are.


def retry(connection: Connection, selection: Selection, now: dt.datetime) -> list[int]:
    """What waits for its next attempt is due now."""
    return _change(connection, selection, "retried", {*_WAITING}, {"due_at": now})


def hold(connection: Connection, selection: Selection, now: dt.datetime) -> list[int]:
    """What waits is held until it is released; what is on its way now is held if it comes back."""
    changes = {"state": DeliveryState.HELD, "cause": BY_HAND, "due_at": None, "updated_at": now}
    return _change(connection, selection, "held", {*_WAITING, DeliveryState.ACTIVE}, changes, mark=BY_HAND)


def release(connection: Connection, selection: Selection, now: dt.datetime) -> list[int]:
    """What is held is due now. The time it was held does not count against its expiry.

    Refused while the company's switch is off: nothing of it leaves then (R5), whoever held it.
    """
    is_false = sa.type_coerce(setting.c.value, sa.Text) == "false"
    off = sa.select(setting.c.company_id).where(setting.c.key == "distribution.active", is_false)
    return _released(connection, selection, now, off)


def cancel(connection: Connection, selection: Selection, now: dt.datetime) -> list[int]:
    """What has not ended is never sent; what is on its way now is not tried again. Documents follow."""
    changes = {"state": DeliveryState.CANCELLED, "cause": None, "due_at": None, "updated_at": now}
    allowed = {*_WAITING, DeliveryState.HELD, DeliveryState.ACTIVE}
    ids = _change(connection, selection, "cancelled", allowed, changes, mark=CANCEL)
    for some in _slices(ids):
        documents = connection.execute(sa.select(delivery.c.document_id).where(delivery.c.id.in_(some)).distinct())
        for document_id in documents.scalars().all():
            claims.settle(connection, document_id, now)
    return ids


def pause_hop(
    connection: Connection, name: str, by: str, reason: str, until: dt.datetime | None, now: dt.datetime
) -> None:
    """Nothing is claimed for this next hop until then, or until `resume_hop`; what is on its way now goes on.

    NotFound when no delivery has ever gone there.
    """
    known = sa.select(delivery.c.id).where(delivery.c.next_hop == name).limit(1)
    values = {"paused_by": by, "paused_until": until, "reason": reason}
    changed = connection.execute(sa.update(next_hop).where(next_hop.c.name == name).values(values)).rowcount
    if not changed:
        if connection.execute(known).first() is None:
            raise NotFound(f"there is no next hop {name}; 'gateway queue list' shows those that exist", "next_hop")
        connection.execute(sa.insert(next_hop).values(name=name, **values))


def resume_hop(connection: Connection, name: str) -> None:
    """End a pause; Refused when the hop is not paused."""
    changed = connection.execute(
        sa.update(next_hop)
        .where(next_hop.c.name == name, next_hop.c.paused_by.is_not(None))
        .values(paused_by=None, paused_until=None, reason=None)
    ).rowcount
    if not changed:
        raise Refused(f"the next hop {name} is not paused", "next_hop")


# --- the company's switch ----------------------------------------------------------------------------------


def hold_for_switch(connection: Connection, company_id: int, now: dt.datetime) -> int:
    """The switch went off: what waits is held `distribution-off`, what is on its way now if it comes back (R5)."""
    waiting = connection.execute(
        sa.update(delivery)
        .where(delivery.c.company_id == company_id, delivery.c.due_at.is_not(None))
        .values(state=DeliveryState.HELD, cause=SWITCH, due_at=None, updated_at=now)
    ).rowcount
    connection.execute(
        sa.update(delivery)
        .where(
            delivery.c.company_id == company_id,
            delivery.c.leased_until.is_not(None),
            delivery.c.cause.is_(None),
        )
        .values(cause=SWITCH)
    )
    return waiting


def release_for_switch(connection: Connection, company_id: int, now: dt.datetime) -> int:
    """The switch went on again: what it held is due now."""
    mine = sa.and_(delivery.c.company_id == company_id, delivery.c.cause == SWITCH)
    connection.execute(sa.update(delivery).where(mine, delivery.c.state == DeliveryState.ACTIVE).values(cause=None))
    return connection.execute(sa.update(delivery).where(mine).values(_free_again(now))).rowcount


# --- inside ------------------------------------------------------------------------------------------------


def _free_again(now: dt.datetime) -> dict[str, Any]:
    moved = sa.type_coerce(delivery.c.expires_at, sa.BigInteger) - sa.type_coerce(delivery.c.updated_at, sa.BigInteger)
    expires_at = moved + sa.literal(to_micros(now))
    return {
        "state": DeliveryState.QUEUED,
        "cause": None,
        "due_at": now,
        "expires_at": sa.type_coerce(expires_at, delivery.c.expires_at.type),
        "updated_at": now,
    }


def _released(connection: Connection, selection: Selection, now: dt.datetime, off: sa.Select[Any]) -> list[int]:
    if selection.ids:
        for some in _slices(selection.ids):
            stuck = sa.select(delivery.c.id).where(delivery.c.id.in_(some), delivery.c.company_id.in_(off)).limit(1)
            if connection.execute(stuck).first() is not None:
                raise Refused("the company's distribution is switched off: it holds what would leave", "id")
    allowed = {DeliveryState.HELD}
    return _change(
        connection, selection, "released", allowed, _free_again(now), extra=delivery.c.company_id.not_in(off)
    )


def _change(
    connection: Connection,
    selection: Selection,
    word: str,
    allowed: set[DeliveryState],
    changes: dict[str, Any],
    *,
    mark: str | None = None,
    extra: Any = None,
) -> list[int]:
    """Apply `changes` to those selected in an `allowed` state; an active one only gets `mark` as its cause."""
    changed: list[int] = []
    for where in _where(connection, selection, word, allowed):
        if extra is not None:
            where = sa.and_(where, extra)
        resting = sa.and_(
            where, delivery.c.state.in_([state for state in allowed if state is not DeliveryState.ACTIVE])
        )
        if mark is not None:
            unmarked = sa.or_(delivery.c.cause.is_(None), delivery.c.cause != CANCEL)
            active = sa.and_(where, delivery.c.leased_until.is_not(None), unmarked)
            marked = sa.update(delivery).where(active).values(cause=mark).returning(delivery.c.id)
            changed += connection.execute(marked).scalars()
        done = sa.update(delivery).where(resting).values(changes).returning(delivery.c.id)
        changed += connection.execute(done).scalars()
    return changed


def _where(connection: Connection, selection: Selection, word: str, allowed: set[DeliveryState]) -> Iterator[Any]:
    if not selection.ids:
        where = _OPEN
        if selection.next_hop is not None:
            where = sa.and_(where, delivery.c.next_hop == selection.next_hop)
        if selection.company_id is not None:
            where = sa.and_(where, delivery.c.company_id == selection.company_id)
        yield where
    for some in _slices(selection.ids):
        rows = connection.execute(sa.select(delivery.c.id, delivery.c.state).where(delivery.c.id.in_(some)))
        states = {row.id: row.state for row in rows}
        for delivery_id in some:
            if delivery_id not in states:
                raise NotFound("there is no such delivery; 'gateway queue list' shows those that exist", "id")
            if states[delivery_id] not in allowed:
                raise Refused(f"the delivery is {states[delivery_id]}, it cannot be {word}", "id")
        yield delivery.c.id.in_(some)


def _slices(ids: Sequence[int], size: int = 500) -> Iterator[Sequence[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
