"""Settings in the store: versions, the audit beside each change, and what a change wakes or holds."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import Conflict
from gateway.settings import Key, find
from gateway.store import audit, companies, deliveries, documents, messages, meta, schema, settings
from tests.store.samples import OWNER, claimed_document, new_message

WHO = audit.Caller(uid=0, user="root")
ACTIVE = "distribution.active"


def key(text: str) -> Key:
    return find(text, ("invoice",))


def save(
    connection: Connection, now: dt.datetime, text: str, value: object, version: int | None = None
) -> settings.Saved:
    mine = companies.ensure_company(connection, "default", now)
    return settings.save(connection, mine, key(text), value, version, WHO, now)


def held(connection: Connection, now: dt.datetime, event: str) -> int:
    found = claimed_document(connection, now)
    why = documents.Hold(cause="x", sentence="Why.", wakes=(event,))
    assert documents.hold(connection, found.id, OWNER, documents.Finding(), why, meta.wakes(connection), now)
    return found.id


def queued(connection: Connection, now: dt.datetime) -> int:
    found = claimed_document(connection, now)
    assert messages.queue(connection, found.id, OWNER, documents.Finding(), new_message(now, "a@example.com"), now)
    return found.id


def delivery(connection: Connection) -> tuple[str, str | None]:
    row = connection.execute(sa.select(schema.delivery.c.state, schema.delivery.c.cause)).one()
    return row.state, row.cause


def test_value_is_stored_and_reset(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        mine = companies.ensure_company(connection, "default", now)
        assert settings.values(connection, mine) == {}
        saved = save(connection, now, "sender.prefix", "acme")
        assert settings.values(connection, mine) == {"sender.prefix": "acme"}
        assert settings.versions(connection, mine) == {"sender.prefix": saved.version}
        assert save(connection, now, "sender.prefix", None).version == 0
        assert settings.values(connection, mine) == {}


def test_companies_do_not_see_each_other(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        other = companies.ensure_company(connection, "other", now)
        save(connection, now, ACTIVE, False)
        assert settings.values(connection, other) == {}


def test_generation_rises_with_every_change(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        assert settings.generation(connection) == 0
        save(connection, now, "language", "fr")
        save(connection, now, "language", None)
        assert settings.generation(connection) == 2


def test_change_of_an_old_version_is_a_conflict(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        first = save(connection, now, "language", "fr", 0)
        with pytest.raises(Conflict) as caught:
            save(connection, now, "language", "de", 0)
        assert caught.value.current == {"key": "language", "value": "fr", "version": first.version}
        save(connection, now, "language", None, first.version)
        again = save(connection, now, "language", "sv", 0)
        assert again.version != first.version


def test_every_change_has_its_audit_row(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        save(connection, now, "sender.prefix", "acme")
        save(connection, now, "sender.prefix", "other")
        rows = audit.list_audit(connection, audit.Filter(action="setting"))
    assert [(each["object"], each["before"], each["after"]) for each in rows] == [
        ("sender.prefix", "acme", "other"),
        ("sender.prefix", None, "acme"),
    ]
    assert rows[0]["user"] == "root"


@pytest.mark.parametrize(
    ("event", "text", "value"),
    [
        ("setting:default:distribution.active", ACTIVE, True),
        ("setting:default:resolve", "resolve.document_address", True),
        ("setting:default:resolve", "resolve.order", "document,directory"),
        ("setting:default:resolve", "resolve.normalise", True),
        ("setting:default:format", "format.invoice", "ubl"),
        ("setting:default:format", "advanced", True),
        ("template:default", "template.invoice.fr.subject", "x"),
        ("template:default", "language", "fr"),
    ],
)
def test_change_wakes_what_waits_for_it(
    engine: sa.Engine, now: dt.datetime, event: str, text: str, value: object
) -> None:
    with engine.begin() as connection:
        held(connection, now, event)
        held(connection, now, "recipient:default:1")
        held(connection, now, event.replace("default", "other", 1))
        assert save(connection, now, text, value).released == 1


def test_switch_off_holds_what_waits_and_on_lets_it_go(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        queued(connection, now)
        assert save(connection, now, ACTIVE, False).held == 1
        assert delivery(connection) == ("held", deliveries.SWITCH)
        assert save(connection, now, ACTIVE, True).released == 1
        assert delivery(connection) == ("queued", None)


def test_switch_back_to_its_default_is_on(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as connection:
        queued(connection, now)
        save(connection, now, ACTIVE, False)
        assert save(connection, now, ACTIVE, None).released == 1
        assert delivery(connection) == ("queued", None)
