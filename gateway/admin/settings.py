"""Business settings: list, get, set (R4-R9, R47-R58)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from gateway import doctypes, settings, templates
from gateway.admin.recipients import format_names
from gateway.admin.running import DEFAULT_COMPANY, Running, refuse_unknown, version_of
from gateway.errors import Refused
from gateway.settings import Key
from gateway.store import companies
from gateway.store import settings as stored
from gateway.store.audit import Caller

_LOCKED = "Only an advanced company may choose this: set `advanced` true first."


async def list_settings(running: Running, company: str | None) -> list[dict[str, Any]]:
    """Every setting of the company with its value and default; templates of single types only where they are set."""
    return await running.store.read(_list, company or DEFAULT_COMPANY, running.config.sender.default_prefix)


def _list(connection: Connection, company: str, default_prefix: str) -> list[dict[str, Any]]:
    company_id = companies.company_id(connection, company)
    values, versions = stored.values(connection, company_id), stored.versions(connection, company_id)
    types = doctypes.names()
    keys = [key for key in settings.all_keys(types) if "template." not in key or f".{settings.ANY}." in key]
    keys += sorted(set(values) - set(keys))
    return [_shown(settings.find(key, types), company, values, versions, default_prefix) for key in keys]


def _shown(
    key: Key, company: str, values: Mapping[str, object], versions: Mapping[str, int], default_prefix: str
) -> dict[str, Any]:
    advanced = settings.Business.of(company, values, default_prefix).advanced
    locked = key.setting.advanced and not advanced
    default = settings.default_of(key, default_prefix)
    stored_value = None if locked else values.get(key.text)
    return {
        "key": key.text,
        "company": company,
        "value": default if stored_value is None else stored_value,
        "default": default,
        "version": versions.get(key.text, 0),
        "locked": _LOCKED if locked else None,
        "help": key.setting.help,
    }


async def get_setting(running: Running, company: str | None, key: str) -> dict[str, Any]:
    """One setting."""
    found = settings.find(key, doctypes.names())
    return await running.store.read(_get, company or DEFAULT_COMPANY, found, running.config.sender.default_prefix)


def _get(connection: Connection, company: str, key: Key, default_prefix: str) -> dict[str, Any]:
    company_id = companies.company_id(connection, company)
    values, versions = stored.values(connection, company_id), stored.versions(connection, company_id)
    return _shown(key, company, values, versions, default_prefix)


async def set_setting(
    running: Running, who: Caller, company: str | None, key: str, values: Mapping[str, object]
) -> dict[str, Any]:
    """Store `value`; null, or an empty text, goes back to the default. `version` is the one the caller saw.

    Gives the setting with `released`, the held documents and deliveries that go on now, and `held`, the deliveries that
    the company's switch stops.
    """
    refuse_unknown(values, ("value", "version"))
    if "value" not in values:
        raise Refused("value is missing.", "value")
    found = settings.find(key, doctypes.names())
    value = settings.check(found, values["value"], format_names())
    if found.setting.kind in ("subject", "body") and value is not None:
        _check_template(key, str(value))
    version = version_of(values.get("version"))
    shown = await running.store.write(
        _set,
        company or DEFAULT_COMPANY,
        found,
        value,
        version,
        running.config.sender.default_prefix,
        who,
        running.now(),
    )
    if shown["released"]:
        running.nudge()
    return shown


def _check_template(key: str, text: str) -> None:
    try:
        templates.check(text)
    except Refused as error:
        raise Refused(error.sentence, key) from error


def _set(
    connection: Connection,
    company: str,
    key: Key,
    value: object,
    version: int | None,
    default_prefix: str,
    who: Caller,
    now: dt.datetime,
) -> dict[str, Any]:
    company_id = companies.company_id(connection, company)
    if value is not None and _get(connection, company, key, default_prefix)["locked"]:
        raise Refused(_LOCKED, key.text)
    saved = stored.save(connection, company_id, key, value, version, who, now)
    return {**_get(connection, company, key, default_prefix), "released": saved.released, "held": saved.held}
