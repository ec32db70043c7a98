"""How long the lists are, and what a person may choose from: what a screen asks before it shows a list or a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from gateway import doctypes, formats
from gateway.admin.running import DEFAULT_COMPANY, Running, filter_of, ident
from gateway.directory import clean_number
from gateway.settings import Business
from gateway.store import audit, companies, deliveries, recipients, views, waiting
from gateway.store import settings as stored_settings

_COUNTS: Mapping[str, tuple[type[msgspec.Struct], Callable[..., int]]] = {
    "recipients": (recipients.Filter, recipients.count_recipients),
    "documents": (views.Filter, views.count_documents),
    "queue": (deliveries.Filter, deliveries.count_deliveries),
    "audit": (audit.Filter, audit.count_audit),
}


async def count(running: Running, name: str, query: Mapping[str, str]) -> dict[str, int]:
    """`total`, the rows of the list `name` that match the filters of that list."""
    kind, counted = _COUNTS[name]
    words = dict(query)
    known: dict[str, Any] = {}
    if name == "queue" and words.get("document"):
        known["document"] = ident(words.pop("document"))
    if name == "recipients" and words.get("number"):
        known["number"] = clean_number(words["number"])
    wanted = msgspec.structs.replace(filter_of(kind, words), **known)
    return {"total": await running.store.read(counted, wanted)}


async def show_waiting(running: Running, query: Mapping[str, str]) -> dict[str, Any]:
    """How many `documents` and `deliveries` of `company` need a person or wait, by state."""
    return await running.store.read(_waiting, query.get("company") or DEFAULT_COMPANY)


def _waiting(connection: Connection, company: str) -> dict[str, Any]:
    return waiting.states(connection, companies.company_id(connection, company))


async def show_held(running: Running, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """The causes that hold documents of `company`: how many, and how many the row that is missing would free."""
    return await running.store.read(_held, query.get("company") or DEFAULT_COMPANY)


def _held(connection: Connection, company: str) -> list[dict[str, Any]]:
    id_ = companies.company_id(connection, company)
    normalise = Business.of(company, stored_settings.values(connection, id_), "").normalise
    return waiting.held(connection, id_, company, normalise)


async def show_choices(running: Running) -> dict[str, Any]:
    """The document types and formats of which a recipient's row names one."""
    return {
        "types": [*doctypes.names(), doctypes.ANY],
        "formats": [{"name": each["name"], "label": each["label"]} for each in formats.choosable()],
        "domain": running.config.sender.domain,
    }
