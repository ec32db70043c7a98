"""What waits in one company: by state, and the held documents by cause with what would free them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.directory import ANY, number_key
from gateway.model import DeliveryState, DocumentState, Recipient
from gateway.store.schema import delivery, document, wake
from gateway.store.views import CAUSES

MISSING = "no-recipient:"  # a cause that a row of the directory ends; its number follows

_DOCUMENTS = (DocumentState.HELD, DocumentState.BOUNCED, DocumentState.PARTLY_SENT)
_DELIVERIES = (DeliveryState.QUEUED, DeliveryState.ACTIVE, DeliveryState.DEFERRED, DeliveryState.HELD)


def states(connection: Connection, company_id: int) -> dict[str, dict[str, int]]:
    """How many documents need a person, and how many deliveries have not ended, by state."""

    def by(table: sa.Table, known: Sequence[str]) -> dict[str, int]:
        # The sum keeps SQLite from the company's index, along which it would read all that was ever sent.
        mine = table.c.company_id + 0 == company_id
        asked = sa.select(table.c.state, sa.func.count()).where(table.c.state.in_(known), mine)
        found = {str(state): int(many) for state, many in connection.execute(asked.group_by(table.c.state))}
        return {str(state): found.get(str(state), 0) for state in known}

    return {"documents": by(document, _DOCUMENTS), "deliveries": by(delivery, _DELIVERIES)}


def held(connection: Connection, company_id: int, name: str, normalise: bool) -> list[dict[str, Any]]:
    """The causes that hold documents, most documents first: `cause`, `count`, `type` of most of them, and `frees`.

    `frees` is how many documents a new row of that type for the cause's number lets go on; None for other causes.
    At most `CAUSES` of them.
    """
    mine, many = _held_by(company_id), sa.func.count()
    asked = sa.select(document.c.cause, document.c.type, many).where(document.c.cause.is_not(None), *mine)
    types: dict[str, Counter[str | None]] = {}
    for cause, type_, number in connection.execute(asked.group_by(document.c.cause, document.c.type)):
        types.setdefault(cause, Counter())[type_] += number
    most = sorted(types, key=lambda cause: (-types[cause].total(), cause))[:CAUSES]
    free = _free(connection, mine, name, [cause for cause in most if cause.startswith(MISSING)])
    rows = [(cause, types[cause].total(), _commonest(types[cause])) for cause in most]
    return [
        {"cause": cause, "count": count, "type": type_, "frees": free.of(cause, type_, normalise)}
        for cause, count, type_ in rows
    ]


def _commonest(types: Counter[str | None]) -> str | None:
    return min(types, key=lambda type_: (-types[type_], type_ or ""))


class _Free:
    """The documents that wait for rows: (the row's key, their own cause, their type, how many)."""

    def __init__(self, waiting: Sequence[tuple[str, str, str | None, int]]) -> None:
        self._by_key: dict[str, list[tuple[str, str | None, int]]] = {}
        for key, cause, type_, many in waiting:
            self._by_key.setdefault(key.rpartition(":")[2], []).append((cause, type_, many))

    def of(self, cause: str, type_: str | None, normalise: bool) -> int | None:
        """How many a row of this type for the cause's number frees."""
        if not cause.startswith(MISSING):
            return None
        number = cause.removeprefix(MISSING)
        key = number_key(number)

        def named(own: str) -> bool:
            """Whether the document names it so; likely, where it names several and the cause has another."""
            return own == cause or (number == key and number_key(own.removeprefix(MISSING)) != key)

        waiting = self._by_key.get(key, ())
        return sum(many for own, its, many in waiting if fits(its, type_) and (normalise or named(own)))


def fits(document_type: str | None, row_type: str | None) -> bool:
    """Whether a row is for a document, by their types; a document that was not read yet has none."""
    return row_type == ANY or document_type is None or document_type == row_type


def freed(connection: Connection, company_id: int, name: str, row: Recipient, normalise: bool) -> int:
    """How many held documents a new row lets go on, counted before it is written."""
    cause = MISSING + row.number
    return _free(connection, _held_by(company_id), name, [cause]).of(cause, row.type, normalise) or 0


def _held_by(company_id: int) -> tuple[Any, ...]:
    return (document.c.company_id + 0 == company_id, document.c.state == DocumentState.HELD)


def _free(connection: Connection, mine: Sequence[Any], name: str, causes: Sequence[str]) -> _Free:
    keys = sorted({f"recipient:{name}:{number_key(cause.removeprefix(MISSING))}" for cause in causes})
    joined = sa.join(wake, document, wake.c.document_id == document.c.id)
    asked = sa.select(wake.c.key, document.c.cause, document.c.type, sa.func.count()).select_from(joined)
    asked = asked.where(*mine, wake.c.key.in_(keys), document.c.cause.startswith(MISSING))
    rows = connection.execute(asked.group_by(wake.c.key, document.c.cause, document.c.type))
    return _Free([(key, cause, type_, many) for key, cause, type_, many in rows])
