"""How much each bench does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Counts of one run; the defaults take a few minutes on two cores."""

    rounds: int = 3  # repetitions, of which the median is shown
    warm_up: int = 50  # messages before the first figure
    small: int = 1500  # messages of 4 kB
    medium: int = 800  # messages of 75 kB
    large: int = 30  # messages of 5 MB
    at_once: int = 20  # of these, for the memory they take
    waiting: tuple[int, ...] = (0, 100_000)  # deliveries in the database
    claims: int = 400  # deliveries claimed and recorded
    recipients: int = 100_000  # rows of the directory
    documents: int = 300  # through the whole path, each way
    files: int = 500  # dropped at once
    faulty: int = 20  # dropped where a script fails
    quiet: float = 4.0  # seconds without a mail after which none is waited for
    steps: int = 200  # repetitions of each single step
    lines: int = 6000  # of the large invoice
    formats: int = 99  # at most so many
    idle_seconds: float = 5.0  # during which a gateway that has nothing to do is watched


TINY = Plan(
    rounds=1,
    warm_up=1,
    small=4,
    medium=2,
    large=1,
    at_once=2,
    waiting=(0, 50),
    claims=4,
    recipients=20,
    documents=3,
    files=3,
    faulty=3,
    quiet=3.0,
    steps=3,
    lines=50,
    formats=1,
    idle_seconds=0.2,
)
