"""How the words of a request become values, and what is refused before the store is asked."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gateway.admin import running
from gateway.errors import Refused
from gateway.model import UTC, new_id, show_id
from gateway.store import audit, recipients, views


def test_filter_of_takes_every_value_by_its_kind() -> None:
    shown = new_id()
    query = {"state": "held", "since": "2026-01-31", "before": show_id(shown), "limit": "10", "number": ""}
    assert running.filter_of(views.Filter, query) == views.Filter(
        state="held", since=dt.datetime(2026, 1, 31, tzinfo=UTC), before=shown, limit=10
    )


@pytest.mark.parametrize(
    ("kind", "query", "field"),
    [
        (views.Filter, {"stat": "held"}, "stat"),
        (views.Filter, {"limit": "0"}, "limit"),
        (views.Filter, {"limit": "1e3"}, "limit"),
        (views.Filter, {"limit": "9" * 30}, "limit"),
        (views.Filter, {"before": "12"}, "before"),
        (recipients.Filter, {"after": "zzzzzzzzzzzzz"}, "after"),
        (audit.Filter, {"since": "yesterday"}, "since"),
    ],
)
def test_filter_of_names_the_field_at_fault(kind: Any, query: dict[str, str], field: str) -> None:
    with pytest.raises(Refused) as caught:
        running.filter_of(kind, query)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", dt.datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00:00Z", dt.datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+02:00", dt.datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31 12:00", dt.datetime(2026, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_moment(text: str, moment: dt.datetime) -> None:
    assert running.moment(text, "since") == moment


@pytest.mark.parametrize(("given", "version"), [(None, None), ("", None), (0, 0), ("0", 0), (3, 3), ("3", 3)])
def test_version_of(given: object, version: int | None) -> None:
    assert running.version_of(given) == version


@pytest.mark.parametrize("given", ["x", -1, True, 1.5, [1]])
def test_version_that_is_none(given: object) -> None:
    with pytest.raises(Refused) as caught:
        running.version_of(given)
    assert caught.value.field == "version"


def test_reason_is_one_bounded_line() -> None:
    assert running.reason_of({"reason": " asked\n for "}) == "asked for"
    assert running.reason_of({"reason": ""}) is None
    assert running.reason_of({}) is None
    assert len(running.reason_of({"reason": "x" * 900}) or "") == 500
    with pytest.raises(Refused):
        running.reason_of({"reason": 7})
