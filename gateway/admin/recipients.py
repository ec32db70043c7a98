"""The directory of recipients: list, show, add, change, delete (R13-R29)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from gateway import doctypes, formats
from gateway.admin.pages import Pages, pages
from gateway.admin.running import DEFAULT_COMPANY, Running, filter_of, ident, text_of
from gateway.directory import ADVANCED, check_recipient, clean_number
from gateway.model import Recipient
from gateway.settings import Business
from gateway.store import companies, rowhistory, waiting
from gateway.store import recipients as stored
from gateway.store import settings as stored_settings
from gateway.store.audit import Caller


def list_recipients(running: Running, query: Mapping[str, str]) -> Pages:
    """The rows that match, by number: `company`, `number`, `type`, `search`, `after`, `limit`."""
    wanted = filter_of(stored.Filter, query)
    if wanted.number is not None:
        wanted = msgspec.structs.replace(wanted, number=clean_number(wanted.number))
    return pages(running, _list, wanted, "after")


def _list(connection: Connection, wanted: stored.Filter) -> list[dict[str, Any]]:
    if wanted.company is not None:
        companies.company_id(connection, wanted.company)
    return stored.list_recipients(connection, wanted)


async def show_recipient(running: Running, id_: str) -> dict[str, Any]:
    """One row."""
    return await running.store.read(_show, ident(id_))


def _show(connection: Connection, recipient_id: int) -> dict[str, Any]:
    row, company_id = stored.load(connection, recipient_id)
    return stored.show(row, companies.company_name(connection, company_id))


async def add_recipient(running: Running, who: Caller, values: Mapping[str, object]) -> dict[str, Any]:
    """Add a row to `company`; gives it with `released`, the number of held documents that go on now."""
    company = text_of(values, "company", DEFAULT_COMPANY)
    fields = {name: value for name, value in values.items() if name != "company"}
    saved, freed = await running.store.write(_add, company, fields, who, running.now())
    return {**_answer(running, saved), "released": freed}


def _add(
    connection: Connection, company: str, fields: dict[str, object], who: Caller, now: dt.datetime
) -> tuple[stored.Saved, int]:
    """The row, and how many documents it lets go on: fewer than it wakes where one of another type waits too."""
    company_id = companies.company_id(connection, company)
    row = _checked(connection, company_id, fields)
    normalise = Business.of(company, stored_settings.values(connection, company_id), "").normalise
    freed = waiting.freed(connection, company_id, company, row, normalise)
    return stored.add(connection, company_id, row, who, now), freed


async def change_recipient(
    running: Running, who: Caller, id_: str, values: Mapping[str, object], version: int | None
) -> dict[str, Any]:
    """Change the given fields of a row; the others stay. `version` is the one the caller saw, None for any."""
    saved = await running.store.write(_change, ident(id_), dict(values), version, who, running.now())
    return _answer(running, saved)


def _change(
    connection: Connection,
    recipient_id: int,
    fields: dict[str, object],
    version: int | None,
    who: Caller,
    now: dt.datetime,
) -> stored.Saved:
    old, company_id = stored.load(connection, recipient_id)
    before = msgspec.structs.asdict(old)
    kept = {name: value for name, value in before.items() if name not in ("id", "version", *ADVANCED)}
    row = _checked(connection, company_id, {**kept, **fields})
    # What was chosen while the company was advanced stays with the row, unless this request touches it.
    stays = {name: before[name] for name in ADVANCED if name not in fields}
    return stored.change(connection, msgspec.structs.replace(row, id=recipient_id, **stays), version, who, now)


async def delete_recipient(running: Running, who: Caller, id_: str, version: int | None) -> dict[str, Any]:
    """Delete a row; gives it as it was."""
    return _answer(running, await running.store.write(stored.delete, ident(id_), version, who, running.now()))


async def show_history(running: Running, id_: str) -> list[dict[str, Any]]:
    """Who changed a row, when, and what; newest first. A deleted row has one too."""
    return await running.store.read(rowhistory.history, ident(id_))


async def undo_change(running: Running, who: Caller, id_: str, version: int | None) -> dict[str, Any]:
    """Take the last change of a row back; gives the row. `version` is the one the caller saw, None for any."""
    return _answer(running, await running.store.write(rowhistory.undo, ident(id_), version, who, running.now()))


def _checked(connection: Connection, company_id: int, fields: Mapping[str, object]) -> Recipient:
    advanced = Business.of("", stored_settings.values(connection, company_id), "").advanced
    return check_recipient(fields, types=doctypes.names(), formats=format_names(), advanced=advanced)


def format_names() -> tuple[str, ...]:
    """The formats that a company or a recipient may choose."""
    return tuple(entry["name"] for entry in formats.choosable())


def _answer(running: Running, saved: stored.Saved) -> dict[str, Any]:
    if saved.released:
        running.nudge()
    return {**stored.show(saved.row, saved.company), "released": saved.released}
