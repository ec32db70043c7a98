"""Trigger files: `x.pdf.ok` or `x.ok` says that its sender is done with `x.pdf`. Pure: names in, names out.

`x.pdf.ok` is for that one file, `x.ok` for all files named `x` and an extension.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.intake.names import stem
from gateway.model import Value

Key = tuple[str, ...]  # sub-folders and name


class Trigger(Value, frozen=True, kw_only=True):
    """What lets a file be taken: the name of its trigger, None where the source needs none."""

    name: str | None = None
    shared: bool = False  # for all files of that name, whatever their extension


_NEEDS_NONE = Trigger()


class Triggers:
    """The triggers among the files of one look; `endings` are those of the source (`.ok`), none when it needs none."""

    def __init__(self, endings: Sequence[str], files: Iterable[Key]) -> None:
        self._endings = tuple(endings)
        self._names: dict[Key, str] = {}  # what it is for: its name
        self._keys: set[Key] = set()
        self.alone: list[Key] = []  # those that no file lies beside
        if not endings:
            return
        others: set[Key] = set()
        for *parts, name in files:
            if name.lower().endswith(self._endings):
                base = name[: -len(next(end for end in self._endings if name.lower().endswith(end)))]
                self._names[(*parts, base)] = name
                self._keys.add((*parts, name))
            else:
                others |= {(*parts, name), (*parts, stem(name))}
        self.alone = sorted((*key[:-1], name) for key, name in self._names.items() if key not in others)

    def is_one(self, key: Key) -> bool:
        """Whether a file is a trigger, and so no document."""
        return key in self._keys

    def of(self, parts: Key, name: str) -> Trigger | None:
        """The trigger of a file, None while it has to wait for one."""
        if not self._endings:
            return _NEEDS_NONE
        own = self._names.get((*parts, name))
        if own is not None:
            return Trigger(name=own)
        shared = self._names.get((*parts, stem(name)))
        return None if shared is None else Trigger(name=shared, shared=True)
