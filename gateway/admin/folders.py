"""Drop folders as people and Prometheus see them: what waits there, since when, and whether files can be moved."""

from __future__ import annotations

import datetime as dt
from typing import Any

from gateway import metrics
from gateway.admin.running import Running
from gateway.intake.trial import Facts


def list_folders(running: Running) -> list[dict[str, Any]]:
    """One object per drop folder, from memory, as a mount may hang: `waiting` files, the `oldest` since when, `problem`
    why nothing is taken just now, `writable` and `tested_at` of the last write test with `unwritable`, its sentences,
    `free` bytes there, and when it was last `looked_at`."""
    facts = running.folders()
    return [
        {"source": source.name, "folder": str(source.folder), **_shown(facts[source.name])}
        for source in running.config.sources
        if source.folder is not None and source.name in facts
    ]


def _shown(facts: Facts) -> dict[str, Any]:
    trial = facts.trial
    return {
        "waiting": facts.waiting,
        "oldest": facts.oldest,
        "problem": facts.problem,
        "polled": facts.polled,
        "looked_at": facts.looked_at,
        "writable": None if trial is None else trial.problem is None,
        "unwritable": None if trial is None else trial.problem,
        "tested_at": None if trial is None else trial.at,
        "free": facts.free,
    }


def set_gauges(running: Running) -> None:
    """Bring the folders' metrics up to date."""
    for folder in list_folders(running):
        name = folder["source"]
        metrics.FOLDER_WAITING.labels(name).set(folder["waiting"])
        metrics.FOLDER_OLDEST.labels(name).set(_age(running, folder["oldest"]))
        metrics.FOLDER_LOOKED.labels(name).set(_age(running, folder["looked_at"]))
        if folder["writable"] is not None:
            metrics.FOLDER_WRITABLE.labels(name).set(folder["writable"])
        if folder["free"] is not None:
            metrics.FOLDER_FREE.labels(name).set(folder["free"])


def _age(running: Running, moment: dt.datetime | None) -> float:
    return 0.0 if moment is None else max(0.0, (running.now() - moment).total_seconds())
