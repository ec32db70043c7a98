"""The gateway as a whole: status, metrics, sources, a backup."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from gateway import __version__, metrics
from gateway.admin import folders
from gateway.admin.running import Running, refuse_unknown, text_of
from gateway.config import Source
from gateway.errors import Refused
from gateway.model import DeliveryState, DocumentState
from gateway.smtp.quirks import Quirk
from gateway.store import audit, claims, database, deliveries, retention, views
from gateway.store.audit import Caller


async def show_status(running: Running) -> dict[str, Any]:
    """Version, listeners with their real ports, and how many documents and deliveries are in which state.

    `no_room` is why nothing is taken in just now, `held` the causes under which most documents are held, and `stopped`
    those of the `paused` next hops that refuse whatever we send.
    """
    counts = await running.store.read(views.counts)
    config = running.config
    return {
        "version": __version__,
        "pid": os.getpid(),
        "started_at": running.started_at,
        "hostname": config.gateway.hostname,
        "database": str(running.store.path),
        "listeners": running.listeners(),
        "no_room": running.room(),
        "folders": folders.list_folders(running),
        "relay": config.relay.mode,
        "paused": await running.store.read(deliveries.paused_hops, running.now()),
        "stopped": await running.store.read(deliveries.stopped_hops, running.now()),
        "retention": await _retention(running),
        "documents": {state: counts["documents"].get(state, 0) for state in DocumentState},
        "deliveries": {state: counts["deliveries"].get(state, 0) for state in DeliveryState},
        "held": counts["held"],
    }


async def _retention(running: Running) -> dict[str, Any]:
    """For how many days what is kept, since when the oldest content is there, and the space that all takes."""
    space = await running.store.read(retention.space)
    return {
        **msgspec.structs.asdict(running.config.retention),
        "oldest_content": space.oldest,
        "bytes": space.bytes,
        "unused": space.free,
        "problem": running.not_removing(),
    }


async def show_metrics(running: Running) -> bytes:
    """All metrics in Prometheus' text format; the gauges are read now."""
    counts = await running.store.read(views.counts)
    for state in DocumentState:
        metrics.DOCUMENTS.labels(state).set(counts["documents"].get(state, 0))
    for delivery_state in DeliveryState:
        metrics.DELIVERIES.labels(delivery_state).set(counts["deliveries"].get(delivery_state, 0))
    now = running.now()
    due = [hop.at for hop in await running.store.read(claims.due_hops, now)]
    metrics.SCHEDULE_LAG.set(max(0.0, (now - min(due, default=now)).total_seconds()))
    metrics.STOPPED.set(len(await running.store.read(deliveries.stopped_hops, now)))
    metrics.INTAKE_OPEN.set(running.room() is None)
    space = await running.store.read(retention.space)
    metrics.OLDEST_CONTENT.set(0.0 if space.oldest is None else max(0.0, (now - space.oldest).total_seconds()))
    metrics.DATABASE_BYTES.set(space.bytes)
    metrics.DATABASE_UNUSED.set(space.free)
    folders.set_gauges(running)
    if running.pool is not None:
        metrics.WORKER_JOBS.set(running.pool.jobs)
        for reason, count in running.pool.died.items():
            metrics.WORKERS_DIED.labels(reason).set(count)
    metrics.FREE_BYTES.set(shutil.disk_usage(running.store.path.parent).free)
    return metrics.exposition()


def list_sources(running: Running) -> list[dict[str, Any]]:
    """Who may hand documents in, in the order in which they are tried; `waiting` files in a folder, since `oldest`."""
    facts = running.folders()
    return [
        {
            **_source(source),
            "quirks": [_quirk(quirk) for quirk in running.quirks(source.name)],
            "waiting": facts[source.name].waiting if source.name in facts else None,
            "oldest": facts[source.name].oldest if source.name in facts else None,
        }
        for source in running.config.sources
    ]


def _quirk(quirk: Quirk) -> dict[str, Any]:
    return {"name": quirk.name, "count": quirk.count, "last_seen": quirk.last_seen}


def _relaxations(source: Source) -> list[dict[str, Any]]:
    """What weakens security for this source, with its reason and last day."""
    named = (("plain_auth", source.plain_auth), ("eod", source.lenient_eod))
    return [
        {"name": name, "reason": relaxation.reason, "expires": relaxation.expires.isoformat()}
        for name, relaxation in named
        if relaxation is not None
    ]


def _source(source: Source) -> dict[str, Any]:
    return {
        "user": source.user,
        "relaxations": _relaxations(source),
        "name": source.name,
        "company": source.company,
        "networks": list(source.networks),
        "folder": None if source.folder is None else str(source.folder),
        "recipients": source.recipients,
        "duplicates": source.duplicates,
        "max_connections": source.max_connections,
        "file_name": source.file_name,
        "trigger": list(source.trigger),
        "fields": [*(each.field for each in source.patterns), *(each.field for each in source.mail_patterns)],
        "charset": list(source.charset),
        "notices": source.notices,
    }


async def make_backup(running: Running, who: Caller, values: Mapping[str, object]) -> dict[str, Any]:
    """Copy the database to the new file `file` (an absolute path on the gateway's machine) while it runs."""
    refuse_unknown(values, ("file",))
    target = Path(text_of(values, "file"))
    if not target.is_absolute():
        raise Refused("file is an absolute path.", "file")
    size = await asyncio.to_thread(database.backup, running.store.path, target)
    await running.store.write(audit.record, who, "backup", str(target), None, {"size": size}, running.now())
    return {"file": str(target), "size": size}
