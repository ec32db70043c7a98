"""Every hostile list in a worker: it ends for the reason in `lists.toml`, after little work, and the worker lives."""

from __future__ import annotations

import contextlib
import importlib.util
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from gateway.errors import Refused
from gateway.workbook import csvfile, listing, package
from gateway.workbook.model import Options
from gateway.workbook.sheet import Sheet
from gateway.workers import Pool

HERE = Path(__file__).parent
CASES: dict[str, str] = tomllib.loads((HERE / "lists.toml").read_text("utf-8"))
UNPACKED = 5 << 20  # bytes that any of them may unpack to before it ends; 200 MiB are allowed to a list
ROWS = 2  # that any of them may come to
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
    assert CASES[name] in await outcome(pool, content)
    assert await outcome(pool, make.packed(make.parts(make.sheet(make.GOOD)))) == "read 1"
    assert pool.pids == pids  # nothing had to be ended by its limits


class Work:
    """What is done for a list: counted, because seconds depend on what else the machine does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.unpacked = self.rows = 0
        read, rows, csv_rows = package._Part.read, Sheet.rows, csvfile.rows

        def count_bytes(part: Any, size: int = -1) -> bytes:
            data = read(part, size)
            self.unpacked += len(data)
            return data

        monkeypatch.setattr(package._Part, "read", count_bytes)
        monkeypatch.setattr(Sheet, "rows", lambda sheet: self._counted(rows(sheet)))
        monkeypatch.setattr(csvfile, "rows", lambda blob: self._counted(csv_rows(blob)))

    def _counted(self, rows: Iterator[Any]) -> Iterator[Any]:
        for row in rows:
            self.rows += 1
            yield row


@pytest.mark.parametrize("name", CASES)
def test_hostile_list_ends_after_little_work(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content, done = make.build(name), Work(monkeypatch)
    with contextlib.suppress(Refused):
        listing.read(content, msgspec.convert(OPTIONS, Options))
    assert done.unpacked < UNPACKED
    assert done.rows <= ROWS
    refused_by_the_directory = name.startswith("zip-") and name != "zip-that-lies-about-a-size"
    assert not (refused_by_the_directory and done.unpacked)


def test_what_an_honest_list_costs_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    done = Work(monkeypatch)
    listing.read(make.packed(make.parts(make.sheet(make.GOOD))), msgspec.convert(OPTIONS, Options))
    assert (done.rows, done.unpacked > 500) == (1, True)


def test_every_builder_is_a_case_and_every_case_has_a_builder() -> None:
    helpers = {"relations", "parts", "packed", "sheet", "noise", "renamed", "build"}
    built = {name for name, value in vars(make).items() if callable(value) and value.__module__ == make.__name__}
    assert built - helpers == {name.replace("-", "_") for name in CASES}
