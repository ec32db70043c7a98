"""Every hostile list in a worker: it ends within five seconds, for the reason in `lists.toml`, and the worker lives."""

from __future__ import annotations

import importlib.util
import time
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest
import pytest_asyncio

from gateway.errors import Refused
from gateway.workers import Pool

HERE = Path(__file__).parent
CASES: dict[str, str] = tomllib.loads((HERE / "lists.toml").read_text("utf-8"))
OPTIONS = {"type": "invoice", "types": ["invoice"], "formats": ["pdf"], "today": "2026-03-02"}


def load_builders() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hostile_lists", HERE / "make_lists.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make = load_builders()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    made = Pool(1)
    made.start()
    await made.ready()
    yield made
    await made.close()


async def outcome(pool: Pool, content: bytes) -> str:
    try:
        summary, _ = await pool.run("gateway.jobs:read_list", OPTIONS, blob=content, timeout=30.0)
    except Refused as refused:
        return refused.sentence
    return f"read {summary['rows'] - summary['errors'] if summary['errors'] < summary['rows'] else 0}"


@pytest.mark.parametrize("name", CASES)
@pytest.mark.asyncio(loop_scope="module")
async def test_hostile_list(pool: Pool, name: str) -> None:
    content = make.build(name)
    pids = pool.pids
    started = time.perf_counter()
    assert CASES[name] in await outcome(pool, content)
    assert time.perf_counter() - started < 5.0
    assert await outcome(pool, make.packed(make.parts(make.sheet(make.GOOD)))) == "read 1"
    assert pool.pids == pids  # nothing had to be ended by its limits


def test_every_builder_is_a_case_and_every_case_has_a_builder() -> None:
    helpers = {"relations", "parts", "packed", "sheet", "noise", "renamed", "build"}
    built = {name for name, value in vars(make).items() if callable(value) and value.__module__ == make.__name__}
    assert built - helpers == {name.replace("-", "_") for name in CASES}
