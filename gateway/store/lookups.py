"""What routes a document, asked for in one statement: it is asked for each, and a thread that reads gives the
interpreter's lock away, and waits for it, at every statement and row."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.engine import Connection

from gateway.model import Recipient, Value
from gateway.store import meta, settings
from gateway.store.columns import to_json
from gateway.store.recipients import AS_JSON, LIVE_UNDER_KEYS
from gateway.store.statement import Statement

_KNOWN = Statement(
    "SELECT (SELECT value FROM meta WHERE key = :settings), (SELECT value FROM meta WHERE key = :wakes),"
    f" (SELECT json_group_array({AS_JSON}) FROM recipient WHERE {LIVE_UNDER_KEYS})"
)
_rows = msgspec.json.Decoder(tuple[Recipient, ...]).decode


class Known(Value, frozen=True, kw_only=True):
    """What holds at one moment."""

    generation: int  # of all settings: who keeps some compares it
    wakes: int  # `meta.wakes`
    rows: tuple[Recipient, ...]  # of the directory, in the order of their ids


def known(connection: Connection, company_id: int, keys: Sequence[str]) -> Known:
    """The company's directory rows under `keys` (`directory.number_key`), and whether settings kept are today's."""
    values = {
        "company": company_id,
        "keys": to_json(list(keys)),
        "settings": settings.GENERATION,
        "wakes": meta.WAKES,
    }
    (generation, wakes, rows), *_ = _KNOWN.run(connection, values)
    return Known(
        generation=int(generation or 0),
        wakes=int(wakes or 0),
        rows=tuple(sorted(_rows(rows), key=lambda row: row.id)),
    )
