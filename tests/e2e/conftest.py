"""The gateway as a process, made per test and always ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.gateway import Gateway

Make = Callable[..., Gateway]


@pytest.fixture
def make_gateway(tmp_path: Path) -> Iterator[Make]:
    """Make gateways in folders of their own; whatever a test leaves running is killed."""
    made: list[Gateway] = []

    def make(**options: str) -> Gateway:
        made.append(Gateway(tmp_path / f"gateway-{len(made)}", **options))
        return made[-1]

    yield make
    for gateway in made:
        gateway.end()


@pytest.fixture
def gateway(make_gateway: Make) -> Iterator[Gateway]:
    """A running gateway with the capture relay; stopped in order at the end."""
    running = make_gateway().start()
    yield running
    if running.process is not None:
        running.stop()
