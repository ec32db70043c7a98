"""Drop folders as people and Prometheus see them: what waits there, since when, and whether files can be moved."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from gateway import metrics
from gateway.admin.running import Running
from gateway.intake.trial import Facts


def list_folders(running: Running) -> list[dict[str, Any]]:
    """One object per drop folder: `waiting` files, the `oldest` since when, `problem` why nothing is taken just now,
    `writable` and `tested_at` of the last write test with `unwritable`, its sentences, and `free` bytes. Blocks."""
    facts = running.folders()
    return [
        {"source": source.name, "folder": str(source.folder), **_shown(facts[source.name], source.folder)}
        for source in running.config.sources
        if source.folder is not None and source.name in facts
    ]


def _shown(facts: Facts, folder: Path) -> dict[str, Any]:
    trial = facts.trial
    return {
        "waiting": facts.waiting,
        "oldest": facts.oldest,
        "problem": facts.problem,
        "polled": facts.polled,
        "writable": None if trial is None else trial.problem is None,
        "unwritable": None if trial is None else trial.problem,
        "tested_at": None if trial is None else trial.at,
        "free": _free(folder),
    }


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def set_gauges(running: Running) -> None:
    """Bring the folders' metrics up to date; blocks."""
    for folder in list_folders(running):
        name, oldest = folder["source"], folder["oldest"]
        metrics.FOLDER_WAITING.labels(name).set(folder["waiting"])
        age = 0.0 if oldest is None else max(0.0, (running.now() - oldest).total_seconds())
        metrics.FOLDER_OLDEST.labels(name).set(age)
        if folder["writable"] is not None:
            metrics.FOLDER_WRITABLE.labels(name).set(folder["writable"])
        if folder["free"] is not None:
            metrics.FOLDER_FREE.labels(name).set(folder["free"])
