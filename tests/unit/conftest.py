"""A drop folder per test; modules with another door have a fixture of their own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gateway.store import Store, companies
from tests.unit.drops import Open, opener


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder, inside a directory of the test's own."""
    made = tmp_path / "drop"
    made.mkdir()
    return made


@pytest.fixture
async def door(store: Store, root: Path, now: dt.datetime) -> Open:
    """Opens the folder of the source `scan`."""
    await store.write(companies.ensure_company, "default", now)
    return opener(store, root)
