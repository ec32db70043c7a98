"""The queue: list deliveries and next hops, retry, hold, release, cancel, pause, resume."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from gateway.admin.pages import Pages, pages
from gateway.admin.running import Running, filter_of, ident, moment, refuse_unknown, refuse_unknown_state, text_of
from gateway.errors import NotFound, Refused
from gateway.model import DeliveryState, show_id
from gateway.store import audit, companies, deliveries
from gateway.store.audit import Caller
from gateway.store.deliveries import Selection

_VERBS: Mapping[str, Callable[[Connection, Selection, dt.datetime], list[int]]] = {
    "retry": deliveries.retry,
    "hold": deliveries.hold,
    "release": deliveries.release,
    "cancel": deliveries.cancel,
}


def list_deliveries(running: Running, query: Mapping[str, str]) -> Pages:
    """The deliveries that match, newest first; those that have not ended unless `state` or `document` is given."""
    words = dict(query)
    document = ident(words.pop("document")) if words.get("document") else None
    wanted = msgspec.structs.replace(filter_of(deliveries.Filter, words), document=document)
    refuse_unknown_state(wanted.state, DeliveryState)
    return pages(running, _list, wanted, "before")


def _list(connection: Connection, wanted: deliveries.Filter) -> list[dict[str, Any]]:
    if wanted.company is not None:
        companies.company_id(connection, wanted.company)
    return deliveries.list_deliveries(connection, wanted)


async def list_hops(running: Running) -> list[dict[str, Any]]:
    """The next hops where something waits or that are paused."""
    return await running.store.read(deliveries.list_hops)


async def steer(running: Running, who: Caller, verb: str, values: Mapping[str, object]) -> dict[str, Any]:
    """Do `verb` (retry, hold, release, cancel) to the deliveries `ids`, or to all of `next_hop`, of `company`, or to
    `all`. Gives the number of deliveries changed; with `ids` it is all of them or none."""
    if verb not in _VERBS:
        raise NotFound(f"The queue cannot {verb}; there are {', '.join(_VERBS)}.")
    refuse_unknown(values, ("ids", "next_hop", "company", "all"))
    chosen = [name for name in ("ids", "next_hop", "company", "all") if values.get(name)]
    if len(chosen) != 1:
        raise Refused("Say which deliveries: ids, next_hop, company or all, one of them.", "ids")
    count = await running.store.write(_steer, verb, dict(values), who, running.now())
    running.nudge()
    return {"changed": count}


def _steer(connection: Connection, verb: str, values: Mapping[str, object], who: Caller, now: dt.datetime) -> int:
    changed = _VERBS[verb](connection, _selection(connection, values), now)
    action = f"delivery.{verb}"
    if values.get("ids"):
        for delivery_id in changed:
            audit.record(connection, who, action, show_id(delivery_id), None, None, now)
    else:
        named = next(f"{name}:{values[name]}" for name in ("next_hop", "company", "all") if values.get(name))
        audit.record(connection, who, action, named, None, {"changed": len(changed)}, now)
    return len(changed)


def _selection(connection: Connection, values: Mapping[str, object]) -> Selection:
    ids = values.get("ids") or []
    if not isinstance(ids, (list, tuple)):
        raise Refused("ids is a list of delivery ids.", "ids")
    company = text_of(values, "company", "")
    return Selection(
        ids=tuple(dict.fromkeys(ident(id_) for id_ in ids)),
        next_hop=text_of(values, "next_hop", "") or None,
        company_id=companies.company_id(connection, company) if company else None,
    )


async def pause(running: Running, who: Caller, values: Mapping[str, object]) -> dict[str, Any]:
    """Claim nothing more for `next_hop`, for good or `until` a time; what is on its way goes on."""
    refuse_unknown(values, ("next_hop", "until"))
    hop = text_of(values, "next_hop")
    until = moment(text_of(values, "until"), "until") if values.get("until") else None
    await running.store.write(_pause, hop, until, who, running.now())
    return {"next_hop": hop, "paused_by": who.user, "paused_until": until}


def _pause(connection: Connection, hop: str, until: dt.datetime | None, who: Caller, now: dt.datetime) -> None:
    deliveries.pause_hop(connection, hop, who.user, who.reason or "", until, now)
    audit.record(connection, who, "hop.pause", hop, None, {"until": until}, now)


async def resume(running: Running, who: Caller, values: Mapping[str, object]) -> dict[str, Any]:
    """End the pause of `next_hop`."""
    refuse_unknown(values, ("next_hop",))
    hop = text_of(values, "next_hop")
    await running.store.write(_resume, hop, who, running.now())
    running.nudge()
    return {"next_hop": hop, "paused_by": None, "paused_until": None}


def _resume(connection: Connection, hop: str, who: Caller, now: dt.datetime) -> None:
    deliveries.resume_hop(connection, hop)
    audit.record(connection, who, "hop.resume", hop, None, None, now)
