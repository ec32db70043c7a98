"""Companies: list and add."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from gateway.admin.running import Running, refuse_unknown, text_of
from gateway.errors import Refused
from gateway.model import parse_id, show_id
from gateway.settings import Business
from gateway.store import audit, companies
from gateway.store import settings as stored
from gateway.store.audit import Caller


async def list_companies(running: Running) -> list[dict[str, Any]]:
    """All companies by name."""
    return await running.store.read(_list)


def _list(connection: Connection) -> list[dict[str, Any]]:
    return [
        {**row, "advanced": _advanced(connection, parse_id(row["id"]))} for row in companies.list_companies(connection)
    ]


def _advanced(connection: Connection, company_id: int) -> bool:
    return Business.of("", stored.values(connection, company_id), "").advanced


async def add_company(running: Running, who: Caller, values: Mapping[str, object]) -> dict[str, Any]:
    """Add the company `name`: letters, digits, dot, dash and underscore, as sources and commands write it."""
    refuse_unknown(values, ("name",))
    name = text_of(values, "name")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise Refused(
            f"A company's name has 1 to 64 letters, digits, dots, dashes and underscores, not {name!r}.", "name"
        )
    return await running.store.write(_add, name, who, running.now())


def _add(connection: Connection, name: str, who: Caller, now: dt.datetime) -> dict[str, Any]:
    new = companies.add_company(connection, name, now)
    audit.record(connection, who, "company.add", name, None, {"name": name}, now, company=name)
    return {"id": show_id(new), "name": name, "created_at": now, "advanced": True}
