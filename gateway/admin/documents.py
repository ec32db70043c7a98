"""Documents: find them, see why one waits, release, cancel, send again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from gateway import address
from gateway.admin import roles
from gateway.admin.pages import Pages, pages
from gateway.admin.running import Running, filter_of, ident, refuse_unknown, refuse_unknown_state
from gateway.errors import NotFound, Refused, Temporary, Unreadable
from gateway.model import DocumentState, show_id
from gateway.store import audit, companies, documents, messages, views
from gateway.store.audit import Caller
from gateway.workers import Died

_SECONDS = 30.0  # for a worker that reads a file for a person


def list_documents(running: Running, query: Mapping[str, str]) -> Pages:
    """The documents that match, newest first; the filters are those of `views.Filter`."""
    wanted = filter_of(views.Filter, query)
    refuse_unknown_state(wanted.state, DocumentState)
    return pages(running, _list, wanted, "before")


def _list(connection: Connection, wanted: views.Filter) -> list[dict[str, Any]]:
    if wanted.company is not None:
        companies.company_id(connection, wanted.company)
    return views.list_documents(connection, wanted)


async def show_document(running: Running, id_: str) -> dict[str, Any]:
    """One document with everything that is known of it."""
    return await running.store.read(views.show_document, ident(id_))


async def show_trace(running: Running, id_: str) -> dict[str, Any]:
    """Why the document goes where it goes, or why it waits: what was found where, which rule won, who lost."""
    shown = await running.store.read(views.show_document, ident(id_))
    names = ("id", "company", "type", "number", "customer_number", "state", "cause", "sentence", "released_by", "trace")
    return {name: shown[name] for name in names}


async def show_original(running: Running, id_: str) -> tuple[str, str, bytes]:
    """File name, media type and bytes as they came in."""
    return await running.store.read(views.original, ident(id_))


async def show_message(running: Running, id_: str) -> tuple[str, str, bytes]:
    """File name, media type and bytes of the newest message composed of the document, exactly as it is sent."""
    return await running.store.read(_message, ident(id_))


def _message(connection: Connection, document_id: int) -> tuple[str, str, bytes]:
    made = views.show_document(connection, document_id)["messages"]
    if not made:
        raise NotFound("No message was composed of this document yet.", "id")
    newest = made[-1]["id"]
    return f"{newest}.eml", "message/rfc822", messages.message_bytes(connection, ident(newest))


async def show_text(running: Running, id_: str) -> dict[str, Any]:
    """The lines of text in the file as it came in, `lines`; read in a worker, as the file may be hostile."""
    name, _, content = await running.store.read(views.original, ident(id_))
    if running.pool is None:
        raise Temporary("The gateway reads no files just now.")
    try:
        lines, _ = await running.pool.run("gateway.jobs:text_of", blob=content, timeout=_SECONDS)
    except Died as died:
        raise Refused(f"The file cannot be read: {died}.", "id") from died
    except Unreadable as error:
        raise Refused(error.sentence, "id") from error
    return {"file_name": name, "lines": lines}


async def release_documents(
    running: Running, who: Caller, ids: Sequence[object], values: Mapping[str, object]
) -> dict[str, Any]:
    """Release held documents: they go through the pipeline again with today's settings. All of them or none."""
    refuse_unknown(values, ("ids",))
    numbers = _idents(ids)
    count = await running.store.write(_release, numbers, who, running.now())
    running.nudge()
    return {"released": count}


def _release(connection: Connection, ids: list[int], who: Caller, now: dt.datetime) -> int:
    before = [_state(connection, id_) for id_ in ids]
    count = documents.release_documents(connection, ids, who.user, now)
    _record(connection, "document.release", ids, before, who, now)
    return count


async def cancel_documents(
    running: Running, who: Caller, ids: Sequence[object], values: Mapping[str, object]
) -> dict[str, Any]:
    """Cancel documents: nothing more of them is sent. All of them or none."""
    refuse_unknown(values, ("ids",))
    numbers = _idents(ids)
    return {"cancelled": await running.store.write(_cancel, numbers, who, running.now())}


def _cancel(connection: Connection, ids: list[int], who: Caller, now: dt.datetime) -> int:
    before = [_state(connection, id_) for id_ in ids]
    count = documents.cancel_documents(connection, ids, now)
    _record(connection, "document.cancel", ids, before, who, now)
    return count


async def resend_document(running: Running, who: Caller, id_: str, values: Mapping[str, object]) -> dict[str, Any]:
    """Send an ended document again as a new message: by today's rules, or to the addresses `to`."""
    refuse_unknown(values, ("to",))
    number = ident(id_)
    to = _addresses(values.get("to"))
    shown = await running.store.write(_resend, number, to, who, running.now())
    running.nudge()
    return shown


def _addresses(value: object) -> list[str]:
    texts = [value] if isinstance(value, str) else value or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise Refused("to is a text or a list of texts.", "to")
    items = [item for text in texts for item in address.split_list(text)]
    try:
        return list(dict.fromkeys(address.parse(item) for item in items))
    except Refused as error:
        raise Refused(error.sentence, "to") from error


def _resend(connection: Connection, document_id: int, to: list[str], who: Caller, now: dt.datetime) -> dict[str, Any]:
    before = _state(connection, document_id)
    went_to = {delivery["recipient"] for delivery in views.show_document(connection, document_id)["deliveries"]}
    if not went_to.issuperset(to):
        roles.require(who, roles.Permission.READDRESS)
    documents.resend_document(connection, document_id, to, who.user, now)
    after = _state(connection, document_id) | ({"to": to} if to else {})
    company = views.show_document(connection, document_id)["company"]
    audit.record(connection, who, "document.resend", show_id(document_id), before, after, now, company=company)
    return {"id": show_id(document_id), **_state(connection, document_id)}


def _idents(ids: Sequence[object]) -> list[int]:
    if not isinstance(ids, (list, tuple)) or not ids:
        raise Refused("ids is a list of at least one document id.", "ids")
    return list(dict.fromkeys(ident(id_) for id_ in ids))


def _state(connection: Connection, document_id: int) -> dict[str, Any]:
    shown = views.show_document(connection, document_id)
    return {"state": shown["state"], "cause": shown["cause"]}


def _record(
    connection: Connection,
    action: str,
    ids: Sequence[int],
    before: Sequence[dict[str, Any]],
    who: Caller,
    now: dt.datetime,
) -> None:
    for document_id, old in zip(ids, before, strict=True):
        shown = views.show_document(connection, document_id)
        new = {"state": shown["state"], "cause": shown["cause"]}
        audit.record(connection, who, action, show_id(document_id), old, new, now, company=shown["company"])
