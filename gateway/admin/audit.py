"""The audit: who did what; whether it is still what was written; all of it as lines; who looked at a document."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.admin.pages import PAGE, Pages, pages
from gateway.admin.running import Running, filter_of, ident, refuse_unknown
from gateway.errors import NotFound, Refused
from gateway.model import show_id
from gateway.store import audit
from gateway.store.audit import Caller
from gateway.store.schema import company, document

_ROOT = re.compile(r"([1-9][0-9]{0,17}):([0-9a-fA-F]{64})")


def list_audit(running: Running, query: Mapping[str, str]) -> Pages:
    """Who did what, newest first; the filters are those of `audit.Filter`."""
    return pages(running, audit.list_audit, filter_of(audit.Filter, query), "before")


async def export_audit(running: Running, query: Mapping[str, str]) -> AsyncGenerator[dict[str, Any], None]:
    """The rows that match, oldest first, one by one; the filters are those of `audit.Filter` without paging."""
    refuse_unknown(query, ("company", "user", "action", "object", "since", "until"))
    wanted = filter_of(audit.Filter, query)
    after = 0
    while rows := await running.store.read(audit.export, wanted, after, PAGE):
        for row in rows:
            yield row
        after = rows[-1]["seq"]


async def verify_audit(running: Running, query: Mapping[str, str]) -> dict[str, Any]:
    """Walk the chain of all rows: `ok`, `rows` that are as they were written, `root` (of the last of them), and
    `broken`, the number of the first row that is wrong, with a `sentence`.

    `root` in the query is one from the log, `NUMBER:HASH`; the chain must hold it.
    """
    refuse_unknown(query, ("root",))
    root = _root_of(query.get("root"))
    link = audit.Link()
    while not link.done:
        link = await running.store.read(audit.check, link, root, PAGE)
    return {
        "ok": link.broken is None,
        "rows": link.seq,
        "root": f"{link.seq}:{link.hash.hex()}",
        "broken": link.broken,
        "sentence": link.sentence,
    }


def _root_of(text: str | None) -> tuple[int, bytes] | None:
    if not text:
        return None
    found = _ROOT.fullmatch(text.strip())
    if found is None:
        raise Refused("root is NUMBER:HASH as the log has it, the hash in 64 hexadecimal digits.", "root")
    return int(found[1]), bytes.fromhex(found[2])


async def note_look(running: Running, who: Caller, id_: str, what: str) -> None:
    """Note, before anything is shown, that the caller looks at `what` of a document."""
    await running.store.write(_note_look, ident(id_), what, who, running.now())


def _note_look(connection: Connection, document_id: int, what: str, who: Caller, now: dt.datetime) -> None:
    statement = sa.select(company.c.name).join(document, document.c.company_id == company.c.id)
    name = connection.execute(statement.where(document.c.id == document_id)).scalar()
    if name is None:
        raise NotFound("there is no such document; 'gateway documents list' shows those that exist", "id")
    audit.record(connection, who, "document.look", show_id(document_id), None, {"what": what}, now, company=name)
