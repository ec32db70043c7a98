"""What routes a document, in one statement: the same as the subjects' own verbs say."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from gateway.model import Recipient
from gateway.settings import find
from gateway.store import audit, companies, lookups, meta, recipients, settings

WHO = audit.Caller(uid=1000, user="anna")
ROWS = (
    Recipient(number="1001", email=("a@example.com",)),
    Recipient(
        number="01001",
        email=("b@example.com", "ü@example.com"),
        cc=("c@example.com",),
        type="invoice",
        format="ubl",
        name='Å "Quote" & Sons',
        language="sv",
        attach="with-pdf",
        file_name="{{ number }}",
        constants=("BT-10=Lager 2",),
    ),
    Recipient(number="2002", email=("d@example.com",)),
)


@pytest.mark.parametrize("keys", [["1001"], ["1001", "2002"], ["3003"], []])
def test_rows_are_those_of_the_directory(engine: sa.Engine, now: dt.datetime, keys: list[str]) -> None:
    with engine.begin() as connection:
        mine, other = (companies.ensure_company(connection, name, now) for name in ("default", "other"))
        for row in ROWS:
            recipients.add(connection, mine, row, WHO, now)
        recipients.add(connection, other, ROWS[0], WHO, now)
        gone = recipients.add(
            connection, mine, Recipient(number="1001", email=("e@example.com",), type="order"), WHO, now
        )
        recipients.delete(connection, gone.row.id, None, WHO, now)
        found = lookups.known(connection, mine, keys).rows
        assert list(found) == recipients.rows_for(connection, mine, keys)
        assert [row.email for row in found] == [row.email for row in ROWS if row.number.lstrip("0") in keys]


def test_it_says_whether_settings_or_anything_waited_for_changed(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        mine = companies.ensure_company(connection, "default", now)
        before = lookups.known(connection, mine, ["1001"])
        settings.save(connection, mine, find("sender.prefix", ("invoice",)), "rechnung", None, WHO, now)
        after = lookups.known(connection, mine, ["1001"])
        recipients.add(connection, mine, ROWS[0], WHO, now)
        last = lookups.known(connection, mine, ["1001"])
        assert before.generation < after.generation == last.generation == settings.generation(connection)
        assert before.wakes < after.wakes < last.wakes == meta.wakes(connection)
