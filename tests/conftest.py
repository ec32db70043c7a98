"""Fixtures that several suites share: a fresh store, a clock that stands still."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.store import Store
from gateway.store.database import create_for_test

ROOT = Path(__file__).resolve().parent.parent
NOW = dt.datetime(2026, 3, 2, 9, 41, tzinfo=dt.UTC)


@pytest.fixture
def now() -> dt.datetime:
    """A moment that stands still."""
    return NOW


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """A migrated database of its own, as the writer opens it."""
    made = create_for_test(tmp_path / "gateway.db")
    yield made
    made.dispose()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An open store of its own."""
    made = Store(tmp_path / "gateway.db")
    made.open()
    yield made
    await made.close()
