# ruff: noqa: F811  (the fixture `door` is another module's)
"""What waits in one company of several, by state and cause, and how many documents the missing row lets go on."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from gateway.errors import NotFound
from gateway.store import companies, schema
from tests.unit.test_api import Door, door, put  # noqa: F401  (the fixture)


class Waits(NamedTuple):
    """A held document."""

    company: str
    numbers: str  # that the document names, the first of which is the cause's
    type: str | None


WAITING = (
    *(Waits("default", "1001", "invoice") for _ in range(3)),
    Waits("default", "1001", "order"),
    Waits("default", "2040 1001", "invoice"),
    Waits("default", "0001001", "invoice"),  # a row 1001 is its row only where numbers are matched loosely
    *(Waits("other", "1001", "invoice") for _ in range(2)),
    Waits("other", "77", "order"),
)


async def fill(door: Door, now: dt.datetime) -> None:
    for waits in WAITING:
        await door.store.write(_hold, now, waits)
    await door.store.write(_hold, now, Waits("default", "", "invoice"))  # for another cause


def _hold(connection: Any, now: dt.datetime, waits: Waits) -> None:
    found = put(connection, now, None)
    company = companies.ensure_company(connection, waits.company, now)
    numbers = waits.numbers.split()
    values = {"company_id": company, "type": waits.type, "state": "held", "due_at": None}
    values["cause"] = f"no-recipient:{numbers[0]}" if numbers else "no-customer-number"
    connection.execute(sa.update(schema.document).where(schema.document.c.id == found).values(values))
    keys = {f"recipient:{waits.company}:{number.lstrip('0')}" for number in numbers}
    for key in keys:
        connection.execute(sa.insert(schema.wake), {"key": key, "document_id": found})


@pytest.mark.parametrize(("loosely", "frees"), [(False, 4), (True, 5)])
async def test_what_is_promised_of_a_missing_row_is_what_it_does(
    door: Door,
    now: dt.datetime,
    loosely: bool,
    frees: int,
) -> None:
    await fill(door, now)
    await door.ask("put", "/settings/resolve.normalise", {"value": loosely})
    held = await door.ask("get", "/held", {"company": "default"})
    assert held[0] == {"cause": "no-recipient:1001", "count": 4, "type": "invoice", "frees": frees}
    assert {each["cause"]: each["frees"] for each in held[1:]} == {
        "no-customer-number": None,
        "no-recipient:0001001": 1 if not loosely else frees,
        "no-recipient:2040": 1,
    }
    row = {"number": "1001", "email": "a@example.com", "type": "invoice"}
    assert (await door.ask("post", "/recipients", row))["released"] == frees
    assert door.nudges == 1
    other = await door.ask("get", "/held", {"company": "other"})
    assert [(each["cause"], each["count"], each["frees"]) for each in other] == [
        ("no-recipient:1001", 2, 2),
        ("no-recipient:77", 1, 1),
    ]


async def test_a_row_for_every_type_frees_every_type(door: Door, now: dt.datetime) -> None:
    await fill(door, now)
    row = {"number": "1001", "email": "a@example.com", "type": "any"}
    assert (await door.ask("post", "/recipients", row))["released"] == 5


async def test_a_row_for_another_type_promises_nothing_but_its_own(door: Door, now: dt.datetime) -> None:
    await fill(door, now)
    row = {"number": "1001", "email": "a@example.com", "type": "order"}
    assert (await door.ask("post", "/recipients", row))["released"] == 1
    assert door.nudges == 1  # the others look again too, and are held again


async def test_states_are_counted_for_one_company(door: Door, now: dt.datetime) -> None:
    await fill(door, now)
    await door.store.write(put, now, None)
    found = await door.ask("get", "/waiting", {"company": "other"})
    assert found["documents"] == {"held": 3, "bounced": 0, "partly_sent": 0}
    mine = await door.ask("get", "/waiting")
    assert mine["documents"]["held"] == 7
    assert set(mine["deliveries"]) == {"queued", "active", "deferred", "held"}
    for path in ("/held", "/waiting"):
        with pytest.raises(NotFound):
            await door.ask("get", path, {"company": "nobody"})
