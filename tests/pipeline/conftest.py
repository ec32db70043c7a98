"""A pipeline per test."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.config import embedded_defaults
from gateway.model import UTC
from gateway.pipeline import loop
from gateway.store import Store, companies
from gateway.workers import Pool
from tests.e2e.gateway import keys
from tests.pipeline.work import MakeWork, Work


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    made = Pool(1)
    made.start()
    yield made
    await made.close()


@pytest.fixture
async def make_work(
    store: Store, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MakeWork]:
    monkeypatch.setattr(loop, "POLL_SECONDS", 60.0)  # only hints make it look
    made: list[Work] = []

    async def make(**source: Any) -> Work:
        (tmp_path / "dkim").mkdir()
        for name, pem in keys().items():
            (tmp_path / "dkim" / name).write_bytes(pem)
            (tmp_path / "dkim" / name).chmod(0o600)
        await store.write(companies.ensure_company, "default", dt.datetime.now(UTC))
        config = embedded_defaults(tmp_path)
        local, drop = config.sources
        sources = (msgspec.structs.replace(local, **source), drop)
        made.append(Work(store, pool, msgspec.structs.replace(config, sources=sources)))
        return made[-1]

    yield make
    for work in made:
        await work.pipeline.stop(5.0)


@pytest.fixture
async def work(make_work: MakeWork) -> Work:
    return await make_work()
