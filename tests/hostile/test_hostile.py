"""Every hostile file in a worker: it ends in time, for the reason in `cases.toml`, and the next file is read."""

from __future__ import annotations

import importlib.util
import time
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest
import pytest_asyncio

from gateway.errors import Unreadable
from gateway.workers import Died, Pool

HERE = Path(__file__).parent
CASES: dict[str, str] = tomllib.loads((HERE / "cases.toml").read_text("utf-8"))


def load_builders() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hostile_make", HERE / "make.py")
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


def test_every_builder_is_a_case_and_every_case_has_a_builder() -> None:
    helpers = {"sbd", "pdf", "stream", "one_page", "deflated", "build", "main"}
    built = {name for name, value in vars(make).items() if callable(value) and value.__module__ == make.__name__}
    cases = {name.partition(".")[0].replace("-", "_") for name in CASES}
    assert built - helpers == cases


async def outcome(pool: Pool, name: str, content: bytes) -> str:
    """`document`, the cause of an Unreadable, or `worker` when the worker did not survive."""
    try:
        await pool.run("gateway.jobs:inspect", name, "", [], blob=content, timeout=18.0)
    except Unreadable as error:
        return error.cause
    except Died:
        return "worker"
    return "document"


@pytest.mark.parametrize("name", CASES)
@pytest.mark.asyncio(loop_scope="module")
async def test_hostile_file(pool: Pool, name: str) -> None:
    content = make.build(name)
    started = time.perf_counter()
    assert await outcome(pool, name, content) == CASES[name]
    assert time.perf_counter() - started < (2.0 if name.endswith(".xml") else 20.0)
    good = f"<?xml version='1.0'?>{make.INVOICE}".encode()
    assert await outcome(pool, "next.xml", good) == "document"
