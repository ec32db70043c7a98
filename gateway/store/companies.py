"""Companies: settings, recipients, sources and documents belong to one (design D9)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import NotFound, Refused
from gateway.model import new_id, show_id
from gateway.store.schema import company
from gateway.store.statement import Statement

_ID = Statement("SELECT id FROM company WHERE name = :name")
_NAME = Statement("SELECT name FROM company WHERE id = :id")


def company_id(connection: Connection, name: str) -> int:
    """The id of the company `name`; NotFound when there is none."""
    found = _ID.value(connection, {"name": name})
    if found is None:
        raise NotFound(f"there is no company {name!r}; 'gateway companies list' shows those that exist", "company")
    return int(found)


def company_name(connection: Connection, company_id: int) -> str:
    """The name of the company `company_id`; NotFound when there is none."""
    found = _NAME.value(connection, {"id": company_id})
    if found is None:
        raise NotFound("there is no such company", "company")
    return str(found)


def add_company(connection: Connection, name: str, now: dt.datetime) -> int:
    """Make the company `name`; Refused when it exists."""
    if connection.execute(sa.select(company.c.id).where(company.c.name == name)).first() is not None:
        raise Refused(f"company {name!r} exists already", "name")
    new = new_id()
    connection.execute(sa.insert(company), {"id": new, "name": name, "created_at": now})
    return new


def ensure_company(connection: Connection, name: str, now: dt.datetime) -> int:
    """The id of the company `name`, which is made when it is missing."""
    found = connection.execute(sa.select(company.c.id).where(company.c.name == name)).scalar()
    return int(found) if found is not None else add_company(connection, name, now)


def list_companies(connection: Connection) -> list[dict[str, Any]]:
    """All companies by name: `id`, `name`, `created_at`."""
    rows = connection.execute(sa.select(company).order_by(company.c.name))
    return [{"id": show_id(row.id), "name": row.name, "created_at": row.created_at} for row in rows]
