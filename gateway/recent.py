"""Bytes that were just written and will be wanted again in a moment, kept so that nobody must read them back."""

from __future__ import annotations

from collections import OrderedDict


class Recent:
    """At most `limit` bytes, the longest unused going first. A miss is never an error: the store has everything."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    def put(self, key: int, data: bytes) -> None:
        """Keep `data` under the id `key`; what alone would fill an eighth of the room is not kept."""
        if len(data) > self._limit // 8 or key in self._kept:
            return
        self._kept[key] = data
        self._size += len(data)
        while self._size > self._limit:
            _, dropped = self._kept.popitem(last=False)
            self._size -= len(dropped)

    def get(self, key: int) -> bytes | None:
        """The bytes under `key`, if they are still here."""
        data = self._kept.get(key)
        if data is not None:
            self._kept.move_to_end(key)
        return data

    def take(self, key: int) -> bytes | None:
        """The bytes under `key`, if they are still here, which nobody will want again."""
        data = self._kept.pop(key, None)
        if data is not None:
            self._size -= len(data)
        return data
