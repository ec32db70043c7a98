"""The directory in the store: rows, versions, the audit beside each change, and the documents it wakes."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import Conflict, NotFound
from gateway.model import Recipient, show_id
from gateway.store import audit, companies, documents, meta, recipients, schema
from tests.store.samples import OWNER, claimed_document

WHO = audit.Caller(uid=1000, user="anna")


def row(number: str = "1001", type_: str = "any", email: str = "a@example.com", **more: object) -> Recipient:
    return Recipient(number=number, email=(email,), type=type_, **more)  # type: ignore[arg-type]


def company(connection: Connection, now: dt.datetime, name: str = "default") -> int:
    return companies.ensure_company(connection, name, now)


def held(connection: Connection, now: dt.datetime, key: str) -> int:
    """A document held until the event `key`."""
    found = claimed_document(connection, now)
    why = documents.Hold(cause="no-recipient:1001", sentence="No row.", wakes=(key,))
    assert documents.hold(connection, found.id, OWNER, documents.Finding(), why, meta.wakes(connection), now)
    return found.id


def state(connection: Connection, document_id: int) -> str:
    return str(
        connection.execute(sa.select(schema.document.c.state).where(schema.document.c.id == document_id)).scalar()
    )


def test_row_comes_back_as_it_was_saved(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        mine = company(connection, now)
        new = row("0042", "invoice", cc=("c@example.com",), format="ubl", name="Acme", language="fr")
        saved = recipients.add(connection, mine, new, WHO, now)
        found, owner = recipients.load(connection, saved.row.id)
    assert owner == mine
    assert found == msgspec.structs.replace(new, id=saved.row.id, version=1)
    assert saved.released == 0


def test_number_has_one_row_per_type_and_company(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        mine, other = company(connection, now), company(connection, now, "other")
        recipients.add(connection, mine, row(), WHO, now)
        recipients.add(connection, mine, row(type_="invoice"), WHO, now)
        recipients.add(connection, mine, row("01001"), WHO, now)
        recipients.add(connection, other, row(), WHO, now)
        with pytest.raises(Conflict, match=r"a@example\.com") as caught:
            recipients.add(connection, mine, row(email="b@example.com"), WHO, now)
        assert caught.value.current["email"] == ["a@example.com"]


def test_companies_do_not_see_each_other(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        mine, other = company(connection, now), company(connection, now, "other")
        recipients.add(connection, mine, row(), WHO, now)
        assert recipients.rows_for(connection, other, ["1001"]) == []
        assert recipients.list_recipients(connection, recipients.Filter(company="other")) == []
        held(connection, now, "recipient:default:1001")
        assert recipients.add(connection, other, row(), WHO, now).released == 0


def test_rows_are_found_by_their_key(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        mine = company(connection, now)
        for number in ("1001", "0001001", "2002"):
            recipients.add(connection, mine, row(number), WHO, now)
        assert [found.number for found in recipients.rows_for(connection, mine, ["1001"])] == ["1001", "0001001"]
        assert [found.number for found in recipients.rows_of(connection, mine, "0001001")] == ["0001001"]
        assert recipients.rows_for(connection, mine, []) == []


def test_saving_a_row_wakes_what_waits_for_its_number_only(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        mine = company(connection, now)
        first = held(connection, now, "recipient:default:1001")
        other = held(connection, now, "recipient:default:2002")
        assert recipients.add(connection, mine, row("0001001"), WHO, now).released == 1
        assert (state(connection, first), state(connection, other)) == ("received", "held")


def test_changed_number_wakes_the_old_and_the_new(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        saved = recipients.add(connection, company(connection, now), row("1"), WHO, now)
        held(connection, now, "recipient:default:1")
        held(connection, now, "recipient:default:2")
        changed = msgspec.structs.replace(saved.row, number="2")
        assert recipients.change(connection, changed, 1, WHO, now).released == 2


def test_deleted_row_wakes_what_it_made_ambiguous(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        saved = recipients.add(connection, company(connection, now), row(), WHO, now)
        waiting = held(connection, now, "recipient:default:1001")
        assert recipients.delete(connection, saved.row.id, None, WHO, now).released == 1
        assert state(connection, waiting) == "received"


def test_change_of_an_old_version_is_a_conflict(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        saved = recipients.add(connection, company(connection, now), row(), WHO, now)
        changed = msgspec.structs.replace(saved.row, email=("b@example.com",))
        assert recipients.change(connection, changed, 1, WHO, now).row.version == 2
        with pytest.raises(Conflict, match="version 2, not 1") as caught:
            recipients.change(connection, changed, 1, WHO, now)
        assert caught.value.current["email"] == ["b@example.com"]
        with pytest.raises(Conflict):
            recipients.delete(connection, saved.row.id, 1, WHO, now)
        recipients.delete(connection, saved.row.id, 2, WHO, now)


def test_deleted_row_is_gone_and_its_number_free(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        mine = company(connection, now)
        saved = recipients.add(connection, mine, row(), WHO, now)
        recipients.delete(connection, saved.row.id, None, WHO, now)
        assert recipients.list_recipients(connection, recipients.Filter()) == []
        assert recipients.rows_for(connection, mine, ["1001"]) == []
        with pytest.raises(NotFound):
            recipients.change(connection, saved.row, None, WHO, now)
        recipients.add(connection, mine, row(), WHO, now)


def test_row_may_not_become_a_twin(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        mine = company(connection, now)
        recipients.add(connection, mine, row(), WHO, now)
        second = recipients.add(connection, mine, row(type_="invoice"), WHO, now)
        with pytest.raises(Conflict):
            recipients.change(connection, msgspec.structs.replace(second.row, type="any"), None, WHO, now)


def test_every_change_has_its_audit_row(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        saved = recipients.add(connection, company(connection, now), row(), WHO, now)
        recipients.change(connection, msgspec.structs.replace(saved.row, name="Acme"), None, WHO, now)
        recipients.delete(connection, saved.row.id, None, WHO, now)
        rows = audit.list_audit(connection, audit.Filter(object=show_id(saved.row.id)))
    assert [found["action"] for found in rows] == ["recipient.delete", "recipient.set", "recipient.add"]
    assert {(found["uid"], found["user"], found["company"], found["at"]) for found in rows} == {
        (1000, "anna", "default", now)
    }
    assert (rows[1]["before"]["name"], rows[1]["after"]["name"]) == (None, "Acme")
    assert rows[2]["before"] is None
    assert rows[0]["after"] is None


def test_change_that_fails_leaves_no_audit_row(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        recipients.add(connection, company(connection, now), row(), WHO, now)
    with pytest.raises(Conflict), engine.begin() as connection:
        recipients.add(connection, company(connection, now), row(), WHO, now)
    with engine.begin() as connection:
        assert len(audit.list_audit(connection, audit.Filter())) == 1


@pytest.mark.parametrize("part", ["0042", "042", "ACME", "c@ex", "a@exa", "Gmb"])
def test_search_finds_any_part(engine: sa.Engine, now: dt.datetime, part: str) -> None:
    with engine.begin() as connection:
        mine = company(connection, now)
        recipients.add(connection, mine, row("0042", cc=("c@example.com",), name="Acme GmbH"), WHO, now)
        recipients.add(connection, mine, row("7", email="z@elsewhere.example", name="100% wool"), WHO, now)
        found = recipients.list_recipients(connection, recipients.Filter(search=part))
        assert [each["number"] for each in found] == ["0042"]
        assert len(recipients.list_recipients(connection, recipients.Filter(search="0% w"))) == 1
        assert recipients.list_recipients(connection, recipients.Filter(search="_")) == []


def test_list_goes_by_pages(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        mine = company(connection, now)
        for number in ("3", "01", "1", "2"):
            recipients.add(connection, mine, row(number), WHO, now)
        seen: list[str] = []
        after: int | None = None
        while page := recipients.list_recipients(connection, recipients.Filter(after=after, limit=2)):
            seen += [each["number"] for each in page]
            after = recipients.rows_of(connection, mine, seen[-1])[0].id
    assert seen == ["01", "1", "2", "3"]


@pytest.mark.parametrize("part", ["kopare", "KÖPARE", "Köpare", "ko\u0308pare", "strasse", "1", "é", "INFO@"])
def test_search_knows_neither_case_nor_accents(engine: sa.Engine, now: dt.datetime, part: str) -> None:
    with engine.begin() as connection:
        company_id = company(connection, now)
        new = row("1", email="info@e.example", name="Köpare é Straße")
        recipients.add(connection, company_id, new, WHO, now)
        assert len(recipients.list_recipients(connection, recipients.Filter(search=part))) == 1
        assert recipients.count_recipients(connection, recipients.Filter(search=part)) == 1
        assert recipients.count_recipients(connection, recipients.Filter(search="anna")) == 0


def test_offset_leaves_rows_out(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        company_id = company(connection, now)
        for number in ("1", "2", "3"):
            new = row(number)
            recipients.add(connection, company_id, new, WHO, now)
        listed = recipients.list_recipients(connection, recipients.Filter(offset=1, limit=1))
        assert [row["number"] for row in listed] == ["2"]


@pytest.mark.parametrize(
    "wanted",
    [
        recipients.Filter(company="default", search="a", limit=64),
        recipients.Filter(company="default", search="nobody", type="invoice", limit=64, offset=64),
        recipients.Filter(search="a", limit=64),
    ],
    ids=["company", "type", "all"],
)
def test_a_search_reads_the_index_and_no_row_that_it_does_not_show(
    engine: sa.Engine, now: dt.datetime, wanted: recipients.Filter
) -> None:
    """EXPLAIN QUERY PLAN of the statements themselves: at 100,000 rows that is the difference."""
    asked: list[tuple[str, object]] = []
    with engine.begin() as connection:
        company(connection, now)
        listen = sa.event.listens_for(engine, "before_cursor_execute")
        listen(lambda _c, _cursor, text, values, *_more: asked.append((text, values)))
        recipients.count_recipients(connection, wanted)
        recipients.list_recipients(connection, wanted)
        searches = [each for each in asked if "instr" in each[0]]
        assert len(searches) == 2
        for text, values in searches:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)]  # type: ignore[arg-type]
            of_rows = [line for line in plan if line.startswith(("SCAN recipient", "SEARCH recipient"))]
            assert "COVERING INDEX recipient_search" in of_rows[-1], plan
            assert all("INTEGER PRIMARY KEY" in line for line in of_rows[:-1]), plan
